"""A label for every token: names of people and places, parts of speech.

    logits = W dropout(h) + b        loss = mean over the tokens that count of −log softmax(logits)[label]

A token counts where the attention mask is 1 and its label is not −100.
Source: Devlin et al. 2019, §5.3. Reference class: `BertForTokenClassification`.
"""

from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from ..config import BertConfig
from ..model.bert import BertModel
from ..model.checks import IGNORED, check_labels, check_shape_of_labels, input_shape
from ..model.pretrained import BertPreTrainedModel
from ..outputs import TokenClassifierOutput, head_output


class BertForTokenClassification(BertPreTrainedModel):
    """BERT with a linear layer over every token's vector."""

    def __init__(self, config: BertConfig):
        super().__init__(config)
        self.num_labels = config.num_labels
        self.bert = BertModel(config, add_pooling_layer=False)
        dropout = config.hidden_dropout_prob if config.classifier_dropout is None else config.classifier_dropout
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(config.hidden_size, config.num_labels)
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
    ) -> TokenClassifierOutput | tuple[Any, ...]:
        """Inputs as `BertModel.forward`'s, and labels: (batch, seq), −100 where a token does not count."""
        if labels is not None:
            shape = input_shape(input_ids, inputs_embeds)
            labels = labels_of_tokens(labels, attention_mask, shape)
            check_labels("labels", labels, shape, num_classes=self.num_labels)
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
        sequence_output = outputs[0]  # (batch, seq, hidden)
        logits = self.classifier(self.dropout(sequence_output))  # (batch, seq, labels)

        loss = None
        if labels is not None:
            loss = F.cross_entropy(logits.view(-1, self.num_labels), labels.reshape(-1), ignore_index=IGNORED)
        return head_output(TokenClassifierOutput, outputs, loss=loss, logits=logits)


def labels_of_tokens(labels: Tensor, attention_mask: Tensor | None, shape: tuple[int, ...]) -> Tensor:
    """(batch, seq), −100 where the mask, (batch, seq) or one row for all, is not 1. Raises ValueError for labels not of this `shape`."""
    check_shape_of_labels("labels", labels, shape)
    if attention_mask is None or attention_mask.shape not in (shape, (1, *shape[1:])):
        return labels
    return labels.reshape(shape).masked_fill(attention_mask.expand(shape) != 1, IGNORED)
