"""Every step of a text to ids, for a learner to look at: `minibert tokenize --explain TEXT`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from .tokenizer import BertTokenizer


class Step(NamedTuple):
    """One step: what it is called, what it does, and what it made.

    parts: the text in pieces to be shown side by side; a join of all but the last two steps gives the text after it.
    marked: for each of them, whether this step has just made or changed it (to be coloured).
    """

    name: str
    meaning: str
    parts: list[str]
    marked: list[bool]


def explain(tokenizer: BertTokenizer, text: str) -> list[Step]:
    """Every step from `text` to ids. The last one's parts are the ids of `tokenizer(text)`, as text."""
    special = tokenizer.steps().parts(text)
    lower = "text in lower case; " if tokenizer.do_lower_case else ""
    steps = [
        _step("text", "what was given", [(text, False)]),
        _step("special tokens", f"{lower}special and added tokens are cut out whole", special),
    ]
    if tokenizer.do_basic_tokenize:
        steps += _basic_steps(tokenizer, special)
    tokens = tokenizer.tokenize(text)
    meaning = "each word becomes the longest pieces of the vocabulary, from left to right; ## continues a word"
    marked = [token.startswith("##") or token == tokenizer.unk_token for token in tokens]
    ids = tokenizer.build_inputs_with_special_tokens(tokenizer.convert_tokens_to_ids(tokens))
    special_ids = tokenizer.all_special_ids
    framed = [(tokenizer.id_to_token(index), index in special_ids) for index in ids]
    return [
        *steps,
        _step("pieces", meaning, list(zip(tokens, marked, strict=True))),
        _step("framed", "[CLS] before and [SEP] after", framed),
        _step("ids", "each piece's line in the vocabulary", [(str(index), False) for index in ids]),
    ]


def _basic_steps(tokenizer: BertTokenizer, special: list[tuple[str, bool]]) -> list[Step]:
    """The steps of `BasicTokenizer.tokenize`, by its own methods; special tokens pass through untouched."""
    basic, tokens = tokenizer.basic_tokenizer, tokenizer.all_special_tokens
    kept = basic.never_split.union(tokens)

    def changed(parts: list[tuple[str, bool]], rule: Callable[[str], str]) -> tuple[Any, Any]:
        """The parts after a step, and those parts with whether it changed them."""
        after = [(part if is_token else rule(part), is_token) for part, is_token in parts]
        return after, [(new, new != old) for (new, _), (old, _) in zip(after, parts, strict=True)]

    parts, marked = changed(special, basic.clean)
    steps = [_step("cleaned", "control characters are dropped, every kind of space becomes a plain one", marked)]
    if basic.tokenize_chinese_chars:
        parts, marked = changed(parts, basic.space_chinese)
        steps.append(_step("spaced", "every ideograph is a word of its own", marked))
    parts = [(word, is_token) for part, is_token in parts for word in ([part] if is_token else part.split())]
    steps.append(_step("split", "words are what stands between spaces", [(word, False) for word, _ in parts]))
    parts, marked = changed(parts, lambda word: word if word in kept else basic.normalize(word))
    case = "in lower case" if basic.do_lower_case else "as it is"
    accents = ", without accents" if basic.normalize("é") == "e" else ""
    steps.append(_step("normalized", f"each word {case}{accents}", marked))
    normal = {word for word, _ in parts}
    words = [
        word
        for part, is_token in special
        for word in ([part] if is_token else basic.tokenize(part, never_split=tokens))
    ]
    marked = [(word, word not in normal) for word in words]
    return [*steps, _step("punctuation", "every punctuation mark is a word of its own", marked)]


def _step(name: str, meaning: str, parts: list[tuple[str, bool]]) -> Step:
    """A step from its parts, each with whether it is marked."""
    return Step(name, meaning, parts=[part for part, _ in parts], marked=[marked for _, marked in parts])
