"""The six learning-rate schedules, each a pure function of the step.

Every function returns the factor by which the learning rate is multiplied at `step` (counted from 0). They need no optimizer: plot them,
test them, call them with any number. `get_schedule.py` ties them to one.

    warmup    steps of warm-up: the factor rises in a straight line from 0, and is 1 at step `warmup`
    total     steps of the whole run, warm-up included

`max(1, …)` keeps a warm-up of 0 steps, or one as long as the run, from dividing by 0. Fractions of a step are allowed.

Reference: the functions inside `transformers.optimization.get_*_schedule*` (4.12.5).
"""

import math


def constant(step: float) -> float:  # noqa: ARG001
    """1, always."""
    return 1.0


def constant_with_warmup(step: float, warmup: float) -> float:
    """step / warmup, then 1."""
    if step < warmup:
        return step / max(1, warmup)
    return 1.0


def linear(step: float, warmup: float, total: float) -> float:
    """step / warmup, then a straight line down to 0 at `total`, then 0. Source: Devlin et al. 2019, appendix A.2."""
    if step < warmup:
        return step / max(1, warmup)
    return max(0.0, (total - step) / max(1, total - warmup))


def cosine(step: float, warmup: float, total: float, cycles: float = 0.5) -> float:
    """step / warmup, then ½ (1 + cos(2π · cycles · progress)).

    Half a cycle, the default, goes from 1 to 0 once. After `total` the wave goes on: half a cycle rises again.
    Source: Loshchilov & Hutter 2017, equation 5, without restarts.
    """
    if step < warmup:
        return step / max(1, warmup)
    progress = (step - warmup) / max(1, total - warmup)
    return max(0.0, 0.5 * (1.0 + math.cos(math.pi * cycles * 2.0 * progress)))


def cosine_with_hard_restarts(step: float, warmup: float, total: float, cycles: float = 1) -> float:
    """step / warmup, then `cycles` times from 1 down towards 0, jumping back to 1 between; 0 from `total` on.

    Source: Loshchilov & Hutter 2017, equation 5, with all cycles of one length.
    """
    if step < warmup:
        return step / max(1, warmup)
    progress = (step - warmup) / max(1, total - warmup)
    if progress >= 1.0:
        return 0.0
    return max(0.0, 0.5 * (1.0 + math.cos(math.pi * ((cycles * progress) % 1.0))))


def polynomial_decay(
    step: float, warmup: float, total: float, lr_init: float, lr_end: float = 1e-7, power: float = 1.0
) -> float:
    """step / warmup, then from lr_init to lr_end as (1 − progress)^power, then lr_end; all divided by lr_init.

    The factor multiplies a group's own learning rate: a group whose rate is not `lr_init` ends at its share of `lr_end`.
    Source: google-research/bert, `optimization.py`, where power is 1 and lr_end is 0.
    """
    if step < warmup:
        return step / max(1, warmup)
    if step > total or warmup == total:  # the reference divides by 0 at step `total` when all of the run is warm-up
        return lr_end / lr_init
    remaining = 1 - (step - warmup) / (total - warmup)
    decayed = (lr_init - lr_end) * math.pow(remaining, power) + lr_end
    return decayed / lr_init
