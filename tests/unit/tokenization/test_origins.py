"""Where tokens came from: offsets, words, sequences, windows."""

from __future__ import annotations

import pickle

import pytest

from minibert.tokenization import BertTokenizer, BertTokenizerFast, CharSpan, TokenSpan
from minibert.tokenization.words import Traced

TEXT = "the  Dogs [MASK] don\u0301t"


def test_offsets_are_places_in_the_text_as_it_was_given(tokenizer):
    encoding = tokenizer(TEXT, return_offsets_mapping=True)
    assert encoding.tokens() == ["[CLS]", "the", "dog", "##s", "[MASK]", "don", "##t", "[SEP]"]
    parts = [TEXT[start:end] for start, end in encoding.offset_mapping]
    assert parts == ["", "the", "Dog", "s", "[MASK]", "don", "t", ""]


def test_words_and_sequences(tokenizer):
    encoding = tokenizer("hello, dogs", "the dog")
    assert encoding.word_ids() == [None, 0, 1, 2, 2, None, 0, 1, None]
    assert encoding.sequence_ids() == [None, 0, 0, 0, 0, None, 1, 1, None]
    assert encoding.n_sequences == 2


def test_pre_split_words_keep_their_numbers(tokenizer):
    words = [["hello,", "unaffable", "\u200b", "dogs"]]
    encoding = tokenizer(
        words, is_split_into_words=True, return_offsets_mapping=True, padding="max_length", max_length=12
    )
    assert encoding.word_ids(0) == [None, 0, 0, 1, 1, 1, 3, 3, None, None, None, None]
    assert encoding.offset_mapping[0][1:9] == [(0, 5), (5, 6), (0, 2), (2, 5), (5, 9), (0, 3), (3, 4), (0, 0)]


def test_every_look_up(tokenizer):
    encoding = tokenizer(["hello, dogs"], ["the dog"])
    assert encoding.char_to_token(0, 7) == encoding.char_to_token(7) == 3
    assert encoding.char_to_token(0, 6) is None
    assert encoding.char_to_token(0, 4, sequence_index=1) == 7
    assert encoding.char_to_word(0, 10) == 2
    assert encoding.token_to_chars(0, 4) == CharSpan(10, 11)
    assert encoding.token_to_chars(0, 0) is None
    assert encoding.token_to_word(0, 4) == 2
    assert encoding.token_to_sequence(0, 7) == 1
    assert encoding.word_to_tokens(0, 2) == TokenSpan(3, 5)
    assert encoding.word_to_chars(0, 2) == CharSpan(7, 11)
    assert encoding.word_to_chars(0, 9) is None
    assert encoding[0].ids == encoding.input_ids[0]


def test_a_cut_row_answers_for_what_is_left(tokenizer):
    encoding = tokenizer("the dog runs", "hello world", truncation="only_first", max_length=6)
    assert encoding.tokens() == ["[CLS]", "the", "[SEP]", "hello", "world", "[SEP]"]
    assert encoding.char_to_token(4) is None
    assert encoding.char_to_token(0, 0, sequence_index=1) == 3


def test_padding_comes_from_nowhere(tokenizer):
    tokenizer.padding_side = "left"
    encoding = tokenizer(["the", "the dog"], padding=True, return_offsets_mapping=True)
    assert encoding.offset_mapping[0] == [(0, 0), (0, 0), (0, 3), (0, 0)]
    assert encoding.word_ids(0) == [None, None, 0, None]


def test_offsets_as_a_tensor(tokenizer):
    encoding = tokenizer(["the", "the dog"], padding=True, return_offsets_mapping=True, return_tensors="pt")
    assert encoding.offset_mapping.shape == (2, 4, 2)


WINDOWS = {"max_length": 5, "stride": 1, "truncation": True, "return_overflowing_tokens": True}


def test_a_long_text_becomes_overlapping_windows(tokenizer):
    text = "the dog runs the dog un"
    encoding = tokenizer([text, "hello"], **WINDOWS, return_offsets_mapping=True, padding=True)
    assert encoding.overflow_to_sample_mapping == [0, 0, 0, 1]
    assert [tokenizer.decode(row, skip_special_tokens=True) for row in encoding.input_ids] == [
        "the dog runs",
        "runs the dog",
        "dog un",
        "hello",
    ]
    assert encoding.char_to_token(1, text.index("runs")) == 1
    assert encoding.word_ids(2) == [None, 4, 5, None, None]
    assert {len(row) for row in encoding.attention_mask} == {5}


def test_the_overflow_is_ids_unless_offsets_are_asked_for(vocab_file, tokenizer):
    text = "the dog runs the dog un"
    assert "overflowing_tokens" in tokenizer(text, **WINDOWS)
    fast = BertTokenizerFast(vocab_file)
    assert fast.is_fast
    windows = fast(text, **WINDOWS, return_length=True, return_special_tokens_mask=True, return_token_type_ids=False)
    assert windows.length == [5, 5, 4]
    assert windows.special_tokens_mask[0] == [1, 0, 0, 0, 1]
    assert windows.overflow_to_sample_mapping == [0, 0, 0]
    assert windows.input_ids == tokenizer(text, **WINDOWS, return_offsets_mapping=True).input_ids


def test_windows_need_room(tokenizer):
    with pytest.raises(ValueError, match="leaves room for 1 tokens"):
        tokenizer("the dog runs", **{**WINDOWS, "max_length": 3}, return_offsets_mapping=True)
    with pytest.raises(ValueError, match="overflow of a pair"):
        tokenizer("the dog runs", "the dog", **WINDOWS, return_offsets_mapping=True)


def test_what_did_not_come_from_text_does_not_know(tokenizer):
    with pytest.raises(ValueError, match="made from ids"):
        tokenizer.prepare_for_model([7, 8]).word_ids()
    with pytest.raises(ValueError, match="ids"):
        tokenizer.encode_plus([7, 8]).word_ids()


@pytest.mark.parametrize("kind", [BertTokenizer, BertTokenizerFast])
@pytest.mark.parametrize("settings", [{}, {"return_tensors": "pt"}, {"return_tensors": "np"}])
def test_a_pickled_encoding_knows_where_its_tokens_came_from(vocab_file, kind, settings):
    tokenizer = kind(vocab_file)
    encoding = tokenizer("hello dogs", **settings)
    again = pickle.loads(pickle.dumps(encoding))
    is_fast = kind is BertTokenizerFast
    assert (encoding.is_fast, again.is_fast) == (is_fast, is_fast)
    assert (encoding.encodings is not None, again.encodings is not None) == (is_fast, is_fast)
    assert again.word_ids() == tokenizer("hello dogs").word_ids()


def test_words_never_to_be_split_have_offsets(vocab_file):
    tokenizer = BertTokenizer(vocab_file, never_split=["a-b"])
    encoding = tokenizer("x a-b c-d", return_offsets_mapping=True)
    assert encoding.offset_mapping == [(0, 0), (0, 1), (2, 5), (6, 7), (7, 8), (8, 9), (0, 0)]
    assert encoding.word_ids() == [None, 0, 1, 2, 3, 4, None]


def test_a_pickled_encoding_that_did_not_come_from_text_still_does_not_know(tokenizer):
    encoding = tokenizer.prepare_for_model([7, 8])
    again = pickle.loads(pickle.dumps(encoding))
    assert again == encoding
    assert again.encodings is None
    with pytest.raises(ValueError, match="made from ids"):
        again.word_ids()


def test_a_row_is_as_long_as_its_tokens(tokenizer):
    rows = [tokenizer(["hello", "the dogs"])[row] for row in (0, 1)]
    assert [len(row) for row in rows] == [3, 5]
    assert [len(row.tokens) for row in rows] == [3, 5]


def test_text_split_at_a_character_of_its_own_choice_is_plain_text():
    traced = Traced("a b,c", [4, 5, 6, 7, 8])
    assert [part.positions for part in traced.split()] == [[4], [6, 7, 8]]
    for parts in (traced.split(","), traced.split(sep=",")):
        assert parts == ["a b", "c"]
        assert not any(isinstance(part, Traced) for part in parts)


def test_every_look_up_of_the_second_text_of_any_row(tokenizer):
    encoding = tokenizer([("the", "a b"), ("dogs", "the world")])
    row = encoding.tokens(1)
    assert row == ["[CLS]", "dog", "##s", "[SEP]", "the", "world", "[SEP]"]
    assert encoding.word_to_tokens(1, 1, 1) == TokenSpan(5, 6)
    assert encoding.word_to_chars(1, 1, 1) == CharSpan(4, 9)
    assert encoding.char_to_token(1, 4, 1) == 5
    assert encoding.char_to_word(1, 4, 1) == 1
    assert (encoding.char_to_token(1, 3, 1), encoding.char_to_word(1, 3, 1), encoding.word_to_chars(1, 2, 1)) == (
        None,
    ) * 3
    assert encoding.word_to_tokens(1, 0) == TokenSpan(1, 3)
    assert encoding.word_to_chars(1, 0) == CharSpan(0, 4)
    assert encoding.char_to_token(1, 3) == 2
    assert (encoding.token_to_sequence(1, 5), encoding.token_to_word(1, 5)) == (1, 1)
    assert encoding.token_to_chars(1, 5) == CharSpan(4, 9)
    assert encoding.token_to_chars(1, 3) is None
    assert encoding[1].sequence_ids == encoding.sequence_ids(1) == [None, 0, 0, None, 1, 1, None]
    assert encoding[1].word_ids == encoding.word_ids(1) == [None, 0, 0, None, 0, 1, None]


def test_the_state_of_an_encoding_has_its_attributes_and_no_others(tokenizer):
    for encoding in (tokenizer("hello"), tokenizer.prepare_for_model([7, 8])):
        state = encoding.__getstate__()
        assert state.keys() == vars(encoding).keys()
        assert state["data"] == encoding.data
    assert [each.tokens for each in tokenizer("hello").__getstate__()["_encodings"]] == [["[CLS]", "hello", "[SEP]"]]
    assert state["_encodings"] is None


def test_text_knows_its_characters_after_a_replacement_of_one_by_one_only():
    traced = Traced("a-b-", [3, 4, 5, 6])
    same = traced.replace("-", "+", 1)
    assert (same, same.positions) == ("a+b-", [3, 4, 5, 6])
    for other in (traced.replace("-", "--"), traced.replace("-b", "c"), traced.replace("-", "")):
        assert not isinstance(other, Traced)
