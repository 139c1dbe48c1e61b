"""From text to words: the first half of BERT's tokenizer.

    text → clean → space out ideographs → split on whitespace → lower-case, strip accents → split off punctuation

Every rule is about one character and is decided by its Unicode general category (Unicode standard, table 4-4):
C* control and unassigned, Z* separators, P* punctuation, Mn marks that sit on another letter.

Source: google-research/bert `tokenization.py`. Reference: `BasicTokenizer`, `_is_whitespace`, `_is_control`,
`_is_punctuation`.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any
from unicodedata import category, combining, normalize

# The blocks of ideographs, as BERT defined them: no kana, no Hangul, and no block added to Unicode after 2018.
CHINESE_BLOCKS = (
    *((0x4E00, 0x9FFF), (0x3400, 0x4DBF), (0x20000, 0x2A6DF)),  # CJK unified ideographs, extensions A and B
    *((0x2A700, 0x2B73F), (0x2B740, 0x2B81F), (0x2B820, 0x2CEAF)),  # extensions C, D, E
    *((0xF900, 0xFAFF), (0x2F800, 0x2FA1F)),  # compatibility ideographs and their supplement
)


LONG = 1000  # characters, from which a word is no word


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
    """A table for `str.translate` by a rule, one character → its replacement: ASCII from the start, others once met."""

    def __init__(self, rule: Callable[[str], str]):
        super().__init__((code, rule(chr(code))) for code in range(128))
        self.rule = rule

    def __missing__(self, code: int) -> str:
        self[code] = replacement = self.rule(chr(code))
        return replacement


CLEAN = CharacterTable(cleaned)
SPACE_CHINESE = CharacterTable(lambda char: f" {char} " if is_chinese(char) else char)
SPACE_PUNCTUATION = CharacterTable(lambda char: f" {char} " if is_punctuation(char) else char)
DROP_MARKS = CharacterTable(lambda char: "" if category(char) == "Mn" else char)
DROP_SORTED_MARKS = CharacterTable(lambda char: "" if category(char) == "Mn" and combining(char) else char)


class Traced(str):
    """Text that knows, of each of its characters, the position in the original of the character it was made from.

    The tokenizer's own steps run on it as on any `str`; that is how offsets are found. The `str` methods that those
    steps use keep the positions: slices, `translate`, `lower`, `split` at whitespace, `lstrip`, `rstrip`, `replace`
    of one character by one. Every other method returns a plain `str`, which has none. positions: (length).
    """

    positions: Sequence[int]

    def __new__(cls, text: str, positions: Sequence[int]) -> "Traced":
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

    def _each(self, rule: Callable[[str], str]) -> "Traced":
        made = [(new, position) for char, position in zip(self, self.positions, strict=True) for new in rule(char)]
        return Traced("".join(new for new, _ in made), [position for _, position in made])

    def translate(self, table: Mapping[int, str]) -> "Traced":  # type: ignore[override]
        return self._each(lambda char: table[ord(char)])

    def lower(self) -> "Traced":
        """`str.lower`, which looks around at a Σ (so length decides: only İ becomes longer, and needs no look around)."""
        lowered = super().lower()
        return Traced(lowered, self.positions) if len(lowered) == len(self) else self._each(str.lower)

    def replace(self, old: str, new: str, *limit: Any) -> str:
        replaced = super().replace(old, new, *limit)
        return Traced(replaced, self.positions) if len(old) == len(new) == 1 else replaced

    def split(self, *separator: Any, **named: Any) -> list[str]:
        if separator or named:
            return super().split(*separator, **named)
        return [self[match.start() : match.end()] for match in re.finditer(r"\S+", self)]

    def lstrip(self, *characters: Any) -> str:
        return self[len(self) - len(super().lstrip(*characters)) :]

    def rstrip(self, *characters: Any) -> str:
        return self[: len(super().rstrip(*characters))]

    def decompose(self) -> "Traced":
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


class BasicTokenizer:
    """Split text into lower-cased words, ideographs and punctuation marks.

    do_lower_case: lower-case every word.
    never_split: words that are left as they stand.
    tokenize_chinese_chars: make every ideograph a word of its own (switch it off for Japanese).
    strip_accents: drop the marks above and below letters; None means "when lower-casing".
    clean_text: drop control characters, and make every kind of space a plain one.
    """

    def __init__(
        self,
        do_lower_case: bool = True,
        never_split: Iterable[str] | None = None,
        tokenize_chinese_chars: bool = True,
        strip_accents: bool | None = None,
        clean_text: bool = True,
    ):
        self.do_lower_case = do_lower_case
        self.clean_text = clean_text
        self.never_split = set(never_split or ())
        self.tokenize_chinese_chars = tokenize_chinese_chars
        self.strip_accents = strip_accents

    def tokenize(self, text: str, never_split: Iterable[str] | None = None) -> list[str]:
        """Words of `text`, in order, `Traced` if it is. `never_split` adds to the tokenizer's own for this call."""
        own = self.never_split
        kept = never_split if isinstance(never_split, frozenset) else frozenset(never_split or ())
        if self.clean_text:
            text = self.clean(text)
        if self.tokenize_chinese_chars:
            text = self.space_chinese(text)
        words: list[str] = []
        for word in text.split():
            if word not in own and word not in kept:
                word = self.normalize(word)
            if word in own or word in kept:
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
            if len(word) > LONG:  # `normalize` would sort them one by one, which takes n² steps
                word = word.translate(DROP_SORTED_MARKS)
            apart = word.decompose() if isinstance(word, Traced) else normalize("NFD", word)
            word = apart.translate(DROP_MARKS)
        return word


def lower_each(text: str) -> str:
    """Lower-case character by character: `str.lower` makes a Σ at the end of a word ς, but alone σ."""
    return text.replace("Σ", "σ").lower()
