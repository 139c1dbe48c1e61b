"""One word after the other: the likeliest (greedy search), or one drawn by its probability (sampling).

    greedy:    word = argmax scores
    sampling:  word ~ softmax(scores / T), among the top k and the top p

A text that has said its end token is padded until all have. Reference: `greedy_search` and `sample` of `GenerationMixin`.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from .next_word import NextWord
from .options import GenerationOptions


def likeliest(_options: GenerationOptions, scores: Tensor) -> Tensor:
    """(rows, vocab) scores → (rows,) ids."""
    return scores.argmax(dim=-1)


def drawn(options: GenerationOptions, scores: Tensor) -> Tensor:
    """(rows, vocab) scores → (rows,) ids, drawn by their probability. Source: Holtzman et al. 2020, §2."""
    probabilities = options.warp(scores).softmax(dim=-1)
    return torch.multinomial(probabilities, num_samples=1, generator=options.generator).squeeze(1)


def token_by_token(
    next_word: NextWord,
    input_ids: Tensor,
    options: GenerationOptions,
    on_tokens: Callable[[Tensor], None] | None = None,
) -> Tensor:
    """Go on from (rows, prompt) ids until every row has ended or has `max_length` words: (rows, at most max_length).

    on_tokens: called with each step's words, (rows,).
    """
    choose = drawn if options.do_sample else likeliest
    unfinished = torch.ones(input_ids.size(0), dtype=torch.bool, device=input_ids.device)
    while input_ids.size(1) < options.max_length and bool(unfinished.any()):
        scores = options.process(input_ids, next_word(input_ids))
        tokens = choose(options, scores)
        if options.eos_token_id is not None:
            assert options.pad_token_id is not None
            tokens = tokens.masked_fill(~unfinished, options.pad_token_id)
            unfinished = unfinished & (tokens != options.eos_token_id)
        input_ids = torch.cat([input_ids, tokens[:, None]], dim=1)
        if on_tokens is not None:
            on_tokens(tokens)
    return input_ids
