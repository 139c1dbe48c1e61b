"""What may be said next: functions that change the scores of the next word.

Each takes scores (rows, vocab), most of them the ids so far (rows, length) too, and returns scores of the same shape; a word
that must not come gets −∞. Reference: the classes of `transformers.generation_logits_process`, to the bit.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

MINUS_INFINITY = float("-inf")


def penalize_repetition(input_ids: Tensor, scores: Tensor, penalty: float) -> Tensor:
    """Make words that were said less likely: s / penalty where s ≥ 0, s · penalty where s < 0.

    Source: Keskar et al. 2019, §4.1.
    """
    said = scores.gather(1, input_ids)
    said = torch.where(said < 0, said * penalty, said / penalty)
    return scores.scatter(1, input_ids, said)


def forbid_repeated_ngrams(input_ids: Tensor, scores: Tensor, size: int) -> Tensor:
    """Forbid every word that would complete, for the second time, a run of `size` words. Source: Paulus et al. 2018, §2.5."""
    forbidden = []
    for ids in input_ids.tolist():
        start = tuple(ids[len(ids) - size + 1 :]) if size > 1 else ()
        runs = zip(*(ids[i:] for i in range(size)), strict=False)
        forbidden.append([run[-1] for run in runs if run[:-1] == start])
    return forbid(scores, forbidden)


def forbid_words(input_ids: Tensor, scores: Tensor, bad_words_ids: Sequence[Sequence[int]]) -> Tensor:
    """Forbid the last piece of each bad word where its other pieces have just been said."""
    forbidden = [
        [word[-1] for word in bad_words_ids if ids[len(ids) - len(word) + 1 :] == list(word[:-1])]
        for ids in input_ids.tolist()
    ]
    return forbid(scores, forbidden)


def forbid(scores: Tensor, ids: Sequence[Sequence[int]]) -> Tensor:
    """−∞ for the given ids of each row."""
    mask = torch.zeros(scores.shape, dtype=torch.bool)
    for row, row_ids in enumerate(ids):
        mask[row, list(row_ids)] = True
    return scores.masked_fill(mask.to(scores.device), MINUS_INFINITY)


def divide_by_temperature(scores: Tensor, temperature: float) -> Tensor:
    """s / T: below 1 the likely becomes likelier, above 1 everything evens out. Source: Ackley et al. 1985."""
    return scores / temperature


def keep_top_k(scores: Tensor, k: int) -> Tensor:
    """Forbid all but the k likeliest words (and those that tie with the last). Source: Fan et al. 2018, §5."""
    k = min(k, scores.size(-1))
    least = torch.topk(scores, k)[0][..., -1, None]  # (rows, 1)
    return scores.masked_fill(scores < least, MINUS_INFINITY)


def keep_top_p(scores: Tensor, p: float, at_least: int = 1) -> Tensor:
    """Keep the fewest likeliest words whose probabilities sum to p or more. Source: Holtzman et al. 2020, §3.1."""
    sorted_scores, order = torch.sort(scores, descending=True)
    beyond = sorted_scores.softmax(dim=-1).cumsum(dim=-1) > p  # (rows, vocab), from the likeliest on
    beyond[..., : at_least - 1] = False
    # The word that crosses p still counts: what is removed begins one place later.
    removed = torch.cat([torch.zeros_like(beyond[..., :1]), beyond[..., :-1]], dim=-1)
    return scores.masked_fill(removed.scatter(1, order, removed), MINUS_INFINITY)
