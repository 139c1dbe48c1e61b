"""What the tokenizer returns: named columns, and where each token came from in the text. Reference class: `BatchEncoding`."""

from __future__ import annotations

from collections import UserDict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch


class BatchEncoding(UserDict[str, Any]):
    """Columns such as `input_ids`, read as `encoding["input_ids"]` or `encoding.input_ids`.

    A column of one text is a list; of a batch, a list of lists; with `return_tensors`, a (batch, seq) tensor or array.

    data: name → column.
    tensor_type: "pt" or "np" to make tensors or arrays of every column.
    prepend_batch_axis: make each column a batch of one before that.
    n_sequences: 1 for single texts, 2 for pairs.
    """

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        tensor_type: str | None = None,
        prepend_batch_axis: bool = False,
        n_sequences: int | None = None,
    ):
        super().__init__(data)
        self.n_sequences = n_sequences
        self.convert_to_tensors(tensor_type, prepend_batch_axis)

    def __getitem__(self, item: str) -> Any:
        return self.data[item]

    def __getattr__(self, name: str) -> Any:
        columns = self.__dict__.get("data", {})  # not there yet while an encoding is unpickled
        if name not in columns:
            raise AttributeError(f"The encoding has no {name!r}. It has: {', '.join(columns) or 'nothing'}.")
        return columns[name]

    def convert_to_tensors(self, tensor_type: str | None = None, prepend_batch_axis: bool = False) -> BatchEncoding:
        """Make every column a tensor ("pt") or an array ("np"), in place. Raises ValueError when rows differ in length."""
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
