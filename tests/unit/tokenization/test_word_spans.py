"""Where words of a text begin and end: as the tokenizer cuts it, marks and format characters with their word."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from minibert.tasks import TaggedSentence
from minibert.tokenization import BertTokenizer
from minibert.tokenization.alignment import word_spans
from tests.unit.tasks.tiny_tokenizer import tiny_tokenizer


def words_of(text: str, tokenizer: BertTokenizer | None = None) -> list[str]:
    return [text[start:end] for start, end in word_spans(text, tokenizer.steps() if tokenizer else None)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("नमस्ते दुनिया।", ["नमस्ते", "दुनिया", "।"]),  # Hindi, its full stop
        ("বাংলা ভাষা", ["বাংলা", "ভাষা"]),
        ("සිංහල ශ්‍රී", ["සිංහල", "ශ්\u200dරී"]),  # Sinhala, with a zero-width joiner
        ("မြန်မာ ဘာသာ", ["မြန်မာ", "ဘာသာ"]),
        ("כָּל־הָאָרֶץ", ["כָּל", "־", "הָאָרֶץ"]),  # Hebrew: maqaf is punctuation
        ("كِتَابٌ\u200f،", ["كِتَابٌ\u200f", "،"]),  # a mark of direction goes with the word before it
        ("می\u200cروم نمی\u200cدانم", ["می\u200cروم", "نمی\u200cدانم"]),
        ("e\u0301te\u0301 n\u0303u", ["e\u0301te\u0301", "n\u0303u"]),
        ("Donau\u00addampf\u00ad schiff", ["Donau\u00addampf\u00ad", "schiff"]),
        ("👩\u200d💻 ok ❤\ufe0f", ["👩\u200d💻", "ok", "❤\ufe0f"]),
        ("‼\ufe0f #\ufe0f\u20e3", ["‼\ufe0f", "#\ufe0f\u20e3"]),  # signs with a variation selector
        ("葛\U000e0100城市", ["葛\U000e0100", "城", "市"]),
        ("他在東京，タワーへ。", ["他", "在", "東", "京", "，", "タワーへ", "。"]),  # kana are no ideographs
        ("서울에서 온 사람", ["서울에서", "온", "사람"]),
        ("don't 3.14 a-b U.S.", ["don", "'", "t", "3", ".", "14", "a", "-", "b", "U", ".", "S", "."]),
        ("x\u200by \u200b z\x00", ["x\u200by", "z"]),
        (" \t\n", []),
    ],
)
def test_words_are_the_tokenizer_s_and_marks_stay_with_them(text: str, words: list[str]) -> None:
    assert words_of(text) == words
    assert list(TaggedSentence.of_text(text).words) == words


def test_a_mark_without_a_word_before_it_is_no_word() -> None:
    assert words_of(" \u0301a") == ["a"]


def test_the_settings_of_the_tokenizer_are_kept() -> None:
    text = "他在 东京."
    assert words_of(text, tiny_tokenizer()) == ["他", "在", "东", "京", "."]
    assert words_of(text, tiny_tokenizer(tokenize_chinese_chars=False)) == ["他在", "东京", "."]
    assert words_of(text, tiny_tokenizer(do_basic_tokenize=False)) == ["他在", "东京."]
    assert words_of("a [MASK] b [SEP]", tiny_tokenizer()) == ["a", "[MASK]", "b", "[SEP]"]
    tokenizer = tiny_tokenizer()
    tokenizer.add_tokens(["<e1>"])
    assert words_of("see <e1>Cat", tokenizer) == ["see", "<e1>", "Cat"]


@pytest.mark.parametrize("lower", [True, False])
def test_a_text_and_its_words_have_the_same_pieces(lower: bool) -> None:
    tokenizer = tiny_tokenizer(do_lower_case=lower)
    for text in ("İstanbul’da Ünlü", "Zoe\u0308 sat, un\u00adable", "the cat\u200c. \u0301ran", "他說hi"):
        assert tokenizer.tokenize(text) == [
            piece for word in words_of(text, tokenizer) for piece in tokenizer.tokenize(word)
        ]


@given(st.text(alphabet=st.sampled_from("ab \u0301\u200c\u00ad.中é\ufe0fह\u093f\n\x00"), max_size=12))
def test_spans_point_into_the_text_in_order_and_leave_out_only_what_no_word_has(text: str) -> None:
    spans, left, last = word_spans(text), "", 0
    for start, end in spans:
        assert last <= start < end
        left, last = left + text[last:start], end
    assert not set(left + text[last:]) & set("ab.中éह")


def test_a_tokenizer_that_loses_its_places_is_refused() -> None:
    tokenizer = tiny_tokenizer()
    tokenizer.basic_tokenizer.tokenize = lambda *_, **__: ["made", "up"]  # type: ignore[method-assign]
    with pytest.raises(ValueError, match="does not say where 'made' came from"):
        word_spans("a b", tokenizer.steps())
