"""A tokenizer that can be read off: some whole words, letters for the others."""

from __future__ import annotations

import string

from minibert.tokenization import BertTokenizer

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
WORDS = ["the", "cat", "dog", "sat", "ran", "on", "mat", "who", "where", "un", "##able", "##s"]
LETTERS = [*string.ascii_lowercase, *string.digits, *string.punctuation]
PIECES = [*SPECIAL, *WORDS, *LETTERS, *(f"##{letter}" for letter in string.ascii_lowercase + string.digits)]


def tiny_tokenizer(**settings) -> BertTokenizer:
    vocab = {piece: index for index, piece in enumerate(dict.fromkeys(PIECES))}
    return BertTokenizer(vocab, **settings)
