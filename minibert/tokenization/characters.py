"""The classes of characters that BERT's basic tokenizer is made of, and text whose characters know their positions.

Every rule is about one character and is decided by its Unicode general category (Unicode standard, table 4-4):
C* control and unassigned, Z* separators, P* punctuation, Mn marks that sit on another letter.

Equal to `_is_whitespace`, `_is_control`, `_is_punctuation` and `BasicTokenizer._is_chinese_char` of the reference.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from unicodedata import category, combining, normalize

# The blocks of ideographs, as BERT defined them: no kana, no Hangul, and no block added to Unicode after 2018.
CHINESE_BLOCKS = (
    (0x4E00, 0x9FFF),  # CJK unified ideographs
    (0x3400, 0x4DBF),  # extension A
    (0x20000, 0x2A6DF),  # extension B
    (0x2A700, 0x2B73F),  # extension C
    (0x2B740, 0x2B81F),  # extension D
    (0x2B820, 0x2CEAF),  # extension E
    (0xF900, 0xFAFF),  # compatibility ideographs
    (0x2F800, 0x2FA1F),  # compatibility supplement
)


def is_whitespace(char: str) -> bool:
    """Space, tab, line ends and every other character of category Zs."""
    return char in " \t\n\r" or category(char) == "Zs"


def is_control(char: str) -> bool:
    """Categories C*: controls, formats (zero-width, bidi), surrogates, private use, unassigned; not tab or line ends."""
    return char not in "\t\n\r" and category(char).startswith("C")


def is_punctuation(char: str) -> bool:
    """Every ASCII character that is neither letter, digit nor space (so `$` and `^` too), and categories P*."""
    if char.isascii():
        return char.isprintable() and not char.isalnum() and char != " "
    return category(char).startswith("P")


def is_chinese(char: str) -> bool:
    """An ideograph, which becomes a word of its own."""
    code = ord(char)
    return any(first <= code <= last for first, last in CHINESE_BLOCKS)


def cleaned(char: str) -> str:
    """Nothing for a control character, a plain space for any other space, the character itself otherwise."""
    if char == "\ufffd" or is_control(char):  # U+FFFD stands where decoding failed; NUL is a control
        return ""
    return " " if is_whitespace(char) else char


class CharacterTable(dict[int, str]):
    """A table for `str.translate`: ASCII from the start, any other character once it is met.

    rule: one character → the text that replaces it.
    """

    def __init__(self, rule: Callable[[str], str]):
        super().__init__((code, rule(chr(code))) for code in range(128))
        self.rule = rule

    def __missing__(self, code: int) -> str:
        replacement = self.rule(chr(code))
        self[code] = replacement
        return replacement


CLEAN = CharacterTable(cleaned)
SPACE_CHINESE = CharacterTable(lambda char: f" {char} " if is_chinese(char) else char)
SPACE_PUNCTUATION = CharacterTable(lambda char: f" {char} " if is_punctuation(char) else char)
DROP_MARKS = CharacterTable(lambda char: "" if category(char) == "Mn" else char)
DECOMPOSE = CharacterTable(lambda char: normalize("NFD", char))
LOWER = CharacterTable(str.lower)


class Traced(str):
    """Text that knows, of each of its characters, the position in the original of the character it was made from.

    The tokenizer's own steps run on it as on any `str`; that is how offsets are found. The `str` methods that those
    steps use keep the positions: slices, `translate`, `lower`, `split` at whitespace, `lstrip`, `rstrip`, `replace`
    of one character by one. positions: (length).
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
        made = [(new, place) for char, place in zip(self, self.positions, strict=True) for new in table[ord(char)]]
        return Traced("".join(new for new, _ in made), [place for _, place in made])

    def lower(self) -> Traced:
        """`str.lower`, which looks around at a Σ (so length decides: only İ becomes longer, and needs no look around)."""
        lowered = super().lower()
        return Traced(lowered, self.positions) if len(lowered) == len(self) else self.translate(LOWER)

    def replace(self, old: str, new: str, *_: Any) -> Traced:
        """Replace one character by another."""
        return Traced(super().replace(old, new), self.positions)

    def split(self, *_: Any) -> list[str]:
        """What stands between whitespace."""
        words, start = [], 0
        for word in super().split():
            start = self.index(word, start)
            words.append(self[start : start + len(word)])
            start += len(word)
        return words

    def lstrip(self, *_: Any) -> str:
        """Without the whitespace at its beginning."""
        return self[len(self) - len(super().lstrip()) :]

    def rstrip(self, *_: Any) -> str:
        """Without the whitespace at its end."""
        return self[: len(super().rstrip())]

    def decompose(self) -> Traced:
        """Unicode form NFD: every character taken apart, and marks in a row sorted by their class (stably)."""
        apart = self.translate(DECOMPOSE)
        keys, starter = [], 0  # marks stay behind the last character that is no mark
        for index, char in enumerate(apart):
            starter = starter if combining(char) else index
            keys.append((starter, combining(char)))
        order = sorted(range(len(apart)), key=keys.__getitem__)
        return Traced("".join(map(str(apart).__getitem__, order)), [apart.positions[index] for index in order])


def joined(parts: Sequence[str]) -> str:
    """`"".join(parts)`, with the positions of parts that have them."""
    positions = [place for part in parts if isinstance(part, Traced) for place in part.positions]
    return Traced("".join(parts), positions) if positions else "".join(parts)
