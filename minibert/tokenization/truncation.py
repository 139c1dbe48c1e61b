"""Cut sequences to length. Reference: `PreTrainedTokenizerBase.truncate_sequences`."""

from __future__ import annotations

import logging
from typing import TypeVar

from .strategies import TruncationStrategy

logger = logging.getLogger(__name__)

T = TypeVar("T")  # what is cut: ids, or tokens with their places in the text


def truncate(
    ids: list[T], pair_ids: list[T] | None, num_tokens_to_remove: int, strategy: TruncationStrategy, stride: int
) -> tuple[list[T], list[T] | None, list[T]]:
    """Cut tokens off the end of one or both sequences. Returns both, and the tokens cut off.

    "only_first" and "only_second" cut that sequence; when it is too short for that, nothing is cut and an error is
    logged. "longest_first" cuts whichever is longer, token by token (the second when both are as long); of a pair,
    it returns no overflow. The overflow begins with `stride` tokens that were kept.
    """
    if num_tokens_to_remove <= 0 or strategy is TruncationStrategy.DO_NOT_TRUNCATE:
        return ids, pair_ids, []
    if strategy is TruncationStrategy.ONLY_SECOND:
        if pair_ids is None:
            return ids, pair_ids, []
        pair_ids, overflow = _cut(pair_ids, num_tokens_to_remove, strategy, stride)
    elif strategy is TruncationStrategy.ONLY_FIRST or pair_ids is None:
        ids, overflow = _cut(ids, num_tokens_to_remove, strategy, stride)
    else:
        first, second = len(ids), len(pair_ids)
        for _ in range(num_tokens_to_remove):
            if first > second:
                first -= 1
            else:
                second = max(second - 1, 0)
        ids, pair_ids, overflow = ids[:first], pair_ids[:second], []
    return ids, pair_ids, overflow


def _cut(tokens: list[T], count: int, strategy: TruncationStrategy, stride: int) -> tuple[list[T], list[T]]:
    if len(tokens) <= count:
        logger.error(
            "truncation=%r cannot cut %d tokens off a sequence of %d: nothing is cut. Choose another strategy or a larger "
            "max_length.",
            strategy.value,
            count,
            len(tokens),
        )
        return tokens, []
    return tokens[:-count], tokens[-min(len(tokens), stride + count) :]
