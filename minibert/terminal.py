"""Text in columns, for terminals that show letters of different widths."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Sequence
from typing import Any


def table(header: Sequence[str], rows: Sequence[Sequence[Any]], right: Collection[int] = ()) -> str:
    """Columns as wide as their widest cell; those numbered in `right` are aligned to the right."""
    cells = [[str(cell) for cell in row] for row in (header, *rows)]
    widths = [max(display_width(row[i]) for row in cells) for i in range(len(header))]

    def line(row: list[str]) -> str:
        return "  ".join(pad(cell, widths[i], i in right) for i, cell in enumerate(row)).rstrip()

    return "\n".join([line(cells[0]), "  ".join("─" * width for width in widths), *map(line, cells[1:])])


def pad(text: str, width: int, right: bool = False) -> str:
    """Fill with spaces to a width in terminal columns."""
    spaces = " " * (width - display_width(text))
    return spaces + text if right else text + spaces


def display_width(text: str) -> int:
    """Columns a text takes in a terminal: two for a wide East Asian letter, none for a combining mark."""
    return sum(
        0 if unicodedata.combining(letter) else 2 if unicodedata.east_asian_width(letter) in "WF" else 1
        for letter in text
    )
