"""Text files as numbered lines, and tables as numbered rows, so that an error can say where it is.

Three kinds of table, told apart by the file's ending:

    .csv    a header, then values between commas; a value in "quotes" may hold commas and line breaks
    .tsv    a header, then values between tabs; a quote is a character like any other
    .jsonl  a JSON object a line, no header
"""

from __future__ import annotations

import csv
import io
import json
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Row:
    """One row of a table: column → value, and where it stands, such as "'train.csv', line 3"."""

    place: str
    values: dict[str, Any]

    def text(self, column: str) -> str:
        """A column's value, which must be text. Raises ValueError where it is missing or something else."""
        value = self.values.get(column)
        if not isinstance(value, str):
            raise ValueError(f"{self.place}: {column!r} must be text, and is {shown(value, self.values, column)}.")
        return value.strip()


def shown(value: Any, values: dict[str, Any], column: str) -> str:
    """A value as an error message shows it; columns in its stead when it is missing."""
    return repr(value) if column in values else f"missing (columns: {', '.join(values) or 'none'})"


def read_text(path: str | os.PathLike[str]) -> str:
    """The text of a UTF-8 file. Raises ValueError where it is missing, empty or not UTF-8."""
    path = Path(path)
    if not path.is_file():
        raise ValueError(f"There is no file at '{path}'.")
    data = path.read_bytes()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise ValueError(f"'{path}', line {line}: not UTF-8 ({error.reason}). Save the file as UTF-8.") from error
    if not text.strip():
        raise ValueError(f"'{path}' is empty.")
    return text


def read_lines(path: str | os.PathLike[str]) -> Iterator[tuple[str, str]]:
    """(place, line) of every line of a UTF-8 file, without its end. Only "\\n" and "\\r\\n" end a line."""
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        yield f"'{path}', line {number}", line.removesuffix("\r")


def read_rows(path: str | os.PathLike[str]) -> list[Row]:
    """Every row of a .csv, .tsv or .jsonl table. Empty lines between rows count for nothing.

    Raises ValueError, naming file and line, for a row with more or fewer values than the header, for what is no
    JSON object, and for another kind of file.
    """
    kind = Path(path).suffix.lower()
    if kind == ".jsonl":
        return list(_json_rows(path))
    if kind not in (".csv", ".tsv"):
        raise ValueError(f"'{path}' ends in {kind!r}, so how to read it is not known. Use .csv, .tsv or .jsonl.")
    records = _csv_records(path) if kind == ".csv" else _tsv_records(path)
    first, header = next(records)
    header = [name.strip() for name in header]
    if "" in header or len(set(header)) < len(header):
        raise ValueError(f"{first}: the header must name each column once, and is {', '.join(map(repr, header))}.")
    rows = []
    for place, values in records:
        if len(values) != len(header):
            raise ValueError(f"{place}: {len(values)} values for the {len(header)} columns {', '.join(header)}.")
        rows.append(Row(place, dict(zip(header, values, strict=True))))
    if not rows:
        raise ValueError(f"'{path}' has a header and no row.")
    return rows


def _csv_records(path: str | os.PathLike[str]) -> Iterator[tuple[str, Sequence[str]]]:
    text = read_text(path)
    limit = csv.field_size_limit(min(sys.maxsize, 2**31 - 1))  # the default refuses texts of 131,072 characters
    try:
        reader = csv.reader(io.StringIO(text, newline=""), strict=True)
        records, begin = [], 1
        for values in reader:
            if values:
                records.append((f"'{path}', line {begin}", values))
            begin = reader.line_num + 1
    except csv.Error as error:
        raise ValueError(
            f"'{path}', line {begin}: not CSV ({error}). Is a quote opened here and never closed, or not doubled inside?"
        ) from error
    finally:
        csv.field_size_limit(limit)
    yield from records


def _tsv_records(path: str | os.PathLike[str]) -> Iterator[tuple[str, Sequence[str]]]:
    for place, line in read_lines(path):
        if line.strip():
            yield place, line.split("\t")


def _json_rows(path: str | os.PathLike[str]) -> Iterator[Row]:
    for place, line in read_lines(path):
        if not line.strip():
            continue
        try:
            values = json.loads(line)
        except (json.JSONDecodeError, RecursionError) as error:
            raise ValueError(f"{place}: not JSON ({error}).") from error
        if not isinstance(values, dict):
            raise ValueError(
                f'{place}: a line must be a JSON object such as {{"text": "…"}}, not {line.strip()[:40]!r}.'
            )
        yield Row(place, values)
