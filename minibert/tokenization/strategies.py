"""What `padding=`, `truncation=` and `max_length=` mean together.

Reference: `PaddingStrategy`, `TruncationStrategy` and `_get_padding_truncation_strategies`.
"""

from enum import Enum
from typing import NamedTuple

UNLIMITED = int(1e30)  # model_max_length of a tokenizer that was told none
LARGE = int(1e20)  # above this a length counts as unlimited


class PaddingStrategy(str, Enum):
    """Values of `padding=`; True is "longest", False is "do_not_pad"."""

    LONGEST = "longest"
    MAX_LENGTH = "max_length"
    DO_NOT_PAD = "do_not_pad"

    @classmethod
    def parse(cls, padding: "bool | str | PaddingStrategy") -> "PaddingStrategy":
        """The strategy meant. Raises ValueError for a word that is none."""
        if isinstance(padding, bool):
            return cls.LONGEST if padding else cls.DO_NOT_PAD
        if padding not in list(cls):
            raise ValueError(f"padding={padding!r} is not understood. Choose True, False, {_choices(cls)}.")
        return cls(padding)


class TruncationStrategy(str, Enum):
    """Values of `truncation=`; True is "longest_first", False is "do_not_truncate"."""

    ONLY_FIRST = "only_first"
    ONLY_SECOND = "only_second"
    LONGEST_FIRST = "longest_first"
    DO_NOT_TRUNCATE = "do_not_truncate"

    @classmethod
    def parse(cls, truncation: "bool | str | TruncationStrategy") -> "TruncationStrategy":
        """The strategy meant. Raises ValueError for a word that is none."""
        if isinstance(truncation, bool):
            return cls.LONGEST_FIRST if truncation else cls.DO_NOT_TRUNCATE
        if truncation not in list(cls):
            raise ValueError(f"truncation={truncation!r} is not understood. Choose True, False, {_choices(cls)}.")
        return cls(truncation)


def _choices(strategies: type[Enum]) -> str:
    return ", ".join(repr(strategy.value) for strategy in strategies)


class Lengths(NamedTuple):
    """How an encoded sequence is brought to length."""

    padding: PaddingStrategy
    truncation: TruncationStrategy
    max_length: int | None


class EncodeOptions(NamedTuple):
    """What a caller asked of one encoding, settled once for a whole batch."""

    add_special_tokens: bool
    lengths: Lengths
    stride: int
    pad_to_multiple_of: int | None
    return_tensors: str | None
    return_token_type_ids: bool
    return_attention_mask: bool
    return_overflowing_tokens: bool
    return_special_tokens_mask: bool
    return_offsets_mapping: bool
    return_length: bool
    verbose: bool
