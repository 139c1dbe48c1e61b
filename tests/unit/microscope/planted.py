"""Ten classic mistakes, each planted in an otherwise right model, and where each must be found.

Every one is a module that a student could have written in place of minibert's, with the same parameter names.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from minibert import BertConfig, BertForPreTraining
from minibert.microscope.parameters import copy_parameters
from minibert.model.attention import BertAttention, BertSelfAttention
from minibert.model.embeddings import BertEmbeddings
from minibert.model.layer import BertIntermediate


class PlainSelfAttention(BertSelfAttention):
    """Right, and written out in one piece for others to break."""

    def scores(self, query: Tensor, key: Tensor, mask: Tensor | None) -> Tensor:
        scores = query @ key.transpose(-1, -2) / math.sqrt(self.attention_head_size)
        return scores if mask is None else scores + mask

    def probabilities(self, scores: Tensor) -> Tensor:
        return F.softmax(scores, dim=-1)

    def forward(
        self, hidden_states: Tensor, attention_mask: Tensor | None = None, *_: Any, **__: Any
    ) -> tuple[Any, ...]:
        query, key, value = (
            self.transpose_for_scores(project(hidden_states)) for project in (self.query, self.key, self.value)
        )
        probabilities = self.probabilities(self.scores(query, key, attention_mask))
        context = (probabilities @ value).permute(0, 2, 1, 3).flatten(2)
        return context, None, (key, value)


class MissingScale(PlainSelfAttention):
    def scores(self, query: Tensor, key: Tensor, mask: Tensor | None) -> Tensor:
        scores = query @ key.transpose(-1, -2)
        return scores if mask is None else scores + mask


class WrongSoftmaxAxis(PlainSelfAttention):
    def probabilities(self, scores: Tensor) -> Tensor:
        return scores.softmax(dim=-2)


class MaskAfterSoftmax(PlainSelfAttention):
    def forward(
        self, hidden_states: Tensor, attention_mask: Tensor | None = None, *_: Any, **__: Any
    ) -> tuple[Any, ...]:
        query, key, value = (
            self.transpose_for_scores(project(hidden_states)) for project in (self.query, self.key, self.value)
        )
        probabilities = torch.softmax(self.scores(query, key, None), dim=-1)
        if attention_mask is not None:
            probabilities = probabilities + attention_mask
        return (probabilities @ value).permute(0, 2, 1, 3).flatten(2), None, (key, value)


class TanhGelu(BertIntermediate):
    def forward(self, hidden_states: Tensor) -> Tensor:
        return F.gelu(self.dense(hidden_states), approximate="tanh")


class SwappedSegments(BertEmbeddings):
    def forward(self, input_ids: Tensor, token_type_ids: Tensor, **_: Any) -> Tensor:
        return super().forward(input_ids, 1 - token_type_ids)


class PositionsFromOne(BertEmbeddings):
    def forward(self, input_ids: Tensor, token_type_ids: Tensor, **_: Any) -> Tensor:
        return super().forward(input_ids, token_type_ids, self.position_ids[:, 1 : input_ids.size(1) + 1])


class PreNorm(BertAttention):
    """LayerNorm before attention, none after the addition: GPT-2's order."""

    def forward(
        self, hidden_states: Tensor, attention_mask: Tensor | None = None, *_: Any, **__: Any
    ) -> tuple[Any, ...]:
        context, _none, key_value = self.self(self.output.LayerNorm(hidden_states), attention_mask)
        return hidden_states + self.output.dense(context), None, key_value


class TransposedLinear(nn.Linear):
    def forward(self, input: Tensor) -> Tensor:
        return input @ self.weight + self.bias


def eps_as_in_pytorch(model: BertForPreTraining) -> None:
    model.bert.encoder.layer[1].output.LayerNorm.eps = 1e-5


def untied_bias(model: BertForPreTraining) -> None:
    head = model.cls.predictions
    head.bias = nn.Parameter(head.decoder.bias.detach().clone())


def replace(path: str, make: Callable[[BertConfig], nn.Module]) -> Callable[[BertForPreTraining], None]:
    """Put another module in the place of one, with the parameters that it had."""

    def plant(model: BertForPreTraining) -> None:
        mine = make(model.config).eval()
        copy_parameters(model.get_submodule(path), mine)
        model.set_submodule(path, mine)
        model.tie_weights()

    return plant


@dataclass(frozen=True)
class Mistake:
    """How to make it, the stage that must be named, and what diverges first inside it."""

    name: str
    plant: Callable[[BertForPreTraining], None]
    stage: str
    inside: str | None = None

    def __str__(self) -> str:
        return self.name


LAYER = "bert.encoder.layer.1"
SELF = f"{LAYER}.attention.self"
EMBEDDINGS = "bert.embeddings"
MISTAKES = [
    Mistake("missing scale", replace(SELF, MissingScale), SELF, "the scores before softmax"),
    Mistake("wrong axis in softmax", replace(SELF, WrongSoftmaxAxis), SELF, "the probabilities after softmax"),
    Mistake("mask added after softmax", replace(SELF, MaskAfterSoftmax), SELF, "the scores before softmax"),
    Mistake("eps 1e-5", eps_as_in_pytorch, f"{LAYER}.output.LayerNorm"),
    Mistake("tanh-gelu for gelu", replace(f"{LAYER}.intermediate", TanhGelu), f"{LAYER}.intermediate"),
    Mistake(
        "swapped segments", replace(EMBEDDINGS, SwappedSegments), EMBEDDINGS, "what it hands to token_type_embeddings"
    ),
    Mistake("untied bias", untied_bias, "cls.predictions", "the gradient of bias"),
    Mistake("pre-norm", replace(f"{LAYER}.attention", PreNorm), f"{LAYER}.attention", "what it hands to self"),
    Mistake(
        "transposed weight",
        replace(f"{SELF}.key", lambda config: TransposedLinear(config.hidden_size, config.hidden_size)),
        f"{SELF}.key",
    ),
    Mistake(
        "off-by-one positions",
        replace(EMBEDDINGS, PositionsFromOne),
        EMBEDDINGS,
        "what it hands to position_embeddings",
    ),
]
