"""Exercises of chapter 12, classification. Check them with `minibert check 12`."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor


def problem_type(num_labels: int, labels: Tensor) -> str:
    """The kind of problem that the labels tell, when nobody has said it.

    One label column means "regression", whatever the labels are. Otherwise labels of dtype int64 or int32 are a class each,
    "single_label_classification", and all others are yes and no for every label, "multi_label_classification".

    5 minutes, easy.
    """
    raise NotImplementedError


def yes_and_no(names: list[str], known: list[str]) -> list[float]:
    """For every known label, in order, 1.0 if it is among a text's labels, and 0.0 if not.

    Raises ValueError for a name that is not known.

    5 minutes, easy.
    """
    raise NotImplementedError


def many_labels_loss(logits: Tensor, targets: Tensor) -> Tensor:
    """The mean over texts and labels of −[y log σ(x) + (1 − y) log(1 − σ(x))], σ(x) = 1 / (1 + e⁻ˣ).

    logits x, targets y: (batch, labels); y is 0.0 or 1.0. x may be large, 30 or 200, where σ(x) as a float is 1: the loss is
    finite all the same. Returns a tensor of one number. Without `F.binary_cross_entropy…` and PyTorch's other losses: the
    point is to write it out. `F.logsigmoid` is welcome.

    15 minutes, hard.
    """
    raise NotImplementedError


def correlation(predictions: list[float], labels: list[float]) -> float:
    """Pearson's correlation: Σ (x − x̄)(y − ȳ) / √(Σ (x − x̄)² · Σ (y − ȳ)²), x̄ and ȳ being the means.

    0.0 where the root is 0: all predictions, or all labels, are equal.

    10 minutes, medium.
    """
    raise NotImplementedError
