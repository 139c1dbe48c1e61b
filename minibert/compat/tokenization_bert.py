"""What `transformers.models.bert.tokenization_bert` holds and a course steps through: its functions, and the names of its steps.

`from minibert.models.bert.tokenization_bert import load_vocab` works (see `moved.py`). The steps themselves are in
`minibert/tokenization/words.py`. Reference: that module of transformers 4.12.5.
"""

import os
from collections import OrderedDict
from pathlib import Path
from typing import Any
from unicodedata import category, normalize

from ..tokenization import BasicTokenizer, BertTokenizer, WordpieceTokenizer
from ..tokenization.words import (
    is_chinese,
    is_control as _is_control,
    is_punctuation,
    is_punctuation as _is_punctuation,
    is_whitespace as _is_whitespace,
)

__all__ = [
    "VOCAB_FILES_NAMES",
    "BasicTokenizer",
    "BertTokenizer",
    "WordpieceTokenizer",
    "load_vocab",
    "whitespace_tokenize",
]
UNDERSCORED = (_is_control, _is_punctuation, _is_whitespace)  # of `transformers.tokenization_utils`

VOCAB_FILES_NAMES = {"vocab_file": "vocab.txt"}


def load_vocab(vocab_file: str | os.PathLike[str]) -> OrderedDict[str, int]:
    """Token → the number of its line, from 0."""
    with Path(vocab_file).open(encoding="utf-8") as file:
        return OrderedDict((line.rstrip("\n"), number) for number, line in enumerate(file))


def whitespace_tokenize(text: str) -> list[str]:
    """What stands between spaces."""
    return text.split()


def _run_strip_accents(_: Any, text: str) -> str:
    """Letters and marks apart (Unicode form NFD), without the marks (category Mn)."""
    return "".join(char for char in normalize("NFD", text) if category(char) != "Mn")


def _run_split_on_punc(_: Any, text: str, never_split: Any = None) -> list[str]:
    """Every punctuation mark by itself, and what stands between them."""
    if never_split is not None and text in never_split:
        return [text]
    parts: list[str] = []
    within = False
    for char in text:
        if within and not is_punctuation(char):
            parts[-1] += char
        else:
            parts.append(char)
        within = not is_punctuation(char)
    return parts


OF_BASIC: dict[str, Any] = {
    "_run_strip_accents": _run_strip_accents,
    "_run_split_on_punc": _run_split_on_punc,
    "_tokenize_chinese_chars": lambda self, text: self.space_chinese(text),
    "_is_chinese_char": lambda _, cp: is_chinese(chr(cp)),
    "_clean_text": lambda self, text: self.clean(text),
}
OF_VOCABULARIES: dict[str, Any] = {
    "_convert_token_to_id": lambda self, token: self.vocab.get(token, self.vocab.get(self.unk_token)),
    "_convert_id_to_token": lambda self, index: self.ids_to_tokens.get(index, self.unk_token),
}
