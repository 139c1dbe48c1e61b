"""Which of several endings is right: `BertForMultipleChoice`. Score: accuracy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ...config import BertConfig
from ...data.tasks import encode_choices, read_choices
from ...heads import BertForMultipleChoice
from ...outputs import ModelOutput
from ...tokenization import BertTokenizer
from ..metrics import accuracy
from .kind import Encoded, Examples, TaskKind


@dataclass(frozen=True)
class MultipleChoice(TaskKind):
    """Nothing to set."""

    name = "choose"
    model_class = BertForMultipleChoice
    reads = "[CLS]"

    @property
    def decisive(self) -> str:
        return "accuracy"

    def read(self, path: Path, labelled: bool = True) -> Examples:
        return Examples(*read_choices(path, labelled=labelled))

    @classmethod
    def of_config(cls, config: BertConfig, settings: dict[str, Any]) -> MultipleChoice:  # noqa: ARG003
        return cls()

    def encode(self, examples: Examples, tokenizer: BertTokenizer, max_length: int, training: bool = False) -> Encoded:  # noqa: ARG002
        return Encoded(examples.items, encode_choices(examples.items, tokenizer, max_length, examples.report))

    def keep(self, outputs: ModelOutput, batch: dict[str, Tensor]) -> Sequence[Tensor]:  # noqa: ARG002
        return list(outputs["logits"].float().cpu())

    def score(self, encoded: Encoded, kept: Sequence[Tensor], loss: float) -> dict[str, float]:  # noqa: ARG002
        predicted = torch.stack(list(kept)).argmax(dim=-1)
        return {"accuracy": accuracy(predicted, [example.label for example in encoded.items])}

    def answers(self, encoded: Encoded, kept: Sequence[Tensor]) -> list[dict[str, Any]]:
        return [
            {
                "context": example.context,
                "beginning": example.beginning,
                "choice": int(logits.argmax()),
                "ending": example.endings[int(logits.argmax())],
                "endings": [
                    {"text": ending, "probability": share}
                    for ending, share in zip(example.endings, logits.softmax(dim=-1).tolist(), strict=True)
                ],
            }
            for example, logits in zip(encoded.items, kept, strict=True)
        ]
