"""Where wrong numbers come from: each layer's weights in turn are made to do nothing, and the student's part is compared again.

If it is right without the position embeddings, the mistake is in what is done with them. What is left must still depend on the input,
or being right would mean nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor

from .cases import Case
from .dropping import dropout_noted
from .judge import CLOSE, Maker, StudentError, call, distance, make_function
from .reference import reference

AT_MOST = 3  # names in a hint


def where_it_is_right(case: Case, make: Maker) -> str:
    """A sentence that names the layers without which the student's part is right, or nothing."""
    names = list(dict.fromkeys(name.rpartition(".")[0] or name for name in case.weights))
    found = [name for name in names if _is_right(replace(case, weights=without(name, case.weights)), make)]
    if not found or len(found) > AT_MOST:
        return ""
    said = " or ".join(f"{name} (weight 1, bias 0)" if "LayerNorm" in name else f"{name} (all 0)" for name in found)
    return f" It is right without {said}: look at what is done there."


def without(name: str, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights with those of one layer, or one table, at 0; a LayerNorm only normalises then."""
    neutral = {f"{name}.weight": 1.0 if "LayerNorm" in name else 0.0, f"{name}.bias": 0.0, name: 0.0}
    return {
        each: torch.full_like(tensor, neutral[each]) if each in neutral else tensor for each, tensor in weights.items()
    }


def _is_right(case: Case, make: Maker) -> bool:
    try:
        with torch.no_grad(), dropout_noted():
            theirs = reference(case.part, case.config, case.weights)(*case.inputs)
            others = reference(case.part, case.config, case.weights)(_another(case.inputs[0], case), *case.inputs[1:])
            mine = call(make_function(make, case.config, case.weights), *case.inputs)
    except (StudentError, NotImplementedError):
        return False
    if not isinstance(theirs, Tensor) or not isinstance(mine, Tensor) or mine.shape != theirs.shape:
        return False
    return distance(mine, theirs) <= CLOSE and not torch.equal(theirs, others)


def _another(first: Tensor, case: Case) -> Tensor:
    """Another first input: what does not change with it tells nothing."""
    return first + 0.5 if first.is_floating_point() else first % (case.config.vocab_size - 1) + 1
