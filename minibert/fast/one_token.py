"""Generate twice (greedy) and 2.3 times (4 beams) as fast as today's transformers: `model.generate(…, fast=True)`.

The network of `BertLMHeadModel.forward` once more, with its equations and modules, for one new token behind a prompt
that the model itself has read and `generate` has checked. Two things are laid out for speed:

* keys and values are written into memory set aside at the start, so that the cache is never copied to grow;
* a few vectors are multiplied by oneDNN, or as the columns of one matrix, W Xᵀ + b instead of X Wᵀ + b, where that is found to be faster:
  on some processors PyTorch's kernels read the weights up to three times as fast that way.

Sums are rounded in another order than in the model's forward, so scores differ in the last digits; a law tests that ids are equal.
"""

import math
from collections.abc import Callable
from functools import cache, partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..generation.search import NextWord
from ..model.activations import Activation, gelu
from ..model.attention import BertAttention
from ..model.layer import BertLayer
from ..outputs import PastKeyValues
from .linear_layers import linear, onednn_is_there, own_forward, product, quickest

FEW_ROWS = 8  # beyond, X Wᵀ is the faster again
TURNS = 20
Way = Callable[[Tensor, Tensor, Tensor], Tensor]  # x, W, b → x Wᵀ + b


class FastNextWord(NextWord):
    """`NextWord` that calls the model for the prompt only and runs every later word through a `OneTokenNetwork`.

    plain: the `NextWord` to stand in for. max_length: how long a text can get, prompt included. Without a cache, and
    for a model whose forward does more than the network (see `can_run`), the model is called for every word.
    """

    network: "OneTokenNetwork | None" = None

    def __init__(self, plain: NextWord, max_length: int):
        vars(self).update(vars(plain))
        self.max_length = max_length

    def __call__(self, input_ids: Tensor) -> Tensor:
        """(rows, length) ids so far → (rows, vocab) scores."""
        if self.network is not None:
            return self.network(input_ids[:, -1])
        prompt_mask = self.attention_mask
        with linear(self.model):
            scores = super().__call__(input_ids)
        if self.past is not None and can_run(self.model):
            masks = (prompt_mask, self.encoder.get("encoder_attention_mask"))
            self.network = OneTokenNetwork(self.model, past=self.past, masks=masks, max_length=self.max_length)
            if self.positions_from_mask:
                self.network.position_ids = prompt_mask.long().sum(dim=1, keepdim=True)
            self.past = None  # the network has copied it
        return scores

    def reorder(self, rows: Tensor) -> None:
        """Continue from these rows, (rows,) indices."""
        if self.network is None:
            super().reorder(rows)
        elif not torch.equal(rows, torch.arange(rows.size(0), device=rows.device)):
            for layer in self.network.layers:
                layer.reorder(rows)


class OneTokenNetwork:
    """A decoder that has read a prompt, ready for one word after the other.

    model: a `BertLMHeadModel`. past: the keys and values of the prompt, as the model returned them. masks: (rows,
    prompt), 0 for padding, and for a model with cross-attention (rows, encoder seq).
    """

    def __init__(self, model: Any, *, past: PastKeyValues, masks: tuple[Tensor, Tensor | None], max_length: int):
        attention_mask, encoder_attention_mask = masks
        rows, self.length = attention_mask.shape
        self.embeddings = model.bert.embeddings
        self.position_ids: Tensor | None = None  # (rows, 1) of the next word, where padding has no positions
        layers = zip(model.bert.encoder.layer, past, strict=True)
        self.layers = [OneTokenLayer(layer, kept, max_length) for layer, kept in layers]
        head = model.cls.predictions
        self.transform = Projection(head.transform.dense, activation=head.transform.transform_act_fn)
        self.norm = head.transform.LayerNorm
        self.decoder = Projection(head.decoder)

        self.mask = self.encoder_mask = None
        if not bool(attention_mask.all()):
            whole = torch.cat([attention_mask, attention_mask.new_ones(rows, max_length - self.length)], dim=1)
            self.mask = model.get_extended_attention_mask(whole, (rows, 1))  # (rows, 1, 1, max_length)
        if encoder_attention_mask is not None:
            self.encoder_mask = model.invert_attention_mask(encoder_attention_mask)

    def __call__(self, tokens: Tensor) -> Tensor:
        """(rows,) ids of the newest words → (rows, vocab) scores of the next."""
        places = {"position_ids": self.position_ids, "past_key_values_length": self.length}
        hidden_states = self.embeddings(tokens[:, None], **places)[:, 0]  # (rows, hidden)
        self.length += 1
        self.position_ids = None if self.position_ids is None else self.position_ids + 1
        mask = None if self.mask is None else self.mask[..., : self.length]
        for layer in self.layers:
            hidden_states = layer(hidden_states, mask, self.encoder_mask)
        return self.decoder(self.norm(self.transform(hidden_states)))


class OneTokenLayer:
    """One layer with its memory: keys and values of all words so far, (2, rows, heads, max_length, d)."""

    def __init__(self, layer: BertLayer, past: tuple[Tensor, ...], max_length: int):
        rows, heads, self.length, size = past[0].shape
        self.keys_and_values = past[0].new_empty((2, rows, heads, max_length, size))
        for memory, kept in zip(self.keys_and_values, past[:2], strict=True):
            memory[:, :, : self.length] = kept
        attention = layer.attention.self
        self.attention = OneTokenAttention(layer.attention)
        self.query_key_value = Projection(attention.query, attention.key, attention.value)
        self.encoder_keys_and_values = past[2:]
        if self.encoder_keys_and_values:
            self.crossattention = OneTokenAttention(layer.crossattention)
            self.cross_query = Projection(layer.crossattention.self.query)
        self.widen = Projection(layer.intermediate.dense, activation=layer.intermediate.intermediate_act_fn)
        self.narrow = Projection(layer.output.dense)
        self.norm = layer.output.LayerNorm

    def __call__(self, hidden_states: Tensor, mask: Tensor | None, encoder_mask: Tensor | None) -> Tensor:
        """(rows, hidden) → the same. The masks are additive."""
        _, rows, heads, _, size = self.keys_and_values.shape
        position, self.length = self.length, self.length + 1
        projected = self.query_key_value(hidden_states).view((rows, 3, heads, 1, size)).transpose(0, 1)
        query, self.keys_and_values[..., position : self.length, :] = projected[0], projected[1:]
        known: Any = self.keys_and_values[:, :, :, : self.length]
        attended = self.attention(hidden_states, query, known, mask=mask, position=position)
        if self.encoder_keys_and_values:
            query, known = self.cross_query(attended).view((rows, -1, 1, size)), self.encoder_keys_and_values
            attended = self.crossattention(attended, query, known, mask=encoder_mask, position=position)
        return self.norm(self.narrow(self.widen(attended)) + attended)

    def reorder(self, rows: Tensor) -> None:
        """Copy these rows of the memory. The encoder's stays: all beams of a text attend to the same."""
        used = self.keys_and_values[:, :, :, : self.length]
        used.copy_(used.index_select(1, rows))


class OneTokenAttention:
    """Attention of one query in each row, with add & norm."""

    def __init__(self, attention: BertAttention):
        self.inner = attention.self
        self.mix = Projection(attention.output.dense)
        self.norm = attention.output.LayerNorm

    def __call__(
        self, hidden_states: Tensor, query: Tensor, keys_and_values: Any, *, mask: Tensor | None, position: int
    ) -> Tensor:
        """(rows, hidden) → the same. query: (rows, heads, 1, d), at `position`; keys, values: (rows, heads, seq, d)."""
        keys, values = keys_and_values
        if self.inner.position_embedding_type != "absolute":
            for scores in self.inner.relative_scores(query, keys, position):
                scaled = scores / math.sqrt(query.size(-1))
                mask = scaled if mask is None else mask + scaled
        context = F.scaled_dot_product_attention(query, keys, values, attn_mask=mask)  # (rows, heads, 1, d)
        return self.norm(self.mix(context.reshape(hidden_states.size(0), -1)) + hidden_states)


class Projection:
    """W x + b, (rows, in) → (rows, out), by one linear layer or by several of the same input, side by side; then the activation, if there is one."""

    def __init__(self, *linears: nn.Linear, activation: Activation | None = None):
        several = len(linears) > 1
        self.weight = torch.cat([linear.weight for linear in linears]) if several else linears[0].weight
        self.bias = torch.cat([linear.bias for linear in linears]) if several else linears[0].bias
        self.on_cpu = self.weight.device.type == "cpu" and self.weight.dtype == torch.float32
        self.activation = activation

    def __call__(self, x: Tensor) -> Tensor:
        few = x.size(0) <= FEW_ROWS and self.on_cpu
        with_gelu = few and self.activation is gelu
        multiply = fastest(x.size(0), *self.weight.shape, with_gelu) if few else F.linear
        y = multiply(x, self.weight, self.bias)
        return y if with_gelu or self.activation is None else self.activation(y)


def by_columns(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """x Wᵀ + b for a few rows of x: W xᵀ + b, turned around."""
    # One column would go to the slow kernel for a single vector: twice the same is quicker.
    columns = torch.cat([x, x]).t() if x.size(0) == 1 else x.t()
    return torch.addmm(bias[:, None], weight, columns).t()[: x.size(0)].contiguous()


def ways(with_gelu: bool) -> list[Way]:
    """Those to multiply a few rows, the usual one first."""
    found: list[Way] = [F.linear, by_columns]
    if with_gelu:
        found = [partial(then_gelu, way) for way in found]
    return [*found, partial(product, activation="gelu" if with_gelu else "none")] if onednn_is_there() else found


def then_gelu(way: Way, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """gelu(x Wᵀ + b), which oneDNN does in one pass, and the others in two."""
    return gelu(way(x, weight, bias))


@cache
def fastest(rows: int, outputs: int, inputs: int, with_gelu: bool) -> Way:
    """The way to multiply so many rows, measured once for a size, in a few milliseconds."""
    x, bias = (torch.ones(size, device="cpu") for size in ((rows, inputs), (outputs,)))
    possible = ways(with_gelu)
    of_weights = [lambda weight, way=way: way(x, weight, bias) for way in possible]
    return possible[quickest(of_weights, shape=(outputs, inputs), turns=TURNS)]


def can_run(model: nn.Module) -> bool:
    """Whether the network does all that the model does: no replaced module, no hook, no autocast, no dropout."""
    return not torch.is_autocast_enabled("cpu") and all(
        type(module).__module__.startswith(("minibert.", "torch.nn.modules."))
        and ("forward" not in module.__dict__ or own_forward(module))
        and not (module._forward_hooks or module._forward_pre_hooks)
        and not (isinstance(module, nn.Dropout) and module.training and module.p > 0)
        for module in model.modules()
    )
