"""The checkpoints of Google's original BERT code, read without TensorFlow, bytes up: table, messages, entries, tensors.

    bert_model.ckpt.index                  a table: sorted keys with their values, in LevelDB's format
        ""             BundleHeader        1: number of data files   2: byte order, 0 is little-endian
        tensor's name  BundleEntry         1: dtype   2: shape   3: data file   4: offset   5: size   6: masked CRC-32C
                                           7: slices, where the tensor is split over several entries
    bert_model.ckpt.data-00000-of-00001    the tensors' bytes, row-major

A table is a row of blocks, each followed by its compression (1 byte, 0 is none) and the masked CRC-32C of both. The
last has an entry for each block before it, its value the block's offset and size: its handle. The file ends in the
handles of the meta index and of this last block, padded to 40 bytes, and 8 bytes of magic number. A block has entries,
then its restart points, 4 bytes each, and their count. An entry is `length shared with the last key, own length, value
length, own part of the key, value`. Numbers are varints: seven bits a byte, lowest first, the last with its top bit 0.
The values are protocol buffers: rows of keys and values, a key being `8 × field number + kind`. Kind 0 is a varint,
kind 1 eight bytes, kind 2 a length and as many bytes, kind 5 four bytes. A field that is absent is 0 or empty.

Source: LevelDB's table_format.md; TensorFlow's tensor_bundle.proto, tensor_shape.proto and types.proto.
"""

import math
from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..files import MOST_TENSORS, TENSORFLOW_INDEX_SUFFIX, CheckpointError, check_is_real_file
from ..names import is_transposed

# types.proto's numbers of the dtypes that hold plain numbers.
DTYPES = {1: torch.float32, 2: torch.float64, 14: torch.bfloat16, 19: torch.float16, 8: torch.complex64}
DTYPES |= {6: torch.int8, 5: torch.int16, 3: torch.int32, 9: torch.int64, 18: torch.complex128}
DTYPES |= {4: torch.uint8, 17: torch.uint16, 22: torch.uint32, 23: torch.uint64, 10: torch.bool}
_LONGEST_KEY, _LONGEST_KEYS = 1000, 16_000_000  # bytes, of one and of all: a few in the file can stand for many
_FOOTER, _MAGIC = 48, 0xDB4775248B80FB57.to_bytes(8, "little")


class Entry(NamedTuple):
    """Where one tensor lies: `size` bytes from `offset` on in `data_file`, with the masked CRC-32C `checksum`."""

    dtype: torch.dtype
    shape: tuple[int, ...]
    data_file: str
    offset: int
    size: int
    checksum: int


def open_tensors(index: Path) -> dict[str, tuple[torch.Size, torch.dtype, Callable[[Tensor], object]]]:
    """Name → shape, dtype and how to read it into a tensor, in the order of the data. index: a `….ckpt.index`.

    TensorFlow multiplies x W, PyTorch x Wᵀ: a tensor that `is_transposed` says is a matrix is turned.
    Raises CheckpointError where the index is damaged or a data file is missing or too short; when a tensor is read,
    where its bytes do not have their checksum.
    """
    tensors: dict[str, tuple[torch.Size, torch.dtype, Callable[[Tensor], object]]] = {}
    ends = dict[Path, int]()  # of the tensors so far
    for name, entry in read_bundle(index).items():
        path, end = index.parent / entry.data_file, entry.offset + entry.size
        if entry.size and entry.offset < ends.get(path, 0):  # a small file could claim any amount of memory
            raise CheckpointError(f"{index}: tensor {name!r} begins inside the tensor before it. Get the file again")
        ends[path] = max(end, ends.get(path, 0))
        check_is_real_file(path, listed_in=index)
        if end > (size := path.stat().st_size):
            wrong = f"tensor {name!r} should end at byte {end}, the file ends at {size}. Get both files again"
            raise CheckpointError(f"{path}: truncated, or not the one {index.name} belongs to: {wrong}")
        shape = torch.Size(reversed(entry.shape) if is_transposed(name) else entry.shape)
        tensors[name] = shape, entry.dtype, partial(_read_into, path=path, entry=entry, name=name)
    return tensors


def _read_into(out: Tensor, *, path: Path, entry: Entry, name: str) -> None:
    tensor = torch.empty(entry.shape, dtype=entry.dtype, device="cpu")
    data = memoryview(tensor.view(-1).view(torch.uint8).numpy())  # type: ignore[arg-type]
    with open(path, "rb") as file:
        file.seek(entry.offset)
        file.readinto(data)
    if masked_crc32c(data) != entry.checksum:  # also where the file has become shorter, or another one
        raise CheckpointError(f"{path}: the checksum of tensor {name!r} does not match. Get the file again")
    out.copy_(tensor.permute(tuple(reversed(range(tensor.dim())))) if is_transposed(name) else tensor)


def read_bundle(index: Path) -> dict[str, Entry]:
    """Every tensor's entry, in the order of the data; CheckpointError where the index is damaged or of another kind."""
    check_is_real_file(index)
    try:
        table = read_table(index.read_bytes())
        if b"" not in table:
            raise ValueError("it has no header")
        header, _ = read_message(table.pop(b""))
        if header.get(2, 0) != 0:
            raise ValueError("its numbers are big-endian, and only little-endian ones can be read")
        prefix, files = index.name.removesuffix(TENSORFLOW_INDEX_SUFFIX), header.get(1, 0)
        entries = {key.decode(): _entry(key.decode(), value, prefix, files=files) for key, value in table.items()}
    except ValueError as error:
        wrong = f"not the index of a TensorFlow checkpoint, or one that cannot be read: {error}"
        raise CheckpointError(f"{index}: {wrong}. If it is damaged, get the file again") from error
    return dict(sorted(entries.items(), key=lambda item: (item[1].data_file, item[1].offset)))


def read_message(data: bytes) -> tuple[dict[int, int], dict[int, list[bytes]]]:
    """A message's last number in each field, and all strings of bytes in each field; ValueError where it is none."""
    numbers: dict[int, int] = {}
    strings: dict[int, list[bytes]] = {}
    position = 0
    while position < len(data):
        key, position = read_varint(data, position)
        field, kind = key >> 3, key & 7
        if kind == 0:
            numbers[field], position = read_varint(data, position)
        elif kind in (1, 2, 5):
            size, position = read_varint(data, position) if kind == 2 else (8 if kind == 1 else 4, position)
            value, position = data[position : position + size], position + size
            if position > len(data):
                raise ValueError("a field reaches beyond its message")
            if kind == 2:
                strings.setdefault(field, []).append(value)
            else:
                numbers[field] = int.from_bytes(value, "little")
        else:
            raise ValueError(f"a field has the unknown kind {kind}")
    return numbers, strings


def _entry(name: str, data: bytes, prefix: str, *, files: int) -> Entry:
    """A checked entry; ValueError where it makes no sense."""
    numbers, strings = read_message(data)
    code, file, offset, size, checksum = (numbers.get(field, 0) for field in (1, 3, 4, 5, 6))
    if name == "_CHECKPOINTABLE_OBJECT_GRAPH":  # such a file names tensors after Python attributes, unlike any BERT
        advice = "use tf.compat.v1.train.Saver, and Google's names"
        raise ValueError(f"it was saved by TensorFlow 2's tf.train.Checkpoint; {advice}")
    if code not in DTYPES:
        raise ValueError(f"tensor {name!r} has dtype {code}, which holds no plain numbers or is unknown")
    if 7 in strings:
        raise ValueError(f"tensor {name!r} is split into slices; save it whole")
    # The shape is a message, its field 2 a message for each dimension, whose field 1 is the dimension's size.
    dimensions = [part for whole in strings.get(2, []) for part in read_message(whole)[1].get(2, [])]
    dtype, shape = DTYPES[code], tuple(read_message(dimension)[0].get(1, 0) for dimension in dimensions)
    if (
        len(shape) > 64 or math.prod(dimension or 1 for dimension in shape) >= 1 << 60
    ):  # a negative number reads as one near 2⁶⁴
        raise ValueError(f"tensor {name!r} has dimensions that are negative or beyond reason: {shape!s:.200}")
    if size != (expected := math.prod(shape) * dtype.itemsize):
        raise ValueError(f"tensor {name!r}: shape {shape} of {dtype} takes {expected} bytes, the index says {size}")
    if file >= files:
        raise ValueError(f"tensor {name!r} is in data file {file}, counted from 0, of {files}")
    data_file = f"{prefix}.data-{file:05d}-of-{files:05d}"
    return Entry(dtype, shape, data_file, offset=offset, size=size, checksum=checksum)


def read_table(data: bytes) -> dict[bytes, bytes]:
    """Every key and its value, in order; ValueError where this is no such table, or is damaged."""
    if len(data) < _FOOTER:
        raise ValueError(f"it is {len(data)} bytes long, too short for one")
    if not data.endswith(_MAGIC):
        raise ValueError("it does not end in the format's magic number")
    table: dict[bytes, bytes] = {}
    end = length = 0
    _, _, *index, _ = _varints(data[-_FOOTER:], 0, count=4)
    for _, handle in _entries(data, *index):
        offset, size, _ = _varints(handle, 0, count=2)
        if offset < end:
            raise ValueError(f"the block at byte {offset} begins inside the one before it")
        end = offset + size
        for key, value in _entries(data, offset, size):
            length += len(key)
            if len(table) > MOST_TENSORS or length > _LONGEST_KEYS:
                raise ValueError(f"it lists more than {MOST_TENSORS:,} tensors, or names that are far too long")
            if table and key <= next(reversed(table)):
                raise ValueError(f"its keys are out of order at {key!r}")
            table[key] = value
    return table


def read_varint(data: bytes, position: int) -> tuple[int, int]:
    """The number at `position`, and the position after it; ValueError where there is none of at most 64 bits."""
    value = 0
    for shift in range(0, 64, 7):
        if position >= len(data):
            raise ValueError("it ends inside a number")
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80 and value < 1 << 64:
            return value, position
    raise ValueError("it holds a number of more than 64 bits")


def _varints(data: bytes, position: int, count: int) -> list[int]:
    """`count` numbers from `position` on, and then the position after them."""
    numbers = []
    for _ in range(count):
        number, position = read_varint(data, position)
        numbers.append(number)
    return [*numbers, position]


def _entries(data: bytes, offset: int, size: int) -> Iterator[tuple[bytes, bytes]]:
    """A block's entries one after the other, its checksum checked; restart points only serve to search."""
    end = offset + size
    if end + 5 > len(data):
        raise ValueError(f"a block should end at byte {end + 5}, the file ends at {len(data)}")
    if masked_crc32c(data[offset : end + 1]) != int.from_bytes(data[end + 1 : end + 5], "little"):
        raise ValueError(f"the checksum of the block at byte {offset} does not match")
    if data[end] != 0:
        raise ValueError(f"the block at byte {offset} is compressed (kind {data[end]}), which no checkpoint's is")
    end -= 4 + 4 * int.from_bytes(data[max(offset, end - 4) : end], "little")
    if end < offset:
        raise ValueError("a block is shorter than its own list of restart points")
    position, key = offset, b""
    while position < end:
        shared, own, length, position = _varints(data, position, count=3)
        if shared > len(key) or position + own + length > end:
            raise ValueError("an entry reaches beyond its block")
        if shared + own > _LONGEST_KEY:
            raise ValueError(f"a key has {shared + own} bytes, and no name of a tensor more than {_LONGEST_KEY}")
        key = key[:shared] + data[position : position + own]
        yield key, data[position + own : position + own + length]
        position += own + length


_POLYNOMIAL = 0x82F63B78  # P without x³², lowest power in the highest bit
_ONES = 0xFFFFFFFF
_ROW = 1 << 13  # bytes: long enough that NumPy's cost per call does not show
_TABLE = list(range(256))  # what becomes of a register of one byte after its eight bits
for _ in range(8):
    _TABLE = [register >> 1 ^ (_POLYNOMIAL if register & 1 else 0) for register in _TABLE]


def crc32c(data: bytes | memoryview) -> int:
    """The CRC-32C of `data`, which TensorFlow keeps beside all it writes; fast enough in NumPy to check every tensor.

    A CRC reads the bytes as one polynomial with coefficients 0 and 1, lowest bit first, and keeps its remainder on division
    by P = x³² + x²⁸ + … + 1 (Castagnoli's). The register r starts at 2³² − 1, and each byte b does

        r ← Z(r ⊕ b),      Z(r) = (r >> 8) ⊕ TABLE[r & 255],      and at the end      crc = r ⊕ (2³² − 1)

    Z is linear over ⊕, so two rows of n bytes, one behind the other, fold into one: `Zⁿ(first) ⊕ second`, word by word, leaves
    the same remainder. A long tensor is folded to a single row, and only that is read byte by byte.

    Source: Castagnoli et al. 1993 for P; RFC 3720, appendix B.4, for the checksum and its test vectors.
    """
    register = _ONES
    rows = len(data) // _ROW
    if rows > 1:
        low, high = _row_tables()
        words = np.frombuffer(data, dtype="<u4", count=rows * _ROW // 4).reshape(rows, _ROW // 4)
        folded = words[0].copy()
        folded[0] ^= np.uint32(register)
        register = 0
        for row in words[1:]:
            folded = low[folded & 0xFFFF] ^ high[folded >> 16] ^ row
        data = folded.tobytes() + bytes(data[rows * _ROW :])
    for byte in data:
        register = register >> 8 ^ _TABLE[(register ^ byte) & 255]
    return register ^ _ONES


def masked_crc32c(data: bytes | memoryview) -> int:
    """The form that files hold: turned by 15 bits and moved, since the checksum of a checksum would be degenerate."""
    crc = crc32c(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & _ONES


@cache
def _row_tables() -> list[NDArray[np.uint32]]:
    """Zⁿ for a row of n bytes, as two tables: of a register's low 16 bits and of its high 16 bits."""
    images = [1 << n for n in range(32)]  # what becomes of each single bit
    for _ in range(_ROW):
        images = [bit >> 8 ^ _TABLE[bit & 255] for bit in images]
    tables = [np.zeros(1, dtype=np.uint32) for _ in range(2)]
    for n, image in enumerate(images):
        tables[n // 16] = np.concatenate([tables[n // 16], tables[n // 16] ^ np.uint32(image)])
    return tables
