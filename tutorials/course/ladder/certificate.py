"""The one-page report on a student's BERT, in Markdown: parts, bits, gradients, score."""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from minibert import __version__
from minibert.visible import visible

from .parts import NUMBER, find_part, titled
from .result import Result

NO_NETWORK = ("wordpiece", "optimizer", "load", "train")  # parts that are not asked for gradients


def certificate(results: Sequence[Result], top: dict[str, Any] | None, folder: Path | None = None) -> str:
    """The report as a text."""
    passed = sum(result.passed for result in results)
    whole = top is not None and not top["wrong"]
    lines = [
        "# A BERT of my own" if whole else "# A BERT of my own, on its way",
        "",
        f"{passed} of {len(results)} parts are right{', and so is what they do together' if whole else ''}. "
        f"Measured on {datetime.date.today():%d %B %Y} against minibert {__version__} with PyTorch {version('torch')}.",
        *([] if folder is None else ["", f"The code: {described(folder)}"]),
        "",
        "| | part | right | largest difference | of gradients | the library's bits |",
        "|--:|---|---|--:|--:|---|",
    ]
    for result in results:
        lines.append(f"| {NUMBER[result.part]} | {find_part(result.part).title} | {' | '.join(columns(result))} |")
    lines += ["", "Differences are those of the worst number of all cases, in units of the largest where that is above 1. A part is right within 10⁻⁵.", ""]  # fmt: skip
    if top is not None:
        lines += described_top(top)
    return "\n".join(lines) + "\n"


def columns(result: Result) -> tuple[str, str, str, str]:
    """What is said of a part, in four columns."""
    if not result.passed:
        blamed = f": {titled(result.blamed)} is at fault" if result.blamed and result.blamed != result.part else ""
        return f"{result.status}{blamed}", "", "", ""
    gradients = "" if result.part in NO_NETWORK else number(result.gradient_apart)
    return "✓", "" if result.part == "wordpiece" else number(result.apart), gradients, "yes" if result.bits else "no"


def number(apart: float) -> str:
    """A difference as it stands in the table."""
    return "0" if apart == 0 else f"{apart:.0e}"


def described(folder: Path) -> str:
    """The student's files: their lines, and a sum by which this very code can be known again."""
    files = sorted(folder.glob("*.py"))
    lines = sum(len(path.read_bytes().splitlines()) for path in files)
    known = hashlib.sha256(b"".join(path.name.encode() + path.read_bytes() for path in files)).hexdigest()[:16]
    return f"{', '.join(visible(path.name) for path in files)}; {lines} lines, SHA-256 {known}…"


def described_top(top: dict[str, Any]) -> list[str]:
    """What the whole does."""
    lines = ["## What it can do", ""]
    for text, *words in top["blanks"]:
        lines.append(f"- {text} → {', '.join(f'*{visible(word)}*' for word in words)}")
    if top["minilm"] is not None:
        lines.append(
            f"- It opens all-MiniLM-L6-v2, and its hidden states are the library's within {number(top['minilm'])}."
        )
    if top["wrong"]:
        return [*lines, f"- Not right yet: {visible(top['wrong'])}"]
    return [
        *lines,
        f"- It learned to tell persons, animals and things apart, by nouns that it was not trained on: {top['score']:.0%} right "
        f"(the library's own training, four standard deviations below its mean: {top['least']:.0%}).",
    ]
