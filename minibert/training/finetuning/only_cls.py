"""Do in the last layer only what the head will read: the vector of [CLS].

    attended = attention(query: x_[CLS],  keys and values: all of x)        (batch, 1, hidden)
    output   = feed_forward(attended)                                       (batch, 1, hidden)

A pooler reads one position of the last layer. The others are computed for nobody, and nine tenths of that layer can be left out:
in a model of six layers one step in seven. Scores, losses and gradients stay what they were, up to rounding.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from torch import Tensor

from ...model import BertPreTrainedModel


@contextmanager
def last_layer_at_cls(model: BertPreTrainedModel) -> Iterator[None]:
    """Within, `model`'s body gives the last hidden state of [CLS] alone: (batch, 1, hidden).

    Packed rows hold several [CLS], so a model with packed attention is left as it is.
    """
    encoder: Any = model.base_model.encoder
    layer = encoder.layer[-1]
    if model.config.attn_implementation == "packed":
        yield
        return

    def forward(hidden_states: Tensor, attention_mask: Tensor | None, *_: Any) -> tuple[Tensor, None, None, None]:
        cls = hidden_states[:, :1]
        attended = layer.attention(cls, encoder_hidden_states=hidden_states, encoder_attention_mask=attention_mask)[0]
        return layer.feed_forward(attended), None, None, None

    layer.forward = forward
    try:
        yield
    finally:
        del layer.forward
