"""What a fork of a test leaves to the process it came from."""

from __future__ import annotations

import os
import signal

import pytest
from tqdm import tqdm


@pytest.mark.skipif(not hasattr(os, "register_at_fork"), reason="this system does not fork")
def test_one_that_is_killed_at_its_progress_bar_takes_no_lock_along() -> None:
    lock = tqdm.get_lock()
    child = os.fork()
    if child == 0:
        tqdm.get_lock().acquire()
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    for each in lock.locks:  # one for threads, and one for processes
        assert each.acquire(timeout=5)
        each.release()
