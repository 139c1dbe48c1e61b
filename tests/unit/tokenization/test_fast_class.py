"""`BertTokenizerFast`, which `AutoTokenizer` opens: where it does as the era's Rust tokenizer did, and the Python class does not.

That they are the era's own results, all of them, is shown by tests/parity/recorded/fast_tokenizer.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from minibert import AutoTokenizer
from minibert.tokenization import AddedToken, BertTokenizer, BertTokenizerFast
from tests.unit.tokenization.conftest import PIECES

VOCAB = {piece: index for index, piece in enumerate([*PIECES, "cat", "é", "no", "##thing", "do", "not"])}


@pytest.fixture
def fast() -> BertTokenizerFast:
    return BertTokenizerFast(VOCAB)


@pytest.mark.parametrize(
    ("tokens", "answer", "python_s"),
    [
        ("over 32 +", "over 32 +", "over 32 +"),
        ("general - purpose architectures", "general - purpose architectures", "general - purpose architectures"),
        ("tensor ##flow 2 . 0 and p ##yt ##or ##ch", "tensorflow 2. 0 and pytorch", "tensorflow 2 . 0 and pytorch"),
        ("what ? no ! well , yes .", "what? no! well, yes.", "what ? no ! well , yes ."),
        ("don ' t we ' ve it ' s", "don't we've it's", "don ' t we ' ve it ' s"),
        ("i do n't", "i don't", "i do n't"),
        ("i do not", "i don't", "i do not"),
        ("i do nothing", "i don'thing", "i do nothing"),
        ("[CLS] a [SEP] .", "[CLS] a [SEP].", "[CLS] a [SEP] ."),
        ("##s ##s a", "##ss a", "##ss a"),
    ],
)
def test_the_course_s_answers_are_printed_as_it_prints_them(
    fast: BertTokenizerFast, tokens: str, answer: str, python_s: str
) -> None:
    assert fast.convert_tokens_to_string(tokens.split()) == answer
    assert BertTokenizer(VOCAB).convert_tokens_to_string(tokens.split()) == python_s


def test_auto_tokenizer_prints_them_too(vocab_file: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(vocab_file.parent)
    ids = tokenizer("Hello, 2.0 and you!")["input_ids"]
    assert tokenizer.convert_tokens_to_string(tokenizer.convert_ids_to_tokens(ids[1:-1])) == "hello, 2. 0 and you!"
    plain = AutoTokenizer.from_pretrained(vocab_file.parent, use_fast=False)
    assert plain.convert_tokens_to_string(plain.convert_ids_to_tokens(ids[1:-1])) == "hello , 2 . 0 and you !"


def test_decoding_closes_gaps_whether_asked_to_or_not(fast: BertTokenizerFast) -> None:
    fast.add_tokens(["<e>"])
    ids = fast("hello, you <e>.")["input_ids"]
    for clean in (True, False):
        for between in (True, False):
            options = {"clean_up_tokenization_spaces": clean, "spaces_between_special_tokens": between}
            assert fast.decode(ids, **options) == "[CLS] hello, you <e>. [SEP]"
    assert fast.decode(ids, skip_special_tokens=True) == "hello, you <e>."


@pytest.mark.parametrize(
    ("first", "second", "longest", "expected"),
    [
        ("a b c", "a b c", 6, ("a", "a b")),  # of two as long, the second
        ("a b c d", "a b c", 6, ("a b", "a")),
        ("a b c", "a b c d", 6, ("a", "a b")),
        ("a", "a b c d", 6, ("a", "a b")),
        ("a b c d", "a", 6, ("a b", "a")),
        ("a b c", "a b c", 3, ("", "")),
    ],
)
def test_the_longer_text_of_a_pair_keeps_the_odd_token(
    fast: BertTokenizerFast, first: str, second: str, longest: int, expected: tuple[str, str]
) -> None:
    row = fast(first, second, truncation=True, max_length=longest)
    kept = tuple(
        " ".join(t for t, of in zip(row.tokens(), row.sequence_ids(), strict=True) if of == side) for side in (0, 1)
    )
    assert kept == expected


def test_without_special_tokens_the_second_text_is_segment_1_still(fast: BertTokenizerFast) -> None:
    assert fast("a b", "c", add_special_tokens=False)["token_type_ids"] == [0, 0, 1]
    assert BertTokenizer(VOCAB)("a b", "c", add_special_tokens=False)["token_type_ids"] == [0, 0, 0]


def test_length_counts_the_padding(fast: BertTokenizerFast) -> None:
    assert fast(["a", "a b"], padding=True, return_length=True)["length"] == [4, 4]
    assert fast("a", return_length=True)["length"] == [3]
    assert fast("a", return_length=True, return_tensors="np")["length"].tolist() == [3]


@pytest.mark.parametrize(
    ("texts", "options", "message"),
    [
        (("a b c", "d"), {"truncation": "only_second", "max_length": 5}, "cannot cut 2 tokens off a text of 1"),
        (("a b c", "d e f"), {"truncation": "only_first", "max_length": 5}, "cannot cut 4 tokens off a text of 3"),
        (("a b c", None), {"truncation": "only_second", "max_length": 4}, "this text is alone"),
        (("a b c", None), {"truncation": True, "max_length": 1}, "cannot cut 4 tokens"),
        (
            ("a b c", "d e"),
            {"truncation": True, "max_length": 4, "return_overflowing_tokens": True},
            "room for 0 tokens of this text in each window",
        ),
        (
            ("a b c d", None),
            {"truncation": True, "max_length": 4, "stride": 2, "return_overflowing_tokens": True},
            "must be more than stride=2",
        ),
    ],
)
def test_a_cut_that_is_impossible_is_an_error_that_names_the_place(
    fast: BertTokenizerFast, texts: tuple[str, str | None], options: dict[str, object], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        fast(*texts, **options)
    if texts[1]:
        with pytest.raises(ValueError, match=f"Item 1 of the batch: .*{message}"):
            fast([("", ""), texts], **options)


def test_windows_of_both_texts_of_a_pair_stand_beside_one_another(fast: BertTokenizerFast) -> None:
    made = fast("a b c d", "e f g", truncation=True, max_length=7, return_overflowing_tokens=True)
    assert [fast.decode(row, skip_special_tokens=True) for row in made["input_ids"]] == [
        *("a b e f", "c d e f", "c d g"),
        "a b g",
    ]
    assert made["overflow_to_sample_mapping"] == [0, 0, 0, 0]
    assert [made.sequence_ids(row).count(1) for row in range(4)] == [2, 2, 1, 1]


@pytest.mark.parametrize(
    ("token", "found", "not_found"),
    [
        ("NewWord", "newword NEWWORD anewword", "new word"),
        ("naive", "naïve NAÏVE naive", "naiv"),
        ("中文", "中文a", "中 文"),
        (AddedToken("cats", single_word=True), "cats Cats. (cats)", "catss acats _cats cats2 cats\u0301s"),
        (AddedToken("<E>", normalized=False), "<E> a<E>", "<e>"),
    ],
)
def test_an_added_token_is_looked_for_in_the_text_s_normal_form(
    fast: BertTokenizerFast, token: str | AddedToken, found: str, not_found: str
) -> None:
    assert fast.add_tokens([token]) == 1
    index = fast.convert_tokens_to_ids(str(token))
    assert index == len(VOCAB)
    assert all(index in fast(text)["input_ids"] for text in found.split())
    assert index not in fast(not_found)["input_ids"]
    text = f"dog {found}"
    encoding = fast(text, return_offsets_mapping=True)
    start, end = next(
        span for span, i in zip(encoding["offset_mapping"], encoding["input_ids"], strict=True) if i == index
    )
    assert fast(text[start:end])["input_ids"][1:-1] == [index]


def test_a_special_token_is_found_as_it_stands_and_not_in_another_case(fast: BertTokenizerFast) -> None:
    fast.add_special_tokens({"additional_special_tokens": ["<e1>", "NEW"]})
    assert fast.tokenize("<e1>NEW<E1>new")[:2] == ["<e1>", "NEW"]
    assert not {"<e1>", "NEW"} & set(fast.tokenize("<E1> new"))
    cased = BertTokenizerFast(VOCAB, do_lower_case=False, strip_accents=True)
    assert "[MASK]" not in cased.tokenize("[MA\u0301SK]")


def test_a_letter_with_its_mark_is_of_a_word(fast: BertTokenizerFast) -> None:
    fast.add_tokens([AddedToken("<e>x", single_word=True)], special_tokens=True)
    assert "<e>x" in fast.tokenize("<e>x.")
    assert "<e>x" not in fast.tokenize("<e>x\u0301.")


@pytest.mark.parametrize(("lstrip", "rstrip", "span"), [(0, 0, (3, 6)), (1, 0, (1, 6)), (0, 1, (3, 8)), (1, 1, (1, 8))])
def test_a_token_takes_the_spaces_along_that_it_was_told_to(
    fast: BertTokenizerFast, lstrip: int, rstrip: int, span: tuple[int, int]
) -> None:
    fast.add_tokens([AddedToken("<e>", lstrip=bool(lstrip), rstrip=bool(rstrip))])
    assert fast("a  <e>  b", return_offsets_mapping=True)["offset_mapping"][2] == span


def test_of_tokens_that_begin_together_the_longest_is_found(fast: BertTokenizerFast) -> None:
    fast.add_tokens(["<e", "<e>", "<e><e", "catdog"])
    assert fast.tokenize("<e><e>") == ["<e><e", ">"]
    fast.add_tokens(["<e><e>"])
    assert fast.tokenize("<e><e><e> catdogs") == ["<e><e>", "<e>", "catdog", "s"]


def test_a_token_made_special_later_is_looked_for_as_it_stands(fast: BertTokenizerFast) -> None:
    fast.add_tokens(["<e>"])
    assert fast.tokenize("<E>") == ["<e>"]
    fast.add_tokens(["<e>"], special_tokens=True)
    assert (fast.tokenize("<E>"), fast.tokenize("<e>")) == (["<", "e", ">"], ["<e>"])


def test_tokens_of_no_form_change_nothing() -> None:
    fast = BertTokenizerFast(VOCAB)
    fast.add_tokens(["\u0301"])  # stripped as an accent, it stands in no text
    assert fast.tokenize("e\u0301 dog") == ["e", "dog"]


@pytest.mark.slow
def test_ten_thousand_added_tokens_are_found_in_a_long_text_without_ado(fast: BertTokenizerFast) -> None:
    fast.add_tokens([f"tok{number}x" for number in range(10_000)])
    text = "tok12x tok tok99999 dog " * 2000
    assert fast(text)["input_ids"].count(fast.convert_tokens_to_ids("tok12x")) == 2000
