"""What every training chooses, as plain numbers and text, and the checks of what is chosen."""

import math
import os
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np
from torch import Tensor

from ..config import is_whole_number
from ..optim import SchedulerType


def check_at_least(least: float, **values: float | None) -> None:
    """Raises ValueError for a value that is smaller, infinite, NaN or no number."""
    for name, value in values.items():
        if not isinstance(value, (int, float)):
            raise ValueError(f"{name} is {value!r}; it must be a number of at least {least}.")
        if not least <= value < math.inf:
            raise ValueError(f"{name} is {value}; it must be at least {least}{' and finite' * (value >= least)}.")


def check_whole(least: int, **values: int | None) -> None:
    """`check_at_least`, for what is counted. Raises ValueError."""
    for name, value in values.items():
        if not is_whole_number(value):
            raise ValueError(f"{name} is {value!r}; it must be a whole number of at least {least}.")
    check_at_least(least, **values)


@dataclass(frozen=True, kw_only=True)
class TrainingRecipe:
    """What every training chooses. A run cannot be resumed with another recipe.

    lr: the highest learning rate. schedule: what becomes of it after the warm-up, a name of `SchedulerType`. clip: the largest norm of
    the gradient, 0 for none. accumulate: parts in which a batch is computed; without dropout, the gradient is the batch's up to
    rounding. precision: the floating-point type of matrix products, "float32" or "bfloat16" (autocast). attention: "eager" gives the
    reference's bits; "sdpa" and "packed" are faster with long rows. fast: the same equations with less work (`minibert.fast`), up to rounding.
    """

    lr: float | None
    schedule: str = SchedulerType.LINEAR.value
    weight_decay: float = 0.01
    clip: float = 1.0
    accumulate: int = 1
    precision: str = "float32"
    attention: str = "eager"
    fast: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        for name, value in list(vars(self).items()):
            object.__setattr__(self, name, plain(value))
        check_at_least(
            0, clip=self.clip, weight_decay=self.weight_decay, **({} if self.lr is None else {"lr": self.lr})
        )
        check_whole(1, accumulate=self.accumulate)
        SchedulerType(self.schedule)  # raises ValueError for another name
        if self.precision not in ("float32", "bfloat16"):
            raise ValueError(f"precision is {self.precision!r}; choose float32 or bfloat16.")


def plain(value: Any) -> Any:
    """A value of a recipe as its file holds it, and as it is compared: Python's own numbers and text, sequences as tuples."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, (np.generic, np.ndarray, Tensor)):
        return plain(value.tolist())
    if isinstance(value, dict):
        return {name: plain(each) for name, each in value.items()}
    return tuple(map(plain, value)) if isinstance(value, (list, tuple)) else value
