"""Reading one safetensors file: a JSON header, then nothing but numbers.

    8 bytes          length n of the header, little-endian
    n bytes          {"name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [begin, end]}, …}
    to the end       the tensors' bytes, row-major, little-endian, without a gap; offsets count from here

A file like this cannot run code, and its header alone tells every shape. The library's own reader maps the file into
memory; copying from there keeps the file's pages counted beside the copies. Here each tensor's bytes are read straight
into the tensor that will be used, once, or the tensor is laid over the mapped file. Source: the format's description
in the safetensors repository.
"""

import json
import math
import mmap
import os
from io import FileIO
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from .errors import CheckpointError
from .files import check_is_real_file

# The library's limit. A longer header is a damaged or hostile file.
_MAX_HEADER = 100_000_000

# Numbers converted at a time from the file's dtype to another: what PyTorch still does on one thread. Waking a second
# one for so little work costs more than the work, a hundred times more when the other cores are busy.
_CHUNK = 32_768

DTYPES = {
    "BOOL": torch.bool,
    "U8": torch.uint8,
    "I8": torch.int8,
    "U16": torch.uint16,
    "I16": torch.int16,
    "U32": torch.uint32,
    "I32": torch.int32,
    "U64": torch.uint64,
    "I64": torch.int64,
    "F8_E4M3": torch.float8_e4m3fn,
    "F8_E5M2": torch.float8_e5m2,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "F32": torch.float32,
    "F64": torch.float64,
    "C64": torch.complex64,
}


class Entry(NamedTuple):
    """Where one tensor lies: ``begin`` and ``end`` are positions in the file."""

    dtype: torch.dtype
    shape: torch.Size
    begin: int
    end: int


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


def read_header(file: FileIO, path: Path) -> dict[str, Entry]:
    """Every tensor's entry, in file order; ``CheckpointError`` unless they fill the file exactly."""
    file_size = os.fstat(file.fileno()).st_size
    if file_size < 8:
        raise CheckpointError(f"{path}: {file_size} bytes long, too short for a safetensors file; get the file again")
    length = int.from_bytes(file.read(8), "little")
    if length > _MAX_HEADER:
        raise CheckpointError(
            f"{path}: not a safetensors file, or a damaged one: it announces a header of {length} bytes "
            f"(the limit is {_MAX_HEADER})"
        )
    if 8 + length > file_size:
        raise CheckpointError(
            f"{path}: truncated: it announces a header of {length} bytes and is {file_size} bytes long; "
            "get the file again"
        )
    try:
        header = json.loads(_read_exactly(file, length), object_pairs_hook=_without_duplicates)
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"{path}: the safetensors header is not valid JSON ({error})") from error
    if not isinstance(header, dict):
        raise CheckpointError(f"{path}: the safetensors header should be a JSON object, is a {type(header).__name__}")
    header.pop("__metadata__", None)
    entries = [(name, _parse_entry(fields, name, path, 8 + length)) for name, fields in header.items()]
    entries.sort(key=lambda item: (item[1].begin, item[1].end))
    _check_tiling(entries, path, 8 + length, file_size)
    return dict(entries)


def _read_exactly(file: FileIO, count: int) -> bytes:
    data = file.read(count)
    if data is None or len(data) != count:
        raise ValueError("the file ended inside it")
    return data


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object whose keys differ. ``json`` would keep the last of two equal ones, others the first."""
    result = dict(pairs)
    if len(result) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise ValueError(f"the key {twice!r} occurs twice")
    return result


def _parse_entry(fields: Any, name: str, path: Path, data_start: int) -> Entry:
    """Check one tensor's fields against each other."""
    match fields:
        case {"dtype": str(code), "shape": list(shape), "data_offsets": [begin, end]}:
            pass
        case _:
            raise CheckpointError(f'{path}: tensor {name!r}: its entry needs "dtype", "shape" and two "data_offsets"')
    if code not in DTYPES:
        known = ", ".join(DTYPES)
        raise CheckpointError(f"{path}: tensor {name!r} has the unknown dtype {code!r}; this reader knows {known}")
    if not all(type(number) is int and 0 <= number < 2**63 for number in [*shape, begin, end]):
        raise CheckpointError(
            f"{path}: tensor {name!r}: shape {shape} and offsets {[begin, end]} must be whole numbers from 0"
        )
    dtype = DTYPES[code]
    expected = math.prod(shape) * dtype.itemsize
    if end - begin != expected:
        raise CheckpointError(
            f"{path}: tensor {name!r}: shape {shape} of {code} takes {expected} bytes, "
            f"its offsets {[begin, end]} span {end - begin}"
        )
    return Entry(dtype, torch.Size(shape), data_start + begin, data_start + end)


def _check_tiling(entries: list[tuple[str, Entry]], path: Path, data_start: int, file_size: int) -> None:
    """Tensors must lie end to end, from the header to the end of the file: no gap, no overlap, nothing left over."""
    position = data_start
    for name, entry in entries:
        if entry.end > file_size:
            raise CheckpointError(
                f"{path}: truncated: tensor {name!r} should end at byte {entry.end}, the file ends at {file_size}; "
                "get the file again"
            )
        if entry.begin != position:
            problem = "overlaps the tensor before it" if entry.begin < position else "leaves a gap before it"
            raise CheckpointError(
                f"{path}: tensor {name!r} {problem} (it begins at byte {entry.begin}, expected {position})"
            )
        position = entry.end
    if position != file_size:
        raise CheckpointError(f"{path}: {file_size - position} bytes after the last tensor belong to none")
