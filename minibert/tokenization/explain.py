"""Every step of a text to ids, for a learner to look at: `minibert tokenize --explain TEXT`."""

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from .tokenizer import BertTokenizer

Marked: TypeAlias = list[tuple[str, bool]]  # parts of the text, each with whether it is a token, or to be coloured


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
    tokens = tokenizer.tokenize(text)
    pieces = [(token, token.startswith("##") or token == tokenizer.unk_token) for token in tokens]
    longest = "each word becomes the longest pieces of the vocabulary, from left to right; ## continues a word"
    ids = tokenizer.build_inputs_with_special_tokens(tokenizer.convert_tokens_to_ids(tokens))
    special_ids = tokenizer.all_special_ids
    steps: list[tuple[str, str, Marked]] = [
        ("text", "what was given", [(text, False)]),
        ("special tokens", f"{lower}special and added tokens are cut out whole", special),
        *(_basic_steps(tokenizer, special) if tokenizer.do_basic_tokenize else []),
        ("pieces", longest, pieces),
        (
            "framed",
            "[CLS] before and [SEP] after",
            [(tokenizer.id_to_token(each), each in special_ids) for each in ids],
        ),
        ("ids", "each piece's line in the vocabulary", [(str(each), False) for each in ids]),
    ]
    return [
        Step(name, meaning, parts=[part for part, _ in parts], marked=[marked for _, marked in parts])
        for name, meaning, parts in steps
    ]


def _basic_steps(tokenizer: BertTokenizer, special: Marked) -> list[tuple[str, str, Marked]]:
    """The steps of `BasicTokenizer.tokenize`, by its own methods; special tokens pass through untouched."""
    basic, tokens = tokenizer.basic_tokenizer, tokenizer.all_special_tokens
    kept = basic.never_split.union(tokens)

    def changed(parts: Marked, rule: Callable[[str], str]) -> tuple[Marked, Marked]:
        """The parts after a step, and those parts with whether it changed them."""
        after = [(part if is_token else rule(part), is_token) for part, is_token in parts]
        return after, [(new, new != old) for (new, _), (old, _) in zip(after, parts, strict=True)]

    parts, steps = special, list[tuple[str, str, Marked]]()
    if basic.clean_text:
        parts, marked = changed(parts, basic.clean)
        steps.append(("cleaned", "control characters are dropped, every kind of space becomes a plain one", marked))
    if basic.tokenize_chinese_chars:
        parts, marked = changed(parts, basic.space_chinese)
        steps.append(("spaced", "every ideograph is a word of its own", marked))
    parts = [(word, is_token) for part, is_token in parts for word in ([part] if is_token else part.split())]
    steps.append(("split", "words are what stands between spaces", [(word, False) for word, _ in parts]))
    parts, marked = changed(parts, lambda word: word if word in kept else basic.normalize(word))
    case = "in lower case" if basic.do_lower_case else "as it is"
    accents = ", without accents" if basic.normalize("é") == "e" else ""
    steps.append(("normalized", f"each word {case}{accents}", marked))
    normal = {word for word, _ in parts}
    words = [word for part, is_token in special for word in ([part] if is_token else basic.tokenize(part, tokens))]
    marked = [(word, word not in normal) for word in words]
    return [*steps, ("punctuation", "every punctuation mark is a word of its own", marked)]
