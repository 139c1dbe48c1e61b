"""Added tokens are found in a text as they were meant, by whichever way they came in, and come back from a save."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from minibert.tokenization import AddedToken, BertTokenizer, BertTokenizerFast

VOCAB = {
    piece: index
    for index, piece in enumerate(
        [
            "[PAD]",
            "[UNK]",
            "[CLS]",
            "[SEP]",
            "[MASK]",
            "the",
            "cat",
            "sat",
            "new",
            "dog",
            "##s",
            "[unused1]",
            "[unused2]",
            ".",
            ",",
            "<",
            ">",
            "e",
            "[",
            "]",
            "mask",
            "unused",
            "##1",
            "up",
            "##per",
        ]
    )
}
TEXTS = [
    *("the NEW cat", "the new cat", "the <E> cat", "the <e>cat", "theNEWcat", "NEW.", "a [unused1].", "[UNUSED1] cat"),
    *(
        "the cat[MASK].",
        "new dog news",
        "<E><e>NEW",
        " NEW  new ",
        "É NEW É",
        "[unused2][unused1]",
        "Upper UPPER upper",
    ),
]


def tokenizer(lower: bool, fast: bool = False) -> BertTokenizer:
    made = (BertTokenizerFast if fast else BertTokenizer)(VOCAB, do_lower_case=lower)
    made.sanitize_special_tokens()
    return made


@pytest.mark.parametrize("fast", [False, True])
@pytest.mark.parametrize("lower", [False, True])
@pytest.mark.parametrize(
    ("token", "text"),
    [
        ("NEW", "the NEW cat"),
        ("NEW", "NEW."),
        ("<E>", "the <E>cat"),
        ("[ENT]", "[ENT][MASK]"),
        ("[unused1]", "the [unused1]."),
        ("É", "the É cat"),
        ("Straße", "Straße, the"),
    ],
)
def test_a_special_token_is_found_as_it_stands(token: str, text: str, lower: bool, fast: bool) -> None:
    made = tokenizer(lower, fast)
    made.add_tokens([token], special_tokens=True)
    assert token in made.tokenize(text)
    assert made.convert_tokens_to_ids(token) in made(text)["input_ids"]
    if lower and token != token.lower() and text.isascii():
        assert token not in made.tokenize(text.lower())


@pytest.mark.parametrize("fast", [False, True])
@pytest.mark.parametrize("lower", [False, True])
@pytest.mark.parametrize(
    "add",
    [
        lambda t: t.add_tokens(["NEW", "<E>", "<e>"], special_tokens=True),
        lambda t: t.add_tokens([AddedToken("NEW"), AddedToken("<E>", lstrip=True)], special_tokens=True),
        lambda t: t.add_special_tokens({"additional_special_tokens": ["NEW", "<E>"]}),
        lambda t: t.add_special_tokens({"additional_special_tokens": ["[unused1]"], "mask_token": "NEW"}),
        lambda t: t.add_tokens(["[unused1]", "[unused2]"], special_tokens=True),
        lambda t: (t.add_tokens(["<E>", "[unused1]"], special_tokens=True), t.add_tokens(["upper", "Upper"])),
        lambda t: (t.add_tokens(["NEW", "Upper"]), t.add_tokens(["NEW", "<e>"], special_tokens=True)),
        lambda t: t.add_tokens("<E>"),
        lambda t: t.add_tokens([AddedToken("new", single_word=True), AddedToken("[ENT]", lstrip=True, rstrip=True)]),
        lambda t: t.sanitize_special_tokens(),
    ],
)
def test_what_was_added_comes_back_from_a_save_and_is_found_in_the_same_way(
    add, lower: bool, fast: bool, tmp_path: Path
) -> None:
    made = tokenizer(lower, fast)
    add(made)
    made.save_pretrained(tmp_path)
    found = [made(text, return_offsets_mapping=True) for text in TEXTS]
    for _ in range(2):
        opened = type(made).from_pretrained(tmp_path)
        assert opened.get_vocab() == made.get_vocab()
        assert len(opened) == len(made)
        assert [opened(text, return_offsets_mapping=True) for text in TEXTS] == found
        opened.save_pretrained(tmp_path / "again")
        tmp_path /= "again"


@pytest.mark.parametrize("lower", [False, True])
@pytest.mark.parametrize(
    "add",
    [
        lambda t: t.add_tokens(["NEW", "<E>", "<e>"], special_tokens=True),
        lambda t: t.add_tokens(["covid", "<e>"]),
        lambda t: t.add_special_tokens({"additional_special_tokens": ["[unused1]"], "mask_token": "NEW"}),
    ],
)
def test_either_class_opens_what_the_other_saved(add, lower: bool, tmp_path: Path) -> None:
    """A special token in another case is one to the Python class only, as in the reference."""
    texts = [text for text in TEXTS if "[UNUSED1]" not in text]
    for fast, other in ((False, BertTokenizerFast), (True, BertTokenizer)):
        made = tokenizer(lower, fast)
        add(made)
        made.save_pretrained(tmp_path)
        opened = other.from_pretrained(tmp_path)
        assert opened.get_vocab() == made.get_vocab()
        assert [opened.tokenize(text) for text in texts] == [made.tokenize(text) for text in texts]


def test_a_token_that_is_not_special_is_found_in_any_case_of_lower_cased_text() -> None:
    made = tokenizer(lower=True)
    made.add_tokens(["COVID"])
    assert made.tokenize("COVID Covid covid") == ["covid"] * 3


def test_a_token_whose_lower_case_is_a_piece_keeps_the_id_that_another_program_gave_it(tmp_path: Path) -> None:
    tokenizer(lower=True).save_pretrained(tmp_path)
    (tmp_path / "added_tokens.json").write_text(f'{{"NEW": {len(VOCAB)}, "<x>": {len(VOCAB) + 1}}}')
    opened = BertTokenizer.from_pretrained(tmp_path)
    assert opened.convert_tokens_to_ids(opened.tokenize("NEW new <x>")) == [len(VOCAB), len(VOCAB), len(VOCAB) + 1]


@pytest.mark.parametrize("added", ['{"x": 99}', f'{{"x": {len(VOCAB)}, "y": {len(VOCAB) + 2}}}', '{"x": 3}'])
def test_ids_that_do_not_follow_one_another_are_refused_by_name(added: str, tmp_path: Path) -> None:
    tokenizer(lower=True).save_pretrained(tmp_path)
    (tmp_path / "added_tokens.json").write_text(added)
    with pytest.raises(ValueError, match=r"Added token '[xy]' has id \d+ in the files, where the next free id is \d+"):
        BertTokenizer.from_pretrained(tmp_path)


@pytest.mark.parametrize("text", ["the [MASK].", "[MASK][MASK]", "cat[SEP]dog", "the [CLS],", "(the [UNK])", "[PAD]."])
def test_made_from_a_vocabulary_the_fast_class_finds_special_tokens_beside_other_characters(text: str) -> None:
    by_fast, opened = BertTokenizerFast(VOCAB), tokenizer(lower=True)
    assert by_fast.tokenize(text) == opened.tokenize(text)
    assert set(by_fast.tokenize(text)) & set(by_fast.all_special_tokens)
    assert len(by_fast) == len(VOCAB)


def test_the_python_class_made_from_a_vocabulary_finds_them_between_spaces_as_the_reference_does() -> None:
    made = BertTokenizer(VOCAB)
    assert made.tokenize("the [MASK] cat") == ["the", "[MASK]", "cat"]
    assert made.tokenize("the [MASK].") == ["the", "[", "mask", "]", "."]


def test_a_token_does_not_begin_inside_another_one() -> None:
    made = tokenizer(lower=True)
    made.add_tokens([AddedToken("<E><e", normalized=False), AddedToken("<e>", normalized=False)], special_tokens=True)
    assert made.tokenize("<E><e>") == ["<E><e", ">"]
    assert made.tokenize("<e><E><e><e>") == ["<e>", "<E><e", ">", "<e>"]


def test_where_text_keeps_its_case_an_added_token_does_too() -> None:
    made = tokenizer(lower=False)
    made.add_tokens(["NewWord"])
    assert made.tokenize("the NewWord") == ["the", "NewWord"]
    assert "NewWord" not in made.tokenize("the newword")
    lower = tokenizer(lower=True)
    lower.add_tokens(["NewWord"])
    assert lower.tokenize("the NewWord newword") == ["the", "newword", "newword"]


@pytest.mark.parametrize(
    ("flags", "token"),
    [
        ({"special": True, "normalized": True}, "NeW"),
        ({"special": False, "normalized": False}, "NeW"),
        ({"special": True}, "NeW"),
        ({"normalized": False}, "NeW"),
        ({"special": False, "normalized": True}, "new"),
        ({}, "new"),
    ],
    ids=str,
)
def test_an_added_token_keeps_its_case_if_it_is_special_or_not_normalized(
    flags: dict[str, bool], token: str, tmp_path: Path
) -> None:
    tokenizer(lower=True).save_pretrained(tmp_path)
    described = {"added_tokens_decoder": {str(len(VOCAB)): {"content": "NeW", **flags}}}
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(described))
    opened = BertTokenizer.from_pretrained(tmp_path)
    assert opened.get_added_vocab() == {token: len(VOCAB)}
    assert opened.tokenize("the NeW cat").count(token) == 1
