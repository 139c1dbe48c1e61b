"""The stack: each layer reads what the one before it wrote.

    h₀ = embeddings        h_i = layer_i(h_(i−1))

Reference class: `BertEncoder`.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from ..config import BertConfig
from ..outputs import BaseModelOutputWithPastAndCrossAttentions, PastKeyValues
from .layer import BertLayer


class BertEncoder(nn.Module):
    """`num_hidden_layers` layers, one after the other."""

    def __init__(self, config: BertConfig):
        super().__init__()
        self.config = config
        self.layer = nn.ModuleList([BertLayer(config) for _ in range(config.num_hidden_layers)])
        self.gradient_checkpointing = False

    @property
    def checkpoints_gradients(self) -> bool:
        """Whether layers are computed again in the backward pass: by `gradient_checkpointing_enable` or a field of the config."""
        return self.gradient_checkpointing or bool(getattr(self.config, "gradient_checkpointing", False))

    def forward(
        self,
        hidden_states: Tensor,
        attention_mask: Tensor | None = None,
        head_mask: Tensor | list[None] | None = None,
        encoder_hidden_states: Tensor | None = None,
        encoder_attention_mask: Tensor | None = None,
        past_key_values: PastKeyValues | None = None,
        use_cache: bool = False,
        output_attentions: bool = False,
        output_hidden_states: bool = False,
        return_dict: bool = True,
    ) -> BaseModelOutputWithPastAndCrossAttentions | tuple[Any, ...]:
        """(batch, seq, hidden) → the same and, where asked for, every layer's states, probabilities, keys and values.

        attention_mask, encoder_attention_mask: additive, broadcast to (batch, heads, seq, keys).
        head_mask: (layers, …), broadcast to the probabilities.
        """
        # Only what was asked for is kept: anything else is freed as soon as the next layer has read it.
        all_hidden_states: tuple[Tensor, ...] | None = (hidden_states,) if output_hidden_states else None
        all_attentions: tuple[Tensor, ...] | None = () if output_attentions else None
        crosses = output_attentions and encoder_hidden_states is not None
        all_cross_attentions: tuple[Tensor, ...] | None = () if crosses else None
        all_key_values: PastKeyValues | None = () if use_cache else None
        for i, layer in enumerate(self.layer):
            call: Callable[..., Any] = layer
            if self.training and self.checkpoints_gradients:
                call = partial(checkpoint, layer, use_reentrant=False)
            hidden_states, attention, cross_attention, key_value = call(
                hidden_states,
                attention_mask=attention_mask,
                head_mask=head_mask[i] if head_mask is not None else None,
                encoder_hidden_states=encoder_hidden_states,
                encoder_attention_mask=encoder_attention_mask,
                past_key_value=past_key_values[i] if past_key_values is not None else None,
                output_attentions=output_attentions,
            )
            if all_hidden_states is not None:
                all_hidden_states += (hidden_states,)
            if all_attentions is not None:
                all_attentions += (attention,)
            if all_cross_attentions is not None:
                all_cross_attentions += (cross_attention,)
            if all_key_values is not None:
                all_key_values += (key_value,)

        output = BaseModelOutputWithPastAndCrossAttentions(
            last_hidden_state=hidden_states,
            past_key_values=all_key_values,
            hidden_states=all_hidden_states,
            attentions=all_attentions,
            cross_attentions=all_cross_attentions,
        )
        return output if return_dict else output.to_tuple()
