"""The process that reads spoiled files, one after the other, and tells the other process how it went."""

from __future__ import annotations

import logging
import os
import resource
import signal
import sys
import tempfile
import traceback
import warnings
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random
from typing import Any

from minibert.checkpoints import CheckpointError

from .mutate import spoil
from .readers import READERS

SECONDS_FOR_A_FILE = 10
MEGABYTES = 100  # that a reader may take, beside twice the file
FOUND = Path("build/fuzz")


class HangError(BaseException):
    """Reading took too long. No Exception: nothing may catch it on the way."""


def cases(readers: list[str], first: int, *, end: int | None, only: int | None):
    """(reader, number), readers in turn: for ever, or until the number is `end`."""
    if only is not None:
        yield from ((reader, only) for reader in readers)
        return
    number = first
    while end is None or number < end:
        yield readers[number % len(readers)], number
        number += 1


def try_files(connection: Connection, readers: list[str], first: int, end: int | None, only: int | None) -> None:
    """Runs in the second process: sends ("tries", number), and (outcome, reader, number, what) of each case."""
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")

    def too_long(*_: Any) -> None:
        raise HangError

    signal.signal(signal.SIGPROF, too_long)
    folders = {}
    with tempfile.TemporaryDirectory() as root:
        for name in readers:
            folders[name] = Path(root) / name
            folders[name].mkdir()
            READERS[name].write(folders[name])
            READERS[name].read(folders[name])  # imports what it needs; a good file is read
        sys.stdout = sys.stderr = open(os.devnull, "w")  # noqa: SIM115  # as long as the process
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (_address_space() + (4 << 30), hard))
        for name, number in cases(readers, first, end=end, only=only):
            connection.send(("tries", name, number, ""))
            random = Random(f"{name} {number}")
            path = folders[name] / random.choice(READERS[name].spoiled)
            good = path.read_bytes()
            bad = spoil(good, path.name, random)
            path.write_bytes(bad)
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            signal.setitimer(signal.ITIMER_PROF, SECONDS_FOR_A_FILE)  # of the processor: the machine may be busy
            try:
                READERS[name].read(folders[name])
                outcome, what = "read", ""
            except (CheckpointError, ValueError) as error:
                clear = not isinstance(error, UnicodeError) and len(str(error)) > 15
                outcome, what = ("refused", str(error)) if clear else ("raw", _described(error))
            except HangError:
                outcome, what = "hang", f"over {SECONDS_FOR_A_FILE} s"
            except BaseException as error:
                outcome, what = "raw", _described(error)
            signal.setitimer(signal.ITIMER_PROF, 0)
            grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
            if grown > 2 * len(bad) / 2**20 + MEGABYTES:
                outcome, what = "memory", f"{grown:.0f} MB for a file of {len(bad):,} bytes"
            if outcome not in ("read", "refused"):
                keep(bad, name, number, file=path.name)
            path.write_bytes(good)
            connection.send((outcome, name, number, what))


def _described(error: BaseException) -> str:
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "minibert" in frame.filename]
    where = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{where}: {str(error)[:100]}"


def _address_space() -> int:
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()


def keep(data: bytes, reader: str, number: int, *, file: str) -> None:
    """Keep a spoiled file that was found, under a name that says how to make it again."""
    FOUND.mkdir(parents=True, exist_ok=True)
    (FOUND / f"{reader}-{number}-{file}").write_bytes(data)
