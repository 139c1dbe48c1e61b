"""Which stage of one model is which of the other, and which tensor is which.

Modules and parameters are matched by name. One model may hold all of the other under a prefix, as `BertForMaskedLM` holds
a `BertModel` under "bert.": then the prefix is left out.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from torch import Tensor

from .facts import TensorFacts


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


def find_prefixes(a: Collection[str], b: Collection[str]) -> Prefixes:
    """The prefixes with which the module names of a and b have most in common; none, or the outermost, where several do."""
    choices = [Prefixes()]
    choices += [Prefixes(b=name) for name in b if name] + [Prefixes(a=name) for name in a if name]

    def in_common(prefixes: Prefixes) -> int:
        ours = {prefixes.inside_a(name) for name in a} - {None}
        return len(ours & {prefixes.inside_b(name) for name in b})

    return max(choices, key=in_common)


def _without(prefix: str, name: str) -> str | None:
    if not prefix:
        return name
    if name == prefix:
        return ""
    return name.removeprefix(f"{prefix}.") if name.startswith(f"{prefix}.") else None


def pair_inputs(a: Mapping[str, TensorFacts], b: Mapping[str, TensorFacts]) -> Iterator[tuple[str, Tensor, Tensor]]:
    """(name in a, tensor, tensor): by name, then what is left over in order where the shapes are the same."""
    ours, theirs = _tensors(a), _tensors(b)
    for name in [name for name in ours if name in theirs]:
        x, y = ours.pop(name), theirs.pop(name)
        if x.dtype.is_floating_point == y.dtype.is_floating_point:  # a mask of True and False is no additive one
            yield name, x, y
    yield from _in_order(ours, theirs)


def pair_outputs(a: Mapping[str, TensorFacts], b: Mapping[str, TensorFacts]) -> Iterator[tuple[str, Tensor, Tensor]]:
    """(name in a, tensor, tensor): by key or position; in order where an output object meets a tuple or a lone tensor.

    What only one gives is left out. Where nothing fits, the first tensors of both are a pair that does not.
    """
    ours, theirs = _tensors(a), _tensors(b)
    pairs = [(name, ours[name], theirs[name]) for name in ours if name in theirs]
    pairs = pairs or list(_in_order(ours, theirs))
    if not pairs and ours and theirs:
        name, first = next(iter(ours.items()))
        pairs = [(name, first, next(iter(theirs.values())))]
    yield from pairs


def pair_live(a: Mapping[str, Tensor], b: Mapping[str, Tensor]) -> list[tuple[Tensor, Tensor]]:
    """Outputs that both models return, of equal shape: by name, or else in order."""
    pairs = [(a[name], b[name]) for name in a if name in b and a[name].shape == b[name].shape]
    return pairs or [(x, y) for _, x, y in _in_order(dict(a), dict(b))]


def _tensors(facts: Mapping[str, TensorFacts]) -> dict[str, Tensor]:
    return {name: fact.tensor for name, fact in facts.items() if fact.tensor is not None}


def _in_order(ours: dict[str, Tensor], theirs: dict[str, Tensor]) -> Iterator[tuple[str, Tensor, Tensor]]:
    """Each of ours with the first of theirs that is left and has its shape and kind of number."""
    left = dict(theirs)
    for name, x in ours.items():
        for other, y in left.items():
            if x.shape == y.shape and x.dtype.is_floating_point == y.dtype.is_floating_point:
                yield name, x, left.pop(other)
                break
