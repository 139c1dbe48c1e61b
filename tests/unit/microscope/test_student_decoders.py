"""`compare` beside decoders, and beside a BERT in which no name is minibert's."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from minibert import BertLMHeadModel, BertModel
from minibert.microscope import compare
from minibert.model.layer import BertLayer
from tests.unit.microscope.students import Attention, PlainEncoder, additive
from tests.unit.tiny_bert import text_batch, tiny

LAYER = "bert.encoder.layer.1"
FUTURE = torch.ones(7, 7).tril()


def decoder(**fields: Any) -> Any:
    return tiny(BertLMHeadModel, is_decoder=True, **fields)


def masked_by(make: Callable[[Tensor], Tensor], attention: type = Attention) -> Any:
    """A decoder that makes its mask from the (batch, seq) one in another way."""
    model = decoder()
    for layer in model.bert.encoder.layer:
        layer.attention.self.__class__ = attention

    class Body(BertModel):
        def forward(self, input_ids: Any, attention_mask: Any, token_type_ids: Any, **_: Any) -> Any:
            return self.encoder(self.embeddings(input_ids, token_type_ids), make(attention_mask)), None

    model.bert.__class__ = Body
    model.bert.encoder = PlainEncoder(model.bert.encoder)
    return model


class SeesNoFuture(Attention):
    """Hides the future itself."""

    scale = 8**0.5

    def scores(self, query: Tensor, key: Tensor, mask: Any) -> Tensor:
        return (query @ key.transpose(-1, -2) / self.scale + mask).masked_fill(FUTURE == 0, -1e9)


class Unscaled(SeesNoFuture):
    scale = 1.0


@pytest.mark.seconds
@pytest.mark.parametrize(
    ("other", "stage"),
    [
        (lambda: masked_by(lambda m: (1 - m[:, None, None] * FUTURE) * -10000.0), None),
        (lambda: masked_by(additive, SeesNoFuture), None),
        (lambda: masked_by(additive, Unscaled), "bert.encoder.layer.0.attention.self"),
        (lambda: masked_by(additive), "bert"),
        (lambda: masked_by(lambda m: (1 - m[:, None, None] * FUTURE.T) * -10000.0), "bert"),
    ],
    ids=["one mask", "future hidden in attention", "unscaled", "future seen", "upside down"],
)
def test_the_mask_of_a_decoder_may_be_made_anywhere_but_not_be_forgotten(other: Any, stage: str | None) -> None:
    comparison = compare(decoder(), other(), text_batch(), copy_weights=True)
    assert (comparison.first and comparison.first.path) == stage
    assert comparison.agrees == (stage is None)


class Loss(BertLMHeadModel):
    """Writes its loss itself and returns it last."""

    def loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        return F.cross_entropy(logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten())

    def forward(self, labels: Any, **inputs: Any) -> Any:
        logits = super().forward(**inputs).logits
        return logits, self.loss(logits, labels)


class ShiftedTheWrongWay(Loss):
    def loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        return F.cross_entropy(logits[:, 1:].flatten(0, 1), labels[:, :-1].flatten())


@pytest.mark.parametrize(("made", "agrees"), [(Loss, True), (ShiftedTheWrongWay, False)])
def test_the_loss_is_compared_wherever_it_stands(made: type, agrees: bool) -> None:
    other = decoder()
    other.__class__ = made
    comparison = compare(decoder(), other, {**text_batch(), "labels": text_batch()["input_ids"]})
    assert comparison.agrees == agrees
    assert agrees or "Of its outputs, it is loss" in comparison.summary()


class CrossLayer(BertLayer):
    """Right; others break what it hands to cross-attention."""

    def cross(self, x: Tensor, attended: Tensor, encoded: Tensor, mask: Tensor) -> Tensor:  # noqa: ARG002
        return self.crossattention(attended, encoder_hidden_states=encoded, encoder_attention_mask=mask)[0]

    def forward(
        self,
        hidden_states: Tensor,
        attention_mask: Any = None,
        encoder_hidden_states: Any = None,
        encoder_attention_mask: Any = None,
        **_: Any,
    ) -> Any:
        attended, _probabilities, kept = self.attention(hidden_states, attention_mask)
        crossed = self.cross(hidden_states, attended, encoded=encoder_hidden_states, mask=encoder_attention_mask)
        return self.feed_forward(crossed), None, None, kept


class CrossMaskForgotten(CrossLayer):
    def cross(self, x: Tensor, attended: Tensor, encoded: Tensor, mask: Any) -> Tensor:  # noqa: ARG002
        return super().cross(x, attended, encoded=encoded, mask=None)  # type: ignore[arg-type]


class ReadsItself(CrossLayer):
    def cross(self, x: Tensor, attended: Tensor, encoded: Tensor, mask: Tensor) -> Tensor:  # noqa: ARG002
        return super().cross(x, attended, encoded=attended, mask=torch.zeros(()))


class AsksWithTheLayersInput(CrossLayer):
    def cross(self, x: Tensor, attended: Tensor, encoded: Tensor, mask: Tensor) -> Tensor:  # noqa: ARG002
        return super().cross(x, x, encoded=encoded, mask=mask)


class CrossLeftOut(CrossLayer):
    def cross(self, x: Tensor, attended: Tensor, encoded: Tensor, mask: Tensor) -> Tensor:  # noqa: ARG002
        return attended


@pytest.mark.seconds
@pytest.mark.parametrize(
    ("layer", "says"),
    [
        (CrossLayer, "agree to the bit"),
        (CrossMaskForgotten, "what it hands to crossattention (encoder_attention_mask: a mask in a, none in b)"),
        (ReadsItself, "what it hands to crossattention (encoder_hidden_states: shapes (2, 5, 32) and (2, 7, 32))"),
        (AsksWithTheLayersInput, "what it hands to crossattention (hidden_states)"),
        (CrossLeftOut, f"only a ran it: {LAYER}.crossattention."),
    ],
)
def test_what_cross_attention_is_given_is_followed(layer: type, says: str) -> None:
    right = decoder(add_cross_attention=True)
    other = copy.deepcopy(right)
    other.bert.encoder.layer[1].__class__ = layer
    encoded = torch.randn(2, 5, 32, generator=torch.Generator().manual_seed(0))
    mask = torch.tensor([[1, 1, 1, 0, 0], [1, 1, 1, 1, 0]])
    comparison = compare(
        right, other, {**text_batch(), "encoder_hidden_states": encoded, "encoder_attention_mask": mask}
    )
    assert says in comparison.summary()
    assert (comparison.first and comparison.first.path) == (None if layer is CrossLayer else LAYER)


class Cached(Attention):
    def joined(self, past: Tensor, new: Tensor) -> Tensor:
        return torch.cat([past, new], dim=2)

    def forward(self, hidden_states: Tensor, attention_mask: Any, past_key_value: Any = None, **_: Any) -> Any:
        query, key, value = self.projected(hidden_states)
        key, value = self.joined(past_key_value[0], key), self.joined(past_key_value[1], value)
        context = self.probabilities(self.scores(query, key, attention_mask)) @ value
        return self.join(context), None, (key, value)


class NewBeforeOld(Cached):
    def joined(self, past: Tensor, new: Tensor) -> Tensor:
        return torch.cat([new, past], dim=2)


class AlongTheHeads(Cached):
    def joined(self, past: Tensor, new: Tensor) -> Tensor:
        return torch.cat([past, new], dim=1)


@pytest.mark.seconds
@pytest.mark.parametrize(
    ("attention", "says"),
    [
        (Cached, "agree to the bit"),
        (NewBeforeOld, "the scores before softmax"),
        (AlongTheHeads, f"b stopped in {LAYER}.attention.self: RuntimeError: Sizes of tensors must match"),
    ],
)
def test_a_cache_is_followed(attention: type, says: str) -> None:
    right, batch = decoder(), text_batch()
    other = copy.deepcopy(right)
    other.get_submodule(f"{LAYER}.attention").self.__class__ = attention
    past = right(batch["input_ids"][:, :4], use_cache=True).past_key_values
    past = tuple(tuple(kept.detach() for kept in layer) for layer in past)
    inputs = {
        "input_ids": batch["input_ids"][:, 4:],
        "attention_mask": batch["attention_mask"],
        "past_key_values": past,
    }
    comparison = compare(right, other, inputs)
    assert says in comparison.summary()
    assert comparison.agrees == (attention is Cached)


class Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.wq, self.wk, self.wv, self.wo = (nn.Linear(32, 32) for _ in range(4))
        self.norm1, self.up, self.down = nn.LayerNorm(32, 1e-12), nn.Linear(32, 37), nn.Linear(37, 32)
        self.norm2, self.drop, self.act = nn.LayerNorm(32, 1e-12), nn.Dropout(0.1), F.gelu

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        query, key, value = (f(x).unflatten(-1, (4, 8)).transpose(1, 2) for f in (self.wq, self.wk, self.wv))
        weights = self.drop((query @ key.transpose(-1, -2) / 8**0.5 + mask).softmax(-1))
        x = self.norm1(x + self.drop(self.wo((weights @ value).transpose(1, 2).flatten(2))))
        return self.norm2(x + self.drop(self.down(self.act(self.up(x)))))


class OwnBert(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.tok, self.pos, self.seg = nn.Embedding(99, 32), nn.Embedding(24, 32), nn.Embedding(2, 32)
        self.norm, self.drop, self.pool = nn.LayerNorm(32, 1e-12), nn.Dropout(0.1), nn.Linear(32, 32)
        self.blocks = nn.ModuleList(Block() for _ in range(2))

    def forward(self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor) -> tuple[Tensor, Tensor]:
        x = self.tok(input_ids) + self.seg(token_type_ids) + self.pos.weight[: input_ids.size(1)]
        x = self.drop(self.norm(x))
        for block in self.blocks:
            x = block(x, additive(attention_mask))
        return x, torch.tanh(self.pool(x[:, 0]))


def test_a_bert_in_which_no_name_is_the_same_agrees_or_is_told_where_it_does_not() -> None:
    right, own = tiny(BertModel), OwnBert()
    comparison = compare(right, own, text_batch(), copy_weights=True)
    assert comparison.agrees, comparison.summary()
    assert "encoder.layer.1.output.LayerNorm" in [row.path for row in comparison.rows]
    assert "b's tok, pos, seg, norm, " in comparison.summary()
    own.blocks[1].act = F.relu
    assert compare(right, own, text_batch(), copy_weights=True).fault.path == "encoder.layer.1"
