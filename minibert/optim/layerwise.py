"""Layer-wise learning rates for fine-tuning: the lower the layer, the more general what it knows, the less it should move.

    lr(depth) = lr · layer_decay^(top − depth)

    depth 0        embeddings
    depth N + 1    encoder.layer.N
    depth top      all else: the pooler and the heads, which learn at lr itself

Source: Howard & Ruder 2018, section 3.2 (discriminative fine-tuning); Clark et al. 2020 (ELECTRA), appendix B; Sun et al. 2019, section 5.3.
No reference class: ours.
"""

import re
from collections.abc import Sequence

from torch import nn

from .groups import NO_DECAY, ParameterGroup, no_decay_groups

LAYER_NUMBER = re.compile(r"\bencoder\.layer\.(\d+)\.")
EMBEDDINGS = re.compile(r"(^|\.)embeddings\.")


def layerwise_groups(
    model: nn.Module,
    lr: float,
    layer_decay: float = 0.95,
    weight_decay: float = 0.01,
    no_decay: Sequence[str] = NO_DECAY,
) -> list[ParameterGroup]:
    """`no_decay_groups`, each split by depth, each part with its own `lr`. Pass the same `lr` to the optimizer.

    Depth is read from BERT's parameter names. A tied output matrix *is* the word embeddings, and learns at their rate.

    Raises ValueError if `layer_decay` is not above 0 and at most 1, if no name contains `encoder.layer.N`, and
    whatever `no_decay_groups` raises.
    """
    if not 0.0 < layer_decay <= 1.0:
        raise ValueError(f"layer_decay must be above 0 and at most 1, but it is {layer_decay}.")
    numbers = [int(found[1]) for name, _ in model.named_parameters() if (found := LAYER_NUMBER.search(name))]
    if not numbers:
        raise ValueError(
            f"No parameter name of {type(model).__name__} contains 'encoder.layer.N', so its layers cannot be told apart. "
            "Use no_decay_groups."
        )
    top = max(numbers) + 2

    groups = []
    for group in no_decay_groups(model, weight_decay, no_decay):
        members = list(zip(group["parameter_names"], group["params"], strict=True))
        for depth in sorted({depth_of(name, top) for name, _ in members}):
            here = [(name, param) for name, param in members if depth_of(name, top) == depth]
            groups.append(
                {
                    **group,
                    "params": [param for _, param in here],
                    "lr": lr * layer_decay ** (top - depth),
                    "name": f"{stage_name(depth, top)}, {group['name']}",
                    "parameter_names": [name for name, _ in here],
                    "why": f"{group['why']} lr is {lr} × {layer_decay}^{top - depth}: {top - depth} below the top.",
                }
            )
    return groups


def depth_of(name: str, top: int) -> int:
    """How far from the input a parameter sits, by its name."""
    if found := LAYER_NUMBER.search(name):
        return int(found[1]) + 1
    return 0 if EMBEDDINGS.search(name) else top


def stage_name(depth: int, top: int) -> str:
    """What a reader calls this depth."""
    if depth == 0:
        return "embeddings"
    return "pooler and heads" if depth == top else f"layer {depth - 1}"
