"""Hidden words of plain text, to make a model at home in it before its task: `BertForMaskedLM`. Scores: accuracy, perplexity.

In training every pass hides other words; to be scored the same words are hidden every time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from ...config import BertConfig
from ...data.masking import IGNORED, Vocabulary, mask
from ...data.tasks import encode_passages, read_passages
from ...heads import BertForMaskedLM
from ...outputs import ModelOutput
from ...tokenization import BertTokenizer
from ..metrics import perplexity
from .kind import Encoded, Examples, Row, TaskKind


@dataclass(frozen=True)
class MaskedWords(TaskKind):
    """whole_words: hide whole words instead of pieces."""

    whole_words: bool = False

    name = "mlm"
    model_class = BertForMaskedLM
    reads = "labelled positions"

    @property
    def decisive(self) -> str:
        return "loss"

    def read(self, path: Path, labelled: bool = True) -> Examples:  # noqa: ARG002
        return Examples(*read_passages(path))

    def settings(self) -> dict[str, Any]:
        return {"whole_words": self.whole_words}

    @classmethod
    def of_config(cls, config: BertConfig, settings: dict[str, Any]) -> MaskedWords:  # noqa: ARG003
        return cls(settings.get("whole_words", False))

    def encode(self, examples: Examples, tokenizer: BertTokenizer, max_length: int, training: bool = False) -> Encoded:
        rows = encode_passages(examples.items, tokenizer, max_length, examples.report)
        hide = partial(hidden, vocabulary=Vocabulary.of(tokenizer), whole_words=self.whole_words)
        if training:
            return Encoded(examples.items, rows, redraw=hide)
        return Encoded(examples.items, [hide(row, np.random.default_rng(number)) for number, row in enumerate(rows)])

    def weight(self, batch: dict[str, Tensor]) -> int:
        return int((batch["labels"] != IGNORED).sum())

    def keep(self, outputs: ModelOutput, batch: dict[str, Tensor]) -> Sequence[tuple[int, int]]:
        """(right, hidden) of each row: the scores of a whole vocabulary at every position would fill the memory."""
        counted = batch["labels"] != IGNORED
        right = (outputs["logits"].argmax(dim=-1) == batch["labels"]) & counted
        return list(zip(right.sum(dim=1).tolist(), counted.sum(dim=1).tolist(), strict=True))

    def score(self, encoded: Encoded, kept: Sequence[tuple[int, int]], loss: float) -> dict[str, float]:  # noqa: ARG002
        right, words = (sum(counts) for counts in zip(*kept, strict=True))
        return {"accuracy": right / words, "perplexity": perplexity([loss])}

    def answers(self, encoded: Encoded, kept: Sequence[tuple[int, int]]) -> list[dict[str, Any]]:  # noqa: ARG002
        raise ValueError("A model of hidden words answers texts with blanks: minibert fill-mask TEXT --model NAME.")


def hidden(row: Row, noise: np.random.Generator, *, vocabulary: Vocabulary, whole_words: bool) -> Row:
    """A row with some of its words hidden, and `labels`."""
    read, labels = mask(np.array(row["input_ids"]), vocabulary, noise, whole_words)
    return {**row, "input_ids": read.tolist(), "labels": labels.tolist()}
