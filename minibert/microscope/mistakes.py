"""Classic mistakes, stage by stage, each as the formula that it is. No reference class: ours.

Each list has the stage's right formula first, then sentences that complete "It is what you get if …", each with what the stage
would compute then. Stages go by the name of their class, so they are found in the reference too. `attention_mistakes.py` has those of
attention, `diagnosis.py` tries them.
"""

from collections.abc import Callable
from functools import partial
from math import sqrt
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .attention_mistakes import Hypotheses

Activation = Callable[[Tensor], Tensor]


# ----------------------------------------------------------------------------------------------------------- embeddings


def embed(
    m: Any,
    input_ids: Any = None,
    token_type_ids: Any = None,
    position_ids: Any = None,
    inputs_embeds: Any = None,
    past_key_values_length: int = 0,
    *,
    segment: Callable[[Tensor], Tensor] = lambda segment: segment,
    position: Callable[[Tensor, int], Tensor] = lambda position, _past: position,
    total: Callable[..., Tensor] = lambda norm, word, s, p: norm(word + s + p),
) -> Tensor:
    """norm(word + segment + position)"""
    word = m.word_embeddings(input_ids) if inputs_embeds is None else inputs_embeds
    ones = torch.ones(word.shape[:2], dtype=torch.long, device=word.device)
    if position_ids is None:
        position_ids = past_key_values_length - 1 + ones.cumsum(1)
    s = m.token_type_embeddings(segment(0 * ones if token_type_ids is None else token_type_ids))
    p = m.position_embeddings(position(position_ids, past_key_values_length))
    if getattr(m, "position_embedding_type", "absolute") != "absolute":
        p = torch.zeros_like(p)
    return total(m.LayerNorm, word, s=s, p=p)


def waves(word: Tensor) -> Tensor:
    """Vaswani's positions, (seq, hidden): sin and cos of position / 10000^(2i / hidden), in turn."""
    places, i = torch.arange(word.size(1))[:, None], torch.arange(0, word.size(-1), 2)
    angles = places * 10000.0 ** (-i / word.size(-1))
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1).to(word)


EMBEDDINGS: Hypotheses = [("", embed)]
for sentence, what in {
    "the segments are exchanged": lambda s: 1 - s,
    "every word is in segment 0": torch.zeros_like,
    "every word is in segment 1": torch.ones_like,
    "the segments are too large by 1": lambda s: s + 1,
    "the segments are too small by 1": lambda s: (s - 1).clamp(min=0),
}.items():
    EMBEDDINGS.append((sentence, partial(embed, segment=what)))
for sentence, where in {
    "the positions begin at 1, not at 0": lambda p, _: p + 1,
    "the positions begin at 2, not at 0": lambda p, _: p + 2,
    "the positions are too small by 1": lambda p, _: (p - 1).clamp(min=0),
    "the positions run backwards": lambda p, _: p.flip(-1),
    "every word is at position 0": lambda p, _: torch.zeros_like(p),
    "the positions begin at 0 although there are cached words": lambda p, past: p - past,
}.items():
    EMBEDDINGS.append((sentence, partial(embed, position=where)))
SUMS: dict[str, Callable[..., Tensor]] = {
    "the segments are not added": lambda norm, word, p, **_: norm(word + p),
    "the positions are not added": lambda norm, word, s, **_: norm(word + s),
    "neither segments nor positions are added": lambda norm, word, **_: norm(word),
    "the words are not added": lambda norm, _, s, p: norm(s + p),
    "the positions are sines and cosines, not learned": lambda norm, word, s, **_: norm(word + s + waves(word)),
    "LayerNorm is missing": lambda _, word, s, p: word + s + p,
    "LayerNorm is of the words alone": lambda norm, word, s, p: norm(word) + s + p,
    "the words are multiplied by √hidden": lambda norm, word, s, p: norm(word * sqrt(word.size(-1)) + s + p),
    "the embeddings are multiplied, not added": lambda norm, word, s, p: norm(word * s * p),
}
EMBEDDINGS += [(sentence, partial(embed, total=total)) for sentence, total in SUMS.items()]


# ------------------------------------------------------------------------------ attention's block, add & norm, feed-forward


def attention_block(m: Any, hidden_states: Tensor, *mask: Any, change: Any = None, **given: Any) -> Tensor:
    """norm(W attend(x) + b + x). change: is given the projection with add & norm, attention as a function, and x."""

    def attend(x: Tensor) -> Tensor:
        return m.self(x, *mask, **given)[0]

    x = hidden_states
    return m.output(attend(x), x) if change is None else change(m.output, attend, x)


ATTENTION_BLOCK: Hypotheses = [("", attention_block)]
for sentence, change in {
    "LayerNorm comes first (pre-norm) in attention": lambda m, attend, x: m.dense(attend(m.LayerNorm(x))) + x,
    "LayerNorm comes before attention too": lambda m, attend, x: m(attend(m.LayerNorm(x)), x),
    "LayerNorm comes first, and its result is the residual": lambda m, attend, x: (
        m.LayerNorm(x) + m.dense(attend(m.LayerNorm(x)))
    ),
    "the residual is added before the dense layer": lambda m, attend, x: m.LayerNorm(m.dense(attend(x) + x)),
}.items():
    ATTENTION_BLOCK.append((sentence, partial(attention_block, change=change)))

ADD_NORM: Hypotheses = [
    ("", lambda m, h, x: m.LayerNorm(m.dense(h) + x)),
    ("the residual is left out", lambda m, h, _: m.LayerNorm(m.dense(h))),
    ("the residual is the dense layer's result, not the input", lambda m, h, _: m.LayerNorm(m.dense(h) * 2)),
    ("the residual is what the dense layer takes", lambda m, h, _: m.LayerNorm(m.dense(h) + h)),
    ("the residual is added twice", lambda m, h, x: m.LayerNorm(m.dense(h) + 2 * x)),
    ("the residual is subtracted", lambda m, h, x: m.LayerNorm(m.dense(h) - x)),
    ("the residual is multiplied, not added", lambda m, h, x: m.LayerNorm(m.dense(h) * x)),
    ("LayerNorm comes before the residual is added", lambda m, h, x: m.LayerNorm(m.dense(h)) + x),
    ("LayerNorm is of the residual alone", lambda m, h, x: m.dense(h) + m.LayerNorm(x)),
    ("LayerNorm is missing", lambda m, h, x: m.dense(h) + x),
    ("LayerNorm comes twice", lambda m, h, x: m.LayerNorm(m.LayerNorm(m.dense(h) + x))),
    ("LayerNorm comes before the residual too", lambda m, h, x: m.LayerNorm(m.LayerNorm(m.dense(h)) + x)),
    ("an activation follows this dense layer", lambda m, h, x: m.LayerNorm(F.gelu(m.dense(h)) + x)),
    ("this dense layer is left out", lambda m, h, x: m.LayerNorm(h + x)),
]

OTHER_ACTIVATIONS: list[tuple[str, Activation]] = [
    ("gelu is its approximation by tanh", lambda x: F.gelu(x, approximate="tanh")),
    ("gelu is its approximation by σ", lambda x: x * torch.sigmoid(1.702 * x)),
    ("gelu is the exact one, by erf", F.gelu),
    ("gelu is the exact one, but with erf(x) for erf(x / √2)", lambda x: x / 2 * (1 + torch.erf(x))),
    ("gelu is x · σ(x) (silu)", F.silu),
    ("gelu is relu", F.relu),
    ("gelu is tanh", torch.tanh),
    ("gelu is σ", torch.sigmoid),
    ("gelu is Φ(x), without the factor x", lambda x: torch.special.ndtr(x)),
    ("gelu is left out", lambda x: x),
]

INTERMEDIATE: Hypotheses = [
    ("", lambda m, x: m.intermediate_act_fn(m.dense(x))),
    *[(sentence, lambda m, x, other=other: other(m.dense(x))) for sentence, other in OTHER_ACTIVATIONS],
    ("gelu comes before the dense layer", lambda m, x: m.dense(m.intermediate_act_fn(x))),
    ("gelu comes twice", lambda m, x: m.intermediate_act_fn(m.intermediate_act_fn(m.dense(x)))),
]


# ------------------------------------------------------------------------------------------------------ layer and stack


def layer(m: Any, hidden_states: Tensor, attention_mask: Any = None, *, steps: Any = None, **given: Any) -> Tensor:
    """feed(cross(read(x))). Steps: read is given attention before its dense layer; cross and feed the layer's input and what they read."""
    do, x = LAYER_STEPS | (steps or {}), hidden_states
    encoder = {name: other for name, other in given.items() if name.startswith("encoder_")}
    a = do["read"](m, lambda y: m.attention.self(y, attention_mask=attention_mask)[0], x)
    if encoder or "cross" in (steps or {}):  # without an encoder, a mistake in reading it raises
        a = do["cross"](m, x, a, encoder=encoder or None)
    return do["feed"](m, x, a)


def late_gelu(m: Any, _: Tensor, a: Tensor) -> Tensor:
    """The activation after the second dense layer."""
    return m.output.LayerNorm(m.intermediate.intermediate_act_fn(m.output.dense(m.intermediate.dense(a))) + a)


def norm_first(m: Any, _: Tensor, a: Tensor) -> Tensor:
    """The feed-forward network with its LayerNorm before it."""
    return a + m.output.dense(m.intermediate(m.output.LayerNorm(a)))


def attend_norm_first(m: Any, attend: Activation, x: Tensor) -> Tensor:
    """Self-attention with its LayerNorm before it."""
    return x + m.attention.output.dense(attend(m.attention.output.LayerNorm(x)))


def norm_of_attention(m: Any, _: Tensor, a: Tensor) -> Tensor:
    """The feed-forward network with the LayerNorm of attention."""
    return m.attention.output.LayerNorm(m.output.dense(m.intermediate(a)) + a)


def norm_of_feed(m: Any, attend: Activation, x: Tensor) -> Tensor:
    """Self-attention with the LayerNorm of the feed-forward network."""
    return m.output.LayerNorm(m.attention.output.dense(attend(x)) + x)


LAYER_STEPS: dict[str, Any] = {
    "read": lambda m, attend, x: m.attention.output(attend(x), x),
    "cross": lambda m, _, a, encoder: m.crossattention(a, **encoder)[0],
    "feed": lambda m, _, a: m.output(m.intermediate(a), a),
}
FEED: Hypotheses = [
    ("the feed-forward network adds the layer's input", lambda m, x, a: m.output(m.intermediate(a), x)),
    ("the feed-forward network reads the layer's input", lambda m, x, a: m.output(m.intermediate(x), a)),
    ("what attention gives is not used", lambda m, x, _: m.output(m.intermediate(x), x)),
    ("the feed-forward network is left out", lambda _, _x, a: a),
    ("the activation follows the second dense layer, not the first", late_gelu),
    ("LayerNorm comes first (pre-norm) in the feed-forward network", norm_first),
    ("attention's LayerNorm serves the feed-forward network too", norm_of_attention),
]
CROSS: Hypotheses = [
    ("cross-attention is left out", lambda m, _, a, encoder: m.crossattention(a, **encoder)[0] * 0 + a),
    ("cross-attention asks with the layer's input", lambda m, x, _, encoder: m.crossattention(x, **encoder)[0]),
    ("self-attention's weights serve cross-attention too", lambda m, _, a, encoder: m.attention(a, **encoder)[0]),
    (
        "cross-attention reads the layer's input, not the encoder",
        lambda m, x, a, encoder: m.crossattention(a, **encoder | {"encoder_hidden_states": x})[0],
    ),
]
LAYER: Hypotheses = [
    ("", layer),
    *[(sentence, partial(layer, steps={"feed": feed})) for sentence, feed in FEED],
    *[(sentence, partial(layer, steps={"cross": cross})) for sentence, cross in CROSS],
    ("LayerNorm comes first (pre-norm)", partial(layer, steps={"read": attend_norm_first, "feed": norm_first})),
    ("the feed-forward network's LayerNorm serves attention too", partial(layer, steps={"read": norm_of_feed})),
]


def stack(m: Any, *args: Any, pick: Callable[[list[nn.Module]], list[nn.Module]], **given: Any) -> Any:
    """The encoder with other layers, or with its own in another order."""
    own = m.layer
    m.layer = nn.ModuleList(pick(list(own)))
    try:
        return type(m).forward(m, *args, **given)
    finally:
        m.layer = own


ENCODER: Hypotheses = [
    (sentence, partial(stack, pick=pick))
    for sentence, pick in [
        ("", list),
        ("the last layer is left out", lambda own: own[:-1]),
        ("the first layer is left out", lambda own: own[1:]),
        ("the last layer comes twice", lambda own: [*own, own[-1]]),
        ("the first layer comes twice", lambda own: [own[0], *own]),
        ("the layers are in reversed order", lambda own: own[::-1]),
        ("every layer is the first", lambda own: own[:1] * len(own)),
        ("every layer is the last", lambda own: own[-1:] * len(own)),
        ("every layer reads the embeddings, so that only the last counts", lambda own: own[-1:]),
    ]
]
