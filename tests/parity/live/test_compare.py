"""The microscope beside today's transformers: right models agree at every stage, and a mistake is found in the other's code."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner
from model_table import MODELS, Row
from side_by_side import LIMIT, PATHS, SEEN, model_pair, text_batch
from torch import Tensor, nn

from minibert.cli import main
from minibert.microscope import compare


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("row", MODELS, ids=str)
def test_every_stage_and_gradient_agrees(row: Row, path: str) -> None:
    ours, theirs = model_pair(row.class_name, path, **row.fields)
    comparison = compare(theirs, ours, row.inputs(), tolerance=LIMIT)
    SEEN[f"{row}, {path}, by stage"] = comparison.largest
    assert comparison.agrees, comparison
    paths = {stage.path for stage in comparison.rows}
    for name, _ in ours.named_modules():  # lists are never called, and theirs has no module for dropout in attention
        assert name in paths or name.endswith((".layer", "self.dropout")), name
    with_gradients = {stage.path for stage in comparison.rows if stage.gradients is not None}
    assert {name.rpartition(".")[0] for name, p in ours.named_parameters() if p.requires_grad} <= with_gradients


def scale_twice(model: Any) -> None:
    model.bert.encoder.layer[1].attention.self.scaling = 1.0


def other_gelu(model: Any) -> None:
    model.bert.encoder.layer[0].intermediate.intermediate_act_fn = nn.GELU(approximate="tanh")


def other_eps(model: Any) -> None:
    model.cls.predictions.transform.LayerNorm.eps = 1e-3


class OneTooFar(nn.Embedding):
    def forward(self, input: Tensor) -> Tensor:
        return super().forward(input + 1)


def other_positions(model: Any) -> None:
    model.bert.embeddings.position_embeddings.__class__ = OneTooFar


@pytest.mark.parametrize(
    ("plant", "stage", "inside"),
    [
        (scale_twice, "bert.encoder.layer.1.attention.self", "the scores before softmax"),
        (other_gelu, "bert.encoder.layer.0.intermediate", None),
        (other_eps, "cls.predictions.transform.LayerNorm", None),
        (other_positions, "bert.embeddings.position_embeddings", None),
    ],
)
def test_a_mistake_is_found_in_the_other_library(plant: Any, stage: str, inside: str | None) -> None:
    ours, theirs = model_pair("BertForMaskedLM", "eager")
    plant(theirs)
    for a, b in ((ours, theirs), (theirs, ours)):
        fault = compare(a, b, text_batch()).fault
        assert (fault.path, fault.inside) == (stage, inside)


def test_weights_are_copied_between_the_libraries() -> None:
    ours, theirs = model_pair("BertForPreTraining", "eager")
    for parameter in ours.parameters():
        parameter.data.zero_()
    assert not compare(theirs, ours, text_batch()).agrees
    assert compare(theirs, ours, text_batch(), copy_weights=True).agrees


def test_parity_of_the_bundled_model() -> None:
    result = CliRunner().invoke(main, ["parity", "--json"])
    assert (result.exit_code, result.stderr) == (0, "")
    answer = json.loads(result.stdout)
    assert answer["reference"].startswith("transformers 5")
    assert answer["agrees"]
    SEEN["minibert parity"] = answer["largest"]
    assert CliRunner().invoke(main, ["parity", "--text", "He shook his [MASK].", "--text", "No."]).exit_code == 0
