"""PEFT puts adapters into a model of minibert where it puts them into transformers' own."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from minibert import BertForSequenceClassification, BertTokenizer
from tests.beside.page import run
from tests.beside.side_by_side import farthest, of_transformers, without_dropout

peft = pytest.importorskip("peft")

TEXTS = ["A fine day.", "A cold, wet day.", "Warm and bright, with a wind from the south.", "Rain and fog."]


def test_the_program_of_the_page_trains_two_matrices_a_layer_and_the_head_and_comes_back() -> None:
    names = run("PEFT")
    trained = {name for name, each in names["lora"].named_parameters() if each.requires_grad}
    assert {name.split(".lora_")[0].split(".")[-1] for name in trained if "lora_" in name} == {"query", "value"}
    assert len([name for name in trained if "lora_" in name]) == 2 * 2 * 4  # A and B, query and value, layers
    again = BertForSequenceClassification.from_pretrained("novels-4l-256h", num_labels=2)
    opened = names["PeftModel"].from_pretrained(again, "my-lora").eval()
    with torch.no_grad():
        expected = names["lora"].eval()(**names["batch"]).logits
        assert torch.equal(opened(**names["batch"]).logits, expected)
        merged = opened.merge_and_unload()
        assert type(merged) is BertForSequenceClassification
        assert farthest(merged(**names["batch"]).logits, expected) < 1e-5


def losses(model: Any, batch: Any, task_type: str | None) -> list[float]:
    torch.manual_seed(5)  # the adapters' first numbers
    settings = {"target_modules": ["query", "value"], "modules_to_save": ["classifier"], "lora_dropout": 0.0}
    lora = peft.get_peft_model(model, peft.LoraConfig(r=4, task_type=task_type, **settings))
    optimizer = torch.optim.AdamW(lora.parameters(), lr=1e-3)
    found = []
    for _ in range(20):
        loss = lora(**batch, labels=torch.tensor([1, 0, 1, 0])).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        found.append(loss.item())
    return found


@pytest.mark.parametrize("task_type", [None, "SEQ_CLS"])
def test_its_losses_are_those_over_transformers_own_model(task_type: str | None) -> None:
    ours = without_dropout(BertForSequenceClassification.from_pretrained("novels-4l-256h", num_labels=2)).train()
    theirs = without_dropout(of_transformers(ours))
    batch = BertTokenizer.from_pretrained("novels-4l-256h")(TEXTS, padding=True, return_tensors="pt")
    both = [losses(model, batch, task_type) for model in (ours, theirs)]
    assert both[0][-1] < both[0][0] / 2
    assert farthest(*both) < 1e-5
