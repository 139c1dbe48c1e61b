"""What a part is tried on: small configs, drawn weights and inputs, from the simple to the whole.

The first case that fails tells where to look: what is right for one head and wrong for three splits its heads wrongly.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from minibert import BertConfig

from .reference import Weights, reference, shapes_of, under

SIZES: dict[str, Any] = {
    "vocab_size": 31,
    "hidden_size": 12,
    "num_attention_heads": 3,
    "num_hidden_layers": 2,
    "intermediate_size": 20,
    "max_position_embeddings": 11,
    "num_labels": 3,
    "hidden_dropout_prob": 0.0,
    "attention_probs_dropout_prob": 0.0,
}
DROPPING = {"hidden_dropout_prob": 0.125, "attention_probs_dropout_prob": 0.375}


@dataclass(frozen=True)
class Case:
    """A part with a config, its weights, and inputs. said: the case in words; look: where to look if this one is the first to fail."""

    part: str
    config: BertConfig
    weights: Weights
    inputs: tuple[Tensor, ...]
    said: str
    look: str = ""


@dataclass(frozen=True)
class Kind:
    """One line of the table below: how a case differs from `SIZES`, and its inputs' sizes."""

    said: str
    look: str
    batch: int = 2
    seq: int = 5
    padding: int = 0  # tokens of the last sentence that are padding
    sizes: tuple[tuple[str, Any], ...] = ()


ONE_HEAD = Kind("one sentence, one head", "", 1, sizes=(("num_attention_heads", 1),))
HEADS = Kind(
    "one sentence, three heads", "how the heads are split and joined, and √d, d being the width of one head", 1
)
BATCH = Kind("two sentences", "the batch: each sentence must be computed as if it were alone")
LONGER = Kind("sentences of another length and four heads", "numbers that you wrote where the config or the shapes of the input have them", 3, 7, sizes=(("hidden_size", 8), ("num_attention_heads", 4), ("intermediate_size", 24), ("type_vocab_size", 3)))  # fmt: skip
PADDED = Kind(
    "two sentences, the second with padding", "the mask: nobody may look at a token whose mask is 0", padding=2
)
EPS = Kind(
    "a large ε in LayerNorm",
    "ε: it is config.layer_norm_eps, and stands under the root",
    sizes=(("layer_norm_eps", 0.0625),),
)
DROPOUT = Kind(
    "training, with dropout",
    "where dropout stands, and with which of the config's probabilities",
    padding=1,
    sizes=tuple(DROPPING.items()),
)
DEEP = Kind(
    "three layers",
    "how the layers follow each other: each takes what the one before it gave",
    sizes=(("num_hidden_layers", 3),),
)
ONE_LAYER = Kind("one sentence, one layer", "", 1, sizes=(("num_hidden_layers", 1),))

KINDS: dict[str, tuple[Kind, ...]] = {
    "embeddings": (Kind("one sentence", "", 1), EPS, BATCH, LONGER, DROPOUT),
    "attention": (ONE_HEAD, HEADS, BATCH, LONGER, PADDED, DROPOUT),
    "layer": (HEADS, EPS, BATCH, LONGER, PADDED, DROPOUT),
    "bert": (ONE_LAYER, EPS, DEEP, LONGER, PADDED, DROPOUT),
    "pooler": (Kind("one sentence", "", 1), BATCH, LONGER),
    "predictions": (Kind("one sentence", "", 1), EPS, BATCH, LONGER, DROPOUT),
    "pretraining": (HEADS, BATCH, LONGER, PADDED, DROPOUT),
    "classifier": (HEADS, BATCH, LONGER, PADDED, DROPOUT),
}  # fmt: skip


def cases_of(part: str, seed: int = 0) -> list[Case]:
    """All cases of a part that is a network, in order."""
    return [make_case(part, kind, seed + number) for number, kind in enumerate(KINDS[part])]


def make_case(part: str, kind: Kind, seed: int) -> Case:
    """Draw the weights and inputs of a case."""
    config = BertConfig(**{**SIZES, **dict(kind.sizes)})
    generator = torch.Generator().manual_seed(1000 + seed)
    weights = draw_weights(part, config, generator)
    return Case(part, config, weights, draw_inputs(part, config, kind, generator), kind.said, kind.look)


def draw_weights(part: str, config: BertConfig, generator: torch.Generator) -> dict[str, Tensor]:
    """Weights of which none is 0 or 1, so that none can be left out unseen."""
    drawn = {}
    for name, shape in shapes_of(part, config).items():
        spread = torch.randn(shape, generator=generator)
        norm = "LayerNorm.weight" in name
        table = "embeddings" in name
        drawn[name] = 1 + 0.3 * spread if norm else 0.7 * spread if table else 0.4 * spread
    return drawn


def draw_inputs(part: str, config: BertConfig, kind: Kind, generator: torch.Generator) -> tuple[Tensor, ...]:
    """What a part is given; see `adapters.py`."""

    def whole(high: int, *shape: int, low: int = 0) -> Tensor:
        return torch.randint(low, high, shape, generator=generator)

    batch, seq = kind.batch, kind.seq
    hidden = torch.randn(batch, seq, config.hidden_size, generator=generator)
    mask = torch.ones(batch, seq, dtype=torch.long)
    mask[-1, seq - kind.padding :] = 0
    ids = whole(config.vocab_size, batch, seq, low=1)  # not 0: the library leaves [PAD]'s row without a gradient
    ids[0, 2] = ids[0, 1]  # a word twice: its row gathers two gradients
    segments = torch.sort(whole(config.type_vocab_size, batch, seq), dim=1).values
    labels = torch.where(torch.arange(seq) % 3 == 1, whole(config.vocab_size, batch, seq, low=1), -100)
    return {
        "embeddings": (ids, segments),
        "attention": (hidden, mask),
        "layer": (hidden, mask),
        "bert": (ids, segments, mask),
        "pooler": (hidden,),
        "predictions": (hidden,),
        "pretraining": (ids, segments, mask, torch.where(mask == 1, labels, -100), whole(2, batch)),
        "classifier": (ids, segments, mask, whole(config.num_labels, batch)),
    }[part]


def inner_cases(case: Case) -> list[Case]:
    """What the earlier parts compute inside this case, each given what the library's parts before it give: the lowest first."""
    config, weights, inputs = case.config, case.weights, case.inputs
    found: list[Case] = []
    if case.part == "layer":
        attention = {
            name: tensor for name, tensor in under(weights, "attention.").items() if "output.LayerNorm" not in name
        }
        found = [replace(case, part="attention", weights=attention)]
    elif case.part == "bert":
        ids, segments, mask = inputs
        found = [replace(case, part="embeddings", weights=under(weights, "embeddings."), inputs=(ids, segments))]
        for number in range(config.num_hidden_layers):
            before = _given(found[-1])
            layer = under(weights, f"encoder.layer.{number}.")
            found.append(replace(case, part="layer", weights=layer, inputs=(before, mask)))
    elif case.part in ("pretraining", "classifier"):
        inside = {name: tensor for name, tensor in under(weights, "bert.").items() if not name.startswith("pooler.")}
        found = [replace(case, part="bert", weights=inside, inputs=inputs[:3])]
        hidden = (_given(found[0]),)
        found.append(replace(case, part="pooler", weights=under(weights, "bert.pooler."), inputs=hidden))
        if case.part == "pretraining":
            tied = {"word_embeddings.weight": weights["bert.embeddings.word_embeddings.weight"]}
            predictions = {**under(weights, "cls.predictions."), **tied}
            found.append(replace(case, part="predictions", weights=predictions, inputs=hidden))
    return [each for one in found for each in (*inner_cases(one), one)]


def _given(case: Case) -> Tensor:
    """What the library's part gives in this case, in evaluation: an input for the next."""
    quiet = BertConfig(**{**case.config.to_dict(), "hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0})
    with torch.no_grad():
        return reference(case.part, quiet, case.weights)(*case.inputs)
