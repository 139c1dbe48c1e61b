"""Every acceleration, asked for by name: `from minibert import fast`. Nothing in the core knows how these work.

    with fast.training(model): …                   training steps with less work                training_steps.py
        of which: linear_layers.py, dropout.py, loss_only.py, last_layer.py; on a GPU fused_attention.py
    with fast.linear(model): …                     matrix products by the faster library        linear_layers.py
    with fast.linear(model, frozen=True): …        and a few words, by weights that stay      blocks.py
    with fast.packed(model): …                     padding is left out of all layers            packing.py
    model.generate(…, fast=True)                   a new word by a network for one token        one_token.py, few_rows.py, cuda_graph.py
    AdamW(…, implementation="fused")               the optimizer's update in one pass           adamw.py
    fast.WordGradient(embedding)                   its gradient in memory that stays            word_gradient.py
    fast.keep_freed_memory()                       freed memory stays for the next step         memory.py
    with fast.same_in_any_batch(model): …          no faster: the same bits in any batch        any_batch.py

Each name is imported when it is first used, so that asking for one does not load the others.
"""

from importlib import import_module
from typing import Any

_HOMES = {
    "training": "training_steps",
    "linear": "linear_layers",
    "packed": "packing",
    "fast_dropout": "dropout",
    "last_layer_at_cls": "last_layer",
    "last_layer_at_labels": "last_layer",
    "WordGradient": "word_gradient",
    "keep_freed_memory": "memory",
    "same_in_any_batch": "any_batch",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"minibert.fast has no {name!r}. It has: {', '.join(_HOMES)}.")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)
