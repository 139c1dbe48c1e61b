"""How many tests run at a time under `pytest -n auto`: one for each core, and on a busy machine more, so that they get most of it; and in what order.

A machine gives each program that wants a core an equal share, so beside many others two processes would take several times as long.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

Test = TypeVar("Test")
MOST = 20
SHARES = 3  # of ours for each of theirs: beside six others, the tests take a tenth less time than with two
FEW_SHARES = 1  # where a process takes seconds to start, with transformers, and has few tests
EACH = 1 << 30  # bytes of memory for a process with PyTorch
READINGS = 9  # of who is running: a moment's burst is no load


def jobs(cores: int, *, all_cores: int, others: float, memory: int, shares: int = SHARES) -> int:
    """cores: those that this process may use, of the machine's `all_cores`. others: how many programs want one. memory: in bytes."""
    wanted = round(cores * (1 + shares * others / all_cores))
    return max(1, min(wanted, memory // EACH, MOST))


def jobs_here(shares: int = SHARES) -> int:
    """The number for this machine as it is now."""
    all_cores = os.cpu_count() or 1
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else all_cores
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") if hasattr(os, "sysconf") else all_cores * EACH
    others = others_running(Path("/proc/loadavg"))
    return jobs(cores, all_cores=all_cores, others=others, memory=memory, shares=shares)


def others_running(loadavg: Path) -> float:
    """How many programs but this one run or wait for a core, as Linux counts them at the moment; elsewhere 0."""
    if not loadavg.exists():
        return 0
    readings = []
    for _ in range(READINGS):
        readings.append(int(loadavg.read_text().split()[3].split("/")[0]) - 1)
        time.sleep(0.02)
    return max(0, statistics.median(readings))


def in_shares(long: Sequence[Test], short: Sequence[Test], processes: int) -> list[Test]:
    """Long and short tests as so many equal shares, one behind the other, each of which begins with its part of the long ones.

    A process that is given a share has none of those left at the end, when there is nobody to take the rest.
    """
    ordered: list[Test] = []
    taken = 0
    for process in range(processes):
        ordered += long[process::processes]
        missing = (process + 1) * (len(long) + len(short)) // processes - len(ordered)
        ordered += short[taken : taken + max(0, missing)]
        taken += max(0, missing)
    return ordered
