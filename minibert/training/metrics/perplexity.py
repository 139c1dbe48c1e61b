"""The metric for words: perplexity."""

from __future__ import annotations

import math

import numpy as np

from .values import Values, two_arrays


def perplexity(losses: Values, counts: Values | None = None) -> float:
    """Between how many words, all as likely, the model would be as unsure.

        perplexity = exp(Σ_i n_i loss_i / Σ_i n_i)

    losses: (batches,), each the mean −log p(word) of a batch, in nats. counts: (batches,), the words n_i that each mean is of; None
    where all have the same. A batch of no words counts for nothing, whatever its loss (a mean of nothing is NaN).
    Infinite where that is the answer. Raises ValueError if there is no word at all.
    """
    means, words = two_arrays(losses, np.ones(len(losses)) if counts is None else counts)
    words = words.astype(np.float64)
    if (words < 0).any() or not words.sum() > 0:
        raise ValueError("counts must be at least 0 and not all 0: there are no words to score.")
    counted = words > 0
    mean = float(np.average(means[counted].astype(np.float64), weights=words[counted]))
    try:
        return math.exp(mean)
    except OverflowError:
        return math.inf
