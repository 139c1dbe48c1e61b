"""Do in the last layer only what somebody will read.

    attended = attention(query: x at the places,  keys and values: all of x)        (batch, places, hidden)
    output   = feed_forward(attended)                                               (batch, places, hidden)

A pooler reads one position of the last layer, and the loss of hidden words 15 in 100. The others are computed for nobody: in a model
of six layers leaving them out saves nearly one step in seven. Scores, losses and gradients stay what they were, up to rounding.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ..data.masking import IGNORED
from ..model.bert import BertModel


def places_to_look(labels: Tensor) -> tuple[Tensor, Tensor]:
    """Of each row, [CLS] and the positions that have a label: (batch, places), and which of these have one.

    Rows with fewer labels than others are filled up with positions that have none.
    """
    is_labelled = labels != IGNORED  # (batch, seq)
    most = int(is_labelled.sum(dim=1).max())
    behind_cls = is_labelled[:, 1:].to(torch.int8).argsort(dim=1, descending=True, stable=True)[:, :most] + 1
    places = F.pad(behind_cls, (1, 0))
    return places, is_labelled.gather(1, places)


def can_look_at_places(body: BertModel) -> bool:
    """Whether `last_layer_at` can take any places. Attention from one set of positions to another is what cross-attention does:
    it knows no distances between positions, and packed rows have theirs end to end.
    """
    return body.config.position_embedding_type == "absolute" and body.config.attn_implementation != "packed"


@contextmanager
def last_layer_at(body: BertModel, places: Tensor | None = None) -> Iterator[None]:
    """Within, `body` gives its last hidden states at `places`, (batch, places) int64, alone; without places at [CLS].

    They become (batch, places, hidden). places: only where `can_look_at_places`. [CLS] alone can be asked with relative
    positions too; with packed attention the body is left as it is.
    """
    if body.config.attn_implementation == "packed":
        yield
        return
    layers: Any = body.encoder.layer
    layer = layers[-1]

    def forward(hidden_states: Tensor, attention_mask: Tensor | None, *_: Any) -> tuple[Tensor, None, None, None]:
        asking = hidden_states[:, :1] if places is None else at(hidden_states, places)
        asked = {"encoder_hidden_states": hidden_states, "encoder_attention_mask": attention_mask}
        attended = layer.attention(asking, **asked)[0]
        return layer.feed_forward(attended), None, None, None

    layer.forward = forward
    try:
        yield
    finally:
        del layer.forward


def at(states: Tensor, places: Tensor) -> Tensor:
    """(batch, seq, hidden) and (batch, places) → (batch, places, hidden)."""
    return states.gather(1, places[..., None].expand(-1, -1, states.size(-1)))
