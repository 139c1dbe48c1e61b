"""Metrics for numbers: Pearson's and Spearman's correlation."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .values import Values, two_arrays


def pearson(predictions: Values, labels: Values) -> float:
    """How well a straight line maps one to the other, from −1 to 1.

        r = Σ (x − x̄)(y − ȳ) / √(Σ (x − x̄)² Σ (y − ȳ)²)

    0 where either is constant. predictions, labels: (examples,) finite numbers.
    """
    predicted, true = _numbers(predictions, labels)
    x, y = _centred(predicted), _centred(true)
    spread = float(np.sqrt((x @ x) * (y @ y)))
    return float(np.clip(x @ y / spread, -1.0, 1.0)) if spread > 0 else 0.0


def spearman(predictions: Values, labels: Values) -> float:
    """How well the order of one is the order of the other: Pearson's r of the ranks. Equal numbers share their mean rank.

    0 where either is constant. predictions, labels: (examples,) finite numbers.
    """
    predicted, true = _numbers(predictions, labels)
    return pearson(_ranks(predicted), _ranks(true))


def _numbers(predictions: Values, labels: Values) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    predicted, true = two_arrays(predictions, labels)
    for name, values in (("predictions", predicted), ("labels", true)):
        if not np.isfinite(values).all():
            raise ValueError(f"{name} must be finite numbers; some are infinite or NaN.")
    return predicted.astype(np.float64), true.astype(np.float64)


def _centred(numbers: NDArray[np.float64]) -> NDArray[np.float64]:
    """Differences from the mean, in units of the largest, so that no square overflows or vanishes; 0 for a constant."""
    if numbers.min() == numbers.max():  # the mean of equal numbers need not be that number
        return np.zeros_like(numbers)
    numbers = numbers / np.abs(numbers).max()
    numbers = numbers - numbers.mean()
    return numbers / np.abs(numbers).max()


def _ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)  # the rank, from 1, of the last of each group of equals
    mean = last - (counts - 1) / 2
    return mean[place.reshape(-1)]
