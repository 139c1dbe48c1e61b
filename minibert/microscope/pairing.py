"""What corresponds to what in two models: modules and parameters by name, then tensors. No reference class: ours.

One model may hold all of the other, as `BertForMaskedLM` holds a `BertModel`: then names are those inside this part.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import torch
from torch import Tensor, nn

from .distance import Distance, distance, largest
from .probes import Recording
from .trace import TensorFacts

Pair = tuple[str, Tensor, Tensor]
"""A tensor's name in a, and the tensors of a and b."""


def common_parts(a: nn.Module, b: nn.Module) -> tuple[nn.Module, nn.Module]:
    """The two models, or one and a module inside the other: the outermost two that share most names of modules."""

    def shared(pair: tuple[nn.Module, nn.Module]) -> int:
        names_a, names_b = ({name for name, _ in part.named_modules()} for part in pair)
        return len(names_a & names_b)

    return max([(a, b), *((a, inner) for inner in b.modules()), *((inner, b) for inner in a.modules())], key=shared)


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
    """The stages that both models ran to their end, and how far apart each is.

    stages_a, stages_b: the finished stages of each by their keys, in the order in which they ended. rows: those of both,
    in the order in which a's began. gradients: for each path those of its own parameters. repeated: (path, parameter)
    of the second names of a tied one, whose gradient is whole only at its first name.
    """

    def __init__(self, a: Recording, b: Recording):
        self.a, self.b = a, b
        self.stages_a, self.stages_b = ({stage.key: stage for stage in run.trace.finished} for run in (a, b))
        self.rows: dict[tuple[str, int], StageDistance] = {}
        self.gradients: dict[str, dict[str, Distance]] = {}
        self.repeated: set[tuple[str, str]] = set()
        around: list[bool] = []  # of the stages that are running, whether both models have them
        for stage in a.trace.stages:
            del around[stage.depth :]
            if other := self.stages_b.get(stage.key):
                inputs = pair_inputs(_tensors(stage.inputs), _tensors(other.inputs))
                outputs = pair_outputs(_tensors(stage.outputs), _tensors(other.outputs))
                self.rows[stage.key] = StageDistance(
                    *stage.key,
                    depth=sum(around),
                    class_name=type(stage.module).__name__,
                    inputs=largest(distance(x, y, is_mask="mask" in name) for name, x, y in inputs),
                    outputs=largest(distance(x, y) for _, x, y in outputs),
                )
            around.append(other is not None)

    def compare_gradients(self, a: Mapping[str, Tensor], b: Mapping[str, Tensor]) -> None:
        """Fill in the gradients, given each model's by parameter name."""
        paths = {path for path, _ in self.rows}
        seen: set[int] = set()
        for name in [name for name in a if name in b]:
            path = name.rpartition(".")[0]
            while path and path not in paths:  # a parameter of a module that is never called by itself
                path = path.rpartition(".")[0]
            own = name.removeprefix(f"{path}.")
            self.gradients.setdefault(path, {})[own] = distance(a[name], b[name])
            if id(a[name]) in seen:
                self.repeated.add((path, own))
            seen.add(id(a[name]))
        for row in self.rows.values():
            row.gradients = largest(self.gradients.get(row.path, {}).values())


def _tensors(facts: Mapping[str, TensorFacts]) -> dict[str, Tensor]:
    return {name: fact.tensor for name, fact in facts.items() if fact.tensor is not None}


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
    for name in shared:
        one, other = tuple(ours[name].shape), tuple(theirs[name].shape)
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
