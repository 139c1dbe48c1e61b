"""Labels count in the order in which they are given: of the shape of the predictions, flat, or with sizes of 1; any other shape is refused."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from minibert import (
    BertForMaskedLM,
    BertForPreTraining,
    BertForSequenceClassification,
    BertForTokenClassification,
    BertLMHeadModel,
    fast,
)
from tests.unit.tiny_bert import text_batch, tiny

OF_TOKENS: tuple[type[Any], ...] = (BertForMaskedLM, BertForPreTraining, BertForTokenClassification, BertLMHeadModel)
BATCH = text_batch()
SHAPE = BATCH["input_ids"].shape


def model_of(model_class: type[Any], **fields: Any) -> Any:
    fields = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0, **fields}
    return tiny(model_class, is_decoder=model_class is BertLMHeadModel, initializer_range=0.2, **fields).train()


def loss_of(model: Any, labels: Tensor, **given: Tensor) -> Tensor:
    more = {"next_sentence_label": torch.tensor([1, 0])} if isinstance(model, BertForPreTraining) else {}
    return model(**{**BATCH, **given}, labels=labels, **more).loss


def labels() -> Tensor:
    return torch.arange(SHAPE.numel()).remainder(2).view(SHAPE)


@pytest.mark.parametrize("model_class", OF_TOKENS)
def test_labels_of_tokens_count_in_any_layout(model_class: type[Any]) -> None:
    model = model_of(model_class)
    expected = loss_of(model, labels())
    not_contiguous = labels().repeat(1, 2)[:, : SHAPE[1]]
    for same in (labels().flatten(), labels()[..., None], not_contiguous):
        assert torch.equal(loss_of(model, same), expected)
        with fast.training(model):
            torch.testing.assert_close(loss_of(model, same), expected)


@pytest.mark.parametrize("model_class", OF_TOKENS)
def test_labels_of_tokens_that_stand_in_another_order_are_refused(model_class: type[Any]) -> None:
    model = model_of(model_class)
    with pytest.raises(ValueError, match=r"labels has shape \(7, 2\); it must be \(2, 7\)"):
        loss_of(model, labels().t().contiguous())
    with fast.training(model), pytest.raises(ValueError, match=r"labels has shape \(7, 2\); it must be \(2, 7\)"):
        loss_of(model, labels().t().contiguous())


@pytest.mark.parametrize("problem_type", ["regression", "multi_label_classification"])
def test_targets_are_never_broadcast(problem_type: str) -> None:
    model = model_of(BertForSequenceClassification, problem_type=problem_type, num_labels=3)
    targets = torch.tensor([[0.0, 1.0, 0.5], [1.0, 0.0, 0.2]])
    expected = loss_of(model, targets)
    for same in (targets[:, None], targets[..., None], targets.flatten()):
        assert torch.equal(loss_of(model, same), expected)
    with pytest.raises(ValueError, match=r"labels has shape \(3, 2\); it must be \(2, 3\)"):
        loss_of(model, targets.t())


def test_one_rows_target_may_stand_as_a_column() -> None:
    model = model_of(BertForSequenceClassification, problem_type="regression", num_labels=3)
    one = {name: column[:1] for name, column in BATCH.items()}
    target = torch.tensor([[0.0, 1.0, 0.5]])
    expected = model(**one, labels=target).loss
    assert torch.equal(model(**one, labels=target.t()).loss, expected)
    assert torch.equal(model(**one, labels=target[0]).loss, expected)


def test_a_mask_of_one_row_for_all_leaves_out_the_labels_of_padding_too() -> None:
    model = model_of(BertForTokenClassification)
    row = torch.tensor([[1, 1, 1, 1, 1, 0, 0]])
    expected = loss_of(model, labels(), attention_mask=row.repeat(2, 1))
    without = labels().masked_fill(row == 0, -100)
    assert torch.equal(loss_of(model, without, attention_mask=row.repeat(2, 1)), expected)
    for same in (row, row.expand(2, -1)):
        assert torch.equal(loss_of(model, labels(), attention_mask=same), expected)
        with fast.training(model):
            torch.testing.assert_close(loss_of(model, labels(), attention_mask=same), expected)
