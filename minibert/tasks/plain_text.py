"""Tasks on plain text: BERT's two of pre-training, one at a time, and the next word.

Whether one sentence follows another: `BertForNextSentencePrediction`. Score: accuracy. Files to train on have a sentence
a line and an empty line between documents, as Google's BERT reads them. Every two neighbours make a pair. Half of the
pairs stay as they are ("next", id 0); in the others a sentence from another document replaces the second ("random", id 1).
Files to ask about: a table of pairs.

Hidden words: `BertForMaskedLM`. Scores: accuracy, perplexity. Files are passages with an empty line between them; other
line breaks mean nothing. A passage longer than a row is read in several, one after the other: [CLS] pieces [SEP]. In
training every pass hides other words; to be scored the same words are hidden every time.

The next word: `BertLMHeadModel`, a decoder that `generate` continues texts with. Scores and files as for hidden words; every
piece after [CLS] is predicted from those before it, and [SEP] where the passage ends.

Source: Devlin et al. 2019, §3.1; Rothe et al. 2020.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..data.masking import Vocabulary, mask
from ..heads import BertForMaskedLM, BertForNextSentencePrediction, BertLMHeadModel
from ..model.checks import IGNORED
from ..outputs import ModelOutput
from ..tokenization import BertTokenizer
from .classification import TextExample, encode_texts, read_classification
from .metrics import perplexity
from .task import Encoded, Labels, Row, TableTask, Task
from .task_files import Examples, PathName, Report, read_blocks, usable

NEXT, RANDOM = "next", "random"
NEXT_SENTENCE_LABELS = Labels((NEXT, RANDOM))  # what `BertForNextSentencePrediction` means by 0 and 1


def read_sentence_pairs(path: PathName, seed: int) -> Examples:
    """A pair of every two neighbouring sentences, `TextExample`s; the same seed gives the same pairs.

    A sentence alone in its document has no neighbour: it is left out and reported. Where there is one document only, random sentences
    come from elsewhere in it.
    """
    documents = read_blocks(path)
    sentences = [line.strip() for document in documents for _, line in document]
    if len(sentences) < 3:
        raise ValueError(f"'{path}' has {len(sentences)} sentences, a line each. At least 3 are needed to choose from.")
    chance = random.Random(seed)  # noqa: S311  # to be drawn again, not to be secret
    pairs, begin = [], 0
    for document in documents:
        end = begin + len(document)
        if len(document) == 1:
            pairs.append(TextExample(sentences[begin], location=document[0][0]))
        for here in range(begin, end - 1):
            second = following = sentences[here + 1]
            if chance.random() < 0.5:  # any sentence but those avoided, each with the same chance
                avoided = range(begin, end) if len(documents) > 1 else range(here, here + 2)
                drawn = chance.randrange(len(sentences) - len(avoided))
                second = sentences[drawn if drawn < avoided.start else drawn + len(avoided)]
            label = NEXT if second == following else RANDOM  # a repeated line that is drawn may equal the next one
            pairs.append(TextExample(sentences[here], second, label, location=document[here - begin][0]))
        begin = end
    return usable(path, pairs, lambda pair: pair.text_pair, reason="a sentence alone in its document")


@dataclass(frozen=True)
class NextSentence(TableTask):
    """seed: of the pairs that are made. The columns are those of tables to ask about."""

    seed: int = 0
    text_pair: str | None = field(default="text_pair", kw_only=True)

    name = "nsp"
    does, asked, number_of_texts = "tells whether a sentence follows another", "give two sentences", range(2, 3)
    model_class = BertForNextSentencePrediction
    reads = "[CLS]"
    saved = ("seed",)

    def made_of(self, texts: Sequence[str], location: str, tokenizer: BertTokenizer) -> TextExample:  # noqa: ARG002
        return TextExample(texts[0], texts[1], location=location)

    def read(self, path: Path, labelled: bool = True) -> Examples:
        if labelled:
            return read_sentence_pairs(path, self.seed)
        return read_classification(path, **self.names(labelled))

    def encode(self, examples: Examples, tokenizer: BertTokenizer, max_length: int, training: bool = False) -> Encoded:  # noqa: ARG002
        items, report = examples
        rows = encode_texts(items, tokenizer, NEXT_SENTENCE_LABELS, max_length=max_length, report=report)
        return Encoded(items, rows)

    def answers(self, encoded: Encoded, kept: Sequence[Tensor]) -> list[dict[str, Any]]:
        shares = torch.stack(list(kept)).softmax(dim=-1)[:, 0].tolist()  # column 0: it follows
        return [
            {**example.texts, "label": NEXT_SENTENCE_LABELS.names[share < 0.5], "probability": share}
            for example, share in zip(encoded.items, shares, strict=True)
        ]


def read_passages(path: PathName) -> Examples:
    """The passages of a UTF-8 file, `TextExample`s."""
    blocks = read_blocks(path)
    passages = [TextExample(" ".join(line.strip() for _, line in block), location=block[0][0]) for block in blocks]
    return Examples(passages, Report(str(path), found=len(passages)))


def encode_passages(
    passages: Sequence[TextExample], tokenizer: BertTokenizer, max_length: int, report: Report
) -> list[Row]:
    """Rows of at most `max_length` pieces, without labels. Those of nothing but unknown pieces are left out: no word could be hidden."""
    return [row for row, _ in _parts(passages, tokenizer, max_length, report=report)]


def _parts(
    passages: Sequence[TextExample], tokenizer: BertTokenizer, max_length: int, report: Report
) -> list[tuple[Row, bool]]:
    """The rows, each with whether its passage ends there."""
    if (max_pieces := max_length - 2) < 1:
        raise ValueError(f"max_length is {max_length}: beside [CLS] and [SEP] no position is left for a piece.")
    rows = []
    for passage in passages:
        pieces = tokenizer(passage.text, add_special_tokens=False, verbose=False)["input_ids"]
        stretches = [pieces[start : start + max_pieces] for start in range(0, len(pieces), max_pieces)]
        useful = [stretch for stretch in stretches if not set(stretch) <= set(tokenizer.all_special_ids)]
        if not useful:
            report.leave_out(passage.location, "there is no known word in it")
        elif len(useful) < len(stretches):
            report.change(passage.location, f"a part of {max_length} pieces without a known word was dropped")
        if len(stretches) > 1:
            report.change(passage.location, f"passage read in parts of {max_length} pieces")
        rows += [(dict(tokenizer.prepare_for_model(stretch)), stretch is stretches[-1]) for stretch in useful]
    report.require_some()
    return rows


@dataclass(frozen=True)
class MaskedWords(Task):
    """whole_words: hide whole words instead of pieces."""

    whole_words: bool = False

    name = "mlm"
    does, asked, number_of_texts = "fills in hidden words", "ask it with minibert fill-mask TEXT --model NAME", range(0)
    model_class = BertForMaskedLM
    reads = "labelled positions"
    saved = ("whole_words",)
    metrics = "loss", "accuracy", "perplexity"

    def read(self, path: Path, labelled: bool = True) -> Examples:  # noqa: ARG002
        return read_passages(path)

    def encode(self, examples: Examples, tokenizer: BertTokenizer, max_length: int, training: bool = False) -> Encoded:
        vocabulary = Vocabulary.of(tokenizer)

        def hide(row: Row, noise: np.random.Generator) -> Row:
            read, labels = mask(np.array(row["input_ids"]), vocabulary, noise, whole_words=self.whole_words)
            return {**row, "input_ids": read.tolist(), "labels": labels.tolist()}

        rows = encode_passages(examples.items, tokenizer, max_length, report=examples.report)
        if training:
            return Encoded(examples.items, rows, redraw=hide)
        return Encoded(examples.items, [hide(row, np.random.default_rng(number)) for number, row in enumerate(rows)])

    def keep(self, outputs: ModelOutput, batch: dict[str, Tensor]) -> Sequence[tuple[int, int]]:
        """(right, hidden) of each row: the scores of a whole vocabulary at every position would fill the memory."""
        hidden = batch["labels"] != IGNORED
        right = (outputs["logits"].argmax(dim=-1) == batch["labels"]) & hidden
        return list(zip(right.sum(dim=1).tolist(), hidden.sum(dim=1).tolist(), strict=True))

    def score(self, encoded: Encoded, kept: Sequence[tuple[int, int]], loss: float) -> dict[str, float]:  # noqa: ARG002
        right, words = (sum(counts) for counts in zip(*kept, strict=True))
        return {"accuracy": right / words, "perplexity": perplexity([loss])}

    def answers(self, encoded: Encoded, kept: Sequence[tuple[int, int]]) -> list[dict[str, Any]]:  # noqa: ARG002
        raise ValueError(f"This model {self.does}: {self.asked}.")


@dataclass(frozen=True)
class NextWord(Task):
    """A decoder: each position sees only those before it."""

    name = "clm"
    does, asked, number_of_texts = "continues texts", "ask it with minibert generate TEXT --model NAME", range(0)
    model_class = BertLMHeadModel
    reads = "everything"
    metrics = "loss", "accuracy", "perplexity"

    def read(self, path: Path, labelled: bool = True) -> Examples:  # noqa: ARG002
        return read_passages(path)

    def config_fields(self) -> dict[str, Any]:
        return {"is_decoder": True}

    def encode(self, examples: Examples, tokenizer: BertTokenizer, max_length: int, training: bool = False) -> Encoded:  # noqa: ARG002
        rows = []
        for row, ends in _parts(examples.items, tokenizer, max_length, report=examples.report):
            _, *words, end = row["input_ids"]  # [SEP] is to come where a passage ends, not where a row is full
            rows.append({**row, "labels": [IGNORED, *words, end if ends else IGNORED]})
        return Encoded(examples.items, rows)

    def label_count(self, batch: dict[str, Tensor]) -> int:
        return int((batch["labels"] != IGNORED).sum())

    def keep(self, outputs: ModelOutput, batch: dict[str, Tensor]) -> Sequence[tuple[int, int]]:
        """(right, predicted) of each row."""
        following = batch["labels"][:, 1:]  # (batch, seq − 1): what the scores of each position but the last are for
        counted = following != IGNORED
        right = (outputs["logits"][:, :-1].argmax(dim=-1) == following) & counted
        return list(zip(right.sum(dim=1).tolist(), counted.sum(dim=1).tolist(), strict=True))

    score, answers = MaskedWords.score, MaskedWords.answers
