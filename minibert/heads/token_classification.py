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
from ..model.checks import IGNORED, check_labels, input_shape
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
            if attention_mask is not None and attention_mask.numel() == labels.numel():
                padding = attention_mask.view(-1) != 1
                labels = labels.view(-1).masked_fill(padding, IGNORED).view(labels.shape)
            check_labels("labels", labels, input_shape(input_ids, inputs_embeds), num_classes=self.num_labels)
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
            loss = F.cross_entropy(logits.view(-1, self.num_labels), labels.view(-1), ignore_index=IGNORED)
        return head_output(TokenClassifierOutput, outputs, loss=loss, logits=logits)
