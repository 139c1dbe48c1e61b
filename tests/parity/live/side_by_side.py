"""The same weights and the same input in minibert and in the installed transformers, and how far apart they come out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import torch
import transformers
from torch import Tensor, nn

import minibert

LIMIT = 1e-5
"""The largest difference allowed, in float32, for any number of any output or gradient."""

SEEN: dict[str, float] = {}
"""Test and tensor → the difference met, of every comparison so far."""

TINY: dict[str, Any] = {
    "vocab_size": 99,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 37,
    "max_position_embeddings": 24,
}
BATCH, SEQ, ENCODER_SEQ = 4, 9, 7
PATHS = ("eager", "sdpa")


def configs(path: str, **fields: Any) -> tuple[minibert.BertConfig, transformers.BertConfig]:
    """The same tiny config in both libraries, with the same attention path."""
    values = {**TINY, **fields, "attn_implementation": path}
    return minibert.BertConfig(**values), transformers.BertConfig(**values)


def draw_every_parameter(module: nn.Module) -> None:
    """Replace fresh weights, many of them 0 or 1, by numbers that all differ: a swapped pair cannot hide."""
    generator = torch.Generator().manual_seed(0)
    for parameter in module.parameters():
        scale, shift = (0.3, 0.0) if parameter.dim() == 2 else (0.2, 0.5)
        parameter.data = torch.randn(parameter.shape, generator=generator) * scale + shift


def without_position_ids(state_dict: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A state dict as today's transformers has it: the counter 0, 1, 2, … is no longer part of it."""
    return {name: tensor for name, tensor in state_dict.items() if not name.endswith("position_ids")}


def share_weights(ours: nn.Module, theirs: nn.Module) -> None:
    """Draw minibert's parameters and hand them over; the names must be equal."""
    draw_every_parameter(ours)
    theirs.load_state_dict(without_position_ids(ours.state_dict()), strict=True)


def model_pair(class_name: str, path: str, **fields: Any) -> tuple[Any, Any]:
    """One class from both libraries with the same weights, in evaluation mode."""
    ours_config, theirs_config = configs(path, **fields)
    ours = getattr(minibert, class_name)(ours_config)
    theirs = getattr(transformers, class_name)(theirs_config)
    share_weights(ours, theirs)
    return ours.eval(), theirs.eval()


def text_batch() -> dict[str, Tensor]:
    """Ids, segments and a mask with rows of different lengths, one of them with a gap."""
    generator = torch.Generator().manual_seed(1)
    mask = torch.ones(BATCH, SEQ, dtype=torch.long)
    mask[1, 6:] = 0
    mask[2, 1:] = 0
    mask[3, 3:5] = 0
    return {
        "input_ids": torch.randint(1, TINY["vocab_size"], (BATCH, SEQ), generator=generator),
        "token_type_ids": torch.randint(0, 2, (BATCH, SEQ), generator=generator),
        "attention_mask": mask,
    }


def encoder_batch() -> dict[str, Tensor]:
    """What a decoder attends to beside its own text."""
    mask = torch.ones(BATCH, ENCODER_SEQ, dtype=torch.long)
    mask[0, 4:] = 0
    return {"encoder_hidden_states": vectors(ENCODER_SEQ), "encoder_attention_mask": mask}


def vectors(length: int, width: int = TINY["hidden_size"], seed: int = 2) -> Tensor:
    """(batch, length, width) numbers of the size that hidden states have."""
    return torch.randn(BATCH, length, width, generator=torch.Generator().manual_seed(seed))


def named_tensors(outputs: Any) -> dict[str, Tensor]:
    """The tensors of an output object by key, of a tuple by position; caches as keys and values, layer by layer."""
    if isinstance(outputs, Tensor):
        return {"0": outputs}
    items = outputs.items() if hasattr(outputs, "items") else ((str(i), value) for i, value in enumerate(outputs))
    return {name: tensor for key, value in items for name, tensor in _flatten(key, value)}


def _flatten(name: str, value: Any) -> Iterator[tuple[str, Tensor]]:
    if isinstance(value, transformers.EncoderDecoderCache):
        pairs = zip(value.self_attention_cache.layers, value.cross_attention_cache.layers, strict=True)
        value = [(own.keys, own.values, cross.keys, cross.values) for own, cross in pairs]
    elif isinstance(value, transformers.DynamicCache):
        value = [(layer.keys, layer.values) for layer in value.layers]
    if isinstance(value, Tensor):
        yield name, value.detach()
    elif value is not None:
        for i, item in enumerate(value):
            yield from _flatten(f"{name}.{i}", item)


def compare_gradients(where: str, ours: nn.Module, theirs: nn.Module) -> None:
    """Every gradient of theirs is ours under the same name, and no parameter of ours has one that was not compared."""
    found, expected = gradients(ours), gradients(theirs)
    assert expected
    compare(where, {name: found[name] for name in found if name in expected}, expected)
    # One tensor may have two names here and be two tensors there, of which only one is used.
    compared = {id(found[name]) for name in expected}
    assert not [name for name, gradient in found.items() if id(gradient) not in compared]


def gradients(module: nn.Module) -> dict[str, Tensor]:
    """Name → gradient, a tied parameter under each of its names."""
    named = module.named_parameters(remove_duplicate=False)
    return {f"gradient of {name}": parameter.grad for name, parameter in named if parameter.grad is not None}


def compare(where: str, found: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> None:
    """The same names, shapes and dtypes, and no number further apart than `LIMIT`."""
    assert found.keys() == expected.keys()
    too_far = {}
    for name, tensor in expected.items():
        assert (found[name].shape, found[name].dtype) == (tensor.shape, tensor.dtype), name
        assert torch.isfinite(found[name]).all(), name
        difference = float((found[name] - tensor).detach().abs().max())
        SEEN[f"{where}: {name}"] = difference
        if difference > LIMIT:
            too_far[name] = difference
    assert not too_far
