"""What `transformers.models.bert.tokenization_bert` holds and a course steps through: its functions, the names of its steps, its base.

`from minibert.models.bert.tokenization_bert import load_vocab` works (see `moved.py`). The steps themselves are in
`minibert/tokenization/words.py`. Reference: that module of transformers 4.12.5.
"""

import collections
import os
import unicodedata
from pathlib import Path
from typing import Any, List, Optional, Tuple  # noqa: UP035  as the era's classes are annotated

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
    "List",
    "Optional",
    "PreTrainedTokenizer",
    "Tuple",
    "WordpieceTokenizer",
    "collections",
    "load_vocab",
    "os",
    "unicodedata",
    "whitespace_tokenize",
]
UNDERSCORED = (_is_control, _is_punctuation, _is_whitespace)  # of `transformers.tokenization_utils`

VOCAB_FILES_NAMES = {"vocab_file": "vocab.txt"}


def load_vocab(vocab_file: str | os.PathLike[str]) -> collections.OrderedDict[str, int]:
    """Token → the number of its line, from 0."""
    with Path(vocab_file).open(encoding="utf-8") as file:
        return collections.OrderedDict((line.rstrip("\n"), number) for number, line in enumerate(file))


def whitespace_tokenize(text: str) -> list[str]:
    """What stands between spaces."""
    return text.split()


def _run_strip_accents(_: Any, text: str) -> str:
    """Letters and marks apart (Unicode form NFD), without the marks (category Mn)."""
    return "".join(char for char in unicodedata.normalize("NFD", text) if unicodedata.category(char) != "Mn")


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


class _OfEveryTokenizer(type):
    """Every `BertTokenizer` is a `PreTrainedTokenizer`, as in the reference."""

    def __subclasscheck__(cls, other: type) -> bool:
        return type.__subclasscheck__(BertTokenizer if cls is PreTrainedTokenizer else cls, other)

    def __instancecheck__(cls, tokenizer: Any) -> bool:
        return cls.__subclasscheck__(type(tokenizer))


class PreTrainedTokenizer(BertTokenizer, metaclass=_OfEveryTokenizer):
    """`BertTokenizer`, and the base of a tokenizer typed anew: one that calls `super().__init__` without a vocabulary.

    Such a class holds its vocabulary itself, and is asked for `_tokenize`, `_convert_token_to_id`, `_convert_id_to_token`,
    `vocab_size`, `get_vocab` and `save_vocabulary`; what frames its texts, nothing by default, are methods of its own too.
    Reference class: `PreTrainedTokenizer`.
    """

    def __init__(self, vocab_file: Any = None, *arguments: Any, **settings: Any):
        self.typed_anew = vocab_file is None
        if self.typed_anew:
            settings = {"do_basic_tokenize": False, **dict.fromkeys(self.ROLES), **settings}
            vocab_file = {str(settings["unk_token"]): 0}  # until the class sets its own
            self.saved_as = type(self).__name__
        super().__init__(vocab_file, *arguments, **settings)
        self._none_yet = self.vocab if self.typed_anew else None

    def check_vocabulary(self) -> None:
        """Raise NotImplementedError where a class typed anew neither set `self.vocab` nor has the method that was called."""
        if self.vocab is self._none_yet:
            asked = "_convert_token_to_id, _convert_id_to_token, vocab_size, get_vocab and save_vocabulary"
            raise NotImplementedError(f"{type(self).__name__} has no vocabulary: set self.vocab, or write {asked}.")

    def _convert_token_to_id(self, token: str) -> Any:
        self.check_vocabulary()
        return OF_VOCABULARIES["_convert_token_to_id"](self, token)

    def _convert_id_to_token(self, index: int) -> Any:
        self.check_vocabulary()
        return OF_VOCABULARIES["_convert_id_to_token"](self, index)

    @property
    def vocab_size(self) -> int:
        """Number of tokens, without added ones."""
        self.check_vocabulary()
        return super().vocab_size

    def get_vocab(self) -> dict[str, int]:
        """Every token → its id."""
        self.check_vocabulary()
        return super().get_vocab()

    def save_vocabulary(self, *arguments: Any, **named: Any) -> tuple[str]:
        """Write vocab.txt."""
        self.check_vocabulary()
        return super().save_vocabulary(*arguments, **named)

    def __len__(self) -> int:
        return self.vocab_size + len(self.added_tokens_encoder)

    def known_id(self, token: Any) -> Any:
        """As there: an added token's id, or what the class says of the token."""
        if not self.typed_anew or token is None:
            return super().known_id(token)
        added = self.added_tokens_encoder.get(str(token))
        return self._convert_token_to_id(str(token)) if added is None else added

    def id_to_token(self, index: int) -> str:
        """As there: an added token, or what the class says of the id."""
        if not self.typed_anew:
            return super().id_to_token(index)
        added = self.added_tokens_decoder.get(index)
        return self._convert_id_to_token(index) if added is None else added

    def convert_tokens_to_ids(self, tokens: Any) -> Any:
        """The id of one token, or the ids of several."""
        if not self.typed_anew or tokens is None:
            return super().convert_tokens_to_ids(tokens)
        return self.token_to_id(tokens) if isinstance(tokens, str) else list(map(self.token_to_id, tokens))

    def build_inputs_with_special_tokens(self, token_ids_0: Any, token_ids_1: Any = None) -> Any:
        """One text, or one behind the other."""
        if not self.typed_anew:
            return super().build_inputs_with_special_tokens(token_ids_0, token_ids_1)
        return token_ids_0 + (token_ids_1 or [])

    def create_token_type_ids_from_sequences(self, token_ids_0: Any, token_ids_1: Any = None) -> Any:
        """0 for the first text, 1 for the second."""
        if not self.typed_anew:
            return super().create_token_type_ids_from_sequences(token_ids_0, token_ids_1)
        return [0] * len(token_ids_0) + [1] * len(token_ids_1 or [])
