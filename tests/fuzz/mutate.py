"""Spoil a file as damage and malice would: bits, bytes and stretches of it, numbers in its text, values in its JSON.

Simple and without coverage: the same random numbers always spoil it in the same way. Files inside files (the header of a
safetensors file, the pickle in a zip, the table of a TensorFlow index) are spoiled inside and packed again, checksums and
lengths right, so that what is behind the checksum is reached too.
"""

from __future__ import annotations

import io
import json
import re
import struct
import zipfile
from pathlib import PurePath
from random import Random
from typing import Any

from minibert.checkpoints.tensorflow.bundle import read_table
from tests.unit.checkpoints.tensorflow_writer import table

NUMBERS = (0, 1, -1, 2, 127, 128, 255, 2**15, 2**16, 2**31 - 1, 2**31, 2**32, 2**53, 2**63 - 1, 2**63, 2**64, 10**30)
TOKENS = (
    *(
        b"null",
        b"true",
        b"NaN",
        b"1e999",
        b"-0.5",
        b"[]",
        b"{}",
        b'""',
        b'"',
        b"\\",
        b",",
        b"\t",
        b"\n",
        b"\r",
        b" ",
        b":",
    ),
    *("\u202e", "\ufeff", "\u2028", "\u0301" * 50, "İ", "ß", "東", "😀", "\x1b[31m"),
    *(
        b"\xff",
        b"\xed\xa0\x80",
        b"\x00",
        b"\\ud800",
        b"[" * 20_000,
        b'{"a":' * 5_000,
        b"[PAD]",
        b"[UNK]",
        b"##",
        b"-100",
    ),
    *(b"../../etc/passwd", b"<script>", b"$x^2$", b"O", b"B-", b"#", b"# a", b"9" * 5_000),
)
VALUES: tuple[Any, ...] = (
    *(None, True, False, "", "x", "0", "\ud800", "[UNK]", [], [[]], ["x"], [None], [1], {}, {"x": 1}, {"0": "x"}),
    *(*NUMBERS, 0.5, -0.5, float("nan"), float("inf"), "x" * 5_000, list(range(500))),
)
_NUMBER = re.compile(rb"-?\d+(\.\d+)?")


def spoil(data: bytes, name: str, random: Random) -> bytes:
    """`data`, the content of a file of this name, spoiled in one to three ways."""
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        inside = _INSIDE.get(PurePath(name).suffix)
        if inside and random.random() < 0.7:
            try:
                data = inside(data, random)
                continue
            except Exception:
                pass  # spoiled too far already to be unpacked
        data = _spoil_bytes(data, random)
    return data


def _spoil_bytes(data: bytes, random: Random) -> bytes:
    start = random.randrange(len(data) + 1)
    end = min(len(data), start + random.choice((0, 1, 1, 2, 4, 8, 16, random.randrange(64), len(data))))
    some = data[start:end]
    token = random.choice(TOKENS)
    inserted = token.encode() if isinstance(token, str) else token
    match random.randrange(9):
        case 0:
            return data[:start]
        case 1:
            return data[:start] + data[end:]
        case 2:
            return data[:end] + some + data[end:]
        case 3:
            return data[:start] + inserted + data[end:]
        case 4:
            return data[:start] + inserted + data[start:]
        case 5:
            number = random.choice(NUMBERS) % 2**64
            return data[:start] + number.to_bytes(8, random.choice(("little", "big")))[: len(some)] + data[end:]
        case 6:
            return data[:start] + random.randbytes(len(some)) + data[end:]
        case 7 if found := list(_NUMBER.finditer(data[:100_000])):
            match = random.choice(found)
            return data[: match.start()] + str(random.choice(NUMBERS)).encode() + data[match.end() :]
    if not data:
        return inserted
    place = random.randrange(len(data))
    return data[:place] + bytes([data[place] ^ 1 << random.randrange(8)]) + data[place + 1 :]


def _spoil_json(data: bytes, random: Random) -> bytes:
    whole = json.loads(data)
    places: list[tuple[Any, Any]] = []  # every member of every object, every item of every list

    def walk(value: Any) -> None:
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            places.append((value, key))
            if isinstance(inner, (dict, list)):
                walk(inner)

    walk([whole] if isinstance(whole, (dict, list)) else [])
    holder, key = random.choice(places)
    if holder[key] is whole:
        whole = random.choice(VALUES)
    elif random.random() < 0.15:
        del holder[key]
    elif random.random() < 0.2:
        other_holder, other_key = random.choice(places)
        holder[key] = json.loads(json.dumps(other_holder[other_key]))  # what stands elsewhere, in the wrong place
    elif isinstance(holder, dict) and random.random() < 0.15:
        holder[random.choice(("", "x", "-1", "99", "\x1b[0m", "num_labels", "use_return_dict"))] = holder.pop(key)
    else:
        holder[key] = random.choice(VALUES)
    return json.dumps(whole).encode()


def _spoil_lines_of_json(data: bytes, random: Random) -> bytes:
    lines = data.splitlines()
    place = random.randrange(len(lines))
    return b"\n".join([*lines[:place], _spoil_json(lines[place], random), *lines[place + 1 :]])


def _spoil_header(data: bytes, random: Random) -> bytes:
    """The header of a safetensors file, and its length."""
    (length,) = struct.unpack("<Q", data[:8])
    header = data[8 : 8 + length]
    spoiled = (_spoil_json if random.random() < 0.8 else _spoil_bytes)(header, random)
    spoiled += b" " * (-len(spoiled) % 8)
    return struct.pack("<Q", len(spoiled)) + spoiled + data[8 + length :]


def _spoil_pickle(data: bytes, random: Random) -> bytes:
    """One file in the zip of `torch.save`, which is packed again, now and then compressed."""
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        files = {info.filename: packed.read(info) for info in packed.infolist()}
    pickles = [name for name in files if name.endswith("data.pkl")]
    name = random.choice(pickles if random.random() < 0.8 else list(files))
    files[name] = _spoil_bytes(files[name], random)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED if random.random() < 0.1 else zipfile.ZIP_STORED) as packed:
        for name, content in files.items():
            packed.writestr(name, content)
    return out.getvalue()


def _spoil_table(data: bytes, random: Random) -> bytes:
    """One value in the table of a TensorFlow index, or two that change places."""
    entries = read_table(data)
    one, other = random.choice(list(entries)), random.choice(list(entries))
    if random.random() < 0.4:
        entries[one] = entries[other]
    else:
        entries[one] = _spoil_bytes(entries[one], random)
    return table(entries)


_INSIDE = {
    ".json": _spoil_json,
    ".jsonl": _spoil_lines_of_json,
    ".safetensors": _spoil_header,
    ".bin": _spoil_pickle,
    ".pt": _spoil_pickle,
    ".index": _spoil_table,
}
