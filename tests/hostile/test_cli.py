"""Users' mistakes on the command line: one line that helps, the right exit code, never a traceback."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from minibert import BertForMaskedLM, BertLMHeadModel, BertModel, BertTokenizer
from tests.unit.cli.running import run
from tests.unit.tiny_bert import BUNDLED, tiny

BLANK = "He shook his [MASK]."


def mistake(*arguments: str) -> str:
    """The one line with which a command refuses, with exit code 1 and nothing on standard output."""
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (1, ""), result.output
    assert result.stderr.startswith("Error: ")
    assert result.stderr.count("\n") == 1
    assert "Traceback" not in result.output
    return result.stderr.removeprefix("Error: ").rstrip()


def misuse(*arguments: str) -> str:
    """What a wrongly used command says, with exit code 2: how it is used, and one line on what was wrong."""
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (2, ""), result.output
    usage, _, error = result.stderr.partition("\n\nError: ")
    assert usage.startswith("Usage: minibert")
    assert error.count("\n") == 1
    assert "Traceback" not in result.output
    return error.rstrip()


@pytest.fixture
def bare(tmp_path: Path) -> str:
    """A folder with the bundled model's body and tokenizer, but no head."""
    BertModel.from_pretrained(BUNDLED).save_pretrained(tmp_path)
    BertTokenizer.from_pretrained(BUNDLED).save_pretrained(tmp_path)
    return str(tmp_path)


class TestTexts:
    def test_a_text_without_a_blank_is_told_how_to_write_one(self) -> None:
        assert mistake("fill-mask", "He shook his head.") == (
            "The text has no blank. Write [MASK] where a word is missing: 'He shook his [MASK].'"
        )

    @pytest.mark.parametrize("command", ["fill-mask", "attention"])
    def test_a_text_longer_than_the_positions_is_refused_with_both_numbers(self, command: str) -> None:
        line = mistake(command, "[MASK] " + "word " * 300)
        assert line.endswith(" has 303 tokens, but this model knows 256 positions: shorten the text.")

    def test_a_line_longer_than_the_positions_is_named(self, tmp_path: Path) -> None:
        (tmp_path / "lines.txt").write_text("[MASK]\n[MASK] " + "word " * 300)
        line = mistake("fill-mask", "--file", str(tmp_path / "lines.txt"))
        assert line.startswith(f"'{tmp_path / 'lines.txt'}', line 2 has 303 tokens, ")


class TestModels:
    @pytest.mark.parametrize("command", [["fill-mask", BLANK, "--model"], ["tokenize", BLANK, "--model"], ["inspect"]])
    def test_a_folder_that_does_not_exist_is_named(self, command: list[str], tmp_path: Path) -> None:
        line = mistake(*command, str(tmp_path / "nowhere"))
        assert line.startswith(f"{tmp_path / 'nowhere'}: no such folder.")
        assert BUNDLED in line

    @pytest.mark.parametrize("command", ["fill-mask", "tokenize", "attention"])
    def test_an_empty_folder_is_named(self, command: str, tmp_path: Path) -> None:
        assert str(tmp_path) in mistake(command, BLANK, "--model", str(tmp_path))

    def test_a_model_without_the_masked_word_head_is_refused(self, bare: str) -> None:
        line = mistake("fill-mask", BLANK, "--model", bare)
        assert line == f"{bare} was not trained to predict words: it has no masked-word head."

    def test_a_decoder_is_refused_where_a_blank_is_to_be_filled_in(self, tmp_path: Path) -> None:
        BertLMHeadModel.from_pretrained(BUNDLED, is_decoder=True).save_pretrained(tmp_path)
        BertTokenizer.from_pretrained(BUNDLED).save_pretrained(tmp_path)
        line = mistake("fill-mask", BLANK, "--model", str(tmp_path))
        assert line.startswith(f"{tmp_path} is a decoder: it was trained to continue a text")

    def test_a_model_of_another_kind_is_refused_by_its_name(self, tmp_path: Path) -> None:
        (tmp_path / "config.json").write_text(json.dumps({"model_type": "gpt2"}))
        assert "model_type is 'gpt2'" in mistake("inspect", str(tmp_path))

    def test_a_broken_config_is_named_with_the_place(self, tmp_path: Path) -> None:
        (tmp_path / "config.json").write_text('{"vocab_size": 99, "hidden_size" 8}')
        line = mistake("inspect", str(tmp_path))
        assert "config.json: not JSON in UTF-8 (" in line
        assert "line 1 column 34" in line

    def test_a_truncated_file_is_named(self, bare: str) -> None:
        file = Path(bare) / "model.safetensors"
        file.write_bytes(file.read_bytes()[:1000])
        assert f"{file}: not a safetensors file, or a truncated or damaged one" in mistake(
            "attention", BLANK, "--model", bare
        )

    def test_weights_that_are_no_numbers_are_refused_by_name(self, tmp_path: Path) -> None:
        BertTokenizer.from_pretrained(BUNDLED).save_pretrained(tmp_path)
        BertForMaskedLM.from_pretrained(BUNDLED).save_pretrained(tmp_path)
        tensors = load_file(tmp_path / "model.safetensors")
        tensors["cls.predictions.bias"][3] = float("nan")
        save_file(tensors, tmp_path / "model.safetensors", metadata={"format": "pt"})
        assert "cls.predictions.bias of" in mistake("fill-mask", BLANK, "--model", str(tmp_path))

    def test_a_model_whose_numbers_overflow_is_refused(self, tmp_path: Path) -> None:
        BertTokenizer.from_pretrained(BUNDLED).save_pretrained(tmp_path)
        model = BertForMaskedLM.from_pretrained(BUNDLED)
        model.bert.encoder.layer[0].output.dense.weight.data.fill_(3e38)
        model.save_pretrained(tmp_path)
        line = mistake("fill-mask", BLANK, "--model", str(tmp_path))
        assert line.startswith(f"The numbers of {tmp_path} overflow: ")

    def test_a_vocabulary_larger_than_the_models_is_refused_with_the_place(self, tmp_path: Path) -> None:
        tiny(BertForMaskedLM).save_pretrained(tmp_path)
        BertTokenizer.from_pretrained(BUNDLED).save_pretrained(tmp_path)
        assert "but the vocabulary has 99 entries" in mistake("fill-mask", BLANK, "--model", str(tmp_path))


class TestOptions:
    @pytest.mark.parametrize("option", [["--layer", "4"], ["--head", "4"], ["--layer", "99", "--head", "99"]])
    def test_a_layer_or_head_that_does_not_exist_is_told_which_do(self, option: list[str]) -> None:
        assert misuse("attention", BLANK, *option) == f"{BUNDLED} has layers 0 to 3 and heads 0 to 3."

    @pytest.mark.parametrize(
        ("arguments", "complaint"),
        [
            (["fill-mask"], "Give a TEXT with a [MASK] in it, or a --file"),
            (["fill-mask", BLANK, "--top-k", "0"], "0 is not in the range x>=1"),
            (["fill-mask", BLANK, "--top-k", "many"], "'many' is not a valid integer"),
            (["fill-mask", BLANK, "--colour", "red"], "No such option"),
            (["attention", BLANK, "--layer", "-1"], "-1 is not in the range x>=0"),
            (["tokenize", "one", "two"], "Got unexpected extra argument (two)"),
            (["explore", BLANK, "--out", ""], "Invalid value for '--out': The name is empty."),
            (["data", "prepare", "text.txt", "--out", ""], "Invalid value for '--out': The name is empty."),
            (["generate", BLANK, "--seed", "99999999999999999999"], "99999999999999999999 is not in the range 0<=x<="),
            (["pretrain", "--data", "corpus", "--seed", "-1"], "-1 is not in the range 0<=x<="),
            (["fill-masks", BLANK], "No such command 'fill-masks'"),
        ],
    )
    def test_a_wrong_use_is_answered_with_the_right_one(self, arguments: list[str], complaint: str) -> None:
        assert complaint in misuse(*arguments)


def program(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "minibert", *arguments]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)


@pytest.mark.seconds
def test_outside_of_pytest_a_model_without_the_head_is_refused_in_one_line(tmp_path: Path) -> None:
    BertModel.from_pretrained(BUNDLED).save_pretrained(tmp_path)
    BertTokenizer.from_pretrained(BUNDLED).save_pretrained(tmp_path)
    result = program("fill-mask", "He shook his [MASK].", "--model", str(tmp_path))
    assert result.returncode == 1
    assert result.stderr.count("\n") == 1, result.stderr


@pytest.mark.slow
def test_outside_of_pytest_a_text_too_long_is_refused_in_one_line() -> None:
    result = program("fill-mask", "[MASK] " + "word " * 300)
    assert result.returncode == 1
    assert result.stderr.count("\n") == 1, result.stderr


@pytest.mark.slow
def test_sizes_that_disagree_are_refused_in_one_line(tmp_path: Path) -> None:
    tiny(BertModel).save_pretrained(tmp_path)
    tensors = load_file(tmp_path / "model.safetensors")
    tensors["pooler.dense.bias"] = torch.zeros(3)
    save_file(tensors, tmp_path / "model.safetensors", metadata={"format": "pt"})
    result = program("inspect", str(tmp_path))
    assert result.returncode == 1
    assert result.stderr.count("\n") == 1, result.stderr
