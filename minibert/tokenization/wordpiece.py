"""From words to pieces of the vocabulary: the second half of BERT's tokenizer; and the way of a whole text.

    unaffable → una ##ffa ##ble

Source: google-research/bert `tokenization.py`; Wu et al. 2016, section 4.1. Reference classes: `WordpieceTokenizer`,
`Trie`, and `PreTrainedTokenizer.tokenize`.
"""

import os
import re
from collections.abc import Callable, Container, Iterable, Sequence
from itertools import accumulate, chain, pairwise
from types import NoneType
from typing import Any, TypeAlias

from .vocabulary import AddedToken, Token
from .words import BasicTokenizer, joined, lower_each

MAX_WORDS = 1 << 17  # of this many different words the pieces are remembered: some 30 MB
MAX_WORD_LENGTH = 64  # longer words are rare, and not worth the memory
Node: TypeAlias = dict[str, Any]  # next character → what may follow; END marks a node where a token is complete
END = ""


class WordpieceTokenizer:
    """Cut each word greedily into the longest pieces of the vocabulary, from left to right.

    vocab: the pieces; one that continues a word begins with `##`.
    unk_token: what a word becomes when it cannot be cut into known pieces to its end, or is too long.
    max_input_chars_per_word: longer words are unknown at once, which bounds the work (quadratic in a word's length).
    """

    def __init__(self, vocab: Container[str], unk_token: str, max_input_chars_per_word: int = 100):
        self.vocab = vocab
        self.unk_token = unk_token
        self.max_input_chars_per_word = max_input_chars_per_word

    def tokenize(self, text: str) -> list[str]:
        """Pieces of all words of `text`, which is split on whitespace."""
        pieces: list[str] = []
        for word in text.split():
            known = len(word) <= self.max_input_chars_per_word
            of_word: list[str] = []
            start = 0
            while known and start < len(word):
                prefix = "##" if start else ""
                for end in range(len(word), start, -1):  # the longest piece first
                    if prefix + word[start:end] in self.vocab:
                        of_word.append(prefix + word[start:end])
                        start = end
                        break
                else:
                    known = False
            pieces += of_word if known else [self.unk_token]
        return pieces


class TextTokenizer:
    """A text's way to tokens: special tokens are cut out, the rest is split into words, and words into pieces.

    basic: text → words. None: words are what stands between whitespace. wordpiece: word → pieces.
    special: the special tokens. whole: all tokens that are cut out of the text, added ones included.
    looked_for: the same, as they stand in text that is lower-cased. own: the `tokenize` of a subclass.
    pieces: what is remembered, text between two spaces → its pieces; nothing where a step is the user's own.

    It holds while the tokenizer's settings stay as they are: `BertTokenizer` makes another when they change.
    """

    def __init__(
        self,
        basic: BasicTokenizer | None,
        wordpiece: WordpieceTokenizer,
        special: Sequence[Token],
        whole: Sequence[str],
        looked_for: Sequence[str],
        own: Callable[[str], list[str]] | None,
    ):
        self.basic, self.wordpiece, self.own = basic, wordpiece, own
        self.lowers = basic is not None and basic.do_lower_case
        self.special, self.whole = frozenset(map(str, special)), set(whole)
        self.strips = {str(token): token for token in special if isinstance(token, AddedToken)}
        keep_case = [token for token in [*whole, *map(str, special)] if token]
        of_several = enumerate(reversed(keep_case))  # the first is taken
        self.order = {token: -number for number, token in of_several}
        self.lengths = {len(token) for token in keep_case}
        self.beginnings = re.compile("|".join(map(re.escape, {token[0] for token in keep_case})) or "(?!)")
        self.trie = Trie(looked_for)
        shared: dict[str, str] = {}  # first character of a token → the beginning that all such tokens share
        for token in filter(None, [*keep_case, *looked_for]):
            shared[token[0]] = os.path.commonprefix([shared.get(token[0], token), token])  # noqa: RUF071  of characters
        self.openings = list(shared.values())
        steps = (type(basic), type(wordpiece), own)
        self.remembers = steps == (BasicTokenizer if basic else NoneType, WordpieceTokenizer, None)
        self.pieces: dict[str, tuple[str, ...]] = {}

    def tokens(self, text: str, cut: Callable[[str], list[str]] | None = None) -> list[str]:
        """The tokens of `text`. `cut` is asked for those of each part where nothing may be remembered.

        No word reaches across a space, so what stands between two spaces is cut into pieces once.
        """
        tokens: list[str] = []
        for part, is_token in self.parts(text):
            if is_token:
                tokens.append(part)
            elif cut and not self.remembers:
                tokens += cut(part)
            else:
                for chunk in part.split(" "):
                    pieces = self.pieces.get(chunk)
                    if pieces is None:
                        of_chunk: list[str] = []
                        for _, of_word in self.words(chunk):
                            of_chunk += of_word
                        pieces = tuple(of_chunk)
                        if len(self.pieces) >= MAX_WORDS:
                            self.pieces.clear()
                        if len(chunk) <= MAX_WORD_LENGTH:
                            self.pieces[chunk] = pieces
                    tokens += pieces
        return tokens

    def words(self, text: str) -> list[tuple[str, list[str]]]:
        """Each word, with its pieces, of text without special or added tokens (or with some glued to other text)."""
        basic = self.basic
        words = []
        for word in basic.tokenize(text, never_split=self.special) if basic else text.split():
            whole = basic and word in basic.never_split
            words.append((word, [word] if whole else self.wordpiece.tokenize(word)))
        return words

    def parts(self, text: str) -> list[tuple[str, bool]]:
        """`text` in lower case, if so set, cut around special and added tokens: (part, whether it is such a token).

        Special and added tokens keep their case, and swallow the spaces around them.
        """
        lowered = lower_each(text) if self.lowers else text
        for opening in self.openings:
            if opening in text or opening in lowered:
                break
        else:
            return [(lowered, False)] if text else []
        if self.lowers:
            pieces, start = [], 0
            for begin in (match.start() for match in self.beginnings.finditer(text)):
                here = [text[begin : begin + length] for length in self.lengths] if begin >= start else []
                if found := min(
                    (token for token in here if token in self.order), key=self.order.__getitem__, default=""
                ):
                    pieces += [lower_each(text[start:begin]), found]
                    start = begin + len(found)
            lowered = joined([*pieces, lower_each(text[start:])])
        parts = self.trie.split(lowered)
        for index, part in enumerate(parts):
            if part in self.whole:
                token = self.strips.get(part, AddedToken(part, lstrip=True, rstrip=True))
                if token.rstrip and index + 1 < len(parts):
                    parts[index + 1] = parts[index + 1].lstrip()
                if token.lstrip and index > 0:
                    parts[index - 1] = parts[index - 1].rstrip()
        return [(part, part in self.whole) for part in parts if part]


class Trie:
    """Tokens stored by their characters, so that all of them are looked for in one pass over the text.

    "an [MASK] egg" with the token "[MASK]" is cut into "an ", "[MASK]", " egg". The token that begins first is taken;
    of those that begin together, the longest. Equal to the reference's `Trie` cut for cut, its oddity included: a token
    that failed to match is resumed behind the mismatch when a shorter one completes inside it.
    """

    def __init__(self, tokens: Iterable[str] = ()):
        self.data: Node = {}
        for token in tokens:
            self.add(token)

    def add(self, token: str) -> None:
        """Look for one more token, unless it is empty."""
        node = self.data
        for char in token:
            node = node.setdefault(char, {})
        if token:
            node[END] = 1

    def split(self, text: str) -> list[str]:
        """Parts of `text`, in order, none empty; joined they are `text` again."""
        cuts, resume = list[int](), 0
        walkers: dict[int, Node] = {}  # start of each token that may be under way → where in the tree it stands
        for position, char in enumerate(chain(text, [END])):
            if position < resume:
                continue
            found = next((start for start, node in walkers.items() if END in node), None) if walkers else None
            if found is None:
                walkers = {start: node[char] for start, node in walkers.items() if char in node}
            else:  # a token ends here; one that began earlier, or a longer one, may still end later
                end = position
                for start, node in walkers.items():
                    if start > found:
                        break
                    ahead = end = position + 1 if start < found else position
                    node = node.get(char, node) if start < found else node  # the oddity
                    while ahead < len(text) and text[ahead] in node:
                        node = node[text[ahead]]
                        ahead += 1
                        if END in node:
                            found, end, resume = start, ahead, ahead
                cuts += [found, end]
                walkers = {}
            if char in self.data:
                walkers[position] = self.data[char]
        return self.cut_text(text, cuts)

    def cut_text(self, text: str, offsets: list[int]) -> list[str]:
        """The parts of `text` between offsets, of which those that go back are passed over."""
        ends = accumulate([0, *offsets, len(text)], max)
        return [text[start:end] for start, end in pairwise(ends) if start < end]
