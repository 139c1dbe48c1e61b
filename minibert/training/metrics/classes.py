"""Metrics for classes: accuracy, F1, Matthews' correlation."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .values import Values, two_arrays

AVERAGES = ("macro", "micro", "binary")


def accuracy(predictions: Values, labels: Values) -> float:
    """The share of examples that are right.

        accuracy = #(prediction = label) / #examples

    predictions, labels: (examples,) of any kind; or (examples, labels) of 0 and 1 for several labels each, where an example
    is right when all of its labels are.
    """
    predicted, true = two_arrays(predictions, labels, (1, 2))
    right = predicted == true
    return float(np.mean(right if right.ndim == 1 else right.all(axis=1)))


def f1(predictions: Values, labels: Values, average: str = "macro", positive: Any = 1) -> float:
    """F1: the harmonic mean of precision and recall.

        F1 = 2 TP / (2 TP + FP + FN)        0 where nothing is predicted, true, or both

    TP: predicted and true; FP: predicted, not true; FN: true, not predicted.

    predictions, labels: (examples,), a class each; or (examples, labels) of 0 and 1, several labels each.
    average: "macro", the mean of every class's F1, the classes being those that occur in either; "micro", F1 of the
        counts of all classes together, which for one class each is the accuracy; "binary", F1 of the class `positive`.
    """
    if average not in AVERAGES:
        raise ValueError(f"average={average!r} is not known. Choose one of {', '.join(map(repr, AVERAGES))}.")
    predicted, true = two_arrays(predictions, labels, (1, 2))
    if average == "binary":
        if predicted.ndim == 2:
            raise ValueError("average='binary' is for one class each. Choose 'macro' or 'micro' for several labels.")
        return float(_f1(*_counts((predicted == positive)[:, None], (true == positive)[:, None]))[0])
    if predicted.ndim == 1:
        classes = np.union1d(predicted, true)
        predicted, true = predicted[:, None] == classes, true[:, None] == classes  # (examples, classes)
    hits, wrong, missed = _counts(predicted != 0, true != 0)
    if average == "micro":
        hits, wrong, missed = (count.sum(keepdims=True) for count in (hits, wrong, missed))
    return float(np.mean(_f1(hits, wrong, missed)))


def _counts(predicted: NDArray[Any], true: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """TP, FP and FN of each column."""
    return (predicted & true).sum(axis=0), (predicted & ~true).sum(axis=0), (~predicted & true).sum(axis=0)


def _f1(hits: NDArray[Any], wrong: NDArray[Any], missed: NDArray[Any]) -> NDArray[Any]:
    everything = 2 * hits + wrong + missed
    return np.where(everything > 0, 2 * hits / np.maximum(everything, 1), 0.0)


def matthews(predictions: Values, labels: Values) -> float:
    """Matthews' correlation: 1 all right, 0 no better than chance, −1 (two classes) all wrong.

        MCC = (c n − Σ_k p_k t_k) / √((n² − Σ_k p_k²) (n² − Σ_k t_k²))

    c: right examples, n: examples, p_k and t_k: how often class k is predicted and true. 0 where all predictions, or all
    labels, are one class. Source: Gorodkin 2004 (many classes); for two it is Matthews 1975.

    predictions, labels: (examples,).
    """
    predicted, true = two_arrays(predictions, labels)
    classes = np.union1d(predicted, true)
    p = [int((predicted == each).sum()) for each in classes]  # Python's numbers: n⁴ does not overflow
    t = [int((true == each).sum()) for each in classes]
    n, c = len(true), int((predicted == true).sum())
    spread = (n * n - sum(k * k for k in p)) * (n * n - sum(k * k for k in t))
    if spread == 0:
        return 0.0
    return float((c * n - sum(a * b for a, b in zip(p, t, strict=True))) / spread**0.5)
