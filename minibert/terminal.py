"""Text for a terminal: tables, outlines of stages, and attention drawn with letters."""

import io
import shutil
import sys
import unicodedata
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from .visible import visible

SHADES = ((0.05, " "), (0.2, "░"), (0.4, "▒"), (0.7, "▓"), (float("inf"), "█"))  # for weights below


def write_utf8() -> None:
    """Write UTF-8 to pipes and files, for which Windows would choose a code page without "─" or "√"."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and not stream.isatty():
            stream.reconfigure(encoding="utf-8")


def echo(text: object, err: bool = False, nl: bool = True) -> None:
    """Print lines that may hold text from outside, made visible."""
    import click

    click.echo(visible(text, keep="\n"), err=err, nl=nl)


def terminal_width() -> int:
    """Columns of the terminal, or of `COLUMNS`; where the output goes to a file or a pipe, 120."""
    return shutil.get_terminal_size((120, 24)).columns


def table(header: Sequence[str], rows: Sequence[Sequence[Any]], right: Collection[int] = ()) -> str:
    """Columns as wide as their widest cell; those numbered in `right` are aligned to the right."""
    cells = [list(map(visible, row)) for row in (header, *rows)]
    widths = [max(map(display_width, column)) for column in zip(*cells, strict=True)]
    cells.insert(1, ["─" * width for width in widths])
    lines = ("  ".join(pad(cell, widths[i], i in right) for i, cell in enumerate(row)) for row in cells)
    return "\n".join(line.rstrip() for line in lines)


def pad(text: str, width: int, right: bool = False) -> str:
    """Fill with spaces to a width in terminal columns; `right` aligns the text to the right."""
    spaces = " " * (width - display_width(text))
    return spaces + text if right else text + spaces


def display_width(text: str) -> int:
    """Columns a text takes in a terminal: two for a wide East Asian letter, none for a combining mark."""
    letters = [letter for letter in text if not unicodedata.combining(letter)]
    return len(letters) + sum(unicodedata.east_asian_width(letter) in "WF" for letter in letters)


def outline(stages: Iterable[tuple[str, int, str]]) -> list[str]:
    """An indented line for each (path, depth, class name), in the order of their calls.

    The path is shortened by that of the stage around it, of those shown; the model itself is called by its class.
    """
    lines, around = [], [("", -1)]
    for path, depth, class_name in stages:
        while around[-1][1] >= depth:
            around.pop()
        lines.append("  " * (len(around) - 1) + (path.removeprefix(f"{around[-1][0]}.") or class_name))
        around.append((path, depth))
    return lines


def heatmap(tokens: Sequence[str], weights: Sequence[Sequence[float]]) -> str:
    """Attention weights (seq × seq, rows that sum to 1) as shades: a row for each query, a numbered column for each key.

    After each row stand the piece with its largest weight and that weight.
    """
    tokens = list(map(visible, tokens))
    width, digits = max(map(display_width, tokens)), len(str(len(tokens) - 1))
    margin = " " * (digits + 1 + width + 2)
    lines = [margin + " ".join(str(column).rjust(digits) for column in range(len(tokens)))]
    for row, (token, row_weights) in enumerate(zip(tokens, weights, strict=True)):
        cells = " ".join(shade(weight) * digits for weight in row_weights)
        best = max(range(len(tokens)), key=lambda column: row_weights[column])
        lines.append(f"{row:>{digits}} {pad(token, width)}  {cells}  → {tokens[best]} {row_weights[best]:.0%}")
    lines.append(f"{margin}blank < 5%   ░ < 20%   ▒ < 40%   ▓ < 70%   █ above")
    return "\n".join(lines)


def shade(weight: float) -> str:
    """The letter that stands for a weight between 0 and 1."""
    return next(letter for limit, letter in SHADES if weight < limit)
