"""Remember what words became: text repeats itself, so most words need no work twice."""

import os
from collections.abc import Callable, Iterable

from .characters import lower_each

MAX_WORDS = 1 << 17  # some 30 MB of ordinary words
MAX_WORD_LENGTH = 64  # longer words are rare, and not worth the room


class WordMemory(dict[str, tuple[int, ...]]):
    """word → ids, worked out by `encode` when first asked for: `memory[word]`.

    Bounded: full, it starts afresh (the common words are back within a page); long words are never kept.
    """

    def __init__(self, encode: Callable[[str], tuple[int, ...]]):
        super().__init__()
        self.encode = encode

    def __missing__(self, word: str) -> tuple[int, ...]:
        ids = self.encode(word)
        if len(word) <= MAX_WORD_LENGTH:
            if len(self) >= MAX_WORDS:
                self.clear()
            self[word] = ids
        return ids


class TokenDetector:
    """Tell quickly that a text holds none of some tokens, before or after lower-casing.

    tokens: what to look for.
    lowers: whether the text will be lower-cased before the tokens are looked for.
    """

    def __init__(self, tokens: Iterable[str], lowers: bool):
        self.openings = _openings(tokens)
        # lower-casing can bring about only a token that is in lower case itself
        self.lower_openings = _openings(token for token in tokens if lowers and lower_each(token) == token)

    def may_find(self, text: str) -> bool:
        """False only if no token is there."""
        for opening in self.openings:  # not any(...): this runs for every text, and a generator would double its time
            if opening in text:
                return True
        if self.lower_openings:
            lowered = lower_each(text)
            return any(opening in lowered for opening in self.lower_openings)
        return False


def _openings(tokens: Iterable[str]) -> list[str]:
    """What tokens begin with: for each first character, the beginning that all of its tokens share.

    BERT's five give `[`: one look at the text instead of five.
    """
    by_first: dict[str, list[str]] = {}
    for token in tokens:
        by_first.setdefault(token[:1], []).append(token)
    return [os.path.commonprefix(group) for group in by_first.values()]  # noqa: RUF071  of characters, not of paths
