"""Tensors that are already Python objects, read like a checkpoint file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from .errors import CheckpointError


class TensorDict:
    """A checked dictionary of name → tensor: a state dict, or what a pickle held."""

    path: Path | None = None

    def __init__(self, content: Any, where: str):
        """content: what should be a dictionary of tensors. where: its origin, to begin error messages with."""
        self._tensors = _check_tensors(content, where)
        self.names = tuple(self._tensors)

    def shape(self, name: str) -> torch.Size:
        return self._tensors[name].shape

    def dtype(self, name: str) -> torch.dtype:
        return self._tensors[name].dtype

    def read_into(self, name: str, out: Tensor) -> None:
        """Fill ``out``, of the same shape, converting to its dtype and device."""
        out.detach().copy_(self._tensors[name])

    def map(self, name: str) -> Tensor:
        """A copy: the dictionary's owner may go on changing the original."""
        return self._tensors[name].clone(memory_format=torch.contiguous_format)

    def close(self) -> None:
        self._tensors = {}


def _check_tensors(content: Any, where: str) -> dict[str, Tensor]:
    """Insist on a mapping of names to ordinary tensors."""
    if not isinstance(content, Mapping):
        raise CheckpointError(f"{where}: should be a dictionary of tensors, is a {type(content).__name__}")
    tensors: dict[str, Tensor] = {}
    for name, value in content.items():
        if not isinstance(name, str) or not isinstance(value, Tensor):
            raise CheckpointError(
                f"{where}: should map names to tensors, but {name!r} is a {type(value).__name__}. If this is a whole "
                "training checkpoint, take only the model's state_dict() from it"
            )
        if value.layout is not torch.strided or value.is_quantized or value.is_meta:
            raise CheckpointError(f"{where}: tensor {name!r} is not an ordinary dense tensor; it cannot be a weight")
        tensors[name] = value.detach()
    return tensors
