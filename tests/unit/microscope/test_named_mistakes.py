"""`compare` names the mistake, not only its stage: in BERTs whose every name is the student's own."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from torch import nn

from minibert import (
    BertForMaskedLM,
    BertForNextSentencePrediction,
    BertForQuestionAnswering,
    BertForSequenceClassification,
    BertForTokenClassification,
    BertModel,
)
from minibert.microscope import compare
from minibert.microscope.compare import Comparison
from tests.unit.microscope.annotated import Annotated
from tests.unit.microscope.own_berts import LAYER, OWN, Block, Mine, Own
from tests.unit.microscope.own_decoders import DECODERS, Decoder, DecoderBlock
from tests.unit.microscope.students import MISTAKES
from tests.unit.microscope.test_student_decoders import decoder
from tests.unit.microscope.test_students import FALSE_HERE, labelled, model
from tests.unit.tiny_bert import text_batch, tiny, token_ids

KINDS = {
    "labels": {},
    "cache": {},
    "encoder": {"add_cross_attention": True},
    "relative": {"position_embedding_type": "relative_key"},
}
OWN_DECODERS = [(kind, i) for kind, mistakes in DECODERS.items() for i in range(len(mistakes))]
# Told by what they drop out, cut off, write to or do not return.
NOT_NAMED = {"value not cut", "residual by .data", "dropout of scores", "dropout after norm", "always dropped", "adds in place", "embeddings without gradient"}  # fmt: skip
# Several mistakes give the same numbers.
ALTERNATIVES = {"no residual", "no second residual", "mask as it is", "mask of -1", "no pooler", ("labels", 6), ("cache", 5)}  # fmt: skip


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


def verdict(mistake: Own) -> Comparison:
    return compare(model(fresh=True), mistake.make(), labelled(), copy_weights=True)


def verdict_of_decoder(kind: str, which: int | None) -> Comparison:
    right = decoder(**KINDS[kind])
    name, change, *_ = ("", None) if which is None else DECODERS[kind][which]
    block = type("Block", (DecoderBlock,), {name: change} if hasattr(DecoderBlock, name) else {})
    whole = type("Whole", (Decoder,), {name: change} if name and not hasattr(DecoderBlock, name) else {})
    other = whole(block, cross=kind == "encoder", relative=kind == "relative").eval()
    return compare(right, other, inputs_of(kind, right), copy_weights=True)


def assert_named(summary: str, mistake: str | tuple[str, int]) -> None:
    """By one sentence, where nothing else is known of it."""
    assert ("It is what you get if" in summary) == (mistake not in NOT_NAMED)
    assert (", or if " in summary) == (mistake in ALTERNATIVES)
    assert summary.count(", or if ") <= 2


def test_models_of_ones_own_agree() -> None:
    comparison = compare(model(fresh=True), Mine(), labelled(), copy_weights=True)
    assert comparison.agrees, comparison.summary()
    assert "It is what you get" not in comparison.summary()
    for kind in KINDS:
        comparison = verdict_of_decoder(kind, None)
        assert comparison.agrees, comparison.summary()


@pytest.mark.seconds
@pytest.mark.parametrize("mistake", OWN, ids=str)
def test_a_mistake_is_named(mistake: Own) -> None:
    comparison = verdict(mistake)
    assert comparison.first is not None
    assert comparison.first.path == mistake.stage
    assert mistake.says in comparison.summary()
    assert not comparison.agrees
    assert not [text for text in FALSE_HERE if text in comparison.summary()]
    assert_named(comparison.summary(), str(mistake))


@pytest.mark.seconds
@pytest.mark.parametrize(("kind", "which"), OWN_DECODERS)
def test_a_mistake_of_a_decoder_is_named(kind: str, which: int) -> None:
    comparison, (_, _, stage, says) = verdict_of_decoder(kind, which), DECODERS[kind][which]
    where = comparison.stopped.partition(":")[0] if comparison.stopped else comparison.first.path
    assert where == stage
    assert says in comparison.summary()
    assert not comparison.agrees
    assert_named(comparison.summary(), (kind, which))


@pytest.mark.seconds
@pytest.mark.parametrize(
    ("mistake", "stage", "says"),
    [
        ("", None, "stages agree"),
        ("d", LAYER, "divided by d, not √d"),
        ("small", LAYER, "the hidden scores are −1: too little to hide"),
        ("heads", LAYER, "the softmax runs over the heads, not the keys"),
        ("join", LAYER, "the heads are joined by a view, without a transpose"),
        ("relu", LAYER, "gelu is relu"),
        ("one layer", "", "the last layer is left out"),
        ("untied", "bert.embeddings.word_embeddings", "are one parameter in a and two in b"),
        ("waves", "", "the positions are sines and cosines, not learned"),
        ("scaled", "", "the words are multiplied by √hidden"),
        ("queries", "", "the mask hides queries, not keys"),
    ],
)
def test_a_third_coding_is_understood(mistake: str, stage: str | None, says: str) -> None:
    comparison = compare(model(fresh=True), Annotated(mistake).eval(), labelled(), copy_weights=True)
    assert comparison.agrees == (not mistake)
    assert (comparison.fault and comparison.fault.path) == stage
    assert says in comparison.summary()


@pytest.mark.parametrize(
    ("model_class", "labels"),
    [
        (BertForMaskedLM, {"labels": token_ids()}),
        (BertForNextSentencePrediction, {"labels": torch.tensor([0, 1])}),
        (BertForSequenceClassification, {"labels": torch.tensor([0, 1])}),
        (BertForSequenceClassification, {"labels": torch.tensor([0.5, 1.0])}),
        (BertForTokenClassification, {"labels": token_ids() % 2}),
        (BertForQuestionAnswering, {"start_positions": torch.tensor([1, 2]), "end_positions": torch.tensor([3, 3])}),
    ],
)
def test_a_loss_of_any_head_may_be_wrong(model_class: Any, labels: dict[str, torch.Tensor]) -> None:
    regression = any(label.is_floating_point() for label in labels.values())
    right = tiny(model_class, **({"num_labels": 1} if regression else {}))
    wrong = copy.deepcopy(right)

    class Tripled(model_class):
        def forward(self, *args: Any, **kwargs: Any) -> Any:
            outputs = super().forward(*args, **kwargs)
            outputs["loss"] = outputs["loss"] * 3
            return outputs

    wrong.__class__ = Tripled
    comparison = compare(right, wrong, {**text_batch(), **labels})
    assert "Of its outputs, it is loss." in comparison.summary()
    assert comparison.fault.mistakes == ()


def test_weights_that_cannot_be_paired_are_not_called_a_mistake() -> None:
    right = model(fresh=True)
    other = copy.deepcopy(right)
    other.bert.pooler.dense = nn.Sequential(nn.Linear(32, 5), nn.Linear(5, 32))
    comparison = compare(right, other.eval(), labelled(), copy_weights=True)
    assert comparison.first.path == "bert.pooler.dense"
    assert "parameters in it could not be paired with a's: that alone makes it differ" in comparison.summary()
    assert "It is what you get" not in comparison.summary()


class InterleavedBlock(Block):
    """Right, with another layout of its one matrix: of each head the query, key and value."""

    def attend(self, x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        q, k, v = self.qkv(x).unflatten(-1, (4, 24)).transpose(1, 2).chunk(3, dim=-1)
        return self.mix(self.join(self.weights(self.scores(q, k), mask) @ v))


def test_a_layout_that_was_guessed_is_not_called_a_mistake() -> None:
    other = type("Mine", (Mine,), {"block": InterleavedBlock})().eval()
    summary = compare(model(fresh=True), other, labelled(), copy_weights=True).summary()
    assert (
        "Its parameters were paired by shapes and places. If they mean something else in b, that is the cause."
        in summary
    )
    assert "It is what you get" not in summary


def test_layers_in_a_plain_list_are_told() -> None:
    right = model(fresh=True)
    other = copy.deepcopy(right)
    layers = list(other.bert.encoder.layer)
    del other.bert.encoder.layer
    other.bert.encoder.layer = layers
    summary = compare(right, other, labelled(), copy_weights=True).summary()
    assert "b keeps modules in a plain list, bert.encoder.layer: nobody finds their parameters" in summary


def test_outputs_in_another_order_agree_and_it_is_told() -> None:
    right = model(fresh=True)
    other = copy.deepcopy(right)

    class Turned(type(right)):  # type: ignore[misc]
        def forward(self, *args: Any, **kwargs: Any) -> Any:
            return super().forward(*args, **kwargs, return_dict=False)[::-1]

    other.__class__ = Turned
    comparison = compare(right, other, labelled())
    assert comparison.agrees
    told = "b returns in another order: seq_relationship_logits, prediction_logits, loss (as a calls them)."
    assert told in comparison.summary()


def test_what_only_training_computes_otherwise_is_a_difference() -> None:
    right = model(fresh=True)
    other = copy.deepcopy(right)

    class Shifted(type(right.bert.pooler)):  # type: ignore[misc]
        def forward(self, hidden_states: torch.Tensor) -> torch.Tensor:
            return super().forward(hidden_states) + float(self.training)

    other.bert.pooler.__class__ = Shifted
    comparison = compare(right, other, labelled())
    assert not comparison.agrees
    assert "In training, b computes something else than in evaluation mode" in comparison.summary()


class PyTorchs(nn.Module):
    """Layers of PyTorch's own, whose extra dropout between the dense layers is off here."""

    def __init__(self, **fields: Any):
        super().__init__()
        self.word, self.position, self.segment = nn.Embedding(99, 32), nn.Embedding(24, 32), nn.Embedding(2, 32)
        self.ln, self.do = nn.LayerNorm(32, eps=1e-12), nn.Dropout(0.1)
        given = {"nhead": 4, "activation": "gelu", "layer_norm_eps": 1e-12, **fields}
        layers = [nn.TransformerEncoderLayer(32, dim_feedforward=37, batch_first=True, **given) for _ in range(2)]
        self.layers, self.pooler = nn.ModuleList(layers), nn.Linear(32, 32)  # not minibert's pooler, but the same name
        for layer in layers:
            layer.dropout.p = 0.0

    def forward(self, input_ids: Any, attention_mask: Any, token_type_ids: Any) -> Any:
        x = self.word(input_ids) + self.position.weight[: input_ids.size(1)] + self.segment(token_type_ids)
        x = self.do(self.ln(x))
        for layer in self.layers:
            x = layer(x, src_key_padding_mask=attention_mask == 0)
        return x, torch.tanh(self.pooler(x[:, 0]))


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({}, "stages agree"),
        ({"activation": "relu"}, "It is what you get if gelu is relu."),
        ({"nhead": 8}, "It is what you get if the number of heads is 8."),
        ({"norm_first": True}, "It is what you get if LayerNorm comes first (pre-norm)."),
        ({"layer_norm_eps": 1e-3}, "ε is 1e-03"),
    ],
)
def test_pytorchs_own_layers_are_understood(fields: dict[str, Any], says: str) -> None:
    comparison = compare(tiny(BertModel), PyTorchs(**fields).eval(), text_batch(), copy_weights=True)
    assert says in comparison.summary()
    assert comparison.agrees == (not fields)


def test_of_all_planted_models_most_are_named_by_one_sentence_or_two() -> None:
    own = len(OWN) + len(OWN_DECODERS)
    assert {str(mistake) for mistake in OWN} >= NOT_NAMED
    assert {*map(str, OWN), *OWN_DECODERS} >= ALTERNATIVES
    named = own - len(NOT_NAMED) + sum(bool(mistake.named) for mistake in MISTAKES)
    assert own + len(MISTAKES) >= 130
    assert named >= 0.8 * (own + len(MISTAKES))
    assert len(ALTERNATIVES) < 0.1 * own
