"""Small vocabularies, written to files as a tokenizer finds them."""

from __future__ import annotations

import string

import pytest

from minibert.tokenization import BertTokenizer

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
LETTERS = [*string.ascii_lowercase, *string.digits, *(f"##{char}" for char in string.ascii_lowercase + string.digits)]
WORDS = [
    "the",
    "dog",
    "##s",
    "hello",
    "world",
    "un",
    "##aff",
    "##able",
    "runs",
    "don",
    "you",
    "你",
    "好",
    *string.punctuation,
]
PIECES = list(dict.fromkeys([*SPECIAL, *LETTERS, *WORDS]))


@pytest.fixture
def vocab_file(tmp_path):
    path = tmp_path / "given" / "vocab.txt"
    path.parent.mkdir()
    path.write_text("".join(f"{piece}\n" for piece in PIECES), encoding="utf-8")
    return path


@pytest.fixture
def tokenizer(vocab_file):
    return BertTokenizer.from_pretrained(vocab_file.parent)
