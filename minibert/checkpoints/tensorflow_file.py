"""The tensors of a checkpoint that Google's original TensorFlow code wrote, read without TensorFlow.

TensorFlow multiplies x W with W of (inputs, outputs), PyTorch x Wᵀ with W of (outputs, inputs). Which names stand for a
matrix to be turned is part of what `names.SPELLINGS` knows; here such a tensor shows, and has, the turned shape.
"""

import os
from io import FileIO
from pathlib import Path

import torch
from torch import Tensor

from .errors import CheckpointError
from .files import check_is_real_file, describe_folder
from .names import is_transposed
from .tensorflow_bundle import read_bundle
from .tensorflow_checksum import masked_crc32c


class TensorFlowFile:
    """An open `….ckpt.index` with its data files beside it; each tensor is checked against its checksum when read."""

    def __init__(self, index: Path):
        self.path = index
        self._entries = read_bundle(index)
        self.names = tuple(self._entries)  # in the order of the data, so that reading them all runs straight through
        self._files: dict[str, FileIO] = {}
        try:
            for name in self.names:
                self._check_inside(name)
        except BaseException:
            self.close()
            raise

    def shape(self, name: str) -> torch.Size:
        shape = self._entries[name].shape
        return torch.Size(reversed(shape)) if is_transposed(name) else shape

    def dtype(self, name: str) -> torch.dtype:
        return self._entries[name].dtype

    def read_into(self, name: str, out: Tensor) -> None:
        """Fill ``out``, of the right shape, converting to its dtype."""
        out.detach().copy_(self._read(name))

    def map(self, name: str) -> Tensor:
        """A copy: most tensors have to be turned, and all of them read, to compare their checksums."""
        return self._read(name).contiguous()

    def close(self) -> None:
        for file in self._files.values():
            file.close()

    def _check_inside(self, name: str) -> None:
        """Does the tensor lie in a data file that is there?"""
        entry = self._entries[name]
        path = self.path.parent / entry.data_file
        if entry.data_file not in self._files:
            if not path.exists():
                raise CheckpointError(
                    f"{self.path}: its data file {path.name} is missing. {describe_folder(path.parent)}"
                )
            check_is_real_file(path)
            self._files[entry.data_file] = FileIO(str(path))
        size = os.fstat(self._files[entry.data_file].fileno()).st_size
        if entry.offset + entry.size > size:
            raise CheckpointError(
                f"{path}: truncated, or not the one {self.path.name} belongs to: tensor {name!r} should end at byte "
                f"{entry.offset + entry.size}, the file ends at {size}; get both files again"
            )

    def _read(self, name: str) -> Tensor:
        """The tensor in memory of its own; a view with its axes reversed where it is transposed."""
        entry = self._entries[name]
        tensor = torch.empty(entry.shape, dtype=entry.dtype)
        data = memoryview(tensor.view(-1).view(torch.uint8).numpy())  # type: ignore[arg-type]
        file = self._files[entry.data_file]
        file.seek(entry.offset)
        remaining = data
        while remaining:  # the system reads at most 2 GB at a time
            count = file.readinto(remaining)
            if not count:
                break  # the file became shorter: the checksum will tell
            remaining = remaining[count:]
        if masked_crc32c(data) != entry.checksum:
            raise CheckpointError(
                f"{self.path.parent / entry.data_file}: the checksum of tensor {name!r} does not match: its bytes are "
                "not those that were saved. Get the file again"
            )
        return tensor.permute(*reversed(range(tensor.dim()))) if is_transposed(name) else tensor
