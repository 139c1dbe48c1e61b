"""`train_new_from_iterator`: a tokenizer of the same class and settings, with a vocabulary from other texts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from minibert import BertTokenizer, BertTokenizerFast
from minibert.tokenization import AddedToken, train_wordpiece

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
TEXTS = ["the zebra sat", "zebras and the zebra", "a zebra, the Zoo.", "É É accents"] * 10


def old(**settings: Any) -> Any:
    vocab = {piece: index for index, piece in enumerate([*SPECIAL, "dog", "##s", "[ENT]"])}
    return BertTokenizerFast(vocab, **settings)


def test_words_of_the_texts_become_pieces() -> None:
    new = old().train_new_from_iterator([TEXTS], vocab_size=80)
    assert type(new) is BertTokenizerFast
    assert new.tokenize("zebra zebras") == ["zebra", "zebras"]
    assert new.tokenize("dog")[0] != "dog"
    assert (new.vocab_size, list(new.vocab)[:5]) == (len(new), SPECIAL)


def test_pieces_are_those_of_train_wordpiece(tmp_path: Path) -> None:
    (tmp_path / "texts.txt").write_text("\n".join(TEXTS), encoding="utf-8")
    expected = train_wordpiece([tmp_path / "texts.txt"], 60, min_frequency=0)
    assert list(old().train_new_from_iterator([TEXTS], vocab_size=60).vocab) == expected


@pytest.mark.parametrize(
    "given",
    [
        lambda: [TEXTS],
        lambda: TEXTS,
        lambda: (TEXTS[i : i + 7] for i in range(0, len(TEXTS), 7)),
        lambda: iter(TEXTS),
        lambda: [tuple(TEXTS[:9]), TEXTS[9:]],
        lambda: ["\n".join(TEXTS)],
    ],
)
def test_texts_may_come_one_by_one_or_in_batches(given: Callable[[], Any]) -> None:
    assert old().train_new_from_iterator(given(), 60).vocab == old().train_new_from_iterator([TEXTS], 60).vocab


@pytest.mark.parametrize(
    ("settings", "text", "expected"),
    [
        ({"do_lower_case": False}, "Zoo", "Zoo"),
        ({"strip_accents": False}, "É", "é"),
        ({"do_basic_tokenize": False}, "zebra,", "zebra,"),
        ({"do_lower_case": True}, "ZOO", "zoo"),
    ],
)
def test_settings_are_kept(settings: dict[str, Any], text: str, expected: str) -> None:
    new = old(**settings).train_new_from_iterator([TEXTS], vocab_size=120)
    assert new.tokenize(text) == [expected]


def test_lengths_sides_and_inputs_are_kept() -> None:
    kept = {"model_max_length": 9, "padding_side": "left", "model_input_names": ["input_ids"]}
    new = old(**kept, max_input_chars_per_word=4).train_new_from_iterator([TEXTS], 60)
    assert {name: getattr(new, name) for name in kept} == kept
    assert new.tokenize("zebra") == ["[UNK]"]


def test_special_tokens_are_kept_and_found_in_text() -> None:
    tokenizer = old(additional_special_tokens=["[ENT]"], mask_token=AddedToken("[MASK]", lstrip=True))
    tokenizer.add_tokens(["<Q>"], special_tokens=True)
    tokenizer.add_tokens(["plain"])
    new = tokenizer.train_new_from_iterator([TEXTS], 80)
    assert list(new.vocab)[:7] == [*SPECIAL, "[ENT]", "<Q>"]
    assert new.special_tokens_map_extended == tokenizer.special_tokens_map_extended
    assert new.tokenize("zebra[ENT]<Q>[MASK].")[:4] == ["zebra", "[ENT]", "<Q>", "[MASK]"]
    assert "plain" not in new.get_vocab()


def test_special_tokens_can_be_added_and_renamed() -> None:
    names = {"[MASK]": "<mask>", "[CLS]": "<s>"}
    new = old().train_new_from_iterator([TEXTS], 80, ["<new>", AddedToken("<N>")], special_tokens_map=names)
    assert (new.mask_token, new.cls_token, new.additional_special_tokens) == ("<mask>", "<s>", ["<new>", "<N>"])
    assert list(new.vocab)[:7] == ["[PAD]", "[UNK]", "<s>", "[SEP]", "<mask>", "<new>", "<N>"]
    assert new("zebra <N>.")["input_ids"][0] == new.cls_token_id
    assert "<N>" in new.tokenize("zebra<N>.")


def test_it_comes_back_from_a_save(tmp_path: Path) -> None:
    new = old().train_new_from_iterator([TEXTS], 80, ["<N>"])
    new.save_pretrained(tmp_path)
    opened = BertTokenizerFast.from_pretrained(tmp_path)
    assert [opened(text)["input_ids"] for text in [*TEXTS, "<N>[MASK]"]] == [
        new(t)["input_ids"] for t in [*TEXTS, "<N>[MASK]"]
    ]


def test_options_of_the_trainer() -> None:
    rare = old().train_new_from_iterator([["unique zebra zebra"]], 100, min_frequency=2, show_progress=False)
    assert rare.tokenize("zebra") == ["zebra"]
    assert len(rare.tokenize("unique")) > 1
    assert old().train_new_from_iterator([["aab b", "a z"]], 100, limit_alphabet=2).tokenize("z") == ["[UNK]"]


@pytest.mark.parametrize(
    ("texts", "options", "error", "message"),
    [
        ("one text", {}, ValueError, "takes texts, such as"),
        ([], {}, ValueError, "nothing to learn from"),
        ([[" "]], {}, ValueError, "nothing to learn from"),
        ([TEXTS], {"vocab_size": 6}, ValueError, "more than size=6"),
        (
            [TEXTS],
            {"special_tokens_map": {"[mask]": "<m>"}},
            ValueError,
            r"names '\[mask\]', which is none of the special",
        ),
        ([TEXTS], {"initial_alphabet": ["a"]}, TypeError, "initial_alphabet"),
        ([TEXTS], {"continuing_subword_prefix": "@@"}, TypeError, "continuing_subword_prefix"),
    ],
)
def test_what_cannot_be_done_is_said(texts: Any, options: dict[str, Any], error: type, message: str) -> None:
    with pytest.raises(error, match=message):
        old().train_new_from_iterator(texts, **{"vocab_size": 60, **options})


def test_the_python_class_has_no_such_method_as_in_the_reference() -> None:
    assert not hasattr(BertTokenizer, "train_new_from_iterator")
