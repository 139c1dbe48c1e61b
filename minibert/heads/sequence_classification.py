"""One answer for a sentence or a pair: a class, several at once, or a number.

    logits = W dropout(pooled) + b
    one class:     loss = mean of −log softmax(logits)[label]
    many labels:   loss = mean of −[y log σ(logit) + (1 − y) log(1 − σ(logit))]
    a number:      loss = mean of (logit − y)²

Source: Devlin et al. 2019, §4.1. Reference class: `BertForSequenceClassification`.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..config import BertConfig
from ..model.bert import BertModel
from ..model.checks import check_labels, check_targets, input_shape, no_tensor
from ..model.pretrained import BertPreTrainedModel
from ..outputs import SequenceClassifierOutput, head_output


class BertForSequenceClassification(BertPreTrainedModel):
    """BERT with a linear layer over the pooled vector."""

    def __init__(self, config: BertConfig):
        super().__init__(config)
        self.num_labels = config.num_labels
        self.bert = BertModel(config)
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
    ) -> SequenceClassifierOutput | tuple[Any, ...]:
        """Inputs as `BertModel.forward`'s, and labels of the kind that `config.problem_type` says.

        "single_label_classification": (batch,) int64. "multi_label_classification": (batch, labels) of 0.0 and 1.0.
        "regression": (batch,) or (batch, labels) real numbers. Where the config says none, the first labels decide
        and the config remembers: one label column means regression, whole numbers a class each, else many labels.
        """
        if labels is not None:
            self.check_kind_of_labels(labels, batch_size=input_shape(input_ids, inputs_embeds)[0])
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
        logits = self.classifier(self.dropout(pooled_output))  # (batch, labels)
        loss = self.loss(logits, labels) if labels is not None else None
        return head_output(SequenceClassifierOutput, outputs, loss=loss, logits=logits)

    def check_kind_of_labels(self, labels: Tensor, batch_size: int) -> None:
        """Decide the kind of problem if the config has not, and check that the labels are of it."""
        if not isinstance(labels, Tensor):
            raise ValueError(no_tensor("labels", labels))
        kind = self.config.problem_type or self.kind_of(labels)
        if kind == "single_label_classification":
            check_labels("labels", labels, (batch_size,), num_classes=self.num_labels)
        else:
            check_targets("labels", labels, (batch_size, self.num_labels))
        self.config.problem_type = kind  # once the labels have turned out to be right

    def kind_of(self, labels: Tensor) -> str:
        """The kind of problem that such labels are of, as `config.problem_type` names it."""
        if self.num_labels == 1:
            return "regression"
        whole = labels.dtype in (torch.long, torch.int)
        return "single_label_classification" if whole else "multi_label_classification"

    def loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        """The loss of the config's kind of problem, as the equations above say; a scalar."""
        if self.config.problem_type == "single_label_classification":
            return F.cross_entropy(logits.view(-1, self.num_labels), labels.reshape(-1))
        if self.config.problem_type == "multi_label_classification":
            return F.binary_cross_entropy_with_logits(logits, labels.reshape(logits.shape))
        if self.num_labels == 1:
            return F.mse_loss(logits.squeeze(), labels.squeeze())
        return F.mse_loss(logits, labels.reshape(logits.shape))
