"""Parameter groups: which parameters are decayed, and which are not.

Weight decay keeps matrices small. Biases and LayerNorm's scale and shift are exempt: they are few, they multiply no features
with each other, and pulling a scale towards 0 only works against the normalisation.

Source: google-research/bert, `optimization.py` (`exclude_from_weight_decay`). No reference class: the reference left this to each training script.
"""

from collections.abc import Sequence
from typing import Any

from torch import nn

NO_DECAY = ("bias", "LayerNorm.bias", "LayerNorm.weight")

# What an optimizer takes (params, weight_decay, perhaps lr), with three entries for the reader that its state_dict keeps:
# name (short), parameter_names (in the order of params), why (a sentence).
ParameterGroup = dict[str, Any]


def no_decay_groups(
    model: nn.Module, weight_decay: float = 0.01, no_decay: Sequence[str] = NO_DECAY
) -> list[ParameterGroup]:
    """A group with `weight_decay` and a group without, for `AdamW(no_decay_groups(model), lr=…)`.

    A parameter is exempt if its name contains one of `no_decay`, as in the reference's scripts. A tied parameter stands once,
    under the first of its names. A frozen one (`requires_grad=False`) is left out, and so is a group with nothing in it.

    Raises ValueError if no parameter is trainable, and if `no_decay` is one string instead of several.
    """
    if isinstance(no_decay, str):
        raise ValueError(f"no_decay must be a sequence of name parts, but it is one string; write ({no_decay!r},).")
    decayed: list[tuple[str, nn.Parameter]] = []
    exempt: list[tuple[str, nn.Parameter]] = []
    for name, param in model.named_parameters():  # names a tied parameter once
        if param.requires_grad:
            side = exempt if any(part in name for part in no_decay) else decayed
            side.append((name, param))
    if not decayed and not exempt:
        raise ValueError(
            f"{type(model).__name__} has no parameter with requires_grad=True, so there is nothing to train."
        )

    groups = []
    if decayed:
        why = f"Each step takes lr × {weight_decay} of the weight away: its name contains none of {tuple(no_decay)}."
        groups.append(make_group("decay", decayed, weight_decay, why))
    if exempt:
        why = f"Not decayed: its name contains one of {tuple(no_decay)}."
        groups.append(make_group("no decay", exempt, 0.0, why))
    return groups


def make_group(name: str, members: Sequence[tuple[str, nn.Parameter]], weight_decay: float, why: str) -> ParameterGroup:
    """A parameter group from named parameters."""
    return {
        "params": [param for _, param in members],
        "weight_decay": weight_decay,
        "name": name,
        "parameter_names": [parameter_name for parameter_name, _ in members],
        "why": why,
    }
