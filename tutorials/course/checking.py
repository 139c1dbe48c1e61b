"""Find the exercises of a chapter, check them, and say which functions pass.

    tutorials/exercises/NN_name.py    functions to write; a blank is `raise NotImplementedError`
    tutorials/checks/NN_name.py       for each function f, check_f(f) → None when it is right, or else a hint

A student's code may loop for ever, exit, or crash Python, and do what no exercise asks for. So each function is checked in a fresh process
(`running.py`) with limits (`limits.py`), which is stopped when the function takes too long: none can spoil the check of another. What
Python cannot read or run of a file costs the functions that need it, and no others.
"""

from __future__ import annotations

import ast
import contextlib
import json
import multiprocessing
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from minibert.visible import visible

from .limits import end_group, without_secrets

PASSED, BLANK, WRONG = "passed", "not written yet", "not right yet"
SECONDS = 20.0  # for one function; a right answer takes well under one, on a slow machine too
SECONDS_AT_THE_TOP = 8.0  # for what a file does before its functions are called
SECONDS_TO_START = 300.0  # for a new process to import torch, from a cold disk too
PRINTED_AT_MOST = 10_000  # characters of what one function prints
NEVER_ENDING_AT_MOST = 3  # statements at the top of a file
LONGEST_MESSAGE = 1 << 24  # bytes
FORKS = sys.platform != "win32"  # then a process that has imported PyTorch makes the fresh ones, in no time


@dataclass(frozen=True)
class Outcome:
    """The result of one function. status: PASSED, BLANK or WRONG; hint: what is wrong, empty unless WRONG."""

    function: str
    status: str
    hint: str = ""

    @property
    def passed(self) -> bool:
        return self.status == PASSED


@dataclass(frozen=True)
class Chapter:
    """The exercises of one chapter. number: such as "04"; name: such as "attention"."""

    number: str
    name: str
    exercises: Path
    checks: Path


def find_chapters(tutorials: Path) -> list[Chapter]:
    """All chapters that have exercises, in order. The checks stand beside the exercises; another edition has those of the folder above."""
    folder = next(each / "checks" for each in (tutorials, tutorials.parent) if (each / "checks").is_dir())
    return [
        Chapter(checks.name[:2], checks.stem[3:], tutorials / "exercises" / checks.name, checks)
        for checks in sorted(folder.glob("[0-9][0-9]_*.py"))
    ]


def find_chapter(tutorials: Path, number: str) -> Chapter:
    """A chapter by its number, `4` or `04`, or its name, `attention`. Raises ValueError for one that has no exercises."""
    chapters, name = find_chapters(tutorials), number.removesuffix(".py")
    name = name.zfill(2) if name.isdecimal() else name
    for chapter in chapters:
        if name in (chapter.number, chapter.name, f"{chapter.number}_{chapter.name}"):
            return chapter
    known = ", ".join(f"{int(chapter.number)} {chapter.name}" for chapter in chapters)
    raise ValueError(f"There are no exercises for chapter {number!r}. Chapters with exercises: {known}.")


def check_chapter(chapter: Chapter, seconds: float = SECONDS) -> list[Outcome]:
    """`Checker.check` in a process for this chapter alone."""
    with Checker([chapter]) as checker:
        return checker.check(chapter, seconds)


def progress_in(chapter: Chapter, checker: Checker) -> dict[str, str | int]:
    """How many functions of a chapter pass, and which is the next to write. An exercise file that cannot be run counts as 0."""
    row: dict[str, str | int] = {"chapter": int(chapter.number), "exercises": chapter.name}
    try:
        outcomes = checker.check(chapter)
    except (OSError, ValueError):
        return {**row, "passed": 0, "of": 0, "next": f"the file cannot be run: minibert check {int(chapter.number)}"}
    left = [outcome for outcome in outcomes if not outcome.passed]
    following = f"{left[0].function}: {left[0].status}" if left else ""
    return {**row, "passed": len(outcomes) - len(left), "of": len(outcomes), "next": following}


class Checker:
    """Checks chapters in processes of their own, which `with` ends: one for each function, on Windows for each chapter."""

    def __init__(self, chapters: Sequence[Chapter] = ()) -> None:
        """chapters: those that will be checked, whose imports are then done once for all of their functions."""
        self._context: Any = multiprocessing.get_context("forkserver" if FORKS else "spawn")
        if FORKS:
            self._context.set_forkserver_preload(sorted({"torch"}.union(*map(_imports_of_checks, chapters))))
        self._process: Any = None
        self._connection: Connection
        self._folder: tempfile.TemporaryDirectory[str]
        self._silent = False  # a file that is run again does not print again
        self._at: int | None = None  # the line of the student's file that is running
        self._skipped = dict[str, str]()  # lines that are not run again → why
        self.troubles = list[str]()

    def __enter__(self) -> Checker:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def warm_up(self) -> None:
        """Start what makes the fresh processes, so that the first check need not wait for it."""
        self._start()
        self._stop()

    def check(self, chapter: Chapter, seconds: float = SECONDS) -> list[Outcome]:
        """`outcomes`, all at once."""
        return list(self.outcomes(chapter, seconds))

    def outcomes(self, chapter: Chapter, seconds: float = SECONDS) -> Iterator[Outcome]:
        """Run every check of a chapter; no function is given more than `seconds`. What a function prints is printed.

        troubles says then what of the file could not be read or run. Raises FileNotFoundError for a missing exercise file, and
        ValueError for checks that cannot be run.
        """
        if not chapter.exercises.is_file():
            raise FileNotFoundError(
                f"{chapter.exercises} is missing. Bring it back with `git checkout {chapter.exercises}`."
            )
        self._silent, self._skipped, self.troubles = False, {}, []
        self._stop()
        for number, function in enumerate(self._open(chapter, seconds)):
            if number and FORKS:
                self._stop()
            try:
                if self._process is None:  # or the function before this one ended it
                    self._silent = True
                    self._open(chapter, seconds)
                    self._silent = False
                status, hint = self._ask("check", function, seconds=seconds)
                if status not in (PASSED, BLANK, WRONG):
                    raise ValueError(f"It answers {status!r}, as no check does.")
            except (_StoppedError, TypeError, ValueError) as ended:  # or an answer that is none of ours
                status, hint = WRONG, str(ended)
            yield Outcome(function, status, str(hint))

    def _open(self, chapter: Chapter, seconds: float) -> list[str]:
        """Run the files of a chapter in the process, which is started where there is none. Returns the functions' names.

        A statement of the student's that never ends, or ends Python, is left out from then on. Raises ValueError where there are many.
        """
        while True:
            try:
                checks = str(chapter.checks.resolve())
                functions: list[str] = self._ask("open_checks", checks, seconds=SECONDS_TO_START)
            except _StoppedError as stopped:
                raise ValueError(f"{checks} cannot be run: {stopped}") from None
            try:
                self._at = None
                exercises = str(chapter.exercises.resolve())
                limit = min(seconds, SECONDS_AT_THE_TOP)
                self.troubles = self._ask("open_exercises", exercises, self._skipped, seconds=limit)
                return functions
            except _StoppedError as stopped:
                if self._at is None or len(self._skipped) == NEVER_ENDING_AT_MOST:
                    raise ValueError(f"{exercises} cannot be run: {stopped}") from None
                self._skipped[str(self._at)] = str(stopped)

    def _ask(self, method: str, *arguments: Any, seconds: float) -> Any:
        """What this method of `Exercises` answers. Raises _StoppedError when the process is gone, or takes too long and is stopped."""
        if self._process is None:
            self._start()
        deadline, printed = time.monotonic() + seconds, 0
        try:
            self._connection.send_bytes(json.dumps([method, *arguments]).encode())
            while (left := deadline - time.monotonic()) > 0 and self._connection.poll(left):
                message = json.loads(self._connection.recv_bytes(LONGEST_MESSAGE))
                if "answer" in message:
                    return message["answer"]
                if "at" in message:
                    self._at = int(message["at"])
                    continue
                text = "" if self._silent else message["printed"][: PRINTED_AT_MOST - printed]
                print(visible(text, keep="\n\t"), end="", flush=True)
                printed = min(PRINTED_AT_MOST, printed + len(message["printed"]))
        except (EOFError, OSError, LookupError, TypeError, ValueError, RecursionError):
            raise _StoppedError(f"It ended Python, with exit code {self._stop(patience=5.0)}.") from None
        self._stop()
        raise _StoppedError(f"It was still running after {seconds:g} seconds. Does a loop never end?")

    def _start(self) -> None:
        self._connection, other_end = self._context.Pipe()  # a fork of this process would share its threads and locks
        self._folder = tempfile.TemporaryDirectory(prefix="minibert-check-", ignore_cleanup_errors=True)
        self._process = self._context.Process(target=_run_exercises, args=(other_end, self._folder.name))
        with without_secrets():
            self._process.start()
        other_end.close()  # so that only the process itself holds it open

    def _stop(self, patience: float = 0.0) -> int | None:
        """End the process, if there is one, and return its exit code. One that is about to end has `patience` seconds."""
        if self._process is None:
            return None
        self._connection.close()
        self._process.join(patience)
        self._process.kill()
        self._process.join()
        end_group(self._process.pid)
        self._folder.cleanup()
        process, self._process = self._process, None
        return int(process.exitcode)


class _StoppedError(Exception):
    """The process has ended or was stopped; the message says why."""


def _imports_of_checks(chapter: Chapter) -> set[str]:
    """What a chapter's checks import at their top, besides `course`."""
    names = set[str]()
    with contextlib.suppress(OSError, SyntaxError, ValueError):  # told when they are run
        for node in ast.parse(chapter.checks.read_bytes()).body:
            names |= {alias.name for alias in node.names} if isinstance(node, ast.Import) else set()
            names |= {node.module or ""} if isinstance(node, ast.ImportFrom) else set()
    return {name for name in names if name and not name.startswith("course")}


def _run_exercises(connection: Connection, folder: str) -> None:
    """What the process does. It imports torch, which the process that shows the results need not."""
    from .running import answer_requests

    answer_requests(connection, folder)
