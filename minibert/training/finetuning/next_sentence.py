"""Does one sentence follow the other? `BertForNextSentencePrediction`. Score: accuracy.

To learn it takes text, a sentence a line; of it pairs are made. To answer it takes a table of pairs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ...config import BertConfig
from ...data.tasks import NEXT_SENTENCE_LABELS, encode_texts, read_classification, read_sentence_pairs
from ...heads import BertForNextSentencePrediction
from ...outputs import ModelOutput
from ...tokenization import BertTokenizer
from ..metrics import accuracy
from .kind import Encoded, Examples, TaskKind


@dataclass(frozen=True)
class NextSentence(TaskKind):
    """seed: of the pairs that are made."""

    seed: int = 0

    name = "nsp"
    model_class = BertForNextSentencePrediction
    reads = "[CLS]"

    @property
    def decisive(self) -> str:
        return "accuracy"

    def read(self, path: Path, labelled: bool = True) -> Examples:
        if labelled:
            return Examples(*read_sentence_pairs(path, self.seed))
        return Examples(*read_classification(path, text_pair="text_pair", label=None))

    def settings(self) -> dict[str, Any]:
        return {"seed": self.seed}

    @classmethod
    def of_config(cls, config: BertConfig, settings: dict[str, Any]) -> NextSentence:  # noqa: ARG003
        return cls(settings.get("seed", 0))

    def encode(self, examples: Examples, tokenizer: BertTokenizer, max_length: int, training: bool = False) -> Encoded:  # noqa: ARG002
        rows = encode_texts(examples.items, tokenizer, NEXT_SENTENCE_LABELS, max_length, examples.report)
        return Encoded(examples.items, rows)

    def keep(self, outputs: ModelOutput, batch: dict[str, Tensor]) -> Sequence[Tensor]:  # noqa: ARG002
        return list(outputs["logits"].float().cpu())

    def score(self, encoded: Encoded, kept: Sequence[Tensor], loss: float) -> dict[str, float]:  # noqa: ARG002
        return {"accuracy": accuracy(torch.stack(list(kept)).argmax(dim=-1), [row["labels"] for row in encoded.rows])}

    def answers(self, encoded: Encoded, kept: Sequence[Tensor]) -> list[dict[str, Any]]:
        shares = torch.stack(list(kept)).softmax(dim=-1)[:, 0].tolist()  # column 0: it follows
        return [
            {
                "text": example.text,
                "text_pair": example.text_pair,
                "label": NEXT_SENTENCE_LABELS.names[share < 0.5],
                "probability": share,
            }
            for example, share in zip(encoded.items, shares, strict=True)
        ]
