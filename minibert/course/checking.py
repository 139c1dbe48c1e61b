"""Find the exercises, run their checks, and say how each function fares.

    tutorials/exercises/NN_name.py    functions to write; a blank is `raise NotImplementedError`
    tutorials/checks/NN_name.py       for each function f, check_f(f) → None when it is right, or else a hint

Checks run in the order in which they are written.
"""

from __future__ import annotations

import ctypes
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from types import ModuleType
from typing import Any

PASSED, BLANK, WRONG = "passed", "not written yet", "not right yet"
SECONDS = 20.0  # a right answer takes well under one, on a slow machine too

_BESIDE_THE_PACKAGE = Path(__file__).resolve().parents[2] / "tutorials"


@dataclass(frozen=True)
class Outcome:
    """How one function fared. status: PASSED, BLANK or WRONG; hint: what is wrong, empty unless WRONG."""

    function: str
    status: str
    hint: str = ""


@dataclass(frozen=True)
class Chapter:
    """The exercises of one chapter. number: such as "04"; name: such as "attention"."""

    number: str
    name: str
    exercises: Path
    checks: Path


def find_tutorials(folder: Path | None = None) -> Path:
    """The folder that holds `exercises/` and `checks/`: `folder`, or the nearest one above the current directory.

    Raises FileNotFoundError when there is none.
    """
    if folder is not None:
        if not _is_tutorials(folder):
            raise FileNotFoundError(
                f"{folder} does not hold the folders exercises and checks. Give the tutorials folder itself."
            )
        return folder
    here = Path.cwd()
    for place in (here, *here.parents):
        for candidate in (place, place / "tutorials"):
            if _is_tutorials(candidate):
                return candidate
    if _is_tutorials(_BESIDE_THE_PACKAGE):
        return _BESIDE_THE_PACKAGE
    raise FileNotFoundError(
        f"There is no tutorials folder in {here} or above it. Run this inside a checkout of minibert, or name the folder "
        "with --folder."
    )


def _is_tutorials(folder: Path) -> bool:
    return (folder / "exercises").is_dir() and (folder / "checks").is_dir()


def find_chapters(tutorials: Path) -> list[Chapter]:
    """All chapters that have exercises, in order."""
    return [
        Chapter(checks.name[:2], checks.stem[3:], tutorials / "exercises" / checks.name, checks)
        for checks in sorted((tutorials / "checks").glob("[0-9][0-9]_*.py"))
    ]


def find_chapter(tutorials: Path, number: str) -> Chapter:
    """A chapter by its number, `4` or `04`. Raises ValueError for one that has no exercises."""
    chapters = find_chapters(tutorials)
    for chapter in chapters:
        if chapter.number == number.zfill(2):
            return chapter
    known = ", ".join(str(int(chapter.number)) for chapter in chapters)
    raise ValueError(f"There are no exercises for chapter {number!r}. Chapters with exercises: {known}.")


def check_chapter(chapter: Chapter, seconds: float = SECONDS) -> list[Outcome]:
    """Run every check of a chapter; none is given more than `seconds`.

    Raises FileNotFoundError for a missing exercise file, ValueError for one that Python cannot run.
    """
    if not chapter.exercises.is_file():
        raise FileNotFoundError(
            f"{chapter.exercises} is missing. Bring it back with `git checkout {chapter.exercises}`."
        )
    checks = open_file(chapter.checks)
    try:
        exercises = open_file(chapter.exercises)
    except (Exception, SystemExit) as error:
        raise ValueError(f"{chapter.exercises} cannot be run: {_what_and_where(error, chapter.exercises)}") from error
    outcomes = []
    for name, check in vars(checks).items():
        if name.startswith("check_"):
            function = getattr(exercises, name.removeprefix("check_"), None)
            outcomes.append(_check(name.removeprefix("check_"), check, function, chapter.exercises, seconds))
    return outcomes


def open_file(path: Path) -> ModuleType:
    """Run a Python file, whatever its name, and return it as a module. No bytecode is kept that could go stale."""
    module = ModuleType(f"course_{path.parent.name}_{path.stem}")
    module.__file__ = str(path)
    exec(compile(path.read_bytes(), str(path), "exec"), module.__dict__)
    return module


def _check(name: str, check: Callable[[Any], str | None], function: Any, path: Path, seconds: float) -> Outcome:
    if not callable(function):
        return Outcome(name, WRONG, f"{path.name} has no function of this name.")
    try:
        hint = _within(seconds, lambda: check(function))
    except NotImplementedError:
        return Outcome(name, BLANK)
    except TooLong:
        return Outcome(name, WRONG, f"It was still running after {seconds:g} seconds. Does a loop never end?")
    except (Exception, SystemExit) as error:
        return Outcome(name, WRONG, f"It stops with {_what_and_where(error, path)}")
    return Outcome(name, PASSED) if hint is None else Outcome(name, WRONG, hint)


def _what_and_where(error: BaseException, path: Path) -> str:
    """The error in a line, with the last line of the exercise file that was on the way to it."""
    if isinstance(error, SyntaxError) and error.filename == str(path):
        return f"SyntaxError in line {error.lineno}: {error.msg}"
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    where = f" in line {lines[-1]}" if lines else ""
    message = str(error).strip().splitlines()
    return f"{type(error).__name__}{where}" + (f": {message[0]}" if message else "")


class TooLong(BaseException):
    """Raised inside work that takes too long. Not an Exception, so that no `except Exception` there keeps it going."""


def _within(seconds: float, work: Callable[[], str | None]) -> str | None:
    """Do `work` in a thread of its own; raise TooLong when it takes longer, there and here."""
    results: list[str | None] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:
            errors.append(error)

    thread = Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        # the one way to end a loop in another thread, on every system
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident or 0), ctypes.py_object(TooLong))
        thread.join(1.0)
        raise TooLong
    if errors:
        raise errors[0]
    return results[0]
