"""Classic mistakes in self- and cross-attention, each as the step of the equation that is another. No reference class: ours.

A sentence completes "It is what you get if …"; beside it is how the step would be computed then. `mistakes.py` has the other
stages, `diagnosis.py` tries them all.
"""

from collections.abc import Callable
from functools import partial
from math import inf, sqrt
from typing import Any

import torch
from torch import Tensor

Formula = Callable[..., Any]  # called as a stage's forward is, after the module whose parameters it reads
Hypotheses = list[tuple[str, Formula]]
READS_ITSELF = "cross-attention reads the decoder, not the encoder"


def attention(m: Any, hidden_states: Tensor, attention_mask: Any = None, *, steps: Any = None, **given: Any) -> Tensor:
    """softmax((Q Kᵀ + R) / √d + mask) V, step by step, with other steps where they are given."""
    x, other, past = hidden_states, given.get("encoder_hidden_states"), given.get("past_key_value")
    do, mask = STEPS | (steps or {}), attention_mask if other is None else given.get("encoder_attention_mask")
    heads = do.get("heads", m.num_attention_heads)
    q, k, v = (do["split"](z, heads) for z in do["project"](m, x, x if other is None else other))
    if past is not None and other is None:
        k, v = (do["joined"](old, new) for old, new in zip(do["past"](past), (k, v), strict=True))
    elif past is not None:
        k, v = past
    r: Any = 0.0
    if getattr(m, "position_embedding_type", "absolute") != "absolute":
        keys = torch.arange(k.size(2), device=x.device)
        distance = do["distance"](keys[k.size(2) - q.size(2) :, None], keys)  # (seq, keys)
        table = m.distance_embedding(distance + m.max_position_embeddings - 1)
        r = torch.einsum("bhld,lrd->bhlr", q, table)
        if m.position_embedding_type == "relative_key_query":
            r = r + torch.einsum("bhrd,lrd->bhlr", k, table)
    mask = x.new_zeros(1, 1, 1, 1) if mask is None else do["mask"](mask)
    return do["join"](do["mix"](do["weights"](do["scores"](q, k, r), mask), v))


STEPS: dict[str, Any] = {
    "project": lambda m, x, y: (m.query(x), m.key(y), m.value(y)),
    "split": lambda x, h: x.unflatten(-1, (h, -1)).transpose(1, 2),  # (batch, heads, seq, d)
    "past": lambda past: past,
    "joined": lambda old, new: torch.cat([old, new], dim=2),
    "distance": lambda left, right: left - right,
    "scores": lambda q, k, r: (q @ k.mT + r) / sqrt(q.size(-1)),
    "mask": lambda mask: mask,
    "weights": lambda s, mask: (s + mask).softmax(-1),
    "mix": lambda p, v: p @ v,
    "join": lambda x: x.transpose(1, 2).flatten(2),  # (batch, seq, heads · d)
}

PROJECT: Hypotheses = [
    ("keys and values are exchanged", lambda m, x, y: (m.query(x), m.value(y), m.key(y))),
    ("queries and values are exchanged", lambda m, x, y: (m.value(x), m.key(y), m.query(y))),
    ("the values are made by the keys' projection", lambda m, x, y: (m.query(x), m.key(y), m.key(y))),
    ("the keys are made by the queries' projection", lambda m, x, y: (m.query(x), m.query(y), m.value(y))),
    ("the values are not projected", lambda m, x, y: (m.query(x), m.key(y), y)),
    ("cross-attention's queries come from the encoder", lambda m, _, y: (m.query(y), m.key(y), m.value(y))),
    ("cross-attention's values come from the decoder", lambda m, x, y: (m.query(x), m.key(y), m.value(x))),
]

SPLIT: Hypotheses = [
    ("the heads are split by a view, without a transpose", lambda x, h: x.reshape(len(x), h, x.size(1), -1)),
    ("the heads are split as (d, heads), not (heads, d)", lambda x, h: x.unflatten(-1, (-1, h)).permute(0, 3, 1, 2)),
]

JOIN: Hypotheses = [
    ("the heads are joined by a view, without a transpose", lambda x: x.reshape(len(x), x.size(2), -1)),
    ("the heads are joined as (d, heads), not (heads, d)", lambda x: x.permute(0, 2, 3, 1).flatten(2)),
]

PAST: Hypotheses = [
    ("the cached keys serve as values too", lambda past: (past[0], past[0])),
    ("the cached keys and values are exchanged", lambda past: (past[1], past[0])),
]

JOINED: Hypotheses = [
    ("the new keys and values are put before the cached ones", lambda old, new: torch.cat([new, old], dim=2)),
    ("the cached keys and values are not used", lambda _, new: new),
    ("the cache is joined along the heads", lambda old, new: torch.cat([old, new], dim=1)),
    ("the cache is joined along the width of a head", lambda old, new: torch.cat([old, new], dim=3)),
    ("the cache is joined along the batch", lambda old, new: torch.cat([old, new], dim=0)),
]

DISTANCE: Hypotheses = [
    ("the relative positions have the other sign, r − l for l − r", lambda left, right: right - left),
    ("the relative positions are too large by 1", lambda left, right: left - right + 1),
    ("the relative positions are too small by 1", lambda left, right: left - right - 1),
]

SCORES: Hypotheses = [
    ("queries and keys are exchanged", lambda q, k, r: (k @ q.mT + r) / sqrt(q.size(-1))),
    ("the scores are not divided by √d", lambda q, k, r: q @ k.mT + r),
    ("the scores are divided by √hidden, not √d", lambda q, k, r: (q @ k.mT + r) / sqrt(q.size(1) * q.size(-1))),
    ("the scores are divided by d, not √d", lambda q, k, r: (q @ k.mT + r) / q.size(-1)),
    ("the scores are divided by √heads, not √d", lambda q, k, r: (q @ k.mT + r) / sqrt(q.size(1))),
    ("the scores are divided by √seq, not √d", lambda q, k, r: (q @ k.mT + r) / sqrt(k.size(2))),
    ("the scores are multiplied by √d, not divided", lambda q, k, r: (q @ k.mT + r) * sqrt(q.size(-1))),
    ("the relative scores are added after the division by √d", lambda q, k, r: q @ k.mT / sqrt(q.size(-1)) + r),
    ("the relative scores are left out", lambda q, k, _: q @ k.mT / sqrt(q.size(-1))),
]

WEIGHTS: Hypotheses = [
    ("there is no softmax", lambda s, mask: s + mask),
    ("a sigmoid stands for the softmax", lambda s, mask: (s + mask).sigmoid()),
    ("a log-softmax stands for the softmax", lambda s, mask: (s + mask).log_softmax(-1)),
    ("the softmax comes twice", lambda s, mask: (s + mask).softmax(-1).softmax(-1)),
    ("the mask is added after the softmax", lambda s, mask: s.softmax(-1) + mask),
    ("the mask of 1 and 0 is added after the softmax", lambda s, mask: s.softmax(-1) + (mask == 0)),
    ("the mask is multiplied in after the softmax", lambda s, mask: s.softmax(-1) * (mask == 0)),
    ("the additive mask is multiplied in after the softmax", lambda s, mask: s.softmax(-1) * mask),
    ("the mask multiplies the scores: a score of 0 hides nothing", lambda s, mask: (s * (mask == 0)).softmax(-1)),
    ("the additive mask multiplies the scores", lambda s, mask: (s * mask).softmax(-1)),
    ("the hidden scores are −1: too little to hide", lambda s, mask: s.masked_fill(mask != 0, -1.0).softmax(-1)),
    ("the mask hides queries, not keys", lambda s, mask: s.masked_fill(mask.mT != 0, -1e9).softmax(-1)),
]
for axis, what in (
    (-2, "queries"),
    (1, "heads"),
    (0, "batch"),
):  # where the hidden scores are −10000 less, or filled in
    over = f"the softmax runs over the {what}, not the keys"
    WEIGHTS += [
        (over, lambda s, mask, axis=axis: (s + mask).softmax(axis)),
        (over, lambda s, mask, axis=axis: s.masked_fill(mask != 0, -1e9).softmax(axis)),
    ]
FUTURE = "the future is hidden, as in a decoder"
for sentence, shown in ((FUTURE, 1.0), (f"{FUTURE}, and the mask is forgotten", 0.0)):
    past = lambda s, mask, shown=shown: (s + shown * mask).masked_fill(torch.ones_like(s).tril() == 0, -inf).softmax(-1)  # noqa: E731
    WEIGHTS.append((sentence, past))
for low in (-1e4, -1e9, -inf):  # PyTorch's own attention gives 0 where nothing may be seen
    fill = lambda s, mask, low=low: s.masked_fill(mask == 0, low).softmax(-1)  # noqa: E731
    WEIGHTS += [("the mask is inverted", fill), ("the mask is inverted", lambda s, m, f=fill: f(s, m).nan_to_num(0.0))]

MIX: Hypotheses = [("the weights are transposed before they meet the values", lambda p, v: p.mT @ v)]


def hide(seen: Tensor) -> Tensor:
    """1 where a key may be seen → 0, and 0 → −10000."""
    return (1.0 - seen.float()) * -10000.0


def causal(mask: Tensor, reach: int = 0) -> Tensor:
    """(seq, keys), 1 up to `reach` words after the query's own. Raises ValueError for a mask that is none of a decoder."""
    queries, keys = mask.shape[-2:]
    if queries == 1:
        raise ValueError("This mask hides the same words from every query.")
    return mask.new_ones(queries, keys).tril(keys - queries + reach)


def padding(mask: Tensor) -> Tensor:
    """Of a decoder's mask: 1 where there is no padding, (…, 1, keys). Its last query sees all words."""
    return (mask[..., -1:, :] == 0).float()


MASK: Hypotheses = [
    ("the mask is forgotten", torch.zeros_like),
    ("the mask is inverted", lambda mask: hide(mask != 0)),
    ("the mask is inverted", lambda mask: hide(mask != 0) * 1e5),
    ("the mask has the wrong sign, +10000", torch.neg),
    ("the mask of 1 and 0 is added as it is", lambda mask: (mask == 0).float()),
    ("the mask hides queries, not keys", lambda mask: mask.mT),
    ("the future may be seen: the causal mask is missing", lambda mask: hide(padding(mask))),
    ("the causal mask hides the past, not the future", lambda mask: hide(padding(mask) * causal(mask, -1).eq(0))),
    ("the causal mask hides each word from itself", lambda mask: hide(padding(mask) * causal(mask, -1))),
    ("the causal mask shows one word of the future", lambda mask: hide(padding(mask) * causal(mask, 1))),
    ("the causal mask begins at the first cached word", lambda mask: hide(padding(mask) * causal(mask).tril())),
    ("the padding is not hidden", lambda mask: hide(causal(mask))),
]
for n in (1, 2, 5, 10):
    MASK.append((f"the mask is −{n}: too little to hide", lambda mask, n=n: hide(mask == 0) / 10000 * n))


def read_itself(m: Any, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The projections of cross-attention that does not look at the encoder."""
    if x is y:
        raise ValueError("This is self-attention.")
    return m.query(x), m.key(x), m.value(x)


OTHER_STEPS = {"project": PROJECT, "split": SPLIT, "past": PAST, "joined": JOINED, "distance": DISTANCE} | {
    "scores": SCORES,
    "mask": MASK,
    "weights": WEIGHTS,
    "mix": MIX,
    "join": JOIN,
}
ATTENTION: Hypotheses = [
    ("", attention),
    *[(why, partial(attention, steps={step: how})) for step, other in OTHER_STEPS.items() for why, how in other],
    (f"{SPLIT[0][0]}, and joined so", partial(attention, steps={"split": SPLIT[0][1], "join": JOIN[0][1]})),
    *[(f"the number of heads is {h}", partial(attention, steps={"heads": h})) for h in (1, 2, 3, 4, 6, 8, 12, 16, 32)],
    *[
        (READS_ITSELF, partial(attention, steps={"project": read_itself, "mask": mask}))
        for mask in (STEPS["mask"], lambda _: torch.zeros(()))
    ],
]
