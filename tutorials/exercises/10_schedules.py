"""Exercises of chapter 10, warm-up and schedules. Check them with `minibert check 10`."""

import math
from collections.abc import Callable


def linear(step: int, warmup: int, total: int) -> float:
    """The factor on the learning rate at a step, counted from 0: a straight line from 0 up to 1 at step `warmup`, then
    one down to 0 at step `total`, then 0 for ever. There is at least one step of warm-up, and total > warmup.

    5 minutes, easy.
    """
    raise NotImplementedError


def cosine(step: int, warmup: int, total: int) -> float:
    """The same warm-up, then ½ (1 + cos(π · progress)); progress goes from 0 at step `warmup` to 1 at step `total`.

    5 minutes, easy.
    """
    raise NotImplementedError


def restarts(step: int, warmup: int, total: int, cycles: int) -> float:
    """The same warm-up, then `cycles` falls of a half cosine, each from 1 towards 0, all equally long; 0 from `total` on.

    10 minutes, medium.
    """
    raise NotImplementedError


def rates(peak: float, factor: Callable[[int], float], steps: int) -> list[float]:
    """The learning rates of a training run, one for each optimizer step: the first step uses factor(0).

    3 minutes, easy.
    """
    raise NotImplementedError
