"""Parameter groups: which parameters are decayed, and, for fine-tuning, how far each layer may move.

Weight decay keeps matrices small. Biases and LayerNorm's scale and shift are exempt: they are few, they multiply no
features with each other, and pulling a scale towards 0 only works against the normalisation.

Layer-wise learning rates: the lower a layer, the more general its features, and the smaller its steps.

    lr(depth) = lr · layer_decay^(top − depth)

    depth 0        embeddings
    depth N + 1    encoder.layer.N
    depth top      all else: the pooler and the heads, at lr itself

Sources: google-research/bert, `optimization.py` (`exclude_from_weight_decay`); Howard & Ruder 2018, section 3.2; Clark
et al. 2020 (ELECTRA), appendix B; Sun et al. 2019, section 5.3. No reference class: each script made its own groups.
"""

import re
from collections.abc import Sequence
from typing import Any

from torch import nn

NO_DECAY = ("bias", "LayerNorm.bias", "LayerNorm.weight")
LAYER_NUMBER = re.compile(r"\bencoder\.layer\.(\d+)\.")
EMBEDDINGS = re.compile(r"(^|\.)embeddings\.")

# What an optimizer takes (params, weight_decay, perhaps lr), and three entries for the reader, which its state_dict
# keeps: name (short), parameter_names (in the order of params), why (a sentence).
ParameterGroup = dict[str, Any]


def no_decay_groups(
    model: nn.Module, weight_decay: float = 0.01, no_decay: Sequence[str] = NO_DECAY
) -> list[ParameterGroup]:
    """A group with `weight_decay` and a group without, for `AdamW(no_decay_groups(model), lr=…)`.

    A parameter is exempt if its name contains one of `no_decay`, as in the reference's scripts. A tied parameter is
    listed once, under its first name. A frozen one (`requires_grad=False`) is left out, and so is an empty group.

    Raises ValueError if no parameter is trainable, and if `no_decay` is one string instead of several.
    """
    if isinstance(no_decay, str):
        raise ValueError(f"no_decay must be a sequence of name parts, but it is one string; write ({no_decay!r},).")
    trained = {name: param for name, param in model.named_parameters() if param.requires_grad}  # a tied one once
    if not trained:
        raise ValueError(f"{type(model).__name__} has no parameter with requires_grad=True: there is nothing to train.")
    exempt = {name: param for name, param in trained.items() if any(part in name for part in no_decay)}
    decayed = {name: param for name, param in trained.items() if name not in exempt}
    why = f"Each step takes lr × {weight_decay} of the weight away: its name contains none of {tuple(no_decay)}."
    why_not = f"Not decayed: its name contains one of {tuple(no_decay)}."
    groups = [
        {"name": "decay", "weight_decay": weight_decay, "why": why, **members(decayed)},
        {"name": "no decay", "weight_decay": 0.0, "why": why_not, **members(exempt)},
    ]
    return [group for group in groups if group["params"]]


def layerwise_groups(
    model: nn.Module,
    lr: float,
    layer_decay: float = 0.95,
    weight_decay: float = 0.01,
    no_decay: Sequence[str] = NO_DECAY,
) -> list[ParameterGroup]:
    """`no_decay_groups`, each split by depth, each depth with its own `lr`. Pass the same `lr` to the optimizer.

    Depth is read from BERT's parameter names. A tied output matrix *is* the word embeddings, and has their rate.

    Raises ValueError if `layer_decay` is not above 0 and at most 1, if no name contains `encoder.layer.N`, and
    whatever `no_decay_groups` raises.
    """
    if not 0.0 < layer_decay <= 1.0:
        raise ValueError(f"layer_decay must be above 0 and at most 1, but it is {layer_decay}.")
    numbers = [int(found[1]) for name, _ in model.named_parameters() if (found := LAYER_NUMBER.search(name))]
    if not numbers:
        kind = type(model).__name__
        raise ValueError(f"No parameter name of {kind} contains 'encoder.layer.N'. Use no_decay_groups for it.")
    top = max(numbers) + 2
    groups = []
    for group in no_decay_groups(model, weight_decay, no_decay):
        by_depth: dict[int, dict[str, nn.Parameter]] = {}
        for name, param in zip(group["parameter_names"], group["params"], strict=True):
            by_depth.setdefault(depth_of(name, top), {})[name] = param
        for depth, named in sorted(by_depth.items()):
            rate = lr * layer_decay ** (top - depth)
            stage = {0: "embeddings", top: "pooler and heads"}.get(depth, f"layer {depth - 1}")
            why = f"{group['why']} lr is {lr} × {layer_decay}^{top - depth}: {top - depth} below the top."
            groups.append({**group, "lr": rate, "name": f"{stage}, {group['name']}", "why": why, **members(named)})
    return groups


def members(named: dict[str, nn.Parameter]) -> ParameterGroup:
    """The two entries of a group that say which parameters are in it."""
    return {"params": list(named.values()), "parameter_names": list(named)}


def depth_of(name: str, top: int) -> int:
    """How far from the input a parameter is, by its name."""
    if found := LAYER_NUMBER.search(name):
        return int(found[1]) + 1
    return 0 if EMBEDDINGS.search(name) else top
