"""Classic mistakes above the layers and in what every stage is made of, each as the formula that it is. No reference class: ours.

Pooler and heads, dense layers and LayerNorm, and losses. See `mistakes.py`.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from .attention_mistakes import Hypotheses
from .mistakes import OTHER_ACTIVATIONS

POOLER: Hypotheses = [
    ("", lambda m, h: m.activation(m.dense(h[:, 0]))),
    ("it takes the last word, not [CLS]", lambda m, h: m.activation(m.dense(h[:, -1]))),
    ("it takes the second word, not [CLS]", lambda m, h: m.activation(m.dense(h[:, 1]))),
    ("it takes the mean of all words, not [CLS]", lambda m, h: m.activation(m.dense(h.mean(1)))),
    ("it takes the mean of all words after the dense layer and tanh", lambda m, h: m.activation(m.dense(h)).mean(1)),
    ("it takes the sum of all words, not [CLS]", lambda m, h: m.activation(m.dense(h.sum(1)))),
    ("it takes the largest of all words, not [CLS]", lambda m, h: m.activation(m.dense(h.amax(1)))),
    ("it takes the first sentence, not the first word: h[0] for h[:, 0]", lambda m, h: m.activation(m.dense(h[0]))),
    ("tanh is left out", lambda m, h: m.dense(h[:, 0])),
    ("the dense layer is left out", lambda m, h: m.activation(h[:, 0])),
    ("[CLS] is handed on as it is, without dense layer and tanh", lambda _, h: h[:, 0]),
    ("tanh comes before the dense layer", lambda m, h: m.dense(m.activation(h[:, 0]))),
    ("tanh is gelu", lambda m, h: F.gelu(m.dense(h[:, 0]))),
    ("tanh is relu", lambda m, h: F.relu(m.dense(h[:, 0]))),
    ("tanh is σ", lambda m, h: torch.sigmoid(m.dense(h[:, 0]))),
]

TRANSFORM: Hypotheses = [
    ("", lambda m, h: m.LayerNorm(m.transform_act_fn(m.dense(h)))),
    ("LayerNorm is missing", lambda m, h: m.transform_act_fn(m.dense(h))),
    ("LayerNorm comes before gelu", lambda m, h: m.transform_act_fn(m.LayerNorm(m.dense(h)))),
    ("LayerNorm comes before the dense layer", lambda m, h: m.transform_act_fn(m.dense(m.LayerNorm(h)))),
    ("it has a residual", lambda m, h: m.LayerNorm(m.transform_act_fn(m.dense(h)) + h)),
    ("gelu and LayerNorm are left out", lambda m, h: m.dense(h)),
    ("the dense layer is left out", lambda m, h: m.LayerNorm(m.transform_act_fn(h))),
    ("the dense layer and gelu are left out", lambda m, h: m.LayerNorm(h)),
    ("gelu comes before the dense layer", lambda m, h: m.LayerNorm(m.dense(m.transform_act_fn(h)))),
    *[(sentence, lambda m, h, other=other: m.LayerNorm(other(m.dense(h)))) for sentence, other in OTHER_ACTIVATIONS],
]

PREDICTIONS: Hypotheses = [
    ("", lambda m, h: m.decoder(m.transform(h))),
    ("the transform is left out", lambda m, h: m.decoder(h)),
    ("the decoder's bias is added twice", lambda m, h: m.decoder(m.transform(h)) + m.decoder.bias),
    ("a softmax follows", lambda m, h: m.decoder(m.transform(h)).softmax(-1)),
    ("a log-softmax follows", lambda m, h: m.decoder(m.transform(h)).log_softmax(-1)),
]

PRETRAINING_HEADS: Hypotheses = [
    (sentence, lambda m, h, pooled, read=read: (m.predictions(h), read(m.seq_relationship, h, pooled)))
    for sentence, read in [
        ("", lambda follows, _, pooled: follows(pooled)),
        ("the next sentence is read from [CLS], without the pooler", lambda follows, h, _: follows(h[:, 0])),
        ("the next sentence is read from the mean of all words", lambda follows, h, _: follows(h.mean(1))),
        ("the two scores of the next sentence are exchanged", lambda follows, _, pooled: follows(pooled).flip(-1)),
        ("a softmax follows the scores of the next sentence", lambda follows, _, pooled: follows(pooled).softmax(-1)),
    ]
]

LINEAR: Hypotheses = [
    ("", lambda m, x: F.linear(x, m.weight, m.bias)),
    ("the bias of {} is left out", lambda m, x: F.linear(x, m.weight)),
    ("{} computes x W, not x Wᵀ", lambda m, x: x @ m.weight + m.bias),
    ("the weight of {} is turned by a view, not transposed", lambda m, x: x @ m.weight.view_as(m.weight.T) + m.bias),
    ("the bias of {} is subtracted", lambda m, x: F.linear(x, m.weight, -m.bias)),
]


def norm(
    m: Any,
    x: Tensor,
    *,
    axes: Any = -1,
    eps: float | None = None,
    one_less: bool = False,
    mean: Callable[[Tensor], Tensor | float] | None = None,
    root: Callable[[Tensor], Tensor] = torch.sqrt,
) -> Tensor:
    """(x − μ) / √(σ² + ε) · γ + β"""
    variance = x.var(axes, correction=int(one_less), keepdim=True)
    centred = x - (x.mean(axes, keepdim=True) if mean is None else mean(x))
    return centred / root(variance + (m.eps if eps is None else eps)) * m.weight + m.bias


LAYER_NORM: Hypotheses = [
    ("", norm),
    *[(f"ε is {eps:.0e}", partial(norm, eps=eps)) for eps in (1e-12, 1e-8, 1e-6, 1e-5, 1e-3, 1e-2)],
    ("the variance is divided by n − 1, not n", partial(norm, one_less=True)),
    ("the mean is over the words, not over the numbers of each", partial(norm, axes=-2)),
    ("the mean is over words and numbers together", partial(norm, axes=(-2, -1))),
    ("the mean is over the whole batch", lambda m, x: norm(m, x, axes=tuple(range(x.dim())))),
    ("the mean is over the sentences of the batch", partial(norm, axes=0)),
    ("the mean is over sentences and words, as in a batch norm", partial(norm, axes=(0, 1))),
    ("the mean is not subtracted", partial(norm, mean=lambda _: 0.0)),
    ("the numbers are divided by the variance, not by its root", partial(norm, root=lambda variance: variance)),
    ("the numbers are not divided by the deviation", partial(norm, root=torch.ones_like)),
    ("it is an RMS norm, without the mean", lambda m, x: x / (x * x).mean(-1, keepdim=True).sqrt() * m.weight + m.bias),
    ("LayerNorm's bias is left out", lambda m, x: norm(m, x) - m.bias),
    ("LayerNorm's weight is left out", lambda m, x: (norm(m, x) - m.bias) / m.weight + m.bias),
    ("LayerNorm's weight and bias are left out", lambda m, x: (norm(m, x) - m.bias) / m.weight),
]


# --------------------------------------------------------------------------------------------------------------- losses


def cross_entropy(scores: Tensor, labels: Tensor, **how: Any) -> Tensor:
    """The mean of −log softmax(scores)[label], or what else is asked for."""
    return F.cross_entropy(scores.flatten(0, -2), labels.flatten(), **how)


def losses_of(scores: Tensor, labels: Tensor) -> dict[str, Tensor]:
    """The loss of one head, right and wrong."""
    summed = cross_entropy(scores, labels, reduction="sum")
    return {
        "": cross_entropy(scores, labels),
        "the loss is a sum, not a mean": summed,
        "the mean is over all positions, also those whose label is −100": summed / labels.numel(),
        "labels of −100 count as 0": cross_entropy(scores, labels.clamp(min=0)),
        "the label that counts for nothing is 0, not −100": cross_entropy(scores, labels.clamp(min=0), ignore_index=0),
        "a softmax comes before the cross-entropy, which has its own": cross_entropy(scores.softmax(-1), labels),
    }


def losses(causal: bool, given: Mapping[str, Tensor], gives: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The loss of a model, right and wrong, by what it was given and what it gives. Raises KeyError where it has none."""
    scores, labels = gives["prediction_logits" if "prediction_logits" in gives else "logits"], given["labels"]
    if labels.dim() == 1:
        swapped = {"the two labels are exchanged": cross_entropy(scores, 1 - labels)} if scores.size(-1) == 2 else {}
        return losses_of(scores, labels) | swapped
    shifted = losses_of(scores[:, :-1], labels[:, 1:]), losses_of(scores, labels)
    words, other = shifted if causal else shifted[::-1]
    words["the labels are not shifted" if causal else "the labels are shifted, as a decoder's are"] = other[""]
    words["the labels are shifted the wrong way"] = cross_entropy(scores[:, 1:], labels[:, :-1])
    words["the labels are shifted twice"] = cross_entropy(scores[:, :-2], labels[:, 2:])
    if "attention_mask" in given:
        unpadded = labels.masked_fill(given["attention_mask"] == 0, -100)
        words["padding has no label"] = (
            cross_entropy(scores[:, :-1], unpadded[:, 1:]) if causal else cross_entropy(scores, unpadded)
        )
    if "seq_relationship_logits" not in gives:
        return words
    pairs, follows = gives["seq_relationship_logits"], given["next_sentence_label"]
    both = {sentence: loss + cross_entropy(pairs, follows) for sentence, loss in words.items()}
    both |= {
        f"for the next sentence, {why}": words[""] + loss for why, loss in losses_of(pairs, follows).items() if why
    }
    return both | {
        "the next-sentence labels are exchanged": words[""] + cross_entropy(pairs, 1 - follows),
        "the next-sentence loss is left out": words[""],
        "the loss of the hidden words is left out": cross_entropy(pairs, follows),
        "the two losses are averaged, not added": both[""] / 2,
    }
