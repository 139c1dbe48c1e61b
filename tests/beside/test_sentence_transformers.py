"""sentence-transformers opens what minibert saves."""

from __future__ import annotations

import pytest
import torch

from tests.beside.page import run

pytest.importorskip("sentence_transformers")

TEXTS = [
    "He shook his head.",
    "A ship under full sail.",
    "No.",
    "It was the best of times, it was the worst of times. " * 30,
]


def test_its_vectors_are_the_means_of_the_models() -> None:
    names = run("sentence-transformers")
    model = names["BertModel"].from_pretrained("my-bert")
    inputs = names["BertTokenizer"].from_pretrained("my-bert")(
        TEXTS, padding=True, truncation=True, max_length=256, return_tensors="pt"
    )
    with torch.no_grad():
        mask = inputs.attention_mask[..., None]
        means = (model(**inputs).last_hidden_state * mask).sum(dim=1) / mask.sum(dim=1)
    found = names["vectors"].encode(TEXTS, convert_to_tensor=True)
    assert float((found - means).abs().max()) < 1e-5
