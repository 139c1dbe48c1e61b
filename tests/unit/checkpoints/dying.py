"""A process that ends, is asked to end, or finds the disk full, at its n-th dealing with the file system."""

from __future__ import annotations

import errno
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

FILE_EVENTS = ("open", "os.", "shutil.", "fcntl.")


def dies_at(moment: int, work: Callable[[], object]) -> bool:
    """Do `work` in a copy of this process that ends without a word before its `moment`-th file event; False if it came to the end.

    What another library writes in one call is one event: it is written, or not yet.
    """

    def end(*_: object) -> None:
        os._exit(9)

    return _in_a_copy(work, _at(moment, end))[0] == 9


def asked_to_end_at(moment: int, work: Callable[[], object]) -> int:
    """The exit code of a copy of this process in which SIGTERM arrives before the `moment`-th file event of `work`."""

    def ask(*_: object) -> None:
        os.kill(os.getpid(), signal.SIGTERM)

    return _in_a_copy(work, _at(moment, ask))[0]


def full_disk_at(moment: int, work: Callable[[], object]) -> str | None:
    """The error of `work` in a copy of this process for which nothing new can be written from its `moment`-th file on; None for none."""
    left = moment

    def refuse(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal left
        writes = event == "os.mkdir" or (event == "open" and arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))
        left -= bool(writes)
        if writes and left <= 0 and arguments[0] != os.devnull:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), arguments[0])

    code, said = _in_a_copy(work, refuse)
    return said if code else None


def _at(moment: int, do: Callable[..., None]) -> Callable[[str, tuple[Any, ...]], None]:
    left = moment

    def count(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal left
        left -= event.startswith(FILE_EVENTS)
        if left == 0 and event.startswith(FILE_EVENTS):
            do(event, arguments)

    return count


def _in_a_copy(work: Callable[[], object], hook: Callable[[str, tuple[Any, ...]], None]) -> tuple[int, str]:
    """How a fork in which `work` is done ended, and the error that it raised."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        code = 0
        try:
            sys.addaudithook(hook)
            work()
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else 1
        except BaseException as error:
            code = 1
            os.write(writing, f"{type(error).__name__}: {error}".encode())
        finally:
            os._exit(code)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        said = pipe.read()
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), said
