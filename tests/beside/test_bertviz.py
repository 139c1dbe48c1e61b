"""BertViz draws the attention weights of a model of minibert."""

from __future__ import annotations

import json
import re

import pytest
import torch

from tests.beside.page import run

bertviz = pytest.importorskip("bertviz")


def test_the_drawn_numbers_are_the_models() -> None:
    names = run("BertViz")
    drawn = re.search(r'"attn": (\[\[\[\[.*?\]\]\]\])', names["page"].data)[1]  # all heads; others come behind
    with torch.no_grad():
        attentions = torch.cat(names["model"](**names["inputs"]).attentions)  # (layers, heads, seq, seq)
    torch.testing.assert_close(torch.tensor(json.loads(drawn)), attentions, atol=1e-6, rtol=0)


def test_the_view_of_all_layers_is_drawn_too() -> None:
    names = run("BertViz")
    page = bertviz.model_view(names["model"](**names["inputs"]).attentions, names["tokens"], html_action="return")
    assert '"attn"' in page.data
