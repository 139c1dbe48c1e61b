"""A call of the tokenizer: what is asked for, how `[CLS] A [SEP] B [SEP]` is put together, and what is returned.

Reference classes: `BatchEncoding`, `PaddingStrategy`, `TruncationStrategy`.
"""

from __future__ import annotations

from collections import UserDict
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import Any, NamedTuple, TypeVar

import numpy as np
import torch

from .alignment import CharSpan, Encoding, TokenSpan
from .wordpiece import Pieces

T = TypeVar("T")  # what a row is made of: ids, or tokens that know their positions in the text


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


class EncodeOptions(NamedTuple):
    """The arguments of one call of the tokenizer, which describes them; None stands for what `resolved` fills in."""

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
    truncation_strategy: Any = None
    pad_to_max_length: bool = False


class BatchEncoding(UserDict[str, Any]):
    """Columns such as `input_ids`, read as `encoding["input_ids"]` or `encoding.input_ids`.

    A column of one text is a list; of a batch, a list of lists; with `return_tensors`, a (batch, seq) tensor or array.

    data: name → column.
    encodings: the rows with the origin of their tokens, or a function that computes them when they are asked for.
    tensor_type: "pt" or "np" to make tensors or arrays of every column.
    prepend_batch_axis: make each column a batch of one before that.
    n_sequences: 1 for single texts, 2 for pairs.

    `encoding[3]` is row 3 as an `Encoding`. The methods below take `(index)` when there is one row, `(row, index)` in
    any batch, and answer None where nothing corresponds. A pickled encoding keeps only what was computed.
    """

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        encodings: list[Encoding] | Callable[[], list[Encoding]] | None = None,
        tensor_type: str | None = None,
        prepend_batch_axis: bool = False,
        n_sequences: int | None = None,
    ):
        super().__init__(data)
        self._encodings = encodings
        self.n_sequences = n_sequences
        if tensor_type is not None:
            self.convert_to_tensors(tensor_type, prepend_batch_axis)

    def __getitem__(self, item: Any) -> Any:
        return self.data[item] if isinstance(item, str) else self._rows()[item]

    def __getattr__(self, name: str) -> Any:
        columns = self.__dict__.get("data", {})  # not there yet while an encoding is unpickled
        if name not in columns:
            raise AttributeError(f"The encoding has no {name!r}. It has: {', '.join(columns) or 'nothing'}.")
        return columns[name]

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_encodings": None if callable(self._encodings) else self._encodings}

    @property
    def encodings(self) -> list[Encoding] | None:
        """The rows with the origin of their tokens; None for columns that did not come from text."""
        rows = self._encodings
        if callable(rows):
            self._encodings = rows = rows()
        return rows

    @property
    def is_fast(self) -> bool:
        """Whether the methods below can answer."""
        return self._encodings is not None

    def _rows(self) -> list[Encoding]:
        rows = self.encodings
        if rows is None:
            raise ValueError(
                "This encoding does not know where its tokens came from: it was made from ids, or was pickled before it "
                "was asked. Encode text, and ask before sending it to another process."
            )
        return rows

    def _find(self, first: int, second: int | None) -> tuple[Encoding, int]:
        """(row, index) when both were given, the index in the first row otherwise."""
        return (self._rows()[0], first) if second is None else (self._rows()[first], second)

    def tokens(self, batch_index: int = 0) -> list[str]:
        """The tokens of a row, special ones and padding included."""
        return self._rows()[batch_index].tokens

    def word_ids(self, batch_index: int = 0) -> list[int | None]:
        """For each token of a row, the number of its word."""
        return self._rows()[batch_index].word_ids

    def sequence_ids(self, batch_index: int = 0) -> list[int | None]:
        """For each token of a row, 0 if it is of the first text, 1 if of the second."""
        return self._rows()[batch_index].sequence_ids

    def token_to_sequence(self, batch_or_token_index: int, token_index: int | None = None) -> int | None:
        """Which text a token is of."""
        row, token = self._find(batch_or_token_index, token_index)
        return row.token_to_sequence(token)

    def token_to_word(self, batch_or_token_index: int, token_index: int | None = None) -> int | None:
        """Which word a token is of."""
        row, token = self._find(batch_or_token_index, token_index)
        return row.token_to_word(token)

    def token_to_chars(self, batch_or_token_index: int, token_index: int | None = None) -> CharSpan | None:
        """Which characters a token stands for."""
        row, token = self._find(batch_or_token_index, token_index)
        return row.token_to_chars(token)

    def word_to_tokens(
        self, batch_or_word_index: int, word_index: int | None = None, sequence_index: int = 0
    ) -> TokenSpan | None:
        """Which tokens a word became."""
        row, word = self._find(batch_or_word_index, word_index)
        return row.word_to_tokens(word, sequence_index)

    def word_to_chars(
        self, batch_or_word_index: int, word_index: int | None = None, sequence_index: int = 0
    ) -> CharSpan | None:
        """Which characters a word is."""
        row, word = self._find(batch_or_word_index, word_index)
        return row.word_to_chars(word, sequence_index)

    def char_to_token(
        self, batch_or_char_index: int, char_index: int | None = None, sequence_index: int = 0
    ) -> int | None:
        """Which token a character is in."""
        row, char = self._find(batch_or_char_index, char_index)
        return row.char_to_token(char, sequence_index)

    def char_to_word(
        self, batch_or_char_index: int, char_index: int | None = None, sequence_index: int = 0
    ) -> int | None:
        """Which word a character is in."""
        row, char = self._find(batch_or_char_index, char_index)
        return row.char_to_word(char, sequence_index)

    def convert_to_tensors(self, tensor_type: str | None = None, prepend_batch_axis: bool = False) -> BatchEncoding:
        """Make every column a tensor ("pt") or an array ("np"), in place. Raises ValueError if rows differ in length."""
        if tensor_type is None:
            return self
        if tensor_type not in ("pt", "np"):
            raise ValueError(f"return_tensors={tensor_type!r} is not supported. Choose 'pt', 'np' or None (lists).")
        for name, column in self.data.items():
            rows = [column] if prepend_batch_axis else column
            if isinstance(rows, torch.Tensor if tensor_type == "pt" else np.ndarray):
                continue
            try:
                self.data[name] = torch.tensor(rows) if tensor_type == "pt" else np.asarray(rows)
            except (ValueError, TypeError) as error:
                lengths = sorted({len(row) for row in rows if isinstance(row, (list, tuple))})
                found = f"lengths {', '.join(map(str, lengths[:10]))}" if len(lengths) > 1 else "no regular shape"
                raise ValueError(
                    f"{name!r} cannot be made into one tensor: its rows have {found}. Pass padding=True (and "
                    "truncation=True to cut long texts) so that all rows have one length."
                ) from error
        return self

    def to(self, device: str | int | torch.device) -> BatchEncoding:
        """Move every tensor to `device`, in place, and return the encoding itself."""
        self.data = {
            name: column.to(device) if isinstance(column, torch.Tensor) else column
            for name, column in self.data.items()
        }
        return self


def one_row(columns: dict[str, list[Any]]) -> dict[str, Any]:
    """The one row of padded columns; its length counts the padding, as in the reference."""
    row = {}
    for name, column in columns.items():
        row[name] = column[0]
    if row.pop("length", None) is not None:
        row["length"] = len(row["input_ids"])
    return row


def to_python(column: Any) -> Any:
    """Tensors, arrays and lists of them as plain lists of numbers."""
    if isinstance(column, (torch.Tensor, np.ndarray, np.generic)):
        return column.tolist()
    if isinstance(column, (list, tuple)) and column and not isinstance(column[0], (int, str)):
        return [to_python(each) for each in column]
    return column


class Frame(Pieces):
    """Put a model's input together from one or two texts.

        one text    [CLS] A [SEP]              segments 0 0…0 0
        a pair      [CLS] A [SEP] B [SEP]      segments 0 0…0 0 1…1 1

    Source: Devlin et al. 2019, figure 2.
    """

    model_max_length: int

    def build_inputs_with_special_tokens(self, token_ids_0: list[T], token_ids_1: list[T] | None = None) -> list[Any]:
        """`[CLS] A [SEP]` or `[CLS] A [SEP] B [SEP]`."""
        cls, sep = self.cls_token_id, self.sep_token_id
        if cls is None or sep is None:
            raise ValueError("BERT's input begins with cls_token and ends with sep_token: set both on the tokenizer.")
        return [cls, *token_ids_0, sep] if token_ids_1 is None else [cls, *token_ids_0, sep, *token_ids_1, sep]

    def create_token_type_ids_from_sequences(
        self, token_ids_0: Sequence[Any], token_ids_1: Sequence[Any] | None = None
    ) -> list[int]:
        """Segments: 0 for `[CLS] A [SEP]`, 1 for `B [SEP]`."""
        return [0] * (len(token_ids_0) + 2) + ([] if token_ids_1 is None else [1] * (len(token_ids_1) + 1))

    def get_special_tokens_mask(
        self, token_ids_0: list[T], token_ids_1: list[T] | None = None, already_has_special_tokens: bool = False
    ) -> list[int]:
        """1 where a special token stands, 0 elsewhere.

        already_has_special_tokens: `token_ids_0` is a finished sequence; otherwise the mask is that of the sequence
        that `build_inputs_with_special_tokens` would build.
        """
        if already_has_special_tokens:
            if token_ids_1 is not None:
                raise ValueError("A finished sequence stands alone: give token_ids_0 only.")
            special = set(self.all_special_ids)
            return [int(index in special) for index in token_ids_0]
        first, second = ([None] * len(ids) if ids is not None else None for ids in (token_ids_0, token_ids_1))
        return [int(each is not None) for each in self.build_inputs_with_special_tokens(first or [], second)]

    def num_special_tokens_to_add(self, pair: bool = False) -> int:
        """How many special tokens a single sequence, or a pair, is given."""
        return len(self.build_inputs_with_special_tokens([], [] if pair else None))

    @property
    def max_len_single_sentence(self) -> int:
        """Longest single sequence that fits, special tokens not counted."""
        return self.model_max_length - self.num_special_tokens_to_add(pair=False)

    @property
    def max_len_sentences_pair(self) -> int:
        """Longest pair that fits, both together, special tokens not counted."""
        return self.model_max_length - self.num_special_tokens_to_add(pair=True)
