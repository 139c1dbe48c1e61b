"""Where in the text is the answer?

    start score, end score of token i = w_s · h_i + b_s,  w_e · h_i + b_e
    loss = ½ (−log softmax(start)[first] − log softmax(end)[last])

Source: Devlin et al. 2019, §4.2. Reference class: `BertForQuestionAnswering`.
"""

from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from ..config import BertConfig
from ..model.bert import BertModel
from ..model.checks import check_labels, input_shape
from ..model.pretrained import BertPreTrainedModel
from ..outputs import QuestionAnsweringModelOutput, head_output


class BertForQuestionAnswering(BertPreTrainedModel):
    """BERT with two scores for every token: does the answer start here, does it end here?"""

    def __init__(self, config: BertConfig):
        super().__init__(config)
        if config.num_labels != 2:
            raise ValueError(f"config.num_labels must be 2; it is {config.num_labels}. They are start and end.")
        self.num_labels = config.num_labels
        self.bert = BertModel(config, add_pooling_layer=False)
        self.qa_outputs = nn.Linear(config.hidden_size, config.num_labels)
        self.init_weights()

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        position_ids: Tensor | None = None,
        head_mask: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        start_positions: Tensor | None = None,
        end_positions: Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
    ) -> QuestionAnsweringModelOutput | tuple[Any, ...]:
        """Inputs as `BertModel.forward`'s, and the answer's first and last token, each (batch,); both give a loss.

        A position outside the text, because the answer was cut off, is clamped to [0, seq], and seq does not count.
        """
        batch_size, seq_length = input_shape(input_ids, inputs_embeds)
        for name, positions in (("start_positions", start_positions), ("end_positions", end_positions)):
            if positions is not None:
                check_labels(name, positions, (batch_size,), num_classes=None)
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
        logits = self.qa_outputs(sequence_output)  # (batch, seq, 2)
        start_logits, end_logits = logits.split(1, dim=-1)
        start_logits = start_logits.squeeze(-1).contiguous()  # (batch, seq)
        end_logits = end_logits.squeeze(-1).contiguous()

        loss = None
        if start_positions is not None and end_positions is not None:
            start_positions = start_positions.reshape(-1).clamp(0, seq_length)
            end_positions = end_positions.reshape(-1).clamp(0, seq_length)
            start_loss = F.cross_entropy(start_logits, start_positions, ignore_index=seq_length)
            end_loss = F.cross_entropy(end_logits, end_positions, ignore_index=seq_length)
            loss = (start_loss + end_loss) / 2
        return head_output(
            QuestionAnsweringModelOutput, outputs, loss=loss, start_logits=start_logits, end_logits=end_logits
        )
