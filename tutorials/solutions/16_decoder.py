"""Exercises of chapter 16, BERT as a decoder. Check them with `minibert check 16`."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor


def causal_mask(new: int, past: int) -> Tensor:
    """What each of `new` words may see, behind `past` words that are in the cache: (new, past + new), 1 = may be seen, 0 = may not.

    Every new word sees all of the past, itself and the new words before it. Returns int64.

    10 minutes, medium.
    """
    return torch.ones(new, past + new, dtype=torch.long).tril(past)


def shifted_loss(scores: Tensor, labels: Tensor) -> Tensor:
    """The mean cross-entropy of each word, given the scores at the place before it; a label of −100 asks nothing.

    scores: (batch, seq, vocab). labels: (batch, seq), the words themselves. Returns a tensor of one number.
    `F.cross_entropy` is welcome: it skips −100.

    10 minutes, medium.
    """
    return F.cross_entropy(scores[:, :-1].flatten(0, 1), labels[:, 1:].flatten())


def greedy(next_scores: Callable[[list[int]], Tensor], ids: list[int], longest: int, end: int) -> list[int]:
    """Go on with the likeliest word until the end word has been said, or the text has `longest` words, `ids` included.

    next_scores(ids so far) gives the scores of the next word, (vocab). Returns the whole text, `ids` first and, if it was said, the end
    word last. `ids` itself stays as it is; it is shorter than `longest`.

    15 minutes, medium.
    """
    text = list(ids)
    while len(text) < longest:
        text.append(int(next_scores(text).argmax()))
        if text[-1] == end:
            break
    return text


def top_p(scores: Tensor, p: float) -> Tensor:
    """The probabilities to draw from: of the fewest likeliest words that together have more than p, all others 0. They add up to 1.

    scores: (vocab). 0 < p < 1. Returns (vocab), each word at its own place.

    20 minutes, hard.
    """
    probabilities, order = scores.softmax(-1).sort(descending=True)
    before = probabilities.cumsum(-1) - probabilities  # what the likelier words have together
    kept = torch.zeros_like(scores)
    kept[order] = torch.where(before <= p, probabilities, 0.0)
    return kept / kept.sum()
