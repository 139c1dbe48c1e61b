"""Ours and the newest transformers' tokenizer over the same vocabulary, and texts that both treat alike."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from transformers import BertTokenizer as NewTokenizer

from minibert.tokenization import BertTokenizer
from tests.parity.old import tokenizer_programs as programs

NOVELS = Path(__file__).parents[3] / "weights" / "novels-4l-256h"
STRINGS = int(os.environ.get("MINIBERT_STRINGS", 20_000))
VOCABULARIES = list(programs.VOCABULARIES)


def agreed(text: str) -> str:
    """`text` without the characters that the two libraries treat differently: docs/tokenizer.md."""
    return "".join(char for char in text if programs.is_settled(char) and not 0x2B820 <= ord(char) <= 0x2B91F)


def pair_over(vocabulary: str, folder: Path, ours: type[BertTokenizer]) -> tuple[BertTokenizer, Any]:
    """(ours, the new one) over one of VOCABULARIES."""
    pieces = dict.fromkeys(programs.VOCABULARIES[vocabulary])
    (folder / "vocab.txt").write_text("".join(f"{piece}\n" for piece in pieces), encoding="utf-8")
    arguments = programs.SETTINGS[vocabulary]
    return ours.from_pretrained(folder, **arguments), NewTokenizer.from_pretrained(folder, **arguments)
