"""Which words were hidden?

    loss = mean over the hidden positions of −log softmax(scores)[word]

Source: Devlin et al. 2019, §3.1, task 1. Reference class: `BertForMaskedLM`.
"""

import logging
from typing import Any

import torch.nn.functional as F
from torch import Tensor

from ..config import BertConfig
from ..model.bert import BertModel
from ..model.checks import IGNORED, check_labels, input_shape
from ..outputs import MaskedLMOutput, head_output
from .prediction import BertOnlyMLMHead, BertWordPredictor

logger = logging.getLogger("minibert")


class BertForMaskedLM(BertWordPredictor):
    """BERT with the masked-word head."""

    def __init__(self, config: BertConfig):
        super().__init__(config)
        if config.is_decoder:
            logger.warning("BertForMaskedLM reads in both directions: it wants a config with is_decoder=False.")
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
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
    ) -> MaskedLMOutput | tuple[Any, ...]:
        """Inputs as `BertModel.forward`'s, and labels: (batch, seq), the hidden words' ids, −100 elsewhere."""
        if labels is not None:
            check_labels("labels", labels, input_shape(input_ids, inputs_embeds), num_classes=self.config.vocab_size)
        outputs = self.bert(
            input_ids,
            attention_mask=attention_mask,
            token_type_ids=token_type_ids,
            position_ids=position_ids,
            head_mask=head_mask,
            inputs_embeds=inputs_embeds,
            encoder_hidden_states=encoder_hidden_states,
            encoder_attention_mask=encoder_attention_mask,
            output_attentions=output_attentions,
            output_hidden_states=output_hidden_states,
            return_dict=return_dict,
        )
        sequence_output = outputs[0]  # (batch, seq, hidden)
        logits = self.cls(sequence_output)  # (batch, seq, vocab)

        loss = None
        if labels is not None:
            loss = F.cross_entropy(logits.view(-1, self.config.vocab_size), labels.reshape(-1), ignore_index=IGNORED)
        return head_output(MaskedLMOutput, outputs, loss=loss, logits=logits)
