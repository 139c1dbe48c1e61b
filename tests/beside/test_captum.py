"""Captum attributes a score of a model of minibert to its tokens."""

from __future__ import annotations

import pytest
import torch

from tests.beside.page import run

pytest.importorskip("captum")


def test_attributions_add_up_to_the_difference_of_the_two_scores() -> None:
    names = run("Captum")
    with torch.no_grad():
        difference = names["score"](names["ids"]) - names["score"](names["nothing"])
    assert names["attributions"].shape == names["ids"].shape
    assert float(difference.abs().min()) > 1
    assert float((names["attributions"].sum(dim=-1) - difference).abs().max()) < 1e-4
    words = names["tokenizer"].convert_ids_to_tokens(names["ids"][0])
    assert words[int(names["attributions"][0].argmax())] == "shook"
