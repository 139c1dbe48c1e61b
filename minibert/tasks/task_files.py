"""Files of examples: text as numbered lines, tables as numbered rows, and a report of what became of each example.

Every line and row knows its location, such as "'train.csv', line 3", so that an error can name it. The file's ending
says which of three kinds of table it is:

    .csv    a header, then values between commas (or semicolons or tabs); a value in "quotes" may hold commas and line breaks
    .tsv    a header, then values between tabs; a quote is a character like any other
    .jsonl  a JSON object a line, no header; .json the same, or a list of objects

A column without a name, such as the index that pandas writes, counts for nothing.
"""

import csv
import io
import itertools
import json
import os
import random
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from ..checkpoints.files import parse_json
from ..data.sentences import check_plain_text
from ..visible import visible

PathName = str | os.PathLike[str]
Line = tuple[str, str]  # its location and its text
SHOWN = 3  # locations that are printed with a reason; the report itself keeps all of them
SHOWN_NAMES, SHOWN_CHARACTERS = 12, 60  # labels that are printed with their counts; characters of a row
_OBJECTS = re.compile(r"\s*(\[|\{.*\}\s*$)", re.MULTILINE)  # an array, or objects a line each


@dataclass
class Report:
    """How many of the examples found in a file are used, and which are left out, changed (cut, say) or noted: reason → locations.

    understood: what the file was read as, such as "pairs: premise + hypothesis" and "2 labels: no 3, yes 5". columns: fields of the task.
    """

    source: str
    found: int
    understood: list[str] = field(default_factory=list)
    columns: dict[str, Any] = field(default_factory=dict)
    left_out: dict[str, list[str]] = field(default_factory=dict)
    changed: dict[str, list[str]] = field(default_factory=dict)
    noted: dict[str, list[str]] = field(default_factory=dict)

    def leave_out(self, location: str, reason: str) -> None:
        self.left_out.setdefault(reason, []).append(location)

    def change(self, location: str, reason: str) -> None:
        self.changed.setdefault(reason, []).append(location)

    def note(self, location: str, what: str) -> None:
        """Of an example that is used as it is, something that is good to know."""
        self.noted.setdefault(what, []).append(location)

    @property
    def used(self) -> int:
        return self.found - sum(map(len, self.left_out.values()))

    def require_some(self) -> None:
        """Raise ValueError if there is no example left to use."""
        if self.used == 0:
            reasons = f" Left out: {self._listed(self.left_out)}" if self.left_out else ""
            raise ValueError(f"'{self.source}' has no example that can be used.{reasons}")

    def __str__(self) -> str:
        kinds = {"left out": self.left_out, "changed": self.changed, "note": self.noted}
        lines = [f"  read as {'; '.join(self.understood)}."] if self.understood else []
        lines += [f"  {kind}: {self._listed(reasons)}" for kind, reasons in kinds.items() if reasons]
        lines = [f"'{self.source}': {self.used:,} of {self.found:,} examples used.", *lines]
        return "\n".join(map(visible, lines))  # names of labels, columns and files are others'

    def _listed(self, reasons: dict[str, list[str]]) -> str:
        file, listed = f"'{self.source.removesuffix(', held out')}', ", []
        for reason, found in reasons.items():
            locations = [location.removeprefix(file) for location in dict.fromkeys(found)]
            more = ", …" * (len(locations) > SHOWN)
            listed.append(f"{len(locations):,} × {reason} ({', '.join(locations[:SHOWN])}{more})")
        return "; ".join(listed) + "."


def counted(names: Iterable[str], what: str = "labels") -> str:
    """How often each name is there, for `Report.understood`: "3 labels: contradiction 12, entailment 10, neutral 9"."""
    counts = sorted(Counter(names).items(), key=lambda each: (-each[1], each[0]))
    more = [f"and {len(counts) - SHOWN_NAMES:,} more"] if len(counts) > SHOWN_NAMES else []
    listed = ", ".join([f"{name} {count:,}" for name, count in counts[:SHOWN_NAMES]] + more)
    return f"{len(counts):,} {what if len(counts) != 1 else what.removesuffix('s')}: {listed}"


class Examples(NamedTuple):
    """Examples of a file, of the class that the task's reader gives, and what became of each."""

    items: Sequence[Any]
    report: Report


def usable(path: PathName, found: Sequence[Any], fits: Callable[[Any], Any], reason: str) -> Examples:
    """The examples of a file that fit. The others are left out and reported. Raises ValueError if none is left."""
    report = Report(str(path), found=len(found))
    for each in found:
        if not fits(each):
            report.leave_out(each.location, reason)
    report.require_some()
    return Examples(list(filter(fits, found)), report)


def hold_out(examples: Examples, share: float, seed: int) -> tuple[Examples, Examples]:
    """The examples to train on, and those held out to evaluate on: the same share of each label's, drawn by the seed.

    Raises ValueError where the share is less than one example, or all of them.
    """
    items, report = examples
    order = list(range(len(items)))
    random.Random(f"{seed} held out").shuffle(order)  # noqa: S311  # the same at every start
    labels = [getattr(item, "label", "") for item in items]
    order.sort(key=lambda number: str(labels[number]))
    held = {number for place, number in enumerate(order) if int((place + 1) * share) > int(place * share)}
    names = [{*([label] if isinstance(label, str) else label if isinstance(label, tuple) else ())} for label in labels]
    names = [own | {*(getattr(item, "tags", None) or ())} for own, item in zip(names, items, strict=True)]
    seen = {name for number in order if number not in held for name in names[number]}
    for number in sorted(held):
        if not names[number] <= seen:  # or the model would never see it
            held.remove(number)
            seen |= names[number]
    if not 0 < len(held) < len(items):
        raise ValueError(f"Of {len(items)} examples a share of {share:g} cannot be held out: evaluate on another file.")
    report.understood.append(f"{len(held):,} of the examples are held out to evaluate on")
    train = [each for number, each in enumerate(items) if number not in held]
    kept = [items[number] for number in sorted(held)]
    return Examples(train, report), Examples(kept, Report(f"{report.source}, held out", found=len(held)))


class TableRow(NamedTuple):
    """One row of a table: its location in the file, column → value, and where the columns are named, if not in the row itself."""

    location: str
    values: dict[str, Any]
    header: str = ""

    def text(self, column: str) -> str:
        """A column's value. Raises ValueError where it is missing or no text."""
        value = self.values.get(column)
        if not isinstance(value, str):
            raise self.error(column, "must be text")
        return value.strip()

    def error(self, column: str, demand: str) -> ValueError:
        columns = ", ".join(self.values) or "none"
        if column in self.values:
            return ValueError(f"{self.location}: {column!r} {demand}, and is {self.values[column]!r}.")
        known = column if column in ("text", "text_pair", "label") else 'text="…", text_pair="…" or label'
        advice = f'name yours with {known}="…"; all, where there is no header, with columns="…"'
        return ValueError(
            f"{self.header or self.location}: there is no column {column!r} (columns: {columns}); {advice}."
        )


def read_text(path: PathName) -> str:
    """The text of a UTF-8 file. Raises ValueError where it is missing, empty or not UTF-8."""
    path = Path(path)
    if not path.is_file():
        raise ValueError(f"There is no {'regular ' * path.is_fifo()}file at '{path}'.")
    data = path.read_bytes()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise ValueError(f"'{path}', line {line}: not UTF-8 ({error.reason}). Save the file as UTF-8.") from error
    if not text.strip():
        raise ValueError(f"'{path}' is empty.")
    if "\0" in text:
        raise ValueError(f"'{path}' holds zero bytes, as UTF-16 does: it is no UTF-8 text. Save the file as UTF-8.")
    return text if "\n" in text else text.replace("\r", "\n")  # the line ends of old Macs


def read_lines(path: PathName) -> Iterator[Line]:
    """(location, line) of every line of a UTF-8 file, without its end. Only "\\n" and "\\r\\n" end a line."""
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        yield f"'{path}', line {number}", line.removesuffix("\r")


def read_blocks(path: PathName, separates: Callable[[str], bool] = lambda line: not line.strip()) -> list[list[Line]]:
    """The stretches of lines between those that separate them: the empty ones. No stretch is empty."""
    check_plain_text(Path(path))
    blocks = itertools.groupby(read_lines(path), key=lambda located: separates(located[1]))
    return [list(block) for between, block in blocks if not between]


def read_rows(path: PathName, columns: str = "") -> list[TableRow]:
    """Every row of a .csv, .tsv or .jsonl table; empty lines are ignored. Raises ValueError, naming file and line, where it is broken.
    columns: "a,b,_": names for the columns of a file without a header, "_" or nothing for one that counts for nothing."""
    ending = Path(path).suffix.lower()
    text = read_text(path) if "json" in ending else ""
    lines = ending in (".jsonl", ".ndjson") or (ending == ".json" and _OBJECTS.match(text))
    if not lines and ending not in (".csv", ".tsv"):
        how = "how to read it is not known. Use .csv, .tsv or .jsonl: unpack an archive, save a sheet as .csv, tabs are .tsv"
        raise ValueError(f"'{path}' ends in {ending!r}, so {how}.")
    if lines and columns:
        raise ValueError(f"'{path}' names its columns itself: leave out columns.")
    if lines:
        return list(itertools.starmap(TableRow, json_objects(Path(path), text)))
    tabbed = [(location, line.split("\t")) for location, line in read_lines(path) if ending == ".tsv" and line.strip()]
    records = tabbed or _csv_records(path, columns)
    header = header_of(*records[0], columns)
    records = records[1:] if [value.strip() for value in records[0][1]] == header else records
    if not records:
        raise ValueError(f"'{path}' has a header and no row.")
    for location, values in records:
        if len(values) != len(header):
            raise ValueError(f"{location}: {len(values)} values for the {len(header)} columns {', '.join(header)}.")
    places = [(place, name) for place, name in enumerate(header) if name not in ("", "_")]
    named = {"header": f"'{path}', line 1"} if not columns else {}
    return [
        TableRow(location, {name: values[place] for place, name in places}, **named) for location, values in records
    ]


def _csv_records(path: PathName, columns: str) -> list[tuple[str, list[str]]]:
    text = read_text(path)
    limit = csv.field_size_limit(2**31 - 1)  # the default refuses texts of 131,072 characters
    records: list[tuple[str, list[str]]] = []
    begin = 1
    try:
        said = re.match(r"sep=(.)\r?\n", text)  # Excel's
        comma = said[1] if said else _separator(text, columns.count(",") + 1)
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=comma, strict=True, skipinitialspace=True)
        for values in reader:
            if any(map(str.strip, values)) or (values and not records):  # a header is never empty
                records.append((f"'{path}', line {begin}", values))
            begin = reader.line_num + 1
        records = records[1:] if said else records
    except csv.Error as error:
        hint = "Is a quote opened here and never closed, or not doubled inside?"
        raise ValueError(f"'{path}', line {begin}: not CSV ({error}). {hint}") from error
    finally:
        csv.field_size_limit(limit)
    return records


def _separator(text: str, columns: int) -> str:
    """The sign that parts the first two rows into the most values; or the first into as many as there are columns, if known."""
    sizes = {}
    for sign in ",;\t|":
        rows = csv.reader(io.StringIO(text, newline=""), delimiter=sign, skipinitialspace=True)
        sizes[sign] = [len(row) for row in itertools.islice(filter(None, rows), 2)]
    return max(sizes, key=lambda sign: (columns > 1 and sizes[sign][0] == columns, min(sizes[sign])))


def header_of(location: str, first: Sequence[str], columns: str) -> list[str]:
    """The names of a table's columns: its first row's; or `columns`, "a,b,_", which a file with a header may have all the same."""
    values, given = [value.strip() for value in first], [name.strip() for name in columns.split(",")]
    same = [value == name for value, name in zip(values, given, strict=False) if name not in ("", "_")]
    if any(same) and not all(same):
        raise ValueError(f"{location}: this looks like a header, {', '.join(values)}, not like {', '.join(given)}.")
    header = values if not columns or (same and all(same)) else given
    names = [name for name in header if name not in ("", "_")]
    if not names or len(set(names)) < len(names):
        shown = f'{", ".join(map(repr, header))}. Without one, name the columns: columns="text,label".'
        raise ValueError(f"{location}: the header must name each column once, and is {shown}")
    return header


def first_row(rows: Sequence[TableRow], columns: str) -> list[str]:
    """Where the columns were named, the first row, for the report: if it is a header after all, that is seen."""
    shown = ", ".join(map(str, rows[0].values.values()))
    return [f"the first row is {shown[:SHOWN_CHARACTERS]}"] if columns else []


def json_objects(path: Path, text: str) -> list[tuple[str, dict[str, Any]]]:
    """The objects of an array, or one a line, each with its location. Raises ValueError, naming it, for what is none."""
    whole: Any = None
    try:
        whole = parse_json(text, finite=False)  # of numbers, the columns' readers are the judges
    except ValueError as error:  # as many objects raise, a line each
        if text.lstrip().startswith("[") and path.suffix.lower() != ".jsonl" and type(error) is ValueError:
            raise ValueError(f"'{path}': not JSON ({error}).") from error
    if isinstance(whole, list) and path.suffix.lower() != ".jsonl":
        found: list[tuple[str, Any]] = [(f"'{path}', item {n}", each) for n, each in enumerate(whole, start=1)]
    elif isinstance(whole, dict):
        found = [(f"'{path}', line 1", whole)]
    else:
        lines = [(f"'{path}', line {n}", line) for n, line in enumerate(text.split("\n"), start=1) if line.strip()]
        found = [(location, _json(location, line)) for location, line in lines]
    for location, each in found:
        if not isinstance(each, dict):
            raise ValueError(f"{location}: must be a JSON object, not {json.dumps(each)[:40]!r}.")
    return found


def _json(location: str, line: str) -> Any:
    try:
        return parse_json(line, finite=False)
    except ValueError as error:
        raise ValueError(f"{location}: not JSON ({error}).") from error
