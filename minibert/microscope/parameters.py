"""Which parameters of two models correspond, whatever their names: copy them, and fill in those that hide mistakes.

By name; what is left over by role (query, key, value), shape and order; and three products next to one fused product.
Where weights are not copied, only equal values tell. No reference class: ours.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import groupby
from math import sqrt
from typing import NamedTuple

import torch
from torch import Tensor, nn

from .pairing import listed

ROLE = re.compile(r"(?:^|_|w)(q|k|v)(?:uer(?:y|ies)|eys?|alues?)?(?:_|$|proj|lin)", re.IGNORECASE)
Tensors = dict[str, Tensor]


class Pair(NamedTuple):
    """`rows_a` of a's parameter `a` are `rows_b` of b's `b`, which is transposed where so said."""

    a: str
    b: str
    rows_a: slice = slice(None)
    rows_b: slice = slice(None)
    transposed: bool = False

    def of(self, ours: Tensors, theirs: Tensors) -> tuple[Tensor, Tensor]:
        """Views of both, of the same shape."""
        y = theirs[self.b]
        return ours[self.a][self.rows_a], (y.T if self.transposed else y)[self.rows_b]

    @property
    def whole(self) -> bool:
        """Whether one parameter corresponds to one."""
        return self.rows_a == self.rows_b == slice(None)


def named(model: nn.Module) -> Tensors:
    """Every parameter under each of its names."""
    return dict(model.named_parameters(remove_duplicate=False))


def corresponding(a: nn.Module, b: nn.Module, by_shape: bool) -> list[Pair]:
    """All pairs, in a's order. by_shape: where names differ, values need not be equal.

    Raises ValueError for the same name and shapes that do not fit.
    """
    ours, theirs = named(a), named(b)
    pairs = [
        Pair(name, name, transposed=x.dim() == 2 and x.shape != theirs[name].shape)
        for name, x in ours.items()
        if name in theirs
    ]
    for name, x, y in [(pair.a, *pair.of(ours, theirs)) for pair in pairs]:
        if x.shape != y.shape and by_shape:
            shapes = f"shape {tuple(x.shape)} in a and {tuple(theirs[name].shape)} in b"
            raise ValueError(f"{name} has {shapes}. Build both with the same config.")
    pairs = [pair for pair in pairs if len({x.shape for x in pair.of(ours, theirs)}) == 1]
    units_a, units_b = _units(ours, theirs), _units(theirs, ours)
    guesses = _same_kinds(units_a, units_b, roles=True)
    guesses += [_parts_of(fused, units_a, swap=False) for fused in units_b.values()]
    guesses += [_parts_of(fused, units_b, swap=True) for fused in units_a.values()]
    done = {pair.b for found in guesses for pair in found}
    left_b = {path: each for path, each in units_b.items() if done.isdisjoint(each)}
    guesses += _same_kinds(units_a, left_b, roles=False)
    for found in guesses:
        if by_shape or all(torch.equal(*pair.of(ours, theirs)) for pair in found):
            pairs += found
    place = {name: i for i, name in enumerate(ours)}
    return sorted(pairs, key=lambda pair: (place[pair.a], pair.rows_a.start or 0))


@torch.no_grad()
def copy_parameters(a: nn.Module, b: nn.Module) -> list[Pair]:
    """Write a's numbers into b's that correspond, buffers of the same name too. Raises ValueError where none do."""
    pairs, buffers = corresponding(a, b, by_shape=True), dict(b.named_buffers())
    if not pairs:
        raise ValueError("No parameter of b has the name of one of a, or its shape and place, so none can be copied.")
    _copy(pairs, named(a), named(b))
    for name, buffer in a.named_buffers():
        if name in buffers and buffers[name].shape == buffer.shape:
            buffers[name].copy_(buffer)
    return pairs


@torch.no_grad()
def _copy(pairs: list[Pair], ours: Tensors, theirs: Tensors) -> None:
    for pair in pairs:
        x, y = pair.of(ours, theirs)
        y.copy_(x)


@contextmanager
def telling_weights(a: nn.Module, b: nn.Module, pairs: list[Pair]) -> Iterator[None]:
    """Within, parameters that hide mistakes (zeros, ones, equal rows) have other numbers, the same in both models.

    All have where most are fresh: numbers near 0 hide which activation is used. Those that differ between a and b stay.
    """
    ours, theirs = named(a), named(b)
    stay = {id(ours[pair.a]) for pair in pairs if not torch.equal(*pair.of(ours, theirs))}
    alone = {m: y for m, y in theirs.items() if m not in {pair.b for pair in pairs}}
    drawn = {id(x): x for x in (*ours.values(), *alone.values()) if id(x) not in stay and x.is_floating_point()}
    vectors = [x for x in drawn.values() if x.dim() == 1 and x.numel() > 1]
    if 2 * sum(map(_tells_nothing, vectors)) <= len(vectors):
        drawn = {key: x for key, x in drawn.items() if _tells_nothing(x)}
    every = {id(x): x for x in (*ours.values(), *theirs.values())}.values() if drawn else ()
    given = [(x, x.detach().clone()) for x in every]
    generator = torch.Generator("cpu").manual_seed(0)
    try:
        with torch.no_grad():
            for x in drawn.values():
                scale, shift = (1.5 / sqrt(x.shape[-1]), 0.0) if x.dim() > 1 else (0.2, 0.5)
                x.copy_(torch.randn(x.shape, generator=generator, device="cpu") * scale + shift)
        _copy([pair for pair in pairs if id(ours[pair.a]) in drawn], ours, theirs)
        yield
    finally:
        with torch.no_grad():
            for x, numbers in given:
                x.copy_(numbers)


def _tells_nothing(x: Tensor) -> bool:
    """Whether all numbers are equal, or all rows."""
    return len(x) > 1 and bool((x == x[:1]).all()) if x.dim() else False


def unpaired(model: nn.Module, part: nn.Module, names: set[str]) -> bool:
    """Whether a part of a model holds parameters other than those of these names."""
    every = named(model)
    paired = {id(every[name]) for name in names}
    return any(id(x) not in paired for x in part.parameters())


def parameter_notes(a: nn.Module, b: nn.Module, pairs: list[Pair], copied: bool) -> list[str]:
    """Sentences: which parameters one model alone has, and which of other names were taken to be the same."""
    notes = [
        f"b keeps modules in a plain list, {path}: nobody finds their parameters to copy or to train them. Use nn.ModuleList."
        for path in _plain_lists(b)
    ]
    for model, side, used in ((a, "a", {pair.a for pair in pairs}), (b, "b", {pair.b for pair in pairs})):
        every = named(model)
        done = {id(every[name]) for name in used}
        alone = [name for name, x in every.items() if id(x) not in done]
        whole = [path for path, module in model.named_modules() if path and named(module)]
        whole = [path for path in whole if all(name in alone for name in every if name.startswith(f"{path}."))]
        if alone:
            uncopied = ": nothing was copied for them" if copied and side == "b" else ""
            notes.append(f"Only {side} has the parameters {listed([*whole, *alone])}{uncopied}.")
    renamed = {
        (pair.b.rpartition(".")[0] or pair.b, pair.a.rpartition(".")[0] or pair.a): None
        for pair in pairs
        if pair.a != pair.b
    }
    if renamed:
        theirs, ours = (listed(dict.fromkeys(names)) for names in zip(*renamed, strict=True))
        notes.append(f"By shapes and places, b's {theirs} was taken for a's {ours}.")
    turned = listed(pair.a for pair in pairs if pair.transposed)
    return [*notes, f"Transposed in b: {turned}."] if turned else notes


def _plain_lists(model: nn.Module) -> Iterator[str]:
    """Where modules are that `model.modules()` does not know."""
    known = set(model.modules())
    for path, module in model.named_modules():
        for name, value in vars(module).items():
            held = value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else ()
            if not name.startswith("_") and any(isinstance(each, nn.Module) and each not in known for each in held):
                yield f"{path}.{name}".strip(".")


def module_names(a: nn.Module, b: nn.Module, pairs: list[Pair]) -> dict[str, str]:
    """What b's modules are called in a: those that hold corresponding parameters under other names (or one name for another thing)."""
    whole = {name for pair in pairs if pair.whole for name in (pair.a, pair.b)}
    to_a: dict[str, set[str]] = {}
    for pair in pairs:
        to_a.setdefault(pair.b, set()).add(pair.a)

    def others(model: nn.Module, other: nn.Module, names: dict[str, set[str]]) -> dict[frozenset[str], list[str]]:
        found: dict[frozenset[str], list[str]] = {}
        known, theirs = {path for path, _ in other.named_modules()}, named(other)
        for path, module in model.named_modules():
            inside = [f"{path}.{name}" for name in named(module)]
            leaf = next(module.children(), None) is None  # a fused product alone is no stage of the other model
            same = path in known and (not inside or any(name in theirs for name in inside))
            if not same and inside and all(name in (whole if leaf else names) for name in inside):
                found.setdefault(frozenset().union(*(names[name] for name in inside)), []).append(path)
        return found

    theirs = others(b, a, to_a)
    return {
        y: x
        for held, paths in others(a, b, {pair.a: {pair.a} for pair in pairs}).items()
        for x, y in zip(reversed(paths), reversed(theirs.get(held, [])), strict=False)
    }


def _units(model: Tensors, other: Tensors) -> dict[str, Tensors]:
    """The parameters whose names the other model lacks, by the module that holds them."""
    left = [(name, x) for name, x in model.items() if name not in other]
    return {path: dict(items) for path, items in groupby(left, key=lambda item: item[0].rpartition(".")[0])}


def _same_kinds(units_a: dict[str, Tensors], units_b: dict[str, Tensors], roles: bool) -> list[list[Pair]]:
    """Modules of one kind in order, where both models have as many; they leave the units."""
    found, kinds_b = [], _kinds(units_b, roles)
    for kind, paths in _kinds(units_a, roles).items():
        if len(paths) == len(kinds_b.get(kind, ())):
            for one, other in zip(paths, kinds_b[kind], strict=True):
                found.append([Pair(n, m) for n, m in zip(units_a.pop(one), units_b.pop(other), strict=True)])
    return found


def _kinds(units: dict[str, Tensors], roles: bool) -> dict[object, list[str]]:
    """Modules by their shapes, the number of their layer, and whether they are query, key or value."""
    found: dict[object, list[str]] = {}
    for path, tensors in units.items():
        kind = _layer(path), _role(path) if roles else "", *(t.shape for t in tensors.values())
        found.setdefault(kind, []).append(path)
    return found


def _role(path: str) -> str:
    """q, k or v, for what its name says."""
    role = ROLE.search(path.rpartition(".")[2])
    return role[1].lower() if role else ""


def _layer(path: str) -> str:
    return (re.findall(r"(?<=\.)\d+(?=\.)", f".{path}.") or [""])[0]


def _parts_of(fused: Tensors, units: dict[str, Tensors], swap: bool) -> list[Pair]:
    """Three or two neighbouring modules whose rows, one below the other, are those of a fused one; they leave `units`."""
    paths = [path for path in units if _layer(path) == _layer(next(iter(fused)))]
    for count in (3, 2):
        starts = range(len(paths) - count + 1)
        for start in sorted(starts, key=lambda i: "".join(map(_role, paths[i : i + count])) not in ("qkv", "kv")):
            parts = [list(units[path].items()) for path in paths[start : start + count]]
            shapes = [[t.shape for _, t in part] for part in parts]
            whole = [(count * rows, *columns) for rows, *columns in shapes[0]]
            turned = [
                [y.shape, y.shape[::-1]].index(x)
                for x, y in zip(whole, fused.values(), strict=False)
                if x in (y.shape, y.shape[::-1])
            ]
            if (
                shapes != shapes[:1] * count
                or len(turned) != len(fused)
                or len(fused) != len(whole)
                or (swap and any(turned))
            ):
                continue
            for path in paths[start : start + count]:
                del units[path]
            found = []
            for i, part in enumerate(parts):
                for (name, t), one, transposed in zip(part, fused, turned, strict=True):
                    rows = slice(i * len(t), (i + 1) * len(t))
                    found.append(
                        Pair(one, name, rows) if swap else Pair(name, one, rows_b=rows, transposed=bool(transposed))
                    )
            return found
    return []
