"""A TensorFlow checkpoint's index, as a table: sorted keys with their values, in LevelDB's format.

    block …                  entries, sorted by key, then the restart points: 4 bytes each, and how many there are
    1 byte, 4 bytes          after each block: its compression (0 is none), and the masked CRC-32C of block and byte
    index block              one entry for each block before it; its value is the block's handle, (offset, size)
    48 bytes at the end      handles of the meta index and the index block, padded to 40 bytes; 8 bytes of magic number

An entry shares a prefix with the key before it: `shared length, own length, value length, own part of the key, value`.
Numbers are varints, seven bits a byte, lowest first; the last byte has its top bit clear.

Source: LevelDB's table_format.md, which TensorFlow's lib/io/table follows.
"""

from collections.abc import Iterator
from pathlib import Path

from ..files import CheckpointError, check_is_real_file
from .checksum import masked_crc32c

_FOOTER = 48
_MAGIC = 0xDB4775248B80FB57.to_bytes(8, "little")


def read_table(path: Path) -> dict[bytes, bytes]:
    """Every key and its value, in order; CheckpointError where the file is no such table, or is damaged."""
    check_is_real_file(path)
    data = path.read_bytes()
    table: dict[bytes, bytes] = {}
    try:
        if len(data) < _FOOTER:
            raise ValueError(f"it is {len(data)} bytes long, too short for one")
        if not data.endswith(_MAGIC):
            raise ValueError("it does not end in the format's magic number")
        _, _, *index, _ = _varints(data[-_FOOTER:], 0, count=4)
        for _, handle in _entries(_block(data, *index)):
            *block, _ = _varints(handle, 0, count=2)
            for key, value in _entries(_block(data, *block)):
                if table and key <= next(reversed(table)):
                    raise ValueError(f"its keys are out of order at {key!r}")
                table[key] = value
    except ValueError as error:
        raise CheckpointError(
            f"{path}: not the index of a TensorFlow checkpoint, or a damaged one: {error}. Get the file again"
        ) from error
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


def _block(data: bytes, offset: int, size: int) -> bytes:
    """A block's entries and restart points, its checksum checked."""
    end = offset + size
    if end + 5 > len(data):
        raise ValueError(f"a block should end at byte {end + 5}, the file ends at {len(data)}")
    compression, checksum = data[end], int.from_bytes(data[end + 1 : end + 5], "little")
    if masked_crc32c(data[offset : end + 1]) != checksum:
        raise ValueError(f"the checksum of the block at byte {offset} does not match")
    if compression != 0:
        # TensorFlow itself never compresses an index: its tensors, which make up the size, are elsewhere.
        raise ValueError(f"the block at byte {offset} is compressed (kind {compression}), which no checkpoint's is")
    return data[offset:end]


def _entries(block: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The entries one after the other; restart points only serve to search, which nobody does here."""
    restarts = int.from_bytes(block[-4:], "little")
    end = len(block) - 4 - 4 * restarts
    if end < 0:
        raise ValueError("a block is shorter than its own list of restart points")
    position, key = 0, b""
    while position < end:
        shared, own, length, position = _varints(block, position, count=3)
        if shared > len(key) or position + own + length > end:
            raise ValueError("an entry reaches beyond its block")
        key = key[:shared] + block[position : position + own]
        yield key, block[position + own : position + own + length]
        position += own + length
