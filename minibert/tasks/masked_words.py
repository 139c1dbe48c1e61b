"""Hidden words of plain text, to make a model at home in it before another task: `BertForMaskedLM`. Scores: accuracy, perplexity.

Files: passages with an empty line between them; other line breaks mean nothing. A passage longer than a row is read in several, one
after the other: [CLS] pieces [SEP]. In training every pass hides other words; to be scored the same words are hidden every time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from ..data.masking import Vocabulary, mask
from ..heads import BertForMaskedLM
from ..model.checks import IGNORED
from ..outputs import ModelOutput
from ..tokenization import BertTokenizer
from .metrics import perplexity
from .task import Encoded, Row, Task
from .task_batches import encode_pieces
from .task_files import Examples, PathName, Report, read_blocks


@dataclass(frozen=True)
class Passage:
    """A stretch of text, and where it begins in its file."""

    text: str
    location: str


def read_passages(path: PathName) -> Examples:
    """The `Passage`s of a UTF-8 file. Raises ValueError where it is missing, empty or not UTF-8."""
    blocks = read_blocks(path)
    passages = [Passage(" ".join(line.strip() for _, line in block), location=block[0][0]) for block in blocks]
    return Examples(passages, Report(str(path), found=len(passages)))


def encode_passages(
    passages: Sequence[Passage], tokenizer: BertTokenizer, max_length: int, report: Report
) -> list[Row]:
    """Rows of at most `max_length` pieces: `input_ids`, `token_type_ids`, `attention_mask`.

    Left out and reported: passages, or rows of them, that are nothing but unknown pieces: there is no word to hide.
    """
    if max_length < 3:
        raise ValueError(f"max_length is {max_length}: beside [CLS] and [SEP] no position is left for a piece.")
    max_pieces = max_length - 2
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
        rows += [encode_pieces(tokenizer, stretch) for stretch in useful]
    report.require_some()
    return rows


@dataclass(frozen=True)
class MaskedWords(Task):
    """whole_words: hide whole words instead of pieces."""

    whole_words: bool = False

    name = "mlm"
    model_class = BertForMaskedLM
    reads = "labelled positions"
    saved = ("whole_words",)
    selection_metric = "loss"

    def read(self, path: Path, labelled: bool = True) -> Examples:  # noqa: ARG002
        return read_passages(path)

    def encode(self, examples: Examples, tokenizer: BertTokenizer, max_length: int, training: bool = False) -> Encoded:
        rows = encode_passages(examples.items, tokenizer, max_length=max_length, report=examples.report)
        hide = partial(hide_words, vocabulary=Vocabulary.of(tokenizer), whole_words=self.whole_words)
        if training:
            return Encoded(examples.items, rows, redraw=hide)
        return Encoded(examples.items, [hide(row, np.random.default_rng(number)) for number, row in enumerate(rows)])

    def label_count(self, batch: dict[str, Tensor]) -> int:
        return int((batch["labels"] != IGNORED).sum())

    def keep(self, outputs: ModelOutput, batch: dict[str, Tensor]) -> Sequence[tuple[int, int]]:
        """(right, hidden) of each row: the scores of a whole vocabulary at every position would fill the memory."""
        hidden = batch["labels"] != IGNORED
        right = (outputs["logits"].argmax(dim=-1) == batch["labels"]) & hidden
        return list(zip(right.sum(dim=1).tolist(), hidden.sum(dim=1).tolist(), strict=True))

    def score(self, encoded: Encoded, kept: Sequence[tuple[int, int]], loss: float) -> dict[str, float]:  # noqa: ARG002
        right, words = (sum(counts) for counts in zip(*kept, strict=True))
        return {"accuracy": right / words, "perplexity": perplexity([loss])}

    def answers(self, encoded: Encoded, kept: Sequence[tuple[int, int]]) -> list[dict[str, Any]]:  # noqa: ARG002
        raise ValueError("A model of hidden words answers texts with blanks: minibert fill-mask TEXT --model NAME.")


def hide_words(row: Row, noise: np.random.Generator, *, vocabulary: Vocabulary, whole_words: bool) -> Row:
    """A row with some of its words hidden, and `labels`."""
    read, labels = mask(np.array(row["input_ids"]), vocabulary, noise, whole_words=whole_words)
    return {**row, "input_ids": read.tolist(), "labels": labels.tolist()}
