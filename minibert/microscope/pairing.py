"""Which modules, parameters and tensors of two models correspond. No reference class: ours."""

from collections.abc import Mapping
from itertools import combinations

import torch
from torch import Tensor, nn

Pairs = list[tuple[str, Tensor, Tensor]]  # tensors of a and b, with their names in a


def common_parts(a: nn.Module, b: nn.Module) -> tuple[nn.Module, nn.Module]:
    """The outermost two that share most names of modules: both models, or one and a module inside the other."""

    def shared(pair: tuple[nn.Module, nn.Module]) -> int:
        names_a, names_b = ({name for name, _ in part.named_modules()} for part in pair)
        return len(names_a & names_b)

    return max([(a, b), *((a, inner) for inner in b.modules()), *((inner, b) for inner in a.modules())], key=shared)


@torch.no_grad()
def copy_parameters(a: nn.Module, b: nn.Module) -> None:
    """Write into b what a has under the same name. Raises ValueError for another shape, or if no name is the same."""
    theirs = b.state_dict()
    shared = {name: (tensor, theirs[name]) for name, tensor in a.state_dict().items() if name in theirs}
    if not shared:
        raise ValueError("No parameter of b has the name of one of a, so none can be copied.")
    for name, (x, y) in shared.items():
        if x.shape != y.shape:
            shapes = f"shape {tuple(x.shape)} in a and {tuple(y.shape)} in b"
            raise ValueError(f"{name} has {shapes}. Build both with the same config.")
    for x, y in shared.values():
        y.copy_(x)


def differently_tied(a: nn.Module, b: nn.Module) -> list[str]:
    """A sentence for each pair of names that is one parameter in one model and two in the other."""
    ours, theirs = (dict(model.named_parameters(remove_duplicate=False)) for model in (a, b))
    sentences = []
    for x, y in combinations([name for name in ours if name in theirs], 2):
        if (ours[x] is ours[y]) != (theirs[x] is theirs[y]):
            one, two = ("a", "b") if ours[x] is ours[y] else ("b", "a")
            sentences.append(f"{x} and {y} are one parameter in {one} and two in {two}.")
    return sentences


def pair_inputs(a: Mapping[str, Tensor], b: Mapping[str, Tensor]) -> Pairs:
    """Pair by name, then what is left over in order where the shapes are the same."""
    # A mask of True and False is not compared with an additive one.
    pairs = [(n, x, b[n]) for n, x in a.items() if n in b and x.is_floating_point() == b[n].is_floating_point()]
    return pairs + _in_order({n: x for n, x in a.items() if n not in b}, {n: y for n, y in b.items() if n not in a})


def pair_outputs(a: Mapping[str, Tensor], b: Mapping[str, Tensor]) -> Pairs:
    """Pair by key or position, or else in order, or else the first tensors of both, which do not fit."""
    pairs = [(name, x, b[name]) for name, x in a.items() if name in b] or _in_order(a, b)
    return pairs or [(name, x, y) for (name, x), y in zip(a.items(), b.values(), strict=False)][:1]


def _in_order(a: Mapping[str, Tensor], b: Mapping[str, Tensor]) -> Pairs:
    """Each of a's with the first of b's that is left and has its shape and kind of number."""
    pairs, left = [], list(b.values())
    for name, x in a.items():
        alike = [i for i, y in enumerate(left) if (x.shape, x.is_floating_point()) == (y.shape, y.is_floating_point())]
        pairs += [(name, x, left.pop(i)) for i in alike[:1]]
    return pairs
