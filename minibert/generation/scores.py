"""The scores of the next word, changed: which words may follow, and how likely each is.

Each function takes scores (rows, vocab), most of them the ids so far (rows, length) too, and returns scores of the same
shape; a forbidden word gets −∞. Reference: the classes of `transformers.generation_logits_process`, to the bit.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

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
    eos_token_id: int | Sequence[int] | None

    @property
    def ends(self) -> tuple[int, ...]:
        """The tokens that end a text."""
        return end_tokens(self.eos_token_id)

    @property
    def at_work(self) -> str:
        """The rules that are on, for a message where they leave no word."""
        names = ("min_length", "temperature", "repetition_penalty", "no_repeat_ngram_size", "bad_words_ids")
        pairs = zip(names, (0, 1.0, 1.0, 0, None), strict=True)
        on = " or ".join(name for name, off in pairs if getattr(self, name) != off)
        again = " Drawn beams are divided by the temperature once more at each word, as in transformers 4.12.5."
        return f"Loosen {on or 'nothing: the model itself gives such scores'}.{again if self.temperature < 1 else ''}"

    def process(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        """Apply the rules of every search: (rows, length) ids, −1 for what is no word, (rows, vocab) scores in and out."""
        if self.repetition_penalty != 1.0:
            scores = penalize_repetition(input_ids, scores, self.repetition_penalty)
        if self.no_repeat_ngram_size > 0:
            scores = forbid_repeated_ngrams(input_ids, scores, self.no_repeat_ngram_size)
        if self.bad_words_ids:
            words = [word for word in self.bad_words_ids if len(word) > 1 or word[0] not in self.ends]
            scores = forbid_words(input_ids, scores, words)
        if self.ends and input_ids.size(1) < self.min_length:
            scores = forbid(scores, [self.ends] * scores.size(0))
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


def end_tokens(eos_token_id: Any) -> tuple[int, ...]:
    """The tokens that end a text: `eos_token_id` names none, one or several."""
    return () if eos_token_id is None else tuple(torch.as_tensor(eos_token_id, device="cpu").unique().tolist())


def check_words_left(best: Tensor, length: int, advice: str) -> None:
    """Raises ValueError unless the best score of every text, (rows,), is finite."""
    if not all(map(math.isfinite, best.tolist())):
        found = f"No word can follow the {length} tokens of a text: all scores are −∞ (forbidden), or one is infinite."
        raise ValueError(f"{found} {advice}")


def penalize_repetition(input_ids: Tensor, scores: Tensor, penalty: float) -> Tensor:
    """Make words of the text less likely: s / penalty where s ≥ 0, else s · penalty (Keskar et al. 2019, §4.1)."""
    input_ids = torch.where(input_ids < 0, input_ids[:, -1:], input_ids)  # no word: the last word once more
    seen = scores.gather(1, input_ids)
    seen = torch.where(seen < 0, seen * penalty, seen / penalty)
    return scores.scatter(1, input_ids, seen)


def forbid_repeated_ngrams(input_ids: Tensor, scores: Tensor, size: int, said: Tensor | None = None) -> Tensor:
    """Forbid each word that would complete a run of `size` words of the text, or of `said` (Paulus et al. 2018, §2.5)."""
    forbidden = []
    for ids, past in zip(input_ids.tolist(), (input_ids if said is None else said).tolist(), strict=True):
        start = tuple(ids[len(ids) - size + 1 :]) if size > 1 else ()
        runs = zip(*(past[i:] for i in range(size)), strict=False)
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
    mask = torch.zeros(scores.shape, dtype=torch.bool, device="cpu")
    for row, row_ids in enumerate(ids):
        mask[row, [index for index in row_ids if index >= 0]] = True  # −1 is no word
    return scores.masked_fill(mask.to(scores.device), -torch.inf)


def keep_top_k(scores: Tensor, k: int, others: float = -torch.inf) -> Tensor:
    """Forbid all but the k likeliest words (and those that tie with the last). Source: Fan et al. 2018, §5."""
    least = torch.topk(scores, min(k, scores.size(-1)))[0][..., -1, None]  # (rows, 1)
    return scores.masked_fill(scores < least, others)


def keep_top_p(scores: Tensor, p: float, at_least: int = 1, *, others: float = -torch.inf) -> Tensor:
    """Keep the fewest likeliest words whose probabilities sum to p or more. Source: Holtzman et al. 2020, §3.1."""
    sorted_scores, order = torch.sort(scores, descending=True)
    beyond = sorted_scores.softmax(dim=-1).cumsum(dim=-1) > p  # (rows, vocab), from the likeliest on
    beyond[..., : at_least - 1] = False
    # The word that crosses p is kept: what is removed begins one position later.
    removed = torch.cat([torch.zeros_like(beyond[..., :1]), beyond[..., :-1]], dim=-1)
    return scores.masked_fill(removed.scatter(1, order, removed), others)
