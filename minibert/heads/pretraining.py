"""What BERT was trained on: hidden words and next sentences at once.

    loss = masked-word loss + next-sentence loss, unweighted

Source: Devlin et al. 2019, §3.1 and §A.2. Reference class: `BertForPreTraining`.
"""

from typing import Any

import torch.nn.functional as F
from torch import Tensor

from ..config import BertConfig
from ..model.bert import BertModel
from ..model.checks import IGNORED, check_labels, input_shape
from ..outputs import BertForPreTrainingOutput, head_output
from .prediction import BertPreTrainingHeads, BertWordPredictor


class BertForPreTraining(BertWordPredictor):
    """BERT with both pre-training heads."""

    def __init__(self, config: BertConfig):
        super().__init__(config)
        self.bert = BertModel(config)
        self.cls = BertPreTrainingHeads(config)
        self.init_weights()

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        position_ids: Tensor | None = None,
        head_mask: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        labels: Tensor | None = None,
        next_sentence_label: Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
    ) -> BertForPreTrainingOutput | tuple[Any, ...]:
        """Inputs as `BertModel.forward`'s, and the two labels; there is a loss only when both are given.

        labels: (batch, seq), the hidden words' ids, −100 where nothing was hidden.
        next_sentence_label: (batch,), 0 where B follows A and 1 where it is a random sentence.
        """
        if labels is not None:
            check_labels("labels", labels, input_shape(input_ids, inputs_embeds), num_classes=self.config.vocab_size)
        if next_sentence_label is not None:
            batch_size = input_shape(input_ids, inputs_embeds)[:1]
            check_labels("next_sentence_label", next_sentence_label, batch_size, num_classes=2)
        outputs = self.bert(
            input_ids,
            attention_mask=attention_mask,
            token_type_ids=token_type_ids,
            position_ids=position_ids,
            head_mask=head_mask,
            inputs_embeds=inputs_embeds,
            output_attentions=output_attentions,
            output_hidden_states=output_hidden_states,
            return_dict=return_dict,
        )
        sequence_output, pooled_output = outputs[:2]  # (batch, seq, hidden), (batch, hidden)
        prediction_logits, seq_relationship_logits = self.cls(sequence_output, pooled_output)

        loss = None
        if labels is not None and next_sentence_label is not None:
            words = prediction_logits.view(-1, self.config.vocab_size)
            masked_lm_loss = F.cross_entropy(words, labels.reshape(-1), ignore_index=IGNORED)
            next_sentence_loss = F.cross_entropy(seq_relationship_logits.view(-1, 2), next_sentence_label.reshape(-1))
            loss = masked_lm_loss + next_sentence_loss
        return head_output(
            BertForPreTrainingOutput,
            outputs,
            loss=loss,
            prediction_logits=prediction_logits,
            seq_relationship_logits=seq_relationship_logits,
        )
