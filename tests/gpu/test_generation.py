"""Words behind a prompt, recorded as a CUDA graph: those of the model's own forward."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings, strategies as st
from torch import Tensor

from minibert import BertConfig, BertLMHeadModel
from minibert.fast.one_token import OneTokenNetwork
from tests.gpu.numbers import on_gpu

searches = st.sampled_from([{}, {"num_beams": 3}, {"num_beams": 2, "num_return_sequences": 2}, {"do_sample": True}])
positions = st.sampled_from(["absolute", "absolute", "absolute", "relative_key"])


def decoder(seed: int = 0, **fields: Any) -> BertLMHeadModel:
    torch.manual_seed(seed)
    sizes = {"vocab_size": 40, "hidden_size": 16, "intermediate_size": 24, "max_position_embeddings": 64}
    config = {**sizes, "num_hidden_layers": 2, "num_attention_heads": 4, "is_decoder": True, "initializer_range": 0.5}
    return BertLMHeadModel(BertConfig(**{**config, **fields})).cuda().eval()


def generated(model: BertLMHeadModel, ids: Tensor, *, fast: bool, **options: Any) -> Tensor:
    noise = torch.Generator("cuda").manual_seed(1) if options.get("do_sample") else None
    return model.generate(ids, fast=fast, generator=noise, eos_token_id=3, pad_token_id=0, **options)


@given(st.integers(0, 1000), searches, positions, st.booleans(), st.sampled_from(["no", "yes", "not counted"]))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_recorded_words_are_those_of_the_models_forward(
    seed: int, search: dict[str, Any], way: str, crosses: bool, padded: str
) -> None:
    model = decoder(seed, position_embedding_type=way, add_cross_attention=crosses)
    ids = torch.randint(4, 40, (3, 5), device="cuda")
    options = {"max_new_tokens": 20, **search}
    if padded != "no":
        options["attention_mask"] = (torch.arange(5) >= torch.tensor([[2], [0], [1]])).long().cuda()
        options["positions_from_mask"] = padded == "not counted" and way == "absolute"
    if crosses:
        seen = (torch.arange(6) < torch.tensor([[6], [2], [4]])).long()
        options |= on_gpu({"encoder_hidden_states": torch.randn(3, 6, 16), "encoder_attention_mask": seen})
    found, expected = (generated(model, ids, fast=fast, **options) for fast in (True, False))
    assert torch.equal(found, expected)


def test_the_network_runs_for_two_words_and_is_replayed_for_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[Tensor] = []
    network = OneTokenNetwork.__call__
    monkeypatch.setattr(
        OneTokenNetwork, "__call__", lambda self, tokens: called.append(tokens) or network(self, tokens)
    )
    model, ids = decoder(), torch.ones(2, 3, dtype=torch.long, device="cuda")
    model.generate(ids, max_new_tokens=20, fast=True)
    assert len(called) == 2


def test_weights_that_change_between_two_texts_are_seen() -> None:
    model, ids = decoder(), torch.ones(1, 3, dtype=torch.long, device="cuda")
    before = generated(model, ids, fast=True, max_new_tokens=30)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(-1.5)
    found, expected = (generated(model, ids, fast=fast, max_new_tokens=30) for fast in (True, False))
    assert torch.equal(found, expected)
    assert not torch.equal(found, before)
