"""BertForTokenClassification: a label for every token that counts."""

import pytest
import torch

from minibert import BertForTokenClassification
from tests.unit.tiny_bert import text_batch, tiny, token_ids


@pytest.fixture
def model() -> BertForTokenClassification:
    return tiny(BertForTokenClassification, num_labels=5, initializer_range=0.5)


def test_every_token_gets_a_score_for_every_label(model: BertForTokenClassification) -> None:
    assert model(**text_batch()).logits.shape == (2, 7, 5)
    assert model.bert.pooler is None


def test_labels_behind_the_mask_do_not_count(model: BertForTokenClassification) -> None:
    labels = token_ids() % 5
    loss = model(**text_batch(), labels=labels).loss
    labels[1, 4:] = 77  # padding: not even checked
    assert torch.equal(model(**text_batch(), labels=labels).loss, loss)


def test_minus_100_does_not_count_either(model: BertForTokenClassification) -> None:
    labels = torch.full((2, 7), -100)
    labels[0, 1], labels[1, 3] = 4, 0
    outputs = model(**text_batch(), labels=labels)
    log_probabilities = outputs.logits.log_softmax(-1)
    torch.testing.assert_close(outputs.loss, -(log_probabilities[0, 1, 4] + log_probabilities[1, 3, 0]) / 2)


def test_the_callers_labels_stay_as_they_were(model: BertForTokenClassification) -> None:
    labels = token_ids() % 5
    before = labels.clone()
    model(**text_batch(), labels=labels)
    assert torch.equal(labels, before)


def test_a_label_out_of_range_is_named_with_its_place(model: BertForTokenClassification) -> None:
    labels = torch.zeros(2, 7, dtype=torch.long)
    labels[0, 3] = 5
    with pytest.raises(ValueError, match=r"labels\[0, 3\] is 5; labels run from 0 to 4"):
        model(**text_batch(), labels=labels)
