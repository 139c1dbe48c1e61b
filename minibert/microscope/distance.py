"""How far apart two tensors are. No reference class: ours.

    absolute = max |x − y|
    relative = absolute / max |x|
    ulp      = |x − y| / (distance of x to the next float), where they are furthest apart

One unit in the last place (ulp) is the least by which two floats can differ: 1 to 4 of them are rounding. Relative is to
the largest of all numbers, since next to 0 any rounding is large beside the number itself.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

MASKED = -1000.0  # a score below is masked: −10000 here and the least float elsewhere both become a probability of 0


@dataclass(frozen=True)
class Distance:
    """Absolute, relative and in ulp; infinite, and `why`, where shapes do not fit or only one of the two is NaN or infinite."""

    absolute: float = 0.0
    relative: float = 0.0
    ulp: float = 0.0
    why: str = field(default="", compare=False)

    def beyond(self, tolerance: float) -> bool:
        """Whether the absolute and the relative difference both exceed the tolerance: large numbers round coarsely."""
        return self.absolute > tolerance and self.relative > tolerance

    def __str__(self) -> str:
        if self.why:
            return self.why
        return f"{short(self.absolute)} ({short(self.ulp)} ulp)" if self.absolute else "0"


def infinite(why: str) -> Distance:
    """Where no number tells how far."""
    return Distance(math.inf, math.inf, math.inf, why=why)


INFINITE = infinite("nothing to compare with")


@torch.no_grad()
def distance(x: Tensor, y: Tensor, is_mask: bool = False) -> Distance:
    """The distance of tensors of any dtype. Axes of size 1 may stand anywhere or be missing; a batch of 1 is broadcast.

    is_mask: every dimension of 1 is broadcast, and all masked scores count as equal.
    """
    why = f"shapes {tuple(x.shape)} and {tuple(y.shape)}"
    floats = [z.dtype for z in (x, y) if z.is_floating_point() or z.is_complex()]
    x, y = x.detach().cpu(), y.detach().cpu()
    if x.is_complex() or y.is_complex():
        x, y = (torch.view_as_real(z.to(torch.complex128).resolve_conj()) for z in (x, y))
    x, y = (z.to(torch.float64 if floats else torch.int64) for z in (x, y))
    if not is_mask and x.squeeze().shape == y.squeeze().shape:
        x, y = x.squeeze(), y.squeeze()
    elif x.shape[1:] != y.shape[1:] and not is_mask:
        return infinite(why)
    try:
        x, y = torch.broadcast_tensors(x, y)
    except RuntimeError:
        return infinite(why)
    if x.numel() == 0:
        return Distance()
    if is_mask:
        masked = (x < MASKED) & (y < MASKED)
        x, y = x.masked_fill(masked, 0.0), y.masked_fill(masked, 0.0)
    same = (x == y) | (x.isnan() & y.isnan())
    apart = (x.double() - y).abs().masked_fill(same, 0.0)
    if not floats:  # beyond 2⁵³ not every integer is a float64; far apart, their difference may be no int64
        apart = torch.where(apart < 2**53, (x - y).abs(), apart)
    worst = int(apart.argmax())  # a NaN counts as the largest
    absolute = float(apart.flatten()[worst])
    if not math.isfinite(absolute):
        numbers = [float(z.flatten()[worst]) for z in (x, y)]
        return infinite("{} in a and {} in b".format(*("NaN" if n != n else short(n) for n in numbers)))
    scale = float(x.double().abs().masked_fill(~x.isfinite(), 0.0).max())
    relative = absolute / scale if scale else math.inf if absolute else 0.0
    spacing = 1.0  # between neighbouring numbers
    if floats:
        info = max(map(torch.finfo, floats), key=lambda info: info.eps)  # the coarser of the two
        larger = max(info.tiny, *(abs(float(z.flatten()[worst])) for z in (x, y)))
        spacing = info.eps * 2.0 ** (math.frexp(larger)[1] - 1)
    return Distance(absolute, relative, absolute / spacing)


def largest(distances: Iterable[Distance]) -> Distance | None:
    """The largest absolute, relative and ulp of several, each by itself; None where there are none."""
    found = list(distances)
    columns = zip(*((d.absolute, d.relative, d.ulp) for d in found), strict=True)
    why = next((d.why for d in found if d.why), "")
    return replace(Distance(*map(max, columns)), why=why) if found else None


def short(number: float) -> str:
    """A number in few characters: 0, 3.1e-07, 2.5, 1983, 1e+06, inf."""
    if number in (0, math.inf) or 10 <= number < 1e5:
        return f"{number:.0f}"
    return f"{number:.2g}" if 0.1 <= number < 10 else f"{number:.1e}".replace(".0e", "e")
