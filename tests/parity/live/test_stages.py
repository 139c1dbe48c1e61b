"""Every stage inside the models gives the numbers of today's transformers, taken out and run alone.

The limit is 1e-5. Largest difference seen, with transformers 5.23.0 and PyTorch 2.13.0: 1.9e-6, in the context of
`BertSelfAttention`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
import torch
from side_by_side import (
    BATCH,
    ENCODER_SEQ,
    PATHS,
    SEQ,
    TINY,
    compare,
    compare_gradients,
    configs,
    share_weights,
    text_batch,
    vectors,
    without_position_ids,
)
from torch import Tensor, nn
from transformers.models.bert import modeling_bert as reference

import minibert

TEXT = text_batch()
HIDDEN = vectors(SEQ)
MASK = (1.0 - TEXT["attention_mask"][:, None, None, :].float()) * -10000.0  # (batch, 1, 1, keys), additive
ATTENDED = {"hidden_states": HIDDEN, "attention_mask": MASK}


@dataclass(frozen=True)
class Row:
    """A stage: its class, its inputs, and what beside them is needed to build it.

    outputs: how many of the tensors it returns both libraries have.
    """

    class_name: str
    inputs: dict[str, Tensor]
    use: str = ""
    fields: dict[str, Any] = field(default_factory=dict)
    their_arguments: dict[str, Any] = field(default_factory=dict)
    outputs: int = 1

    def __str__(self) -> str:
        return f"{self.class_name} {self.use}".rstrip()

    def pair(self, path: str) -> tuple[nn.Module, nn.Module]:
        """The stage from both libraries with the same weights."""
        ours_config, theirs_config = configs(path, **self.fields)
        ours = getattr(minibert, self.class_name)(ours_config)
        theirs = getattr(reference, self.class_name)(theirs_config, **self.their_arguments)
        share_weights(ours, theirs)
        return ours, theirs


CROSS_FIELDS = {"is_decoder": True, "add_cross_attention": True}
CROSS = {
    "hidden_states": HIDDEN,
    "encoder_hidden_states": vectors(ENCODER_SEQ),
    "encoder_attention_mask": MASK[..., :ENCODER_SEQ],
}
STAGES = [
    Row("BertEmbeddings", {"input_ids": TEXT["input_ids"], "token_type_ids": TEXT["token_type_ids"]}),
    Row("BertEmbeddings", {"input_ids": TEXT["input_ids"]}, "without segments"),
    Row("BertEmbeddings", {"inputs_embeds": HIDDEN, "position_ids": torch.arange(SEQ).flip(0)[None]}, "of vectors"),
    Row("BertSelfAttention", ATTENDED),
    Row("BertSelfAttention", {"hidden_states": HIDDEN}, "without a mask"),
    Row("BertSelfOutput", {"hidden_states": HIDDEN, "input_tensor": vectors(SEQ, seed=8)}),
    Row("BertAttention", ATTENDED),
    Row("BertAttention", CROSS, "to an encoder", CROSS_FIELDS, {"is_cross_attention": True}),
    Row("BertIntermediate", {"hidden_states": HIDDEN}),
    Row("BertOutput", {"hidden_states": vectors(SEQ, TINY["intermediate_size"]), "input_tensor": vectors(SEQ, seed=8)}),
    Row("BertLayer", ATTENDED),
    Row("BertLayer", {**CROSS, "attention_mask": MASK}, "of a decoder", CROSS_FIELDS),
    Row("BertEncoder", ATTENDED),
    Row("BertPooler", {"hidden_states": HIDDEN}),
    Row("BertPredictionHeadTransform", {"hidden_states": HIDDEN}),
    Row("BertLMPredictionHead", {"hidden_states": HIDDEN}),
    Row("BertOnlyMLMHead", {"sequence_output": HIDDEN}),
    Row("BertOnlyNSPHead", {"pooled_output": HIDDEN[:, 0]}),
    Row("BertPreTrainingHeads", {"sequence_output": HIDDEN, "pooled_output": HIDDEN[:, 1]}, outputs=2),
]

every_stage = pytest.mark.parametrize("row", STAGES, ids=str)
both_paths = pytest.mark.parametrize("path", PATHS)


def run(stage: nn.Module, inputs: dict[str, Tensor], number: int) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """The first `number` tensors that a stage returns, and the gradients of its inputs after a backward pass."""
    inputs = {
        n: t.clone().requires_grad_() if t.is_floating_point() and n != "attention_mask" else t
        for n, t in inputs.items()
    }
    returned = stage(**inputs)
    tensors = (returned,) if isinstance(returned, Tensor) else tuple(returned[i] for i in range(number))
    weighted = [(t * torch.linspace(-1, 1, t.numel()).view_as(t)).mean() for t in tensors]
    torch.stack(weighted).sum().backward()
    outputs = {str(i): tensor.detach() for i, tensor in enumerate(tensors)}
    return outputs, {f"gradient of {n}": t.grad for n, t in inputs.items() if t.grad is not None}


@both_paths
@every_stage
@pytest.mark.parametrize("training", [False, True], ids=["eval", "dropout"])
def test_outputs_and_every_gradient_are_equal(row: Row, path: str, training: bool) -> None:
    ours, theirs = row.pair(path)
    results = []
    for stage in (ours, theirs):
        torch.manual_seed(9)
        results.append(run(stage.train(training), row.inputs, row.outputs))
    where = f"{row}, {path}, {'dropout' if training else 'eval'}"
    (found, found_gradients), (expected, expected_gradients) = results
    compare(where, found, expected)
    compare(where, found_gradients, expected_gradients)
    compare_gradients(where, ours, theirs)


@pytest.mark.parametrize("row", [row for row in STAGES if row.class_name.endswith("Attention")], ids=str)
def test_attention_probabilities_are_equal(row: Row) -> None:
    ours, theirs = (stage.eval() for stage in row.pair("eager"))
    found = ours(**row.inputs, output_attentions=True)[1]
    assert found.shape[:3] == (BATCH, TINY["num_attention_heads"], SEQ)
    compare(f"{row}, probabilities", {"1": found}, {"1": theirs(**row.inputs)[1]})


@every_stage
def test_state_dicts_have_the_same_names(row: Row) -> None:
    ours, theirs = row.pair("eager")
    assert without_position_ids(ours.state_dict()).keys() == theirs.state_dict().keys()
