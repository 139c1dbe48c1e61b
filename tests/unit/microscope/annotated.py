"""A BERT in the style of the Annotated Transformer: a list of linear layers, masks that fill in, sublayers that call functions."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Sublayer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.norm, self.dropout = nn.LayerNorm(32, eps=1e-12), nn.Dropout(0.1)

    def forward(self, x: Tensor, function: Callable[[Tensor], Tensor]) -> Tensor:
        return self.norm(x + self.dropout(function(x)))


class Heads(nn.Module):
    """mistake: the name of what is wrong in it, if anything is."""

    def __init__(self, mistake: str):
        super().__init__()
        self.linears, self.dropout = nn.ModuleList(nn.Linear(32, 32) for _ in range(4)), nn.Dropout(0.1)
        self.mistake = mistake

    def forward(self, query: Tensor, key: Tensor, value: Tensor, mask: Tensor) -> Tensor:
        query, key, value = (
            linear(x).view(len(x), -1, 4, 8).transpose(1, 2)
            for linear, x in zip(self.linears, (query, key, value), strict=False)
        )
        scores = query @ key.transpose(-2, -1) / (8 if self.mistake == "d" else math.sqrt(8))
        scores = scores.masked_fill(mask == 0, -1.0 if self.mistake == "small" else -1e9)
        x = self.dropout(scores.softmax(dim=1 if self.mistake == "heads" else -1)) @ value
        x = x.contiguous() if self.mistake == "join" else x.transpose(1, 2).contiguous()
        return self.linears[-1](x.view(len(x), -1, 32))


class Layer(nn.Module):
    def __init__(self, mistake: str):
        super().__init__()
        self.self_attn, self.w_1, self.w_2 = Heads(mistake), nn.Linear(32, 37), nn.Linear(37, 32)
        self.sublayer = nn.ModuleList([Sublayer(), Sublayer()])
        self.act = F.relu if mistake == "relu" else F.gelu

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        x = self.sublayer[0](x, lambda y: self.self_attn(y, y, y, mask))
        return self.sublayer[1](x, lambda y: self.w_2(self.act(self.w_1(y))))


class Annotated(nn.Module):
    def __init__(self, mistake: str = ""):
        super().__init__()
        self.mistake = mistake
        self.emb, self.pe, self.te = nn.Embedding(99, 32), nn.Embedding(24, 32), nn.Embedding(2, 32)
        self.norm, self.dropout = nn.LayerNorm(32, eps=1e-12), nn.Dropout(0.1)
        self.layers = nn.ModuleList(Layer(mistake) for _ in range(1 if mistake == "one layer" else 2))
        self.pool, self.transform, self.transform_norm = nn.Linear(32, 32), nn.Linear(32, 32), nn.LayerNorm(32, 1e-12)
        self.generator, self.follows = nn.Linear(32, 99), nn.Linear(32, 2)
        if mistake != "untied":
            self.generator.weight = self.emb.weight

    def positions(self, seq: int) -> Tensor:
        if self.mistake != "waves":
            return self.pe.weight[:seq]
        places, waves = torch.arange(seq)[:, None], torch.zeros(seq, 32)
        by = torch.exp(torch.arange(0, 32, 2) * -(math.log(10000.0) / 32))
        waves[:, 0::2], waves[:, 1::2] = torch.sin(places * by), torch.cos(places * by)
        return waves

    def forward(
        self, input_ids: Any, attention_mask: Any, token_type_ids: Any, labels: Any, next_sentence_label: Any
    ) -> dict[str, Tensor]:
        x = self.emb(input_ids) * (math.sqrt(32) if self.mistake == "scaled" else 1.0)
        x = self.dropout(self.norm(x + self.positions(x.size(1)) + self.te(token_type_ids)))
        for layer in self.layers:
            x = layer(
                x, attention_mask[:, None, :, None] if self.mistake == "queries" else attention_mask[:, None, None]
            )
        words, pairs = (
            self.generator(self.transform_norm(F.gelu(self.transform(x)))),
            self.follows(self.pool(x[:, 0]).tanh()),
        )
        loss = F.cross_entropy(words.transpose(1, 2), labels) + F.cross_entropy(pairs, next_sentence_label)
        return {"loss": loss, "prediction_logits": words, "seq_relationship_logits": pairs}
