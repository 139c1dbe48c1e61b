"""From text to words: the first half of BERT's tokenizer.

    text → clean → space out ideographs → split on whitespace → lower-case, strip accents → split off punctuation

Every rule is about one character and is decided by its Unicode general category (Unicode standard, table 4-4):
C* control and unassigned, Z* separators, P* punctuation, Mn marks that sit on another letter.

Source: google-research/bert `tokenization.py`. Reference: `BasicTokenizer`, `_is_whitespace`, `_is_control`,
`_is_punctuation`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeAlias
from unicodedata import category, normalize

from .alignment import Traced

Node: TypeAlias = dict[str, "Node"]  # next character → what may follow; END marks a node where a token is complete

END = ""

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


class Trie:
    """Tokens stored by their characters, so that all of them are looked for in one pass over the text.

    "an [MASK] egg" with the token "[MASK]" is cut into "an ", "[MASK]", " egg". The token that begins first is taken;
    of those that begin together, the longest. Equal to the reference's `Trie` cut for cut, its odd cases included: a
    token that failed to match may still be resumed when a shorter one completes inside it.
    """

    def __init__(self, tokens: Iterable[str] = ()):
        self.data: Node = {}
        for token in filter(None, tokens):
            node = self.data
            for char in token:
                node = node.setdefault(char, {})
            node[END] = {}

    def split(self, text: str) -> list[str]:
        """Parts of `text`, in order, none empty; joined they are `text` again."""
        cuts = [0]
        walkers: dict[int, Node] = {}  # start of each token that may be under way → where in the tree it stands
        resume = 0
        for position, char in enumerate(text):
            if position < resume:
                continue
            stuck = []
            for start, node in walkers.items():
                if END in node:
                    start, end, resume = self._extend(text, position, found=start, walkers=walkers, resume=resume)
                    cuts += [start, end]
                    walkers = {}
                    break
                if char in node:
                    walkers[start] = node[char]
                else:
                    stuck.append(start)
            else:
                for start in stuck:
                    del walkers[start]
            if char in self.data:
                walkers[position] = self.data[char]
        for start, node in walkers.items():
            if END in node:
                cuts += [start, len(text)]
                break
        parts = []
        start = 0
        for end in [*cuts, len(text)]:
            if end > start:
                parts.append(text[start:end])
                start = end
        return parts

    @staticmethod
    def _extend(text: str, position: int, found: int, walkers: dict[int, Node], resume: int) -> tuple[int, int, int]:
        """A token that began at `found` is complete before `position`: look ahead for an earlier or a longer one."""
        end = position
        for start, node in walkers.items():
            if start > found:
                break
            # walkers before `found` have already moved past the character at `position`
            ahead = end = position + 1 if start < found else position
            while ahead < len(text) and text[ahead] in node:
                node = node[text[ahead]]
                ahead += 1
                if END in node:
                    found = start
                    end = resume = ahead
        return found, end, resume


def lower_each(text: str) -> str:
    """Lower-case character by character.

    `str.lower` looks around in one case only: a Σ at the end of a word becomes ς. Alone, it becomes σ.
    """
    return text.replace("Σ", "σ").lower()
