"""BasicTokenizer, WordpieceTokenizer and Trie, each on its own."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from minibert.tokenization import AddedToken, BasicTokenizer, BertTokenizer, WordpieceTokenizer, load_vocab
from minibert.tokenization.vocabulary import Vocabulary
from minibert.tokenization.wordpiece import Trie
from minibert.tokenization.words import is_chinese, is_control, is_punctuation, is_whitespace


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Hello, World!", ["hello", ",", "world", "!"]),
        ("don't $5 a_b", ["don", "'", "t", "$", "5", "a", "_", "b"]),
        ("Café Cafe\u0301 ÜBER", ["cafe", "cafe", "uber"]),
        ("你好 a你b", ["你", "好", "a", "你", "b"]),
        ("zero\u200bwidth nul\x00l bell\x07 soft\u00adhyphen", ["zerowidth", "null", "bell", "softhyphen"]),
        ("a\x0bb a\x85b a\x1cb", ["ab", "ab", "ab"]),
        ("a\xa0b\u2003c\u3000d\te\nf\rg\u2028h", list("abcdefgh")),
        ("lone\ud800 surrogate \ufffd", ["lone", "surrogate"]),
        ("かな 한", ["かな", "\u1112\u1161\u11ab"]),
        ("", []),
        (" \t\u200b", []),
    ],
)
def test_words_of_an_uncased_tokenizer(text, words):
    assert BasicTokenizer().tokenize(text) == words


def test_a_cased_tokenizer_keeps_case_and_accents():
    assert BasicTokenizer(do_lower_case=False).tokenize("Café, ÜBER") == ["Café", ",", "ÜBER"]


@pytest.mark.parametrize(
    ("lower", "strip", "word"),
    [(True, None, "e"), (True, False, "é"), (False, None, "É"), (False, True, "E"), (True, True, "e")],
)
def test_accents_follow_lower_casing_unless_told_otherwise(lower, strip, word):
    assert BasicTokenizer(do_lower_case=lower, strip_accents=strip).tokenize("É") == [word]


def test_ideographs_stay_together_when_asked():
    assert BasicTokenizer(tokenize_chinese_chars=False).tokenize("你好") == ["你好"]


def test_words_never_to_be_split_stay_whole_and_keep_their_case():
    basic = BasicTokenizer(never_split=["Won't"])
    assert basic.tokenize("Won't won't") == ["Won't", "won", "'", "t"]
    assert basic.tokenize("Won't [Ab]", never_split=["[Ab]"]) == ["Won't", "[Ab]"]
    assert basic.tokenize("[Ab]") == ["[", "ab", "]"]


PIECES = {"un", "##aff", "##able", "una", "##ffable", "a", "##t"}


@pytest.mark.parametrize(
    ("word", "pieces"),
    [
        ("unaffable", ["una", "##ffable"]),
        ("unt", ["un", "##t"]),
        ("unable", ["[UNK]"]),  # una leaves ##ble, and there is no way back to un ##able
        ("a un", ["a", "un"]),
        ("xyz", ["[UNK]"]),
        ("", []),
    ],
)
def test_the_longest_piece_wins_and_a_word_is_spelled_whole_or_not_at_all(word, pieces):
    assert WordpieceTokenizer(PIECES, "[UNK]").tokenize(word) == pieces


def test_a_word_of_more_than_a_hundred_characters_is_unknown():
    pieces = WordpieceTokenizer({"a", "##a"}, "[UNK]")
    assert pieces.tokenize("a" * 100) == ["a", *["##a"] * 99]
    assert pieces.tokenize("a" * 101) == ["[UNK]"]
    assert WordpieceTokenizer({"a", "##a"}, "?", max_input_chars_per_word=2).tokenize("aa aaa") == ["a", "##a", "?"]


@pytest.mark.parametrize(
    ("tokens", "text", "parts"),
    [
        (["[MASK]"], "an [MASK] egg[MASK]", ["an ", "[MASK]", " egg", "[MASK]"]),
        (["[MASK]"], "[MASK", ["[MASK"]),
        (["[MASK]"], "[[MASK]]", ["[", "[MASK]", "]"]),
        (["ab", "abc"], "xabcd", ["x", "abc", "d"]),
        (["abc", "bcd"], "abcd", ["abc", "d"]),
        (["a", "bc", "abcd"], "abce", ["a", "bc", "e"]),
        (["abcd", "b"], "abcd", ["abcd"]),
        (["abd", "b"], "abcde", ["abcd", "e"]),  # the reference's oddity: abd failed at c, and is taken up at d
        ([""], "text", ["text"]),
        ([], "", []),
    ],
)
def test_text_is_cut_around_the_first_and_longest_token(tokens, text, parts):
    assert Trie(tokens).split(text) == parts


def test_one_id_is_decoded_whatever_holds_it(tokenizer):
    (index,) = tokenizer.convert_tokens_to_ids(["dog"])
    for one in (index, torch.tensor(index), np.int64(index), [index], torch.tensor([index]), np.array([index])):
        assert tokenizer.decode(one) == "dog"


def test_a_vocabulary_that_is_not_there_is_named_with_what_to_give(tmp_path):
    advice = r"Give the path of a vocab\.txt, or load a folder or a published model with from_pretrained\.$"
    with pytest.raises(ValueError, match=rf"^There is no vocabulary file at '.*none\.txt'\. {advice}"):
        load_vocab(tmp_path / "none.txt")


def test_a_role_gives_its_token_and_its_id(tokenizer, caplog):
    tokenizer.add_special_tokens({"additional_special_tokens": ["<E>", "<F>"], "bos_token": AddedToken("<B>")})
    assert (tokenizer.cls_token, tokenizer.bos_token, tokenizer.eos_token) == ("[CLS]", "<B>", None)
    assert [(record.name, record.levelname, record.getMessage()) for record in caplog.records] == [
        ("minibert.tokenization.vocabulary", "ERROR", "The tokenizer has no eos_token yet: set it before using it.")
    ]
    assert tokenizer.additional_special_tokens == ["<E>", "<F>"]
    size = len(tokenizer)
    assert (tokenizer.cls_token_id, tokenizer.eos_token_id, tokenizer.bos_token_id) == (2, None, size - 1)
    assert tokenizer.additional_special_tokens_ids == [size - 3, size - 2]
    caplog.clear()
    tokenizer.verbose = False
    assert tokenizer.eos_token is None
    assert not caplog.records


def test_every_kind_of_space_becomes_a_plain_one_and_control_characters_go():
    assert BasicTokenizer().clean("a\tb\u00a0c\u3000d\ne\rf\x00g\ufffdh\u200bi\x07j") == "a b c d e fghij"


def test_an_id_between_pieces_is_the_unknown_token_or_nothing():
    made = BertTokenizer({"[UNK]": 0, "a": 2}, pad_token=None, cls_token=None, sep_token=None, mask_token=None)
    assert made.convert_ids_to_tokens([0, 1, 2]) == ["[UNK]", "[UNK]", "a"]
    made.unk_token = None
    assert made.convert_ids_to_tokens([0, 1, 2]) == ["[UNK]", "", "a"]
    for beyond in (3, -1):
        with pytest.raises(ValueError, match=f"^{beyond} is the id of no token"):
            made.convert_ids_to_tokens([beyond])


@pytest.mark.parametrize("vocab", [{"[UNK]": 0}, {"[UNK]": 0, "a": 1}])
def test_beyond_the_last_id_there_is_no_token(vocab):
    made = BertTokenizer(vocab, pad_token=None, cls_token=None, sep_token=None, mask_token=None)
    last = len(vocab) - 1
    with pytest.raises(ValueError, match=rf"^{last + 1} is the id of no token: the last one is {last}\."):
        made.convert_ids_to_tokens(last + 1)
    assert made.convert_ids_to_tokens(last) == list(vocab)[-1]


def test_ideographs_are_those_of_eight_blocks_from_their_first_to_their_last():
    blocks = [(0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x2A6DF), (0x2A700, 0x2B73F)]
    blocks += [(0x2B740, 0x2B81F), (0x2B820, 0x2CEAF), (0x2F800, 0x2FA1F)]
    inside = {code for first, last in blocks for code in (first, first + 1, last - 1, last)}
    around = {code for first, last in blocks for code in (first - 1, last + 1)} - inside
    assert all(is_chinese(chr(code)) for code in inside)
    assert not any(is_chinese(chr(code)) for code in around)


def test_punctuation_is_all_of_ascii_that_is_no_letter_digit_or_space_and_unicodes():
    ascii_marks = {chr(code) for code in range(33, 127) if not chr(code).isalnum()}
    assert {chr(code) for code in range(128) if is_punctuation(chr(code))} == ascii_marks
    assert all(is_punctuation(char) for char in "、。「」—…¿«")
    assert not any(is_punctuation(char) for char in "é你½€\u00a0")


def test_spaces_and_control_characters_are_told_apart():
    assert all(is_whitespace(char) for char in " \t\n\r\u00a0\u3000\u2003")
    assert not any(is_whitespace(char) for char in "a\u200b\x0b\x00\u2028")
    assert all(is_control(char) for char in "\x00\x07\x0b\u200b\u202e\ue000")
    assert not any(is_control(char) for char in "\t\n\r a\u00a0")


def test_a_token_with_settings_has_none_unless_they_are_given():
    expected = {
        "content": "x",
        "single_word": False,
        "lstrip": False,
        "rstrip": False,
        "normalized": True,
        "special": False,
    }
    assert vars(AddedToken("x")) == expected


def test_padding_is_seen_by_nothing_and_special(tokenizer):
    columns = {"return_special_tokens_mask": True, "return_offsets_mapping": True}
    row = tokenizer(["a", "the dog"], padding=True, **columns)
    assert row.input_ids[0][3:] == [0]
    assert row.attention_mask[0] == [1, 1, 1, 0]
    assert row.special_tokens_mask[0] == [1, 0, 1, 1]
    assert row.offset_mapping[0] == [(0, 0), (0, 1), (0, 0), (0, 0)]
    assert row.token_type_ids[0] == [0, 0, 0, 0]


def test_a_vocabulary_speaks_up_unless_it_is_told_not_to():
    assert Vocabulary({"a": 0}, [None] * 7 + [None]).verbose is True
    assert Vocabulary({"a": 0}, [None] * 7 + [None], verbose=False).verbose is False


def test_marks_go_in_whatever_order_they_stand_and_only_marks():
    basic = BasicTokenizer()
    below, above, enclosing, ring = "\u0323", "\u0301", "\u20dd", "\u034f"  # the last two are in no order
    for marked in (f"a{below}{above}", f"a{above}{below}", f"á{below}", "ạ́"):
        assert basic.normalize(marked) == "a"
    assert basic.normalize(f"a{enclosing}b") == f"a{enclosing}b"
    assert basic.normalize(f"É{ring}x") == "ex"
    assert BasicTokenizer(strip_accents=False).normalize("É") == "é"
