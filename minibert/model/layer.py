"""One encoder layer.

    a = add & norm(attention(x))        [and in a decoder with an encoder beside it: a = add & norm(cross-attention(a))]
    y = add & norm(W₂ gelu(W₁ a + b₁) + b₂)

(batch, seq, hidden) in and out. Source: Vaswani et al. 2017, §3.1 and §3.3; Devlin et al. 2019, §3.
Reference classes: `BertIntermediate`, `BertOutput`, `BertLayer`.
"""

import torch
from torch import Tensor, nn

from ..config import BertConfig
from .activations import get_activation
from .attention import BertAttention


class BertIntermediate(nn.Module):
    """The feed-forward network's first half, gelu(W₁ x + b₁): (batch, seq, hidden) → (batch, seq, intermediate)."""

    def __init__(self, config: BertConfig):
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.intermediate_size)
        self.intermediate_act_fn = get_activation(config.hidden_act)

    def forward(self, hidden_states: Tensor) -> Tensor:
        return self.intermediate_act_fn(self.dense(hidden_states))


class BertOutput(nn.Module):
    """The second half with add & norm, LayerNorm(a + dropout(W₂ h + b₂)): back to (batch, seq, hidden)."""

    def __init__(self, config: BertConfig):
        super().__init__()
        self.dense = nn.Linear(config.intermediate_size, config.hidden_size)
        self.LayerNorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def forward(self, hidden_states: Tensor, input_tensor: Tensor) -> Tensor:
        hidden_states = self.dropout(self.dense(hidden_states))
        return self.LayerNorm(hidden_states + input_tensor)


class BertLayer(nn.Module):
    """Attention, then feed-forward; each adds to its input and normalises."""

    def __init__(self, config: BertConfig):
        super().__init__()
        self.chunk_size_feed_forward = config.chunk_size_feed_forward
        self.attention = BertAttention(config)
        if config.add_cross_attention:
            self.crossattention = BertAttention(config)
        self.intermediate = BertIntermediate(config)
        self.output = BertOutput(config)

    def forward(
        self,
        hidden_states: Tensor,
        attention_mask: Tensor | None = None,
        head_mask: Tensor | None = None,
        encoder_hidden_states: Tensor | None = None,
        encoder_attention_mask: Tensor | None = None,
        past_key_value: tuple[Tensor, ...] | None = None,
        output_attentions: bool = False,
    ) -> tuple[Tensor, Tensor | None, Tensor | None, tuple[Tensor, ...]]:
        """(batch, seq, hidden) → the same, self- and cross-attention probabilities where asked for, keys and values.

        past_key_value: (key, value) of the tokens before, or (key, value, cross key, cross value).
        """
        past_self = past_key_value[:2] if past_key_value is not None else None
        past_length = past_key_value[0].size(2) if past_key_value is not None else 0
        attended, probabilities, key_value = self.attention(
            hidden_states,
            attention_mask=attention_mask,
            head_mask=head_mask,
            past_key_value=past_self,
            output_attentions=output_attentions,
            past_length=past_length,
        )
        cross_probabilities = None
        if encoder_hidden_states is not None:
            attended, cross_probabilities, cross_key_value = self.crossattention(
                attended,
                head_mask=head_mask,
                encoder_hidden_states=encoder_hidden_states,
                encoder_attention_mask=encoder_attention_mask,
                past_key_value=past_key_value[2:] if past_key_value is not None else None,
                output_attentions=output_attentions,
                past_length=past_length,
            )
            key_value = (*key_value, *cross_key_value)
        return self.feed_forward(attended), probabilities, cross_probabilities, key_value

    def feed_forward(self, attended: Tensor) -> Tensor:
        """The position-wise network; with `chunk_size_feed_forward` over pieces of the sequence, to save memory.

        Source: Kitaev et al. 2020, §3.
        """
        if self.chunk_size_feed_forward == 0:
            return self.output(self.intermediate(attended), attended)
        chunks = attended.split(self.chunk_size_feed_forward, dim=1)
        return torch.cat([self.output(self.intermediate(chunk), chunk) for chunk in chunks], dim=1)
