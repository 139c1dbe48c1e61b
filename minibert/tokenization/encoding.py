"""One encoded row with the origin of its tokens, and every way to look that up. Reference class: Rust's `Encoding`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import NamedTuple


class AlignedToken(NamedTuple):
    """A token with its place: `text[start:end]` is what it was made from, `word` the number of its word."""

    token: str
    id: int
    start: int
    end: int
    word: int


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

    tokens: list[str] = field(default_factory=list)
    ids: list[int] = field(default_factory=list)
    type_ids: list[int] = field(default_factory=list)
    attention_mask: list[int] = field(default_factory=list)
    special_tokens_mask: list[int] = field(default_factory=list)
    offsets: list[tuple[int, int]] = field(default_factory=list)
    word_ids: list[int | None] = field(default_factory=list)
    sequence_ids: list[int | None] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.ids)

    def __add__(self, other: Encoding) -> Encoding:
        return Encoding(*(getattr(self, each.name) + getattr(other, each.name) for each in fields(self)))

    def add_text(self, tokens: Sequence[AlignedToken], sequence: int, segment: int) -> None:
        """Append the tokens of a text."""
        self.tokens += [token.token for token in tokens]
        self.ids += [token.id for token in tokens]
        self.type_ids += [segment] * len(tokens)
        self.attention_mask += [1] * len(tokens)
        self.special_tokens_mask += [0] * len(tokens)
        self.offsets += [(token.start, token.end) for token in tokens]
        self.word_ids += [token.word for token in tokens]
        self.sequence_ids += [sequence] * len(tokens)

    def add_special(self, token: str, token_id: int, segment: int, attention: int = 1, count: int = 1) -> None:
        """Append a token that comes from no text; `attention` 0 for padding."""
        self.tokens += [token] * count
        self.ids += [token_id] * count
        self.type_ids += [segment] * count
        self.attention_mask += [attention] * count
        self.special_tokens_mask += [1] * count
        self.offsets += [(0, 0)] * count
        self.word_ids += [None] * count
        self.sequence_ids += [None] * count

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
        places = [
            place
            for place, (number, text) in enumerate(zip(self.word_ids, self.sequence_ids, strict=True))
            if number == word and text == sequence
        ]
        return TokenSpan(places[0], places[-1] + 1) if places else None

    def word_to_chars(self, word: int, sequence: int = 0) -> CharSpan | None:
        """The characters of a word; None if it has no token."""
        span = self.word_to_tokens(word, sequence)
        return None if span is None else CharSpan(self.offsets[span.start][0], self.offsets[span.end - 1][1])

    def char_to_token(self, char: int, sequence: int = 0) -> int | None:
        """The token a character is in; None for spaces and whatever else is in no token."""
        for place, (start, end) in enumerate(self.offsets):
            if start <= char < end and self.sequence_ids[place] == sequence:
                return place
        return None

    def char_to_word(self, char: int, sequence: int = 0) -> int | None:
        """The word a character is in."""
        token = self.char_to_token(char, sequence)
        return None if token is None else self.word_ids[token]
