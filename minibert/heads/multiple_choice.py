"""Which of these endings fits?

    score of a choice = w · dropout(pooled of "context, choice") + b
    loss = mean of −log softmax over the choices[label]

Every choice is a sequence of its own, so a batch of 8 questions with 4 choices runs 32 sequences through the network.
Source: Devlin et al. 2019, §4.4 (SWAG). Reference class: `BertForMultipleChoice`.
"""

from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from ..config import BertConfig
from ..model.bert import BertModel
from ..model.checks import check_labels, input_shape
from ..model.pretrained import BertPreTrainedModel
from ..outputs import MultipleChoiceModelOutput, head_output


class BertForMultipleChoice(BertPreTrainedModel):
    """BERT with one score for each choice."""

    def __init__(self, config: BertConfig):
        super().__init__(config)
        self.bert = BertModel(config)
        dropout = config.hidden_dropout_prob if config.classifier_dropout is None else config.classifier_dropout
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(config.hidden_size, 1)
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
    ) -> MultipleChoiceModelOutput | tuple[Any, ...]:
        """Inputs as `BertModel.forward`'s with a dimension for the choices, (batch, choices, seq), and labels (batch,)."""
        shape = input_shape(input_ids, inputs_embeds)
        if len(shape) != 3:
            raise ValueError(
                f"input_ids has shape {shape}; it must be (batch, choices, seq), inputs_embeds with hidden."
            )
        batch_size, num_choices, _ = shape
        if labels is not None:
            check_labels("labels", labels, (batch_size,), num_classes=num_choices)

        outputs = self.bert(
            rows(input_ids),
            attention_mask=rows(attention_mask),
            token_type_ids=rows(token_type_ids),
            position_ids=rows(position_ids),
            head_mask=head_mask,
            inputs_embeds=inputs_embeds.flatten(0, 1) if inputs_embeds is not None else None,
            output_attentions=output_attentions,
            output_hidden_states=output_hidden_states,
            return_dict=return_dict,
        )
        pooled_output = outputs[1]  # (batch · choices, hidden)
        scores = self.classifier(self.dropout(pooled_output))  # (batch · choices, 1)
        logits = scores.view(-1, num_choices)  # (batch, choices)
        loss = F.cross_entropy(logits, labels.reshape(-1)) if labels is not None else None
        return head_output(MultipleChoiceModelOutput, outputs, loss=loss, logits=logits)


def rows(ids: Tensor | None) -> Tensor | None:
    """(batch, choices, seq) → (batch · choices, seq), the choices of one question next to each other."""
    return ids.reshape(-1, ids.size(-1)) if isinstance(ids, Tensor) else ids  # what is none is refused further in
