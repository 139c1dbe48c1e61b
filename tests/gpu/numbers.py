"""A model's outputs, loss and gradients, wherever it computed them, and how close two such lists must be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from side_by_side import gradients, named_tensors
from torch import Tensor

FLOAT32 = 1e-4  # the largest difference of any output or gradient, which are about 1: other sums, no TF32
BFLOAT16 = 0.01  # the norm of a difference over that of the float32 outputs: numbers of eight bits, rounded some dozens of times


def on_gpu(tensors: Mapping[str, Any]) -> dict[str, Any]:
    """The same by name, on the GPU."""
    return {name: value.cuda() if isinstance(value, Tensor) else value for name, value in tensors.items()}


def loss_of(outputs: Any) -> Tensor:
    """The model's own, or one that depends on every state."""
    if "loss" in outputs:
        return outputs["loss"]
    states = outputs["last_hidden_state"].float()
    return (states * torch.linspace(-1, 1, states.numel(), device=states.device).view_as(states)).mean()


def numbers(model: Any, inputs: Mapping[str, Any]) -> dict[str, Tensor]:
    """Loss, outputs and gradients by name, on the CPU in float32."""
    model.zero_grad()
    outputs = model(**inputs)
    loss = loss_of(outputs)
    loss.backward()
    found = {**named_tensors(outputs), "loss": loss, **gradients(model)}
    return {name: tensor.detach().cpu().float() for name, tensor in found.items()}


def assert_close(found: Mapping[str, Tensor], expected: Mapping[str, Tensor], limit: float = FLOAT32) -> None:
    """All that both have; gradients relative to their size where that is above 1."""
    both = found.keys() & expected.keys()
    assert "loss" in both
    assert any(name.startswith("gradient") for name in both)
    too_far = {name: float((found[name] - expected[name]).abs().max()) for name in both}
    assert not {name: far for name, far in too_far.items() if far > limit * max(1.0, float(expected[name].abs().max()))}


def relative_distance(found: Tensor, expected: Tensor) -> float:
    """‖found − expected‖ / ‖expected‖"""
    return float((found.cpu().float() - expected.cpu().float()).norm() / expected.cpu().float().norm())
