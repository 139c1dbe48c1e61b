"""Time several ways of doing the same work, turn by turn in one run, and say how many times as fast one is as another.

Turns alternate, so that a machine that slows down slows all of them; each round gives one ratio, and what is reported is the
median ratio with its quartiles, which a few disturbed rounds do not move.
"""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

Work = Callable[[], object]


@dataclass(frozen=True)
class Row:
    """One comparison: the task, whom against, seconds of each, and the ratio theirs / ours with its quartiles."""

    task: str
    other: str
    ours: float
    theirs: float
    ratio: float
    low: float
    high: float

    def __str__(self) -> str:
        return (
            f"| {self.task} | {self.other} | {duration(self.ours)} | {duration(self.theirs)} | "
            f"**{self.ratio:.2f}×** | {self.low:.2f}–{self.high:.2f} |"
        )


HEADER = "| task | against | minibert | other | speed-up | quartiles |\n|---|---|--:|--:|--:|--:|"


def race(contenders: Mapping[str, Work], rounds: int, warm_up: int = 1) -> dict[str, list[float]]:
    """Seconds of every contender in every round; the order turns round by round."""
    times: dict[str, list[float]] = {name: [] for name in contenders}
    names = list(contenders)
    for turn in range(-warm_up, rounds):
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            gc.collect()
            start = time.perf_counter()
            contenders[name]()
            taken = time.perf_counter() - start
            if turn >= 0:
                times[name].append(taken)
    return times


def compare(task: str, times: Mapping[str, list[float]], ours: str, other: str) -> Row:
    """How many times as fast `ours` is as `other`, round by round."""
    ratios = sorted(theirs / mine for mine, theirs in zip(times[ours], times[other], strict=True))
    low, _, high = statistics.quantiles(ratios, n=4)
    return Row(
        task,
        other,
        statistics.median(times[ours]),
        statistics.median(times[other]),
        statistics.median(ratios),
        low,
        high,
    )


def duration(seconds: float) -> str:
    """A time in the unit that reads best."""
    return f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1e3:.1f} ms"
