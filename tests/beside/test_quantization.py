"""Dynamic quantization of the linear layers."""

from __future__ import annotations

import pytest
import torch

from tests.beside.page import run

pytestmark = [
    pytest.mark.skipif(
        not set(torch.backends.quantized.supported_engines) - {"none"}, reason="PyTorch has no quantized kernels here"
    ),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


def test_every_linear_layer_is_quantized_and_the_most_probable_word_stays() -> None:
    names = run("Quantization")
    kinds = {type(module) for module in names["small"].modules()}
    assert torch.nn.Linear not in kinds
    assert torch.ao.nn.quantized.dynamic.Linear in kinds
    blank = names["inputs"].input_ids[0].tolist().index(names["tokenizer"].mask_token_id)
    with torch.no_grad():
        expected = names["model"](**names["inputs"]).logits[0, blank].argmax()
    assert names["tokenizer"].convert_ids_to_tokens([int(names["logits"][0, blank].argmax())]) == ["head"]
    assert int(expected) == int(names["logits"][0, blank].argmax())
