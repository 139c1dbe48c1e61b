"""A call that is refused leaves the model, and its config, as they were."""

from __future__ import annotations

import pytest
import torch

from minibert import BertConfig, BertForSequenceClassification
from tests.unit.tiny_bert import text_batch, tiny, tiny_config


def test_wrong_labels_decide_no_kind_of_problem() -> None:
    model = tiny(BertForSequenceClassification, num_labels=3)
    with pytest.raises(ValueError, match=r"labels has shape \(2,\); it must be \(2, 3\)"):
        model(**text_batch(), labels=torch.tensor([0.0, 1.0]))
    assert model.config.problem_type is None
    assert model(**text_batch(), labels=torch.tensor([0, 1])).loss.isfinite()
    assert model.config.problem_type == "single_label_classification"


def test_a_refused_way_to_attend_changes_nothing() -> None:
    model = tiny(BertForSequenceClassification)
    before = model(**text_batch()).logits
    with pytest.raises(ValueError, match="attn_implementation"):
        model.set_attn_implementation("flash")
    assert model.config.attn_implementation == "eager"
    assert torch.equal(model(**text_batch()).logits, before)


def test_refused_fields_change_none() -> None:
    config = tiny_config()
    before = config.to_dict()
    with pytest.raises(ValueError, match="hidden_dropout_prob"):
        config.update({"hidden_act": "relu", "num_labels": 7, "hidden_dropout_prob": 7})
    assert config.to_dict() == before
    assert config == BertConfig.from_dict(before)
