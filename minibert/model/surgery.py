"""Changing the size of a model that is built: heads cut out of attention, words added to or cut from the vocabulary.

    heads:  the rows of W_q, W_k, W_v and the columns of W_o that belong to the heads that stay
    words:  the first min(old, new) rows of a table; new rows are drawn like fresh weights

Source: Michel et al. 2019 (heads). Reference: `prune_linear_layer`, `BertAttention.prune_heads` and
`PreTrainedModel._get_resized_embeddings`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn


def prune_attention_heads(attention: Any, heads: Iterable[int]) -> None:
    """Remove heads of a `BertAttention`, numbered as they were before any pruning. Those already removed stay removed.

    New layers are made even where nothing is left to remove, since the random numbers that takes are part of the
    reference's: a model with `config.pruned_heads` prunes once in its body and once more in the whole.
    Raises ValueError for a head that never existed, or where none would be left.
    """
    requested = set(heads)
    check_pruning(attention, requested)
    if not requested:
        return
    self_attention = attention.self
    original = self_attention.num_attention_heads + len(attention.pruned_heads)
    removed = requested | attention.pruned_heads
    present = [head for head in range(original) if head not in attention.pruned_heads]
    size = self_attention.attention_head_size
    kept = torch.cat([torch.arange(i * size, (i + 1) * size) for i, head in enumerate(present) if head not in removed])
    self_attention.query = prune_linear_layer(self_attention.query, kept)
    self_attention.key = prune_linear_layer(self_attention.key, kept)
    self_attention.value = prune_linear_layer(self_attention.value, kept)
    attention.output.dense = prune_linear_layer(attention.output.dense, kept, dim=1)
    self_attention.num_attention_heads = original - len(removed)
    self_attention.all_head_size = size * self_attention.num_attention_heads
    attention.pruned_heads = removed


def check_pruning(attention: Any, heads: set[int]) -> None:
    """Raises ValueError unless these heads exist in a `BertAttention` and others remain."""
    original = attention.self.num_attention_heads + len(attention.pruned_heads)
    unknown = sorted(head for head in heads if not 0 <= head < original)
    if unknown:
        raise ValueError(f"Cannot prune heads {unknown}: this layer has heads 0 to {original - 1}.")
    if len(heads | attention.pruned_heads) == original:
        raise ValueError(f"Cannot prune all {original} heads of a layer: attention needs at least one.")


def prune_linear_layer(layer: nn.Linear, index: Tensor, dim: int = 0) -> nn.Linear:
    """The linear layer with only the outputs (dim 0) or inputs (dim 1) named by `index`, (kept,) int64."""
    index = index.to(layer.weight.device)
    weight = layer.weight.detach().index_select(dim, index)
    kept = nn.Linear(weight.size(1), weight.size(0), device=weight.device, dtype=weight.dtype)
    with torch.no_grad():
        kept.weight.copy_(weight)
        kept.bias.copy_(layer.bias[index] if dim == 0 else layer.bias)
    return kept


def resized_embedding(old: nn.Embedding, size: int, draw: Callable[[nn.Module], None]) -> nn.Embedding:
    """The table with `size` rows, the first of them the old ones. draw: gives a module fresh weights.

    No padding_idx, as in the reference: from here on the padding word's vector is trained like any other.
    """
    new = nn.Embedding(size, old.embedding_dim).to(old.weight.device, old.weight.dtype)
    draw(new)
    kept = min(old.num_embeddings, size)
    new.weight.data[:kept] = old.weight.data[:kept]
    new.weight.requires_grad = old.weight.requires_grad
    return new


def resized_linear(old: nn.Linear, size: int, draw: Callable[[nn.Module], None]) -> nn.Linear:
    """The layer with `size` outputs, the first of them the old ones. draw: gives a module fresh weights."""
    new = nn.Linear(old.in_features, size, bias=old.bias is not None).to(old.weight.device, old.weight.dtype)
    draw(new)
    kept = min(old.out_features, size)
    new.weight.data[:kept] = old.weight.data[:kept]
    if old.bias is not None:
        new.bias.data[:kept] = old.bias.data[:kept]
    return new
