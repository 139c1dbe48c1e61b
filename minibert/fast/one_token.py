"""Generate three times as fast as today's transformers, greedily or with 4 beams: `model.generate(…, fast=True)`.

The network of `BertLMHeadModel.forward` once more, with its equations, for one new token behind a prompt that `generate` has
checked. Laid out for speed:

* keys and values are written into memory set aside at the start, so that the cache is never copied to grow;
* a prompt without padding is read here too, in one piece by PyTorch's fused attention, and by the last layer for its last word only;
* the few vectors of a word are multiplied in the way that is fastest (`few_rows.py`);
* on a GPU, a word's hundred small kernels are started in one call (`cuda_graph.py`).

Sums are rounded in another order than in the model's forward, so scores differ in the last digits; a law tests that ids are equal.
"""

import math
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.modules.module import _has_any_global_hook

from ..generation.search import NextWord
from ..model.attention import BertAttention
from ..model.checks import check_inputs
from ..model.layer import BertLayer
from ..outputs import PastKeyValues
from .cuda_graph import Recorded
from .few_rows import Projection, multiply_fast
from .linear_layers import linear, own_forward

# What a prompt that is read here comes without.
NOT_GIVEN = ["token_type_ids", "position_ids", "head_mask", "inputs_embeds", "past_key_values"]
NOT_GIVEN += ["encoder_hidden_states", "encoder_attention_mask"]
STOCK = {"dropout": nn.Dropout, "LayerNorm": nn.LayerNorm, "layer": nn.ModuleList}  # other names: nn.Linear


class FastNextWord(NextWord):
    """`NextWord` that runs every word behind the prompt, and the prompt too where it can, through a `OneTokenNetwork`.

    plain: the `NextWord` to stand in for. max_length: how long a text can get, prompt included. Without a cache, and
    for a model whose forward does more than the network (see `can_run`), the model is called for every word.
    """

    network: "OneTokenNetwork | None" = None
    read_word: Callable[[Tensor], Tensor]  # the network, once it has read the prompt

    def __init__(self, plain: NextWord, max_length: int):
        vars(self).update(vars(plain))
        self.max_length = max_length

    def __call__(self, input_ids: Tensor) -> Tensor:
        """(rows, length) ids so far → (rows, vocab) scores."""
        if self.network is not None:
            return self.read_word(input_ids[:, -1])
        with linear(self.model):
            if not (self.use_cache and can_run(self.model)):
                return super().__call__(input_ids)
            masks = (self.attention_mask, self.encoder.get("encoder_attention_mask"))
            if self.whole_prompts():
                check_inputs(self.model.bert, input_ids=input_ids, attention_mask=masks[0], **dict.fromkeys(NOT_GIVEN))
                self.network = OneTokenNetwork(self.model, masks=masks, max_length=self.max_length)
                scores = self.network.read(input_ids)
            else:
                scores = super().__call__(input_ids)
                self.network = OneTokenNetwork(self.model, masks=masks, max_length=self.max_length, past=self.past)
                self.past = None  # the network has copied it
            if self.positions_from_mask:
                self.network.position_ids = masks[0].long().sum(dim=1)
        self.network.choose_way()
        self.read_word = self.network
        if scores.is_cuda and self.model.config.position_embedding_type == "absolute":
            self.network.fix_shapes()
            self.read_word = Recorded(self.network)
        return scores

    def whole_prompts(self) -> bool:
        """Whether the network can read the prompts: on the CPU, where it was measured, unpadded, with plain positions, and attending to nothing else."""
        config = self.model.config
        plain = config.position_embedding_type == "absolute" and not config.add_cross_attention
        return plain and self.attention_mask.device.type == "cpu" and bool((self.attention_mask == 1).all())

    def reorder(self, rows: Tensor) -> None:
        """Continue from these rows, (rows,) indices."""
        if self.network is None:
            super().reorder(rows)
        elif not torch.equal(rows, torch.arange(rows.size(0), device=rows.device)):
            for layer in self.network.layers:
                layer.reorder(rows)


class OneTokenNetwork:
    """A decoder that has read a prompt, ready for one word after the other.

    model: a `BertLMHeadModel`. masks: (rows, prompt), 0 for padding, and for a model with cross-attention (rows, encoder
    seq). past: the keys and values of the prompt, as the model returned them; without, `read` is to follow.
    """

    def __init__(
        self, model: Any, *, masks: tuple[Tensor, Tensor | None], max_length: int, past: PastKeyValues | None = None
    ):
        attention_mask, encoder_attention_mask = masks
        rows, self.length = attention_mask.shape
        self.position_ids: Tensor | None = None  # (rows,) of the next word, where padding has no positions
        self.place: Tensor | None = None  # (1,) of the next word in the memory, where shapes are fixed
        embeddings = model.bert.embeddings
        self.words = embeddings.word_embeddings.weight
        self.places = embeddings.token_type_embeddings.weight[:1].expand(max_length, -1)  # all in segment 0
        if embeddings.position_embedding_type == "absolute":
            self.places = self.places + embeddings.position_embeddings.weight[:max_length]
        self.embeddings_norm = norm(embeddings.LayerNorm)
        self.layers = [OneTokenLayer(layer, rows, max_length) for layer in model.bert.encoder.layer]
        for layer, kept in zip(self.layers, past or (), strict=past is not None):
            layer.keep(kept)
        head = model.cls.predictions
        self.transform = Projection(head.transform.dense, activation=head.transform.transform_act_fn)
        self.transform_norm = norm(head.transform.LayerNorm)
        self.decoder = Projection(head.decoder)

        self.mask = self.encoder_mask = None
        if not bool((attention_mask == 1).all()):
            whole = torch.cat([attention_mask, attention_mask.new_ones(rows, max_length - self.length)], dim=1)
            self.mask = model.get_extended_attention_mask(whole, (rows, 1))  # (rows, 1, 1, max_length)
        if encoder_attention_mask is not None:
            self.encoder_mask = model.invert_attention_mask(encoder_attention_mask)

    def choose_way(self) -> None:
        """Multiply in the fastest way from now on, for as many words as there is room for."""
        _, rows, _, max_length, _ = self.layers[0].keys_and_values.shape
        projections = [projection for layer in self.layers for projection in layer.projections()]
        projections += [self.transform, self.decoder]
        multiply_fast(projections, rows=rows, times=max_length - self.length)

    def fix_shapes(self) -> None:
        """From now on, compute every word at the same addresses: attention reads all the memory, and a mask hides what is to come."""
        _, rows, _, max_length, _ = self.layers[0].keys_and_values.shape
        self.place = torch.tensor([self.length], device=self.words.device)
        if self.position_ids is None:
            self.position_ids = self.place.repeat(rows)
        if self.mask is None:
            self.mask = self.words.new_zeros(rows, 1, 1, max_length)
        self.mask[..., self.length :] = -torch.inf
        for layer in self.layers:
            layer.place = self.place
            layer.keys_and_values[..., self.length :, :] = 0

    def read(self, input_ids: Tensor) -> Tensor:
        """(rows, prompt) ids → (rows, vocab) scores of the next word. Of the last layer only the last word's vector is computed."""
        hidden_states = self.embeddings_norm(F.embedding(input_ids, self.words) + self.places[: self.length])
        for layer in self.layers:
            hidden_states = layer.read(hidden_states, 1 if layer is self.layers[-1] else self.length)
        return self.scores(hidden_states[:, -1])

    def __call__(self, tokens: Tensor) -> Tensor:
        """(rows,) ids of the newest words → (rows, vocab) scores of the next."""
        place = self.places[self.length if self.position_ids is None else self.position_ids]
        hidden_states = self.embeddings_norm(F.embedding(tokens, self.words) + place)  # (rows, hidden)
        self.length += 1
        mask = None if self.mask is None else self.mask[..., : self.length]
        if self.place is not None and self.mask is not None:
            mask = self.mask.index_fill_(-1, self.place, 0.0)
        for layer in self.layers:
            hidden_states = layer(hidden_states, mask, self.encoder_mask)
        for counter in (self.position_ids, self.place):
            if counter is not None:
                counter += 1
        return self.scores(hidden_states)

    def scores(self, hidden_states: Tensor) -> Tensor:
        """(rows, hidden) of the last words → (rows, vocab)."""
        return self.decoder(self.transform_norm(self.transform(hidden_states)))


class OneTokenLayer:
    """One layer with its memory: keys and values of all words so far, (2, rows, heads, max_length, d)."""

    def __init__(self, layer: BertLayer, rows: int, max_length: int):
        attention = layer.attention.self
        heads, size = attention.num_attention_heads, attention.attention_head_size
        self.split = (rows, 3, heads, size)
        self.keys_and_values = attention.query.weight.new_empty((2, rows, heads, max_length, size))
        self.spare: Tensor | None = None  # the same, for what is reordered
        self.place: Tensor | None = None  # as the network's
        self.length = 0
        self.attention = OneTokenAttention(layer.attention)
        self.query_key_value = Projection(attention.query, attention.key, attention.value)
        self.encoder_keys_and_values: tuple[Tensor, ...] = ()
        if hasattr(layer, "crossattention"):
            self.crossattention = OneTokenAttention(layer.crossattention)
            self.cross_query = Projection(layer.crossattention.self.query)
        self.widen = Projection(layer.intermediate.dense, activation=layer.intermediate.intermediate_act_fn)
        self.narrow = Projection(layer.output.dense)
        self.norm = norm(layer.output.LayerNorm)

    def projections(self) -> list[Projection]:
        """All matrices, in the order of their products."""
        across = [self.cross_query, self.crossattention.mix] if self.encoder_keys_and_values else []
        return [self.query_key_value, self.attention.mix, *across, self.widen, self.narrow]

    def keep(self, past: tuple[Tensor, ...]) -> None:
        """Begin with these keys and values, of the prompt and of what the encoder has read."""
        self.length, self.encoder_keys_and_values = past[0].size(2), past[2:]
        self.keys_and_values[..., : self.length, :] = torch.stack(past[:2])

    def read(self, hidden_states: Tensor, wanted: int) -> Tensor:
        """A whole prompt, (rows, prompt, hidden) → the `wanted` last of it, (rows, wanted, hidden)."""
        rows, self.length, _ = hidden_states.shape
        projected = self.query_key_value(hidden_states.flatten(0, 1)).view(rows, self.length, *self.split[1:])
        projected = projected.permute(2, 0, 3, 1, 4)  # (3, rows, heads, prompt, d)
        self.keys_and_values[..., : self.length, :] = projected[1:]
        query, causal = projected[0, :, :, -wanted:], wanted == self.length  # the last word sees all
        context = F.scaled_dot_product_attention(query, projected[1], projected[2], is_causal=causal)
        attended = self.attention.output(context.transpose(1, 2), hidden_states[:, -wanted:].flatten(0, 1))
        return self.feed_forward(attended).view(rows, wanted, -1)

    def __call__(self, hidden_states: Tensor, mask: Tensor | None, encoder_mask: Tensor | None) -> Tensor:
        """(rows, hidden) → the same. The masks are additive."""
        position, self.length = self.length, self.length + 1
        projected = self.query_key_value(hidden_states).view(self.split)  # (rows, 3, heads, d)
        new, known = projected.narrow(1, 1, 2).transpose(0, 1), self.keys_and_values  # new: (2, rows, heads, d)
        if self.place is None:
            known.select(3, position).copy_(new)
            known = known.narrow(3, 0, self.length)
        else:
            known.index_copy_(3, self.place, new.unsqueeze(3))
        attended = self.attention(hidden_states, projected.select(1, 0), known, mask=mask, position=position)
        if self.encoder_keys_and_values:
            query, encoder = self.cross_query(attended), self.encoder_keys_and_values
            query = query.view(self.split[0], -1, self.split[-1])
            attended = self.crossattention(attended, query, encoder, mask=encoder_mask, position=position)
        return self.feed_forward(attended)

    def feed_forward(self, attended: Tensor) -> Tensor:
        """(rows, hidden) → the same, with add & norm."""
        return self.norm(self.narrow(self.widen(attended)).add_(attended))

    def reorder(self, rows: Tensor) -> None:
        """Copy these rows of the memory. The encoder's stays: all beams of a text attend to the same."""
        if self.place is not None:
            self.keys_and_values.copy_(self.keys_and_values.index_select(1, rows))
            return
        spare = torch.empty_like(self.keys_and_values) if self.spare is None else self.spare
        torch.index_select(self.keys_and_values[..., : self.length, :], 1, rows, out=spare[..., : self.length, :])
        self.keys_and_values, self.spare = spare, self.keys_and_values


class OneTokenAttention:
    """Attention of one query in each row, with add & norm."""

    def __init__(self, attention: BertAttention):
        self.inner = attention.self
        self.mix = Projection(attention.output.dense)
        self.norm = norm(attention.output.LayerNorm)

    def __call__(
        self, hidden_states: Tensor, query: Tensor, keys_and_values: Any, *, mask: Tensor | None, position: int
    ) -> Tensor:
        """(rows, hidden) → the same. query: (rows, heads, d), at `position`; keys, values: (rows, heads, seq, d)."""
        (keys, values), query = keys_and_values, query.unsqueeze(2)
        if self.inner.position_embedding_type != "absolute":
            for scores in self.inner.relative_scores(query, keys, position):
                scaled = scores / math.sqrt(query.size(-1))
                mask = scaled if mask is None else mask + scaled
        context = F.scaled_dot_product_attention(query, keys, values, attn_mask=mask)  # (rows, heads, 1, d)
        return self.output(context, hidden_states)

    def output(self, context: Tensor, hidden_states: Tensor) -> Tensor:
        """Mix the heads' context, add & norm: (…, heads, d) and (words, hidden) → (words, hidden)."""
        return self.norm(self.mix(context.reshape(hidden_states.size(0), -1)).add_(hidden_states))


def norm(module: nn.LayerNorm) -> Callable[[Tensor], Tensor]:
    """What the module computes, without the module's own call."""
    shape, weight, bias, eps = module.normalized_shape, module.weight, module.bias, module.eps
    return lambda x: torch.layer_norm(x, shape, weight, bias=bias, eps=eps)


def can_run(model: Any) -> bool:
    """Whether the network does all that the model does: nothing replaced, no hook, no autocast, no dropout, positions 0, 1, 2, … in segment 0."""
    places, segments, device = model.bert.embeddings.position_ids, model.bert.embeddings.token_type_ids, model.device
    counted = torch.equal(places, torch.arange(places.size(-1), device=device)[None])
    if not counted or segments.any() or torch.is_autocast_enabled(device.type) or _has_any_global_hook():
        return False
    return all(
        as_made(name.rpartition(".")[2], module)
        and ("forward" not in module.__dict__ or own_forward(module))
        and not (module._forward_hooks or module._forward_pre_hooks)
        and not (isinstance(module, nn.Dropout) and module.training and module.p > 0)
        for name, module in model.named_modules()
    )


def as_made(name: str, module: nn.Module) -> bool:
    """Whether a module is of the class that a model is made with under this name, and computes what that class does."""
    kind, file = type(module), type(module).forward.__module__
    if kind.__module__.startswith("minibert."):
        return file.startswith("minibert.")
    usual = nn.Embedding if name.endswith(("_embeddings", "_embedding")) else STOCK.get(name, nn.Linear)
    changed = getattr(module, "bias", 0) is None or getattr(module, "max_norm", None) is not None
    return kind is usual and file.startswith("torch.nn.modules.") and not changed
