"""One more word through a decoder that has read the rest: the network of `BertLMHeadModel.forward`, for a single token.

The equations are the model's, and so are the modules they are computed with. Three things are laid out for speed:

* keys and values are written into memory set aside at the start, so that the cache is never copied to grow;
* a few vectors are multiplied as the columns of one matrix, W Xᵀ + b instead of X Wᵀ + b. The time of a step is the time to read
  the weights, and PyTorch's CPU kernels read them up to three times as fast that way (`benchmarks/generation.py`);
* nothing is checked: `generate` has checked it once.

Sums are rounded in another order than in the model's forward, so scores differ in the last digits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..model.attention import BertAttention, sdpa_attention
from ..model.layer import BertLayer
from ..outputs import PastKeyValues

if TYPE_CHECKING:
    from ..heads.causal_lm import BertLMHeadModel

FEW_ROWS = 8  # beyond, X Wᵀ is the faster again


class OneWordStep:
    """A decoder that has read a prompt, ready for one word after the other.

    past: the keys and values of the prompt, as the model returned them. attention_mask: (rows, prompt), 0 for padding.
    encoder_attention_mask: (rows, encoder seq), for a model with cross-attention. max_length: how long a text can get.
    """

    def __init__(
        self,
        model: BertLMHeadModel,
        past: PastKeyValues,
        attention_mask: Tensor,
        encoder_attention_mask: Tensor | None,
        max_length: int,
    ):
        self.length = attention_mask.size(1)
        self.embeddings = model.bert.embeddings
        stack: Any = model.bert.encoder.layer
        self.layers = [LayerStep(layer, kept, max_length) for layer, kept in zip(stack, past, strict=True)]
        head = model.cls.predictions
        self.transform = Projection(head.transform.dense)
        self.activation = head.transform.transform_act_fn
        self.norm = head.transform.LayerNorm
        self.decoder = Projection(head.decoder)

        self.mask: Tensor | None = None
        if not bool(attention_mask.all()):
            open_end = attention_mask.new_ones(attention_mask.size(0), max_length - self.length)
            whole = torch.cat([attention_mask, open_end], dim=1)
            self.mask = (1.0 - whole[:, None, None, :].to(model.dtype)) * -10000.0  # (rows, 1, 1, max_length)
        self.encoder_mask: Tensor | None = None
        if encoder_attention_mask is not None:
            self.encoder_mask = model.invert_attention_mask(encoder_attention_mask)

    def __call__(self, tokens: Tensor) -> Tensor:
        """(rows,) ids of the newest words → (rows, vocab) scores of the next."""
        hidden_states = self.embeddings(tokens[:, None], past_key_values_length=self.length)[:, 0]  # (rows, hidden)
        self.length += 1
        mask = None if self.mask is None else self.mask[..., : self.length]
        for layer in self.layers:
            hidden_states = layer(hidden_states, mask, self.encoder_mask)
        return self.decoder(self.norm(self.activation(self.transform(hidden_states))))

    def reorder(self, rows: Tensor) -> None:
        """Go on from these rows, (rows,) indices."""
        if not torch.equal(rows, torch.arange(rows.size(0), device=rows.device)):
            for layer in self.layers:
                layer.reorder(rows)


class LayerStep:
    """One layer with its memory: keys and values of all words so far, (2, rows, heads, max_length, d)."""

    def __init__(self, layer: BertLayer, past: tuple[Tensor, ...], max_length: int):
        rows, heads, self.length, size = past[0].shape
        self.keys_and_values = past[0].new_empty(2, rows, heads, max_length, size)
        for memory, kept in zip(self.keys_and_values, past[:2], strict=True):
            memory[:, :, : self.length] = kept
        attention = layer.attention.self
        self.attention = AttentionStep(layer.attention)
        self.query_key_value = Projection(attention.query, attention.key, attention.value)
        self.encoder_keys_and_values = past[2:]
        if self.encoder_keys_and_values:
            self.crossattention = AttentionStep(layer.crossattention)
            self.cross_query = Projection(layer.crossattention.self.query)
        self.widen = Projection(layer.intermediate.dense)
        self.activation = layer.intermediate.intermediate_act_fn
        self.narrow = Projection(layer.output.dense)
        self.norm = layer.output.LayerNorm

    def __call__(self, hidden_states: Tensor, mask: Tensor | None, encoder_mask: Tensor | None) -> Tensor:
        """(rows, hidden) → the same. The masks are additive."""
        _, rows, heads, _, size = self.keys_and_values.shape
        place, self.length = self.length, self.length + 1
        vectors = self.query_key_value(hidden_states).view(rows, 3, heads, 1, size).unbind(1)
        for memory, new in zip(self.keys_and_values, vectors[1:], strict=True):
            memory[:, :, place : self.length] = new
        keys, values = self.keys_and_values[:, :, :, : self.length]
        attended = self.attention(hidden_states, vectors[0], keys, values, mask, place)
        if self.encoder_keys_and_values:
            query = self.cross_query(attended).view(rows, -1, 1, size)
            keys, values = self.encoder_keys_and_values
            attended = self.crossattention(attended, query, keys, values, encoder_mask, place)
        return self.norm(self.narrow(self.activation(self.widen(attended))) + attended)

    def reorder(self, rows: Tensor) -> None:
        """Copy the memory of these rows. The encoder's stays: the beams of a text all look at the same."""
        used = self.keys_and_values[:, :, :, : self.length]
        used.copy_(used.index_select(1, rows))


class AttentionStep:
    """Attention of one query in each row, with add & norm."""

    def __init__(self, attention: BertAttention):
        self.inner = attention.self
        self.dropout = attention.self.dropout
        self.relative = attention.self.position_embedding_type != "absolute"
        self.mix = Projection(attention.output.dense)
        self.norm = attention.output.LayerNorm

    def __call__(
        self, hidden_states: Tensor, query: Tensor, keys: Tensor, values: Tensor, mask: Tensor | None, place: int
    ) -> Tensor:
        """(rows, hidden) → the same. query: (rows, heads, 1, d), at `place`. keys, values: (rows, heads, keys, d)."""
        relative = self.inner.relative_scores(query, keys, place) if self.relative else ()
        context = sdpa_attention(query, keys, values, mask, relative, self.dropout)  # (rows, heads, 1, d)
        return self.norm(self.mix(context.reshape(hidden_states.size(0), -1)) + hidden_states)


class Projection:
    """W x + b, (rows, in) → (rows, out), by one linear layer or by several of the same input, side by side."""

    def __init__(self, *linears: nn.Linear):
        several = len(linears) > 1
        self.weight = torch.cat([linear.weight for linear in linears]) if several else linears[0].weight
        self.bias = torch.cat([linear.bias for linear in linears]) if several else linears[0].bias
        self.bias_column = self.bias[:, None]
        self.by_columns = self.weight.device.type == "cpu" and self.weight.dtype == torch.float32

    def __call__(self, x: Tensor) -> Tensor:
        rows = x.size(0)
        if rows > FEW_ROWS or not self.by_columns:
            return F.linear(x, self.weight, self.bias)
        if rows == 1:  # one column would go to the slow kernel for a single vector: twice the same is quicker
            return torch.addmm(self.bias_column, self.weight, torch.cat([x, x]).t())[:, 0][None]
        return torch.addmm(self.bias_column, self.weight, x.t()).t().contiguous()


def can_step(model: nn.Module) -> bool:
    """Whether a step would do all that calling the model does.

    It would not where modules were replaced, where hooks watch them, under autocast, and where dropout is on.
    """
    return not torch.is_autocast_enabled("cpu") and all(
        type(module).__module__.startswith(("minibert.", "torch.nn.modules."))
        and "forward" not in module.__dict__
        and not (module._forward_hooks or module._forward_pre_hooks)
        and not (isinstance(module, nn.Dropout) and module.training and module.p > 0)
        for module in model.modules()
    )
