"""What holds for every text. MINIBERT_STRINGS=1000000 in the environment tries a million strings instead of 20,000."""

from __future__ import annotations

import os
from unicodedata import normalize

import pytest
from hypothesis import given, settings, strategies as st

from minibert.tokenization import BertTokenizer, WordpieceTokenizer
from minibert.tokenization.words import Traced, lower_each
from tests.parity.old import tokenizer_programs as programs

STRINGS = int(os.environ.get("MINIBERT_STRINGS", 20_000))
PARTS = 7  # parts are drawn, and joined two and two: 49 strings

KINDS = {
    **{kind: {} for kind in programs.VOCABULARIES},
    "cased, no accents": {"do_lower_case": False, "strip_accents": True},
    "never split": {"never_split": ["don't", "the,", "é!"]},
    "no basic": {"do_basic_tokenize": False},
}


def make(kind: str) -> BertTokenizer:
    name = kind if kind in programs.VOCABULARIES else "uncased"
    pieces = dict.fromkeys(programs.VOCABULARIES[name])
    vocab = {piece: index for index, piece in enumerate(pieces)}
    tokenizer = BertTokenizer(vocab, **{**programs.SETTINGS[name], **KINDS[kind]}, verbose=False)
    tokenizer.sanitize_special_tokens()
    if kind == "multilingual":
        tokenizer.add_tokens(["newword", "Two words", "é"])
        tokenizer.add_special_tokens({"additional_special_tokens": ["<e1>", "<E2>"]})
    return tokenizer


TOKENIZERS = {kind: make(kind) for kind in KINDS}

# Words, special and added tokens, spaces of every kind, and anything else in Unicode, lone surrogates included.
texts = st.one_of(
    st.text(max_size=30),
    st.lists(
        st.one_of(
            st.sampled_from(
                ["the ", "Unaffable", "[MASK]", "[SEP] ", "[mask]", "<e1>", "<e2>", "newWord", "two words"]
            ),
            st.sampled_from(
                ["\x0b", "\x1c", "\x85", "\u2028", "\xa0", "\u200b", "\n", "don't", "the,", "É!", "Σ", "İ"]
            ),
            st.text(max_size=4),
        ),
        max_size=8,
    ).map("".join),
)
any_kind = st.sampled_from(sorted(KINDS)).map(TOKENIZERS.__getitem__)
batches = st.lists(texts, min_size=PARTS, max_size=PARTS).map(
    lambda parts: [left + right for left in parts for right in parts]
)


def check(max_examples: int):
    return settings(max_examples=max_examples, deadline=None)


def readable(tokenizer: BertTokenizer, text: str) -> list[str]:
    """The tokens of a text, nothing remembered: every part goes through the words as a whole."""
    parts = tokenizer.steps().parts(text)
    return [token for part, is_token in parts for token in ([part] if is_token else tokenizer._tokenize(part))]


@pytest.mark.seconds
@check(STRINGS // PARTS**2 + 1)
@given(any_kind, batches)
def test_the_remembered_way_equals_the_readable_way(tokenizer, batch):
    """Ids by memory are those of the steps one after the other: parts → words → pieces → ids."""
    expected = [tokenizer.convert_tokens_to_ids(readable(tokenizer, text)) for text in batch]
    assert tokenizer(batch, add_special_tokens=False)["input_ids"] == expected


@check(50)
@given(any_kind, batches)
def test_a_full_memory_changes_nothing(tokenizer, batch):
    expected = tokenizer(batch)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("minibert.tokenization.wordpiece.MAX_WORDS", 2)
        patch.setattr("minibert.tokenization.wordpiece.MAX_WORD_LENGTH", 3)
        tokenizer.steps().pieces.clear()
        assert tokenizer(batch) == expected
        assert len(tokenizer.steps().pieces) <= 2


@check(400)
@given(any_kind, texts)
def test_what_origins_say_of_the_tokens_is_what_was_encoded(tokenizer, text):
    encoding = tokenizer(text, return_offsets_mapping=True)
    assert encoding[0].ids == encoding["input_ids"]
    assert encoding.tokens()[1:-1] == tokenizer.tokenize(text)


@check(400)
@given(st.one_of(st.text(max_size=20), st.text("a\u0301\u0323\u0327\U0001d165각İΣ", max_size=10)))
def test_traced_text_changes_as_plain_text_does(text):
    traced = Traced(text, range(len(text)))
    assert traced.decompose() == normalize("NFD", text)
    assert traced.lower() in (text.lower(), "".join(map(str.lower, text)))
    assert traced.split() == text.split()
    for char, position in zip(traced.decompose(), traced.decompose().positions, strict=True):
        assert char in normalize("NFD", text[position])


def normalized(tokenizer: BertTokenizer, text: str) -> str:
    """A text as the tokenizer's pieces spell it."""
    if not tokenizer.do_basic_tokenize:
        return text
    basic = tokenizer.basic_tokenizer
    return basic.normalize(basic.clean(lower_each(text) if tokenizer.do_lower_case else text))


@check(400)
@given(any_kind, texts)
def test_an_offset_is_the_place_of_its_token(tokenizer, text):
    """text[start:end] is the token, up to normalization. (One character may be several letters, each its own token.)"""
    encoding = tokenizer(text, return_offsets_mapping=True)
    kept = {*tokenizer.all_special_tokens, *tokenizer.added_tokens_encoder, *KINDS["never split"]["never_split"]}
    words: dict[int, list[str]] = {}
    rows = zip(encoding.tokens(), encoding["offset_mapping"], encoding.word_ids(), strict=True)
    for token, (start, end), word in rows:
        if word is None:
            assert (start, end) == (0, 0)
            continue
        part = text[start:end]
        piece = token.removeprefix("##") if word in words else token
        words.setdefault(word, []).append(piece)
        assert token == "[UNK]" or token in kept or piece in normalized(tokenizer, part)
        assert start < end
    last = 0
    for word, pieces in words.items():
        start, end = encoding.word_to_chars(word)
        assert last <= start, "words follow one another"
        last = start
        if pieces != ["[UNK]"] and pieces[0] not in kept:
            assert "".join(pieces) == normalized(tokenizer, text[start:end])


@check(200)
@given(any_kind, st.lists(texts, min_size=1, max_size=4), st.booleans())
def test_padding_never_changes_a_real_token(tokenizer, batch, left):
    plain = tokenizer(batch)
    tokenizer.padding_side = "left" if left else "right"
    padded = tokenizer(batch, padding=True, return_special_tokens_mask=True)
    tokenizer.padding_side = "right"
    width = max(map(len, plain["input_ids"]))
    for row, mask, expected in zip(padded["input_ids"], padded["attention_mask"], plain["input_ids"], strict=True):
        assert len(row) == len(mask) == width
        assert [index for index, real in zip(row, mask, strict=True) if real] == expected
        assert mask == sorted(mask, reverse=not left)


@check(200)
@given(any_kind, texts, st.one_of(st.none(), texts), st.integers(4, 12), st.sampled_from(["only_first", True]))
def test_truncation_keeps_a_beginning_of_each_text(tokenizer, text, pair, max_length, truncation):
    full, cut = tokenizer(text, pair), tokenizer(text, pair, truncation=truncation, max_length=max_length)
    if truncation is True:
        assert len(cut["input_ids"]) == min(len(full["input_ids"]), max_length)
    for sequence in (0, 1):
        kept = [i for i, s in zip(cut["input_ids"], cut.sequence_ids(), strict=True) if s == sequence]
        whole = [i for i, s in zip(full["input_ids"], full.sequence_ids(), strict=True) if s == sequence]
        assert whole[: len(kept)] == kept


@check(200)
@given(any_kind, texts, st.integers(4, 9), st.integers(0, 1))
def test_windows_cover_a_text_and_overlap_by_the_stride(tokenizer, text, max_length, stride):
    full = tokenizer(text, add_special_tokens=False)["input_ids"]
    arguments = {"truncation": True, "return_overflowing_tokens": True, "return_offsets_mapping": True}
    windows = tokenizer(text, max_length=max_length, stride=stride, **arguments)["input_ids"]
    joined = windows[0][1:-1]
    for window in windows[1:]:
        assert len(window) > 2 + stride, "every window brings something new"
        assert joined[len(joined) - stride :] == window[1 : 1 + stride]
        joined += window[1 + stride : -1]
    assert joined == full
    assert all(len(window) <= max_length for window in windows)


@check(200)
@given(any_kind, texts)
def test_encoding_decoded_text_again_gives_the_same_decoded_text(tokenizer, text):
    once = tokenizer.decode(tokenizer.encode(text, add_special_tokens=False), clean_up_tokenization_spaces=False)
    ids = tokenizer.encode(once, add_special_tokens=False)
    if "[UNK]" not in once and not tokenizer.added_tokens_encoder:
        assert tokenizer.decode(ids, clean_up_tokenization_spaces=False) == once


@check(200)
@given(texts, texts)
def test_words_do_not_reach_across_a_space(left, right):
    tokenizer = TOKENIZERS["uncased"]
    together = tokenizer.tokenize(f"{left} {right}")
    assert together == tokenizer.tokenize(left) + tokenizer.tokenize(right)


@check(300)
@given(st.sets(st.text("ab#", min_size=1, max_size=4)), st.text("ab", max_size=12))
def test_pieces_spell_the_word(vocab, word):
    pieces = WordpieceTokenizer(vocab, "[UNK]").tokenize(word)
    spelled = "".join(piece if index == 0 else piece[2:] for index, piece in enumerate(pieces))
    assert pieces == ["[UNK]"] or (spelled == word and all(piece in vocab for piece in pieces))


@pytest.mark.slow
def test_every_character_of_unicode():
    """Each inside a word (past the first planes, one in 16), by memory and by the readable way."""
    tokenizer = TOKENIZERS["uncased"]
    for block in range(0, 0x110000, 0x4000):
        text = " ".join(f"a{chr(code)}b" for code in range(block, block + 0x4000, 1 if block < 0x10000 else 16))
        ids = tokenizer.encode(text, add_special_tokens=False)
        assert ids == tokenizer.convert_tokens_to_ids(readable(tokenizer, text))


def test_lower_casing_twice_is_lower_casing_once():
    text = "".join(map(chr, range(0x110000)))
    assert lower_each(lower_each(text)) == lower_each(text)
    assert lower_each(text) == "".join(char.lower() for char in text)
