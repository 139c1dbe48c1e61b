"""How far apart two tensors are.

    absolute = max |x − y|
    relative = absolute / max |x|
    ulp      = |x − y| / (distance of x to the next float), where they are furthest apart

One unit in the last place is the least by which two floats can differ: 1 to 4 of them are rounding. Relative and ulp
are taken of the whole tensor and at the worst place, since next to 0 any rounding is large beside the number itself.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

HIDDEN = -1000.0
"""A score below is masked: −10000 here and the least float there both become a probability of 0."""


@dataclass(frozen=True)
class Difference:
    """Largest absolute and relative difference, and units in the last place. Infinite where shapes do not fit or one is NaN."""

    absolute: float = 0.0
    relative: float = 0.0
    ulp: float = 0.0

    def beyond(self, tolerance: float) -> bool:
        """Whether it is more than the tolerance both absolutely and beside the largest number: large ones round coarsely."""
        return self.absolute > tolerance and self.relative > tolerance

    def __str__(self) -> str:
        return f"{figure(self.absolute)} ({figure(self.ulp)} ulp)" if self.absolute else "0"


APART = Difference(math.inf, math.inf, math.inf)


@torch.no_grad()
def difference(x: Tensor, y: Tensor, is_mask: bool = False) -> Difference:
    """Compare tensors of any dtype. A batch of 1 stands for any. In a mask any 1 does, and all that hides is equal."""
    dtype = x.dtype if not y.is_floating_point() or _eps(x.dtype) >= _eps(y.dtype) else y.dtype
    x, y = x.detach().to("cpu", torch.float64), y.detach().to("cpu", torch.float64)
    if x.shape[1:] != y.shape[1:] and not is_mask:
        return APART
    try:
        x, y = torch.broadcast_tensors(x, y)
    except RuntimeError:
        return APART
    if x.numel() == 0:
        return Difference()
    if is_mask:
        hidden = (x < HIDDEN) & (y < HIDDEN)
        x, y = x.masked_fill(hidden, 0.0), y.masked_fill(hidden, 0.0)
    same = (x == y) | (x.isnan() & y.isnan())
    apart = (x - y).abs().masked_fill(same, 0.0)
    worst = int(apart.argmax())  # a NaN counts as the largest
    absolute = float(apart.flatten()[worst])
    if not math.isfinite(absolute):
        return APART
    scale = float(x.abs().masked_fill(~x.isfinite(), 0.0).max())
    here = max(abs(float(x.flatten()[worst])), abs(float(y.flatten()[worst])))
    relative = absolute / scale if scale else math.inf if absolute else 0.0
    return Difference(absolute, relative, absolute / _spacing(here, dtype))


def largest(differences: Iterable[Difference]) -> Difference | None:
    """The worst of several, each figure by itself; None where there is nothing to compare."""
    seen = list(differences)
    if not seen:
        return None
    return Difference(max(d.absolute for d in seen), max(d.relative for d in seen), max(d.ulp for d in seen))


def figure(number: float) -> str:
    """Short: 0, 3.1e-07, 2.5, 1983, 1e+06, inf."""
    if number == 0 or number == math.inf:
        return f"{number:.0f}"
    if not 0.1 <= number < 1e5:
        return f"{number:.1e}".replace(".0e", "e")
    return f"{number:.0f}" if number >= 10 else f"{number:.2g}"


def _eps(dtype: torch.dtype) -> float:
    return torch.finfo(dtype).eps if dtype.is_floating_point else 0.0


def _spacing(number: float, dtype: torch.dtype) -> float:
    """The distance between neighbouring floats of this size; 1 between whole numbers."""
    if not dtype.is_floating_point:
        return 1.0
    info = torch.finfo(dtype)
    return info.eps * 2.0 ** (math.frexp(max(number, info.tiny))[1] - 1)
