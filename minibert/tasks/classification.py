"""A label, several labels or a number for a text or a pair: `BertForSequenceClassification`.

Files: a table with the columns `text`, `label` and, for pairs, `text_pair`; other names can be given. What a label is depends on the
problem, by the names that `BertConfig.problem_type` uses:

    single_label_classification   any word or number: `label` is its name
    multi_label_classification    names between "|", or a JSON list; an empty value means none
    regression                    a number

Scores: accuracy and macro F1; of several labels micro and macro F1, a label being given where its probability is above ½; of numbers
Pearson's and Spearman's correlation.
"""

import math
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..config import BertConfig
from ..heads import BertForSequenceClassification
from ..tokenization import BertTokenizer
from .metrics import accuracy, f1, pearson, spearman
from .task import Encoded, Labels, Row, Task
from .task_files import Examples, PathName, Report, TableRow, read_rows, usable

SINGLE, MULTI, REGRESSION = "single_label_classification", "multi_label_classification", "regression"


@dataclass(frozen=True)
class TextExample:
    """A text, its partner if it has one, and its label: a name, a tuple of names, a number, or None if not known."""

    text: str
    text_pair: str | None = None
    label: str | tuple[str, ...] | float | None = None
    location: str = field(default="", compare=False)

    @property
    def texts(self) -> dict[str, str]:
        return {"text": self.text} | ({} if self.text_pair is None else {"text_pair": self.text_pair})


def read_classification(
    path: PathName,
    problem_type: str = SINGLE,
    *,
    text: str = "text",
    text_pair: str | None = None,
    label: str | None = "label",
) -> Examples:
    """The examples of a .csv, .tsv or .jsonl file, `TextExample`s, and a report on its rows.

    text, text_pair, label: the names of the columns. Without `text_pair` there are pairs if there is a column of that name;
    label=None reads texts without labels. Rows with an empty text are left out and reported. Raises ValueError, naming file and line,
    for a missing column and for a label that does not fit the problem.
    """
    if problem_type not in (SINGLE, MULTI, REGRESSION):
        raise ValueError(f"problem_type={problem_type!r} is not known. Choose {SINGLE!r}, {MULTI!r} or {REGRESSION!r}.")
    rows = read_rows(path)
    pair = text_pair or ("text_pair" if any("text_pair" in row.values for row in rows) else None)
    examples = []
    for row in rows:
        first, second = row.text(text), row.text(pair) if pair else None
        wanted = None if label is None else _read_label(row, label, problem_type)
        examples.append(TextExample(first, second, wanted, location=row.location))
    return usable(path, examples, lambda each: each.text and each.text_pair != "", reason="it has an empty text")


def _read_label(row: TableRow, column: str, problem_type: str) -> str | tuple[str, ...] | float:
    value = row.values.get(column)
    if problem_type == MULTI:
        names = value.split("|") if isinstance(value, str) else value
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise row.error(column, "must be a list of names")
        return tuple(dict.fromkeys(name.strip() for name in names if name.strip()))
    if problem_type == REGRESSION:
        with suppress(ValueError):  # as text, because float(True) is a number
            if math.isfinite(number := float(str(value))):
                return number
        raise row.error(column, "must be a number")
    if type(value) not in (str, int) or not str(value).strip():
        raise row.error(column, "must name one label")
    return str(value).strip()


def find_labels(examples: Sequence[TextExample], problem_type: str = SINGLE) -> Labels:
    """The labels of training examples; for regression one, the name of the single column."""
    if problem_type == REGRESSION:
        return Labels(("LABEL_0",))
    given = [(each.label,) if isinstance(each.label, str) else each.label for each in examples]
    labels = Labels.found_in(name for names in given if isinstance(names, tuple) for name in names)
    if problem_type == SINGLE and len(labels) < 2:
        raise ValueError(f"Every example has the label {labels.names[0]!r}: there is nothing to tell apart.")
    return labels


def encode_texts(
    examples: Sequence[TextExample], tokenizer: BertTokenizer, labels: Labels, max_length: int, report: Report
) -> list[Row]:
    """Rows for the model, one an example, not padded: `input_ids`, `token_type_ids`, `attention_mask` and `labels`.

    `labels` is an id, a number, or a 0.0 or 1.0 for every label; it is not there when no label is known. Texts of more than
    `max_length` pieces are cut, the longer of a pair first, and reported.
    """
    rows = []
    for each in examples:
        row: Row = dict(tokenizer(each.text, each.text_pair, verbose=False))
        if len(row["input_ids"]) > max_length:
            row = dict(tokenizer(each.text, each.text_pair, truncation=True, max_length=max_length))
            report.change(each.location, f"text cut to {max_length} pieces")
        if isinstance(each.label, str):
            [row["labels"]] = labels.ids([each.label], each.location)
        elif isinstance(each.label, tuple):
            present = set(labels.ids(each.label, each.location))
            row["labels"] = [float(index in present) for index in range(len(labels))]
        elif each.label is not None:
            row["labels"] = float(each.label)
        rows.append(row)
    return rows


@dataclass(frozen=True)
class Classification(Task):
    """problem_type: as in `BertConfig`. text, text_pair, label: the table's columns, as `read_classification` takes them."""

    problem_type: str = SINGLE
    text: str = "text"
    text_pair: str | None = None
    label: str = "label"

    name = "classify"
    model_class = BertForSequenceClassification
    reads = "[CLS]"
    saved = ("text", "text_pair", "label")

    @property
    def metrics(self) -> tuple[str, ...]:
        by_problem = {MULTI: ("micro_f1", "macro_f1", "accuracy"), REGRESSION: ("pearson", "spearman")}
        return *by_problem.get(self.problem_type, ("accuracy", "macro_f1")), "loss"

    def read(self, path: Path, labelled: bool = True) -> Examples:
        label = self.label if labelled else None
        return read_classification(path, self.problem_type, text=self.text, text_pair=self.text_pair, label=label)

    def adapted_to(self, examples: Examples) -> "Classification":
        return replace(self, labels=find_labels(examples.items, self.problem_type))

    def config_fields(self) -> dict[str, Any]:
        return {"problem_type": self.problem_type, **super().config_fields()}

    @classmethod
    def of_config(cls, config: BertConfig) -> "Classification":
        problem_type = config.problem_type or (REGRESSION if config.num_labels == 1 else SINGLE)
        labels = Labels.of_config(config.id2label)
        return replace(super().of_config(config), problem_type=problem_type, labels=labels)

    def encode(self, examples: Examples, tokenizer: BertTokenizer, max_length: int, training: bool = False) -> Encoded:  # noqa: ARG002
        items, report = examples
        return Encoded(items, encode_texts(items, tokenizer, self.labels, max_length=max_length, report=report))

    def score(self, encoded: Encoded, kept: Sequence[Tensor], loss: float) -> dict[str, float]:  # noqa: ARG002
        logits, labels = torch.stack(list(kept)), torch.tensor([row["labels"] for row in encoded.rows])
        if self.problem_type == REGRESSION:
            return {"pearson": pearson(logits[:, 0], labels), "spearman": spearman(logits[:, 0], labels)}
        if self.problem_type == MULTI:
            given, true = logits > 0, labels > 0
            scores = {f"{average}_f1": f1(given, true, average) for average in ("micro", "macro")}
            return {**scores, "accuracy": accuracy(given, true)}
        predicted = logits.argmax(dim=-1)
        return {"accuracy": accuracy(predicted, labels), "macro_f1": f1(predicted, labels, "macro")}

    def answers(self, encoded: Encoded, kept: Sequence[Tensor]) -> list[dict[str, Any]]:
        return [self._answer(example, logits) for example, logits in zip(encoded.items, kept, strict=True)]

    def _answer(self, example: TextExample, logits: Tensor) -> dict[str, Any]:
        if self.problem_type == REGRESSION:
            return {**example.texts, "value": float(logits[0])}
        shares = logits.sigmoid() if self.problem_type == MULTI else logits.softmax(dim=-1)
        ordered = sorted(zip(self.labels.names, shares.tolist(), strict=True), key=lambda item: -item[1])
        if self.problem_type == MULTI:
            given: Any = {"labels": [name for name, probability in ordered if probability > 0.5]}
        else:
            given = {"label": ordered[0][0], "probability": ordered[0][1]}
        return {**example.texts, **given, "probabilities": dict(ordered)}
