"""Where tokens come from: text whose characters know their positions, and rows whose tokens do.

Reference class: Rust's `Encoding`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from unicodedata import combining, normalize


class Traced(str):
    """Text that knows, of each of its characters, the position in the original of the character it was made from.

    The tokenizer's own steps run on it as on any `str`; that is how offsets are found. The `str` methods that those
    steps use keep the positions: slices, `translate`, `lower`, `split` at whitespace, `lstrip`, `rstrip`, `replace`
    of one character by one. Every other method returns a plain `str`, which has none. positions: (length).
    """

    positions: Sequence[int]

    def __new__(cls, text: str, positions: Sequence[int]) -> Traced:
        traced = super().__new__(cls, text)
        traced.positions = positions
        return traced

    @property
    def span(self) -> tuple[int, int]:
        """Where the original of this text begins and ends."""
        return min(self.positions), max(self.positions) + 1

    def __getitem__(self, part: Any) -> str:
        found = super().__getitem__(part)
        return Traced(found, self.positions[part]) if isinstance(part, slice) else found

    def translate(self, table: Mapping[int, str]) -> Traced:  # type: ignore[override]
        """Replace every character; what it becomes keeps its position."""
        return self._each(lambda char: table[ord(char)])

    def _each(self, rule: Callable[[str], str]) -> Traced:
        made = [(new, position) for char, position in zip(self, self.positions, strict=True) for new in rule(char)]
        return Traced("".join(new for new, _ in made), [position for _, position in made])

    def lower(self) -> Traced:
        """`str.lower`, which looks around at a Σ (so length decides: only İ becomes longer, and needs no look around)."""
        lowered = super().lower()
        return Traced(lowered, self.positions) if len(lowered) == len(self) else self._each(str.lower)

    def replace(self, old: str, new: str, *limit: Any) -> str:
        """As of any `str`; one character replaced by another keeps its position."""
        replaced = super().replace(old, new, *limit)
        return Traced(replaced, self.positions) if len(old) == len(new) == 1 else replaced

    def split(self, *separator: Any, **named: Any) -> list[str]:
        """As of any `str`; what stands between whitespace keeps its positions."""
        words = super().split(*separator, **named)
        if separator or named:
            return words
        start = 0
        for number, word in enumerate(words):
            start = self.index(word, start)
            words[number] = self[start : start + len(word)]
            start += len(word)
        return words

    def lstrip(self, *characters: Any) -> str:
        """Without the whitespace, or the characters given, at its beginning."""
        return self[len(self) - len(super().lstrip(*characters)) :]

    def rstrip(self, *characters: Any) -> str:
        """Without the whitespace, or the characters given, at its end."""
        return self[: len(super().rstrip(*characters))]

    def decompose(self) -> Traced:
        """Unicode form NFD: every character taken apart, and marks in a row sorted by their class (stably)."""
        apart = self._each(lambda char: normalize("NFD", char))
        keys, starter = [], 0  # marks stay behind the last character that is no mark
        for index, char in enumerate(apart):
            starter = starter if combining(char) else index
            keys.append((starter, combining(char)))
        order = sorted(range(len(apart)), key=keys.__getitem__)
        return Traced("".join(map(str(apart).__getitem__, order)), [apart.positions[index] for index in order])


def joined(parts: Sequence[str]) -> str:
    """`"".join(parts)`, with the positions of parts that have them."""
    positions = [position for part in parts if isinstance(part, Traced) for position in part.positions]
    return Traced("".join(parts), positions) if positions else "".join(parts)


class AlignedToken(NamedTuple):
    """A token and where it came from: `text[start:end]`, word number `word` of text 0 or 1 (`sequence`).

    A special token comes from no text: its word and sequence are None.
    """

    token: str
    id: int
    start: int = 0
    end: int = 0
    word: int | None = None
    sequence: int | None = None


class CharSpan(NamedTuple):
    """Characters of the text: from `start` to before `end`."""

    start: int
    end: int


class TokenSpan(NamedTuple):
    """Tokens of the row: from `start` to before `end`."""

    start: int
    end: int


@dataclass
class Encoding:
    """A row of tokens. Special tokens and padding have no word and no sequence, and the offsets (0, 0).

    tokens, ids, type_ids, attention_mask, special_tokens_mask, offsets: as in the columns of the same names.
    word_ids: number of each token's word in its text. sequence_ids: 0 in the first text, 1 in the second.
    """

    tokens: list[str]
    ids: list[int]
    type_ids: list[int]
    attention_mask: list[int]
    special_tokens_mask: list[int]
    offsets: list[tuple[int, int]]
    word_ids: list[int | None]
    sequence_ids: list[int | None]

    def __len__(self) -> int:
        return len(self.ids)

    def token_to_sequence(self, token: int) -> int | None:
        """Which text a token is of; None for a special one."""
        return self.sequence_ids[token]

    def token_to_word(self, token: int) -> int | None:
        """Which word a token is of; None for a special one."""
        return self.word_ids[token]

    def token_to_chars(self, token: int) -> CharSpan | None:
        """The characters a token stands for; None for a special one."""
        return None if self.sequence_ids[token] is None else CharSpan(*self.offsets[token])

    def word_to_tokens(self, word: int, sequence: int = 0) -> TokenSpan | None:
        """The tokens of a word; None if it has none, or was cut off."""
        origins = list(zip(self.word_ids, self.sequence_ids, strict=True))
        count = origins.count((word, sequence))
        return TokenSpan(first := origins.index((word, sequence)), first + count) if count else None

    def word_to_chars(self, word: int, sequence: int = 0) -> CharSpan | None:
        """The characters of a word; None if it has no token."""
        span = self.word_to_tokens(word, sequence)
        return None if span is None else CharSpan(self.offsets[span.start][0], self.offsets[span.end - 1][1])

    def char_to_token(self, char: int, sequence: int = 0) -> int | None:
        """The token a character is in; None for spaces and whatever else is in no token."""
        for index, (start, end) in enumerate(self.offsets):
            if start <= char < end and self.sequence_ids[index] == sequence:
                return index
        return None

    def char_to_word(self, char: int, sequence: int = 0) -> int | None:
        """The word a character is in."""
        token = self.char_to_token(char, sequence)
        return None if token is None else self.word_ids[token]
