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
    if num_labels == 1:
        return "regression"
    if labels.dtype in (torch.int64, torch.int32):
        return "single_label_classification"
    return "multi_label_classification"


def yes_and_no(names: list[str], known: list[str]) -> list[float]:
    """For every known label, in order, 1.0 if it is among a text's labels, and 0.0 if not.

    Raises ValueError for a name that is not known.

    5 minutes, easy.
    """
    for name in names:
        if name not in known:
            raise ValueError(f"{name!r} is not among the labels {known}.")
    return [1.0 if name in names else 0.0 for name in known]


def many_labels_loss(logits: Tensor, targets: Tensor) -> Tensor:
    """The mean over texts and labels of −[y log σ(x) + (1 − y) log(1 − σ(x))], σ(x) = 1 / (1 + e⁻ˣ).

    logits x, targets y: (batch, labels); y is 0.0 or 1.0. x may be large, 30 or 200, where σ(x) as a float is 1: the loss is
    finite all the same. Returns a tensor of one number. Without `F.binary_cross_entropy…` and PyTorch's other losses: the
    point is to write it out. `F.logsigmoid` is welcome.

    15 minutes, hard.
    """
    log_yes, log_no = F.logsigmoid(logits), F.logsigmoid(-logits)  # 1 − σ(x) = σ(−x)
    return -(targets * log_yes + (1 - targets) * log_no).mean()


def correlation(predictions: list[float], labels: list[float]) -> float:
    """Pearson's correlation: Σ (x − x̄)(y − ȳ) / √(Σ (x − x̄)² · Σ (y − ȳ)²), x̄ and ȳ being the means.

    0.0 where the root is 0: all predictions, or all labels, are equal.

    10 minutes, medium.
    """
    mean_x, mean_y = sum(predictions) / len(predictions), sum(labels) / len(labels)
    xs = [x - mean_x for x in predictions]
    ys = [y - mean_y for y in labels]
    spread = math.sqrt(sum(x * x for x in xs) * sum(y * y for y in ys))
    return sum(x * y for x, y in zip(xs, ys, strict=True)) / spread if spread > 0 else 0.0
