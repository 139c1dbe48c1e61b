"""The installed newest transformers' BertTokenizer, Rust inside, and ours: the same ids, offsets, words and windows.

Texts are of characters on which that tokenizer and 4.12.5's Python one agree; where they disagree ours follows the
latter, and `test_the_characters_on_which_they_differ` says which those are. MINIBERT_STRINGS=1000000 in the
environment makes the random run longer.
"""

from __future__ import annotations

import itertools
import unicodedata
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer
from tokenizers_side_by_side import NOVELS, STRINGS, VOCABULARIES, agreed, pair_over
from transformers import BertTokenizer as NewTokenizer
from transformers.models.bert.tokenization_bert_legacy import BertTokenizerLegacy

from minibert.tokenization import BasicTokenizer, BertTokenizer, BertTokenizerFast
from minibert.tokenization.words import lower_each
from tests.parity.old import tokenizer_programs as programs

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module", params=VOCABULARIES)
def both(request, tmp_path_factory):
    """(ours, the new one) over the same vocabulary."""
    return pair_over(request.param, tmp_path_factory.mktemp(request.param), BertTokenizer)


@pytest.fixture(scope="module")
def novels():
    return BertTokenizer.from_pretrained(NOVELS), NewTokenizer.from_pretrained(NOVELS)


def origins(encoding, row: int = 0):
    """Everything an encoding says about where its tokens came from."""
    one = encoding[row]
    return one.ids, one.tokens, one.offsets, one.word_ids, one.sequence_ids, one.special_tokens_mask, one.type_ids


def assert_same(ours, new, texts):
    ours, new = ours(texts, verbose=False), new(texts, verbose=False)
    assert dict(ours) == dict(new)
    for row in range(len(texts)):
        assert origins(ours, row) == origins(new, row)


def test_nasty_texts(both):
    assert_same(*both, [agreed(text) for text in programs.NASTY])


def test_twenty_thousand_random_texts(both):
    count = STRINGS // len(programs.VOCABULARIES)
    for start in range(0, count, 1000):
        assert_same(*both, [agreed(text) for text in programs.random_texts(min(1000, count - start), seed=start)])


@settings(max_examples=200, deadline=None)
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=60).map(agreed), min_size=1, max_size=5))
def test_any_texts(novels, texts):
    assert_same(*novels, texts)


def test_the_characters_on_which_they_differ():
    """Unassigned ones (dropped here, kept there), those younger than its tables, and a range of ideographs it mistypes."""
    new_words = BertPreTokenizer().pre_tokenize_str
    for lower in (True, False):
        normalizer, basic = BertNormalizer(lowercase=lower), BasicTokenizer(do_lower_case=lower)
        differ = Counter()
        for char in filter(str, map(chr, itertools.chain(range(0xD800), range(0xE000, 0x30000)))):
            text = f"a{char}b"
            ours = basic.tokenize(lower_each(text) if lower else text)
            if ours != [word for word, _ in new_words(normalizer.normalize_str(text))]:
                if unicodedata.category(char) == "Cn":
                    kind = "unassigned"
                elif 0x2B820 <= ord(char) <= 0x2B91F:
                    kind = "ideograph"
                else:
                    kind = "young"
                    assert not programs.is_settled(char)
                differ[kind] += 1
        assert differ["ideograph"] == 256
        assert set(differ) == {"unassigned", "ideograph", "young"}


@pytest.mark.parametrize("text", ["the dog is unaffable and runs away from the houses", "the [MASK] don't", "", "dog"])
@pytest.mark.parametrize(("max_length", "stride"), [(6, 0), (7, 2), (9, 5), (100, 3)])
def test_windows_of_one_text(novels, text, max_length, stride):
    arguments = {
        "max_length": max_length,
        "stride": stride,
        "truncation": True,
        "return_overflowing_tokens": True,
        "return_offsets_mapping": True,
        "padding": "max_length",
    }
    ours, new = (tokenizer(text, **arguments) for tokenizer in novels)
    assert dict(ours) == dict(new)
    assert [origins(ours, row) for row in range(len(new.encodings))] == [
        origins(new, row) for row in range(len(new.encodings))
    ]


@pytest.mark.parametrize("truncation", ["only_first", "only_second"])
@pytest.mark.parametrize("padding", [True, "max_length", False])
def test_windows_of_a_batch_of_pairs(novels, truncation, padding):
    firsts = ["what does the unaffable dog do when it rains and nobody is at home to see it", "it barks", "a"]
    seconds = ["who runs away", "the dog is unaffable", "b c"]
    if truncation == "only_second":
        firsts, seconds = seconds, firsts
    arguments = {
        "max_length": 16,
        "stride": 3,
        "truncation": truncation,
        "padding": padding,
        "return_overflowing_tokens": True,
        "return_special_tokens_mask": True,
    }
    new = novels[1](firsts, seconds, return_offsets_mapping=True, **arguments)
    ours = novels[0](firsts, seconds, return_offsets_mapping=True, **arguments)
    assert dict(ours) == dict(new)
    assert len(ours["overflow_to_sample_mapping"]) > 3
    fast = BertTokenizerFast.from_pretrained(NOVELS)(firsts, seconds, **arguments)
    assert dict(fast) == {name: column for name, column in new.items() if name != "offset_mapping"}


@pytest.mark.parametrize("padding_side", ["right", "left"])
def test_origins_of_truncated_and_padded_pairs(novels, padding_side):
    ours, new = novels
    firsts, seconds = ["the unaffable dog", "don't"], ["runs", "away from the houses"]
    for tokenizer in novels:
        tokenizer.padding_side = padding_side
    try:
        for truncation in ("only_first", "only_second", False):
            arguments = {"padding": "max_length", "max_length": 9, "truncation": truncation}
            a, b = ours(firsts, seconds, **arguments), new(firsts, seconds, **arguments)
            for row in range(2):
                if truncation is False or len(b.encodings[row].ids) == len(a["input_ids"][row]) == 9:
                    assert origins(a, row) == origins(b, row)
    finally:
        for tokenizer in novels:
            tokenizer.padding_side = "right"


def test_pre_split_words(novels):
    words = [["hello there", "don't", "[MASK] x", "unaffable"], ["a"]]
    ours, new = (tokenizer(words, is_split_into_words=True, padding=True) for tokenizer in novels)
    assert dict(ours) == dict(new)
    assert [origins(ours, row) for row in range(2)] == [origins(new, row) for row in range(2)]
    ours, new = (tokenizer(words[0], words[1], is_split_into_words=True) for tokenizer in novels)
    assert origins(ours) == origins(new)


@pytest.mark.parametrize("pair", [None, "runs  away"])
def test_every_look_up(novels, pair):
    text = "the  don't\u0301  Ünaffable [MASK]"
    ours, new = (tokenizer([text], [pair] if pair else None) for tokenizer in novels)
    size = len(ours["input_ids"][0])
    for index in range(size):
        for name in ("token_to_chars", "token_to_word", "token_to_sequence"):
            assert getattr(ours, name)(0, index) == getattr(new, name)(0, index), (name, index)
    for sequence in range(2 if pair else 1):
        for index in range(len(text)):
            for name in ("char_to_token", "char_to_word"):
                found = getattr(ours, name)(0, index, sequence_index=sequence)
                assert found == getattr(new, name)(0, index, sequence_index=sequence), (name, index, sequence)
        for word in range(10):
            span = ours.word_to_tokens(0, word, sequence_index=sequence)
            assert span == new.word_to_tokens(0, word, sequence_index=sequence)
            if span is not None:
                chars = ours.word_to_chars(0, word, sequence_index=sequence)
                assert chars == new.word_to_chars(0, word, sequence_index=sequence)
    assert ours.n_sequences == new.n_sequences
    assert ours.word_ids(0) == new.word_ids(0)
    assert ours.sequence_ids(0) == new.sequence_ids(0)
    assert ours.tokens(0) == new.tokens(0)


def test_decoded_text(novels):
    ours, new = novels
    for text in [agreed(text) for text in programs.NASTY if "'" not in text]:
        ids = ours.encode(text, verbose=False)
        for skip in (True, False):
            assert ours.decode(ids, skip_special_tokens=skip) == new.decode(ids, skip_special_tokens=skip)


def test_the_apostrophe_is_joined_here_and_left_alone_there(novels):
    ours, new = novels
    assert ours.decode(ours.encode("we've", add_special_tokens=False)) == "we've"
    assert new.decode(new.encode("we've", add_special_tokens=False)) == "we ' ve"


def test_where_they_differ_we_do_as_the_old_one(novels):
    """The rest of the list in docs/tokenizer.md, ours first."""

    def outcomes(function):
        found = []
        for tokenizer in novels:
            try:
                found.append(function(tokenizer))
            except Exception as error:
                found.append(type(error))
        return tuple(found)

    assert outcomes(lambda t: t.tokenize("a\ud800b")) == (["ab"], TypeError)
    segments = outcomes(lambda t: t("a", "b c", add_special_tokens=False)["token_type_ids"])
    assert segments == ([0, 0, 0], [0, 1, 1])
    cut = outcomes(lambda t: len(t("a b c d", max_length=3, truncation=False)["input_ids"]))
    assert cut == (3, 6)
    lengths = outcomes(lambda t: t(["a", "a b"], padding=True, return_length=True)["length"])
    assert lengths == ([3, 4], [4, 4])
    impossible = outcomes(lambda t: len(t("a b c", max_length=4, truncation="only_second")["input_ids"]))
    assert impossible == (5, Exception)
    arguments = {"max_length": 6, "truncation": True, "return_overflowing_tokens": True}
    ours, new = outcomes(lambda t: len(t("a b c d", "x y z", **arguments)["input_ids"]))
    assert ours is ValueError
    assert new > 2
    assert outcomes(lambda t: t([])) == (ValueError, IndexError)


def test_accents_do_not_hide_an_added_token_there():
    found = []
    for library in (BertTokenizer, NewTokenizer):
        tokenizer = library.from_pretrained(NOVELS)
        tokenizer.add_tokens(["naive"])
        found.append((tokenizer.tokenize("NAIVE"), tokenizer.tokenize("naïve")))
    assert found == [(["naive"], ["n", "##a", "##ive"]), (["naive"], ["naive"])]


def test_its_own_python_tokenizer_agrees_but_for_the_final_sigma():
    """What is left of the Python tokenizer there, which no longer lower-cases letter by letter."""
    ours, legacy = BertTokenizer(NOVELS / "vocab.txt"), BertTokenizerLegacy(str(NOVELS / "vocab.txt"))
    for text in programs.random_texts(2000, seed=9, settled=True):
        if "[" not in text and "Σ" not in text:
            assert ours.tokenize(text) == legacy.tokenize(text)
    assert (ours.tokenize("ΑΣ"), legacy.tokenize("ΑΣ")) == (["α", "##σ"], ["α", "##ς"])


@pytest.fixture
def changed():
    tokenizer = BertTokenizer.from_pretrained(NOVELS, model_max_length=77)
    tokenizer.add_tokens(["covid", "newword"])
    tokenizer.add_special_tokens({"additional_special_tokens": ["<e1>", "<e2>"]})
    return tokenizer


TEXTS = ["covid <e1> the covidnewword <e2>", "Covid [MASK] NEWWORD <e1>x"]


def test_transformers_opens_what_we_save(changed, tmp_path):
    changed.save_pretrained(tmp_path)
    opened = NewTokenizer.from_pretrained(tmp_path)
    assert opened(TEXTS)["input_ids"] == changed(TEXTS)["input_ids"]
    assert (len(opened), opened.model_max_length, opened.do_lower_case) == (len(changed), 77, True)
    assert opened.convert_ids_to_tokens(range(len(opened))) == changed.convert_ids_to_tokens(range(len(changed)))


def test_we_open_what_transformers_saves(changed, tmp_path):
    saved = NewTokenizer.from_pretrained(NOVELS, model_max_length=77)
    saved.add_tokens(["covid", "newword"])
    saved.add_special_tokens({"additional_special_tokens": ["<e1>", "<e2>"]})
    saved.save_pretrained(tmp_path)
    assert not (tmp_path / "vocab.txt").exists()
    opened = BertTokenizer.from_pretrained(tmp_path)
    assert opened(TEXTS)["input_ids"] == saved(TEXTS)["input_ids"] == changed(TEXTS)["input_ids"]
    assert opened.get_vocab() == saved.get_vocab()
    assert opened.model_max_length == 77
    assert opened.additional_special_tokens == ["<e1>", "<e2>"]


def test_a_cased_tokenizer_comes_back_cased(tmp_path):
    saved = NewTokenizer.from_pretrained(NOVELS, do_lower_case=False, strip_accents=False)
    saved.save_pretrained(tmp_path)
    (tmp_path / "tokenizer_config.json").unlink()  # tokenizer.json alone says it as well
    opened = BertTokenizer.from_pretrained(tmp_path)
    assert opened("The é Dog")["input_ids"] == saved("The é Dog")["input_ids"]
    assert opened.do_lower_case is False
