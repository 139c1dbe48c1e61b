"""Special and added tokens found in a text as the Rust tokenizer finds them. Reference: tokenizers, `AddedVocabulary`, `AddedToken`."""

import os
import re
from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Any
from unicodedata import category

from ..tokenization.vocabulary import AddedToken
from ..tokenization.wordpiece import TextTokenizer
from ..tokenization.words import BasicTokenizer, Traced, lower_each


class FastTextTokenizer(TextTokenizer):
    """A text's way to tokens, in which special tokens are looked for as they stand, before the text is changed in any way.

    Added tokens that are not special are looked for in the text's normal form (clean, in lower case, without accents: as the
    settings say) by their own, so that `Naive` is found in `naïve`. Of tokens that begin together the longest is taken.

    flags: how single tokens are looked for. single_word: not inside a word. lstrip, rstrip: with the spaces before, after it.
    as_special: the tokens that are looked for as they stand, beside those with a role.
    """

    def __init__(self, *arguments: Any, flags: Mapping[str, AddedToken], as_special: set[str], **named: Any):
        super().__init__(*arguments, **named)
        tokens = {token: flags.get(token, self.strips.get(token, AddedToken(token))) for token in self.whole}
        standing = {token for token in tokens if token in as_special or token in self.special}
        standing |= {token for token, flag in flags.items() if not flag.normalized}
        self.standing = _Tokens({token: flag for token, flag in tokens.items() if token in standing})
        others = {token: flag for token, flag in tokens.items() if token not in standing}
        self.normalized = _Tokens({normal_form(self.basic, token): flag for token, flag in others.items()})
        self.special = frozenset()  # what a word looks like once its accents are gone makes it no special token

    def parts(self, text: str) -> list[tuple[str, bool]]:
        """`text` in lower case, if so set, cut around special and added tokens: (part, whether it is such a token)."""
        parts: list[tuple[str, bool]] = []
        for part, is_token in self.standing.cut(text):
            if is_token or not part:
                parts += [(part, is_token)] if part else []
                continue
            found = list(self.normalized.cut(normal_form(self.basic, part))) if self.normalized.lengths else []
            lowered = lower_each(part) if self.lowers else part
            parts += found if len(found) > 1 or any(token for _, token in found) else [(lowered, False)]
        return parts


class _Tokens:
    """Tokens to be found in a text by the forms that they have there."""

    def __init__(self, tokens: Mapping[str, AddedToken]):
        self.tokens = {form: token for form, token in tokens.items() if form}
        self.lengths = sorted({len(form) for form in self.tokens}, reverse=True)
        beginnings = {re.escape(form[0]) for form in self.tokens}
        self.beginnings = re.compile("|".join(beginnings) or "(?!)")
        alike = groupby(sorted(self.tokens), key=lambda form: form[0])
        self.openings = [os.path.commonprefix(list(forms)) for _, forms in alike]  # noqa: RUF071  of characters

    def cut(self, text: str) -> Iterator[tuple[str, bool]]:
        """The text's parts, in order: (part, whether it is a token)."""
        plain, done = str(text), 0
        for start, end, token in self.found(plain) if any(opening in plain for opening in self.openings) else ():
            while token.lstrip and start > done and plain[start - 1].isspace():
                start -= 1
            while token.rstrip and end < len(plain) and plain[end].isspace():
                end += 1
            if done < start:
                yield text[done:start], False
            whole = text.positions[start:end] if isinstance(text, Traced) else None
            yield Traced(token.content, whole) if whole else token.content, True
            done = end
        if done < len(plain):
            yield text[done:], False

    def found(self, text: str) -> Iterator[tuple[int, int, AddedToken]]:
        """Where each token begins and ends, in order; one that may not stand inside a word, and does, hides those within it."""
        end = 0
        for start in (match.start() for match in self.beginnings.finditer(text)):
            forms = (text[start : start + length] for length in self.lengths)
            form = next(filter(self.tokens.__contains__, forms), "") if start >= end else ""
            if form:
                end, token = start + len(form), self.tokens[form]
                if not (token.single_word and (_in_word(text[start - 1 : start]) or _in_word(text[end : end + 1]))):
                    yield start, end, token


def _in_word(char: str) -> bool:
    """Whether a character, or none, is of a word: a letter with its marks, a digit, `_` and its like."""
    return bool(char) and category(char).startswith(("L", "M", "Nd", "Nl", "Pc"))


def normal_form(basic: BasicTokenizer | None, text: str) -> str:
    """Text after the steps that change characters, and before those that split it into words."""
    if basic is None:
        return text
    text = basic.clean(text) if basic.clean_text else text
    text = basic.space_chinese(text) if basic.tokenize_chinese_chars else text
    return basic.normalize(lower_each(text) if basic.do_lower_case else text)
