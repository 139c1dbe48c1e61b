"""Trained weights and real English give the numbers of today's transformers.

The limit is 1e-5, for every token of the text. Largest difference seen, with transformers 5.23.0 and PyTorch 2.13.0:
5.3e-6 with MiniLM's eager attention, where one library divides by √32 and the other multiplies by 1/√32; 0.0 with its
fused attention and with the bundled weights on either path, gradients included.

Padding comes out further apart with MiniLM's eager attention, up to 4.3e-5 in one number of a vector that nobody
reads: the network amplifies rounding there, and the reference's own two paths differ as much.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import transformers
from side_by_side import PATHS, compare, compare_gradients, named_tensors
from torch import Tensor
from trained import BUNDLED, MINILM, MODELS, PAIRS, SENTENCES, Trained, english

every_model = pytest.mark.parametrize("trained", MODELS, ids=str)
both_paths = pytest.mark.parametrize("path", PATHS)


def of_the_text(outputs: object, attention_mask: Tensor) -> dict[str, Tensor]:
    """The named tensors, with 0 in place of what padding came to."""
    zeroed = {}
    for name, tensor in named_tensors(outputs).items():
        if name.startswith("attentions"):
            zeroed[name] = tensor * attention_mask[:, None, :, None]  # (batch, heads, seq, keys)
        elif tensor.dim() == 3:
            zeroed[name] = tensor * attention_mask[:, :, None]  # (batch, seq, …)
        else:
            zeroed[name] = tensor  # one vector or score for the sequence
    return zeroed


@pytest.mark.parametrize("folder", [MINILM, BUNDLED], ids=["MiniLM", BUNDLED.name])
def test_the_sentences_become_the_same_ids(folder: Path) -> None:
    theirs = transformers.BertTokenizer.from_pretrained(folder)
    first, second = map(list, zip(*PAIRS, strict=True))
    expected = [theirs(SENTENCES, padding=True), theirs(first, second, padding=True)]
    found = [{name: ids.tolist() for name, ids in batch.items()} for batch in english(folder)]
    assert found == [dict(batch) for batch in expected]


@both_paths
@every_model
def test_every_hidden_state_and_score_is_equal(trained: Trained, path: str) -> None:
    ours, theirs = trained.pair(path)
    with torch.no_grad():
        for i, inputs in enumerate(english(trained.folder)):
            mask = inputs["attention_mask"]
            assert 0 < mask.float().mean() < 1
            found, expected = (
                of_the_text(model(**inputs, output_hidden_states=True), mask) for model in (ours, theirs)
            )
            compare(f"{trained}, {path}, batch {i}", found, expected)


@every_model
def test_every_attention_probability_is_equal(trained: Trained) -> None:
    ours, theirs = trained.pair("eager")
    with torch.no_grad():
        for i, inputs in enumerate(english(trained.folder)):
            mask = inputs["attention_mask"]
            found, expected = (of_the_text(model(**inputs, output_attentions=True), mask) for model in (ours, theirs))
            assert f"attentions.{ours.config.num_hidden_layers - 1}" in found
            compare(f"{trained}, attentions, batch {i}", found, expected)


@both_paths
@every_model
def test_padding_too_stays_close(trained: Trained, path: str) -> None:
    ours, theirs = trained.pair(path)
    with torch.no_grad():
        for inputs in english(trained.folder):
            found, expected = (model(**inputs)[0] for model in (ours, theirs))
            assert float((found - expected).abs().max()) < 1e-3


@both_paths
@every_model
def test_the_distance_to_exact_arithmetic_is_theirs(trained: Trained, path: str) -> None:
    """Neither library's rounding is the better one: both are as far from what float64 gives."""
    ours, theirs = trained.pair(path)
    exact = trained.pair("eager")[1].double()
    with torch.no_grad():
        for inputs in english(trained.folder):
            true = of_the_text(exact(**inputs), inputs["attention_mask"])
            errors = []
            for model in (ours, theirs):
                outputs = of_the_text(model(**inputs), inputs["attention_mask"])
                errors.append(max(float((outputs[name] - true[name]).abs().max()) for name in true))
            assert errors[0] < 3 * errors[1]
            assert errors[0] < 1e-4


@both_paths
def test_the_loss_and_every_gradient_are_equal(path: str) -> None:
    ours, theirs = Trained(BUNDLED, "BertForPreTraining").pair(path)
    _, inputs = english(BUNDLED)
    hidden = torch.rand(inputs["input_ids"].shape, generator=torch.Generator().manual_seed(0)) < 0.3
    hidden &= inputs["attention_mask"] == 1
    labels = inputs["input_ids"].masked_fill(~hidden, -100)
    inputs["input_ids"] = inputs["input_ids"].masked_fill(hidden, 4)  # [MASK]
    outputs = [model(**inputs, labels=labels, next_sentence_label=torch.tensor([0, 1, 0])) for model in (ours, theirs)]
    compare(f"{path}, loss", *map(named_tensors, outputs))
    for output in outputs:
        output.loss.backward()
    compare_gradients(f"{path}, training", ours, theirs)
