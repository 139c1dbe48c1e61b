"""What a kind of task has to say for itself, so that one loop can train them all.

    file → examples → rows for the model → (training) → the model's outputs → scores, or answers

A kind names its head and knows these five arrows; batches, gradients, checkpoints and tables are the same for all.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal, TypeVar

import numpy as np
from torch import Tensor

from ...config import BertConfig
from ...data.tasks import Labels, Report
from ...model import BertPreTrainedModel
from ...outputs import ModelOutput
from ...tokenization import BertTokenizer

Row = dict[str, Any]
Kind = TypeVar("Kind", bound="TaskKind")

SETTINGS = "minibert"
"""The name in `config.task_specific_params` under which a model keeps what its task is."""

NO_LABELS = Labels(())
"""Of a kind that has not seen its training examples yet."""


@dataclass(frozen=True)
class Examples:
    """What a file holds: examples, of the class that the kind's reader gives, and what became of its lines."""

    items: Sequence[Any]
    report: Report


@dataclass(frozen=True)
class Encoded:
    """Examples as rows for the model.

    windows: for a kind that reads a long example in several rows, what each row covers. redraw: for a kind whose rows change
    from step to step, makes the row of a step.
    """

    items: Sequence[Any]
    rows: list[Row]
    windows: Sequence[Any] = ()
    redraw: Callable[[Row, np.random.Generator], Row] | None = None

    @property
    def lengths(self) -> list[int]:
        """Pieces of each row; of a row with choices, of its longest."""
        return [max(map(len, ids)) if isinstance(ids[0], list) else len(ids) for ids in self._input_ids()]

    def _input_ids(self) -> list[list[Any]]:
        return [row["input_ids"] for row in self.rows]

    def row(self, number: int, seed: Sequence[int]) -> Row:
        """A row; if it is drawn anew each time, then from this seed."""
        row = self.rows[number]
        return row if self.redraw is None else self.redraw(row, np.random.default_rng(seed))


class TaskKind(ABC):
    """A kind of task. Subclasses are frozen dataclasses: their fields are what `settings` saves and the labels they learned."""

    name: ClassVar[str]
    model_class: ClassVar[type[BertPreTrainedModel]]
    usual_length: ClassVar[int] = 128
    reads: ClassVar[Literal["everything", "[CLS]", "labelled positions"]] = "everything"
    """What the loss needs of the last hidden states. At labelled positions, it is the mean of −log softmax(logits)[label]."""

    @property
    @abstractmethod
    def decisive(self) -> str:
        """The score by which the best checkpoint is chosen: the highest, or of "loss" the lowest."""

    @abstractmethod
    def read(self, path: Path, labelled: bool = True) -> Examples:
        """The examples of a file. Raises ValueError, naming file and place, where it is broken."""

    def learn(self: Kind, examples: Examples) -> Kind:  # noqa: ARG002  # of most kinds there is nothing to learn
        """This kind with what the training examples say about it, such as their labels."""
        return self

    def settings(self) -> dict[str, Any]:
        """What to remember in the model's config to read such files again."""
        return {}

    def config_fields(self) -> dict[str, Any]:
        """Fields of the config that the head needs."""
        return {}

    @classmethod
    @abstractmethod
    def of_config(cls: type[Kind], config: BertConfig, settings: dict[str, Any]) -> Kind:
        """The kind of a trained model, from its config and what `settings` saved; {} for a model trained elsewhere."""

    @abstractmethod
    def encode(self, examples: Examples, tokenizer: BertTokenizer, max_length: int, training: bool = False) -> Encoded:
        """Rows of at most `max_length` pieces. training: leave out, and report, what teaches nothing."""

    def weight(self, batch: dict[str, Tensor]) -> int:
        """How many labels of a batch its loss is the mean of."""
        return len(batch["input_ids"])

    @abstractmethod
    def keep(self, outputs: ModelOutput, batch: dict[str, Tensor]) -> Sequence[Any]:
        """Of each row of a batch, what of the model's outputs the scores and answers need."""

    @abstractmethod
    def score(self, encoded: Encoded, kept: Sequence[Any], loss: float) -> dict[str, float]:
        """Figures of labelled examples, besides the loss. kept: of each row, in order."""

    @abstractmethod
    def answers(self, encoded: Encoded, kept: Sequence[Any]) -> list[dict[str, Any]]:
        """Of each example, what the model says, as plain data."""


def saved_settings(config: BertConfig) -> dict[str, Any]:
    """What a model remembers of its task; {} if it was trained elsewhere."""
    params = getattr(config, "task_specific_params", None)
    found = params.get(SETTINGS) if isinstance(params, dict) else None
    return found if isinstance(found, dict) else {}
