"""Run a student's BERT in processes of its own, one for each part: with the limits of `../limits.py`, and stopped when it takes too long.

The process says what it found in JSON: `{"answer": …}`. What the student's code prints in between goes over as `{"printed": text}`.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import sys
import tempfile
import time
from collections.abc import Mapping
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from minibert.visible import visible

from ..limits import end_group, limit_this_process, without_secrets

SECONDS = 20.0  # of the processor, for one part; a right one takes one to three
SECONDS_AT_THE_TOP = 100.0
LONGER = 6  # times as long by the clock: a busy machine is no mistake, and waiting for nothing ends too
PRINTED_AT_MOST = 10_000  # characters
LONGEST_MESSAGE = 1 << 20  # bytes
FORKS = sys.platform != "win32"  # then a process that has imported torch makes the others, in no time


class StoppedError(Exception):
    """The process has ended or was stopped; the message says why. opened: whether the student's files had been run by then."""

    def __init__(self, why: str, opened: bool):
        super().__init__(why)
        self.opened = opened


def ask(task: str, folder: Path, seconds: float, **more: Any) -> Any:
    """What `TASKS[task]` finds with the student's files in `folder`, in a new process that may compute for so many seconds.

    Raises StoppedError where it does not answer.
    """
    never = "Does a loop never end?"
    context: Any = multiprocessing.get_context("forkserver" if FORKS else "spawn")
    if FORKS:
        context.set_forkserver_preload(["torch", "minibert.public_names"])
    ours, theirs = context.Pipe()
    with tempfile.TemporaryDirectory(prefix="minibert-check-", ignore_cleanup_errors=True) as own:
        process = context.Process(
            target=_answer, args=(theirs, own, {"task": task, "folder": str(folder), "seconds": seconds, **more})
        )
        with without_secrets():
            process.start()
        theirs.close()
        said = set[str]()
        try:
            return _wait_for_answer(ours, LONGER * seconds, said)
        except TimeoutError:
            raise StoppedError(
                f"It was still running after {LONGER * seconds:g} seconds. {never}", "opened" in said
            ) from None
        except (EOFError, OSError):
            process.join(5.0)
            ended = f"It ended Python, with exit code {process.exitcode}."
            if FORKS and process.exitcode == -signal.SIGPROF:
                ended = f"It was still running after {seconds:g} seconds. {never}"
            raise StoppedError(ended, "opened" in said) from None
        finally:
            ours.close()
            process.kill()
            process.join()
            end_group(process.pid)


def _wait_for_answer(connection: Connection, seconds: float, said: set[str]) -> Any:
    """The answer. said: gathers what else the process has said. Raises TimeoutError after so many seconds by the clock, EOFError at the end."""
    deadline, printed = time.monotonic() + seconds, 0
    while (left := deadline - time.monotonic()) > 0 and connection.poll(left):
        try:
            message = json.loads(connection.recv_bytes(LONGEST_MESSAGE))
        except (ValueError, RecursionError):
            raise EOFError from None  # none of ours
        if "answer" in message:
            return message["answer"]
        said.update(message)
        if "started" in message:
            deadline = time.monotonic() + seconds  # importing torch from a cold disk is not the student's time
        text = str(message.get("printed", ""))[: PRINTED_AT_MOST - printed]
        print(visible(text, keep="\n\t"), end="", file=sys.stderr, flush=True)
        printed += len(text)
    raise TimeoutError


def _answer(connection: Connection, own: str, asked: Mapping[str, Any]) -> None:
    """Do one task in this process, which may write in the folder `own`."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that started this one, which then stops it
    os.dup2(2, 1)

    def send(message: dict[str, Any]) -> None:
        connection.send_bytes(json.dumps(message).encode())

    from .tasks import TASKS  # here, since it imports torch

    send({"started": True})
    sys.stdout = _Printed(send)
    limit_this_process(own)
    if FORKS:  # the system itself ends this process then, wherever it is
        signal.setitimer(signal.ITIMER_PROF, asked["seconds"])
    send({"answer": TASKS[asked["task"]](Path(own), asked, lambda: send({"opened": True}))})


class _Printed:
    """A sys.stdout that hands on what is printed."""

    encoding = "utf-8"

    def __init__(self, send: Any):
        self._send = send

    def write(self, text: str) -> int:
        self._send({"printed": text})
        return len(text)

    def flush(self) -> None: ...

    def isatty(self) -> bool:
        return False
