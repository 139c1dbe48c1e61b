"""What the process of a student's code does: one part, or the top. Answers are dictionaries, to go over as JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch

from ..checking import WRONG
from .dropping import install
from .grading import grade
from .judge import what_and_where
from .parts import find_part
from .result import Result
from .student import open_adapters
from .top import Top, climb


def grade_part(own: Path, asked: Mapping[str, Any], opened: Callable[[], None]) -> dict[str, Any]:
    """Open the student's files and grade the part asked for. Where they cannot be run, no part is blamed."""
    try:
        adapters = _open(asked, opened)
    except BaseException as error:  # SystemExit too
        return Result(asked["part"], WRONG, what_and_where(error), blamed="").as_json()
    try:
        return grade(find_part(asked["part"]), adapters, own).as_json()
    except BaseException as error:  # exit() in a function is a mistake like any other
        return Result(asked["part"], WRONG, what_and_where(error), blamed=asked["part"]).as_json()


def climb_to_the_top(_: Path, asked: Mapping[str, Any], opened: Callable[[], None]) -> dict[str, Any]:
    """Open the student's files and use their BERT."""
    try:
        return climb(_open(asked, opened), Path(asked["minilm"]) if asked["minilm"] else None).as_json()
    except BaseException as error:
        return Top(what_and_where(error)).as_json()


def _open(asked: Mapping[str, Any], opened: Callable[[], None]) -> dict[str, Any]:
    """The names of adapters.py. opened: is called when the student's files have been run."""
    torch.set_num_threads(min(2, torch.get_num_threads()))  # small tensors gain nothing from more
    install()
    adapters = open_adapters(Path(asked["folder"]))
    opened()
    return adapters


TASKS: dict[str, Callable[[Path, Mapping[str, Any], Callable[[], None]], dict[str, Any]]] = {
    "grade": grade_part,
    "climb": climb_to_the_top,
}
