"""Where tokens come from: the rows that answer it, windows over long texts, and every step, for a learner to look at.

    text → aligned tokens → cut, or windows → [CLS] … [SEP] → padded `Encoding`        `minibert tokenize --explain TEXT`

Where a token begins and ends equals what the Rust tokenizer of transformers 5 reports.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import chain
from typing import Any, NamedTuple, TypeAlias

from .alignment import AlignedToken, Encoding, Traced
from .encoding import BatchEncoding, EncodeOptions, TruncationStrategy
from .padding_truncation import ModelInput
from .wordpiece import Pieces

Aligned: TypeAlias = tuple[list[AlignedToken], list[AlignedToken] | None]  # the tokens of a text, and of its pair


def aligned(tokenizer: Pieces, text: Any, sequence: int) -> list[AlignedToken]:
    """The tokens of a text or of words, and where each came from: the steps of `tokenize` on `Traced` text.

    Words are counted as the tokenizer splits them; a special token is one. Of a text given as words, `word` is a
    word's number, and `start` and `end` count inside the word.
    """
    if not isinstance(text, str):
        words = [(number, token) for number, word in enumerate(text) for token in aligned(tokenizer, word, sequence)]
        return [token._replace(word=number) for number, token in words]
    memory = tokenizer.recall()
    words_of_text: list[tuple[str, list[str]]] = []
    for part, is_token in tokenizer.parts(Traced(text, range(len(text))), memory):
        words_of_text += [(part, [part])] if is_token else tokenizer.words(part, memory.special)
    tokens: list[AlignedToken] = []
    for number, (word, pieces) in enumerate(words_of_text):
        end = 0
        for piece in pieces:
            start, end = end, end + len(piece.removeprefix("##") if end else piece)
            origin = word[start:end] if len(pieces) > 1 else word
            if not isinstance(origin, Traced):
                raise ValueError(f"{type(tokenizer.basic_tokenizer).__name__} does not say where {word!r} came from.")
            tokens.append(
                AlignedToken(str(piece), tokenizer.token_to_id(piece), *origin.span, word=number, sequence=sequence)
            )
    if not memory.plain and [token.token for token in tokens] != tokenizer.tokenize(text):
        raise ValueError(
            f"{type(tokenizer).__name__} has a tokenize of its own: where its tokens came from is unknown."
        )
    return tokens


def aligned_pair(tokenizer: Pieces, pair: tuple[Any, Any]) -> Aligned:
    """The tokens of a text and of its pair, which may be None."""
    first, second = pair
    return aligned(tokenizer, first, sequence=0), None if second is None else aligned(tokenizer, second, sequence=1)


def origins(tokenizer: ModelInput, texts: list[tuple[Any, Any]], options: EncodeOptions) -> list[Encoding]:
    """The rows that `texts` become, with the origin of every token."""
    return encodings_of(tokenizer, [aligned_pair(tokenizer, pair) for pair in texts], options)


def encodings_of(tokenizer: ModelInput, rows: Iterable[Aligned], options: EncodeOptions) -> list[Encoding]:
    """Rows made as rows of ids are, by `add_row` and `padded`, from tokens that know their origin."""
    options = options._replace(
        return_token_type_ids=True,
        return_attention_mask=True,
        return_special_tokens_mask=True,
        return_overflowing_tokens=False,
    )
    columns: dict[str, list[Any]] = {}
    for first, second in rows:
        tokenizer.add_row(columns, first, second, options=options)
    columns = tokenizer.padded(columns, options)
    encodings = []
    for index, row in enumerate(columns["input_ids"]):
        # special tokens and padding come from no text: they are still ids
        tokens = [AlignedToken(tokenizer.id_to_token(each), each) if isinstance(each, int) else each for each in row]
        encodings.append(
            Encoding(
                tokens=[token.token for token in tokens],
                ids=[token.id for token in tokens],
                type_ids=columns["token_type_ids"][index],
                attention_mask=columns["attention_mask"][index],
                special_tokens_mask=columns["special_tokens_mask"][index],
                offsets=[(token.start, token.end) for token in tokens],
                word_ids=[token.word for token in tokens],
                sequence_ids=[token.sequence for token in tokens],
            )
        )
    return encodings


def in_windows(tokenizer: ModelInput, texts: list[tuple[Any, Any]], options: EncodeOptions) -> BatchEncoding:
    """A batch with a row for each window; `overflow_to_sample_mapping` says of which text."""
    rows = [windows_of(tokenizer, aligned_pair(tokenizer, pair), options) for pair in texts]
    encodings = encodings_of(tokenizer, chain.from_iterable(rows), options)
    columns: dict[str, Any] = {"input_ids": [encoding.ids for encoding in encodings]}
    if options.return_token_type_ids:
        columns["token_type_ids"] = [encoding.type_ids for encoding in encodings]
    if options.return_attention_mask:
        columns["attention_mask"] = [encoding.attention_mask for encoding in encodings]
    if options.return_special_tokens_mask:
        columns["special_tokens_mask"] = [encoding.special_tokens_mask for encoding in encodings]
    if options.return_offsets_mapping:
        columns["offset_mapping"] = [encoding.offsets for encoding in encodings]
    if options.return_length:
        columns["length"] = list(map(len, encodings))
    columns["overflow_to_sample_mapping"] = [sample for sample, windows in enumerate(rows) for _ in windows]
    n_sequences = 1 if texts[0][1] is None else 2
    return BatchEncoding(columns, encodings, tensor_type=options.return_tensors, n_sequences=n_sequences)


def windows_of(tokenizer: ModelInput, row: Aligned, options: EncodeOptions) -> list[Aligned]:
    """A text too long for one row as several, each of which repeats the last `stride` tokens of the one before.

    Of a pair, the text that `truncation` names is cut; the other stands in every window, whole.
    Raises ValueError when no window could hold more than what it repeats.
    """
    ids, pair_ids = row
    _, _, _, excess = tokenizer.cut(ids, pair_ids, options)
    if excess <= 0 or options.truncation is TruncationStrategy.DO_NOT_TRUNCATE:
        return [row]
    cuts_second = options.truncation is TruncationStrategy.ONLY_SECOND and pair_ids is not None
    long = pair_ids if cuts_second and pair_ids is not None else ids
    size = len(long) - excess
    step = size - options.stride
    if step <= 0:
        raise ValueError(
            f"max_length={options.max_length} leaves room for {max(size, 0)} tokens of this text in each window, "
            f"which must be more than stride={options.stride}. Raise max_length or lower stride."
        )
    windows = [long[start : start + size] for start in range(0, len(long) - options.stride, step)]
    return [(ids, window) if cuts_second else (window, pair_ids) for window in windows]


class Step(NamedTuple):
    """One step: what it is called, what it does, and what it made.

    parts: the text in pieces to be shown side by side; a join of all but the last two steps gives the text after it.
    marked: for each of them, whether this step has just made or changed it (to be coloured).
    """

    name: str
    meaning: str
    parts: list[str]
    marked: list[bool]


def explain(tokenizer: ModelInput, text: str) -> list[Step]:
    """Every step from `text` to ids. The last one's parts are the ids of `tokenizer(text)`, as text."""
    special = tokenizer.parts(text)
    lower = "text in lower case; " if tokenizer.lowers else ""
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


def _basic_steps(tokenizer: ModelInput, special: list[tuple[str, bool]]) -> list[Step]:
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
