"""`max_len`, as the longest sequence was called at first, and files of another tokenizer's class."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from minibert import AutoTokenizer
from minibert.checkpoints import CheckpointError
from minibert.tokenization import BertTokenizer, BertTokenizerFast

CLASSES = [BertTokenizer, BertTokenizerFast]


def configure(folder: Path, name: str = "tokenizer_config", **values: Any) -> Path:
    (folder / f"{name}.json").write_text(json.dumps(values))
    return folder


@pytest.mark.parametrize("tokenizer_class", CLASSES)
class TestMaxLen:
    @pytest.mark.parametrize(
        ("in_file", "given", "expected"),
        [
            ({"max_len": 8}, {}, 8),
            ({}, {"max_len": 8}, 8),
            ({"model_max_length": 16}, {"max_len": 8}, 8),
            ({"max_len": 16}, {"model_max_length": 8}, 8),
            ({"max_len": 16, "model_max_length": 8}, {}, 8),
            ({"max_len": 8, "model_max_length": None}, {}, 8),
            ({"max_len": 16}, {"max_len": 8}, 8),
            ({"max_len": 8}, {"max_len": None}, 8),
            ({"max_len": None}, {}, int(1e30)),
            ({"max_len": 1e30}, {}, int(1e30)),
            ({}, {"max_len": np.int64(8)}, 8),
        ],
    )
    def test_it_is_the_longest_sequence(
        self, tokenizer_class: type, vocab_file: Path, in_file: dict[str, Any], given: dict[str, Any], expected: int
    ) -> None:
        tokenizer = tokenizer_class.from_pretrained(configure(vocab_file.parent, **in_file), **given)
        assert tokenizer.model_max_length == expected
        if expected == 8:
            assert len(tokenizer("dog " * 20, truncation=True)["input_ids"]) == 8

    def test_it_is_saved_under_its_new_name(self, tokenizer_class: type, vocab_file: Path, tmp_path: Path) -> None:
        tokenizer_class(vocab_file, max_len=8).save_pretrained(tmp_path / "saved")
        config = json.loads((tmp_path / "saved" / "tokenizer_config.json").read_text())
        assert (config["model_max_length"], "max_len" in config) == (8, False)
        assert tokenizer_class.from_pretrained(tmp_path / "saved").model_max_length == 8

    @pytest.mark.parametrize("wrong", ["512", 0, -1, [8], "long"])
    @pytest.mark.parametrize("name", ["max_len", "model_max_length"])
    def test_what_is_no_length_is_refused(self, tokenizer_class: type, vocab_file: Path, name: str, wrong: Any) -> None:
        with pytest.raises(ValueError, match=r"model_max_length = .* must be a number of tokens"):
            tokenizer_class(vocab_file, **{name: wrong})
        with pytest.raises(ValueError, match=r"model_max_length = .* must be a number of tokens"):
            tokenizer_class.from_pretrained(configure(vocab_file.parent, **{name: wrong}))

    @pytest.mark.parametrize("name", ["do_lower_case", "strip_accents", "tokenize_chinese_chars", "clean_text"])
    def test_a_switch_given_as_text_is_refused(self, tokenizer_class: type, vocab_file: Path, name: str) -> None:
        with pytest.raises(ValueError, match=f"{name} = 'false' is text. It must be true, false or a number"):
            tokenizer_class.from_pretrained(configure(vocab_file.parent, **{name: "false"}))


@pytest.mark.parametrize("use_fast", [False, True])
def test_the_auto_class_takes_it_too(vocab_file: Path, use_fast: bool) -> None:
    assert AutoTokenizer.from_pretrained(vocab_file.parent, use_fast=use_fast, max_len=8).model_max_length == 8


OTHERS = [
    "BertJapaneseTokenizer",
    "BertweetTokenizer",
    "DistilBertTokenizer",
    "RobertaTokenizerFast",
    "MPNetTokenizer",
    "MyTokenizer",
]


@pytest.mark.parametrize("tokenizer_class", CLASSES)
class TestAnotherClass:
    @pytest.mark.parametrize("other", OTHERS)
    @pytest.mark.parametrize("file", ["tokenizer_config", "config"])
    def test_its_files_open_with_a_warning_that_names_it(
        self, tokenizer_class: type, vocab_file: Path, file: str, other: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        tokenizer_class.from_pretrained(configure(vocab_file.parent, file, tokenizer_class=other))
        [record] = caplog.records
        assert record.levelno == logging.WARNING
        assert f"are those of a {other}, and are opened as a {tokenizer_class.__name__}" in record.getMessage()

    @pytest.mark.parametrize(
        "own", ["BertTokenizer", "BertTokenizerFast", "PreTrainedTokenizerFast", "TokenizersBackend", None]
    )
    @pytest.mark.parametrize("file", ["tokenizer_config", "config"])
    def test_its_own_files_open_in_silence(
        self, tokenizer_class: type, vocab_file: Path, file: str, own: str | None, caplog: pytest.LogCaptureFixture
    ) -> None:
        tokenizer_class.from_pretrained(configure(vocab_file.parent, file, tokenizer_class=own))
        assert caplog.records == []

    def test_the_tokenizers_own_word_counts_before_the_models(
        self, tokenizer_class: type, vocab_file: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        configure(vocab_file.parent, "config", tokenizer_class="BertJapaneseTokenizer")
        tokenizer_class.from_pretrained(configure(vocab_file.parent, tokenizer_class="BertTokenizer"))
        assert caplog.records == []

    def test_a_class_of_ones_own_opens_its_files_in_silence(
        self, tokenizer_class: type, vocab_file: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        own = type("MyTokenizer", (tokenizer_class,), {})
        own.from_pretrained(configure(vocab_file.parent, tokenizer_class="MyTokenizer"))
        assert caplog.records == []


def test_roles_that_nobody_knows_in_special_tokens_map_are_passed_over(vocab_file: Path) -> None:
    configure(vocab_file.parent, "special_tokens_map", image_token="<image>", vocab_file="x")
    assert BertTokenizer.from_pretrained(vocab_file.parent).mask_token == "[MASK]"


@pytest.mark.parametrize("file", ["tokenizer_config", "special_tokens_map"])
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("never_split", 5),
        ("never_split", "dog"),
        ("model_input_names", "input_ids"),
        ("additional_special_tokens", True),
        ("additional_special_tokens", ["<x>", 5]),
        ("bos_token", 5),
        ("mask_token", ["[MASK]"]),
        ("unk_token", {"content": 5}),
    ],
)
def test_a_setting_of_another_kind_is_refused_by_name(vocab_file: Path, file: str, name: str, value: Any) -> None:
    with pytest.raises(CheckpointError, match=f"{name} is .*, and should be (a|a list of) text"):
        BertTokenizer.from_pretrained(configure(vocab_file.parent, file, **{name: value}))
