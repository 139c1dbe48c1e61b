"""A tag for every word: `BertForTokenClassification`.

Scores: F1 of entities, with precision and recall, where the tags mark entities (B-person, I-person, O); else, for parts of speech
say, and beside it, the share of words whose tag is right.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from torch import Tensor

from ...config import BertConfig
from ...data.tasks import Labels, TaggedSentence, encode_tags, find_tags, read_tags, tags_of_words
from ...data.tasks.collation import IGNORED
from ...data.tasks.tagging import OUTSIDE
from ...heads import BertForTokenClassification
from ...outputs import ModelOutput
from ...tokenization import BertTokenizer
from ..metrics import accuracy, entity_f1
from ..metrics.entities import PREFIXES, entities
from .kind import NO_LABELS, Encoded, Examples, TaskKind

Kept = tuple[list[int], list[float]]
"""Of a row, the likeliest tag at each position and its probability."""


@dataclass(frozen=True)
class Tagging(TaskKind):
    """labels: the tags."""

    labels: Labels = NO_LABELS

    name = "tag"
    model_class = BertForTokenClassification
    reads = "labelled positions"

    @property
    def decisive(self) -> str:
        return "entity_f1" if self.marks_entities else "accuracy"

    @property
    def marks_entities(self) -> bool:
        """Whether every tag is O, or B-, I-, E- or S- and a type."""
        parts = (name.partition("-") for name in self.labels.names if name != OUTSIDE)
        return all(prefix in PREFIXES and dash for prefix, dash, _ in parts)

    def read(self, path: Path, labelled: bool = True) -> Examples:
        return Examples(*read_tags(path, labelled=labelled))

    def learn(self, examples: Examples) -> Tagging:
        return replace(self, labels=find_tags(examples.items))

    def config_fields(self) -> dict[str, Any]:
        return {"id2label": self.labels.id2label, "label2id": self.labels.label2id}

    @classmethod
    def of_config(cls, config: BertConfig, settings: dict[str, Any]) -> Tagging:  # noqa: ARG003
        return cls(Labels.of_config(config.id2label))

    def encode(self, examples: Examples, tokenizer: BertTokenizer, max_length: int, training: bool = False) -> Encoded:
        windows = encode_tags(examples.items, tokenizer, self.labels, max_length, examples.report)
        if training:  # a window of nothing but a long word's end has no tag, and its loss would be a mean of nothing
            windows = [window for window in windows if window.first_pieces]
        return Encoded(examples.items, [window.row for window in windows], windows)

    def weight(self, batch: dict[str, Tensor]) -> int:
        return int((batch["labels"] != IGNORED).sum())

    def keep(self, outputs: ModelOutput, batch: dict[str, Tensor]) -> Sequence[Kept]:  # noqa: ARG002
        probabilities, tags = outputs["logits"].float().softmax(dim=-1).max(dim=-1)  # (batch, seq)
        return list(zip(tags.tolist(), probabilities.tolist(), strict=True))

    def score(self, encoded: Encoded, kept: Sequence[Kept], loss: float) -> dict[str, float]:  # noqa: ARG002
        predicted = tags_of_words(encoded.windows, [tags for tags, _ in kept], encoded.items, self.labels)
        true = [list(sentence.tags) for sentence in encoded.items]
        right = accuracy([tag for tags in predicted for tag in tags], [tag for tags in true for tag in tags])
        if not self.marks_entities:
            return {"accuracy": right}
        scores = entity_f1(predicted, true)
        return {
            "entity_f1": scores.f1,
            "precision": scores.precision,
            "recall": scores.recall,
            "accuracy": right,
        }

    def answers(self, encoded: Encoded, kept: Sequence[Kept]) -> list[dict[str, Any]]:
        tags = tags_of_words(encoded.windows, [tags for tags, _ in kept], encoded.items, self.labels)
        sure = [[1.0] * len(sentence.words) for sentence in encoded.items]  # of a word without a piece, O is certain
        for window, (_, probabilities) in zip(encoded.windows, kept, strict=True):
            for position, word in window.first_pieces:
                sure[window.sentence][word] = probabilities[position]
        return [self._answer(*parts) for parts in zip(encoded.items, tags, sure, strict=True)]

    def _answer(self, sentence: TaggedSentence, tags: list[str], sure: list[float]) -> dict[str, Any]:
        answer: dict[str, Any] = {"words": list(sentence.words), "tags": tags, "probabilities": sure}
        if self.marks_entities:
            answer["entities"] = [
                {
                    "text": " ".join(sentence.words[start:end]),
                    "type": kind,
                    "start": start,
                    "end": end,
                    "probability": min(sure[start:end]),
                    **_characters(sentence, start, end),
                }
                for kind, start, end in entities(tags)
            ]
        return answer


def _characters(sentence: TaggedSentence, start: int, end: int) -> dict[str, list[int]]:
    """Where words start to end stand in the text; nothing where there is no text, only words."""
    return {"characters": [sentence.spans[start][0], sentence.spans[end - 1][1]]} if sentence.spans else {}
