"""Exercises of chapter 19, sentence vectors. Check them with `minibert check 19`."""

import torch
import torch.nn.functional as F
from torch import Tensor


def mean_pool(hidden_states: Tensor, attention_mask: Tensor) -> Tensor:
    """The mean of the real tokens' vectors, for each text.

    hidden_states: (batch, seq, hidden). attention_mask: (batch, seq) of 1 for real tokens and 0 for padding, which may stand anywhere.
    Returns (batch, hidden); 0 for a text without a real token.

    10 minutes, medium.
    """
    mask = attention_mask[:, :, None].to(hidden_states.dtype)  # (batch, seq, 1)
    return (hidden_states * mask).sum(1) / mask.sum(1).clamp(min=1)


def max_pool(hidden_states: Tensor, attention_mask: Tensor) -> Tensor:
    """The largest number of each dimension among the real tokens, for each text. It may be below 0.

    hidden_states: (batch, seq, hidden). attention_mask: (batch, seq), with a 1 in every row. Returns (batch, hidden).

    10 minutes, medium.
    """
    return hidden_states.masked_fill(attention_mask[:, :, None] == 0, -torch.inf).amax(1)


def contrast_loss(firsts: Tensor, seconds: Tensor, temperature: float) -> Tensor:
    """The mean over the firsts of −log p(its own second), p = softmax over all seconds of the batch of cosine / temperature.

    firsts, seconds: (batch, hidden), of any length; row i of one belongs to row i of the other. Returns a tensor of one number.
    `F.normalize` and `F.cross_entropy` are welcome.

    15 minutes, medium.
    """
    cosines = F.normalize(firsts, dim=-1) @ F.normalize(seconds, dim=-1).T  # (batch, batch)
    return F.cross_entropy(cosines / temperature, torch.arange(len(firsts)))


def mean_reciprocal_rank(scores: Tensor) -> float:
    """The mean over the questions of 1 / rank of the right candidate: 1.0 where it always comes first.

    scores: (questions, questions); the right candidate of question i is candidate i. Its rank is 1 and the number of candidates with a
    higher score than its own.

    10 minutes, medium.
    """
    higher = (scores > scores.diagonal()[:, None]).sum(1)  # (questions)
    return float((1 / (1 + higher)).mean())
