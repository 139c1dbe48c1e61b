"""A program in a fork of this process: a process of its own, without the seconds in which PyTorch starts.

A process with PyTorch can be forked on Linux alone, and while it has one thread for its numbers, as tests have. Elsewhere Python starts a new one,
which has to find a program by its name: a function of a module, or a `partial` of one.
"""

from __future__ import annotations

import multiprocessing
import os
import runpy
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from tqdm import tqdm

METHOD = "fork" if sys.platform == "linux" else "spawn"
OURS = ("minibert", "course", "tests")

if hasattr(os, "register_at_fork"):
    # tqdm's lock lies in memory that forks share: one that is killed while it has the lock would keep it from all others for ever.
    os.register_at_fork(after_in_child=lambda: tqdm.set_lock(threading.RLock()))


class Fork:
    """A function at work in a fork; what it prints goes to the file `output`. environment: variables that it has besides ours."""

    def __init__(self, program: Callable[[], object], output: Path, environment: Mapping[str, str] | None = None):
        self.output = output
        context: Any = multiprocessing.get_context(METHOD)
        self.process = context.Process(target=_run, args=(program, output, dict(environment or {})))
        self.process.start()

    def end(self, seconds: float = 240) -> tuple[int, str]:
        """Its exit code, below zero where a signal ended it, and all that it printed."""
        self.process.join(seconds)
        if self.process.exitcode is None:
            self.process.kill()
            self.process.join()
        assert self.process.exitcode is not None
        return self.process.exitcode, self.output.read_text(encoding="utf-8")


def company(program: Callable[[], object], output: Path, size: int = 2) -> tuple[list[int], str]:
    """Exit codes and output of the program in several forks that train together: they find each other as torchrun's do."""
    store = dist.TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)
    found = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(store.port), "TORCHELASTIC_USE_AGENT_STORE": "True"}
    ranks = [
        Fork(program, output, {**found, "RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(size)})
        for rank in range(size)
    ]
    ended = [rank.end() for rank in ranks]
    return [code for code, _ in ended], ended[-1][1]


def minibert(words: Sequence[str]) -> Callable[[], object]:
    """The command line with these words."""
    return partial(_command_line, words)


def _command_line(words: Sequence[str]) -> None:
    sys.argv = ["minibert", *words]
    runpy.run_module("minibert", run_name="__main__", alter_sys=True)


def printed_by(code: str, folder: Path) -> str:
    """What a program prints that finds none of our modules loaded. It has to succeed. folder: for its output."""
    ended, output = Fork(partial(_alone, code), folder / "printed.txt").end()
    assert ended == 0, output
    return output


def _alone(code: str) -> None:
    forget_our_modules()
    exec(code, {"__name__": "__main__"})


def forget_our_modules() -> None:
    """As if Python had just begun."""
    for name in [name for name in sys.modules if name.partition(".")[0] in OURS]:
        del sys.modules[name]


def _run(program: Callable[[], object], output: Path, environment: Mapping[str, str]) -> None:
    file = os.open(output, os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    os.dup2(file, 1)
    os.dup2(file, 2)
    sys.stdout, sys.stderr = (open(number, "w", encoding="utf-8", buffering=1, closefd=False) for number in (1, 2))  # noqa: SIM115
    os.environ.update(environment)
    torch.set_num_threads(1)
    program()
