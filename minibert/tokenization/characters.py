"""The character classes that BERT's basic tokenizer is made of.

Every rule is about one character and is decided by its Unicode general category (Unicode standard, table 4-4):
C* control and unassigned, Z* separators, P* punctuation, Mn marks that sit on another letter.

Equal to `_is_whitespace`, `_is_control`, `_is_punctuation` and `BasicTokenizer._is_chinese_char` of the reference.
"""

from collections.abc import Callable
from unicodedata import category

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


def lower_each(text: str) -> str:
    """Lower-case character by character.

    `str.lower` looks around in one case only: a Σ at the end of a word becomes ς. Alone, it becomes σ.
    """
    return text.replace("Σ", "σ").lower()


def cleaned(char: str) -> str:
    """Nothing for a control character, a plain space for any other, the character itself otherwise."""
    if char == "\ufffd" or is_control(char):  # U+FFFD stands where decoding failed; NUL is a control
        return ""
    return " " if is_whitespace(char) else char


def spaced_if_chinese(char: str) -> str:
    """An ideograph with a space on each side."""
    return f" {char} " if is_chinese(char) else char


def spaced_if_punctuation(char: str) -> str:
    """A punctuation mark with a space on each side."""
    return f" {char} " if is_punctuation(char) else char


def unless_mark(char: str) -> str:
    """Nothing for a mark that sits on another letter (category Mn)."""
    return "" if category(char) == "Mn" else char


class CharacterTable(dict[int, str]):
    """A table for `str.translate` that asks `rule` once for each character it meets.

    rule: one character → the text that replaces it. At most one entry for each of the 1,114,112 code points.
    """

    def __init__(self, rule: Callable[[str], str]):
        super().__init__()
        self.rule = rule

    def __missing__(self, code: int) -> str:
        replacement = self.rule(chr(code))
        self[code] = replacement
        return replacement
