"""From text to tokens: special tokens are cut out whole, the rest goes through words to pieces.

    tokenize(text)   lower-case → cut out special and added tokens → each part: BasicTokenizer → WordpieceTokenizer
    _text_ids(text)  the same as ids, with a memory for words

Reference: `PreTrainedTokenizer.tokenize` and `BertTokenizer._tokenize`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import accumulate, chain

from .added_token import AddedToken
from .assembly import Assembly
from .basic import BasicTokenizer
from .characters import lower_each
from .word_memory import TokenDetector, WordMemory
from .wordpiece import WordpieceTokenizer

# Printable ASCII without spaces is made of words and punctuation marks.
ASCII_WORD = re.compile("[A-Za-z0-9]+|[^A-Za-z0-9]")
# Control characters that the basic tokenizer drops, gluing what stands around them, but `str.split` splits on.
DROPPED_SEPARATORS = re.compile("[\x0b\x0c\x1c-\x1f\x85]")


class Splitting(Assembly):
    """Cut text into tokens.

    basic_tokenizer: text → words. None with `do_basic_tokenize=False`: words are what stands between whitespace.
    wordpiece_tokenizer: word → pieces.
    """

    do_basic_tokenize: bool
    basic_tokenizer: BasicTokenizer
    wordpiece_tokenizer: WordpieceTokenizer
    detector: TokenDetector
    chunks: WordMemory  # what stands between whitespace → ids
    words: WordMemory  # word of the basic tokenizer → ids
    memory_settings: tuple[object, ...] | None

    @property
    def lowers(self) -> bool:
        return self.do_basic_tokenize and self.basic_tokenizer.do_lower_case

    def tokenize(self, text: str) -> list[str]:
        """The tokens of `text`, without `[CLS]` and `[SEP]`."""
        tokens: list[str] = []
        for part, is_token, _ in self.parts(self.lowered(text)):
            if is_token:
                tokens.append(part)
            else:
                tokens += self._tokenize(part)
        return tokens

    def lowered(self, text: str) -> str:
        """`text` in lower case, special and added tokens as they are; unchanged by a tokenizer that keeps case."""
        if not self.lowers:
            return text
        return "".join(part if is_token else lower_each(part) for part, is_token, _ in self.split_kept(text))

    def split_kept(self, text: str) -> Iterator[tuple[str, bool, int]]:
        """(part, whether it is a token that keeps its case, where it begins): what `lowered` tells apart."""
        kept = [re.escape(token) for token in [*self.unique_no_split_tokens, *self.all_special_tokens] if token]
        parts = re.split(f"({'|'.join(kept)})", text) if kept else [text]  # every second part is a token
        start = 0
        for index, part in enumerate(parts):
            yield part, index % 2 == 1, start
            start += len(part)

    def parts(self, text: str) -> Iterator[tuple[str, bool, int]]:
        """(part, whether it is one special or added token, where it begins). Such a token swallows the spaces around it."""
        settings = {str(token): token for token in self.all_special_tokens_extended if isinstance(token, AddedToken)}
        whole = set(self.unique_no_split_tokens)
        parts = self.tokens_trie.split(text)
        ends = list(accumulate(map(len, parts)))
        for index, part in enumerate(parts):
            if part not in whole:
                continue
            token = settings.get(part, AddedToken(part, lstrip=True, rstrip=True))
            if token.rstrip and index + 1 < len(parts):
                parts[index + 1] = parts[index + 1].lstrip()
            if token.lstrip and index > 0:
                before = parts[index - 1].rstrip()
                ends[index - 1] -= len(parts[index - 1]) - len(before)
                parts[index - 1] = before
        return ((part, part in whole, end - len(part)) for part, end in zip(parts, ends, strict=True) if part)

    def _tokenize(self, text: str) -> list[str]:
        """Pieces of text that holds no special or added token (or holds them glued to other text)."""
        if not self.do_basic_tokenize:
            return self.wordpiece_tokenizer.tokenize(text)
        tokens: list[str] = []
        for word in self.basic_tokenizer.tokenize(text, never_split=self.all_special_tokens):
            if word in self.basic_tokenizer.never_split:
                tokens.append(word)
            else:
                tokens += self.wordpiece_tokenizer.tokenize(word)
        return tokens

    def _text_ids(self, text: str) -> list[int]:
        """`convert_tokens_to_ids(tokenize(text))`, quickly: what was met before is looked up.

        No word reaches across whitespace, so a text's ids are those of its chunks, one after the other. Text that may
        hold a special or an added token goes the long way.
        """
        if self.detector.may_find(text) or (not text.isprintable() and DROPPED_SEPARATORS.search(text)):
            return self.convert_tokens_to_ids(self.tokenize(text))
        return list(chain.from_iterable(map(self.chunks.__getitem__, text.split())))

    def _chunk_ids(self, chunk: str) -> tuple[int, ...]:
        """Ids of text without whitespace or special tokens, such as `don't!"`."""
        if not self.do_basic_tokenize:
            return self.words[chunk]
        if self.lowers:
            chunk = lower_each(chunk)
        basic = self.basic_tokenizer
        if chunk.isascii() and chunk.isprintable() and not basic.never_split:
            words = ASCII_WORD.findall(chunk)  # what the basic tokenizer does comes down to this
        else:
            words = basic.tokenize(chunk, never_split=self.all_special_tokens)
        return tuple(chain.from_iterable(map(self.words.__getitem__, words)))

    def _word_ids(self, word: str) -> tuple[int, ...]:
        """Ids of one word of the basic tokenizer, such as `don`."""
        if self.do_basic_tokenize and word in self.basic_tokenizer.never_split:
            return (self.token_to_id(word),)
        return tuple(map(self.token_to_id, self.wordpiece_tokenizer.tokenize(word)))

    def recall(self) -> None:
        """Keep the memory of words while the settings it was built under hold; start afresh when they changed."""
        basic = self.basic_tokenizer if self.do_basic_tokenize else None
        pieces = self.wordpiece_tokenizer
        settings = (
            basic and (basic.do_lower_case, basic.strip_accents, basic.tokenize_chinese_chars, *basic.never_split),
            (id(pieces.vocab), pieces.unk_token, pieces.max_input_chars_per_word),
            (id(self.vocab), len(self.vocab), len(self.added_tokens_encoder)),
            (*self.all_special_tokens, None, *self.unique_no_split_tokens),
        )
        if settings != self.memory_settings:
            self.memory_settings = settings
            self.detector = TokenDetector(self._tokens_looked_for(), self.lowers)
            self.chunks = WordMemory(self._chunk_ids)
            self.words = WordMemory(self._word_ids)

    def __getstate__(self) -> dict[str, object]:
        """The memory stays behind when a tokenizer is pickled or copied."""
        kept = {name: value for name, value in self.__dict__.items() if name not in ("detector", "chunks", "words")}
        return {**kept, "memory_settings": None}

    def _tokens_looked_for(self) -> set[str]:
        """Every text that `lowered`, `parts` or the basic tokenizer treats as more than its words."""
        basic = type(self.basic_tokenizer) if self.do_basic_tokenize else BasicTokenizer
        methods = (type(self).tokenize, type(self)._tokenize, basic, type(self.wordpiece_tokenizer))
        if methods != (Splitting.tokenize, Splitting._tokenize, BasicTokenizer, WordpieceTokenizer):
            return {""}  # found in any text: a tokenizer with methods of its own may look beyond words
        special, whole = set(self.all_special_tokens), set(self.unique_no_split_tokens)
        lowered = {token.lower() for token in whole - special} if self.lowers else set()  # as in the trie
        return special | whole | lowered
