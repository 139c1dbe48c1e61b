"""The ladder from below: each part in turn, those that stand on a part which fails left out, and the top after the last."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..checking import WRONG
from .parts import PARTS, Part, titled
from .process import SECONDS, SECONDS_AT_THE_TOP, StoppedError, ask
from .result import WAITING, Result


def climb_parts(folder: Path) -> Iterator[Result]:
    """Grade part after part. Raises ValueError where the student's files cannot be run at all."""
    passed = set[str]()
    for part in PARTS:
        missing = [name for name in part.stands_on if name not in passed]
        if missing:
            yield Result(part.name, WAITING, f"for {titled(missing[0])}")
            continue
        result = _grade(part, folder)
        if result.status == WRONG and not result.blamed:
            raise ValueError(f"The files in {folder} cannot be run. {result.hint}")
        if result.passed:
            passed.add(part.name)
        yield result


def climb_top(folder: Path, minilm: Path | None) -> dict[str, Any]:
    """The top, as the fields of `Top`."""
    try:
        found = ask("climb", folder, SECONDS_AT_THE_TOP, minilm=str(minilm) if minilm else "")
    except StoppedError as stopped:
        found = {"wrong": str(stopped)}
    return {"wrong": "", "blanks": [], "minilm": None, "score": 0.0, "least": 0.0, **found}


def _grade(part: Part, folder: Path) -> Result:
    try:
        return Result(**ask("grade", folder, SECONDS, part=part.name))
    except StoppedError as stopped:
        return Result(part.name, WRONG, str(stopped), part.name if stopped.opened else "")
    except TypeError:  # an answer that is none of ours
        return Result(part.name, WRONG, "It answers in the grader's place.", part.name)
