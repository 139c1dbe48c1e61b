"""The dropout in front of a classifier."""

from __future__ import annotations

from torch import nn

from ..config import BertConfig


def classifier_dropout(config: BertConfig) -> nn.Dropout:
    """Dropout with `classifier_dropout`, or where that is None with `hidden_dropout_prob`."""
    return nn.Dropout(config.hidden_dropout_prob if config.classifier_dropout is None else config.classifier_dropout)
