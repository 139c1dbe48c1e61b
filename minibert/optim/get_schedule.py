"""Tie a schedule to an optimizer: after each `optimizer.step()`, `scheduler.step()` sets every group's rate to its own times the factor.

The formulas are in `schedules.py`. `functools.partial` over a module's function can be pickled (a local function cannot),
and adds nothing to `state_dict()`, so a scheduler's state loads in the reference's and the reference's here.

Reference: `transformers.optimization.get_*` (4.12.5): names, arguments, defaults.
"""

from collections.abc import Callable
from enum import Enum
from functools import partial
from typing import Any

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from . import schedules


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
        known = ", ".join(repr(member.value) for member in cls)
        raise ValueError(f"{value!r} is not a schedule; choose one of {known}.")


def get_constant_schedule(optimizer: Optimizer, last_epoch: int = -1) -> LambdaLR:
    """The optimizer's learning rate, unchanged."""
    return LambdaLR(optimizer, schedules.constant, last_epoch)


def get_constant_schedule_with_warmup(optimizer: Optimizer, num_warmup_steps: int, last_epoch: int = -1) -> LambdaLR:
    """Warm up, then stay."""
    check_steps(num_warmup_steps=num_warmup_steps)
    factor = partial(schedules.constant_with_warmup, warmup=num_warmup_steps)
    return LambdaLR(optimizer, factor, last_epoch)


def get_linear_schedule_with_warmup(
    optimizer: Optimizer, num_warmup_steps: int, num_training_steps: int, last_epoch: int = -1
) -> LambdaLR:
    """Warm up, then a straight line to 0: the schedule BERT was trained with."""
    check_steps(num_warmup_steps=num_warmup_steps, num_training_steps=num_training_steps)
    factor = partial(schedules.linear, warmup=num_warmup_steps, total=num_training_steps)
    return LambdaLR(optimizer, factor, last_epoch)


def get_cosine_schedule_with_warmup(
    optimizer: Optimizer, num_warmup_steps: int, num_training_steps: int, num_cycles: float = 0.5, last_epoch: int = -1
) -> LambdaLR:
    """Warm up, then follow a cosine for `num_cycles` waves; half a wave ends at 0."""
    check_steps(num_warmup_steps=num_warmup_steps, num_training_steps=num_training_steps)
    factor = partial(schedules.cosine, warmup=num_warmup_steps, total=num_training_steps, cycles=num_cycles)
    return LambdaLR(optimizer, factor, last_epoch)


def get_cosine_with_hard_restarts_schedule_with_warmup(
    optimizer: Optimizer, num_warmup_steps: int, num_training_steps: int, num_cycles: int = 1, last_epoch: int = -1
) -> LambdaLR:
    """Warm up, then `num_cycles` half-cosines, each starting at the full rate."""
    check_steps(num_warmup_steps=num_warmup_steps, num_training_steps=num_training_steps)
    factor = partial(
        schedules.cosine_with_hard_restarts, warmup=num_warmup_steps, total=num_training_steps, cycles=num_cycles
    )
    return LambdaLR(optimizer, factor, last_epoch)


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
    check_steps(num_warmup_steps=num_warmup_steps, num_training_steps=num_training_steps)
    lr_init = optimizer.defaults["lr"]
    if not lr_init > lr_end:
        raise ValueError(
            f"lr_end={lr_end} must be smaller than the optimizer's default learning rate, which is {lr_init}. "
            "Lower lr_end, or give the optimizer itself (not only its groups) a larger lr."
        )
    factor = partial(
        schedules.polynomial_decay,
        warmup=num_warmup_steps,
        total=num_training_steps,
        lr_init=lr_init,
        lr_end=lr_end,
        power=power,
    )
    return LambdaLR(optimizer, factor, last_epoch)


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
    if schedule is SchedulerType.CONSTANT:
        return get(optimizer)
    if num_warmup_steps is None:
        raise ValueError(f"The {schedule.value!r} schedule needs num_warmup_steps; 0 means no warm-up.")
    if schedule is SchedulerType.CONSTANT_WITH_WARMUP:
        return get(optimizer, num_warmup_steps)
    if num_training_steps is None:
        raise ValueError(f"The {schedule.value!r} schedule needs num_training_steps: all optimizer steps of the run.")
    return get(optimizer, num_warmup_steps, num_training_steps)


def check_steps(**counts: float) -> None:
    """Raise ValueError for a negative number of steps."""
    for name, count in counts.items():
        if count < 0:
            raise ValueError(f"{name} must be at least 0, but it is {count}.")
