"""Reading the tensors of one safetensors file.

The library's own reader maps the file into memory; copying from there keeps the file's pages counted beside the copies.
Here each tensor's bytes are read straight into the tensor that will be used, once, or the tensor is laid over the
mapped file.
"""

import math
import mmap
from io import FileIO
from pathlib import Path

import torch
from torch import Tensor

from .errors import CheckpointError
from .files import check_is_real_file
from .safetensors_header import read_header

# Numbers converted at a time from the file's dtype to another: what PyTorch still does on one thread. Waking a second
# one for so little work costs more than the work, a hundred times more when the other cores are busy.
_CHUNK = 32_768


class SafetensorsFile:
    """An open safetensors file whose header has been checked; tensors are read on demand."""

    def __init__(self, path: Path):
        check_is_real_file(path)
        self.path = path
        self._file = FileIO(str(path))
        self._pages: mmap.mmap | None = None
        try:
            self._entries = read_header(self._file, path)
        except BaseException:
            self._file.close()
            raise
        self.names = tuple(self._entries)  # in the order of the file, so that reading them all runs straight through

    def shape(self, name: str) -> torch.Size:
        return self._entries[name].shape

    def dtype(self, name: str) -> torch.dtype:
        return self._entries[name].dtype

    def read_into(self, name: str, out: Tensor) -> None:
        """Fill ``out``, a contiguous CPU tensor of the right shape, converting to its dtype."""
        entry = self._entries[name]
        target = out.detach().view(-1)
        if out.dtype == entry.dtype:
            self._read(name, entry.begin, target)
            return
        buffer = torch.empty(min(_CHUNK, target.numel()), dtype=entry.dtype)
        for start in range(0, target.numel(), _CHUNK):
            part = target[start : start + _CHUNK]
            self._read(name, entry.begin + start * entry.dtype.itemsize, buffer[: part.numel()])
            part.copy_(buffer[: part.numel()])

    def map(self, name: str) -> Tensor:
        """The tensor over the file's pages, private to this process; a copy if it lies where its dtype cannot."""
        entry = self._entries[name]
        count = math.prod(entry.shape)
        if not count or entry.begin % entry.dtype.itemsize:
            out = torch.empty(entry.shape, dtype=entry.dtype)
            self.read_into(name, out)
            return out
        if self._pages is None:
            self._pages = mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_COPY)
        return torch.frombuffer(self._pages, dtype=entry.dtype, count=count, offset=entry.begin).view(entry.shape)

    def close(self) -> None:
        self._file.close()
        self._pages = None  # unmapped when the last tensor that uses it is gone

    def _read(self, name: str, position: int, target: Tensor) -> None:
        """Fill a flat tensor with the bytes that start at ``position``."""
        remaining = memoryview(target.view(torch.uint8).numpy())  # type: ignore[arg-type]
        self._file.seek(position)
        while remaining:  # the system reads at most 2 GB at a time
            count = self._file.readinto(remaining)
            if not count:
                raise CheckpointError(f"{self.path}: ended inside tensor {name!r}; it was changed while being read")
            remaining = remaining[count:]
