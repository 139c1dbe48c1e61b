"""torch.compile with inductor."""

from __future__ import annotations

import shutil

import pytest
import torch

from tests.beside.page import run

pytestmark = pytest.mark.skipif(not (shutil.which("g++") or shutil.which("clang++")), reason="inductor needs a C++ compiler")


def test_the_compiled_model_gives_the_models_numbers_for_other_shapes_too() -> None:
    names = run("torch.compile")
    for texts in (["He shook his [MASK].", "No."], ["She opened the [MASK] and went out.", "No.", "A ship."]):
        inputs = names["tokenizer"](texts, padding=True, return_tensors="pt")
        with torch.no_grad():
            found, expected = (each(**inputs) for each in (names["compiled"], names["model"]))
        assert type(found) is type(expected)
        assert float((found.logits - expected.logits).abs().max()) < 1e-4 * float(expected.logits.abs().max())


def test_it_trains() -> None:
    names = run("torch.compile")
    inputs = names["tokenizer"](["He shook his [MASK]."], return_tensors="pt")
    gradients = []
    for each in (names["model"], names["compiled"]):
        names["model"].zero_grad()
        each(**inputs, labels=inputs.input_ids).loss.backward()
        gradients.append(names["model"].bert.encoder.layer[0].attention.self.query.weight.grad.clone())
    torch.testing.assert_close(*gradients, atol=1e-5, rtol=1e-3)
