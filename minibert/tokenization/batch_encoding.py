"""What the tokenizer returns: named columns, and where each token came from. Reference class: `BatchEncoding`."""

from __future__ import annotations

from collections import UserDict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch

from .encoding import CharSpan, Encoding, TokenSpan


class BatchEncoding(UserDict[str, Any]):
    """Columns such as `input_ids`, read as `encoding["input_ids"]` or `encoding.input_ids`.

    A column of one text is a list; of a batch, a list of lists; with `return_tensors`, a (batch, seq) tensor or array.

    data: name → column.
    encodings: the rows with the origin of their tokens, or a function that works them out when they are asked for.
    tensor_type: "pt" or "np" to make tensors or arrays of every column.
    prepend_batch_axis: make each column a batch of one before that.
    n_sequences: 1 for single texts, 2 for pairs.

    `encoding[3]` is row 3 as an `Encoding`. The methods below take `(index)` when there is one row, `(row, index)` in
    any batch, and answer None where nothing corresponds. A pickled encoding keeps only what was worked out.
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
        if callable(self._encodings):
            self._encodings = self._encodings()
        return self._encodings

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
        row, token = self._place(batch_or_token_index, token_index)
        return row.token_to_sequence(token)

    def token_to_word(self, batch_or_token_index: int, token_index: int | None = None) -> int | None:
        """Which word a token is of."""
        row, token = self._place(batch_or_token_index, token_index)
        return row.token_to_word(token)

    def token_to_chars(self, batch_or_token_index: int, token_index: int | None = None) -> CharSpan | None:
        """Which characters a token stands for."""
        row, token = self._place(batch_or_token_index, token_index)
        return row.token_to_chars(token)

    def word_to_tokens(
        self, batch_or_word_index: int, word_index: int | None = None, sequence_index: int = 0
    ) -> TokenSpan | None:
        """Which tokens a word became."""
        row, word = self._place(batch_or_word_index, word_index)
        return row.word_to_tokens(word, sequence_index)

    def word_to_chars(
        self, batch_or_word_index: int, word_index: int | None = None, sequence_index: int = 0
    ) -> CharSpan | None:
        """Which characters a word is."""
        row, word = self._place(batch_or_word_index, word_index)
        return row.word_to_chars(word, sequence_index)

    def char_to_token(
        self, batch_or_char_index: int, char_index: int | None = None, sequence_index: int = 0
    ) -> int | None:
        """Which token a character is in."""
        row, char = self._place(batch_or_char_index, char_index)
        return row.char_to_token(char, sequence_index)

    def char_to_word(
        self, batch_or_char_index: int, char_index: int | None = None, sequence_index: int = 0
    ) -> int | None:
        """Which word a character is in."""
        row, char = self._place(batch_or_char_index, char_index)
        return row.char_to_word(char, sequence_index)

    def _place(self, first: int, second: int | None) -> tuple[Encoding, int]:
        """(row, index) when both were given, the index in the first row otherwise."""
        rows = self._rows()
        return (rows[0], first) if second is None else (rows[first], second)

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
                raise ValueError(
                    f"{name!r} cannot be made into one tensor: its rows have {_lengths_of(rows)}. Pass padding=True "
                    "(and truncation=True to cut long texts) so that all rows have one length."
                ) from error
        return self

    def to(self, device: str | int | torch.device) -> BatchEncoding:
        """Move every tensor to `device`, in place, and return the encoding itself."""
        self.data = {
            name: column.to(device) if isinstance(column, torch.Tensor) else column
            for name, column in self.data.items()
        }
        return self


def _lengths_of(rows: Sequence[Any]) -> str:
    lengths = sorted({len(row) for row in rows if isinstance(row, (list, tuple))})
    return f"lengths {', '.join(map(str, lengths[:10]))}" if len(lengths) > 1 else "no regular shape"
