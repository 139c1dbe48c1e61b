"""Frozen parts of a model: they have no gradient, are not decayed, and keep the values that they were loaded with.

    freeze(model, "embeddings,encoder.layer.0-3")

Below the lowest trained part nothing is computed backwards. Source: Lee et al. 2019, "What would Elsa do?"
"""

import re
from collections.abc import Sequence
from itertools import chain

from torch import nn

from ..model import BertPreTrainedModel

RANGE = re.compile(r"(\d+)-(\d+)")


def freeze(model: BertPreTrainedModel, parts: str | Sequence[str] | None) -> dict[str, nn.Parameter]:
    """Freeze parts of a model; return their parameters by name.

    parts: stretches of parameter names, in a list or between commas: "embeddings", "encoder.layer.0-3", "LayerNorm"; or "body", all but the head. What is tied is one
    parameter, frozen under all its names. Raises ValueError for a part that names no parameter.
    """
    parts = parts if isinstance(parts, str) else ",".join(parts or ())
    named = dict(model.named_parameters(remove_duplicate=False))
    frozen: dict[str, nn.Parameter] = {}
    for part in chain.from_iterable(map(_one_by_one, parts.split(",") if parts else ())):
        stretch = model.base_model_prefix if part == "body" else part
        found = {name: parameter for name, parameter in named.items() if f".{stretch}." in f".{name}."}
        if not found:
            there = dict.fromkeys(name.removeprefix(f"{model.base_model_prefix}.").split(".")[0] for name in named)
            layers = f"encoder.layer.0-{model.config.num_hidden_layers - 1}"
            raise ValueError(f"freeze: {part!r} names no parameter. There are body, {', '.join(there)}; {layers}.")
        frozen |= found
    for parameter in frozen.values():
        parameter.requires_grad_(False)
    return frozen


def _one_by_one(part: str) -> list[str]:
    """ "layer.0-2" → layer.0, layer.1, layer.2."""
    span = RANGE.search(part)
    numbers = range(int(span[1]), int(span[2]) + 1) if span else ()
    return [RANGE.sub(str(number), part.strip(), count=1) for number in numbers] or [part.strip()]
