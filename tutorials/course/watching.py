"""Wait for files to be saved."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

SECONDS = 0.2  # between two looks


def saved(files: Sequence[Path], wait: Callable[[], None] = lambda: time.sleep(SECONDS)) -> Iterator[Path]:
    """Each file, as often as it is saved: when it has changed, and then stayed as it is for one look."""
    seen = {file: _state(file) for file in files}
    changing: dict[Path, object] = {}
    while True:
        wait()
        for file in files:
            now = _state(file)
            if now != seen[file] and now is not None:  # an editor may take a file away before it writes it anew
                if changing.get(file) == now:
                    seen[file] = now
                    yield file
                changing[file] = now


def _state(file: Path) -> object:
    """What differs after a file was saved; None for a file that is not there."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
