"""Plain text as rows of words to hide.

A file holds passages with an empty line between them; other line breaks mean nothing. A passage longer than a row is read in parts, one
after the other:

    [CLS] part [SEP]
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ...tokenization import BertTokenizer
from .files import read_lines
from .report import Report


@dataclass(frozen=True)
class Passage:
    """A stretch of text, and where it begins in its file."""

    text: str
    place: str


def read_passages(path: str | os.PathLike[str]) -> tuple[list[Passage], Report]:
    """The passages of a UTF-8 file. Raises ValueError where it is missing, empty or not UTF-8."""
    passages: list[Passage] = []
    lines: list[str] = []
    begin = ""
    for place, line in [*read_lines(path), ("", "")]:
        if line.strip():
            begin = begin if lines else place
            lines.append(line.strip())
        elif lines:
            passages.append(Passage(" ".join(lines), begin))
            lines = []
    return passages, Report(str(path), found=len(passages))


def encode_passages(
    passages: Sequence[Passage], tokenizer: BertTokenizer, max_length: int, report: Report
) -> list[dict[str, Any]]:
    """Rows of at most `max_length` pieces: `input_ids`, `token_type_ids`, `attention_mask`.

    Left out and reported: passages, or parts of them, that are nothing but unknown pieces: there is no word to hide.
    """
    if max_length < 3:
        raise ValueError(f"max_length is {max_length}: beside [CLS] and [SEP] there is no room for a piece.")
    room = max_length - 2
    rows = []
    for passage in passages:
        pieces = tokenizer(passage.text, add_special_tokens=False, verbose=False)["input_ids"]
        parts = [pieces[start : start + room] for start in range(0, len(pieces), room)]
        useful = [part for part in parts if not set(part) <= set(tokenizer.all_special_ids)]
        if not useful:
            report.leave_out(passage.place, "there is no known word in it")
        elif len(useful) < len(parts):
            report.change(passage.place, f"a part of {max_length} pieces without a known word was dropped")
        if len(parts) > 1:
            report.change(passage.place, f"passage read in parts of {max_length} pieces")
        rows += [_row(part, tokenizer) for part in useful]
    report.require_some()
    return rows


def _row(part: list[int], tokenizer: BertTokenizer) -> dict[str, Any]:
    input_ids = tokenizer.build_inputs_with_special_tokens(part)
    columns = {
        "input_ids": input_ids,
        "token_type_ids": [0] * len(input_ids),
        "attention_mask": [1] * len(input_ids),
    }
    return {name: columns[name] for name in tokenizer.model_input_names}
