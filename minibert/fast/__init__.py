"""Every acceleration, asked for by name: `from minibert import fast`. Nothing in the core knows how these work.

    with fast.packed(model): …                     padding is left out of all layers            packing.py
    model.generate(…, fast=True)                   a new word by a network for one token         one_token.py
    AdamW(…, implementation="blocked")             the optimizer's update, block by block       adamw.py
    fast.FastTraining(model, reads=…)              training steps with less work                training.py
        of which: dropout.py, last_layer.py
    fast.keep_freed_memory()                       freed memory stays for the next step         training.py

Each name is imported when it is first used, so that asking for one does not load the others.
"""

from importlib import import_module
from typing import Any

_HOMES = {
    "packed": "packing",
    "FastTraining": "training",
    "fast_dropout": "dropout",
    "last_layer_at_cls": "last_layer",
    "last_layer_at_labels": "last_layer",
    "keep_freed_memory": "training",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"minibert.fast has no {name!r}. It has: {', '.join(_HOMES)}.")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)
