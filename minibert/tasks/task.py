"""What a task is: a head, and the way from a file of examples to scores and answers.

    file → examples → rows for the model → (training) → the model's outputs → scores, or answers

Batches, gradients and checkpoints are the same for all.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, ClassVar, Literal, TypeVar

import numpy as np
from torch import Tensor
from torch.utils.data import Dataset

from ..config import BertConfig
from ..model import BertPreTrainedModel
from ..model.checks import IGNORED
from ..outputs import ModelOutput
from ..tokenization import BertTokenizer
from .metrics import accuracy
from .task_files import Examples

Row = dict[str, Any]
Reads = Literal["everything", "[CLS]", "labelled positions"]
AnyTask = TypeVar("AnyTask", bound="Task")

SETTINGS = "minibert"  # where in `config.task_specific_params` a model keeps the settings of its task


@dataclass(frozen=True)
class Encoded(Dataset[Row]):
    """A data set for `DataLoader`. windows: what each row covers, where an example has several. redraw: makes a step's row."""

    items: Sequence[Any]
    rows: list[Row]
    windows: Sequence[Any] = ()
    redraw: Callable[[Row, np.random.Generator], Row] | None = None

    def __getitem__(self, key: tuple[int, Sequence[int]]) -> Row:
        """(number, seed) → a row; if rows are drawn anew each time, then from this seed."""
        number, seed = key
        return self.redraw(self.rows[number], np.random.default_rng(seed)) if self.redraw else self.rows[number]

    @property
    def lengths(self) -> list[int]:
        """Pieces of each row; of a row with choices, of its longest."""
        columns: list[list[Any]] = [row["input_ids"] for row in self.rows]
        return [max(map(len, ids)) if isinstance(ids[0], list) else len(ids) for ids in columns]

    @property
    def choices(self) -> list[int]:
        """Choices of each row, of which a batch has one number; 0 without choices."""
        return [len(row["input_ids"]) if isinstance(row["input_ids"][0], list) else 0 for row in self.rows]


@dataclass(frozen=True)
class Labels:
    """Label names; a label's position in the tuple is its id, the model's output column. The dicts are as `BertConfig` takes them.

    labels = Labels.found_in(["yes", "no", "yes"])          # ("no", "yes")
    config = BertConfig(id2label=labels.id2label, label2id=labels.label2id)
    """

    names: tuple[str, ...]

    @classmethod
    def found_in(cls, names: Iterable[str]) -> "Labels":
        """Every name once: whole numbers by size, so that label "2" gets id 2 where 0 and 1 are there, others by letter."""
        found = set(names)
        if not found:
            raise ValueError("There are no labels in the data. Is the name of their column right?")
        numbers = all(name.isascii() and name.isdigit() for name in found)
        return cls(tuple(sorted(found, key=lambda name: (int(name) if numbers else 0, name))))

    @classmethod
    def of_config(cls, id2label: dict[int, str]) -> "Labels":
        """Raises ValueError where a config does not number them 0, 1, 2, …."""
        if sorted(id2label) != list(range(len(id2label))):
            raise ValueError(f"The config's id2label must number its labels 0, 1, 2, …, and is {id2label}.")
        return cls(tuple(str(id2label[index]) for index in range(len(id2label))))

    def __len__(self) -> int:
        return len(self.names)

    def __str__(self) -> str:
        return ", ".join(map(repr, self.names[:10])) + (", …" if len(self) > 10 else "")

    @property
    def id2label(self) -> dict[int, str]:
        return dict(enumerate(self.names))

    @property
    def label2id(self) -> dict[str, int]:
        return {name: index for index, name in enumerate(self.names)}

    def ids(self, names: Iterable[str], location: str) -> list[int]:
        """The ids of names, letter case aside if no two labels differ in it alone; 0, 1, … where labels are but LABEL_0, LABEL_1, …
        Raises ValueError, saying where, for a name that is not among the labels."""
        known = {name.casefold(): index for index, name in enumerate(self.names)}
        if len(known) < len(self):
            known = {}
        if all(name == f"LABEL_{index}" for index, name in enumerate(self.names)):
            known |= {str(index): index for index in range(len(self))}
        exact, found = self.label2id, []
        for name in names:
            if (index := exact.get(name, known.get(name.casefold()))) is None:
                there = f"the training data, which has {len(self)}: {self}"
                raise ValueError(f"{location}: the label {name!r} is missing from {there}.")
            found.append(index)
        return found

    def numbered_as(self, own: "Labels") -> "Labels | None":
        """These labels, as they are spelled, under the ids that a trained head's have, with its others; None where it lacks one."""
        try:
            ids = own.ids(self.names, "")
        except ValueError:
            return None
        names = dict(enumerate(own.names)) | dict(zip(ids, self.names, strict=True))
        return Labels(tuple(names.values())) if len(set(ids)) == len(self) else None


NUMBER = Labels(("LABEL_0",))  # of a task whose answer is a number
NO_LABELS = Labels(())  # of a task whose training examples are not read yet


@dataclass(frozen=True)
class Task(ABC):
    """A task. The fields of a subclass say how to read its files. labels: found in the training examples, where it has any."""

    labels: Labels = field(default=NO_LABELS, kw_only=True)

    name: ClassVar[str]
    does: ClassVar[str]  # what a model of it does
    asked: ClassVar[str]  # the texts that it is asked with, in words
    number_of_texts: ClassVar[range]  # and how many those are
    model_class: ClassVar[type[BertPreTrainedModel]]
    usual_length: ClassVar[int] = 128
    reads: ClassVar[Reads] = "everything"  # what the loss reads of the last hidden states
    saved: ClassVar[tuple[str, ...]] = ()  # the fields that are saved in the model's config, to read such files again

    def example(self, texts: Sequence[str], location: str, tokenizer: BertTokenizer) -> Any:
        """An example of plain texts, without a label. Raises ValueError for texts of another number than the task is asked with, or empty."""
        if not all(isinstance(each, str) for each in texts):
            raise TypeError("A list is given for a text. To ask about many at once, call predict_all([…]).")
        if len(texts) not in self.number_of_texts:
            raise ValueError(f"This model {self.does}: {self.asked}.")
        if not all(text.strip() for text in texts):
            raise ValueError("A text is empty: the model needs at least a word.")
        return self.made_of(texts, location, tokenizer)

    def made_of(self, texts: Sequence[str], location: str, tokenizer: BertTokenizer) -> Any:
        """The example of as many texts as there must be; of a task that is asked with none, there is none."""
        raise NotImplementedError

    @property
    def metrics(self) -> tuple[str, ...]:
        """The names of the scores, and "loss". By the first the best checkpoint is chosen, if no other is asked for."""
        return "accuracy", "loss"

    @property
    def selection_metric(self) -> str:
        return self.metrics[0]

    @abstractmethod
    def read(self, path: Path, labelled: bool = True) -> Examples:
        """The examples of a file. Raises ValueError, naming file and location, where it is broken."""

    def adapted_to(self: AnyTask, examples: Examples) -> AnyTask:  # noqa: ARG002
        """This task with what the training examples say about it, such as their labels."""
        return self

    def continuing(self: AnyTask, config: BertConfig) -> tuple[AnyTask, str]:
        """This task with its labels numbered as in a checkpoint's head, which goes on with them; or, unchanged, and why that head cannot."""
        if config.architectures and self.model_class.__name__ not in config.architectures:
            return self, f"it is the head of {config.architectures[0]}"
        own, reverse = Labels.of_config(config.id2label), {index: name for name, index in config.label2id.items()}
        if not self.labels.names or len(own) == len(self.labels) == 1:  # nothing to choose from; a number
            return self, ""
        if reverse != config.id2label and {*reverse.values()} == {*config.id2label.values()}:
            return self, f"its id2label ({own}) and its label2id contradict each other"
        if self.labels != NUMBER and (kept := self.labels.numbered_as(own)):
            return replace(self, labels=kept), ""
        return self, f"its labels are {own}, those of the file {self.labels}"

    def identity(self) -> dict[str, Any]:
        """What makes a run, besides its files: with another value it is another run."""
        return {field.name: getattr(self, field.name) for field in fields(self) if field.name != "labels"}

    def settings(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.saved}

    def config_fields(self) -> dict[str, Any]:
        """Fields of the config that the task needs: a model that reads in both directions, and a head with the labels."""
        labels = {"id2label": self.labels.id2label, "label2id": self.labels.label2id} if self.labels.names else {}
        return {"is_decoder": False, "add_cross_attention": False, **labels}

    @classmethod
    def of_config(cls: type[AnyTask], config: BertConfig) -> AnyTask:
        """The task of a trained model, from its config and the settings that it keeps, if it was trained here."""
        settings = saved_settings(config)
        return cls(**{name: settings[name] for name in cls.saved if name in settings})

    @abstractmethod
    def encode(self, examples: Examples, tokenizer: BertTokenizer, max_length: int, training: bool = False) -> Encoded:
        """Rows of at most `max_length` pieces. training: leave out, and report, rows that have nothing to train on."""

    def label_count(self, batch: dict[str, Tensor]) -> int:
        """How many labels of a batch its loss is the mean of."""
        positions = self.reads == "labelled positions"
        return int((batch["labels"] != IGNORED).sum()) if positions else len(batch["input_ids"])

    def keep(self, outputs: ModelOutput, batch: dict[str, Tensor]) -> Sequence[Any]:  # noqa: ARG002
        """For each row of a batch, what the scores and answers need of the model's outputs: here, its logits."""
        return list(outputs["logits"].float().cpu())

    def score(self, encoded: Encoded, kept: Sequence[Any], loss: float) -> dict[str, float]:  # noqa: ARG002
        """Metrics of labelled examples, besides the loss: here, how often the label has the largest logit."""
        return {"accuracy": accuracy([int(row.argmax()) for row in kept], [row["labels"] for row in encoded.rows])}

    @abstractmethod
    def answers(self, encoded: Encoded, kept: Sequence[Any]) -> list[dict[str, Any]]:
        """For each example, the model's answer, as plain data."""


@dataclass(frozen=True, kw_only=True)
class TableTask(Task):
    """A task whose files are tables. text, text_pair, label, columns: as its reader takes them; as they are the columns are found."""

    text: str | None = None
    text_pair: str | None = None
    label: str = ""
    columns: str = ""

    saved: ClassVar[tuple[str, ...]] = ("text", "text_pair", "label")

    def names(self, labelled: bool) -> dict[str, Any]:
        """The columns, as arguments of the reader."""
        names = {name: getattr(self, name) for name in ("text", "text_pair", "label", "columns")}
        return names if labelled else names | {"label": None}

    def adapted_to(self: AnyTask, examples: Examples) -> AnyTask:
        """This task with the columns that were found: they are demanded from now on."""
        return replace(self, **examples.report.columns)


def saved_settings(config: BertConfig) -> dict[str, Any]:
    """The settings of its task that a model keeps; {} if it was trained elsewhere."""
    params = getattr(config, "task_specific_params", None)
    found = params.get(SETTINGS) if isinstance(params, dict) else None
    return found if isinstance(found, dict) else {}
