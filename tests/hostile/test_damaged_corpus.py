"""Prepared text that is damaged, or lies beside another vocabulary, is refused by name before a batch is made of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from minibert import BertTokenizer
from minibert.data.corpus import TRAIN, PreparedData
from minibert.data.pretraining_batches import PretrainingBatches
from tests.unit.training.small_run import corpus


def change(path: Path, **fields: Any) -> None:
    manifest = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({k: v for k, v in {**manifest, **fields}.items() if v != "left out"}), encoding="utf-8")


@pytest.mark.parametrize(
    "fields",
    [
        {"dtype": "left out"},
        {"dtype": "O"},
        {"dtype": "<f4"},
        {"dtype": 5},
        {"dtype": ["<u2"]},
        {"vocab_size": "many"},
        {"vocab_size": None},
        {"vocab_sha256": None},
        {"unigram_entropy": "left out"},
        {"unigram_entropy": "x"},
        {"unigram_entropy": -1.0},
        {"parts": []},
        {"parts": {"train": {}}},
        {"parts": {"train": {"tokens": "x"}, "held-out": {"tokens": 0}}},
        {"sources": 5},
        {"sources": [{}]},
        {"sources": ["a"]},
        {"sources": [{"sha256": None}]},
    ],
)
def test_a_damaged_manifest_is_refused_by_its_name(tmp_path: Path, fields: dict[str, Any]) -> None:
    data = corpus(tmp_path)
    change(data.folder / "manifest.json", **fields)
    with pytest.raises(ValueError, match=r"manifest\.json' is damaged\. Prepare the corpus again"):
        PreparedData.open(data.folder)


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"5", b"\xff\xfe", b"[" * 100_000, b'"x"', b'{"unigram_entropy": NaN}']
)
def test_a_manifest_that_is_no_json_object_is_refused_by_its_name(tmp_path: Path, content: bytes) -> None:
    data = corpus(tmp_path)
    (data.folder / "manifest.json").write_bytes(content)
    with pytest.raises((OSError, ValueError), match=r"manifest\.json"):
        PreparedData.open(data.folder)


@pytest.mark.parametrize(
    "how", ["another line", "two lines change places", "a line less", "other ends", "empty", "gone", "case"]
)
def test_a_changed_vocabulary_is_betrayed_by_its_hash(tmp_path: Path, how: str) -> None:
    data = corpus(tmp_path)
    path = data.folder / "vocab.txt"
    lines = path.read_bytes().splitlines(keepends=True)
    changed = {
        "another line": [*lines, b"more\n"],
        "two lines change places": [*lines[:-2], lines[-1], lines[-2]],
        "a line less": lines[:-1],
        "other ends": [line.replace(b"\n", b"\r\n") for line in lines],
        "empty": [],
        "gone": [],
        "case": [line.upper() for line in lines],
    }[how]
    path.write_bytes(b"".join(changed))
    if how == "gone":
        path.unlink()
    with pytest.raises(ValueError, match=r"vocab\.txt' is not the one that the text was prepared with"):
        PreparedData.open(data.folder)


@pytest.mark.parametrize("name", ["sentences", "documents"])
@pytest.mark.parametrize(
    "how", ["backwards", "negative", "huge", "repeated", "not from 0", "cut", "odd bytes", "empty", "zeros"]
)
def test_borders_that_make_no_sense_are_refused(tmp_path: Path, name: str, how: str) -> None:
    data = corpus(tmp_path)
    path = data.folder / TRAIN / f"{name}.bin"
    borders = np.fromfile(path, "<i8")
    middle = len(borders) // 2
    spoiled = borders.copy()
    match how:
        case "backwards":
            spoiled = borders[::-1].copy()
        case "negative":
            spoiled[middle] = -5
        case "huge":
            spoiled[middle] = 2**62
        case "repeated":
            spoiled[middle] = spoiled[middle - 1]
        case "not from 0":
            spoiled[0] = 1 if borders[1] > 1 else -1
        case "cut":
            spoiled = borders[:-1]
        case "empty":
            spoiled = borders[:0]
        case "zeros":
            spoiled[:-1] = 0
    path.write_bytes(spoiled.tobytes() + (b"\0\0\0" if how == "odd bytes" else b""))
    with pytest.raises(ValueError, match="do not fit each other"):
        data.corpus(TRAIN)


@pytest.mark.parametrize("index", [60_000, 65_535])
@pytest.mark.parametrize("pairs", [True, False])
def test_a_token_id_that_no_token_has_is_refused(tmp_path: Path, index: int, pairs: bool) -> None:
    data = corpus(tmp_path)
    path = data.folder / TRAIN / "tokens.bin"
    np.full(path.stat().st_size // 2, index, "<u2").tofile(path)
    rows = PretrainingBatches(data.corpus(TRAIN), BertTokenizer.from_pretrained(data.folder), seed=0)
    with pytest.raises(ValueError, match=f"has the token id {index}, the vocabulary .* Prepare the corpus again"):
        rows.batch(1, 0, range(2), length=12, pairs=pairs)
