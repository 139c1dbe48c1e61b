"""The same weights in transformers' own model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
import transformers
from torch import nn


def of_transformers(model: Any, folder: Path | str = "theirs") -> nn.Module:
    """transformers' model of the same class, config and weights, its attention written out, in the same mode."""
    model.save_pretrained(folder)
    theirs = getattr(transformers, type(model).__name__).from_pretrained(folder, attn_implementation="eager")
    return theirs.train(model.training)


def without_dropout(model: Any) -> Any:
    """The model with every dropout at 0, so that two libraries need not draw alike."""
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    for name in ("hidden_dropout_prob", "attention_probs_dropout_prob"):
        setattr(model.config, name, 0.0)
    return model


def farthest(ours: Any, theirs: Any) -> float:
    """The largest difference of two lists of numbers."""
    a, b = (torch.as_tensor(each, dtype=torch.float64) for each in (ours, theirs))
    assert a.shape == b.shape
    return float((a - b).abs().max())
