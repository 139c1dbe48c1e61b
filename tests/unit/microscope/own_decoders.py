"""Decoders in which no name is minibert's, with a cache, an encoder beside them or relative positions; see `own_berts.py`."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tests.unit.microscope.own_berts import Block


class DecoderBlock(Block):
    """Reads what was kept of earlier words, and an encoder where there is one."""

    def __init__(self, cross: bool, relative: bool):
        super().__init__()
        if cross:
            self.ask, self.answer = nn.Linear(32, 32), nn.Linear(32, 64)
            self.mix2, self.norm3, last = nn.Linear(32, 32), nn.LayerNorm(32, eps=1e-12), self.norm2
            del self.norm2
            self.norm2 = last  # in the order of use, by which they are told apart
        if relative:
            self.far = nn.Embedding(47, 8)

    def kept(self, old: Tensor, new: Tensor) -> Tensor:
        return torch.cat((old, new), dim=2)

    def past(self, old: Any) -> Any:
        return old

    def distance(self, q: Tensor, k: Tensor) -> Tensor:
        return q[:, None] - k[None]

    def scores(self, q: Tensor, k: Tensor) -> Tensor:
        scores = q @ k.mT
        if hasattr(self, "far"):
            places = torch.arange(q.size(2)), torch.arange(k.size(2))
            scores = scores + torch.einsum("bhqd,qkd->bhqk", q, self.far(self.distance(*places) + 23))
        return scores / 8**0.5

    def self_attend(self, x: Tensor, mask: Tensor, old: Any) -> Tensor:
        q, k, v = map(self.split, self.three(x))
        if old is not None:
            old = self.past(old)
            k, v = self.kept(old[0], k), self.kept(old[1], v)
        return self.norm1(x + self.drop(self.mix(self.join(self.weights(self.scores(q, k), mask) @ v))))

    def cross_attend(self, a: Tensor, encoded: Tensor, mask: Tensor) -> Tensor:
        q, (k, v) = self.split(self.ask(a)), map(self.split, self.answer(encoded).chunk(2, -1))
        return self.norm3(a + self.drop(self.mix2(self.join(self.weights(q @ k.mT / 8**0.5, mask) @ v))))

    def cross(self, x: Tensor, a: Tensor, encoded: Tensor, mask: Tensor) -> Tensor:  # noqa: ARG002
        return self.cross_attend(a, encoded, mask)

    def forward(self, x: Tensor, mask: Tensor, old: Any, encoded: Any, encoded_mask: Any) -> Tensor:
        a = self.self_attend(x, mask, old)
        return self.second(a if encoded is None else self.cross(x, a, encoded, encoded_mask))


class Decoder(nn.Module):
    def __init__(self, block: type = DecoderBlock, cross: bool = False, relative: bool = False):
        super().__init__()
        self.tok, self.seg = nn.Embedding(99, 32), nn.Embedding(2, 32)
        self.pos = None if relative else nn.Embedding(24, 32)
        self.norm, self.drop = nn.LayerNorm(32, eps=1e-12), nn.Dropout(0.1)
        self.blocks = nn.ModuleList(block(cross, relative) for _ in range(2))
        self.mlm, self.mlm_norm, self.mlm_bias = (
            nn.Linear(32, 32),
            nn.LayerNorm(32, 1e-12),
            nn.Parameter(torch.zeros(99)),
        )

    def positions(self, new: int, old: int) -> Tensor:
        return torch.arange(old, old + new)

    def causal(self, new: int, old: int) -> Tensor:
        return torch.ones(new, old + new).tril(old)

    def mask(self, mask: Tensor, new: int) -> Tensor:
        return (1.0 - mask[:, None, None] * self.causal(new, mask.size(1) - new)) * -10000.0

    def loss(self, words: Tensor, labels: Tensor) -> Tensor:
        return F.cross_entropy(words[:, :-1].flatten(0, 1), labels[:, 1:].flatten())

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor,
        token_type_ids: Any = None,
        labels: Any = None,
        past_key_values: Any = None,
        encoder_hidden_states: Any = None,
        encoder_attention_mask: Any = None,
    ) -> dict[str, Tensor]:
        new, old = input_ids.size(1), 0 if past_key_values is None else past_key_values[0][0].size(2)
        x = self.tok(input_ids) + self.seg(torch.zeros_like(input_ids) if token_type_ids is None else token_type_ids)
        x = x if self.pos is None else x + self.pos(self.positions(new, old))
        x, mask = self.drop(self.norm(x)), self.mask(attention_mask, new)
        hides = None if encoder_attention_mask is None else (1.0 - encoder_attention_mask[:, None, None]) * -1e9
        for i, block in enumerate(self.blocks):
            x = block(x, mask, None if past_key_values is None else past_key_values[i], encoder_hidden_states, hides)
        words = F.linear(self.mlm_norm(F.gelu(self.mlm(x))), self.tok.weight, self.mlm_bias)
        return {"logits": words} if labels is None else {"loss": self.loss(words, labels), "logits": words}


def shifted(words: slice, labels: slice) -> Any:
    return lambda _, w, y: F.cross_entropy(w[:, words].flatten(0, 1), y[:, labels].flatten())


WHOLE, LAYER, LAST = "", "bert.encoder.layer.0", "bert.encoder.layer.1"
# What the decoder has (labels, a cache, an encoder, relative positions) → mistakes: method, stage, what is said.
DECODERS: dict[str, list[tuple[str, Any, str, str]]] = {
    "labels": [
        ("loss", shifted(slice(None), slice(None)), WHOLE, "the labels are not shifted"),
        ("loss", shifted(slice(1, None), slice(-1)), WHOLE, "the labels are shifted the wrong way"),
        ("loss", shifted(slice(-2), slice(2, None)), WHOLE, "the labels are shifted twice"),
        ("causal", lambda _, new, old: torch.ones(new, old + new), WHOLE, "the causal mask is missing"),
        ("causal", lambda _, new, old: torch.ones(new, old + new).triu(old), WHOLE, "hides the past, not the future"),
        ("causal", lambda _, new, old: torch.ones(new, old + new).tril(old - 1), WHOLE, "hides each word from itself"),
        ("mask", lambda m, _, new: (1 - m.causal(new, 0)) * -1e4, WHOLE, "the padding is not hidden"),
    ],
    "cache": [
        ("kept", lambda _, old, new: torch.cat((new, old), dim=2), LAYER, "put before the cached ones"),
        ("kept", lambda _, old, new: torch.cat((old, new), dim=1), LAYER, "the cache is joined along the heads"),
        ("kept", lambda _, old, new: torch.cat((old, new), dim=-1), LAYER, "the cache is joined along the width"),
        ("past", lambda _, old: (old[0], old[0]), LAYER, "the cached keys serve as values too"),
        ("positions", lambda _, new, _old: torch.arange(new), WHOLE, "begin at 0 although there are cached words"),
        ("causal", lambda _, new, old: torch.ones(new, old + new).tril(), WHOLE, "begins at the first cached word"),
    ],
    "encoder": [
        ("cross", lambda _m, _x, a, *_: a, LAYER, "cross-attention is left out"),
        ("cross", lambda m, x, _, *encoder: m.cross_attend(x, *encoder), LAYER, "asks with the layer's input"),
        (
            "cross",
            lambda m, _, a, *__: m.cross_attend(a, a, 0.0),
            LAYER,
            "cross-attention reads the decoder, not the encoder",
        ),
        ("cross", lambda m, _, a, encoded, __: m.cross_attend(a, encoded, 0.0), LAYER, "the mask is forgotten"),
    ],
    "relative": [
        ("distance", lambda _, q, k: k[None] - q[:, None], LAYER, "have the other sign"),
        ("distance", lambda _, q, k: q[:, None] - k[None] + 1, LAYER, "too large by 1"),
        ("scores", lambda m, q, k: Block.scores(m, q, k), LAYER, "the relative scores are left out"),
    ],
}
