"""Predictions and labels as two arrays that a metric can score, or an error that says why it cannot, and what to do.

Positions of −100, scores where classes belong, names against numbers: arithmetic would give a number for all of them.
"""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..model.checks import IGNORED

Values = Any  # a list, an array or a tensor
Array = NDArray[Any]


_ADVICE = """Of scores take argmax(-1) first, of probabilities of several labels > 0.5. Put the labels of positions one after the other, \
without those of -100: keep = labels != -100. Tags of sentences are scored by entity_f1, numbers by pearson."""


def two_arrays(predictions: Values, labels: Values, dimensions: tuple[int, ...] = (1,), of: str = "") -> list[Array]:
    """Both as arrays. of: "classes", names or whole numbers, or in two dimensions, (examples, labels), 0 and 1; "numbers", finite ones.
    Raises ValueError if they are not that, are empty, of different shapes or kinds, or have other than so many dimensions."""
    arrays = [_array("predictions", predictions), _array("labels", labels)]
    for name, array in zip(("predictions", "labels"), arrays, strict=True):
        if array.size == 0:
            raise ValueError(f"{name} is empty: there is nothing to score.")
        problem = _no_classes(array) if of == "classes" else ""
        if array.ndim not in dimensions:
            problem = f"must have {' or '.join(map(str, dimensions))} dimensions, and has shape {array.shape}"
        elif of == "numbers" and (array.dtype.kind == "U" or not np.isfinite(array).all()):
            problem = "must be finite numbers; some are text, infinite or NaN"
        if problem:
            raise ValueError(f"{name} {problem}. {_ADVICE}")
    ours, theirs = arrays
    if ours.shape != theirs.shape:
        raise ValueError(f"There are predictions of shape {ours.shape} for labels of shape {theirs.shape}. {_ADVICE}")
    if (ours.dtype.kind == "U") != (theirs.dtype.kind == "U"):
        raise ValueError("Either predictions or labels are text, the others numbers: name both, or number both.")
    return arrays


def _array(name: str, values: Values) -> Array:
    if isinstance(values, Tensor):
        values = values.detach().cpu()
        return (values.float() if values.dtype == torch.bfloat16 else values).numpy()  # NumPy has no bfloat16
    try:
        array = np.asarray(values)
        array = np.asarray(array.tolist()) if array.dtype.kind == "O" else array  # pandas's numbers beside text
    except ValueError as error:
        raise ValueError(f"{name} has rows of different lengths. {_ADVICE}") from error
    if array.dtype.kind in "biuf" or array.size == 0:
        return array
    kinds = {type(each).__name__ for each in np.asarray(values, dtype=object).flat}
    if not kinds <= {"str", "str_"}:
        raise ValueError(f"{name} must be all numbers or all text, and hold {' and '.join(sorted(kinds))}.")
    return array.astype(str)


def _no_classes(array: Array) -> str:
    if array.dtype.kind != "U" and (array == IGNORED).any():
        return "holds -100, which marks what does not count"
    if array.dtype.kind == "f" and (odd := array[~(np.isfinite(array) & (array == np.round(array)))]).size:
        return f"must be classes, and holds {odd[:1]}"
    fits = array.ndim < 2 or (array.dtype.kind != "U" and np.isin(array, (0, 1)).all())
    return "" if fits else "in two dimensions must be 0 or 1, for each label of each example"
