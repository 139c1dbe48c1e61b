"""Run one chapter's exercises and checks. `checking.py` starts this in a process of its own, which it can stop.

The two processes talk in JSON: a request is `[method, argument]`, and the answer `{"answer": …}` is what that method of
`Exercises` returns. What an exercise prints in between goes over as `{"printed": text}`.
"""

from __future__ import annotations

import io
import json
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from types import ModuleType
from typing import Any

from .limits import limit_this_process

PASSED, BLANK, WRONG = "passed", "not written yet", "not right yet"


class Exercises:
    """The checks of a chapter, and the functions that a student wrote for it."""

    def open_checks(self, path: str) -> list[str]:
        """Run a file of checks. Returns the names of the functions that it checks, in its order."""
        checks = vars(open_file(Path(path)))
        self._checks = {
            name.removeprefix("check_"): check for name, check in checks.items() if name.startswith("check_")
        }
        return list(self._checks)

    def open_exercises(self, path: str) -> str | None:
        """Run a student's file. Returns None, or the error that it stops with."""
        self._path = Path(path)
        try:
            self._functions = vars(open_file(self._path))
        except BaseException as error:
            return _what_and_where(error, self._path)
        return None

    def check(self, name: str) -> tuple[str, str]:
        """Check one function. Returns its status, and a hint that is empty unless the status is WRONG."""
        function = self._functions.get(name)
        if not callable(function):
            return WRONG, f"{self._path.name} has no function of this name."
        try:
            hint = self._checks[name](function)
        except NotImplementedError:
            return BLANK, ""
        except BaseException as error:  # SystemExit too: `exit()` in an exercise is a mistake like any other
            return WRONG, f"It stops with {_what_and_where(error, self._path)}"
        return (PASSED, "") if hint is None else (WRONG, hint)


def open_file(path: Path) -> ModuleType:
    """Run a Python file, whatever its name, and return it as a module. No bytecode is kept that could go stale."""
    module = ModuleType(f"course_{path.parent.name}_{path.stem}")
    module.__file__ = str(path)
    exec(compile(path.read_bytes(), str(path), "exec"), module.__dict__)  # noqa: S102  # what this process is for: see limits.py
    return module


def _what_and_where(error: BaseException, path: Path) -> str:
    """The error in a line, with the last line of the exercise file that was on the way to it."""
    if isinstance(error, SyntaxError) and error.filename == str(path):
        return f"SyntaxError in line {error.lineno}: {error.msg}"
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    where = f" in line {lines[-1]}" if lines else ""
    message = str(error).strip().splitlines()
    return f"{type(error).__name__}{where}" + (f": {message[0]}" if message else "")


def answer_requests(connection: Connection, folder: str) -> None:
    """Answer one request after another until the other process closes its end. Runs in the process of the exercises, which may write in `folder`."""
    one_at_a_time = threading.Lock()

    def send(message: dict[str, Any]) -> None:
        with one_at_a_time:
            connection.send_bytes(json.dumps(message).encode())

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that started this one, which then stops it
    os.dup2(2, 1)  # so that what is printed around sys.stdout, by C or another program, stays out of the command's JSON
    sys.stdout = _Printed(lambda text: send({"printed": text}))
    limit_this_process(folder)
    exercises = Exercises()
    while True:
        try:
            method, argument = json.loads(connection.recv_bytes())
        except EOFError:
            return
        send({"answer": getattr(exercises, method)(argument)})


class _Printed(io.TextIOBase):
    """A sys.stdout that hands on what is printed."""

    def __init__(self, hand_on: Callable[[str], None]):
        self._hand_on = hand_on

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self._hand_on(text)
        return len(text)
