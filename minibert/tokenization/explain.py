"""The tokenizer's steps on one text, for a learner to look at: `minibert tokenize --explain TEXT`."""

from __future__ import annotations

from typing import NamedTuple

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
    special = tokenizer.parts(text)
    meaning = "special and added tokens are cut out whole"
    if tokenizer.lowers:
        meaning = "text in lower case; " + meaning
    steps = [
        Step("text", "what was given", [text], [False]),
        Step("special tokens", meaning, [part for part, _ in special], [is_token for _, is_token in special]),
    ]
    if tokenizer.do_basic_tokenize:
        steps += _basic_steps(tokenizer, special)
    tokens = tokenizer.tokenize(text)
    steps.append(
        Step(
            "pieces",
            "each word becomes the longest pieces of the vocabulary, from left to right; ## continues a word",
            tokens,
            [token.startswith("##") or token == tokenizer.unk_token for token in tokens],
        )
    )
    ids = tokenizer.encode(text, verbose=False)
    framed = tokenizer.convert_ids_to_tokens(ids)
    special_ids = tokenizer.all_special_ids
    steps.append(Step("framed", "[CLS] before and [SEP] after", framed, [index in special_ids for index in ids]))
    steps.append(Step("ids", "each piece's line in the vocabulary", [str(index) for index in ids], [False] * len(ids)))
    return steps


def _basic_steps(tokenizer: BertTokenizer, special: list[tuple[str, bool]]) -> list[Step]:
    """The steps of `BasicTokenizer.tokenize`, by its own methods; special tokens pass through untouched."""
    basic, tokens = tokenizer.basic_tokenizer, tokenizer.all_special_tokens
    kept = basic.never_split.union(tokens)
    cleaned = [(part if is_token else basic.clean(part), is_token) for part, is_token in special]
    steps = [_step("cleaned", "control characters are dropped, every kind of space becomes a plain one", special, cleaned)]
    spaced = cleaned
    if basic.tokenize_chinese_chars:
        spaced = [(part if is_token else basic.space_chinese(part), is_token) for part, is_token in cleaned]
        steps.append(_step("spaced", "every ideograph is a word of its own", cleaned, spaced))
    words = [(word, is_token) for part, is_token in spaced for word in ([part] if is_token else part.split())]
    steps.append(_step("split", "words are what stands between spaces", words, words))
    normal = [(word if word in kept or is_token else basic.normalize(word), is_token) for word, is_token in words]
    case = "in lower case" if basic.do_lower_case else "as it is"
    accents = ", without accents" if basic.normalize("é").endswith("e") else ""
    steps.append(_step("normalized", f"each word {case}{accents}", words, normal))
    split = [
        word
        for part, is_token in special
        for word in ([part] if is_token else basic.tokenize(part, never_split=tokens))
    ]
    marked = [(word, False) not in normal for word in split]
    steps.append(Step("punctuation", "every punctuation mark is a word of its own", split, marked))
    return steps


def _step(name: str, meaning: str, before: list[tuple[str, bool]], after: list[tuple[str, bool]]) -> Step:
    """A step that changes some parts: those are marked."""
    changed = [new != old for (new, _), (old, _) in zip(after, before, strict=True)]
    return Step(name, meaning, [part for part, _ in after], changed)
