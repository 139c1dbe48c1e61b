"""Part 1, WordPiece: a text or two in, ids and segments out."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from minibert import BertTokenizer

from .judge import Finding, call, make_function

PIECES = [
    "un",
    "##able",
    "##ab",
    "##le",
    "##aff",
    "##ford",
    "##af",
    "a",
    "an",
    "the",
    "he",
    "him",
    "her",
    "sh",
    "##ook",
    "shook",
    "his",
    "head",
    "hand",
    "##s",
    "##ing",
    "##ed",
    "walk",
    "caf",
    "##e",
    "cafe",
    "na",
    "##ive",
    "中",
    "国",
    "人",
    "##国",
    "1",
    "##9",
    "##8",
    "19",
    "##84",
    "$",
    ",",
    ".",
    "!",
    "?",
    "'",
    "-",
    "(",
    ")",
    "#",
    "##!",
    "don",
    "##'",
    "t",
    "don't",
    "##t",
    "x",
    "##x",
    "o",
    "##o",
    "oo",
    "ab",
    "abc",
    "##abc",
    "##bc",
    "##c",
    "##d",
]
VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *PIECES]
# The first and last characters of the blocks of ideographs, and what is just outside them.
BORDERS = [f"a{char}a" for char in map(chr, (0x33FF, 0x3400, 0x4DBF, 0x4DFF, 0x4E00, 0x9FFC, 0xA000, 0xF900, 0xFAD9, 0xFB00, 0x20000, 0x2A6D6, 0x2A700, 0x2B740, 0x2B820, 0x2CEA1, 0x2F800, 0x2FA1D))]  # fmt: skip
# (what is tried, the texts)
TEXTS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("words that the vocabulary has", ("he shook his head",)),
    ("a full stop, and capital letters", ("He shook his head.",)),
    ("words in pieces", ("walking hands walked unable",)),
    ("the longest piece first, and no second try", ("abcd abd abcc unaffordable",)),
    ("a word of which a piece is missing: one [UNK] for all of it", ("he walkz his hand", "zebra!")),
    ("punctuation: every mark stands alone", ("don't shook--his (head)... he,his", "#$!?'")),
    (
        "punctuation: all of ASCII's marks",
        (*(f"a{mark}a" for mark in map(chr, range(33, 127))), "a\u2014a\u3002a\u00bfa\u20aca"),
    ),
    ("spaces of every kind", ("  he\tshook \n his\u00a0head\u3000he ", "")),
    ("accents are stripped", ("Café NAÏVE naïve cafe\u0301",)),
    ("Chinese: every ideograph is a word", ("中国人he中", "中国", *BORDERS)),
    ("digits", ("1984 19", "1 9 84")),
    ("control characters vanish", ("he\u0000sh\u200book\ufffd his\u0007 head", "wal\u00adk")),
    ("[MASK] in a text is one token", ("He shook his [MASK].", "[MASK]ing he[SEP]his")),
    ("a word of more than 100 characters is [UNK]", ("o" * 100 + " " + "o" * 101, "x" * 250)),
    ("an empty text", ("",)),
)
PAIRS = (("He shook his head.", "Walking, unable!"), ("中国", ""), ("a", "the [MASK] x"))


def check_words(wordpiece: Callable[[list[str]], Callable[..., Any]]) -> Finding:
    """Compare a student's tokenizer with the library's on every text, alone and in pairs."""
    encode = make_function(wordpiece, list(VOCABULARY))
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "vocab.txt").write_text("\n".join(VOCABULARY) + "\n", encoding="utf-8")
        library: Any = BertTokenizer.from_pretrained(folder)
    singles = ((said, (text,)) for said, texts in TEXTS for text in texts)
    pairs = (("two texts: [CLS] first [SEP] second [SEP]", pair) for pair in PAIRS)
    for said, texts in itertools.chain(singles, pairs):
        expected = library(*texts)
        if wrong := mistake(call(encode, *texts), expected["input_ids"], expected["token_type_ids"]):
            return Finding(f"{said}, such as {texts[0][:40]!r}: {wrong}")
    return Finding()


def mistake(given: Any, ids: list[int], segments: list[int]) -> str:
    """What is wrong with the answer for one text."""
    if not isinstance(given, (tuple, list)) or len(given) != 2:
        return "It should give two things: the ids and the segments."
    mine, where = (list(map(int, each)) for each in given)
    if mine != ids:
        first = next(
            (place for place, (x, y) in enumerate(zip(mine, ids, strict=False)) if x != y), min(len(mine), len(ids))
        )
        known = VOCABULARY[mine[first]] if first < len(mine) and 0 <= mine[first] < len(VOCABULARY) else "nothing"
        if mine[:1] != [VOCABULARY.index("[CLS]")] or mine[-1] != VOCABULARY.index("[SEP]"):
            return "It should begin with [CLS] and end with [SEP]."
        return f"{len(mine)} ids where there should be {len(ids)}; the first that is wrong is number {first}, counted from 0: you have {known}."
    return (
        "" if where == segments else "The ids are right, but not the segments: 0 up to the first [SEP], and 1 after it."
    )
