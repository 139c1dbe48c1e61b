"""From text to words: the first half of BERT's tokenizer.

    text → clean → space out ideographs → split on whitespace → lower-case, strip accents → split off punctuation

Source: google-research/bert `tokenization.py`. Reference class: `BasicTokenizer`.
"""

from __future__ import annotations

from collections.abc import Iterable
from unicodedata import normalize

from .characters import CLEAN, DROP_MARKS, SPACE_CHINESE, SPACE_PUNCTUATION, Traced


class BasicTokenizer:
    """Split text into lower-cased words, ideographs and punctuation marks.

    do_lower_case: lower-case every word.
    never_split: words that are left as they stand.
    tokenize_chinese_chars: make every ideograph a word of its own (switch it off for Japanese).
    strip_accents: drop the marks above and below letters; None means "when lower-casing".
    """

    def __init__(
        self,
        do_lower_case: bool = True,
        never_split: Iterable[str] | None = None,
        tokenize_chinese_chars: bool = True,
        strip_accents: bool | None = None,
    ):
        self.do_lower_case = do_lower_case
        self.never_split = set(never_split or ())
        self.tokenize_chinese_chars = tokenize_chinese_chars
        self.strip_accents = strip_accents

    def tokenize(self, text: str, never_split: Iterable[str] | None = None) -> list[str]:
        """Words of `text`, in order. `never_split` adds to the tokenizer's own for this call.

        Given `Traced` text, the words are `Traced` too.
        """
        kept = self.never_split.union(never_split or ())
        text = self.clean(text)
        if self.tokenize_chinese_chars:
            text = self.space_chinese(text)
        words: list[str] = []
        for word in text.split():
            if word not in kept:
                word = self.normalize(word)
            if word in kept:
                words.append(word)
            else:
                words += word.translate(SPACE_PUNCTUATION).split()  # don't → don ' t
        return words

    def clean(self, text: str) -> str:
        """Drop control characters, and make every kind of space a plain one."""
        return text.translate(CLEAN)

    def space_chinese(self, text: str) -> str:
        """Put a space on each side of every ideograph."""
        return text.translate(SPACE_CHINESE)

    def normalize(self, word: str) -> str:
        """Lower-case a word and strip its accents, as far as the settings ask for it: É → e.

        Accents are stripped by taking letters and marks apart (Unicode form NFD) and dropping the marks (category Mn).
        """
        if self.do_lower_case:
            word = word.lower()
        if self.do_lower_case if self.strip_accents is None else self.strip_accents:
            apart = word.decompose() if isinstance(word, Traced) else normalize("NFD", word)
            word = apart.translate(DROP_MARKS)
        return word


def lower_each(text: str) -> str:
    """Lower-case character by character.

    `str.lower` looks around in one case only: a Σ at the end of a word becomes ς. Alone, it becomes σ.
    """
    return text.replace("Σ", "σ").lower()
