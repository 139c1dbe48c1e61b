"""Does the second sentence follow the first?

    loss = mean of −log softmax(scores)[label]

Source: Devlin et al. 2019, §3.1, task 2. Reference class: `BertForNextSentencePrediction`.
"""

import warnings
from typing import Any

import torch.nn.functional as F
from torch import Tensor

from ..config import BertConfig
from ..model.bert import BertModel
from ..model.checks import check_labels, input_shape
from ..model.pretrained import BertPreTrainedModel
from ..outputs import NextSentencePredictorOutput, head_output
from .prediction import BertOnlyNSPHead


class BertForNextSentencePrediction(BertPreTrainedModel):
    """BERT with the next-sentence head."""

    def __init__(self, config: BertConfig):
        super().__init__(config)
        self.bert = BertModel(config)
        self.cls = BertOnlyNSPHead(config)
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
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        next_sentence_label: Tensor | None = None,
    ) -> NextSentencePredictorOutput | tuple[Any, ...]:
        """Inputs as `BertModel.forward`'s, a pair of sentences a row, and labels.

        labels: (batch,), 0 where B follows A and 1 where it is a random sentence. next_sentence_label: their old name.
        """
        if next_sentence_label is not None:
            warnings.warn("`next_sentence_label` is deprecated: call it `labels`.", FutureWarning, stacklevel=2)
            labels = next_sentence_label
        if labels is not None:
            check_labels("labels", labels, input_shape(input_ids, inputs_embeds)[:1], num_classes=2)
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
        pooled_output = outputs[1]  # (batch, hidden)
        logits = self.cls(pooled_output)  # (batch, 2)

        loss = F.cross_entropy(logits.view(-1, 2), labels.reshape(-1)) if labels is not None else None
        return head_output(NextSentencePredictorOutput, outputs, loss=loss, logits=logits)
