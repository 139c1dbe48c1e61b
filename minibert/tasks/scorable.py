"""Predictions and labels as two arrays that a metric can score, or an error that says why it cannot, and what to do.

Positions of −100, scores where classes belong, names against numbers: arithmetic would give a number for all of them.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..model.checks import IGNORED

Values = Any  # a list, an array or a tensor
Array = NDArray[Any]


def two_arrays(predictions: Values, labels: Values, dimensions: Sequence[int] = (1,)) -> tuple[Array, Array]:
    """Both as arrays. Raises ValueError if they are empty, of different shapes or kinds, or have other than so many dimensions."""
    predicted, true = _array("predictions", predictions), _array("labels", labels)
    for name, array in (("predictions", predicted), ("labels", true)):
        if array.ndim not in dimensions:
            wanted = " or ".join(map(str, dimensions))
            advice = "Of scores take argmax(-1) first; of labels for positions the rows one after the other, without those of -100."
            raise ValueError(f"{name} must have {wanted} dimensions, and has shape {array.shape}. {advice}")
        if array.size == 0:
            raise ValueError(f"{name} is empty: there is nothing to score.")
    if predicted.shape != true.shape:
        advice = " Of scores take argmax(-1) first." if predicted.ndim > true.ndim else ""
        raise ValueError(f"There are predictions of shape {predicted.shape} for labels of shape {true.shape}.{advice}")
    kinds = ["text" if array.dtype.kind == "U" else "numbers" for array in (predicted, true)]
    if kinds[0] != kinds[1]:
        raise ValueError(f"predictions are {kinds[0]} and labels {kinds[1]}: name both, or number both (Labels.ids).")
    return predicted, true


def _array(name: str, values: Values) -> Array:
    if isinstance(values, Tensor):
        values = values.detach().cpu()
        return (values.float() if values.dtype == torch.bfloat16 else values).numpy()  # NumPy has no bfloat16
    try:
        array = np.asarray(values)
    except ValueError as error:
        advice = "Put them one after the other, without positions of -100; tags of sentences are scored by entity_f1."
        raise ValueError(f"{name} has rows of different lengths. {advice}") from error
    if array.dtype.kind in "biuf" or array.size == 0:
        return array
    kinds = {type(each).__name__ for each in np.asarray(values, dtype=object).flat}
    if not kinds <= {"str", "str_"}:
        raise ValueError(f"{name} must be all numbers or all text, and hold {' and '.join(sorted(kinds))}.")
    return array.astype(str)


def two_of_classes(predictions: Values, labels: Values, dimensions: Sequence[int] = (1,)) -> tuple[Array, Array]:
    """Both as arrays of classes: names or whole numbers; in two dimensions, (examples, labels), 0 and 1. Raises ValueError otherwise."""
    arrays = two_arrays(predictions, labels, dimensions)
    for name, array in zip(("predictions", "labels"), arrays, strict=True):
        text = array.dtype.kind == "U"
        if not text and (array == IGNORED).any():
            advice = (
                "keep = labels != -100; then give predictions[keep] and labels[keep]. Entities are scored by entity_f1."
            )
            raise ValueError(f"{name} holds -100, which marks what does not count. Leave it out: {advice}")
        if array.dtype.kind == "f" and not (np.isfinite(array) & (array == np.round(array))).all():
            advice = "Of scores take argmax(-1) first, of probabilities of several labels > 0.5; numbers are scored by pearson."
            raise ValueError(f"{name} must be classes, and holds {array[array != np.round(array)][:1]}. {advice}")
        if array.ndim == 2 and (text or not np.isin(array, (0, 1)).all()):
            advice = "Put labels of positions one after the other; tags of sentences are scored by entity_f1."
            raise ValueError(f"{name} in two dimensions must be 0 or 1, for each label of each example. {advice}")
    return arrays


def two_of_numbers(predictions: Values, labels: Values) -> tuple[Array, Array]:
    """Both as (examples,) finite numbers. Raises ValueError otherwise."""
    arrays = two_arrays(predictions, labels)
    for name, array in zip(("predictions", "labels"), arrays, strict=True):
        if array.dtype.kind == "U" or not np.isfinite(array).all():
            raise ValueError(f"{name} must be finite numbers; some are text, infinite or NaN.")
    return arrays
