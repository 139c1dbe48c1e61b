"""Which word comes next?

    loss = mean over the positions of −log softmax(scores at i)[word i + 1]

BERT as a decoder: with `config.is_decoder` a token sees only those before it, and keys and values can be kept between
calls. With `config.add_cross_attention` it also reads an encoder's output.
Source: Vaswani et al. 2017, §3.1; Rothe et al. 2020. Reference class: `BertLMHeadModel`.
"""

import logging
from typing import Any

import torch.nn.functional as F
from torch import Tensor

from ..config import BertConfig
from ..generation import Generation
from ..model.bert import BertModel
from ..model.checks import check_labels, input_shape
from ..outputs import CausalLMOutputWithCrossAttentions, PastKeyValues
from .prediction import BertOnlyMLMHead, BertWordPredictor

logger = logging.getLogger("minibert")


def positions_to_keep(logits_to_keep: int | Tensor) -> Tensor | slice:
    """The positions that are scored, as an index. Raises ValueError for a number below 0 and for a table."""
    if isinstance(logits_to_keep, Tensor) and logits_to_keep.dim() > 0:
        if logits_to_keep.dim() > 1:
            raise ValueError(f"logits_to_keep has shape {tuple(logits_to_keep.shape)}; it must be a list of positions.")
        return logits_to_keep
    if logits_to_keep < 0:
        raise ValueError(f"logits_to_keep is {logits_to_keep}; it must be 0, for all positions, or more.")
    return slice(-int(logits_to_keep), None)  # of 0: all


class BertLMHeadModel(Generation, BertWordPredictor):
    """BERT that predicts the next word."""

    def __init__(self, config: BertConfig):
        super().__init__(config)
        if not config.is_decoder:
            logger.warning("BertLMHeadModel reads from left to right only with a config that has is_decoder=True.")
        self.bert = BertModel(config, add_pooling_layer=False)
        self.cls = BertOnlyMLMHead(config)
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
        labels: Tensor | None = None,
        past_key_values: PastKeyValues | None = None,
        use_cache: bool | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        *,
        logits_to_keep: int | Tensor = 0,
    ) -> CausalLMOutputWithCrossAttentions | tuple[Any, ...]:
        """Inputs as `BertModel.forward`'s, and labels: (batch, seq), usually the ids themselves, −100 to leave one out.

        The labels are shifted here: the scores at one position are compared with the label of the next.
        logits_to_keep: score only so many positions at the end (generation needs one), 0 for all, or those that a tensor
        lists, (kept,) int64. It excludes labels.
        """
        kept = positions_to_keep(logits_to_keep)
        if labels is not None:
            check_labels("labels", labels, input_shape(input_ids, inputs_embeds), num_classes=self.config.vocab_size)
            if kept != slice(0, None):
                raise ValueError("Labels need the scores of every position: leave out logits_to_keep.")
            use_cache = False  # training reads whole sequences
        outputs = self.bert(
            input_ids,
            attention_mask=attention_mask,
            token_type_ids=token_type_ids,
            position_ids=position_ids,
            head_mask=head_mask,
            inputs_embeds=inputs_embeds,
            encoder_hidden_states=encoder_hidden_states,
            encoder_attention_mask=encoder_attention_mask,
            past_key_values=past_key_values,
            use_cache=use_cache,
            output_attentions=output_attentions,
            output_hidden_states=output_hidden_states,
            return_dict=return_dict,
        )
        sequence_output = outputs[0]  # (batch, seq, hidden)
        logits = self.cls(sequence_output[:, kept])  # (batch, seq or kept, vocab)

        loss = None
        if labels is not None:
            predictions = logits[:, :-1, :].contiguous()  # (batch, seq − 1, vocab)
            next_words = labels.reshape(logits.shape[:2])[:, 1:].contiguous()
            loss = F.cross_entropy(predictions.view(-1, self.config.vocab_size), next_words.view(-1))

        if isinstance(outputs, tuple):  # return_dict=False
            return (logits, *outputs[2:]) if loss is None else (loss, logits, *outputs[2:])
        return CausalLMOutputWithCrossAttentions(
            loss=loss,
            logits=logits,
            past_key_values=outputs.past_key_values,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
            cross_attentions=outputs.cross_attentions,
        )

    def prepare_inputs_for_generation(
        self,
        input_ids: Tensor,
        past: PastKeyValues | None = None,
        attention_mask: Tensor | None = None,
        **model_kwargs: Any,  # noqa: ARG002  # what else the reference's caller passes along
    ) -> dict[str, Any]:
        """The arguments of the next forward: all ids at first, the last one once the rest is in the cache."""
        if attention_mask is None:
            attention_mask = input_ids.new_ones(input_ids.shape)
        if past is not None:
            input_ids = input_ids[:, -1:]
        return {"input_ids": input_ids, "attention_mask": attention_mask, "past_key_values": past}

    def _reorder_cache(self, past: PastKeyValues, beam_idx: Tensor) -> PastKeyValues:
        """The cache of the beams that live on, (beams,) indices into the batch."""
        return tuple(tuple(tensor.index_select(0, beam_idx) for tensor in layer) for layer in past)
