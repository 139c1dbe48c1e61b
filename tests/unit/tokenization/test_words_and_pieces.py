"""BasicTokenizer, WordpieceTokenizer and Trie, each on its own."""

from __future__ import annotations

import pytest

from minibert.tokenization import BasicTokenizer, WordpieceTokenizer
from minibert.tokenization.wordpiece import Trie


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
