"""What corresponds to what in two models: their modules, parameters, stages and tensors.

Modules and parameters are paired by name. One model may hold all of the other under a prefix, as `BertForMaskedLM`
holds a `BertModel` under "bert.": then the prefix is left out. No reference class: ours.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations

import torch
from torch import Tensor, nn

from .distance import Distance, distance, largest
from .trace import TensorFacts, Trace

Key = tuple[str, int]
"""The common path of a stage, and which call of it."""


@dataclass(frozen=True)
class Prefixes:
    """What to leave out of the names of a and of b; at most one of them is not empty."""

    a: str = ""
    b: str = ""

    def inside_a(self, name: str) -> str | None:
        """The common name of something in a; None outside of what both have."""
        return _without(self.a, name)

    def inside_b(self, name: str) -> str | None:
        """The common name of something in b; None outside of what both have."""
        return _without(self.b, name)


def find_prefixes(a: nn.Module, b: nn.Module) -> Prefixes:
    """The prefixes with which most module names are in both; none, or the outermost, where several do equally well."""
    names_a, names_b = ([name for name, _ in model.named_modules()] for model in (a, b))
    choices = [Prefixes(), *(Prefixes(b=name) for name in names_b[1:]), *(Prefixes(a=name) for name in names_a[1:])]

    def in_common(prefixes: Prefixes) -> int:
        ours = {prefixes.inside_a(name) for name in names_a} - {None}
        return len(ours & {prefixes.inside_b(name) for name in names_b})

    return max(choices, key=in_common)


def _without(prefix: str, name: str) -> str | None:
    if not prefix or name == prefix:
        return name.removeprefix(prefix)
    return name.removeprefix(f"{prefix}.") if name.startswith(f"{prefix}.") else None


class PairedStages:
    """The stages that both models ran, and how far apart each is.

    stages_a, stages_b: the finished stages of each. keys: those of both, in the order in which a's ended. inputs, outputs:
    the largest distance of each, None where nothing can be compared. gradients: for each path those of its own parameters.
    repeated: (path, parameter) of second names of a tied one, whose gradient is whole only at its first name.
    """

    def __init__(self, a: Trace, b: Trace, prefixes: Prefixes):
        self.a, self.b, self.prefixes = a, b, prefixes
        self.stages_a = {(p, s.call): s for s in a.finished if (p := prefixes.inside_a(s.path)) is not None}
        self.stages_b = {(p, s.call): s for s in b.finished if (p := prefixes.inside_b(s.path)) is not None}
        self.keys = [key for key in self.stages_a if key in self.stages_b]
        self.inputs: dict[Key, Distance | None] = {}
        self.outputs: dict[Key, Distance | None] = {}
        self.gradients: dict[str, dict[str, Distance]] = {}
        self.repeated: set[tuple[str, str]] = set()
        for key in self.keys:
            x, y = self.stages_a[key], self.stages_b[key]
            pairs = pair_inputs(_tensors(x.inputs), _tensors(y.inputs))
            self.inputs[key] = largest(distance(ours, theirs, "mask" in name) for name, ours, theirs in pairs)
            pairs = pair_outputs(_tensors(x.outputs), _tensors(y.outputs))
            self.outputs[key] = largest(distance(ours, theirs) for _, ours, theirs in pairs)

    def compare_gradients(self, a: Mapping[str, Tensor], b: Mapping[str, Tensor]) -> None:
        """Fill `gradients`, given each model's by parameter name, with every parameter that both have."""
        in_b = {self.prefixes.inside_b(name): gradient for name, gradient in b.items()}
        paths = {path for path, _ in self.keys}
        seen: set[int] = set()
        for name, gradient in a.items():
            common = self.prefixes.inside_a(name)
            if common is None or common not in in_b:
                continue
            path = common.rpartition(".")[0]
            while path and path not in paths:  # a parameter of a module that is never called by itself
                path = path.rpartition(".")[0]
            own = common.removeprefix(f"{path}.")
            self.gradients.setdefault(path, {})[own] = distance(gradient, in_b[common])
            if id(gradient) in seen:
                self.repeated.add((path, own))
            seen.add(id(gradient))

    def in_order_of_calls(self) -> list[tuple[Key, int]]:
        """The keys as a's stages began, outer ones before those inside them, and how many paired ones are around each."""
        ordered: list[tuple[Key, int]] = []
        around: list[bool] = []  # of the stages that are running, whether both have them
        for stage in self.a.stages:
            del around[stage.depth :]
            path = self.prefixes.inside_a(stage.path)
            in_both = path is not None and (path, stage.call) in self.outputs
            if path is not None and in_both:
                ordered.append(((path, stage.call), sum(around)))
            around.append(in_both)
        return ordered


def pair_inputs(a: Mapping[str, Tensor], b: Mapping[str, Tensor]) -> Iterator[tuple[str, Tensor, Tensor]]:
    """(name in a, tensor, tensor): by name, then what is left over in order where the shapes are the same."""
    shared = [name for name in a if name in b]
    for name in shared:
        if a[name].is_floating_point() == b[name].is_floating_point():  # a mask of True and False is no additive one
            yield name, a[name], b[name]
    yield from _in_order(a, b, without=shared)


def pair_outputs(a: Mapping[str, Tensor], b: Mapping[str, Tensor]) -> Iterator[tuple[str, Tensor, Tensor]]:
    """(name in a, tensor, tensor): by key or position; in order where an output object meets a tuple or a lone tensor.

    What only one of them returns is left out. Where nothing fits, the first tensors of both are a pair that does not.
    """
    pairs = [(name, a[name], b[name]) for name in a if name in b] or list(_in_order(a, b))
    if not pairs and a and b:
        name, first = next(iter(a.items()))
        pairs = [(name, first, next(iter(b.values())))]
    yield from pairs


def _in_order(
    a: Mapping[str, Tensor], b: Mapping[str, Tensor], without: Collection[str] = ()
) -> Iterator[tuple[str, Tensor, Tensor]]:
    """Each of a's with the first of b's that is left and has its shape and kind of number."""
    left = {name: y for name, y in b.items() if name not in without}
    for name, x in a.items():
        fits = (n for n, y in left.items() if x.shape == y.shape and x.is_floating_point() == y.is_floating_point())
        if name not in without and (other := next(fits, None)) is not None:
            yield name, x, left.pop(other)


def _tensors(facts: Mapping[str, TensorFacts]) -> dict[str, Tensor]:
    return {name: fact.tensor for name, fact in facts.items() if fact.tensor is not None}


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


def differently_tied(a: nn.Module, b: nn.Module, prefixes: Prefixes) -> list[str]:
    """A sentence for each pair of names that is one parameter in one model and two in the other."""
    ours = {prefixes.inside_a(name): id(p) for name, p in a.named_parameters(remove_duplicate=False)}
    theirs = {prefixes.inside_b(name): id(p) for name, p in b.named_parameters(remove_duplicate=False)}
    sentences = []
    for first, second in combinations([name for name in ours if name is not None and name in theirs], 2):
        tied = ours[first] == ours[second]
        if tied != (theirs[first] == theirs[second]):
            one, two = ("a", "b") if tied else ("b", "a")
            sentences.append(f"{first} and {second} are one parameter in {one} and two in {two}.")
    return sentences
