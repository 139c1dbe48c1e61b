"""Predictions and labels as arrays of one shape."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

Values = Any
"""A list, an array or a tensor."""


def array(values: Values, name: str, dimensions: tuple[int, ...] = (1,)) -> NDArray[Any]:
    """Values as an array. Raises ValueError if there are none or they have another number of dimensions."""
    plain = values.detach().cpu().numpy() if isinstance(values, Tensor) else np.asarray(values)
    if plain.ndim not in dimensions:
        wanted = " or ".join(map(str, dimensions))
        raise ValueError(f"{name} must have {wanted} dimensions, and has shape {plain.shape}.")
    if plain.size == 0:
        raise ValueError(f"{name} is empty: there is nothing to score.")
    return plain


def two_arrays(
    predictions: Values, labels: Values, dimensions: tuple[int, ...] = (1,)
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Both as arrays. Raises ValueError if they are of different shapes."""
    predicted, true = array(predictions, "predictions", dimensions), array(labels, "labels", dimensions)
    if predicted.shape != true.shape:
        raise ValueError(f"There are predictions of shape {predicted.shape} for labels of shape {true.shape}.")
    return predicted, true
