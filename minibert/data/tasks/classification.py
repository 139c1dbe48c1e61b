"""Texts, or pairs of texts, with one label, several labels, or a number.

A table (`files.py`) with the columns `text`, `label` and, for pairs, `text_pair`; other names can be given. What a label is
depends on the kind of problem, by the names that `BertConfig.problem_type` uses:

    single_label_classification   any word or number: `label` is its name
    multi_label_classification    names between "|", or a JSON list; an empty value means none
    regression                    a number
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ...tokenization import BertTokenizer
from .files import Row, read_rows, shown
from .labels import Labels
from .report import Report

SINGLE, MULTI, REGRESSION = "single_label_classification", "multi_label_classification", "regression"
SEPARATOR = "|"


@dataclass(frozen=True)
class TextExample:
    """A text, its partner if it has one, and its label: a name, a tuple of names, a number, or None if not known."""

    text: str
    text_pair: str | None = None
    label: str | tuple[str, ...] | float | None = None
    place: str = field(default="", compare=False)


def read_classification(
    path: str | os.PathLike[str],
    problem_type: str = SINGLE,
    *,
    text: str = "text",
    text_pair: str | None = None,
    label: str | None = "label",
) -> tuple[list[TextExample], Report]:
    """The examples of a .csv, .tsv or .jsonl file, and what became of its rows.

    text, text_pair, label: the names of the columns. Without `text_pair` there are pairs if there is a column of that name;
    label=None reads texts without labels. Rows with an empty text are left out and reported.

    Raises ValueError, naming file and line, for a missing column and for a label that is not of the kind.
    """
    if problem_type not in (SINGLE, MULTI, REGRESSION):
        raise ValueError(f"problem_type={problem_type!r} is not known. Choose {SINGLE!r}, {MULTI!r} or {REGRESSION!r}.")
    rows = read_rows(path)
    examples, report = [], Report(str(path), found=len(rows))
    pair = text_pair or ("text_pair" if any("text_pair" in row.values for row in rows) else None)
    for row in rows:
        first, second = row.text(text), None if pair is None else row.text(pair)
        wanted = None if label is None else _label(row, label, problem_type)
        if not first or second == "":
            report.leave_out(row.place, "it has an empty text")
            continue
        examples.append(TextExample(first, second, wanted, row.place))
    report.require_some()
    return examples, report


def _label(row: Row, column: str, problem_type: str) -> str | tuple[str, ...] | float:
    value = row.values.get(column)
    if problem_type == MULTI:
        names = value.split(SEPARATOR) if isinstance(value, str) else value
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise ValueError(
                f"{row.place}: {column!r} must be a list of names, and is {shown(value, row.values, column)}."
            )
        return tuple(dict.fromkeys(name.strip() for name in names if name.strip()))
    if problem_type == REGRESSION:
        try:
            number = float(value)  # type: ignore[arg-type]
        except (TypeError, ValueError):
            number = math.nan
        if isinstance(value, bool) or not math.isfinite(number):
            raise ValueError(f"{row.place}: {column!r} must be a number, and is {shown(value, row.values, column)}.")
        return number
    if isinstance(value, (bool, float, list, dict)) or value is None or not str(value).strip():
        raise ValueError(f"{row.place}: {column!r} must name one label, and is {shown(value, row.values, column)}.")
    return str(value).strip()


def find_labels(examples: Sequence[TextExample], problem_type: str = SINGLE) -> Labels:
    """The labels of training examples; for regression one, the name of the single column.

    Raises ValueError where there is nothing to tell apart.
    """
    if problem_type == REGRESSION:
        return Labels(("LABEL_0",))
    names = [name for example in examples for name in _names(example)]
    labels = Labels.found_in(names)
    if problem_type == SINGLE and len(labels) < 2:
        raise ValueError(f"Every example has the label {labels.names[0]!r}: there is nothing to tell apart.")
    return labels


def _names(example: TextExample) -> tuple[str, ...]:
    if isinstance(example.label, str):
        return (example.label,)
    return example.label if isinstance(example.label, tuple) else ()


def encode_texts(
    examples: Sequence[TextExample], tokenizer: BertTokenizer, labels: Labels, max_length: int, report: Report
) -> list[dict[str, Any]]:
    """Rows for the model, one an example, not padded: `input_ids`, `token_type_ids`, `attention_mask` and `labels`.

    `labels` is an id, a number, or a 0.0 or 1.0 for every label; it is not there when no label is known. Texts of more than
    `max_length` pieces are cut, the longer of a pair first, and reported.
    """
    rows = []
    for example in examples:
        row = dict(tokenizer(example.text, example.text_pair, verbose=False))
        if len(row["input_ids"]) > max_length:
            row = dict(tokenizer(example.text, example.text_pair, truncation=True, max_length=max_length))
            report.change(example.place, f"text cut to {max_length} pieces")
        if isinstance(example.label, str):
            [row["labels"]] = labels.ids([example.label], example.place)
        elif isinstance(example.label, tuple):
            present = set(labels.ids(example.label, example.place))
            row["labels"] = [float(index in present) for index in range(len(labels))]
        elif example.label is not None:
            row["labels"] = float(example.label)
        rows.append(row)
    return rows
