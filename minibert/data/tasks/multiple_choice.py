"""A beginning and several endings, of which one is right.

A table as SWAG has it: `sent1` (the sentence before), `sent2` (how the next one begins), `ending0`, `ending1`, …, and `label`, the number
of the right ending. Other columns count for nothing. Every ending becomes a pair of its own:

    [CLS] sent1 [SEP] sent2 ending [SEP]

Source: Zellers et al. 2018 (SWAG); Devlin et al. 2019, §4.4.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ...tokenization import BertTokenizer
from .files import Row, read_rows, shown
from .report import Report


@dataclass(frozen=True)
class ChoiceExample:
    """A context, the beginning of what follows (may be empty), its possible endings, and the right one's number if known."""

    context: str
    beginning: str
    endings: tuple[str, ...]
    label: int | None = None
    place: str = field(default="", compare=False)


def read_choices(path: str | os.PathLike[str], *, labelled: bool = True) -> tuple[list[ChoiceExample], Report]:
    """The examples of a SWAG-like .csv, .tsv or .jsonl file, and what became of its rows.

    labelled=False reads them without the right answer. Rows with an empty context or ending are left out and reported.
    Raises ValueError, naming file and line, for missing columns and a label that is no ending's number.
    """
    rows = read_rows(path)
    examples, report = [], Report(str(path), found=len(rows))
    columns = {name for row in rows for name in row.values}
    count = sum(f"ending{number}" in columns for number in range(len(columns)))
    if count < 2:
        raise ValueError(f"{rows[0].place}: there must be at least the columns 'ending0' and 'ending1'.")
    for row in rows:
        endings = tuple(row.text(f"ending{number}") for number in range(count))
        beginning = row.text("sent2") if "sent2" in row.values else ""
        example = ChoiceExample(
            row.text("sent1"), beginning, endings, _label(row, count) if labelled else None, row.place
        )
        if not example.context or not all(endings):
            report.leave_out(row.place, "its context or an ending is empty")
            continue
        examples.append(example)
    report.require_some()
    return examples, report


def _label(row: Row, count: int) -> int:
    value = row.values.get("label")
    text = str(value).strip() if not isinstance(value, bool) else ""
    if not (text.isascii() and text.isdigit() and int(text) < count):
        raise ValueError(f"{row.place}: 'label' must be 0 to {count - 1}, and is {shown(value, row.values, 'label')}.")
    return int(text)


def encode_choices(
    examples: Sequence[ChoiceExample], tokenizer: BertTokenizer, max_length: int, report: Report
) -> list[dict[str, Any]]:
    """Rows for the model, one an example: each input is (choices, seq) of different lengths; `labels`, where known, a number.

    Pairs of more than `max_length` pieces are cut, the longer text first, and reported.
    """
    rows = []
    for example in examples:
        row: dict[str, Any] = {name: [] for name in tokenizer.model_input_names}
        for ending in example.endings:
            follows = f"{example.beginning} {ending}".strip()
            encoding = tokenizer(example.context, follows, verbose=False)
            if len(encoding["input_ids"]) > max_length:
                encoding = tokenizer(example.context, follows, truncation=True, max_length=max_length)
                report.change(example.place, f"text cut to {max_length} pieces")
            for name in row:
                row[name].append(encoding[name])
        if example.label is not None:
            row["labels"] = example.label
        rows.append(row)
    return rows
