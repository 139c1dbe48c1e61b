"""Exercises of chapter 17, proving equivalence. Check them with `minibert check 17`."""

import math

from torch import Tensor


def how_far(x: Tensor, y: Tensor) -> tuple[float, float]:
    """(absolute, relative): the largest |x − y|, and that divided by the largest |x|. x is the one to trust.

    Both are infinite where any number of y is not a number (NaN): such a model must never pass. x and y have one shape; x holds a
    number other than 0, and no NaN.

    10 minutes, medium.
    """
    raise NotImplementedError


def sum_in_pairs(numbers: list[float]) -> float:
    """The sum of the first half plus the sum of the second half, each half summed in the same way, down to single numbers.

    The first half of an odd number of numbers is the smaller one. There is at least one number.

    10 minutes, medium.
    """
    raise NotImplementedError


def stage_at_fault(stages: list[tuple[str, float, float]], tolerance: float) -> str | None:
    """The name of the first stage that gives something else although it is given the same; None if there is none.

    stages: in the order in which they end, for each (its name, how far apart what it takes is, how far apart what it gives is). Apart
    means by more than the tolerance; a distance can be NaN, and that is apart, too.

    10 minutes, medium.
    """
    raise NotImplementedError
