"""What corresponds to what in two models: modules and parameters by name, then tensors. No reference class: ours."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations

import torch
from torch import Tensor, nn

Pair = tuple[str, Tensor, Tensor]
"""A tensor's name in a, and the tensors of a and b."""


def common_parts(a: nn.Module, b: nn.Module) -> tuple[nn.Module, nn.Module]:
    """The outermost two that share most names of modules: both models, or one and a module inside the other.

    So a `BertModel` is compared with the one inside a `BertForMaskedLM`.
    """

    def shared(pair: tuple[nn.Module, nn.Module]) -> int:
        names_a, names_b = ({name for name, _ in part.named_modules()} for part in pair)
        return len(names_a & names_b)

    return max([(a, b), *((a, inner) for inner in b.modules()), *((inner, b) for inner in a.modules())], key=shared)


def pair_inputs(a: Mapping[str, Tensor], b: Mapping[str, Tensor]) -> list[Pair]:
    """Pair by name, then what is left over in order where the shapes are the same."""
    # A mask of True and False is not compared with an additive one.
    pairs = [(n, x, b[n]) for n, x in a.items() if n in b and x.is_floating_point() == b[n].is_floating_point()]
    return pairs + _in_order({n: x for n, x in a.items() if n not in b}, {n: y for n, y in b.items() if n not in a})


def pair_outputs(a: Mapping[str, Tensor], b: Mapping[str, Tensor]) -> list[Pair]:
    """Pair by key or position, or else in order, or else the first tensors of both, which do not fit."""
    pairs = [(name, x, b[name]) for name, x in a.items() if name in b] or _in_order(a, b)
    return pairs or [(name, x, y) for (name, x), y in zip(a.items(), b.values(), strict=False)][:1]


def _in_order(a: Mapping[str, Tensor], b: Mapping[str, Tensor]) -> list[Pair]:
    """Each of a's with the first of b's that is left and has its shape and kind of number."""
    pairs, left = [], list(b.values())
    for name, x in a.items():
        for i, y in enumerate(left):
            if x.shape == y.shape and x.is_floating_point() == y.is_floating_point():
                pairs.append((name, x, left.pop(i)))
                break
    return pairs


@torch.no_grad()
def copy_parameters(a: nn.Module, b: nn.Module) -> None:
    """Write into b what a has under the same name. Raises ValueError for another shape, or if no name is the same."""
    ours, theirs = a.state_dict(), b.state_dict()
    shared = [name for name in theirs if name in ours]
    if not shared:
        raise ValueError("No parameter of b has the name of one of a, so none can be copied.")
    for one, other, name in ((tuple(ours[name].shape), tuple(theirs[name].shape), name) for name in shared):
        if one != other:
            raise ValueError(f"{name} has shape {one} in a and {other} in b. Build both with the same config.")
    for name in shared:
        theirs[name].copy_(ours[name])


def differently_tied(a: nn.Module, b: nn.Module) -> list[str]:
    """A sentence for each pair of names that is one parameter in one model and two in the other."""
    ours, theirs = (dict(model.named_parameters(remove_duplicate=False)) for model in (a, b))
    sentences = []
    for x, y in combinations([name for name in ours if name in theirs], 2):
        if (ours[x] is ours[y]) != (theirs[x] is theirs[y]):
            one, two = ("a", "b") if ours[x] is ours[y] else ("b", "a")
            sentences.append(f"{x} and {y} are one parameter in {one} and two in {two}.")
    return sentences
