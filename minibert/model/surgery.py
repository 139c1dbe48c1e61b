"""Changing the size of a model that is built: heads cut out of attention, words added to or cut from the vocabulary.

    heads:  the rows of W_q, W_k, W_v and the columns of W_o that belong to the heads that stay
    words:  the first min(old, new) rows of a table; new rows are drawn like fresh weights

Source: Michel et al. 2019 (heads). Reference: `prune_linear_layer`, `BertAttention.prune_heads` and
`PreTrainedModel._get_resized_embeddings`.
"""

from collections.abc import Callable, Iterable
from itertools import chain
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
    places = [range(i * size, (i + 1) * size) for i, head in enumerate(present) if head not in removed]
    kept = torch.tensor(list(chain(*places)), device=attention.output.dense.weight.device)
    for name in ("query", "key", "value"):
        setattr(self_attention, name, prune_linear_layer(getattr(self_attention, name), kept))
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


def resized(old: nn.Embedding | nn.Linear, size: int, draw: Callable[[nn.Module], None]) -> Any:
    """The table with `size` rows, or the layer with `size` outputs, the first of them the old ones.

    draw: gives a module fresh weights. As in the reference, the padding word's vector is trained from here on.
    """
    if isinstance(old, nn.Embedding):
        new: nn.Embedding | nn.Linear = nn.Embedding(size, old.embedding_dim, device="cpu")
    else:
        new = nn.Linear(old.in_features, size, bias=old.bias is not None, device="cpu")
    new.to(old.weight.device, old.weight.dtype)
    draw(new)
    for name, parameter in old.named_parameters(recurse=False):
        kept = min(parameter.size(0), size)
        getattr(new, name).data[:kept] = parameter.data[:kept]
        getattr(new, name).requires_grad = parameter.requires_grad
    return new
