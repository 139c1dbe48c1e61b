"""The tokenizer's steps on one text, for a learner to look at: `minibert tokenize --explain TEXT`."""

from __future__ import annotations

from typing import NamedTuple

from .bert import BertTokenizer


class Step(NamedTuple):
    """One step: what it is called, what it does, and what it made.

    parts: the text in pieces to be shown side by side; a join of all but the last two steps gives the text after it.
    marked: for each part, whether this step has just made or changed it (to be coloured).
    """

    name: str
    meaning: str
    parts: list[str]
    marked: list[bool]


def explain(tokenizer: BertTokenizer, text: str) -> list[Step]:
    """Every step from `text` to ids. The last one's parts are the ids of `tokenizer(text)`, as text."""
    special = [(part, is_token) for part, is_token, _ in tokenizer.parts(tokenizer.lowered(text))]
    steps = [
        Step("text", "what was given", [text], [False]),
        Step(
            "special tokens",
            "text in lower case; special and added tokens are cut out whole"
            if tokenizer.lowers
            else "special and added tokens are cut out whole",
            [part for part, _ in special],
            [is_token for _, is_token in special],
        ),
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
    """Cleaned, spaced, split, normalized, and split at punctuation; special tokens go through untouched."""
    basic = tokenizer.basic_tokenizer
    kept = basic.never_split.union(tokenizer.all_special_tokens)
    cleaned = [part if is_token else basic.clean(part) for part, is_token in special]
    steps = [
        Step(
            "cleaned",
            "control characters are dropped, every kind of space becomes a plain one",
            cleaned,
            [new != part for new, (part, _) in zip(cleaned, special, strict=True)],
        )
    ]
    spaced = cleaned
    if basic.tokenize_chinese_chars:
        spaced = [
            part if is_token else basic.space_chinese(part)
            for part, (_, is_token) in zip(cleaned, special, strict=True)
        ]
        changed = [new != part for new, part in zip(spaced, cleaned, strict=True)]
        steps.append(Step("spaced", "every ideograph is a word of its own", spaced, changed))
    words = [
        word
        for part, (_, is_token) in zip(spaced, special, strict=True)
        for word in ([part] if is_token else part.split())
    ]
    steps.append(Step("split", "words are what stands between spaces", words, [False] * len(words)))
    normal = [word if word in kept else basic.normalize(word) for word in words]
    meaning = "in lower case" if basic.do_lower_case else "as it is"
    steps.append(
        Step(
            "normalized",
            f"each word {meaning}{', without accents' if basic.strips_accents else ''}",
            normal,
            [new != word for new, word in zip(normal, words, strict=True)],
        )
    )
    split = [piece for word in normal for piece in ([word] if word in kept else basic.split_punctuation(word))]
    marked = [piece not in normal for piece in split]
    steps.append(Step("punctuation", "every punctuation mark is a word of its own", split, marked))
    return steps
