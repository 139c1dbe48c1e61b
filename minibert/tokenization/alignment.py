"""Which part of the text each token stands for.

The steps are those of `Splitting.tokenize`, one after the other, on text that remembers its places (`Traced`). The ids
are the same; this way is slower, and is gone only when someone asks where tokens came from.

Where a token begins and ends equals what the Rust tokenizer of transformers 5 reports.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from .characters import cleaned, lower_each, spaced_if_chinese, spaced_if_punctuation, unless_mark
from .encoding import AlignedToken
from .splitting import Splitting
from .traced import Traced


def align_text(tokenizer: Splitting, text: str) -> list[AlignedToken]:
    """The tokens of a text. Words are counted as the tokenizer splits them; a special token is one."""
    return [token for number, word in enumerate(_words(tokenizer, text)) for token in _pieces(tokenizer, word, number)]


def align_words(tokenizer: Splitting, words: Sequence[str]) -> list[AlignedToken]:
    """The tokens of a text given as words: `word` is a word's number, `start` and `end` count inside the word."""
    return [token._replace(word=number) for number, word in enumerate(words) for token in align_text(tokenizer, word)]


class _Word(NamedTuple):
    traced: Traced
    whole: bool  # a special or added token, or a word never to be split


def _words(tokenizer: Splitting, text: str) -> Iterator[_Word]:
    lowered = _lowered(tokenizer, text)
    for part, is_token, start in tokenizer.parts(lowered.text):
        traced = lowered[start : start + len(part)]
        if is_token:
            yield _Word(traced, whole=True)
        elif tokenizer.do_basic_tokenize:
            yield from _basic_words(tokenizer, traced)
        else:
            yield from (_Word(word, whole=False) for word in traced.split())


def _lowered(tokenizer: Splitting, text: str) -> Traced:
    traced = Traced(text, range(len(text)))
    if not tokenizer.lowers:
        return traced
    made = ""
    places: list[int] = []
    for part, is_token, start in tokenizer.split_kept(text):
        new = traced[start : start + len(part)] if is_token else traced[start : start + len(part)].translate(lower_each)
        made += new.text
        places += new.places
    return Traced(made, places)


def _basic_words(tokenizer: Splitting, part: Traced) -> Iterator[_Word]:
    """`BasicTokenizer.tokenize`, step by step."""
    basic = tokenizer.basic_tokenizer
    kept = basic.never_split.union(tokenizer.all_special_tokens)
    part = part.translate(cleaned)
    if basic.tokenize_chinese_chars:
        part = part.translate(spaced_if_chinese)
    for word in part.split():
        if word.text not in kept:
            if basic.do_lower_case:
                word = word.lower()
            if basic.strips_accents:
                word = word.decompose().translate(unless_mark)
        if word.text in kept:
            yield _Word(word, whole=word.text in basic.never_split)
        else:
            yield from (_Word(piece, whole=False) for piece in word.translate(spaced_if_punctuation).split())


def _pieces(tokenizer: Splitting, word: _Word, number: int) -> Iterator[AlignedToken]:
    traced = word.traced
    if word.whole:
        yield AlignedToken(traced.text, tokenizer.token_to_id(traced.text), *traced.span, number)
        return
    pieces = tokenizer.wordpiece_tokenizer.split_word(traced.text)
    if not pieces:
        unknown = tokenizer.wordpiece_tokenizer.unk_token
        yield AlignedToken(unknown, tokenizer.token_to_id(unknown), *traced.span, number)
    end = 0
    for piece in pieces:
        start, end = end, end + len(piece.removeprefix("##") if end else piece)
        yield AlignedToken(piece, tokenizer.token_to_id(piece), *traced[start:end].span, number)
