"""Rows that a program holds, such as a `Dataset` of the library datasets, as the files that tasks read."""

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from .task_files import PathName

GivenRows = Iterable[Mapping[str, Any]]


@contextmanager
def as_files(train: PathName | GivenRows, evaluation: PathName | GivenRows | None) -> Iterator[list[Path]]:
    """Files to train and, unless that is None, to evaluate on: those named, or the rows that are given, written for as long as the `with`.

    Of a `Dataset` a `ClassLabel` is written as its name, and -1, a label that is not known, as "-". Raises ValueError for what are no rows.
    """
    with TemporaryDirectory(prefix="rows-") as folder:
        named = {"train": train} if evaluation is None else {"train": train, "evaluation": evaluation}
        yield [
            Path(given) if isinstance(given, (str, os.PathLike)) else _written(given, Path(folder) / name)
            for name, given in named.items()
        ]


def _written(rows: GivenRows, path: Path) -> Path:
    features = getattr(rows, "features", None) or {}
    found = []
    row: Any  # others give anything
    for number, row in enumerate(rows, start=1):
        if not isinstance(row, Mapping):
            advice = 'Give a file, a list of dictionaries, or one split of a Dataset, such as dataset["train"]'
            raise ValueError(f"Row {number} of {path.name} is {row!r:.40}, no dictionary of columns. {advice}.")
        found.append({column: _with_names(value, features.get(column)) for column, value in row.items()})
    of_squad = bool(found) and found[0].keys() >= {"context", "question", "answers"}
    of_squad = of_squad and isinstance(found[0]["answers"], Mapping)
    try:
        lines = (
            [json.dumps({"data": [{"paragraphs": [*map(_paragraph, found)]}]})] if of_squad else map(json.dumps, found)
        )
        path = path.with_suffix(".json" if of_squad else ".jsonl")
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    except TypeError as error:
        advice = "A column holds text, numbers or lists of them; of a Dataset use with_format(None) and select_columns"
        raise ValueError(f"The rows of {path.stem} are no plain data: {error}. {advice}.") from error
    return path


def _with_names(value: Any, feature: Any) -> Any:
    """A number of a `ClassLabel` as its name, in lists too."""
    if isinstance(value, list):
        return [_with_names(each, getattr(feature, "feature", None)) for each in value]
    names = getattr(feature, "names", None)
    return value if names is None or not isinstance(value, int) else names[value] if value >= 0 else "-"


def _paragraph(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of SQuAD as the library datasets has it, as SQuAD's own file has it."""
    texts, starts = (row["answers"].get(name) or [] for name in ("text", "answer_start"))
    answers = [{"text": text, "answer_start": start} for text, start in zip(texts, starts, strict=True)]
    entry = {"id": row.get("id"), "question": row["question"], "answers": answers, "is_impossible": not answers}
    return {"context": row["context"], "qas": [entry]}
