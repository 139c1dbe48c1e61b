"""The tensors of a checkpoint that Google's original TensorFlow code wrote.

TensorFlow multiplies x W with W of (inputs, outputs), PyTorch x Wᵀ with W of (outputs, inputs). Which names stand for a
matrix to be transposed is part of what `names.SPELLINGS` knows; such a tensor has its transposed shape here.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from io import FileIO
from pathlib import Path

import torch
from torch import Tensor

from ..files import CheckpointError, check_is_real_file, describe_folder, fill_from_file
from ..names import is_transposed
from .bundle import Entry, read_bundle
from .checksum import masked_crc32c


def open_tensors(
    index: Path, open_files: ExitStack
) -> dict[str, tuple[torch.Size, torch.dtype, Callable[[Tensor], None]]]:
    """Name → shape, dtype and how to read it into a tensor, in the order of the data, for the `….ckpt.index` of a checkpoint.

    Raises ``CheckpointError`` where the index is damaged or a data file is missing or too short; when a tensor is
    read, where its bytes do not have their checksum.
    """
    files: dict[str, FileIO] = {}
    tensors = {}
    for name, entry in read_bundle(index).items():
        path = index.parent / entry.data_file
        if entry.data_file not in files:
            if not path.exists():
                raise CheckpointError(f"{index}: its data file {path.name} is missing. {describe_folder(path.parent)}")
            check_is_real_file(path)
            files[entry.data_file] = open_files.enter_context(FileIO(str(path)))
        file = files[entry.data_file]
        size = os.fstat(file.fileno()).st_size
        if entry.offset + entry.size > size:
            raise CheckpointError(
                f"{path}: truncated, or not the one {index.name} belongs to: tensor {name!r} should end at byte "
                f"{entry.offset + entry.size}, the file ends at {size}; get both files again"
            )
        shape = torch.Size(reversed(entry.shape)) if is_transposed(name) else entry.shape
        tensors[name] = shape, entry.dtype, partial(_read_into, file=file, entry=entry, name=name)
    return tensors


def _read_into(out: Tensor, *, file: FileIO, entry: Entry, name: str) -> None:
    tensor = torch.empty(entry.shape, dtype=entry.dtype)
    data = memoryview(tensor.view(-1).view(torch.uint8).numpy())  # type: ignore[arg-type]
    fill_from_file(file, entry.offset, data)  # if the file became shorter, the checksum will tell
    if masked_crc32c(data) != entry.checksum:
        raise CheckpointError(
            f"{file.name}: the checksum of tensor {name!r} does not match: its bytes are not those that were saved. "
            "Get the file again"
        )
    out.copy_(tensor.permute(*reversed(range(tensor.dim()))) if is_transposed(name) else tensor)
