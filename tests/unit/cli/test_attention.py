"""`minibert attention`: one head's attention as a picture or as JSON."""

from pathlib import Path

import pytest
import torch

from minibert import BertModel, BertTokenizer
from tests.unit.cli.running import json_of, output_of, run
from tests.unit.tiny_bert import BUNDLED

TEXT = "He shook his [MASK]."


def test_each_piece_is_a_row_that_ends_with_where_it_looks_most() -> None:
    title, columns, *rows, legend = output_of("attention", TEXT, "--layer", "3", "--head", "1").splitlines()
    assert title == f"layer 3, head 1 of {BUNDLED}: each row attends to the columns"
    assert columns.split() == [str(i) for i in range(7)]
    assert [row.split()[1] for row in rows] == ["[CLS]", "he", "shook", "his", "[MASK]", ".", "[SEP]"]
    answer = json_of("attention", TEXT, "--layer", "3", "--head", "1")
    for row, weights in zip(rows, answer["attention"], strict=True):
        best = max(range(7), key=lambda column: weights[column])
        assert row.endswith(f"→ {answer['tokens'][best]} {weights[best]:.0%}")
    assert "blank < 5%" in legend


def test_json_holds_the_models_probabilities() -> None:
    answer = json_of("attention", TEXT, "--layer", "2", "--head", "3")
    assert (answer["layer"], answer["head"]) == (2, 3)
    inputs = BertTokenizer.from_pretrained(BUNDLED)(TEXT, return_tensors="pt")
    with torch.no_grad():
        expected = BertModel.from_pretrained(BUNDLED)(**inputs, output_attentions=True).attentions[2][0, 3]
    torch.testing.assert_close(torch.tensor(answer["attention"]), expected, rtol=0, atol=1e-6)
    assert [sum(row) for row in answer["attention"]] == pytest.approx([1.0] * 7, abs=1e-5)


def test_the_first_head_of_the_first_layer_is_the_default() -> None:
    assert json_of("attention", TEXT) == json_of("attention", TEXT, "--layer", "0", "--head", "0")
    assert json_of("attention", TEXT) != json_of("attention", TEXT, "--head", "1")


def test_heads_keep_their_numbers_when_others_are_pruned(tmp_path: Path) -> None:
    model = BertModel.from_pretrained(BUNDLED)
    model.prune_heads({0: [1]})
    model.save_pretrained(tmp_path)
    BertTokenizer.from_pretrained(BUNDLED).save_pretrained(tmp_path)
    left = json_of("attention", TEXT, "--head", "2", "--model", str(tmp_path))
    assert left["head"] == 2
    torch.testing.assert_close(
        torch.tensor(left["attention"]), torch.tensor(json_of("attention", TEXT, "--head", "2")["attention"])
    )
    pruned = run("attention", TEXT, "--head", "1", "--model", str(tmp_path))
    assert (pruned.exit_code, pruned.stdout) == (2, "")
    assert "Head 1 of layer 0 was pruned; 0, 2, 3 are left." in pruned.stderr
