"""`compare` names the mistake, not only its stage: in BERTs whose every name is the student's own."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
import torch

from minibert.microscope import compare
from minibert.microscope.compare import Comparison
from tests.unit.microscope.own_berts import OWN, Mine, Own
from tests.unit.microscope.own_decoders import DECODERS, Decoder, DecoderBlock
from tests.unit.microscope.students import MISTAKES
from tests.unit.microscope.test_student_decoders import decoder
from tests.unit.microscope.test_students import FALSE_HERE, labelled, model
from tests.unit.tiny_bert import text_batch

KINDS = {
    "labels": {},
    "cache": {},
    "encoder": {"add_cross_attention": True},
    "relative": {"position_embedding_type": "relative_key"},
}
OWN_DECODERS = [(kind, i) for kind, mistakes in DECODERS.items() for i in range(len(mistakes))]


def inputs_of(kind: str, right: Any) -> dict[str, Any]:
    batch = text_batch()
    if kind == "labels":
        return {**batch, "labels": batch["input_ids"]}
    if kind == "cache":
        past = right(batch["input_ids"][:, :4], use_cache=True).past_key_values
        past = tuple(tuple(kept.detach() for kept in layer) for layer in past)
        new = {"input_ids": batch["input_ids"][:, 4:], "attention_mask": batch["attention_mask"]}
        return {**new, "past_key_values": past}
    if kind == "encoder":
        encoded = torch.randn(2, 5, 32, generator=torch.Generator().manual_seed(0))
        return {
            **batch,
            "encoder_hidden_states": encoded,
            "encoder_attention_mask": (torch.arange(5) < torch.tensor([[3], [4]])).long(),
        }
    return batch


@cache
def verdict(mistake: Own) -> Comparison:
    return compare(model(fresh=True), mistake.make(), labelled(), copy_weights=True)


@cache
def verdict_of_decoder(kind: str, which: int | None) -> Comparison:
    right = decoder(**KINDS[kind])
    name, change, *_ = ("", None) if which is None else DECODERS[kind][which]
    block = type("Block", (DecoderBlock,), {name: change} if hasattr(DecoderBlock, name) else {})
    whole = type("Whole", (Decoder,), {name: change} if name and not hasattr(DecoderBlock, name) else {})
    other = whole(block, cross=kind == "encoder", relative=kind == "relative").eval()
    return compare(right, other, inputs_of(kind, right), copy_weights=True)


def test_models_of_ones_own_agree() -> None:
    comparison = compare(model(fresh=True), Mine(), labelled(), copy_weights=True)
    assert comparison.agrees, comparison.summary()
    assert "It is what you get" not in comparison.summary()
    for kind in KINDS:
        comparison = verdict_of_decoder(kind, None)
        assert comparison.agrees, comparison.summary()


@pytest.mark.parametrize("mistake", OWN, ids=str)
def test_a_mistake_is_named(mistake: Own) -> None:
    comparison = verdict(mistake)
    assert comparison.first is not None
    assert comparison.first.path == mistake.stage
    assert mistake.says in comparison.summary()
    assert not comparison.agrees
    assert not [text for text in FALSE_HERE if text in comparison.summary()]


@pytest.mark.parametrize(("kind", "which"), OWN_DECODERS)
def test_a_mistake_of_a_decoder_is_named(kind: str, which: int) -> None:
    comparison, (_, _, stage, says) = verdict_of_decoder(kind, which), DECODERS[kind][which]
    where = comparison.stopped.partition(":")[0] if comparison.stopped else comparison.first.path
    assert where == stage
    assert says in comparison.summary()
    assert not comparison.agrees


def test_of_all_planted_models_most_are_named_by_one_sentence_or_two() -> None:
    """The others are told by what they drop out, cut off, write to or do not return."""
    summaries = [verdict(mistake).summary() for mistake in OWN]
    summaries += [verdict_of_decoder(kind, which).summary() for kind, which in OWN_DECODERS]
    named = [summary.count("It is what you get if") for summary in summaries]
    planted, named_here = (
        len(MISTAKES) + len(named),
        sum(bool(mistake.named) for mistake in MISTAKES) + sum(map(bool, named)),
    )
    assert planted >= 130
    assert named_here >= 0.8 * planted
    alternatives = [summary.count(", or if ") for summary in summaries]
    assert max(alternatives) <= 2
    assert sum(map(bool, alternatives)) < 0.1 * len(alternatives)
