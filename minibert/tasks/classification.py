"""A label, several labels or a number for a text or a pair: `BertForSequenceClassification`.

Files: a table with the columns `text`, `label` and, for pairs, `text_pair`, or as published (`published_tables.py`); other names can be
given. What a label is depends on the problem, by the names that `BertConfig.problem_type` uses:

    single_label_classification   any word or number: `label` is its name
    multi_label_classification    names between "|" or in a list, none where the value is empty; or a column of 0 and 1 for each label
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
from .published_tables import check_one_label, find_columns, several_labels, understood
from .task import NO_LABELS, NUMBER, Encoded, Labels, Row, TableTask
from .task_files import Examples, PathName, Report, TableRow, counted, first_row, read_rows, usable

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
    text: str | None = None,
    text_pair: str | None = None,
    label: str | None = "",
    columns: str = "",
    labels: Labels = NO_LABELS,
) -> Examples:
    """The examples of a .csv, .tsv or .jsonl file, `TextExample`s, and a report on its rows.

    text, text_pair, label: the columns, found as published files call them if not given. text_pair="" reads no pairs, label="toxic,insult"
    a column of 0 and 1 for each label, label=None no labels. columns: "a,b,…", all of a file without a header. Rows with an empty text
    or no gold label ("-") are left out and reported. labels: those of the training file, where another one is read.
    Raises ValueError, naming file and line, for what is missing or does not fit.
    """
    if problem_type not in (SINGLE, MULTI, REGRESSION):
        raise ValueError(f"problem_type={problem_type!r} is not known. Choose {SINGLE!r}, {MULTI!r} or {REGRESSION!r}.")
    rows = read_rows(path, columns)
    read = find_columns(rows, text, text_pair, label=label, several=problem_type == MULTI)
    column, wanted, without = read.get("label"), list[Any]([None] * len(rows)), None
    if column and problem_type == MULTI:
        wanted = [*several_labels(rows, column, labels.names)]
    elif column:
        wanted = [_read_label(row, column, problem_type) for row in rows]
        without = check_one_label(rows, column, wanted, trained=labels.names) if problem_type == SINGLE else None
    first, second, found = read["text"], read["text_pair"], []
    for row, given in zip(rows, wanted, strict=True):
        pair = row.text(second) if second else None
        found.append(TextExample(row.text(first), pair, given, location=row.location))
    examples, report = usable(
        path, found, lambda each: each.text and each.text_pair != "", reason="it has an empty text"
    )
    for each in (each for each in examples if without and each.label == without):
        report.leave_out(each.location, f"it has no label, but {without!r}")
    report.require_some()
    examples = [each for each in examples if not without or each.label != without]
    report.columns = read
    report.understood = understood(rows, read, labels=[each.label for each in examples], counted=counted)
    report.understood += first_row(rows, columns)
    return Examples(examples, report)


def _read_label(row: TableRow, column: str, problem_type: str) -> str | float:
    value = row.values.get(column)
    if problem_type == REGRESSION:
        with suppress(ValueError):  # as text, because float(True) is a number
            if math.isfinite(number := float(str(value))):
                return number
        raise row.error(column, "must be a number")
    whole = isinstance(value, float) and value.is_integer()
    if not (whole or type(value) in (str, int, bool)) or not str(value).strip():
        raise row.error(column, "must name one label")
    return str(value).strip()


def find_labels(examples: Sequence[TextExample], problem_type: str = SINGLE) -> Labels:
    """The labels of training examples; for regression one, the name of the single column."""
    if problem_type == REGRESSION:
        return NUMBER
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
class Classification(TableTask):
    """problem_type: as in `BertConfig`."""

    problem_type: str = SINGLE

    name = "classify"
    does, asked, number_of_texts = "labels texts", "give a text, or the two texts of a pair", range(1, 3)
    model_class = BertForSequenceClassification
    reads = "[CLS]"

    @property
    def metrics(self) -> tuple[str, ...]:
        by_problem = {MULTI: ("micro_f1", "macro_f1", "accuracy"), REGRESSION: ("pearson", "spearman")}
        return *by_problem.get(self.problem_type, ("accuracy", "macro_f1")), "loss"

    def read(self, path: Path, labelled: bool = True) -> Examples:
        return read_classification(path, self.problem_type, labels=self.labels, **self.names(labelled))

    def adapted_to(self, examples: Examples) -> "Classification":
        labels, known = find_labels(examples.items, self.problem_type), super().adapted_to(examples)
        separate = "," in known.label and self.problem_type == MULTI  # columns, of which one may have no 1
        return replace(known, labels=Labels.found_in(known.label.split(",")) if separate else labels)

    def config_fields(self) -> dict[str, Any]:
        return {"problem_type": self.problem_type, **super().config_fields()}

    def made_of(self, texts: Sequence[str], location: str, tokenizer: BertTokenizer) -> TextExample:  # noqa: ARG002
        if self.text_pair is not None and bool(self.text_pair) != (len(texts) == 2):  # None: not known
            pairs = f"pairs, with {self.text_pair}: give a second text too" if self.text_pair else ""
            raise ValueError(f"This model was taught {pairs or 'single texts: leave out the second'}.")
        return TextExample(texts[0], texts[1] if len(texts) > 1 else None, location=location)

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
