"""What the library computes for each part that is a network: the very modules of `minibert`, with given weights.

Weights have the names that they have in a checkpoint, without what the part's own place puts before them: a layer's query is
`attention.self.query.weight`, and the attention's own name for it `self.query.weight`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

import minibert
from minibert import BertConfig
from minibert.heads.prediction import BertLMPredictionHead
from minibert.model.attention import BertAttention
from minibert.model.embeddings import BertEmbeddings
from minibert.model.layer import BertLayer
from minibert.model.masks import extended_attention_mask
from minibert.model.pooler import BertPooler

Weights = Mapping[str, Tensor]
Function = Callable[..., Any]  # tensors → a tensor, or several


class _Attention(BertAttention):
    """Attention with its output projection; what is added and normalised afterwards belongs to the layer."""

    def __init__(self, config: BertConfig):
        super().__init__(config)
        del self.output.LayerNorm

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:  # type: ignore[override]
        return self.output.dense(self.self(x, _additive(mask))[0])


class _Layer(BertLayer):
    def forward(self, x: Tensor, mask: Tensor) -> Tensor:  # type: ignore[override]
        return super().forward(x, _additive(mask))[0]


class _Bert(minibert.BertModel):
    def __init__(self, config: BertConfig):
        super().__init__(config, add_pooling_layer=False)

    def forward(self, ids: Tensor, segments: Tensor, mask: Tensor) -> Tensor:  # type: ignore[override]
        return super().forward(ids, attention_mask=mask, token_type_ids=segments)[0]


class _Predictions(BertLMPredictionHead):
    """The head with the word embeddings under the name that they have outside it."""

    def __init__(self, config: BertConfig):
        super().__init__(config)
        self.word_embeddings = self.decoder
        del self.decoder
        self.word_embeddings.bias = None  # type: ignore[assignment]

    def forward(self, hidden: Tensor) -> Tensor:
        return nn.functional.linear(self.transform(hidden), self.word_embeddings.weight, self.bias)


class _Pretraining(minibert.BertForPreTraining):
    def forward(self, *inputs: Tensor) -> Tensor:  # type: ignore[override]
        ids, segments, mask, labels, next_labels = inputs
        found = super().forward(
            ids, attention_mask=mask, token_type_ids=segments, labels=labels, next_sentence_label=next_labels
        )
        return found[0]


class _Classifier(minibert.BertForSequenceClassification):
    def forward(self, *inputs: Tensor) -> tuple[Tensor, Tensor]:  # type: ignore[override]
        ids, segments, mask, labels = inputs
        loss, logits = super().forward(ids, attention_mask=mask, token_type_ids=segments, labels=labels)[:2]
        return logits, loss


MODULES: dict[str, type[nn.Module]] = {
    "embeddings": BertEmbeddings,
    "attention": _Attention,
    "layer": _Layer,
    "bert": _Bert,
    "pooler": BertPooler,
    "predictions": _Predictions,
    "pretraining": _Pretraining,
    "classifier": _Classifier,
}


def shapes_of(part: str, config: BertConfig) -> dict[str, torch.Size]:
    """The names of a part's weights, tied ones once, and their shapes."""
    return {name: tensor.shape for name, tensor in MODULES[part](config).named_parameters()}


def reference(part: str, config: BertConfig, weights: Weights) -> Function:
    """The library's part with these weights, in training mode, as a function of what `adapters.py` says that it is given."""
    module = MODULES[part](config).train()
    return lambda *inputs: functional_call(module, dict(weights), inputs)


def under(weights: Weights, prefix: str) -> dict[str, Tensor]:
    """The weights whose names begin like this, without the beginning."""
    return {name.removeprefix(prefix): tensor for name, tensor in weights.items() if name.startswith(prefix)}


def _additive(mask: Tensor) -> Tensor:
    return extended_attention_mask(mask, mask.size(1), False, torch.float32)
