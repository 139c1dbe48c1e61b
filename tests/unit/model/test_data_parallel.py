"""`nn.DataParallel` copies a model without its `nn.Parameter`s and gathers outputs by their items; both are imitated on the CPU here."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from minibert import (
    BertForMaskedLM,
    BertForPreTraining,
    BertForQuestionAnswering,
    BertForSequenceClassification,
    BertForTokenClassification,
    BertModel,
)
from tests.unit.tiny_bert import text_batch, tiny

IDS = text_batch()["input_ids"]
CALLS: list[tuple[type[nn.Module], dict[str, Tensor]]] = [
    (BertModel, {}),
    (BertForMaskedLM, {"labels": IDS}),
    (BertForPreTraining, {"labels": IDS, "next_sentence_label": torch.tensor([0, 1])}),
    (BertForSequenceClassification, {"labels": torch.tensor([1, 0])}),
    (BertForTokenClassification, {"labels": torch.zeros_like(IDS)}),
    (BertForQuestionAnswering, {"start_positions": torch.tensor([1, 2]), "end_positions": torch.tensor([2, 3])}),
]


def replica(model: nn.Module) -> Any:
    """A copy as `nn.parallel.replicate` makes it: weights are tensors that lead back to the parameters, and no module owns any."""
    copies = {module: module._replicate_for_data_parallel() for module in model.modules()}
    for module, copy in copies.items():
        for name, child in module._modules.items():
            copy._modules[name] = None if child is None else copies[child]
        for name, parameter in module._parameters.items():
            if parameter is not None:
                setattr(copy, name, parameter.clone())
        for name, buffer in module._buffers.items():
            setattr(copy, name, buffer.clone())
    return copies[model]


@pytest.mark.parametrize(("model_class", "labels"), CALLS, ids=lambda value: getattr(value, "__name__", ""))
def test_a_replica_computes_what_the_model_computes(model_class: type[nn.Module], labels: dict[str, Tensor]) -> None:
    model = tiny(model_class)
    copy = replica(model)
    assert list(copy.parameters()) == []
    assert (copy.dtype, copy.device) == (model.dtype, model.device)
    outputs = [each(**text_batch(), **labels).to_tuple() for each in (copy, model)]
    for found, expected in zip(*outputs, strict=True):
        assert torch.equal(found, expected)


@pytest.mark.parametrize(("model_class", "labels"), CALLS, ids=lambda value: getattr(value, "__name__", ""))
def test_the_gradient_of_a_replica_reaches_the_model(model_class: type[nn.Module], labels: dict[str, Tensor]) -> None:
    model = tiny(model_class)
    replica(model)(**text_batch(), **labels)[0].pow(3).sum().backward()  # the sum of a LayerNorm is constant
    assert model.get_input_embeddings().weight.grad.abs().sum() > 0


def test_outputs_are_gathered_by_their_items() -> None:
    model = tiny(BertForSequenceClassification)
    halves = [model(**{name: column[i : i + 1] for name, column in text_batch().items()}) for i in (0, 1)]
    gathered = type(halves[0])((name, torch.cat([half[name] for half in halves])) for name in halves[0])
    torch.testing.assert_close(gathered.logits, model(**text_batch()).logits)
    assert list(gathered) == ["logits"]
    assert gathered.loss is None
