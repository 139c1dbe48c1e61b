"""BERTs that students wrote: each changes one stage of a right model, wrongly or in another right way.

A mistake is named with the stage that must be blamed and with words that the summary must have.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from minibert import BertForPreTraining
from minibert.model.attention import BertAttention, BertSelfAttention, BertSelfOutput
from minibert.model.embeddings import BertEmbeddings
from minibert.model.layer import BertIntermediate, BertLayer, BertOutput
from minibert.model.pooler import BertPooler

LAYER = "bert.encoder.layer.1"
ATTENTION = f"{LAYER}.attention"
SELF = f"{ATTENTION}.self"
Plant = Callable[[BertForPreTraining], None]
Result = tuple[Any, ...]


class Attention(BertSelfAttention):
    """Right, and written out for others to break."""

    def projected(self, x: Tensor) -> list[Tensor]:
        return [self.transpose_for_scores(project(x)) for project in (self.query, self.key, self.value)]

    def scores(self, query: Tensor, key: Tensor, mask: Tensor | None) -> Tensor:
        return query @ key.transpose(-1, -2) / math.sqrt(8) + (0 if mask is None else mask)

    def probabilities(self, scores: Tensor) -> Tensor:
        return self.dropout(scores.softmax(-1))

    def join(self, context: Tensor) -> Tensor:
        return context.permute(0, 2, 1, 3).flatten(2)

    def forward(self, hidden_states: Tensor, attention_mask: Tensor, *_: Any, **__: Any) -> Result:
        query, key, value = self.projected(hidden_states)
        context = self.probabilities(self.scores(query, key, attention_mask)) @ value
        return self.join(context), None, (key, value)


class KeysAskQueries(Attention):
    def scores(self, query: Tensor, key: Tensor, mask: Tensor) -> Tensor:
        return super().scores(key, query, mask)


class ViewedHeads(Attention):
    def transpose_for_scores(self, x: Tensor) -> Tensor:
        return x.view(x.size(0), 4, x.size(1), 8)


class ViewedBack(Attention):
    def join(self, context: Tensor) -> Tensor:
        return context.reshape(context.size(0), context.size(2), 32)


class RootOfHidden(Attention):
    def scores(self, query: Tensor, key: Tensor, mask: Tensor) -> Tensor:
        return query @ key.transpose(-1, -2) / math.sqrt(32) + mask


class SoftmaxOverQueries(Attention):
    def probabilities(self, scores: Tensor) -> Tensor:
        return self.dropout(scores.softmax(-2))


class AlwaysDrops(Attention):
    def probabilities(self, scores: Tensor) -> Tensor:
        return F.dropout(scores.softmax(-1), 0.1)


class DropsScores(Attention):
    def probabilities(self, scores: Tensor) -> Tensor:
        return self.dropout(scores).softmax(-1)


class MaskAfterSoftmax(Attention):
    def forward(self, hidden_states: Tensor, attention_mask: Tensor, *_: Any, **__: Any) -> Result:
        query, key, value = self.projected(hidden_states)
        probabilities = self.probabilities(self.scores(query, key, torch.zeros(()))) + attention_mask
        return self.join(probabilities @ value), None, (key, value)


class CutKey(Attention):
    def projected(self, x: Tensor) -> list[Tensor]:
        query, key, value = super().projected(x)
        return [query, key.detach(), value]


class Overflowing(Attention):
    def probabilities(self, scores: Tensor) -> Tensor:
        weights = (1000 * scores).exp()
        return self.dropout(weights / weights.sum(-1, keepdim=True))


class FusedAttention(Attention):
    """PyTorch's."""

    scale: float | None = None

    def forward(self, hidden_states: Tensor, attention_mask: Tensor, *_: Any, **__: Any) -> Result:
        query, key, value = self.projected(hidden_states)
        p = 0.1 if self.training else 0.0
        context = F.scaled_dot_product_attention(query, key, value, attention_mask, dropout_p=p, scale=self.scale)
        return self.join(context), None, (key, value)


class WrongScale(FusedAttention):
    scale = 1.0


class FilledIn(Attention):
    """Scores are replaced where the mask is 0."""

    def scores(self, query: Tensor, key: Tensor, mask: Tensor) -> Tensor:
        return (query @ key.transpose(-1, -2) / math.sqrt(8)).masked_fill(mask == 0, -1e9)


class TrueHides(Attention):
    def scores(self, query: Tensor, key: Tensor, mask: Tensor) -> Tensor:
        return (query @ key.transpose(-1, -2) / math.sqrt(8)).masked_fill(mask, -1e9)


class Einsum(Attention):
    def forward(self, hidden_states: Tensor, attention_mask: Tensor, *_: Any, **__: Any) -> Result:
        query, key, value = (f(hidden_states).unflatten(-1, (4, 8)) for f in (self.query, self.key, self.value))
        scores = torch.einsum("bqhd,bkhd->bhqk", query, key) / math.sqrt(8) + attention_mask
        return torch.einsum("bhqk,bkhd->bqhd", self.probabilities(scores), value).flatten(2), None, ()


class HeadByHead(Attention):
    def forward(self, hidden_states: Tensor, attention_mask: Tensor, *_: Any, **__: Any) -> Result:
        query, key, value = self.projected(hidden_states)
        heads = [
            self.probabilities(self.scores(query[:, i], key[:, i], attention_mask[:, 0])) @ value[:, i]
            for i in range(4)
        ]
        return torch.cat(heads, dim=-1), None, ()


class OneProjection(nn.Module):
    """Queries, keys and values from one matrix."""

    scale = math.sqrt(8)

    def __init__(self) -> None:
        super().__init__()
        self.qkv, self.dropout = nn.Linear(32, 96), nn.Dropout(0.1)

    def forward(self, x: Tensor, mask: Tensor | None = None, attention_mask: Any = None, **_: Any) -> Result:
        query, key, value = (part.unflatten(-1, (4, 8)).transpose(1, 2) for part in self.qkv(x).chunk(3, dim=-1))
        scores = query @ key.transpose(-1, -2) / self.scale + (attention_mask if mask is None else mask)
        return (self.dropout(scores.softmax(-1)) @ value).transpose(1, 2).flatten(2), None, ()


class OneProjectionUnscaled(OneProjection):
    scale = 1.0


class OtherNames(nn.Module):
    """In another order too."""

    scale = math.sqrt(8)

    def __init__(self) -> None:
        super().__init__()
        self.v, self.q, self.k = (nn.Linear(32, 32) for _ in range(3))
        self.drop = nn.Dropout(0.1)

    def forward(self, x: Tensor, attention_mask: Any = None, **_: Any) -> Result:
        query, key, value = (f(x).unflatten(-1, (4, 8)).transpose(1, 2) for f in (self.q, self.k, self.v))
        probabilities = (query @ key.transpose(-1, -2) / self.scale + attention_mask).softmax(-1)
        return (self.drop(probabilities) @ value).transpose(1, 2).flatten(2), None, ()


class OtherNamesUnscaled(OtherNames):
    scale = 1.0


class PyTorchsAttention(nn.Module):
    """`nn.MultiheadAttention`, whose mask says True where it hides."""

    def __init__(self) -> None:
        super().__init__()
        self.heads = nn.MultiheadAttention(32, 4, dropout=0.1, batch_first=True)
        self.LayerNorm, self.dropout = nn.LayerNorm(32, eps=1e-12), nn.Dropout(0.1)

    def forward(self, x: Tensor, attention_mask: Tensor, **_: Any) -> Result:
        y, _none = self.heads(x, x, x, key_padding_mask=attention_mask[:, 0, 0] < 0, need_weights=False)
        return self.LayerNorm(self.dropout(y) + x), None, ()


class NoResidual(BertSelfOutput):
    def forward(self, hidden_states: Tensor, input_tensor: Tensor) -> Tensor:  # noqa: ARG002
        return self.LayerNorm(self.dropout(self.dense(hidden_states)))


class CutResidual(BertSelfOutput):
    def forward(self, hidden_states: Tensor, input_tensor: Tensor) -> Tensor:
        return self.LayerNorm(self.dropout(self.dense(hidden_states)) + input_tensor.data)


class DropsAfterNorm(BertSelfOutput):
    def forward(self, hidden_states: Tensor, input_tensor: Tensor) -> Tensor:
        return self.dropout(self.LayerNorm(self.dense(hidden_states) + input_tensor))


class NeverDrops(BertSelfOutput):
    def forward(self, hidden_states: Tensor, input_tensor: Tensor) -> Tensor:
        return self.LayerNorm(self.dense(hidden_states) + input_tensor)


class WritesToItsInput(BertSelfOutput):
    def forward(self, hidden_states: Tensor, input_tensor: Tensor) -> Tensor:
        input_tensor += self.dropout(self.dense(hidden_states))
        return self.LayerNorm(input_tensor)


class LayerThatWritesToItsInput(BertLayer):
    def forward(self, hidden_states: Tensor, attention_mask: Any = None, **_: Any) -> Any:
        hidden_states += 1
        return super().forward(hidden_states, attention_mask)


class PreNorm(BertAttention):
    def forward(self, hidden_states: Tensor, attention_mask: Any = None, *_: Any, **__: Any) -> Any:
        context, _none, key_value = self.self(self.output.LayerNorm(hidden_states), attention_mask)
        return hidden_states + self.output.dropout(self.output.dense(context)), None, key_value


class AddsItself(BertOutput):
    def forward(self, hidden_states: Tensor, input_tensor: Tensor) -> Tensor:  # noqa: ARG002
        hidden_states = self.dropout(self.dense(hidden_states))
        return self.LayerNorm(hidden_states + hidden_states)


class ForgetsReturn(BertOutput):
    def forward(self, hidden_states: Tensor, input_tensor: Tensor) -> Any:
        super().forward(hidden_states, input_tensor)


class ForgetsNormBias(BertOutput):
    def forward(self, hidden_states: Tensor, input_tensor: Tensor) -> Tensor:
        mixed = self.dropout(self.dense(hidden_states)) + input_tensor
        return F.layer_norm(mixed, (32,), self.LayerNorm.weight, None, 1e-12)


class TanhGelu(BertIntermediate):
    def forward(self, hidden_states: Tensor) -> Tensor:
        return F.gelu(self.dense(hidden_states), approximate="tanh")


class GeluAfterTheWrongDense(BertLayer):
    def feed_forward(self, attended: Tensor) -> Tensor:
        inner = self.intermediate.dense(attended)
        return self.output.LayerNorm(F.gelu(self.output.dense(inner)) + attended)


class CutBetween(BertLayer):
    def feed_forward(self, attended: Tensor) -> Tensor:
        return self.output(self.intermediate(attended), attended.detach())


class LastToken(BertPooler):
    def forward(self, hidden_states: Tensor) -> Tensor:
        return self.activation(self.dense(hidden_states[:, -1]))


class NoTanh(BertPooler):
    def forward(self, hidden_states: Tensor) -> Tensor:
        return self.dense(hidden_states[:, 0])


class FirstRow(BertPooler):
    def forward(self, hidden_states: Tensor) -> Tensor:
        return self.activation(self.dense(hidden_states[0]))


class SqueezedPooler(BertPooler):
    def forward(self, hidden_states: Tensor) -> Tensor:
        return torch.tanh(self.dense(hidden_states[:, :1])).squeeze(1)


class NoSegments(BertEmbeddings):
    def forward(self, input_ids: Tensor, **_: Any) -> Tensor:
        positions = self.position_embeddings(self.position_ids[:, : input_ids.size(1)])
        return self.dropout(self.LayerNorm(self.word_embeddings(input_ids) + positions))


class NoGradient(BertEmbeddings):
    def forward(self, *args: Any, **kwargs: Any) -> Tensor:
        with torch.no_grad():
            return super().forward(*args, **kwargs)


class OwnDropout(nn.Module):
    always = False

    def forward(self, x: Tensor) -> Tensor:
        return x * (torch.rand_like(x) > 0.1) / 0.9 if self.always or self.training else x


class AlwaysOwnDropout(OwnDropout):
    always = True


class OwnNorm(nn.Module):
    """With the names of TensorFlow."""

    def __init__(self) -> None:
        super().__init__()
        self.gamma, self.beta = nn.Parameter(torch.ones(32)), nn.Parameter(torch.zeros(32))

    def variance(self, centred: Tensor) -> Tensor:
        return (centred * centred).mean(-1, keepdim=True)

    def forward(self, x: Tensor) -> Tensor:
        centred = x - x.mean(-1, keepdim=True)
        return centred / torch.sqrt(self.variance(centred) + 1e-12) * self.gamma + self.beta


class OwnNormByOneLess(OwnNorm):
    def variance(self, centred: Tensor) -> Tensor:
        return (centred * centred).sum(-1, keepdim=True) / 31


class PlainEncoder(nn.Module):
    """Calls the mask m."""

    def __init__(self, encoder: nn.Module):
        super().__init__()
        self.layer = encoder.layer

    def forward(self, x: Tensor, m: Tensor | None) -> Tensor:
        for layer in self.layer:
            x = layer(x, m)[0]
        return x


def turn(path: str, cls: type) -> Plant:
    """The stage becomes one of another class, with the parameters that it has."""

    def plant(model: BertForPreTraining) -> None:
        stage = copy.deepcopy(model.get_submodule(path))
        stage.__class__ = cls
        model.set_submodule(path, stage)
        model.tie_weights()

    return plant


def everywhere(cls: type, fresh: bool = False) -> Plant:
    """All self-attention becomes that of another class."""

    def plant(model: BertForPreTraining) -> None:
        for layer in model.bert.encoder.layer:
            if fresh:
                layer.attention.self = cls()
            else:
                layer.attention.self.__class__ = cls

    return plant


def put(path: str, make: Callable[[], nn.Module]) -> Plant:
    return lambda model: model.set_submodule(path, make())


def mask_made_by(make: Callable[[Tensor], Tensor | None], attention: type = Attention) -> Plant:
    """The model makes its mask from the (batch, seq) one of 1 and 0 in another way."""

    def plant(model: BertForPreTraining) -> None:
        everywhere(attention)(model)

        class Body(type(model.bert)):  # type: ignore[misc]
            def forward(self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor, **_: Any) -> Result:
                x = self.encoder(self.embeddings(input_ids, token_type_ids), make(attention_mask))
                return x, self.pooler(x)

        model.bert.__class__ = Body
        model.bert.encoder = PlainEncoder(model.bert.encoder)

    return plant


def additive(mask: Tensor) -> Tensor:
    return (1.0 - mask[:, None, None].float()) * -10000.0


def no_query_bias(model: BertForPreTraining) -> None:
    attention = model.get_submodule(SELF)
    weight, attention.query = attention.query.weight, nn.Linear(32, 32, bias=False)
    attention.query.weight = weight


def two_heads(model: BertForPreTraining) -> None:
    attention = model.get_submodule(SELF)
    attention.num_attention_heads, attention.attention_head_size = 2, 16


def other_rate(model: BertForPreTraining) -> None:
    model.bert.encoder.layer[1].output.dropout.p = 0.5


def other_eps(model: BertForPreTraining) -> None:
    model.bert.encoder.layer[1].output.LayerNorm.eps = 1e-5


def untied(model: BertForPreTraining) -> None:
    decoder = model.cls.predictions.decoder
    decoder.weight = nn.Parameter(decoder.weight.detach().clone())


def a_layer_too_few(model: BertForPreTraining) -> None:
    del model.bert.encoder.layer[1]


def returns_nothing(model: BertForPreTraining) -> None:
    class Silent(type(model)):  # type: ignore[misc]
        def forward(self, *args: Any, **kwargs: Any) -> None:
            super().forward(*args, **kwargs)

    model.__class__ = Silent


def halves_its_loss(model: BertForPreTraining) -> None:
    class Halved(type(model)):  # type: ignore[misc]
        def forward(self, *args: Any, **kwargs: Any) -> Any:
            outputs = super().forward(*args, **kwargs)
            outputs["loss"] = outputs["loss"] / 2
            return outputs

    model.__class__ = Halved


def ignores_labels(model: BertForPreTraining) -> None:
    class Unlabelled(type(model)):  # type: ignore[misc]
        def forward(self, labels: Tensor, **kwargs: Any) -> Any:  # noqa: ARG002
            return super().forward(**kwargs)

    model.__class__ = Unlabelled


@dataclass(frozen=True)
class Mistake:
    """How to make it, the stage that must be named, what the summary must say, and which mistake it must name."""

    name: str
    plant: Plant
    stage: str
    says: str
    named: str = ""

    def __str__(self) -> str:
        return self.name


SCORES, PROBABILITIES = "the scores before softmax", "the probabilities after softmax"
TRAINING = "in training only"
HANDS = "what it hands to "
MASK = f"{HANDS}encoder (attention_mask"
CUT = "which is 0 in b, as after detach() or .data"
RANDOM = "b differs from itself on the same input, in evaluation mode too"
MISTAKES = [
    Mistake("query and key swapped", turn(SELF, KeysAskQueries), SELF, SCORES, named="queries and keys are exchanged"),
    Mistake(
        "heads viewed without a transpose",
        turn(SELF, ViewedHeads),
        SELF,
        SCORES,
        named="the heads are split by a view, without a transpose",
    ),
    Mistake(
        "heads joined without a transpose",
        turn(SELF, ViewedBack),
        SELF,
        "The cause comes after it",
        named="the heads are joined by a view, without a transpose",
    ),
    Mistake(
        "scaled by the root of hidden",
        turn(SELF, RootOfHidden),
        SELF,
        SCORES,
        named="the scores are divided by √hidden, not √d",
    ),
    Mistake(
        "wrong scale in PyTorch's attention",
        turn(SELF, WrongScale),
        SELF,
        SCORES,
        named="the scores are not divided by √d",
    ),
    Mistake(
        "softmax over the queries",
        turn(SELF, SoftmaxOverQueries),
        SELF,
        PROBABILITIES,
        named="the softmax runs over the queries, not the keys",
    ),
    Mistake("softmax that overflows", turn(SELF, Overflowing), SELF, "NaN in b"),
    Mistake(
        "mask after the softmax",
        turn(SELF, MaskAfterSoftmax),
        SELF,
        SCORES,
        named="the mask is added after the softmax",
    ),
    Mistake(
        "two heads for four", two_heads, SELF, "shapes (2, 4, 7, 7) and (2, 2, 7, 7)", named="the number of heads is 2"
    ),
    Mistake(
        "query without a bias",
        no_query_bias,
        f"{SELF}.query",
        "bias=True in a, bias=False in b",
        named="the bias of attention.self.query is left out",
    ),
    Mistake(
        "fused projection, no scale",
        everywhere(OneProjectionUnscaled, True),
        SELF.replace("1", "0"),
        SCORES,
        named="the scores are not divided by √d",
    ),
    Mistake(
        "other names, no scale",
        everywhere(OtherNamesUnscaled, True),
        SELF.replace("1", "0"),
        SCORES,
        named="the scores are not divided by √d",
    ),
    Mistake(
        "mask not handed on",
        mask_made_by(lambda _: None),
        "bert",
        f"{MASK}: a mask in a, none in b)",
        named="the mask is forgotten",
    ),
    Mistake("mask inverted", mask_made_by(lambda m: additive(1 - m)), "bert", MASK, named="the mask is inverted"),
    Mistake(
        "mask not additive",
        mask_made_by(lambda m: m[:, None, None].float()),
        "bert",
        MASK,
        named="the mask of 1 and 0 is added as it is",
    ),
    Mistake(
        "mask of -1",
        mask_made_by(lambda m: additive(m) / 10000),
        "bert",
        MASK,
        named="the mask is −1: too little to hide",
    ),
    Mistake(
        "mask of queries",
        mask_made_by(lambda m: additive(m).transpose(-1, -2)),
        "bert",
        MASK,
        named="the mask hides queries, not keys",
    ),
    Mistake(
        "bool mask inverted",
        mask_made_by(lambda m: (m == 0)[:, None, None], FusedAttention),
        "bert",
        MASK,
        named="the mask is inverted",
    ),
    Mistake(
        "mask of 0 and 1 inverted",
        mask_made_by(lambda m: 1 - m[:, None, None], FilledIn),
        "bert",
        MASK,
        named="the mask is inverted",
    ),
    Mistake(
        "hiding mask inverted",
        mask_made_by(lambda m: (m == 1)[:, None, None], TrueHides),
        "bert",
        MASK,
        named="the mask is inverted",
    ),
    Mistake("dropout always on", turn(SELF, AlwaysDrops), SELF, RANDOM),
    Mistake(
        "own dropout always on", put("bert.embeddings.dropout", AlwaysOwnDropout), "bert.embeddings.dropout", RANDOM
    ),
    Mistake("dropout of the scores", turn(SELF, DropsScores), SELF, TRAINING),
    Mistake("dropout after LayerNorm", turn(f"{ATTENTION}.output", DropsAfterNorm), f"{ATTENTION}.output", TRAINING),
    Mistake("one dropout missing", turn(f"{ATTENTION}.output", NeverDrops), f"{ATTENTION}.output", TRAINING),
    Mistake("another rate of dropout", other_rate, f"{LAYER}.output.dropout", "is 0.1 in a and 0.5 in b"),
    Mistake(
        "no residual",
        turn(f"{ATTENTION}.output", NoResidual),
        f"{ATTENTION}.output",
        f"{HANDS}LayerNorm",
        named="the residual is left out",
    ),
    Mistake(
        "adds itself",
        turn(f"{LAYER}.output", AddsItself),
        f"{LAYER}.output",
        f"{HANDS}LayerNorm",
        named="the residual is the dense layer's result, not the input",
    ),
    Mistake(
        "pre-norm",
        turn(ATTENTION, PreNorm),
        ATTENTION,
        f"{HANDS}self (hidden_states)",
        named="LayerNorm comes first (pre-norm) in attention",
    ),
    Mistake("other eps", other_eps, f"{LAYER}.output.LayerNorm", "eps=1e-12 in a, eps=1e-05 in b", named="ε is 1e-05"),
    Mistake(
        "variance by n - 1",
        put(f"{LAYER}.output.LayerNorm", OwnNormByOneLess),
        f"{LAYER}.output.LayerNorm",
        "by",
        named="the variance is divided by n − 1, not n",
    ),
    Mistake(
        "bias of LayerNorm unused",
        turn(f"{LAYER}.output", ForgetsNormBias),
        f"{LAYER}.output",
        "only a ran it",
        named="LayerNorm's bias is left out",
    ),
    Mistake(
        "gelu by tanh",
        turn(f"{LAYER}.intermediate", TanhGelu),
        f"{LAYER}.intermediate",
        "The cause comes after it",
        named="gelu is its approximation by tanh",
    ),
    Mistake(
        "gelu after the wrong dense",
        turn(LAYER, GeluAfterTheWrongDense),
        LAYER,
        f"{HANDS}output.dense",
        named="the activation follows the second dense layer, not the first",
    ),
    Mistake(
        "last token for [CLS]",
        turn("bert.pooler", LastToken),
        "bert.pooler",
        f"{HANDS}dense",
        named="it takes the last word, not [CLS]",
    ),
    Mistake(
        "first row for [CLS]",
        turn("bert.pooler", FirstRow),
        "bert.pooler",
        "shapes (2, 32) and (7, 32)",
        named="h[0] for h[:, 0]",
    ),
    Mistake(
        "no tanh",
        turn("bert.pooler", NoTanh),
        "bert.pooler",
        "only a ran it: bert.pooler.activation",
        named="tanh is left out",
    ),
    Mistake(
        "no segments",
        turn("bert.embeddings", NoSegments),
        "bert.embeddings",
        "token_type_embeddings",
        named="the segments are not added",
    ),
    Mistake("embeddings without gradient", turn("bert.embeddings", NoGradient), "bert.embeddings", "no gradient in b"),
    Mistake(
        "residual by .data", turn(f"{ATTENTION}.output", CutResidual), f"{ATTENTION}.output", f"input_tensor, {CUT}"
    ),
    Mistake("residual cut by the layer", turn(LAYER, CutBetween), LAYER, "goes back to attention.output"),
    Mistake("detached key", turn(SELF, CutKey), SELF, f"key, {CUT}"),
    Mistake(
        "writes to its input", turn(f"{ATTENTION}.output", WritesToItsInput), f"{ATTENTION}.output", "no backward pass"
    ),
    Mistake("layer writes to its input", turn(LAYER, LayerThatWritesToItsInput), LAYER, "in place in b"),
    Mistake("decoder not tied", untied, "bert.embeddings.word_embeddings", "one parameter in a and two in b"),
    Mistake(
        "a layer too few",
        a_layer_too_few,
        "bert.encoder",
        "only a ran it: bert.encoder.layer.1.",
        named="the last layer is left out",
    ),
    Mistake("forgotten return", turn(f"{LAYER}.output", ForgetsReturn), f"{LAYER}.output", "b returns no tensor"),
    Mistake("model returns nothing", returns_nothing, "", "b returns no tensor"),
    Mistake("no loss", ignores_labels, "", "b returns None for it. Of its outputs, it is loss"),
    Mistake(
        "another loss",
        halves_its_loss,
        "",
        "Of its outputs, it is loss",
        named="the two losses are averaged, not added",
    ),
]
RIGHT: dict[str, Plant] = {
    "attention written out": everywhere(Attention),
    "einsum": everywhere(Einsum),
    "head by head": everywhere(HeadByHead),
    "PyTorch's fused attention": everywhere(FusedAttention),
    "nn.MultiheadAttention": lambda model: [
        setattr(layer, "attention", PyTorchsAttention()) for layer in model.bert.encoder.layer
    ],
    "one projection": everywhere(OneProjection, fresh=True),
    "other names": everywhere(OtherNames, fresh=True),
    "a LayerNorm of one's own": put(f"{LAYER}.output.LayerNorm", OwnNorm),
    "a dropout of one's own": put("bert.embeddings.dropout", OwnDropout),
    "pooler with an axis of one": turn("bert.pooler", SqueezedPooler),
    "mask of True and False": mask_made_by(lambda m: (m == 1)[:, None, None], FusedAttention),
    "mask of 1 and 0": mask_made_by(lambda m: m[:, None, None], FilledIn),
    "mask of what is hidden": mask_made_by(lambda m: (m == 0)[:, None, None], TrueHides),
    "mask of -infinity": mask_made_by(lambda m: additive(m).masked_fill(m[:, None, None] == 0, -math.inf)),
}
