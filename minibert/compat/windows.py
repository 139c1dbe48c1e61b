"""Rows cut as the era's Rust tokenizer cut them, and windows over a text that is too long for one. Reference: tokenizers 0.10."""

from typing import Any

from ..tokenization.encoding import EncodeOptions, TruncationStrategy
from ..tokenization.model_input import Ids, ModelInput


def windows_of(
    tokenizer: ModelInput, ids: Ids, pair_ids: Ids | None, options: EncodeOptions
) -> list[tuple[Ids, Ids | None]]:
    """A text or a pair cut to length; with `return_overflowing_tokens`, as windows that repeat the last `stride` tokens.

    "longest_first" cuts the longer text of a pair until both are as long, then both, and the text that was longer (the second
    of two as long) keeps an odd token. Of a pair, one text's windows stand beside the other whole, or beside each of its windows.
    Raises ValueError where nothing would be left of the text to be cut, or no window could hold more than what it repeats.
    """
    how, max_length, excess = options.truncation, options.max_length, tokenizer.excess(ids, pair_ids, options)
    if excess <= 0 or how is TruncationStrategy.DO_NOT_TRUNCATE:
        return [(ids, pair_ids)]
    sizes = [len(ids), len(pair_ids or ())]
    room = sum(sizes) - excess
    cut = int(how is TruncationStrategy.ONLY_SECOND and (pair_ids is not None or tokenizer.is_fast))
    if cut and pair_ids is None:
        raise ValueError("truncation='only_second' cuts the second text of a pair, and this text is alone.")
    if how is TruncationStrategy.LONGEST_FIRST and pair_ids is not None:
        cut, short = int(sizes[0] <= sizes[1]), min(*sizes, max(room, 0) // 2)
        sizes[1 - cut], sizes[cut] = short, room - short
    else:
        sizes[cut] -= excess
    if not options.return_overflowing_tokens:
        if room and sizes[cut] <= 0:
            found = f"truncation={how.value!r} cannot cut {excess} tokens off a text of {sizes[cut] + excess}"
            raise ValueError(
                f"{found}. Raise max_length={max_length}, or cut both texts of a pair with truncation=True."
            )
        first, second = sizes if room else (0, 0)  # nothing but special tokens, where there is room for no other
        return [(ids[:first], None if pair_ids is None else pair_ids[:second])]
    rows: list[list[Any]] = []
    for text, size in zip((ids, pair_ids or []), sizes, strict=True):
        cuts, step = size < len(text), size - options.stride
        if cuts and step <= 0:
            found = f"max_length={max_length} leaves room for {max(size, 0)} tokens of this text in each window"
            raise ValueError(
                f"{found}: it must be more than stride={options.stride}. Raise max_length or lower stride."
            )
        starts = range(0, len(text) - options.stride, step) if cuts else [0]
        rows.append([text[start : start + size] for start in starts])
    firsts, seconds = rows if pair_ids is not None else (rows[0], [None])
    beside = [(first, second) for first in firsts[1:] for second in seconds]
    return [(firsts[0], seconds[0]), *beside, *((firsts[0], second) for second in seconds[1:])]
