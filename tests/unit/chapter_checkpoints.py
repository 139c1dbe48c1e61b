"""Tiny checkpoints under the names a course uses, trained for a second on the very texts of its programs.

So `bert-large-uncased-whole-word-masking-finetuned-squad` here is two layers of 32, and knows three answers.
"""

from __future__ import annotations

import string
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from minibert import (
    AdamW,
    BertConfig,
    BertForPreTraining,
    BertForQuestionAnswering,
    BertForSequenceClassification,
    BertForTokenClassification,
    BertPreTrainedModel,
    BertTokenizer,
)

PRETRAINED = "bert-base-uncased"
PRETRAINED_CASED = "bert-base-cased"
PARAPHRASE = "bert-base-cased-finetuned-mrpc"
ENTITIES = "dbmdz/bert-large-cased-finetuned-conll03-english"
ANSWERS = "bert-large-uncased-whole-word-masking-finetuned-squad"

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
WORDS = ["the", "rain", "was", "cold", "in", "march", "window", "harbour", "tables", "café", "cafe", "##ys", "opened"]
ENTITY_LABELS = ("O", "B-MISC", "I-MISC", "B-PER", "I-PER", "B-ORG", "I-ORG", "B-LOC", "I-LOC")


def write(folder: Path) -> None:
    """Write every checkpoint to a folder of its name, in the form of its time: `pytorch_model.bin` and `vocab.txt`."""
    for name, make in (
        (PRETRAINED, pretrained),
        (PRETRAINED_CASED, pretrained_cased),
        (PARAPHRASE, paraphrase),
        (ENTITIES, entities),
        (ANSWERS, answers),
    ):
        torch.manual_seed(0)
        tokenizer = new_tokenizer(cased="uncased" not in name)
        model = make(tokenizer)
        model.eval().save_pretrained(folder / name, safe_serialization=False)
        tokenizer.save_pretrained(folder / name)


def new_tokenizer(cased: bool) -> BertTokenizer:
    """Any word can be spelled from letters; a few are whole."""
    letters = string.ascii_letters if cased else string.ascii_lowercase
    spelled = [mark + char for char in letters + string.digits for mark in ("", "##")]
    pieces = [*SPECIAL, ".", ",", "?", *spelled, *WORDS, *(word.capitalize() for word in WORDS if cased)]
    return BertTokenizer({piece: i for i, piece in enumerate(dict.fromkeys(pieces))}, do_lower_case=not cased)


def tiny_config(tokenizer: BertTokenizer, labels: tuple[str, ...] = ("LABEL_0", "LABEL_1")) -> BertConfig:
    return BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        initializer_range=0.2,
        id2label=dict(enumerate(labels)),
    )


def pretrained(tokenizer: BertTokenizer) -> BertPreTrainedModel:
    """Knows which word is hidden, and which sentence follows."""
    model = BertForPreTraining(tiny_config(tokenizer))
    masked = tokenizer("The rain was [MASK] in March.", return_tensors="pt")
    word = masked.input_ids.where(masked.input_ids == tokenizer.mask_token_id, torch.tensor(-100))
    word[word == tokenizer.mask_token_id] = tokenizer.convert_tokens_to_ids("cold")
    first = "She opened the window."
    pairs = tokenizer(
        [first, first], ["The rain came in at once.", "Copper melts at a high heat."], padding=True, return_tensors="pt"
    )
    no_words = torch.full_like(pairs.input_ids, -100)
    no_words[:, 0] = pairs.input_ids[:, 0]  # the model wants labels of both kinds: [CLS] stands for itself

    def loss() -> Tensor:
        words = model(**masked, labels=word, next_sentence_label=torch.tensor([0])).loss
        return words + model(**pairs, labels=no_words, next_sentence_label=torch.tensor([0, 1])).loss

    return fitted(model, loss)


def pretrained_cased(tokenizer: BertTokenizer) -> BertPreTrainedModel:
    """Knows nothing."""
    return BertForPreTraining(tiny_config(tokenizer))


def paraphrase(tokenizer: BertTokenizer) -> BertPreTrainedModel:
    model = BertForSequenceClassification(tiny_config(tokenizer))
    statement = "The harbour of Bergen was closed on Monday"
    others = ["Anna reads a novel by the window", "On Monday no ship could enter the port of Bergen"]
    batch = tokenizer([statement] * 2, others, padding=True, return_tensors="pt")
    return fitted(model, lambda: model(**batch, labels=torch.tensor([0, 1])).loss)


def entities(tokenizer: BertTokenizer) -> BertPreTrainedModel:
    model = BertForTokenClassification(tiny_config(tokenizer, ENTITY_LABELS))
    words = {"Anna": "I-PER", "Berg": "I-PER", "Nordlys": "I-ORG", "Bergen": "I-LOC"}
    sequence = "Anna Berg works for Nordlys in Bergen ."
    labels = ["O"]
    for word in sequence.split():
        labels += [words.get(word, "O")] * len(tokenizer.tokenize(word))
    ids = tokenizer.encode(sequence, return_tensors="pt")
    expected = torch.tensor([[ENTITY_LABELS.index(label) for label in [*labels, "O"]]])
    return fitted(model, lambda: model(ids, labels=expected).loss)


def answers(tokenizer: BertTokenizer) -> BertPreTrainedModel:
    model = BertForQuestionAnswering(tiny_config(tokenizer))
    text = "Nordlys is a small café by the harbour of Bergen. Anna Berg opened it in 1987, and it has twelve tables."
    known = {
        "Who opened Nordlys?": "Anna Berg",
        "Where is the café?": "by the harbour of Bergen",
        "How many tables are there?": "twelve",
    }
    batch = tokenizer(list(known), [text] * len(known), padding=True, return_tensors="pt")
    starts, ends = [], []
    for row, answer in zip(batch.input_ids.tolist(), known.values(), strict=True):
        pieces = tokenizer.encode(answer, add_special_tokens=False)
        starts.append(next(i for i in range(len(row)) if row[i : i + len(pieces)] == pieces))
        ends.append(starts[-1] + len(pieces) - 1)
    places = {"start_positions": torch.tensor(starts), "end_positions": torch.tensor(ends)}
    return fitted(model, lambda: model(**batch, **places).loss)


def fitted(model: BertPreTrainedModel, loss: Callable[[], Tensor]) -> BertPreTrainedModel:
    """Train without dropout until the loss is small: the answers are then sure on any machine."""
    model.eval()
    optimizer = AdamW(model.parameters(), lr=3e-3)
    for _ in range(300):
        value = loss()
        if value < 0.01:
            return model
        value.backward()
        optimizer.step()
        optimizer.zero_grad()
    raise AssertionError(f"{type(model).__name__} did not learn its few texts; the loss is {value:.3f}")
