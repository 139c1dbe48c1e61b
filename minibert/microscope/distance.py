"""How far apart two tensors are. No reference class: ours.

    absolute = max |x − y|
    relative = absolute / max |x|
    ulp      = |x − y| / (distance of x to the next float), where they are furthest apart

One unit in the last place (ulp) is the least by which two floats can differ: 1 to 4 of them are rounding. Relative is to
the largest of all numbers, since next to 0 any rounding is large beside the number itself.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

MASKED = -1000.0  # a score below is masked: −10000 here and the least float elsewhere both become a probability of 0


@dataclass(frozen=True)
class Distance:
    """Absolute, relative and in ulp; infinite where the shapes do not fit or only one of the two is NaN or infinite."""

    absolute: float = 0.0
    relative: float = 0.0
    ulp: float = 0.0

    def beyond(self, tolerance: float) -> bool:
        """Whether the absolute and the relative difference both exceed the tolerance: large numbers round coarsely."""
        return self.absolute > tolerance and self.relative > tolerance

    def __str__(self) -> str:
        return f"{short(self.absolute)} ({short(self.ulp)} ulp)" if self.absolute else "0"


INFINITE = Distance(math.inf, math.inf, math.inf)


@torch.no_grad()
def distance(x: Tensor, y: Tensor, is_mask: bool = False) -> Distance:
    """The distance of tensors of any dtype. A batch of 1 is broadcast.

    is_mask: every dimension of 1 is broadcast, and all masked scores count as equal.
    """
    coarser = max((x.dtype, y.dtype), key=lambda dtype: torch.finfo(dtype).eps if dtype.is_floating_point else 0.0)
    x, y = x.detach().to("cpu", torch.float64), y.detach().to("cpu", torch.float64)
    if x.shape[1:] != y.shape[1:] and not is_mask:
        return INFINITE
    try:
        x, y = torch.broadcast_tensors(x, y)
    except RuntimeError:
        return INFINITE
    if x.numel() == 0:
        return Distance()
    if is_mask:
        masked = (x < MASKED) & (y < MASKED)
        x, y = x.masked_fill(masked, 0.0), y.masked_fill(masked, 0.0)
    same = (x == y) | (x.isnan() & y.isnan())
    apart = (x - y).abs().masked_fill(same, 0.0)
    worst = int(apart.argmax())  # a NaN counts as the largest
    absolute = float(apart.flatten()[worst])
    if not math.isfinite(absolute):
        return INFINITE
    scale = float(x.abs().masked_fill(~x.isfinite(), 0.0).max())
    relative = absolute / scale if scale else math.inf if absolute else 0.0
    spacing = 1.0  # between neighbouring numbers
    if coarser.is_floating_point:
        info, pair = torch.finfo(coarser), (x.flatten()[worst], y.flatten()[worst])
        spacing = info.eps * 2.0 ** (math.frexp(max(info.tiny, *(abs(float(number)) for number in pair)))[1] - 1)
    return Distance(absolute, relative, absolute / spacing)


def largest(distances: Iterable[Distance]) -> Distance | None:
    """The largest absolute, relative and ulp of several, each by itself; None where there are none."""
    columns = list(zip(*((d.absolute, d.relative, d.ulp) for d in distances), strict=True))
    return Distance(*map(max, columns)) if columns else None


def short(number: float) -> str:
    """A number in few characters: 0, 3.1e-07, 2.5, 1983, 1e+06, inf."""
    if number in (0, math.inf) or 10 <= number < 1e5:
        return f"{number:.0f}"
    return f"{number:.2g}" if 0.1 <= number < 10 else f"{number:.1e}".replace(".0e", "e")
