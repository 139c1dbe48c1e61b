"""The six learning-rate schedules: first the formulas, functions of the step, then what attaches one to an optimizer.

A formula returns the factor that multiplies the learning rate at `step` (counted from 0). It needs no optimizer.

    warmup    steps of warm-up: the factor rises in a straight line from 0, and is 1 at step `warmup`
    total     steps of the whole run, warm-up included

`max(1, …)` keeps a warm-up of 0 steps, or one as long as the run, from dividing by 0. A step may be a fraction.

Reference: `transformers.optimization.get_*` (4.12.5): the functions inside them, their names, arguments and defaults.
"""

import inspect
import math
from collections.abc import Callable
from enum import Enum
from functools import partial
from typing import Any

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR


def constant(step: float) -> float:  # noqa: ARG001
    """1, always."""
    return 1.0


def constant_with_warmup(step: float, warmup: float) -> float:
    """step / warmup, then 1."""
    return step / max(1, warmup) if step < warmup else 1.0


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

    The factor multiplies a group's own learning rate: a group with another rate ends at its share of `lr_end`.
    Source: google-research/bert, `optimization.py`, where power is 1 and lr_end is 0.
    """
    if step < warmup:
        return step / max(1, warmup)
    if step > total or warmup == total:  # the reference divides by 0 at step `total` when all of the run is warm-up
        return lr_end / lr_init
    remaining = 1 - (step - warmup) / (total - warmup)
    decayed = (lr_init - lr_end) * math.pow(remaining, power) + lr_end
    return decayed / lr_init


def get_constant_schedule(optimizer: Optimizer, last_epoch: int = -1) -> LambdaLR:
    """The optimizer's learning rate, unchanged."""
    return attach(constant, optimizer, last_epoch)


def get_constant_schedule_with_warmup(optimizer: Optimizer, num_warmup_steps: int, last_epoch: int = -1) -> LambdaLR:
    """Warm up, then stay."""
    return attach(constant_with_warmup, optimizer, last_epoch, warmup=num_warmup_steps)


def get_linear_schedule_with_warmup(
    optimizer: Optimizer, num_warmup_steps: int, num_training_steps: int, last_epoch: int = -1
) -> LambdaLR:
    """Warm up, then a straight line to 0: the schedule BERT was trained with."""
    return attach(linear, optimizer, last_epoch, warmup=num_warmup_steps, total=num_training_steps)


def get_cosine_schedule_with_warmup(
    optimizer: Optimizer, num_warmup_steps: int, num_training_steps: int, num_cycles: float = 0.5, last_epoch: int = -1
) -> LambdaLR:
    """Warm up, then follow a cosine for `num_cycles` waves; half a wave ends at 0."""
    return attach(cosine, optimizer, last_epoch, warmup=num_warmup_steps, total=num_training_steps, cycles=num_cycles)


def get_cosine_with_hard_restarts_schedule_with_warmup(
    optimizer: Optimizer, num_warmup_steps: int, num_training_steps: int, num_cycles: int = 1, last_epoch: int = -1
) -> LambdaLR:
    """Warm up, then `num_cycles` half-cosines, each starting at the full rate."""
    formula = cosine_with_hard_restarts
    return attach(formula, optimizer, last_epoch, warmup=num_warmup_steps, total=num_training_steps, cycles=num_cycles)


def get_polynomial_decay_schedule_with_warmup(
    optimizer: Optimizer,
    num_warmup_steps: int,
    num_training_steps: int,
    lr_end: float = 1e-7,
    power: float = 1.0,
    last_epoch: int = -1,
) -> LambdaLR:
    """Warm up, then fall to `lr_end` as a polynomial.

    The formula divides by the optimizer's *default* rate, as the reference does, and not by each group's.
    """
    lr_init = optimizer.defaults["lr"]
    if not lr_init > lr_end:
        raise ValueError(f"lr_end={lr_end} must be smaller than the default learning rate, which is {lr_init}.")
    shape = {"lr_init": lr_init, "lr_end": lr_end, "power": power}
    return attach(polynomial_decay, optimizer, last_epoch, warmup=num_warmup_steps, total=num_training_steps, **shape)


def attach(formula: Callable[..., float], optimizer: Optimizer, last_epoch: int, **arguments: float) -> LambdaLR:
    """After each `optimizer.step()`, `scheduler.step()` sets every group's rate to its own times the formula's factor.

    `functools.partial` over a module's function can be pickled (a local one cannot) and adds nothing to `state_dict()`,
    which thus loads in the reference's scheduler, and the reference's here. Raises ValueError for negative step counts.
    """
    for argument, name in (("warmup", "num_warmup_steps"), ("total", "num_training_steps")):
        if arguments.get(argument, 0) < 0:
            raise ValueError(f"{name} must be at least 0, but it is {arguments[argument]}.")
    return LambdaLR(optimizer, partial(formula, **arguments), last_epoch)


class SchedulerType(str, Enum):
    """The schedules by name: `SchedulerType("linear")`."""

    LINEAR = "linear"
    COSINE = "cosine"
    COSINE_WITH_RESTARTS = "cosine_with_restarts"
    POLYNOMIAL = "polynomial"
    CONSTANT = "constant"
    CONSTANT_WITH_WARMUP = "constant_with_warmup"

    @classmethod
    def _missing_(cls, value: object) -> Any:
        raise ValueError(f"{value!r} is not a schedule; choose one of {', '.join(repr(kind.value) for kind in cls)}.")


TYPE_TO_SCHEDULER_FUNCTION: dict[SchedulerType, Callable[..., LambdaLR]] = {
    SchedulerType.LINEAR: get_linear_schedule_with_warmup,
    SchedulerType.COSINE: get_cosine_schedule_with_warmup,
    SchedulerType.COSINE_WITH_RESTARTS: get_cosine_with_hard_restarts_schedule_with_warmup,
    SchedulerType.POLYNOMIAL: get_polynomial_decay_schedule_with_warmup,
    SchedulerType.CONSTANT: get_constant_schedule,
    SchedulerType.CONSTANT_WITH_WARMUP: get_constant_schedule_with_warmup,
}


def get_scheduler(
    name: str | SchedulerType,
    optimizer: Optimizer,
    num_warmup_steps: int | None = None,
    num_training_steps: int | None = None,
) -> LambdaLR:
    """Any of the six by name, with its other arguments at their defaults.

    Raises ValueError for an unknown name, and for a step count that the schedule needs and was not given.
    """
    schedule = SchedulerType(name)
    get = TYPE_TO_SCHEDULER_FUNCTION[schedule]
    counts = {"num_warmup_steps": num_warmup_steps, "num_training_steps": num_training_steps}
    needed = {count: steps for count, steps in counts.items() if count in inspect.signature(get).parameters}
    for count, steps in needed.items():
        if steps is None:
            raise ValueError(f"The {schedule.value!r} schedule needs {count}, counted in steps of the optimizer.")
    return get(optimizer, **needed)
