"""What corresponds to what in two models: their modules, parameters, stages and tensors.

Modules and parameters are paired by name. One model may hold all of the other under a prefix, as `BertForMaskedLM`
holds a `BertModel` under "bert": then the prefix is left out, which gives the common name. No reference class: ours.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import TypeVar

import torch
from torch import Tensor, nn

from .distance import Distance, distance, largest
from .probes import Recording
from .trace import Stage, TensorFacts

T = TypeVar("T")
Key = tuple[str, int]
"""The common path of a stage, and which call of it."""
Prefixes = tuple[str, str]
"""What to leave out of the names of a and of b; at most one of them is not empty."""
Pair = tuple[str, Tensor, Tensor]
"""A tensor's name in a, and the tensors of a and b."""


def common_name(name: str, prefix: str) -> str | None:
    """A name without the prefix of its model; None outside of what both models have."""
    start = f"{prefix}." if prefix else ""
    return f"{name}.".removeprefix(start)[:-1] if f"{name}.".startswith(start) else None


def common_names(named: Mapping[str, T], prefix: str) -> dict[str, T]:
    """The same values under their common names."""
    return {common: value for name, value in named.items() if (common := common_name(name, prefix)) is not None}


def find_prefixes(a: nn.Module, b: nn.Module) -> Prefixes:
    """The prefixes with which most module names are in both; none, or the outermost, where several do equally well."""
    in_a, in_b = dict(a.named_modules()), dict(b.named_modules())
    choices = [("", ""), *(("", name) for name in in_b), *((name, "") for name in in_a)]
    return max(choices, key=lambda p: len(common_names(in_a, p[0]).keys() & common_names(in_b, p[1]).keys()))


@dataclass
class StageDistance:
    """How far apart the inputs, outputs and gradients of a stage are that both models have; None: nothing to compare.

    path: the common one. depth: how many such stages are around it. class_name: in a. gradients: of its own parameters.
    """

    path: str
    call: int
    depth: int
    class_name: str
    inputs: Distance | None
    outputs: Distance | None
    gradients: Distance | None = None

    def diverges(self, tolerance: float) -> bool:
        """Whether its outputs or gradients are further apart than the tolerance."""
        return any(apart.beyond(tolerance) for apart in (self.outputs, self.gradients) if apart is not None)


class PairedStages:
    """The stages that both models ran, and how far apart each is.

    stages_a, stages_b: the finished stages of each. keys: those of both, in the order in which a's ended; rows: the same
    in the order in which they began. gradients: for each path those of its own parameters. repeated: (path, parameter)
    of the second names of a tied one, whose gradient is whole only at its first name.
    """

    def __init__(self, a: Recording, b: Recording, prefixes: Prefixes):
        self.a, self.b, self.prefixes = a, b, prefixes
        self.stages_a, self.stages_b = _by_key(a, prefixes[0]), _by_key(b, prefixes[1])
        self.keys = [key for key in self.stages_a if key in self.stages_b]
        self.rows: dict[Key, StageDistance] = {}
        self.gradients: dict[str, dict[str, Distance]] = {}
        self.repeated: set[tuple[str, str]] = set()
        key_of = {self.stages_a[key]: key for key in self.keys}
        around: list[bool] = []  # of the stages that are running, whether both models have them
        for stage in a.trace.stages:
            del around[stage.depth :]
            if stage in key_of:
                path, call = key = key_of[stage]
                other = self.stages_b[key]
                inputs = pair_inputs(_tensors(stage.inputs), _tensors(other.inputs))
                outputs = pair_outputs(_tensors(stage.outputs), _tensors(other.outputs))
                self.rows[key] = StageDistance(
                    path=path,
                    call=call,
                    depth=sum(around),
                    class_name=type(stage.module).__name__,
                    inputs=largest(distance(x, y, is_mask="mask" in name) for name, x, y in inputs),
                    outputs=largest(distance(x, y) for _, x, y in outputs),
                )
            around.append(stage in key_of)

    def compare_gradients(self, a: Mapping[str, Tensor], b: Mapping[str, Tensor]) -> None:
        """Fill in the gradients, given each model's by parameter name."""
        theirs = common_names(b, self.prefixes[1])
        paths = {path for path, _ in self.keys}
        seen: set[int] = set()
        for name, gradient in common_names(a, self.prefixes[0]).items():
            if name not in theirs:
                continue
            path = name.rpartition(".")[0]
            while path and path not in paths:  # a parameter of a module that is never called by itself
                path = path.rpartition(".")[0]
            own = name.removeprefix(f"{path}.")
            self.gradients.setdefault(path, {})[own] = distance(gradient, theirs[name])
            if id(gradient) in seen:
                self.repeated.add((path, own))
            seen.add(id(gradient))
        for (path, _), row in self.rows.items():
            row.gradients = largest(self.gradients.get(path, {}).values())


def _by_key(recording: Recording, prefix: str) -> dict[Key, Stage]:
    finished = recording.trace.finished
    return {(path, s.call): s for s in finished if (path := common_name(s.path, prefix)) is not None}


def _tensors(facts: Mapping[str, TensorFacts]) -> dict[str, Tensor]:
    return {name: fact.tensor for name, fact in facts.items() if fact.tensor is not None}


def pair_inputs(a: Mapping[str, Tensor], b: Mapping[str, Tensor]) -> list[Pair]:
    """Pair by name, then what is left over in order where the shapes are the same."""
    shared = [name for name in a if name in b]
    # A mask of True and False is not compared with an additive one.
    pairs = [(name, a[name], b[name]) for name in shared if a[name].is_floating_point() == b[name].is_floating_point()]
    return pairs + _in_order(a, b, without=shared)


def pair_outputs(a: Mapping[str, Tensor], b: Mapping[str, Tensor]) -> list[Pair]:
    """Pair by key or position; in order where an output object meets a tuple or a lone tensor.

    What only one of them returns is left out. Where nothing fits, the first tensors of both are a pair that does not.
    """
    pairs = [(name, a[name], b[name]) for name in a if name in b] or _in_order(a, b)
    return pairs or [(name, x, y) for (name, x), y in zip(a.items(), b.values(), strict=False)][:1]


def _in_order(a: Mapping[str, Tensor], b: Mapping[str, Tensor], without: Collection[str] = ()) -> list[Pair]:
    """Each of a's with the first of b's that is left and has its shape and kind of number."""
    pairs = []
    left = {name: y for name, y in b.items() if name not in without}
    for name, x in a.items():
        fits = (n for n, y in left.items() if x.shape == y.shape and x.is_floating_point() == y.is_floating_point())
        if name not in without and (other := next(fits, None)) is not None:
            pairs.append((name, x, left.pop(other)))
    return pairs


@torch.no_grad()
def copy_parameters(a: nn.Module, b: nn.Module, prefixes: Prefixes = ("", "")) -> None:
    """Write into b what a has under the same name. Raises ValueError for another shape, or if no name is the same."""
    ours, theirs = common_names(a.state_dict(), prefixes[0]), common_names(b.state_dict(), prefixes[1])
    shared = [name for name in theirs if name in ours]
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
    ours = common_names(dict(a.named_parameters(remove_duplicate=False)), prefixes[0])
    theirs = common_names(dict(b.named_parameters(remove_duplicate=False)), prefixes[1])
    sentences = []
    for first, second in combinations([name for name in ours if name in theirs], 2):
        tied = ours[first] is ours[second]
        if tied != (theirs[first] is theirs[second]):
            one, two = ("a", "b") if tied else ("b", "a")
            sentences.append(f"{first} and {second} are one parameter in {one} and two in {two}.")
    return sentences
