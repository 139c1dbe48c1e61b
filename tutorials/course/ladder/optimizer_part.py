"""Part 10, AdamW and its schedule: weights after some steps with given gradients, and the schedule's factors."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from minibert.optim import AdamW
from minibert.optim.schedules import linear

from .judge import Finding, call, distance, kind_of

NAMES = ("bert.encoder.layer.0.output.dense.weight", "bert.encoder.layer.0.output.dense.bias", "bert.embeddings.LayerNorm.weight", "bert.encoder.layer.1.attention.self.query.bias", "bert.pooler.dense.weight")  # fmt: skip
IDLE = "bert.pooler.dense.weight"  # never gets a gradient
RATES = {"lr": 0.05, "weight_decay": 0.3}
PLANS = ((0, 10), (4, 10), (1, 2), (5, 5), (3, 20))  # (warm-up, all steps)
Gradients = Sequence[Mapping[str, Tensor | None]]
Weights = Mapping[str, Tensor]


def check_optimizer(optimizer: Callable[..., Any], schedule: Callable[..., float]) -> Finding:
    """Both halves of the part."""
    found = check_steps(optimizer, *_drawn())
    if found.wrong:
        return found
    for warmup, total in PLANS:
        for step in range(total + 3):
            factor = float(call(schedule, step, warmup, total))
            if not abs(factor - linear(step, warmup, total)) <= 1e-9:
                return Finding(f"schedule: {factor:.6g} is not the factor at step {step} of {total} with {warmup} steps of warm-up.")  # fmt: skip
    return found


def check_steps(optimizer: Callable[..., Any], weights: Weights, gradients: Gradients, rates: Mapping[str, float] = RATES) -> Finding:  # fmt: skip
    """Give the student's optimizer these gradients, step by step, and look at the weights after each."""
    mine = {name: tensor.clone().requires_grad_() for name, tensor in weights.items()}
    stepping = call(optimizer, mine, **rates)
    if not callable(getattr(stepping, "step", None)):
        return Finding(f"optimizer: it gives {kind_of(stepping)}; something with a step() is asked for.")
    own = list(_walk(mine, gradients, lambda: call(stepping.step)))
    right = {way: list(_steps(weights, gradients, way, rates)) for way in ("late", "early")}
    apart = {way: _apart(own, steps) for way, steps in right.items()}
    if min(apart.values()) <= 1e-6:
        bits = all(torch.equal(x[name], y[name]) for x, y in zip(own, right["late"], strict=True) for name in x)
        return Finding("", min(apart.values()), bits=bits)
    for way, hint in MISTAKES.items():
        if _apart(own, list(_steps(weights, gradients, way, rates))) <= 1e-6:
            return Finding(hint, apart["late"])
    for number, (x, y) in enumerate(zip(own, right["late"], strict=True), start=1):
        for name in x:
            if (far := distance(x[name], y[name])) > 1e-6:
                return Finding(f"optimizer: after step {number}, {name} is up to {far:.1g} away.", far)
    return Finding("optimizer: the weights are not right.")


MISTAKES = {
    "biased": "optimizer: it is what you get without the bias correction, √(1 − β₂ᵗ) / (1 − β₁ᵗ).",
    "outer": "optimizer: it is what you get if ε is added after the bias correction of v; here it is added to √v before.",
    "everywhere": "optimizer: it is what you get if biases and LayerNorm are decayed too.",
    "nowhere": "optimizer: it is what you get without the weight decay.",
    "penalty": "optimizer: it is what you get if λ θ is added to the gradient. AdamW takes lr · λ · θ from the weight itself.",
    "alone": "optimizer: it is what you get if the decay is λ θ, without the learning rate.",
}


def _drawn() -> tuple[Weights, Gradients]:
    generator = torch.Generator().manual_seed(5)
    shapes = {name: (3, 4) if name.endswith("dense.weight") else (4,) for name in NAMES}
    weights = {name: torch.randn(shape, generator=generator) for name, shape in shapes.items()}
    sizes = (1.0, 1e-5, 3.0, 1e-4, 1e-6, 0.5)  # small ones tell where ε stands

    def gradient(name: str, size: float) -> Tensor | None:
        return None if name == IDLE else size * torch.randn(shapes[name], generator=generator)

    return weights, [{name: gradient(name, size) for name in NAMES} for size in sizes]


def _walk(weights: Weights, gradients: Gradients, step: Callable[[], Any]) -> Any:
    """The weights after each step."""
    for each in gradients:
        for name, tensor in weights.items():
            gradient = each[name]
            tensor.grad = None if gradient is None else gradient.clone()
        step()
        yield {name: tensor.detach().clone() for name, tensor in weights.items()}


def _steps(weights: Weights, gradients: Gradients, way: str, rates: Mapping[str, float]) -> Any:
    """The weights after each step of the library's AdamW ("late"), or of a way near it."""
    mine = {name: tensor.clone().requires_grad_() for name, tensor in weights.items()}
    lr, decay = rates["lr"], rates["weight_decay"]
    if way == "late":
        groups = [
            {"params": [tensor], "weight_decay": decay if decayed(name) else 0.0} for name, tensor in mine.items()
        ]
        yield from _walk(mine, gradients, AdamW(groups, lr=lr).step)
        return
    m, v = ({name: torch.zeros_like(tensor) for name, tensor in mine.items()} for _ in range(2))
    count = 0

    @torch.no_grad()
    def step() -> None:
        nonlocal count
        count += 1
        for name, tensor in mine.items():
            if tensor.grad is None:
                continue
            rate = {"everywhere": decay, "nowhere": 0.0}.get(way, decay if decayed(name) else 0.0)
            gradient = tensor.grad + rate * tensor if way == "penalty" else tensor.grad
            m[name].mul_(0.9).add_(gradient, alpha=0.1)
            v[name].mul_(0.999).addcmul_(gradient, gradient, value=0.001)
            first, second = (1.0, 1.0) if way == "biased" else (1 - 0.9**count, 1 - 0.999**count)
            root = (v[name] / second).sqrt() + 1e-6 if way == "outer" else (v[name].sqrt() + 1e-6) / second**0.5
            old = tensor.clone()
            tensor.sub_(lr / first * m[name] / root)
            if way != "penalty":
                tensor.sub_((1.0 if way == "alone" else lr) * rate * (old if way == "early" else tensor))

    yield from _walk(mine, gradients, step)


def decayed(name: str) -> bool:
    """Whether AdamW decays a weight of this name: matrices, no biases and nothing of LayerNorm."""
    return "bias" not in name and "LayerNorm" not in name


def _apart(mine: Sequence[Weights], theirs: Sequence[Weights]) -> float:
    return max(distance(x[name], y[name]) for x, y in zip(mine, theirs, strict=True) for name in x)
