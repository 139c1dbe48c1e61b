"""A call of the tokenizer: what is asked for, and what is returned.

Reference classes: `BatchEncoding`, `PaddingStrategy`, `TruncationStrategy`, and Rust's `Encoding`.
"""

from collections import UserDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import torch


class PaddingStrategy(str, Enum):
    """Values of `padding=`; True is "longest", False is "do_not_pad"."""

    LONGEST = "longest"
    MAX_LENGTH = "max_length"
    DO_NOT_PAD = "do_not_pad"


class TruncationStrategy(str, Enum):
    """Values of `truncation=`; True is "longest_first", False is "do_not_truncate"."""

    ONLY_FIRST = "only_first"
    ONLY_SECOND = "only_second"
    LONGEST_FIRST = "longest_first"
    DO_NOT_TRUNCATE = "do_not_truncate"


Index: TypeAlias = int | None  # of a token, word or text; None where nothing corresponds

# What may be given → what it means.
PADDING: dict[Any, PaddingStrategy] = {True: PaddingStrategy.LONGEST, False: PaddingStrategy.DO_NOT_PAD}
PADDING |= {each.value: each for each in PaddingStrategy}
TRUNCATION: dict[Any, TruncationStrategy]
TRUNCATION = {True: TruncationStrategy.LONGEST_FIRST, False: TruncationStrategy.DO_NOT_TRUNCATE}
TRUNCATION |= {each.value: each for each in TruncationStrategy}


class EncodeOptions(NamedTuple):
    """The arguments of one call of the tokenizer.

    padding: True pads to the longest of the batch, "max_length" to `max_length` or the model's maximum.
    truncation: True or "longest_first" cuts the longer of a pair, "only_first" and "only_second" that text, to
        `max_length` or the model's maximum.
    stride: how many kept tokens the overflow repeats.
    is_split_into_words: a text is given as the list of its words.
    pad_to_multiple_of: round the padded length up.
    return_tensors: "pt" or "np"; lists otherwise.
    return_token_type_ids, return_attention_mask: None means "as `model_input_names` says".
    return_overflowing_tokens: also return `overflowing_tokens` and `num_truncated_tokens`.
    return_special_tokens_mask, return_offsets_mapping, return_length: also return these columns.
    verbose: log, once, which arguments do not go together and that a sequence is too long.
    truncation_strategy, pad_to_max_length: what `truncation` and `padding` were called before transformers 3.
    """

    add_special_tokens: bool = True
    padding: Any = False
    truncation: Any = False
    max_length: int | None = None
    stride: int = 0
    is_split_into_words: bool = False
    pad_to_multiple_of: int | None = None
    return_tensors: str | None = None
    return_token_type_ids: bool | None = None
    return_attention_mask: bool | None = None
    return_overflowing_tokens: bool = False
    return_special_tokens_mask: bool = False
    return_offsets_mapping: bool = False
    return_length: bool = False
    verbose: bool = True
    truncation_strategy: str | None = None
    pad_to_max_length: bool = False


class NotTextError(TypeError, ValueError):
    """What was given to encode is no text."""


class CharSpan(NamedTuple):
    """Characters of the text: from `start` to before `end`."""

    start: int
    end: int


class TokenSpan(NamedTuple):
    """Tokens of the row: from `start` to before `end`."""

    start: int
    end: int


Characters: TypeAlias = CharSpan | None
Tokens: TypeAlias = TokenSpan | None


@dataclass
class Encoding:
    """A row of tokens. Special tokens and padding have no word and no sequence, and the offsets (0, 0).

    tokens, ids, type_ids, attention_mask, special_tokens_mask, offsets: as in the columns of the same names.
    word_ids: number of each token's word in its text. sequence_ids: 0 in the first text, 1 in the second.
    The methods: as in `BatchEncoding`, which calls them.
    """

    tokens: list[str]
    ids: list[int]
    type_ids: list[int]
    attention_mask: list[int]
    special_tokens_mask: list[int]
    offsets: list[tuple[int, int]]
    word_ids: list[Index]
    sequence_ids: list[Index]

    def __len__(self) -> int:
        return len(self.ids)

    def token_to_sequence(self, token: int) -> Index:
        return self.sequence_ids[token]

    def token_to_word(self, token: int) -> Index:
        return self.word_ids[token]

    def token_to_chars(self, token: int) -> Characters:
        return None if self.sequence_ids[token] is None else CharSpan(*self.offsets[token])

    def word_to_tokens(self, word: int, sequence: int = 0) -> Tokens:
        origins = list(zip(self.word_ids, self.sequence_ids, strict=True))
        count = origins.count((word, sequence))
        return TokenSpan(first := origins.index((word, sequence)), first + count) if count else None

    def word_to_chars(self, word: int, sequence: int = 0) -> Characters:
        span = self.word_to_tokens(word, sequence)
        return None if span is None else CharSpan(self.offsets[span.start][0], self.offsets[span.end - 1][1])

    def char_to_token(self, char: int, sequence: int = 0) -> Index:
        origins = enumerate(zip(self.offsets, self.sequence_ids, strict=True))
        return next((index for index, ((start, end), of) in origins if start <= char < end and of == sequence), None)

    def char_to_word(self, char: int, sequence: int = 0) -> Index:
        token = self.char_to_token(char, sequence)
        return None if token is None else self.word_ids[token]


class BatchEncoding(UserDict[str, Any]):
    """Columns such as `input_ids`, read as `encoding["input_ids"]` or `encoding.input_ids`.

    data: name → column: a list for one text, a list of lists for a batch; or (batch, seq) tensors or arrays.
    encoding: the rows with the origin of their tokens, or a function that computes them when they are asked for.
    tensor_type: "pt" or "np" to make tensors or arrays of every column.
    prepend_batch_axis: make each column a batch of one before that.
    n_sequences: 1 for single texts, 2 for pairs.
    is_fast: whether it says that it is `BertTokenizerFast`'s, where there are rows.

    `encoding[3]` is row 3 as an `Encoding` (and `encoding[1:3]` several, from Python 3.12 on). The methods below take
    `(index)` when there is one row, `(row, index)` in any batch, and answer None for special tokens, spaces, and what was
    cut off. A pickled encoding and a copy keep all of this.
    """

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        encoding: Encoding | list[Encoding] | Callable[[], list[Encoding]] | None = None,
        tensor_type: str | None = None,
        prepend_batch_axis: bool = False,
        n_sequences: int | None = None,
        *,
        is_fast: bool = True,
    ):
        super().__init__(data)
        self._encodings = [encoding] if isinstance(encoding, Encoding) else encoding
        self._made_fast = is_fast
        self.n_sequences = n_sequences
        if tensor_type is not None:
            self.convert_to_tensors(tensor_type, prepend_batch_axis)

    def __missing__(self, row: Any) -> Any:
        """What `UserDict.__getitem__` asks for when there is no such column: a row."""
        if isinstance(row, str):
            raise KeyError(row)
        return self._rows()[row]

    def __getattr__(self, name: str) -> Any:
        columns = self.__dict__.get("data", {})  # not there yet while an encoding is unpickled
        if name not in columns:
            raise AttributeError(f"The encoding has no {name!r}. It has: {', '.join(columns) or 'nothing'}.")
        return columns[name]

    def __getstate__(self) -> dict[str, Any]:
        try:
            return {**self.__dict__, "_encodings": self._rows()}
        except ValueError:  # made from ids, or by a tokenizer with steps of its own, which do not say
            return {**self.__dict__, "_encodings": None}

    @property
    def encodings(self) -> list[Encoding] | None:
        """The rows with the origin of their tokens; None unless `is_fast`, as in the reference: `encoding[0]` is row 0."""
        return self._rows() if self.is_fast else None

    @property
    def is_fast(self) -> bool:
        """Whether `BertTokenizerFast` made it from text. The methods below answer for `BertTokenizer`'s too."""
        return self._made_fast and self._encodings is not None

    def _rows(self) -> list[Encoding]:
        if callable(self._encodings):
            self._encodings = self._encodings()
        if self._encodings is None:
            why = "they were made from ids, or by steps that do not say. Encode text"
            raise ValueError(f"It is not known where these tokens came from: {why}.")
        return self._encodings

    def _find(self, first: int, second: int | None) -> tuple[Encoding, int]:
        """(row, index) when both were given, the index in the first row otherwise."""
        return (self._rows()[0], first) if second is None else (self._rows()[first], second)

    def tokens(self, batch_index: int = 0) -> list[str]:
        """The tokens of a row, special ones and padding included."""
        return self._rows()[batch_index].tokens

    def word_ids(self, batch_index: int = 0) -> list[Index]:
        """For each token of a row, the number of its word."""
        return self._rows()[batch_index].word_ids

    def sequence_ids(self, batch_index: int = 0) -> list[Index]:
        """For each token of a row, 0 if it is of the first text, 1 if of the second."""
        return self._rows()[batch_index].sequence_ids

    def token_to_sequence(self, batch_or_token_index: int, token_index: Index = None) -> Index:
        """Which text a token is of."""
        return Encoding.token_to_sequence(*self._find(batch_or_token_index, token_index))

    def token_to_word(self, batch_or_token_index: int, token_index: Index = None) -> Index:
        """Which word a token is of."""
        return Encoding.token_to_word(*self._find(batch_or_token_index, token_index))

    def token_to_chars(self, batch_or_token_index: int, token_index: Index = None) -> Characters:
        """Which characters a token stands for."""
        return Encoding.token_to_chars(*self._find(batch_or_token_index, token_index))

    def word_to_tokens(self, batch_or_word_index: int, word_index: Index = None, sequence_index: int = 0) -> Tokens:
        """Which tokens a word became."""
        return Encoding.word_to_tokens(*self._find(batch_or_word_index, word_index), sequence_index)

    def word_to_chars(self, batch_or_word_index: int, word_index: Index = None, sequence_index: int = 0) -> Characters:
        """Which characters a word is."""
        return Encoding.word_to_chars(*self._find(batch_or_word_index, word_index), sequence_index)

    def char_to_token(self, batch_or_char_index: int, char_index: Index = None, sequence_index: int = 0) -> Index:
        """Which token a character is in."""
        return Encoding.char_to_token(*self._find(batch_or_char_index, char_index), sequence_index)

    def char_to_word(self, batch_or_char_index: int, char_index: Index = None, sequence_index: int = 0) -> Index:
        """Which word a character is in."""
        return Encoding.char_to_word(*self._find(batch_or_char_index, char_index), sequence_index)

    def convert_to_tensors(self, tensor_type: str | None = None, prepend_batch_axis: bool = False) -> "BatchEncoding":
        """Make every column a tensor ("pt") or an array ("np"), in place. Raises ValueError if rows differ in length."""
        if tensor_type not in ("pt", "np", None):
            raise ValueError(f"return_tensors={tensor_type!r} is not supported. Choose 'pt', 'np' or None (lists).")
        for name, column in self.data.items():
            rows = [column] if prepend_batch_axis else column
            if tensor_type is None or isinstance(rows, torch.Tensor if tensor_type == "pt" else np.ndarray):
                continue
            try:
                self.data[name] = torch.tensor(rows) if tensor_type == "pt" else np.asarray(rows)
            except (ValueError, TypeError) as error:
                lengths = sorted({len(row) for row in rows if isinstance(row, (list, tuple))})
                found = f"lengths {', '.join(map(str, lengths[:10]))}" if len(lengths) > 1 else "no regular shape"
                advice = "Pass padding=True, and truncation=True to cut long texts"
                raise ValueError(f"{name!r} cannot be one tensor: its rows have {found}. {advice}.") from error
        return self

    def to(self, device: str | int | torch.device) -> "BatchEncoding":
        """Move every tensor to `device`, in place, and return the encoding itself."""
        for name, column in self.data.items():
            self.data[name] = column.to(device) if isinstance(column, torch.Tensor) else column
        return self


def to_python(column: Any) -> Any:
    """Tensors, arrays and lists of them as plain lists of numbers."""
    if isinstance(column, (torch.Tensor, np.ndarray, np.generic)):
        return column.tolist()
    if isinstance(column, (list, tuple)) and column and not isinstance(column[0], (int, str)):
        return [to_python(each) for each in column]
    return column
