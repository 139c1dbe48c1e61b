"""What `compare` says of BERTs that students wrote: never what is not so."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor, nn

from minibert import BertForPreTraining
from minibert.microscope import compare
from tests.unit.microscope.students import MISTAKES, RIGHT, Mistake
from tests.unit.tiny_bert import same_weights, text_batch, tiny

FRESH_OR_NOT = [pytest.param(True, id="fresh"), pytest.param(False, id="trained", marks=pytest.mark.slow)]
FALSE_HERE = ("inf ", "only one of them has", " in a,  in b", "layer.*")


def labelled() -> dict[str, Tensor]:
    inputs = text_batch()
    labels = inputs["input_ids"].masked_fill(torch.arange(7) % 2 == 0, -100)
    return {**inputs, "labels": labels, "next_sentence_label": torch.tensor([0, 1])}


def model(fresh: bool) -> BertForPreTraining:
    """As it is made, with biases of 0, or with numbers that all differ."""
    made = tiny(BertForPreTraining)
    generator = torch.Generator().manual_seed(5)
    for parameter in () if fresh else made.parameters():
        scale, shift = (0.3, 0.0) if parameter.dim() == 2 else (0.2, 0.5)
        parameter.data = torch.randn(parameter.shape, generator=generator) * scale + shift
    return made


@pytest.mark.seconds
@pytest.mark.parametrize("fresh", FRESH_OR_NOT)
@pytest.mark.parametrize("mistake", MISTAKES, ids=str)
def test_a_mistake_is_named_at_its_stage(mistake: Mistake, fresh: bool) -> None:
    right = model(fresh)
    wrong = copy.deepcopy(right)
    mistake.plant(wrong)
    comparison = compare(right, wrong.eval(), labelled(), copy_weights=True)
    assert comparison.first is not None
    assert comparison.first.path in (mistake.stage, f"{mistake.stage}.dropout")
    assert mistake.says in comparison.summary()
    assert mistake.named in comparison.summary()
    assert comparison.agrees == (mistake.name == "other eps")  # which is a mistake of the last bits
    assert not [text for text in FALSE_HERE if text in comparison.summary()]


@pytest.mark.seconds
@pytest.mark.parametrize("fresh", FRESH_OR_NOT)
@pytest.mark.parametrize("name", RIGHT)
def test_what_is_only_written_in_another_way_agrees(name: str, fresh: bool) -> None:
    right = model(fresh)
    other = copy.deepcopy(right)
    RIGHT[name](other)
    comparison = compare(right, other.eval(), labelled(), copy_weights=True)
    assert comparison.agrees, comparison.summary()
    assert comparison.largest < 1e-3 or any(row.excused for row in comparison.rows)
    assert "stages agree" in comparison.summary()


def test_weights_that_hide_mistakes_are_others_only_while_it_runs() -> None:
    right, other = model(fresh=True), model(fresh=True)
    before = copy.deepcopy(right)
    assert compare(right, other, labelled()).agrees
    assert same_weights(right, before)
    assert same_weights(other, before)
    other.bert.pooler.dense.weight.data[0, 0] += 1  # a weight that differs is no less a difference
    assert not compare(right, other, labelled()).agrees


def test_a_model_that_never_drops_out_agrees_and_it_is_said() -> None:
    right = model(fresh=True)
    other = copy.deepcopy(right)
    for module in other.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    comparison = compare(right, other, labelled())
    assert comparison.agrees
    assert "a drops out (p = 0.1) what b does not, which never drops out: in bert.embeddings" in comparison.summary()


def test_training_mode_draws_no_random_numbers() -> None:
    right = model(fresh=True)
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    compare(right, copy.deepcopy(right), labelled())
    assert torch.equal(torch.rand(3), expected)


def test_a_layer_that_is_shared_is_told_in_one_sentence() -> None:
    right = model(fresh=False)
    shared = copy.deepcopy(right)
    shared.bert.encoder.layer[1] = shared.bert.encoder.layer[0]
    found = compare(right, shared, labelled()).untied
    assert found == [
        "bert.encoder.layer.0 shares 16 parameters with bert.encoder.layer.1 in b, and none of these in a."
    ]


def test_parameters_that_one_model_alone_has_are_listed() -> None:
    right = model(fresh=True)
    other = copy.deepcopy(right)
    del other.bert.encoder.layer[1]
    other.bert.extra = nn.Linear(3, 5)
    summary = compare(right, other, labelled()).summary()
    assert "Only a has the parameters bert.encoder.layer.1." in summary
    assert "Only b has the parameters bert.extra." in summary
