"""What every model of the family can do with its parameters: initialise, tie, resize, prune, count.

Reference class: the parts of `PreTrainedModel` and `ModuleUtilsMixin` that BERT uses.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from ..config import BertConfig
from .initialization import initialization_enabled, initialize_module
from .masks import extended_attention_mask, five_dimensional_head_mask, inverted_attention_mask

if TYPE_CHECKING:
    from .bert import BertModel


class BertBase(nn.Module):
    """A config and the parameters made from it."""

    config_class = BertConfig
    base_model_prefix = "bert"

    def __init__(self, config: BertConfig):
        super().__init__()
        if not isinstance(config, BertConfig):
            raise ValueError(
                f"{type(self).__name__}(config) takes a BertConfig, not {type(config).__name__}. "
                f"To open a checkpoint use {type(self).__name__}.from_pretrained(name)."
            )
        config.validate()
        self.config = config
        self.name_or_path = config.name_or_path

    # ------------------------------------------------------------------------------------------------- fresh parameters

    def init_weights(self) -> None:
        """Prune the heads that the config says are gone, draw fresh weights, and tie what is tied.

        Ends every model's `__init__`, the inner `BertModel`'s too: this order makes a seed give the reference's weights.
        """
        if self.config.pruned_heads:
            self.prune_heads(self.config.pruned_heads)
        if initialization_enabled():
            self.apply(self._init_weights)
        self.tie_weights()

    def _init_weights(self, module: nn.Module) -> None:
        initialize_module(module, self.config.initializer_range)

    # ------------------------------------------------------------------------------------------------------- embeddings

    @property
    def base_model(self) -> BertModel:
        """The body: `self.bert` of a model with a head, else the model itself."""
        body: BertModel = getattr(self, self.base_model_prefix, self)  # type: ignore[arg-type]
        return body

    def get_input_embeddings(self) -> nn.Embedding:
        """The word embeddings."""
        return self.base_model.embeddings.word_embeddings

    def set_input_embeddings(self, value: nn.Embedding) -> None:
        """Replace the word embeddings; `tie_weights` then hands them to a tied decoder too."""
        self.base_model.embeddings.word_embeddings = value

    def get_output_embeddings(self) -> nn.Linear | None:
        """The decoder of a model that predicts words, else None."""
        return None

    def set_output_embeddings(self, new_embeddings: nn.Linear) -> None:  # noqa: ARG002
        """Replace the decoder. Raises TypeError for a model that predicts no words."""
        raise TypeError(f"{type(self).__name__} predicts no words, so it has no output embeddings to replace.")

    def tie_weights(self) -> None:
        """Make the decoder's weight the word embeddings themselves (or, for TorchScript, a clone of them).

        Source: Press & Wolf 2017. With `tie_word_embeddings=False` nothing is done.
        """
        decoder = self.get_output_embeddings()
        if decoder is None or not self.config.tie_word_embeddings:
            return
        words = self.get_input_embeddings()
        decoder.weight = nn.Parameter(words.weight.clone()) if self.config.torchscript else words.weight
        decoder.out_features = words.num_embeddings
        missing = words.num_embeddings - decoder.bias.numel() if decoder.bias is not None else 0
        if missing != 0:
            decoder.bias = nn.Parameter(nn.functional.pad(decoder.bias.data, (0, missing)))  # a negative pad cuts
            self.set_output_embeddings(decoder)  # the bias has a second name in the head

    def resize_token_embeddings(self, new_num_tokens: int | None = None) -> nn.Embedding:
        """Grow the vocabulary with fresh vectors at the end, or cut it; the decoder and its bias follow.

        Returns the word embeddings; with None nothing changes. Raises ValueError for a size below 1.
        """
        words = self.get_input_embeddings()
        if new_num_tokens is None:
            return words
        if type(new_num_tokens) is not int or new_num_tokens < 1:
            raise ValueError(
                f"Cannot resize to {new_num_tokens!r} tokens: a vocabulary has a whole number, at least 1."
            )
        padding = self.config.pad_token_id
        if padding is not None and new_num_tokens <= padding:
            raise ValueError(
                f"Cannot resize to {new_num_tokens} tokens: the padding word, pad_token_id = {padding}, would go."
            )
        if new_num_tokens != words.num_embeddings:
            self.set_input_embeddings(self._resized_embedding(words, new_num_tokens))
            decoder = self.get_output_embeddings()
            if decoder is not None and not self.config.tie_word_embeddings:
                self.set_output_embeddings(self._resized_linear(decoder, new_num_tokens))
        self.config.vocab_size = new_num_tokens
        self.tie_weights()
        return self.get_input_embeddings()

    def _resized_embedding(self, old: nn.Embedding, size: int) -> nn.Embedding:
        # No padding_idx, as in the reference: from here on the padding word's vector is trained like any other.
        new = nn.Embedding(size, old.embedding_dim).to(old.weight.device, old.weight.dtype)
        self._init_weights(new)
        kept = min(old.num_embeddings, size)
        new.weight.data[:kept] = old.weight.data[:kept]
        new.weight.requires_grad = old.weight.requires_grad
        return new

    def _resized_linear(self, old: nn.Linear, size: int) -> nn.Linear:
        new = nn.Linear(old.in_features, size, bias=old.bias is not None).to(old.weight.device, old.weight.dtype)
        self._init_weights(new)
        kept = min(old.out_features, size)
        new.weight.data[:kept] = old.weight.data[:kept]
        if old.bias is not None:
            new.bias.data[:kept] = old.bias.data[:kept]
        return new

    # --------------------------------------------------------------------------------------------------- heads and masks

    def prune_heads(self, heads_to_prune: Mapping[int, Iterable[int]]) -> None:
        """Cut attention heads out: {layer: heads}, both counted from 0, heads as numbered before any pruning.

        The config remembers them, so that saving and loading keep them cut. Raises ValueError for a layer or head
        that does not exist.
        """
        layers = self.base_model.encoder.layer
        chosen = {layer: set(heads) for layer, heads in heads_to_prune.items()}
        for layer, heads in chosen.items():
            if not 0 <= layer < len(layers):
                raise ValueError(f"Cannot prune heads of layer {layer}: this model has layers 0 to {len(layers) - 1}.")
            layers[layer].attention.check_pruning(heads)  # type: ignore[union-attr, operator]
        for layer, heads in chosen.items():
            layers[layer].attention.prune_heads(heads)  # type: ignore[union-attr, operator]
            self.config.pruned_heads[layer] = sorted({*self.config.pruned_heads.get(layer, []), *heads})

    def get_extended_attention_mask(
        self, attention_mask: Tensor, input_shape: tuple[int, ...], device: torch.device | None = None
    ) -> Tensor:
        """The additive mask of self-attention, from (batch, keys) or (batch, seq, keys) of 1 and 0.

        `device` is where the reference put it; here it stays where `attention_mask` is unless given.
        """
        mask = extended_attention_mask(attention_mask, input_shape[1], self.config.is_decoder, self.dtype)
        return mask if device is None else mask.to(device)

    def invert_attention_mask(self, encoder_attention_mask: Tensor) -> Tensor:
        """The additive mask of cross-attention, from (batch, encoder seq) of 1 and 0."""
        return inverted_attention_mask(encoder_attention_mask, self.dtype)

    def get_head_mask(self, head_mask: Tensor | None, num_hidden_layers: int) -> Tensor | None:
        """The head mask with five dimensions, one slice a layer; None stays None."""
        return None if head_mask is None else five_dimensional_head_mask(head_mask, num_hidden_layers, self.dtype)

    def set_attn_implementation(self, attn_implementation: str) -> None:
        """Choose "eager" (written out), "sdpa" (fused) or "packed" (fused, without the padding) for this model.

        Raises ValueError for others.
        """
        self.config.update({"attn_implementation": attn_implementation})

    def gradient_checkpointing_enable(self) -> None:
        """Trade time for memory: compute each layer again in the backward pass instead of keeping its states."""
        self.base_model.encoder.gradient_checkpointing = True

    def gradient_checkpointing_disable(self) -> None:
        """Keep every layer's states again."""
        self.base_model.encoder.gradient_checkpointing = False

    @property
    def is_gradient_checkpointing(self) -> bool:
        """Whether layers are computed again in the backward pass."""
        return self.base_model.encoder.gradient_checkpointing

    # ------------------------------------------------------------------------------------------------------------ facts

    @property
    def device(self) -> torch.device:
        """Where the parameters are."""
        return next(self.parameters()).device

    @property
    def dtype(self) -> torch.dtype:
        """The parameters' dtype."""
        return next(self.parameters()).dtype

    def num_parameters(self, only_trainable: bool = False, exclude_embeddings: bool = False) -> int:
        """How many numbers the model holds, tied ones once."""
        embeddings: set[int] = set()
        if exclude_embeddings:
            embeddings = {id(m.weight) for m in self.modules() if isinstance(m, nn.Embedding)}
        return sum(
            parameter.numel()
            for parameter in self.parameters()
            if id(parameter) not in embeddings and (parameter.requires_grad or not only_trainable)
        )
