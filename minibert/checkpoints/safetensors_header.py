"""The header of a safetensors file: what it promises, checked against itself and the file.

    8 bytes          length n of the header, little-endian
    n bytes          {"name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [begin, end]}, …}
    to the end       the tensors' bytes, row-major, little-endian, without a gap; offsets count from here

A file like this cannot run code, and its header alone tells every shape. Every lie it could tell is caught before a
number is read, and named with the tensor at fault. Source: the format's description in the safetensors repository.
"""

import json
import math
import os
from io import FileIO
from pathlib import Path
from typing import Any, NamedTuple

import torch

from .errors import CheckpointError

# The library's limit. A longer header is a damaged or hostile file.
_MAX_HEADER = 100_000_000

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
