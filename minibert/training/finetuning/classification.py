"""A label, several labels or a number for a text or a pair: `BertForSequenceClassification`.

Scores: accuracy and macro F1; of several labels micro and macro F1, a label being given where its probability is above ½; of numbers
Pearson's and Spearman's correlation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ...config import BertConfig
from ...data.tasks import Labels, TextExample, encode_texts, find_labels, read_classification
from ...data.tasks.classification import MULTI, REGRESSION, SINGLE
from ...heads import BertForSequenceClassification
from ...outputs import ModelOutput
from ...tokenization import BertTokenizer
from ..metrics import accuracy, f1, pearson, spearman
from .kind import NO_LABELS, Encoded, Examples, TaskKind


@dataclass(frozen=True)
class Classification(TaskKind):
    """problem_type: as in `BertConfig`. text, text_pair, label: the table's columns, as `read_classification` takes them."""

    problem_type: str = SINGLE
    text: str = "text"
    text_pair: str | None = None
    label: str = "label"
    labels: Labels = NO_LABELS

    name = "classify"
    model_class = BertForSequenceClassification
    reads = "[CLS]"

    @property
    def decisive(self) -> str:
        return {SINGLE: "accuracy", MULTI: "micro_f1", REGRESSION: "pearson"}[self.problem_type]

    def read(self, path: Path, labelled: bool = True) -> Examples:
        label = self.label if labelled else None
        return Examples(
            *read_classification(path, self.problem_type, text=self.text, text_pair=self.text_pair, label=label)
        )

    def learn(self, examples: Examples) -> Classification:
        return replace(self, labels=find_labels(examples.items, self.problem_type))

    def settings(self) -> dict[str, Any]:
        return {"text": self.text, "text_pair": self.text_pair, "label": self.label}

    def config_fields(self) -> dict[str, Any]:
        return {
            "problem_type": self.problem_type,
            "id2label": self.labels.id2label,
            "label2id": self.labels.label2id,
        }

    @classmethod
    def of_config(cls, config: BertConfig, settings: dict[str, Any]) -> Classification:
        guessed = REGRESSION if config.num_labels == 1 else SINGLE
        columns = {name: settings[name] for name in ("text", "text_pair", "label") if name in settings}
        return cls(config.problem_type or guessed, **columns, labels=Labels.of_config(config.id2label))

    def encode(self, examples: Examples, tokenizer: BertTokenizer, max_length: int, training: bool = False) -> Encoded:  # noqa: ARG002
        rows = encode_texts(examples.items, tokenizer, self.labels, max_length, examples.report)
        return Encoded(examples.items, rows)

    def keep(self, outputs: ModelOutput, batch: dict[str, Tensor]) -> Sequence[Tensor]:  # noqa: ARG002
        return list(outputs["logits"].float().cpu())

    def score(self, encoded: Encoded, kept: Sequence[Tensor], loss: float) -> dict[str, float]:  # noqa: ARG002
        logits, labels = torch.stack(list(kept)), torch.tensor([row["labels"] for row in encoded.rows])
        if self.problem_type == REGRESSION:
            return {"pearson": pearson(logits[:, 0], labels), "spearman": spearman(logits[:, 0], labels)}
        if self.problem_type == MULTI:
            given = logits > 0
            return {
                "micro_f1": f1(given, labels > 0, "micro"),
                "macro_f1": f1(given, labels > 0, "macro"),
                "accuracy": accuracy(given, labels > 0),
            }
        predicted = logits.argmax(dim=-1)
        return {"accuracy": accuracy(predicted, labels), "macro_f1": f1(predicted, labels, "macro")}

    def answers(self, encoded: Encoded, kept: Sequence[Tensor]) -> list[dict[str, Any]]:
        return [self._answer(example, logits) for example, logits in zip(encoded.items, kept, strict=True)]

    def _answer(self, example: TextExample, logits: Tensor) -> dict[str, Any]:
        texts = {"text": example.text} | ({"text_pair": example.text_pair} if example.text_pair is not None else {})
        if self.problem_type == REGRESSION:
            return {**texts, "value": float(logits[0])}
        shares = logits.sigmoid() if self.problem_type == MULTI else logits.softmax(dim=-1)
        probabilities = dict(zip(self.labels.names, shares.tolist(), strict=True))
        ordered = dict(sorted(probabilities.items(), key=lambda item: -item[1]))
        if self.problem_type == MULTI:
            given = [name for name, probability in ordered.items() if probability > 0.5]
            return {**texts, "labels": given, "probabilities": ordered}
        best = next(iter(ordered))
        return {**texts, "label": best, "probability": ordered[best], "probabilities": ordered}
