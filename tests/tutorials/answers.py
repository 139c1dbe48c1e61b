"""Answers of students, put in the place of a solution and judged in this process: quick enough for hundreds of them."""

from __future__ import annotations

import ast
import signal
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import NamedTuple

from course.running import Exercises
from tests.tutorials.places import TUTORIALS, open_module

SECONDS = 2.0  # of computing, for an answer that never ends
CHAPTERS = [path.stem for path in sorted((TUTORIALS / "solutions").glob("*.py"))]


class Outcome(NamedTuple):
    status: str
    hint: str


class Answer(NamedTuple):
    """One answer: to which function of which chapter, the whole file with it, and what tells it apart in a list."""

    chapter: str
    function: str
    text: str
    label: str


class Answers(NamedTuple):
    """A chapter's answers: small changes of the solution with words of the hint, written ones with words of the hint, and right ones."""

    planted: list[tuple[str, str, str, str]]
    written: list[tuple[str, str, str]]
    right: list[tuple[str, str]]


@cache
def answers_of(chapter: str) -> Answers:
    module = open_module(Path(__file__).parent / "planted" / f"{chapter}.py")
    return Answers(module.PLANTED, module.WRITTEN, module.RIGHT)


@cache
def solution(chapter: str) -> str:
    return (TUTORIALS / "solutions" / f"{chapter}.py").read_text(encoding="utf-8")


def functions(text: str) -> dict[str, ast.FunctionDef]:
    return {node.name: node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)}


def lines_below_docstring(chapter: str, function: str) -> tuple[int, int]:
    """Where a solution's body begins and ends, in lines counted from 0; the docstring may say the same in words."""
    node = functions(solution(chapter))[function]
    return node.body[0].end_lineno or 0, node.end_lineno or 0


def with_body(chapter: str, function: str, body: str) -> str:
    """The chapter's solutions with another body of one function, which may use NumPy."""
    lines = solution(chapter).splitlines(keepends=True)
    start, end = lines_below_docstring(chapter, function)
    body = textwrap.indent(textwrap.dedent(body).strip() + "\n", "    ")
    return "".join(["import math, torch, numpy as np\n", *lines[:start], body, *lines[end:]])


def with_change(chapter: str, function: str, right: str, wrong: str) -> str:
    """The chapter's solutions with a change in the body of one function."""
    lines = solution(chapter).splitlines(keepends=True)
    start, end = lines_below_docstring(chapter, function)
    body = "".join(lines[start:end])
    assert right in body, f"{right!r} does not stand in {function}"
    return "".join([*lines[:start], body.replace(right, wrong), *lines[end:]])


@cache
def opened(chapter: str) -> Exercises:
    exercises = Exercises()
    exercises.open_checks(str(TUTORIALS / "checks" / f"{chapter}.py"))
    return exercises


def judged(answer: Answer, folder: Path) -> Outcome:
    """What the check of its function says to an answer."""
    path = folder / f"{answer.chapter}.py"
    path.write_text(answer.text, encoding="utf-8")
    exercises = opened(answer.chapter)
    with _at_most(SECONDS):
        exercises.open_exercises(str(path))
        return Outcome(*exercises.check(answer.function))
    return Outcome("not right yet", "It was still running")


class _TooLongError(BaseException):
    pass


@contextmanager
def _at_most(seconds: float) -> Iterator[None]:
    """End what runs inside after so many seconds: its error is caught here, or told as its hint."""

    def ring(*_: object) -> None:
        raise _TooLongError("It was still running")

    before = signal.signal(signal.SIGVTALRM, ring)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    except _TooLongError:
        pass
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
