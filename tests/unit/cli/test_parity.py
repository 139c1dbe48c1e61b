"""`minibert parity`, where the reference is another checkpoint or is not there. Beside transformers: `tests/parity/live`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from minibert import BertForMultipleChoice, BertForPreTraining
from tests.unit.cli.running import json_of, output_of, run
from tests.unit.tiny_bert import BUNDLED, tiny

DENSE = "bert.encoder.layer.2.output.dense"


@pytest.fixture
def changed(tmp_path: Path) -> str:
    """The bundled model with one number changed."""
    model = BertForPreTraining.from_pretrained(BUNDLED)
    model.get_submodule(DENSE).weight.data[0, 0] += 0.5
    model.save_pretrained(tmp_path)
    return str(tmp_path)


@pytest.mark.seconds
def test_a_model_agrees_with_itself_to_the_bit() -> None:
    text = output_of("parity", "--reference", BUNDLED, "--tolerance", "0")
    assert text.splitlines()[0] == f"a: BertForPreTraining of {BUNDLED}, minibert"
    assert "stages agree to the bit" in text


def test_a_difference_ends_in_exit_code_1_and_is_named(changed: str) -> None:
    result = run("parity", changed, "--reference", BUNDLED)
    assert (result.exit_code, result.stderr) == (1, "")
    assert f"{DENSE} is the first stage that diverges" in result.stdout
    assert "Its parameters differ: weight by 0.5" in result.stdout


def test_the_tolerance_decides(changed: str) -> None:
    assert run("parity", changed, "--reference", BUNDLED, "--tolerance", "1000").exit_code == 0


def test_json_holds_every_stage() -> None:
    answer = json_of("parity", "--reference", BUNDLED, "--text", "He shook his [MASK].", "--text", "No.")
    assert (answer["agrees"], answer["largest"], answer["first"]) == (True, 0.0, None)
    [row] = [row for row in answer["stages"] if row["path"] == DENSE]
    assert row["outputs"] == row["gradients"] == {"absolute": 0.0, "relative": 0.0, "ulp": 0.0}


def test_the_rows_are_the_choices_where_a_model_chooses(tmp_path: Path) -> None:
    tiny(BertForMultipleChoice, max_position_embeddings=8).save_pretrained(tmp_path)
    assert json_of("parity", str(tmp_path), "--reference", str(tmp_path))["agrees"]


def test_without_the_reference_library_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "transformers", None)
    result = run("parity")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("Error: The reference library, transformers, is not installed")
    assert "minibert-pytorch[parity]" in result.stderr
    assert result.stderr.count("\n") == 1


def test_json_has_null_for_a_difference_without_a_number(tmp_path: Path) -> None:
    for name, size in (("a", 37), ("b", 41)):
        tiny(BertForPreTraining, intermediate_size=size).save_pretrained(tmp_path / name)
    result = run("parity", str(tmp_path / "a"), "--reference", str(tmp_path / "b"), "--json")
    answer = json.loads(result.stdout, parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))
    assert answer["largest"] is None


@pytest.mark.parametrize("tolerance", ["-1", "nan", "inf"])
def test_a_tolerance_with_which_nothing_is_compared_is_refused(tolerance: str) -> None:
    result = run("parity", "--tolerance", tolerance)
    assert result.exit_code == 2
    assert "--tolerance" in result.stderr
