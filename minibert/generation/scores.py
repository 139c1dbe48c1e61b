"""The scores of the next word, changed: which words may follow, and how likely each is.

Each function takes scores (rows, vocab), most of them the ids so far (rows, length) too, and returns scores of the same
shape; a forbidden word gets −∞. Reference: the classes of `transformers.generation_logits_process`, to the bit.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class ScoreRules:
    """The options of `generate` that change scores."""

    min_length: int
    temperature: float
    top_k: int
    top_p: float
    repetition_penalty: float
    no_repeat_ngram_size: int
    bad_words_ids: Sequence[Sequence[int]] | None
    eos_token_id: int | None

    def process(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        """Apply the rules of every search: (rows, length) ids, (rows, vocab) scores in and out."""
        if self.repetition_penalty != 1.0:
            scores = penalize_repetition(input_ids, scores, self.repetition_penalty)
        if self.no_repeat_ngram_size > 0:
            scores = forbid_repeated_ngrams(input_ids, scores, self.no_repeat_ngram_size)
        if self.bad_words_ids:
            words = [word for word in self.bad_words_ids if list(word) != [self.eos_token_id]]
            scores = forbid_words(input_ids, scores, words)
        if self.eos_token_id is not None and input_ids.size(1) < self.min_length:
            scores = forbid(scores, [[self.eos_token_id]] * scores.size(0))
        return scores

    def warp(self, scores: Tensor, at_least: int = 1) -> Tensor:
        """Reshape the distribution to draw from: temperature, then the top k, then the top p; `at_least` words stay.

        s / T, for a temperature T below 1, makes the likely likelier; above 1 all evens out (Ackley et al. 1985).
        """
        if self.temperature != 1.0:
            scores = scores / self.temperature
        if self.top_k > 0:
            scores = keep_top_k(scores, max(self.top_k, at_least))
        if self.top_p < 1.0:
            scores = keep_top_p(scores, self.top_p, at_least)
        return scores


def penalize_repetition(input_ids: Tensor, scores: Tensor, penalty: float) -> Tensor:
    """Make words of the text less likely: s / penalty where s ≥ 0, else s · penalty (Keskar et al. 2019, §4.1)."""
    seen = scores.gather(1, input_ids)
    seen = torch.where(seen < 0, seen * penalty, seen / penalty)
    return scores.scatter(1, input_ids, seen)


def forbid_repeated_ngrams(input_ids: Tensor, scores: Tensor, size: int) -> Tensor:
    """Forbid each word that would complete a run of `size` words a second time (Paulus et al. 2018, §2.5)."""
    forbidden = []
    for ids in input_ids.tolist():
        start = tuple(ids[len(ids) - size + 1 :]) if size > 1 else ()
        runs = zip(*(ids[i:] for i in range(size)), strict=False)
        forbidden.append([run[-1] for run in runs if run[:-1] == start])
    return forbid(scores, forbidden)


def forbid_words(input_ids: Tensor, scores: Tensor, bad_words_ids: Sequence[Sequence[int]]) -> Tensor:
    """Forbid the last piece of each bad word where the text ends in its other pieces."""
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
    return scores.masked_fill(mask.to(scores.device), -torch.inf)


def keep_top_k(scores: Tensor, k: int) -> Tensor:
    """Forbid all but the k likeliest words (and those that tie with the last). Source: Fan et al. 2018, §5."""
    least = torch.topk(scores, min(k, scores.size(-1)))[0][..., -1, None]  # (rows, 1)
    return scores.masked_fill(scores < least, -torch.inf)


def keep_top_p(scores: Tensor, p: float, at_least: int = 1) -> Tensor:
    """Keep the fewest likeliest words whose probabilities sum to p or more. Source: Holtzman et al. 2020, §3.1."""
    sorted_scores, order = torch.sort(scores, descending=True)
    beyond = sorted_scores.softmax(dim=-1).cumsum(dim=-1) > p  # (rows, vocab), from the likeliest on
    beyond[..., : at_least - 1] = False
    # The word that crosses p is kept: what is removed begins one position later.
    removed = torch.cat([torch.zeros_like(beyond[..., :1]), beyond[..., :-1]], dim=-1)
    return scores.masked_fill(removed.scatter(1, order, removed), -torch.inf)
