"""What `generate` was asked for: every option settled, from the call or else the config, and checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from .processors import (
    MINUS_INFINITY,
    divide_by_temperature,
    forbid_repeated_ngrams,
    forbid_words,
    keep_top_k,
    keep_top_p,
    penalize_repetition,
)


@dataclass(frozen=True)
class GenerationOptions:
    """The options of one call, none of them missing.

    max_length counts the prompt. Raises ValueError for a value out of its range, naming it.
    """

    prompt_length: int
    max_length: int
    max_positions: int
    vocab_size: int
    min_length: int
    do_sample: bool
    temperature: float
    top_k: int
    top_p: float
    num_beams: int
    num_return_sequences: int
    length_penalty: float
    early_stopping: bool
    repetition_penalty: float
    no_repeat_ngram_size: int
    bad_words_ids: Sequence[Sequence[int]] | None
    pad_token_id: int | None
    eos_token_id: int | None
    generator: torch.Generator | None

    def __post_init__(self) -> None:
        if self.prompt_length >= self.max_length:
            raise ValueError(
                f"The prompt has {self.prompt_length} tokens and max_length is {self.max_length}, prompt included: "
                "there is nothing left to generate. Raise max_length, or give max_new_tokens."
            )
        if self.max_length > self.max_positions:
            raise ValueError(
                f"max_length is {self.max_length}, but this model knows {self.max_positions} positions "
                "(config.max_position_embeddings)."
            )
        for name in ("num_beams", "num_return_sequences"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be at least 1.")
        for name in ("min_length", "top_k", "no_repeat_ngram_size"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be at least 0, which turns it off.")
        for name in ("temperature", "repetition_penalty"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be above 0.")
        if not 0 < self.top_p <= 1:
            raise ValueError(f"top_p is {self.top_p}; it must be above 0 and at most 1, which turns it off.")
        if not self.do_sample and self.num_return_sequences > self.num_beams:
            raise ValueError(
                f"num_return_sequences is {self.num_return_sequences}, but a search with num_beams = {self.num_beams} "
                "finds no more than that. Raise num_beams, or sample with do_sample=True."
            )
        for word in self.bad_words_ids or ():
            if not word or any(not 0 <= piece < self.vocab_size for piece in word):
                raise ValueError(
                    f"bad_words_ids holds {list(word)}; a bad word is a list of ids from 0 to {self.vocab_size - 1}."
                )

    def process(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        """Apply the rules that hold for every way of choosing: (rows, length) ids, (rows, vocab) scores in and out."""
        if self.repetition_penalty != 1.0:
            scores = penalize_repetition(input_ids, scores, self.repetition_penalty)
        if self.no_repeat_ngram_size > 0:
            scores = forbid_repeated_ngrams(input_ids, scores, self.no_repeat_ngram_size)
        if self.bad_words_ids:
            words = [word for word in self.bad_words_ids if list(word) != [self.eos_token_id]]
            scores = forbid_words(input_ids, scores, words)
        if self.eos_token_id is not None and input_ids.size(1) < self.min_length:
            scores = scores.index_fill(1, torch.tensor([self.eos_token_id], device=scores.device), MINUS_INFINITY)
        return scores

    def warp(self, scores: Tensor) -> Tensor:
        """Reshape the distribution to draw from: temperature, then the top k, then the top p."""
        at_least = 2 if self.num_beams > 1 else 1  # a beam needs a second way on, should the first one end
        if self.temperature != 1.0:
            scores = divide_by_temperature(scores, self.temperature)
        if self.top_k > 0:
            scores = keep_top_k(scores, max(self.top_k, at_least))
        if self.top_p < 1.0:
            scores = keep_top_p(scores, self.top_p, at_least)
        return scores
