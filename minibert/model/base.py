"""What every model of the family can do with its parameters: initialise, tie, resize, prune, count.

Reference class: the parts of `PreTrainedModel` and `ModuleUtilsMixin` that BERT uses.
"""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from ..config import BertConfig, is_whole_number
from ..config_files import ConfigFiles
from .initialization import initialization_enabled, initialize_module
from .masks import encoder_extended_attention_mask, extended_attention_mask, head_mask_of_layers
from .surgery import check_pruning, resized


class BertBase(nn.Module):
    """A config and the parameters made from it."""

    config_class: ClassVar[type[ConfigFiles]] = BertConfig
    base_model_prefix = "bert"

    def __init__(self, config: BertConfig):
        super().__init__()
        wanted = BertConfig if issubclass(self.config_class, BertConfig) else self.config_class
        if not isinstance(config, wanted):
            name, given = type(self).__name__, type(config).__name__
            advice = f"To open a checkpoint use {name}.from_pretrained(name)."
            raise ValueError(f"{name}(config) takes an instance of {wanted.__name__}, not of {given}. {advice}")
        config.validate()
        self.config = config
        self.name_or_path = config.name_or_path

    def init_weights(self) -> None:
        """Prune the heads that the config says are gone, draw fresh weights, and tie what is tied.

        Ends every model's `__init__`, the inner `BertModel`'s too: this order makes a seed give the reference's weights.
        """
        if self.config.pruned_heads:
            self.prune_heads(self.config.pruned_heads)
        if initialization_enabled.get():
            self.apply(self._init_weights)
        self.tie_weights()
        if self.config.attn_implementation == "packed":
            self.set_attn_implementation("packed")

    def _init_weights(self, module: nn.Module) -> None:
        initialize_module(module, self.config.initializer_range)

    @property
    def base_model(self) -> Any:
        """The body, a `BertModel`: `self.bert` of a model with a head, else the model itself."""
        return getattr(self, self.base_model_prefix, self)

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
        decoder.out_features = words.weight.size(0)
        missing = words.weight.size(0) - decoder.bias.numel() if decoder.bias is not None else 0
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
        if not is_whole_number(new_num_tokens) or new_num_tokens < 1:
            raise ValueError(f"Cannot resize to {new_num_tokens!r} tokens: give a whole number of at least 1.")
        padding = self.config.pad_token_id
        if padding is not None and new_num_tokens <= padding:
            raise ValueError(f"Cannot resize to {new_num_tokens} tokens: pad_token_id = {padding} would go.")
        if new_num_tokens != words.weight.size(0):
            self.set_input_embeddings(resized(words, new_num_tokens, self._init_weights))
            decoder = self.get_output_embeddings()
            if decoder is not None and not self.config.tie_word_embeddings:
                self.set_output_embeddings(resized(decoder, new_num_tokens, self._init_weights))
        self.config.vocab_size = self.vocab_size = new_num_tokens
        self.tie_weights()
        return self.get_input_embeddings()

    def prune_heads(self, heads_to_prune: Mapping[int, Iterable[int]]) -> None:
        """Cut attention heads out: {layer: heads}, both counted from 0, heads as numbered before any pruning.

        The config remembers them, so that saving and loading keep them cut. Raises ValueError for a layer or head
        that does not exist.
        """
        layers = self.base_model.encoder.layer
        end = len(layers)
        given = {int(layer): set(map(int, heads)) for layer, heads in heads_to_prune.items()}
        chosen = {layer + end if -end <= layer < 0 else layer: heads for layer, heads in given.items()}
        for layer, heads in chosen.items():
            if not 0 <= layer < end:
                raise ValueError(f"Cannot prune heads of layer {layer}: this model has layers 0 to {end - 1}.")
            check_pruning(layers[layer].attention, heads)
        for layer, heads in chosen.items():
            layers[layer].attention.prune_heads(heads)
            self.config.pruned_heads[layer] = sorted({*self.config.pruned_heads.get(layer, []), *heads})
            self.config.pruned_heads.pop(layer - end, None)  # the same layer, counted from the end

    def get_extended_attention_mask(
        self, attention_mask: Tensor, input_shape: tuple[int, ...], device: torch.device | None = None
    ) -> Tensor:
        """The additive mask of self-attention, from (batch, keys) or (batch, seq, keys) of 1 and 0; moved to `device`."""
        is_decoder = self.config.is_decoder
        mask = extended_attention_mask(attention_mask, input_shape[1], is_decoder=is_decoder, dtype=self.dtype)
        return mask if device is None else mask.to(device)

    def invert_attention_mask(self, encoder_attention_mask: Tensor) -> Tensor:
        """The additive mask of cross-attention, from (batch, encoder seq) of 1 and 0."""
        return encoder_extended_attention_mask(encoder_attention_mask, self.dtype)

    def get_head_mask(self, head_mask: Tensor | None, num_hidden_layers: int) -> Tensor | list[None]:
        """The head mask with five dimensions, one slice a layer; of None a list of None."""
        if head_mask is None:
            return [None] * num_hidden_layers
        return head_mask_of_layers(head_mask, num_hidden_layers, self.dtype)

    def set_attn_implementation(self, attn_implementation: str) -> None:
        """Choose "eager" (written out), "sdpa" (fused) or "packed" (`minibert.fast.packing`: fused, without the padding).

        Raises ValueError for others.
        """
        before = self.config.attn_implementation
        self.config.update({"attn_implementation": attn_implementation})
        if "packed" in (before, attn_implementation):
            from ..fast.packing import pack, unpack

            (pack if attn_implementation == "packed" else unpack)(self.base_model)

    def gradient_checkpointing_enable(self) -> None:
        """Trade time for memory: compute each layer again in the backward pass instead of keeping its states."""
        for encoder in self._encoders():
            encoder.gradient_checkpointing = True

    def gradient_checkpointing_disable(self) -> None:
        """Keep every layer's states again."""
        for encoder in self._encoders():
            encoder.gradient_checkpointing = False
            vars(encoder.config).pop("gradient_checkpointing", None)

    @property
    def is_gradient_checkpointing(self) -> bool:
        """Whether layers are computed again in the backward pass."""
        return any(encoder.checkpoints_gradients for encoder in self._encoders())

    def _encoders(self) -> list[Any]:
        return [module for module in self.modules() if hasattr(module, "checkpoints_gradients")]  # a pair has two

    @property
    def device(self) -> torch.device:
        """Where the parameters are."""
        return next(self.parameters(), self.get_input_embeddings().weight).device

    @property
    def dtype(self) -> torch.dtype:
        """The parameters' dtype."""
        first = next(self.parameters(), None)  # none in a replica of nn.DataParallel, whose weights are plain tensors
        return (self.get_input_embeddings().weight if first is None else first).dtype

    def num_parameters(self, only_trainable: bool = False, exclude_embeddings: bool = False) -> int:
        """How many numbers the model holds, tied ones once."""
        left_out = {id(m.weight) for m in self.modules() if exclude_embeddings and isinstance(m, nn.Embedding)}
        counted = [p for p in self.parameters() if id(p) not in left_out and (p.requires_grad or not only_trainable)]
        return sum(parameter.numel() for parameter in counted)
