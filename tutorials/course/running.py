"""Run one chapter's exercises and checks. `checking.py` starts this in a process of its own, which it can stop.

The two processes talk in JSON: a request is `[method, argument, …]`, and the answer `{"answer": …}` is what that method of
`Exercises` returns. What an exercise prints in between goes over as `{"printed": text}`, and the line of the file that is about to
run as `{"at": line}`.
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

import torch

from .checking import BLANK, PASSED, PRINTED_AT_MOST, WRONG
from .judging import hint_of
from .limits import limit_this_process
from .statements import statements


class Exercises:
    """The checks of a chapter, and the functions that a student wrote for it. about_to_run: told each line of the file before it runs."""

    def __init__(self, about_to_run: Callable[[int], None] = lambda _: None):
        self._about_to_run = about_to_run

    def open_checks(self, path: str) -> list[str]:
        """Run a file of checks. Returns the names of the functions that it checks, in its order."""
        module = _module(Path(path))
        exec(compile(Path(path).read_bytes(), path, "exec", dont_inherit=True), module)  # noqa: S102  # what this process is for: see limits.py
        self._checks = {name.removeprefix("check_"): each for name, each in module.items() if name.startswith("check_")}
        return list(self._checks)

    def open_exercises(self, path: str, skipped: dict[str, str] | None = None) -> list[str]:
        """Run a student's file, statement by statement. Returns what could not be run, a line of text each.

        skipped: line → why the statement that begins there is not run.
        """
        self._path, self._unreadable = Path(path), dict[str, str]()
        self._functions = _module(self._path)
        self._troubles = [f"line {line}: {why}" for line, why in (skipped or {}).items()]
        for statement in statements(self._path.read_bytes()):
            if statement.tree is None:
                self._unreadable[statement.function] = statement.error
                self._troubles.append(f"line {statement.line}: {statement.error}")
            elif str(statement.line) not in (skipped or {}):
                self._about_to_run(statement.line)
                try:
                    code = compile(statement.tree, str(self._path), "exec", dont_inherit=True)  # its own `__future__`
                    exec(code, self._functions)  # noqa: S102
                except BaseException as error:
                    self._troubles.append(f"line {statement.line}: {_what_and_where(error, self._path)}")
        return self._troubles

    def check(self, name: str) -> tuple[str, str]:
        """Check one function. Returns its status, and a hint that is empty unless the status is WRONG."""
        function = self._functions.get(name)
        if not callable(function):
            return WRONG, self._unreadable.get(name) or f"{self._path.name} has no function of this name."
        try:
            hint = hint_of(self._checks[name], function)
        except NotImplementedError as error:
            return self._blank(name, error)
        except BaseException as error:  # SystemExit too: `exit()` in an exercise is a mistake like any other
            hint = f"It stops with {_what_and_where(error, self._path)}"
            if isinstance(error, NameError) and self._troubles:
                hint += f". What could not be run above: {'; '.join(self._troubles)}"
        return (PASSED, "") if hint is None else (WRONG, hint)

    def _blank(self, name: str, error: NotImplementedError) -> tuple[str, str]:
        """The status of a function that is not written, or calls one that is not."""
        last = traceback.extract_tb(error.__traceback__)[-1]
        if last.filename != str(self._path):
            return WRONG, f"It stops with {_what_and_where(error, self._path)}"
        if last.name in (name, getattr(self._functions[name], "__name__", name)):
            return BLANK, ""
        return WRONG, f"It calls `{last.name}`, which is not written yet."


def _module(path: Path) -> dict[str, Any]:
    """What a file at this path is run in. No bytecode is kept that could go stale."""
    module = ModuleType(f"course_{path.parent.name}_{path.stem}")
    module.__file__ = str(path)
    sys.modules[module.__name__] = module  # where a dataclass looks for the names in its types
    return vars(module)


def _what_and_where(error: BaseException, path: Path) -> str:
    """The error in a line, with the last line of the exercise file that was on the way to it."""
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
    printed = _Printed(lambda text: send({"printed": text}))
    sys.stdout = sys.stderr = printed
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for descriptor in (1, 2):  # what goes around sys.stdout, from C or another program, could flood the terminal
        os.dup2(nowhere, descriptor)
    torch.set_num_threads(1)  # an exercise's tensors are small
    limit_this_process(folder)
    exercises = Exercises(lambda line: send({"at": line}))
    while True:
        try:
            method, *arguments = json.loads(connection.recv_bytes())
        except EOFError:
            return
        printed.left = PRINTED_AT_MOST
        send({"answer": getattr(exercises, method)(*arguments)})


class _Printed(io.TextIOBase):
    """A sys.stdout that hands on what is printed, as long as it is not too much. left: how many characters it still takes."""

    def __init__(self, hand_on: Callable[[str], None]):
        self._hand_on = hand_on
        self.left = PRINTED_AT_MOST

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        if self.left > 0:
            self._hand_on(text[: self.left])
            self.left -= len(text)
        return len(text)
