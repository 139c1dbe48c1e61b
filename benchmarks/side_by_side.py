"""The same work in the plain way, the fast way, and by both ways of the newest transformers to attend: a row of the first table."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch

from .harness import Work, duration, race
from .matrices import operations, rates

THEIRS = ("transformers eager", "transformers sdpa")
HEADER = (
    "| task | plain | fast | transformers eager | transformers sdpa | fast, against the faster of these | quartiles | of the matrix rate |\n"
    "|---|--:|--:|--:|--:|--:|--:|--:|"
)


@dataclass(frozen=True)
class SideBySide:
    """Seconds of each contender in each round, and the share of the machine's matrix rate that the fast way reaches."""

    task: str
    times: Mapping[str, list[float]]
    share: float

    @property
    def ratios(self) -> list[float]:
        """How many times as fast as theirs the fast way is, round by round; "theirs" is the way that is the faster in the median."""
        theirs = min(THEIRS, key=lambda name: statistics.median(self.times[name]))
        return [other / ours for ours, other in zip(self.times["fast"], self.times[theirs], strict=True)]

    def __str__(self) -> str:
        medians = " | ".join(duration(statistics.median(self.times[name])) for name in ("plain", "fast", *THEIRS))
        low, _, high = statistics.quantiles(self.ratios, n=4) if len(self.ratios) > 1 else self.ratios * 3
        ratio = statistics.median(self.ratios)
        return f"| {self.task} | {medians} | **{ratio:.2f}×** | {low:.2f}–{high:.2f} | {self.share:.0%} |"


def side_by_side(
    task: str, contenders: Mapping[str, Work], rounds: int, dtype: torch.dtype = torch.float32
) -> SideBySide:
    """Run "plain", "fast" and those of `THEIRS` turn by turn."""
    times = race(contenders, rounds)
    share = operations(contenders["fast"]) / statistics.median(times["fast"]) / max(rates(dtype))
    return SideBySide(task, times, share)


def without_gradients(work: Callable[[], object]) -> Work:
    """For inference."""

    def run() -> None:
        with torch.no_grad():
            work()

    return run
