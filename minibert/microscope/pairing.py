"""Which modules and tensors of two models correspond. No reference class: ours."""

import re
from collections.abc import Iterable, Mapping
from itertools import combinations

import torch
from torch import Tensor, nn

from .distance import MASKED, Distance, distance, infinite

Pairs = list[tuple[str, Tensor, Tensor]]  # tensors of a and b, with their names in a
Links = list[tuple[str, str, Distance]]  # a name in a, the one in b ("" for none), and how far apart what they name is


def common_parts(a: nn.Module, b: nn.Module) -> tuple[nn.Module, nn.Module]:
    """The outermost two that share most names of parameters (of modules, where there are none): both models, or one and a
    module inside the other."""

    def names(part: nn.Module) -> set[str]:
        held = {name for name, _ in part.named_parameters(remove_duplicate=False)}
        return held or {name for name, _ in part.named_modules()}

    of_a, of_b = names(a), names(b)
    inside_b = [(len(of_a & names(inner)), (a, inner)) for inner in b.modules()]  # b itself is the first
    inside_a = [(len(names(inner) & of_b), (inner, b)) for inner in a.modules()]
    return max(inside_b + inside_a, key=lambda found: found[0])[1]


def listed(paths: Iterable[str]) -> str:
    """Names without those inside another of them, and those that differ in their layer alone as one: layer.0-3.output."""
    every = list(dict.fromkeys(paths))
    kinds: dict[tuple[str, ...], list[str]] = {}
    for path in every:
        if not any(path.startswith(f"{other}.") for other in every):
            before, number, after = (*re.split(r"(?:(?<=\.)|^)(\d+)(?=\.|$)", path, maxsplit=1), "", "")[:3]
            kinds.setdefault((before, after), []).append(number)
    return ", ".join(before + _range(numbers) + after for (before, after), numbers in kinds.items())


def _range(numbers: list[str]) -> str:
    if len(numbers) > 2 and [int(n) for n in numbers] == list(range(int(numbers[0]), int(numbers[-1]) + 1)):
        return f"{numbers[0]}-{numbers[-1]}"
    return numbers[0] if len(numbers) == 1 else f"{{{','.join(numbers)}}}"


def differently_tied(ours: Mapping[str, Tensor], theirs: Mapping[str, Tensor]) -> list[str]:
    """A sentence for each two names that are one parameter in one model and two in the other; one for whole modules.

    theirs: b's parameters by the names of those in a that they correspond to.
    """
    shared = [name for name in ours if name in theirs]
    modules: dict[tuple[str, str, str], list[tuple[str, str, str]]] = {}
    for tied, other, one, two in ((ours, theirs, "a", "b"), (theirs, ours, "b", "a")):
        first = {id(tied[name]): name for name in reversed(shared)}
        for x, y in combinations(shared, 2):
            if tied[x] is tied[y] and other[x] is not other[y] and first[id(tied[x])] == x:
                outer_x, outer_y = _where_they_part(x, y)
                modules.setdefault((outer_x, one, two), []).append((outer_y, x, y))
    sentences = []
    for (outer, one, two), found in modules.items():
        others = [each for each, *_ in found]
        if len(set(others)) == len(found):
            sentences += [f"{x} and {y} are one parameter in {one} and two in {two}." for _, x, y in found]
        else:
            count = len(found) // len(set(others))
            sentences.append(
                f"{outer} shares {count} parameters with {listed(others)} in {one}, and none of these in {two}."
            )
    return sentences


def _where_they_part(x: str, y: str) -> tuple[str, str]:
    """The layers of two parameters that differ in their layer alone; or else the modules that hold them."""
    parts = list(zip(x.split("."), y.split("."), strict=False))
    differ = [i for i, (m, n) in enumerate(parts) if m != n]
    if len(differ) == 1 and parts[differ[0]][0].isdigit():
        return ".".join(x.split(".")[: differ[0] + 1]), ".".join(y.split(".")[: differ[0] + 1])
    return x.rpartition(".")[0], y.rpartition(".")[0]


def link_inputs(a: Mapping[str, Tensor], b: Mapping[str, Tensor], same_names: bool, hidden: list[Tensor]) -> Links:
    """Which argument of a stage is which: by what they are, where the names differ; masks by what they let be seen.

    hidden: masks by which b filled in scores: there, True means hidden. A mask that one side lacks hides nothing.
    """
    masks_a, masks_b = ({n: x for n, x in each.items() if _is_mask(n, x)} for each in (a, b))
    plain_a, plain_b = (
        {n: x for n, x in a.items() if n not in masks_a},
        {n: y for n, y in b.items() if n not in masks_b},
    )
    pairs = [] if same_names else _close_pairs(plain_a, plain_b)
    done_a, done_b = {name for name, *_ in pairs}, {id(y) for *_, y in pairs}
    pairs += pair_inputs(
        {n: x for n, x in plain_a.items() if n not in done_a}, {n: y for n, y in plain_b.items() if id(y) not in done_b}
    )
    names = {id(y): name for name, y in plain_b.items()}
    links = [(name, names[id(y)], distance(x, y)) for name, x, y in pairs]
    for name, x in masks_a.items():
        apart = {other: _mask_distance(x, y, hidden, name=other) for other, y in masks_b.items()}
        other = name if name in apart else min(apart, key=lambda each: apart[each].absolute, default="")
        links.append((name, other, apart.get(other) or _mask_distance(x, None, hidden)))
        masks_b.pop(other, None)
    return links + [(name, name, _mask_distance(None, y, hidden, name=name)) for name, y in masks_b.items()]


def _is_mask(name: str, x: Tensor) -> bool:
    """By its name, or by its numbers: additive, or 0 and 1."""
    if "mask" in name or x.dtype == torch.bool:
        return "head" not in name
    hides = x < MASKED if x.is_floating_point() else x == 1
    return x.dim() > 2 and bool(hides.any()) and bool(((x == 0) | hides).all())


def _mask_distance(x: Tensor | None, y: Tensor | None, hidden: list[Tensor], name: str = "") -> Distance:
    """How far apart two masks are, made additive, (batch, heads, seq, keys)."""
    found = distance(_additive(x), _additive(y, hidden, "padding_mask" in name), is_mask=True)
    return (
        infinite("a mask in a, none in b" if y is None else "a mask in b, none in a")
        if found.absolute and (x is None or y is None)
        else found
    )


def _additive(mask: Tensor | None, hidden: list[Tensor] | None = None, hides: bool = False) -> Tensor:
    if mask is None:
        return torch.zeros(1, 1, 1, 1)
    if not mask.is_floating_point():
        same = [each for each in hidden or () if each.dtype == torch.bool and each.numel() == mask.numel()]
        hides |= mask.dtype == torch.bool and any(torch.equal(each.flatten(), mask.flatten()) for each in same)
        mask = torch.zeros(mask.shape, device=mask.device).masked_fill((mask != 0) == hides, -10000.0)
    if mask.dim() == 2:
        return mask[None, None] if mask.size(0) == mask.size(1) else mask[:, None, None]
    return mask[:, None] if mask.dim() == 3 else mask


def link_outputs(a: Mapping[str, Tensor], b: Mapping[str, Tensor]) -> Links:
    """Which output of a stage is which. Where b lacks the first, there is a link to nothing."""
    if a and not b:
        return [(next(iter(a)), "", infinite("b returns no tensor"))]
    names = {id(y): name for name, y in b.items()}
    links = [(name, names[id(y)], distance(x, y)) for name, x, y in pair_outputs(a, b)]
    lost = [name for name in [*a][:1] if name not in {link[0] for link in links}]
    return [(name, "", infinite("b returns None for it")) for name in lost] + links


def other_order(links: Links, returned: list[str]) -> list[str]:
    """A sentence where b returns by position, in another order than a. returned: b's names of its outputs."""
    names = {other: name for name, other, _ in links if other and other != name}
    in_b, in_a = [names[other] for other in returned if other in names], list(names.values())
    return [f"b returns in another order: {', '.join(in_b)} (as a calls them)."] if in_b != in_a else []


def pair_inputs(a: Mapping[str, Tensor], b: Mapping[str, Tensor]) -> Pairs:
    """Pair by name, then what is left over in order where the shapes are the same."""
    # A mask of True and False is not compared with an additive one.
    pairs = [(n, x, b[n]) for n, x in a.items() if n in b and x.is_floating_point() == b[n].is_floating_point()]
    return pairs + _in_order({n: x for n, x in a.items() if n not in b}, {n: y for n, y in b.items() if n not in a})


def pair_outputs(a: Mapping[str, Tensor], b: Mapping[str, Tensor]) -> Pairs:
    """Pair by key or position, or else by value or in order, or else the first tensors of both, which do not fit."""
    pairs = [(name, x, b[name]) for name, x in a.items() if name in b]
    misfits = {name: x for name, x, y in pairs if x.squeeze().shape != y.squeeze().shape}
    close = {name: y for name, _, y in _close_pairs(misfits, b)}
    pairs = [(name, x, close.get(name, y)) for name, x, y in pairs] or _in_order(a, b)
    return pairs or [(name, x, y) for (name, x), y in zip(a.items(), b.values(), strict=False)][:1]


def _close_pairs(a: Mapping[str, Tensor], b: Mapping[str, Tensor]) -> Pairs:
    """Each of a's with the first of b's, its namesake above all, whose numbers are about the same."""
    pairs, left = [], dict(b)
    for name, x in a.items():
        close = [
            m
            for m, y in left.items()
            if x.is_floating_point() == y.is_floating_point() and not distance(x, y).beyond(1e-5)
        ]
        if close:
            pairs.append((name, x, left.pop(name if name in close else close[0])))
    return pairs


def _in_order(a: Mapping[str, Tensor], b: Mapping[str, Tensor]) -> Pairs:
    """Each of a's with the first of b's that is left and has its shape and kind of number."""
    pairs, left = [], list(b.values())
    for name, x in a.items():
        alike = [i for i, y in enumerate(left) if (x.shape, x.is_floating_point()) == (y.shape, y.is_floating_point())]
        pairs += [(name, x, left.pop(i)) for i in alike[:1]]
    return pairs
