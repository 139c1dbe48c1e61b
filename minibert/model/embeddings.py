"""The first stage: ids become vectors.

    embeddings = dropout(LayerNorm(word[id] + segment[type] + position[i]))

(batch, seq) ids in, (batch, seq, hidden) vectors out. Source: Devlin et al. 2019, §3 and figure 2.
Reference class: `BertEmbeddings`.
"""

from typing import Any

import torch
from torch import Tensor, nn

from ..config import BertConfig


class BertEmbeddings(nn.Module):
    """Word, segment and (for absolute positions) position embeddings, summed and normalised."""

    position_ids: Tensor
    token_type_ids: Tensor

    def __init__(self, config: BertConfig):
        super().__init__()
        self.word_embeddings = nn.Embedding(config.vocab_size, config.hidden_size, padding_idx=config.pad_token_id)
        self.position_embeddings = nn.Embedding(config.max_position_embeddings, config.hidden_size)
        self.token_type_embeddings = nn.Embedding(config.type_vocab_size, config.hidden_size)
        self.LayerNorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)
        self.position_embedding_type = config.position_embedding_type
        # What a caller who gives no positions or segments means: 0, 1, 2, … and all in segment 0.
        self.register_buffer("position_ids", torch.arange(config.max_position_embeddings).expand((1, -1)))
        self.register_buffer("token_type_ids", torch.zeros_like(self.position_ids), persistent=False)
        self.register_load_state_dict_pre_hook(_add_position_ids)

    def forward(
        self,
        input_ids: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        position_ids: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        past_key_values_length: int = 0,
    ) -> Tensor:
        """Embed ids (batch, seq) int64, or take word vectors (batch, seq, hidden) as they are.

        token_type_ids: (batch, seq), default 0. position_ids: (batch, seq) or (1, seq), default counting on from
        `past_key_values_length`, the number of tokens a decoder has already seen.
        """
        if inputs_embeds is None:
            inputs_embeds = self.word_embeddings(input_ids)  # (batch, seq, hidden)
        seq_length = inputs_embeds.size(1)
        if token_type_ids is None:
            token_type_ids = self.token_type_ids[:, :1].expand(inputs_embeds.shape[:2])

        embeddings = inputs_embeds + self.token_type_embeddings(token_type_ids)
        if self.position_embedding_type == "absolute":
            if position_ids is None:
                position_ids = self.position_ids[:, past_key_values_length : past_key_values_length + seq_length]
            embeddings = embeddings + self.position_embeddings(position_ids)
        return self.dropout(self.LayerNorm(embeddings))


def _add_position_ids(embeddings: Any, state_dict: dict[str, Any], prefix: str, *_: Any) -> None:
    # The era's files hold the counter 0, 1, 2, …; what today's library saves lacks it.
    state_dict.setdefault(f"{prefix}position_ids", embeddings.position_ids)
