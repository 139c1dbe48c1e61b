"""Write TensorFlow checkpoints byte by byte, right ones and wrong ones.

What a real TensorFlow writes is in tests/fixtures/tensorflow; this is for what it would never write.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from minibert.checkpoints.tensorflow.bundle import DTYPES, masked_crc32c

MAGIC = struct.pack("<Q", 0xDB4775248B80FB57)
NUMBER_OF = {dtype: number for number, dtype in DTYPES.items()}
Fields = Mapping[int, int | bytes]


def varint(number: int) -> bytes:
    low, high = number & 0x7F, number >> 7
    return bytes([low | 0x80]) + varint(high) if high else bytes([low])


def message(fields: Fields) -> bytes:
    """A protocol buffer: numbers as varints, field 6 (a checksum) as four bytes, bytes with their length."""
    out = b""
    for field, value in fields.items():
        if isinstance(value, bytes):
            out += varint(field << 3 | 2) + varint(len(value)) + value
        elif field == 6:
            out += varint(field << 3 | 5) + struct.pack("<I", value)
        else:
            out += varint(field << 3) + varint(value)
    return out


def shape(*sizes: int) -> bytes:
    return b"".join(message({2: message({1: size})}) for size in sizes)


def block(entries: Mapping[bytes, bytes], restart_every: int = 16) -> bytes:
    """Sorted entries, each sharing with the key before it what it can, and the places where it shares nothing."""
    out, restarts, last = b"", [], b""
    for n, (key, value) in enumerate(entries.items()):
        shared = 0
        if n % restart_every == 0:
            restarts.append(len(out))
        else:
            while shared < min(len(key), len(last)) and key[shared] == last[shared]:
                shared += 1
        out += varint(shared) + varint(len(key) - shared) + varint(len(value)) + key[shared:] + value
        last = key
    return out + struct.pack(f"<{len(restarts) + 1}I", *restarts, len(restarts))


def with_trailer(content: bytes, compression: int = 0) -> bytes:
    kind = bytes([compression])
    return content + kind + struct.pack("<I", masked_crc32c(content + kind))


def table_of_blocks(blocks: list[bytes], compression: int = 0) -> bytes:
    """A table of these blocks, whatever they hold."""
    out, places = b"", {}
    for n, content in enumerate(blocks):
        places[f"{n:06d}".encode()] = varint(len(out)) + varint(len(content))
        out += with_trailer(content, compression)
    index = block(places)
    footer = varint(0) + varint(0) + varint(len(out)) + varint(len(index))
    return out + with_trailer(index) + footer.ljust(40, b"\0") + MAGIC


def table(entries: Mapping[bytes, bytes], keys_a_block: int = 100, restart_every: int = 16) -> bytes:
    items = sorted(entries.items())
    parts = [dict(items[n : n + keys_a_block]) for n in range(0, len(items), keys_a_block)]
    return table_of_blocks([block(part, restart_every) for part in parts])


def write_index(
    folder: Path, entries: Mapping[str, Fields], header: Fields | None = None, name: str = "model.ckpt"
) -> None:
    values = {key.encode(): message(fields) for key, fields in entries.items()}
    (folder / f"{name}.index").write_bytes(table({b"": message({1: 1} if header is None else header), **values}))


def write_checkpoint(folder: Path, tensors: Mapping[str, Tensor], name: str = "model.ckpt") -> dict[str, dict]:
    """A right checkpoint in one data file. Returns the entries, for a test to spoil and write again."""
    data, entries = b"", {}
    for key, tensor in tensors.items():
        content = tensor.contiguous().numpy().tobytes()
        fields = {1: NUMBER_OF[tensor.dtype], 2: shape(*tensor.shape), 4: len(data), 5: len(content)}
        entries[key] = {**fields, 6: masked_crc32c(content)}
        data += content
    (folder / f"{name}.data-00000-of-00001").write_bytes(data)
    write_index(folder, entries, name=name)
    return entries
