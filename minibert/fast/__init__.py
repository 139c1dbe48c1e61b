"""Every acceleration, asked for by name: `from minibert import fast`. Nothing in the core knows how these work.

    with fast.packed(model): …                     padding is left out of all layers            packing.py
    model.generate(…, fast=True)                   a new word by a network for one token         one_token.py
    AdamW(…, implementation="blocked")             the optimizer's update, block by block       adamw.py

Each name is imported when it is first used, so that asking for one does not load the others.
"""

from importlib import import_module
from typing import Any

_HOMES = {"packed": "packing"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"minibert.fast has no {name!r}. It has: {', '.join(_HOMES)}.")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)
