"""The tensors inside whatever a module takes or returns, each with a name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from torch import Tensor


def named_tensors(value: Any) -> dict[str, Tensor]:
    """Keys and positions, joined by dots, lead to each tensor: {"logits": …}, {"0": …, "2.1": …}; a lone one is "0".

    Mappings, tuples and lists are opened. None, numbers and objects of other classes are left out.
    """
    return {"0": value} if isinstance(value, Tensor) else dict(_walk("", value))


def _walk(name: str, value: Any) -> Iterator[tuple[str, Tensor]]:
    if isinstance(value, Tensor):
        yield name, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _walk(f"{name}.{key}" if name else str(key), item)
    elif isinstance(value, (tuple, list)):
        for position, item in enumerate(value):
            yield from _walk(f"{name}.{position}" if name else str(position), item)
