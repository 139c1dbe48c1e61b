"""From words to pieces of the vocabulary: the second half of BERT's tokenizer; and from text to pieces and back.

    unaffable → una ##ffa ##ble

Source: google-research/bert `tokenization.py`; Wu et al. 2016, section 4.1. Reference classes: `WordpieceTokenizer`,
`Trie`, and this half of `PreTrainedTokenizer`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Container, Iterable, Sequence
from typing import Any

from .alignment import joined
from .special_tokens import AddedToken, Vocabulary
from .words import BasicTokenizer, Trie, lower_each

MAX_WORDS = 1 << 17  # of this many different words the pieces are remembered: some 30 MB
MAX_WORD_LENGTH = 64  # longer words are rare, and not worth the memory

# What English spelling joins and the tokenizer split, in the order in which it is put right.
SPACED = (" .", " ?", " !", " ,", " ' ", " n't", " 'm", " 's", " 've", " 're")


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


class Memory:
    """The pieces that words became under one state of the tokenizer, and what that state says about special tokens.

    state: every setting that the pieces depend on. plain: whether all steps are the tokenizer's own; a method that a
    subclass overrides may depend on more than one word. special: the special tokens. kept: what keeps its case.
    openings: for each first character of a special or added token, the beginning that all of these tokens share.
    pieces: text between two spaces → pieces.
    """

    def __init__(
        self,
        state: object = None,
        plain: bool = False,
        special: Sequence[str] = (),
        kept: Sequence[str] = (),
        looked_for: Sequence[str] = (),
    ):
        self.state, self.plain, self.special, self.kept = state, plain, special, kept
        shared: dict[str, str] = {}
        for token in [*kept, *looked_for]:
            shared[token[0]] = os.path.commonprefix([shared.get(token[0], token), token])  # noqa: RUF071  of characters
        self.openings = list(shared.values())
        self.trie = Trie(looked_for)
        self.pieces: dict[str, tuple[str, ...]] = {}

    def __reduce__(self) -> Any:
        return Memory, ()  # a pickled or copied tokenizer starts with an empty one


class Pieces(Vocabulary):
    """Text → pieces of the vocabulary → text.

    basic_tokenizer: text → words. None with `do_basic_tokenize=False`: words are what stands between whitespace.
    wordpiece_tokenizer: word → pieces. memory: pieces of the words met so far.
    """

    do_basic_tokenize: bool
    basic_tokenizer: BasicTokenizer
    wordpiece_tokenizer: WordpieceTokenizer
    memory: Memory

    @property
    def lowers(self) -> bool:
        return self.do_basic_tokenize and self.basic_tokenizer.do_lower_case

    def tokenize(self, text: str) -> list[str]:
        """The tokens of `text`, without `[CLS]` and `[SEP]`."""
        return self._tokens(text, self.recall())

    def _tokens(self, text: str, memory: Memory) -> list[str]:
        """`tokenize`. No word reaches across a space, so what stands between two spaces is cut into pieces once."""
        tokens: list[str] = []
        for part, is_token in self.parts(text, memory):
            if is_token:
                tokens.append(part)
            elif not memory.plain:
                tokens += self._tokenize(part)
            else:
                for chunk in part.split(" "):
                    pieces = memory.pieces.get(chunk)
                    if pieces is None:
                        cut: list[str] = []
                        for _, of_word in self.words(chunk, memory.special):
                            cut += of_word
                        pieces = tuple(cut)
                        if len(memory.pieces) >= MAX_WORDS:
                            memory.pieces.clear()
                        if len(chunk) <= MAX_WORD_LENGTH:
                            memory.pieces[chunk] = pieces
                    tokens += pieces
        return tokens

    def _tokenize(self, text: str) -> list[str]:
        """Pieces of text that holds no special or added token (or holds them glued to other text)."""
        if not self.do_basic_tokenize:
            return self.wordpiece_tokenizer.tokenize(text)
        return [piece for _, pieces in self.words(text, self.all_special_tokens) for piece in pieces]

    def words(self, text: str, special: Sequence[str]) -> list[tuple[str, list[str]]]:
        """Each word of such text, with its pieces."""
        basic = self.basic_tokenizer if self.do_basic_tokenize else None
        words = []
        for word in basic.tokenize(text, never_split=special) if basic else text.split():
            whole = basic and word in basic.never_split
            words.append((word, [word] if whole else self.wordpiece_tokenizer.tokenize(word)))
        return words

    def parts(self, text: str, memory: Memory | None = None) -> list[tuple[str, bool]]:
        """`text` in lower case, if so set, cut around special and added tokens: (part, whether it is such a token).

        Special and added tokens keep their case, and swallow the spaces around them.
        """
        memory = memory or self.recall()
        lowers = self.do_basic_tokenize and self.basic_tokenizer.do_lower_case
        lowered = lower_each(text) if lowers else text
        for opening in memory.openings:
            if opening in text or opening in lowered:
                break
        else:
            return [(lowered, False)] if text else []
        if lowers:
            pieces, start = [], 0
            for match in re.finditer("|".join(map(re.escape, memory.kept)), text):
                pieces += [lower_each(text[start : match.start()]), text[match.start() : match.end()]]
                start = match.end()
            lowered = joined([*pieces, lower_each(text[start:])])
        whole = set(self.unique_no_split_tokens)
        settings = {str(token): token for token in self.all_special_tokens_extended if isinstance(token, AddedToken)}
        parts = memory.trie.split(lowered)
        for index, part in enumerate(parts):
            if part in whole:
                token = settings.get(part, AddedToken(part, lstrip=True, rstrip=True))
                if token.rstrip and index + 1 < len(parts):
                    parts[index + 1] = parts[index + 1].lstrip()
                if token.lstrip and index > 0:
                    parts[index - 1] = parts[index - 1].rstrip()
        return [(part, part in whole) for part in parts if part]

    def recall(self) -> Memory:
        """The memory of words while the settings it was made under hold; a new one when they changed."""
        basic, wordpiece = self.basic_tokenizer if self.do_basic_tokenize else None, self.wordpiece_tokenizer
        special = list(map(str, self.all_special_tokens_extended))
        state = (
            (basic, wordpiece, wordpiece.vocab, len(self.vocab)),
            basic and (basic.do_lower_case, basic.strip_accents, basic.tokenize_chinese_chars, set(basic.never_split)),
            (wordpiece.unk_token, wordpiece.max_input_chars_per_word),
            (special, self.unique_no_split_tokens, self.looked_for),
        )
        memory = self.memory
        if memory.state != state:
            steps = (type(self).tokenize, type(self)._tokenize, type(basic), type(wordpiece))
            own = (Pieces.tokenize, Pieces._tokenize, BasicTokenizer if basic else type(None), WordpieceTokenizer)
            kept = [token for token in [*self.unique_no_split_tokens, *special] if token]
            memory = Memory(state, steps == own, special=special, kept=kept, looked_for=self.looked_for)
            self.memory = memory
        return memory

    def convert_tokens_to_string(self, tokens: Iterable[str]) -> str:
        """Tokens with spaces between them, `##` pieces joined to what stands before: un ##aff ##able → unaffable."""
        return " ".join(tokens).replace(" ##", "").strip()

    def decode(
        self,
        token_ids: Any,
        skip_special_tokens: bool = False,
        clean_up_tokenization_spaces: bool = True,
        spaces_between_special_tokens: bool = True,
    ) -> str:
        """Text of `token_ids` (an id, a list, an array or a tensor of one sequence).

        skip_special_tokens: leave `[CLS]`, `[PAD]` and the like out.
        clean_up_tokenization_spaces: close the gaps before punctuation and English contractions: do n't → don't.
        spaces_between_special_tokens: a space on each side of an added token.
        """
        ids = token_ids.tolist() if hasattr(token_ids, "tolist") else token_ids
        tokens = self.convert_ids_to_tokens([ids] if isinstance(ids, int) else ids, skip_special_tokens)
        texts: list[str] = []
        pieces: list[str] = []
        for token in tokens:
            if token in self.added_tokens_encoder:
                if pieces:
                    texts.append(self.convert_tokens_to_string(pieces))
                texts.append(token)
                pieces = []
            else:
                pieces.append(token)
        if pieces:
            texts.append(self.convert_tokens_to_string(pieces))
        text = (" " if spaces_between_special_tokens else "").join(texts)
        return self.clean_up_tokenization(text) if clean_up_tokenization_spaces else text

    def batch_decode(self, sequences: Sequence[Any], *arguments: Any, **named: Any) -> list[str]:
        """Text of each sequence of a batch. The other arguments are those of `decode`."""
        return [self.decode(sequence, *arguments, **named) for sequence in sequences]

    @staticmethod
    def clean_up_tokenization(out_string: str) -> str:
        """Close the gaps that tokens leave in English text."""
        for spaced in SPACED:
            out_string = out_string.replace(spaced, spaced.strip())
        return out_string
