"""BertForSequenceClassification: a class, several labels, or a number, by what the config or the first labels say."""

import pytest
import torch
from torch import Tensor

from minibert import BertForSequenceClassification
from tests.unit.tiny_bert import text_batch, tiny


def model(**overrides: object) -> BertForSequenceClassification:
    return tiny(BertForSequenceClassification, **{"initializer_range": 0.5, **overrides})


def test_whole_numbers_mean_one_class_each() -> None:
    network = model(num_labels=3)
    outputs = network(**text_batch(), labels=torch.tensor([2, 0]))
    assert network.config.problem_type == "single_label_classification"
    log_probabilities = outputs.logits.log_softmax(-1)
    torch.testing.assert_close(outputs.loss, -(log_probabilities[0, 2] + log_probabilities[1, 0]) / 2)


def test_real_numbers_for_several_labels_mean_yes_or_no_for_each() -> None:
    network = model(num_labels=3)
    labels = torch.tensor([[1.0, 0.0, 1.0], [0.0, 0.0, 1.0]])
    outputs = network(**text_batch(), labels=labels)
    assert network.config.problem_type == "multi_label_classification"
    probability = outputs.logits.sigmoid()
    expected = -(labels * probability.log() + (1 - labels) * (1 - probability).log()).mean()
    torch.testing.assert_close(outputs.loss, expected)


def test_one_label_column_means_regression() -> None:
    network = model(num_labels=1)
    labels = torch.tensor([0.5, -2.0])
    outputs = network(**text_batch(), labels=labels)
    assert network.config.problem_type == "regression"
    torch.testing.assert_close(outputs.loss, (outputs.logits[:, 0] - labels).square().mean())


def test_several_numbers_can_be_asked_for() -> None:
    labels = torch.tensor([[0.5, 1.0], [2.0, -1.0]])
    outputs = model(num_labels=2, problem_type="regression")(**text_batch(), labels=labels)
    torch.testing.assert_close(outputs.loss, (outputs.logits - labels).square().mean())


@pytest.mark.parametrize(
    ("settings", "labels", "message"),
    [
        ({"num_labels": 3}, torch.tensor([0, 3]), r"labels\[1\] is 3; labels run from 0 to 2"),
        ({"num_labels": 3}, torch.tensor([0, 1, 2]), r"shape \(3,\); it must be \(2,\)"),
        ({"num_labels": 3}, torch.tensor([0, 1], dtype=torch.int32), "use torch.long"),
        ({"num_labels": 1}, torch.tensor([0, 1]), r"use labels.float\(\)"),
        ({"num_labels": 3}, torch.tensor([0.0, 1.0]), r"shape \(2,\); it must be \(2, 3\)"),
    ],
)
def test_labels_of_another_kind_are_refused(settings: dict[str, int], labels: Tensor, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        model(**settings)(**text_batch(), labels=labels)


def test_the_classifier_has_a_dropout_of_its_own() -> None:
    assert model(classifier_dropout=0.3).dropout.p == 0.3
    assert model(classifier_dropout=0.0).dropout.p == 0.0
    assert model(hidden_dropout_prob=0.2).dropout.p == 0.2


def test_labels_by_name_size_the_classifier() -> None:
    network = model(id2label={0: "no", 1: "yes", 2: "maybe"})
    assert network.classifier.out_features == network.num_labels == 3
    assert network.config.label2id == {"no": 0, "yes": 1, "maybe": 2}
