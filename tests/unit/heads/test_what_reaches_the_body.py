"""A head hands its BERT everything that it is given, under the name it was given by, and nothing else."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
import torch

from minibert import (
    BertForMaskedLM,
    BertForMultipleChoice,
    BertForNextSentencePrediction,
    BertForPreTraining,
    BertForQuestionAnswering,
    BertForSequenceClassification,
    BertForTokenClassification,
    BertLMHeadModel,
    BertModel,
)
from tests.unit.tiny_bert import tiny, token_ids

HEADS = [
    BertForMaskedLM,
    BertForNextSentencePrediction,
    BertForPreTraining,
    BertForQuestionAnswering,
    BertForSequenceClassification,
    BertForTokenClassification,
    BertLMHeadModel,
]
GIVEN: dict[str, Any] = {
    "input_ids": token_ids(),
    "attention_mask": torch.ones(2, 7),
    "token_type_ids": torch.zeros(2, 7, dtype=torch.long),
    "position_ids": torch.arange(7)[None],
    "head_mask": torch.ones(4),
    "inputs_embeds": torch.zeros(2, 7, 32),
    "encoder_hidden_states": torch.zeros(2, 5, 32),
    "encoder_attention_mask": torch.ones(2, 5),
    "past_key_values": ((torch.zeros(2, 4, 3, 8),) * 2,) * 2,
    "use_cache": False,
    "output_attentions": True,
    "output_hidden_states": True,
    "return_dict": True,
}


class ReachedError(Exception):
    """The body was called; nothing behind it is of interest."""


def reaching(monkeypatch: pytest.MonkeyPatch, model: Any, **given: Any) -> dict[str, Any]:
    """What the body is called with, by name, when its model is."""
    seen: dict[str, Any] = {}
    signature = inspect.signature(BertModel.forward)

    def forward(*args: Any, **kwargs: Any) -> None:
        seen.update(signature.bind(None, *args, **kwargs).arguments)
        raise ReachedError

    monkeypatch.setattr(model.bert, "forward", forward)
    with pytest.raises(ReachedError):
        model(**given)
    del seen["self"]
    return {name: value for name, value in seen.items() if value is not None}


@pytest.mark.parametrize("without", ["input_ids", "inputs_embeds"])
@pytest.mark.parametrize("model_class", HEADS)
def test_each_argument_reaches_it(model_class: Any, without: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model = tiny(model_class, is_decoder=model_class is BertLMHeadModel)
    takes = inspect.signature(model_class.forward).parameters
    given = {name: value for name, value in GIVEN.items() if name in takes and name != without}
    reached = reaching(monkeypatch, model, **given)
    assert reached.keys() == given.keys()
    assert all(reached[name] is given[name] for name in given)
    alone = reaching(monkeypatch, model, **{name: given[name] for name in given if name.startswith("input")})
    assert {name for name in alone if not name.startswith("input")} <= {"use_cache"}


@pytest.mark.parametrize("without", ["input_ids", "inputs_embeds"])
def test_choices_reach_it_as_rows(without: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model = tiny(BertForMultipleChoice)
    takes = inspect.signature(BertForMultipleChoice.forward).parameters
    rows = {name: value for name, value in GIVEN.items() if name in takes and name != without}
    if "position_ids" in rows:
        rows["position_ids"] = torch.arange(7).repeat(2, 1)
    flat = ("input_ids", "attention_mask", "token_type_ids", "position_ids", "inputs_embeds")
    reached = reaching(monkeypatch, model, **{name: v[None] if name in flat else v for name, v in rows.items()})
    assert reached.keys() == rows.keys()
    for name, value in rows.items():
        assert torch.equal(reached[name], value) if name in flat else reached[name] is value


ROW, WORDS = torch.tensor([0, 1]), torch.tensor([[5, 6, 7, 8, 9, 3, -100]] * 2)
LABELS: dict[Any, dict[str, torch.Tensor]] = {
    BertForMaskedLM: {"labels": WORDS},
    BertForNextSentencePrediction: {"labels": ROW},
    BertForPreTraining: {"labels": WORDS, "next_sentence_label": ROW},
    BertForQuestionAnswering: {"start_positions": ROW, "end_positions": ROW + 2},
    BertForSequenceClassification: {"labels": ROW},
    BertForTokenClassification: {"labels": WORDS.clamp(max=1)},
    BertLMHeadModel: {"labels": WORDS},
}


@pytest.mark.parametrize("model_class", HEADS)
def test_labels_are_compared_with_ids_and_with_vectors_alike(model_class: Any) -> None:
    model = tiny(model_class, is_decoder=model_class is BertLMHeadModel)
    labels, ids = LABELS[model_class], GIVEN["input_ids"]
    vectors = model.bert.embeddings.word_embeddings(ids)
    losses = [model(**given, **labels).loss for given in ({"input_ids": ids}, {"inputs_embeds": vectors})]
    assert torch.equal(*losses)
    assert losses[0].item() > 0
    for name in labels:
        wrong = {**labels, name: labels[name][:1]}
        for given in ({"input_ids": ids}, {"inputs_embeds": vectors}):
            with pytest.raises(ValueError, match=rf"^{name} has shape .*one label for each prediction\.$"):
                model(**given, **wrong)
    tuples = model(input_ids=ids, **labels, return_dict=False)
    assert torch.equal(tuples[0], losses[0])


@pytest.mark.parametrize(
    "model_class", [BertForMultipleChoice, BertForSequenceClassification, BertForTokenClassification]
)
def test_the_classifiers_dropout_is_its_own_or_that_of_the_layers(model_class: Any) -> None:
    assert tiny(model_class, hidden_dropout_prob=0.25).dropout.p == 0.25
    assert tiny(model_class, hidden_dropout_prob=0.25, classifier_dropout=0.5).dropout.p == 0.5
    assert tiny(model_class, hidden_dropout_prob=0.25, classifier_dropout=0.0).dropout.p == 0.0
