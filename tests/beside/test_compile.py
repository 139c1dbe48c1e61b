"""torch.compile with inductor."""

from __future__ import annotations

import shutil

import pytest
import torch

from minibert import BertConfig, BertForSequenceClassification
from tests.beside.page import run

pytestmark = pytest.mark.skipif(
    not (shutil.which("g++") or shutil.which("clang++")), reason="inductor needs a C++ compiler"
)


def test_the_compiled_model_gives_the_models_numbers_for_other_shapes_too() -> None:
    names = run("torch.compile")
    for texts in (["He shook his [MASK].", "No."], ["She opened the [MASK] and went out.", "No.", "A ship."]):
        inputs = names["tokenizer"](texts, padding=True, return_tensors="pt")
        with torch.no_grad():
            found, expected = (each(**inputs) for each in (names["compiled"], names["model"]))
        assert type(found) is type(expected)
        assert float((found.logits - expected.logits).abs().max()) < 1e-4 * float(expected.logits.abs().max())


def test_a_compiled_model_trains() -> None:
    sizes = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 4, "intermediate_size": 64}
    model = BertForSequenceClassification(BertConfig(vocab_size=99, **sizes)).eval()
    ids, labels, gradients = torch.arange(14).view(2, 7), torch.tensor([0, 1]), []
    for each in (model, torch.compile(model)):
        model.zero_grad()
        each(ids, labels=labels).loss.backward()
        gradients.append(model.get_input_embeddings().weight.grad.clone())
    torch.testing.assert_close(*gradients, atol=1e-6, rtol=1e-4)
