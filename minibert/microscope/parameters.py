"""The parameters of two models under the same names: copied, compared, and which of them are one tensor."""

from __future__ import annotations

from itertools import combinations

import torch
from torch import nn

from .difference import Difference, difference
from .matching import Prefixes


@torch.no_grad()
def copy_parameters(a: nn.Module, b: nn.Module, prefixes: Prefixes) -> None:
    """Write into b what a has under the same name. Raises ValueError for another shape, or if no name is the same."""
    ours = {prefixes.inside_a(name): tensor for name, tensor in a.state_dict().items()}
    theirs = {prefixes.inside_b(name): tensor for name, tensor in b.state_dict().items()}
    shared = [name for name in theirs if name is not None and name in ours]
    if not shared:
        raise ValueError("No parameter of b has the name of one of a, so none can be copied.")
    for name in shared:
        if ours[name].shape != theirs[name].shape:
            raise ValueError(
                f"{name} has shape {tuple(ours[name].shape)} in a and {tuple(theirs[name].shape)} in b: "
                "it cannot be copied. Build both with the same config."
            )
    for name in shared:
        theirs[name].copy_(ours[name])


def different_parameters(a: nn.Module, b: nn.Module) -> dict[str, Difference]:
    """Of the parameters that two modules hold themselves, those that differ at all."""
    ours, theirs = dict(a.named_parameters(recurse=False)), dict(b.named_parameters(recurse=False))
    found = {name: difference(ours[name], theirs[name]) for name in ours if name in theirs}
    return {name: apart for name, apart in found.items() if apart.absolute > 0}


def differently_tied(a: nn.Module, b: nn.Module, prefixes: Prefixes) -> list[str]:
    """A sentence for each pair of names that is one parameter in one model and two in the other."""
    ours = {prefixes.inside_a(name): id(p) for name, p in a.named_parameters(remove_duplicate=False)}
    theirs = {prefixes.inside_b(name): id(p) for name, p in b.named_parameters(remove_duplicate=False)}
    shared = [name for name in ours if name is not None and name in theirs]
    sentences = []
    for first, second in combinations(shared, 2):
        tied = ours[first] == ours[second], theirs[first] == theirs[second]
        if tied[0] != tied[1]:
            one, two = ("a", "b") if tied[0] else ("b", "a")
            sentences.append(f"{first} and {second} are one parameter in {one} and two in {two}.")
    return sentences
