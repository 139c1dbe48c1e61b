"""Rare classes weigh more: the loss of a batch is the weighted mean over its labels.

    loss = Σ w[y] · −log softmax(logits)[y]  /  Σ w[y]          y: the labels of the batch, w: (classes,)
    balanced:  w[c] = n / (k · n[c])                            n labels to train on, n[c] of them c, k classes among them

Balanced, every class has the same weight in sum, n / k. Scores, and the loss of an evaluation, are not weighted. Equal, to the bit, to
`torch.nn.CrossEntropyLoss(weight=w)`; the balanced weights are scikit-learn's `compute_class_weight("balanced", …)`.
"""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any

import torch
from torch import Tensor

from ..model.checks import IGNORED
from .task import Labels, Row


def classes_of(row: Row) -> list[Any]:
    """The ids of a row's labels; of several labels all of them as one, of a number that. None where a row has no classes."""
    has_choices = isinstance(row["input_ids"][0], list)  # the number of the right one is no class
    found = [] if has_choices else row.get("labels", [])
    labels = found if isinstance(found, list) else [found]
    is_one = any(isinstance(each, float) for each in labels)
    return [tuple(labels)] if is_one else [label for label in labels if label != IGNORED]


def class_weights(given: str | Sequence[float], labels: Labels, rows: Iterable[Row]) -> Tensor:
    """(classes,) weights. given: "balanced"; or numbers in the order of the labels, or by name ("rare=5,rarer=20", the others 1).

    Raises ValueError for anything else, and for a task without classes: several labels, a number, questions.
    """
    given = given.tolist() if hasattr(given, "tolist") else given
    counts = Counter(each for row in rows for each in classes_of(row))
    if not labels.names or not all(isinstance(each, int) for each in counts):
        raise ValueError("class_weights is for one label a text, and for tags: this task has no such classes.")
    if given == "balanced":
        share = counts.total() / len(counts)
        return torch.tensor([share / counts[index] if index in counts else 0.0 for index in range(len(labels))])
    parts = [str(part).rpartition("=") for part in (given.split(",") if isinstance(given, str) else given)]
    names = [name.strip() for name, sign, _ in parts if sign] or list(labels.names)
    weights = dict[str, float]()
    with suppress(ValueError):  # not as many names as numbers, or no number
        weights = dict(zip(names, (float(number) for *_, number in parts), strict=True))
    known = len(weights) == len(names) and weights.keys() <= labels.label2id.keys()
    if not known or not all(0 < weight < math.inf for weight in weights.values()):
        wanted = f"'balanced', {len(labels)} numbers above 0 in the order of the labels, or NAME=NUMBER,…"
        raise ValueError(f"class_weights is {given!r}. Give {wanted}. The labels are {', '.join(labels.names)}.")
    return torch.tensor([weights.get(name, 1.0) for name in labels.names])
