"""Attention: every position gathers from every other.

    Q = X W_q     K = Y W_k     V = Y W_v
    attention(Q, K, V) = softmax(Q Kᵀ / √d + mask) V

X asks, Y answers: the same sequence in self-attention, the encoder's in cross-attention. d is the width of a head.
The mask is added, 0 where a key may be seen and −10000 where it may not, so that a row which may see nothing
still has a finite softmax. Source: Vaswani et al. 2017, §3.2.

Two ways to compute the same thing: `eager_attention`, written out line by line, and `sdpa_attention`, PyTorch's fused
kernel, which never holds the (seq × keys) matrix of probabilities.
Reference classes: `BertSelfAttention`, `BertSelfOutput`, `BertAttention`.
"""

import math
from collections.abc import Callable, Iterable
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..config import BertConfig
from .surgery import prune_attention_heads

RelativeScores = Callable[[Tensor, Tensor], tuple[Tensor, ...]]  # of a query and a key


def eager_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    relative: RelativeScores | None,
    dropout: nn.Dropout,
    head_mask: Tensor | None,
) -> tuple[Tensor, Tensor]:
    """Attention by hand.

    query: (batch, heads, seq, d). key, value: (batch, heads, keys, d). attention_mask: additive, broadcast to the
    scores. relative: query, key → scores by distance, each (batch, heads, seq, keys). head_mask: broadcast to the probabilities.
    Returns the context (batch, heads, seq, d) and the probabilities (batch, heads, seq, keys).
    """
    scores = torch.matmul(query, key.transpose(-1, -2))  # (batch, heads, seq, keys)
    for by_distance in relative(query, key) if relative else ():  # here, so that gradients add up in this order
        scores = scores + by_distance
    scores /= math.sqrt(query.size(-1))
    if attention_mask is not None:
        scores = scores + attention_mask
    probabilities = dropout(torch.softmax(scores, dim=-1))
    if head_mask is not None:
        probabilities = probabilities * head_mask
    return torch.matmul(probabilities, value), probabilities


def sdpa_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    relative: RelativeScores | None,
    dropout: nn.Dropout,
) -> Tensor:
    """`eager_attention`'s context from the fused kernel, which has no probabilities to return or to mask."""
    bias = attention_mask
    for by_distance in relative(query, key) if relative else ():
        scaled = by_distance / math.sqrt(query.size(-1))
        bias = scaled if bias is None else bias + scaled
    dropout_p = dropout.p if dropout.training else 0.0
    return F.scaled_dot_product_attention(query, key, value, attn_mask=bias, dropout_p=dropout_p)


class BertSelfAttention(nn.Module):
    """Project to queries, keys and values, split into heads, attend, join the heads again.

    Used for self-attention, and for cross-attention when `encoder_hidden_states` are given.
    """

    def __init__(self, config: BertConfig):
        super().__init__()
        self.num_attention_heads = config.num_attention_heads
        self.attention_head_size = config.hidden_size // config.num_attention_heads
        self.all_head_size = self.num_attention_heads * self.attention_head_size

        self.query = nn.Linear(config.hidden_size, self.all_head_size)
        self.key = nn.Linear(config.hidden_size, self.all_head_size)
        self.value = nn.Linear(config.hidden_size, self.all_head_size)
        self.dropout = nn.Dropout(config.attention_probs_dropout_prob)

        self.position_embedding_type = config.position_embedding_type
        if self.position_embedding_type != "absolute":
            self.max_position_embeddings = config.max_position_embeddings
            self.distance_embedding = nn.Embedding(2 * config.max_position_embeddings - 1, self.attention_head_size)
        self.config = config

    def transpose_for_scores(self, x: Tensor) -> Tensor:
        """(batch, seq, heads · d) → (batch, heads, seq, d)"""
        return x.view(*x.shape[:-1], self.num_attention_heads, self.attention_head_size).permute(0, 2, 1, 3)

    def forward(
        self,
        hidden_states: Tensor,
        attention_mask: Tensor | None = None,
        head_mask: Tensor | None = None,
        encoder_hidden_states: Tensor | None = None,
        encoder_attention_mask: Tensor | None = None,
        past_key_value: tuple[Tensor, ...] | None = None,
        output_attentions: bool = False,
        past_length: int = 0,
    ) -> tuple[Tensor, Tensor | None, tuple[Tensor, Tensor]]:
        """(batch, seq, hidden) → context (batch, seq, hidden), probabilities where asked for, and the keys and values.

        past_key_value: keys and values of earlier tokens, (batch, heads, past, d) each; in cross-attention, those of
        the whole encoder sequence, which are then not computed again. past_length: the number of earlier tokens.
        """
        query = self.transpose_for_scores(self.query(hidden_states))  # (batch, heads, seq, d)
        if encoder_hidden_states is not None and past_key_value is not None:
            key, value = past_key_value
        else:
            source = hidden_states if encoder_hidden_states is None else encoder_hidden_states
            key = self.transpose_for_scores(self.key(source))  # (batch, heads, keys, d)
            value = self.transpose_for_scores(self.value(source))
            if past_key_value is not None:
                key = torch.cat([past_key_value[0], key], dim=2)
                value = torch.cat([past_key_value[1], value], dim=2)
        mask = attention_mask if encoder_hidden_states is None else encoder_attention_mask
        relative: RelativeScores | None = None
        if self.position_embedding_type != "absolute":
            relative = partial(self.relative_scores, past_length=past_length)

        probabilities = None
        if self.config.attn_implementation == "eager" or output_attentions or head_mask is not None:
            context, probabilities = eager_attention(
                query, key, value, attention_mask=mask, relative=relative, dropout=self.dropout, head_mask=head_mask
            )
        else:
            context = sdpa_attention(query, key, value, attention_mask=mask, relative=relative, dropout=self.dropout)

        context = context.permute(0, 2, 1, 3).contiguous()  # (batch, seq, heads, d)
        context = context.view(*context.shape[:-2], self.all_head_size)  # (batch, seq, heads · d)
        return context, probabilities if output_attentions else None, (key, value)

    def relative_scores(self, query: Tensor, key: Tensor, past_length: int = 0) -> tuple[Tensor, ...]:
        """How well each distance fits the query (and the key): one or two (batch, heads, seq, keys).

            relative_key:        q_l · a_(l−r)                          Shaw et al. 2018, eq. 4
            relative_key_query:  q_l · a_(l−r)  and  k_r · a_(l−r)      Huang et al. 2020, method 4

        Keys count from 0, queries from `past_length`.
        """
        positions_l = torch.arange(past_length, past_length + query.size(2), device=query.device).view(-1, 1)
        positions_r = torch.arange(key.size(2), device=query.device).view(1, -1)
        distance = positions_l - positions_r  # (seq, keys)
        embedding = self.distance_embedding(distance + self.max_position_embeddings - 1)  # (seq, keys, d)
        embedding = embedding.to(query.dtype)
        query_scores = torch.einsum("bhld,lrd->bhlr", query, embedding)
        if self.position_embedding_type == "relative_key":
            return (query_scores,)
        return query_scores, torch.einsum("bhrd,lrd->bhlr", key, embedding)


class BertSelfOutput(nn.Module):
    """Mix the heads, then add & norm:  LayerNorm(x + dropout(W c + b)).  Source: Vaswani et al. 2017, §3.1."""

    def __init__(self, config: BertConfig):
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.hidden_size)
        self.LayerNorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def forward(self, hidden_states: Tensor, input_tensor: Tensor) -> Tensor:
        """hidden_states, input_tensor and the result: (batch, seq, hidden)."""
        hidden_states = self.dropout(self.dense(hidden_states))
        return self.LayerNorm(hidden_states + input_tensor)


class BertAttention(nn.Module):
    """Attention with its output projection; heads can be cut out of it."""

    def __init__(self, config: BertConfig):
        super().__init__()
        self.self = BertSelfAttention(config)
        self.output = BertSelfOutput(config)
        self.pruned_heads: set[int] = set()

    def forward(
        self,
        hidden_states: Tensor,
        attention_mask: Tensor | None = None,
        head_mask: Tensor | None = None,
        encoder_hidden_states: Tensor | None = None,
        encoder_attention_mask: Tensor | None = None,
        past_key_value: tuple[Tensor, ...] | None = None,
        output_attentions: bool = False,
        past_length: int = 0,
    ) -> tuple[Tensor, Tensor | None, tuple[Tensor, Tensor]]:
        """Arguments and results as `BertSelfAttention`'s, the context projected, added and normalised."""
        context, probabilities, key_value = self.self(
            hidden_states,
            attention_mask=attention_mask,
            head_mask=head_mask,
            encoder_hidden_states=encoder_hidden_states,
            encoder_attention_mask=encoder_attention_mask,
            past_key_value=past_key_value,
            output_attentions=output_attentions,
            past_length=past_length,
        )
        return self.output(context, hidden_states), probabilities, key_value

    def prune_heads(self, heads: Iterable[int]) -> None:
        """Cut heads out, numbered as they were before any pruning; see `surgery.prune_attention_heads`."""
        prune_attention_heads(self, heads)
