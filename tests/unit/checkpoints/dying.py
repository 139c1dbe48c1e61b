"""A process that ends, as by SIGKILL, at its n-th dealing with the file system."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

FILE_EVENTS = ("open", "os.", "shutil.", "fcntl.")


def dies_at(moment: int, work: Callable[[], object]) -> bool:
    """Do `work` in a copy of this process that ends without a word before its `moment`-th file event; False if it came to the end.

    What another library writes in one call is one event: it is written, or not yet.
    """
    child = os.fork()
    if child == 0:
        left = moment

        def count(event: str, _: object) -> None:
            nonlocal left
            left -= event.startswith(FILE_EVENTS)
            if left == 0:
                os._exit(9)

        sys.addaudithook(count)
        try:
            work()
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
