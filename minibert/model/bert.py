"""BertModel: the stages wired together.

    ids → embeddings → encoder → last_hidden_state → pooler → pooler_output

Masks are made here, once, for all layers. Source: Devlin et al. 2019, §3. Reference class: `BertModel`.
"""

from typing import Any

import torch
from torch import Tensor

from ..config import BertConfig
from ..outputs import BaseModelOutputWithPoolingAndCrossAttentions, PastKeyValues
from .checks import check_inputs
from .embeddings import BertEmbeddings
from .encoder import BertEncoder
from .pooler import BertPooler
from .pretrained import BertPreTrainedModel


class BertModel(BertPreTrainedModel):
    """BERT without a task: one vector for every token, and one for the sequence.

    With `config.is_decoder` a token sees only those before it and keys and values can be cached; with
    `config.add_cross_attention` every layer also attends to `encoder_hidden_states`.
    """

    def __init__(self, config: BertConfig, add_pooling_layer: bool = True):
        super().__init__(config)
        self.embeddings = BertEmbeddings(config)
        self.encoder = BertEncoder(config)
        self.pooler = BertPooler(config) if add_pooling_layer else None
        self.init_weights()

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        position_ids: Tensor | None = None,
        head_mask: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        encoder_hidden_states: Tensor | None = None,
        encoder_attention_mask: Tensor | None = None,
        past_key_values: PastKeyValues | None = None,
        use_cache: bool | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
    ) -> BaseModelOutputWithPoolingAndCrossAttentions | tuple[Any, ...]:
        """Run the network.

        input_ids: (batch, seq) int64 ids, or inputs_embeds: (batch, seq, hidden) word vectors in their place.
        attention_mask: 1 to see a token, 0 to ignore it; (batch, seq), or (batch, seq, seq) for each query its own.
        token_type_ids: (batch, seq), 0 for the first segment and 1 for the second. position_ids: (batch, seq).
        head_mask: (heads,) or (layers, heads), 1 to keep a head, 0 to silence it.
        encoder_hidden_states: (batch, encoder seq, hidden), with encoder_attention_mask: (batch, encoder seq).
        past_key_values: what an earlier call with `use_cache` returned; the masks then span old and new tokens.
        output_attentions, output_hidden_states, return_dict, use_cache: None means what the config says.

        Raises ValueError for input that does not fit the model or each other, before any arithmetic.
        """
        config = self.config
        output_attentions = config.output_attentions if output_attentions is None else output_attentions
        output_hidden_states = config.output_hidden_states if output_hidden_states is None else output_hidden_states
        return_dict = (config.return_dict and not config.torchscript) if return_dict is None else return_dict
        use_cache = config.is_decoder and (config.use_cache if use_cache is None else use_cache)
        check_inputs(
            self,
            input_ids=input_ids,
            attention_mask=attention_mask,
            token_type_ids=token_type_ids,
            position_ids=position_ids,
            head_mask=head_mask,
            inputs_embeds=inputs_embeds,
            encoder_hidden_states=encoder_hidden_states,
            encoder_attention_mask=encoder_attention_mask,
            past_key_values=past_key_values,
        )

        past_length = past_key_values[0][0].size(2) if past_key_values else 0
        embedding_output = self.embeddings(
            input_ids=input_ids,
            token_type_ids=token_type_ids,
            position_ids=position_ids,
            inputs_embeds=inputs_embeds,
            past_key_values_length=past_length,
        )  # (batch, seq, hidden)
        batch_size, seq_length, _ = embedding_output.shape
        device = embedding_output.device

        if config.is_decoder and attention_mask is None:
            attention_mask = torch.ones(batch_size, past_length + seq_length, device=device)
        extended_attention_mask = None  # (batch, 1, 1 or seq, keys)
        if attention_mask is not None:
            extended_attention_mask = self.get_extended_attention_mask(attention_mask, (batch_size, seq_length), device)
        encoder_extended_attention_mask = None  # (batch, 1, 1 or seq, encoder seq)
        if encoder_hidden_states is not None and encoder_attention_mask is not None:
            encoder_extended_attention_mask = self.invert_attention_mask(encoder_attention_mask)
        layer_head_mask = None  # (layers, 1, heads, 1, 1)
        if head_mask is not None:
            layer_head_mask = self.get_head_mask(head_mask, config.num_hidden_layers)

        encoder_outputs = self.encoder(
            embedding_output,
            attention_mask=extended_attention_mask,
            head_mask=layer_head_mask,
            encoder_hidden_states=encoder_hidden_states,
            encoder_attention_mask=encoder_extended_attention_mask,
            past_key_values=past_key_values,
            use_cache=use_cache,
            output_attentions=output_attentions,
            output_hidden_states=output_hidden_states,
        )
        sequence_output = encoder_outputs.last_hidden_state  # (batch, seq, hidden)
        pooled_output = self.pooler(sequence_output) if self.pooler is not None else None  # (batch, hidden)

        if not return_dict:
            return (sequence_output, pooled_output, *encoder_outputs[1:])
        return BaseModelOutputWithPoolingAndCrossAttentions(pooler_output=pooled_output, **encoder_outputs)
