"""Rows whose tokens know where they came from, and long texts cut into overlapping windows.

    text → aligned tokens → cut, or windows → [CLS] … [SEP] → padded `Encoding`

The same rows as `Assembly` makes, on tokens instead of ids.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from .alignment import align_text, align_words
from .encoding import AlignedToken, Encoding
from .splitting import Splitting
from .strategies import EncodeOptions, TruncationStrategy

Words: TypeAlias = str | Sequence[str]
Aligned: TypeAlias = tuple[list[AlignedToken], list[AlignedToken] | None]


def aligned(tokenizer: Splitting, text: Words, text_pair: Words | None) -> Aligned:
    """The tokens of a text and its pair."""
    first, *rest = (
        align_text(tokenizer, each) if isinstance(each, str) else align_words(tokenizer, each)
        for each in (text, text_pair)
        if each is not None
    )
    return first, rest[0] if rest else None


def encodings(tokenizer: Splitting, rows: Sequence[Aligned], options: EncodeOptions) -> list[Encoding]:
    """Rows that were cut already, with their special tokens and padding."""
    made = [_assembled(tokenizer, first, second, options.add_special_tokens) for first, second in rows]
    target = tokenizer.padded_length(list(map(len, made)), options.lengths, options.pad_to_multiple_of)
    for index, encoding in enumerate(made):
        missing = target - len(encoding)
        if missing > 0:
            padding = Encoding()
            padding.add_special(
                str(tokenizer.pad_token),
                tokenizer.padding_id(),
                tokenizer.pad_token_type_id,
                attention=0,
                count=missing,
            )
            made[index] = encoding + padding if tokenizer.padding_side == "right" else padding + encoding
    return made


def _assembled(
    tokenizer: Splitting, first: list[AlignedToken], second: list[AlignedToken] | None, add_special_tokens: bool
) -> Encoding:
    encoding = Encoding()
    if not add_special_tokens:
        encoding.add_text(first, sequence=0, segment=0)
        encoding.add_text(second or [], sequence=1, segment=0)
        return encoding
    cls, *_, sep = tokenizer.build_inputs_with_special_tokens([])
    encoding.add_special(str(tokenizer.cls_token), cls, segment=0)
    encoding.add_text(first, sequence=0, segment=0)
    encoding.add_special(str(tokenizer.sep_token), sep, segment=0)
    if second is not None:
        encoding.add_text(second, sequence=1, segment=1)
        encoding.add_special(str(tokenizer.sep_token), sep, segment=1)
    return encoding


def windows(tokenizer: Splitting, row: Aligned, options: EncodeOptions) -> list[Aligned]:
    """A text too long for one row as several, each of which repeats the last `stride` tokens of the one before.

    Of a pair, the text that `truncation` names is cut; the other stands in every window, whole.
    Raises ValueError when no window could hold more than what it repeats.
    """
    first, second = row
    _, _, _, excess = tokenizer.cut(first, second, options)
    strategy = options.lengths.truncation
    if excess <= 0 or strategy is TruncationStrategy.DO_NOT_TRUNCATE:
        return [row]
    cuts_second = strategy is TruncationStrategy.ONLY_SECOND and second is not None
    long = second if cuts_second and second is not None else first
    room = len(long) - excess
    step = room - options.stride
    if step <= 0:
        raise ValueError(
            f"max_length={options.lengths.max_length} leaves room for {max(room, 0)} tokens of this text in each window, "
            f"which must be more than stride={options.stride}. Raise max_length or lower stride."
        )
    starts = range(0, len(long) - options.stride, step)
    parts = [long[start : start + room] for start in starts]
    return [(first, part) if cuts_second else (part, second) for part in parts]
