"""Equations and where the code is: for every stage of every model."""

from __future__ import annotations

import functools
import inspect
from pathlib import Path
from typing import Any

import pytest
from torch import Tensor, nn

import minibert
from minibert.microscope.equations import equation, source
from minibert.microscope.trace import trace
from minibert.model.attention import BertSelfAttention
from tests.unit.tiny_bert import text_batch, tiny, tiny_config

CLASSES = [
    *("BertModel", "BertForPreTraining", "BertForMaskedLM", "BertLMHeadModel", "BertForNextSentencePrediction"),
    *("BertForSequenceClassification", "BertForTokenClassification", "BertForQuestionAnswering"),
]


@pytest.mark.parametrize("name", CLASSES)
def test_every_stage_has_an_equation_and_a_line(name: str) -> None:
    model = tiny(getattr(minibert, name))
    with trace(model) as t:
        model(**text_batch())
    assert [stage.path for stage in t.stages if not equation(stage.module)] == []
    for stage in t.stages:
        code = source(stage.module)
        lines, first = inspect.getsourcelines(type(stage.module).forward)
        assert code.line == first
        assert inspect.getsourcefile(type(stage.module)).endswith(code.file)
        assert lines[0].lstrip().startswith("def forward")


def test_the_file_is_named_from_the_package_on() -> None:
    code = source(BertSelfAttention(tiny_config()))
    assert code.file == "minibert/model/attention.py"
    assert code.short == f"attention.py:{code.line}"


def test_the_equation_names_the_activation_in_use() -> None:
    assert equation(tiny(minibert.BertModel, hidden_act="relu").encoder.layer[0].intermediate) == "relu(W₁ a + b₁)"


def test_dropout_that_is_off_is_said_to_be() -> None:
    assert equation(nn.Dropout(0.1).eval()) == "x: dropout is off"
    assert "1 − p" in equation(nn.Dropout(0.1).train())


class MyAttention(BertSelfAttention):
    """A student's own."""

    def forward(self, hidden_states: Tensor) -> Tensor:
        return hidden_states


def test_a_class_of_ones_own_has_its_parents_equation_and_its_own_line() -> None:
    module = MyAttention(tiny_config())
    assert equation(module) == equation(BertSelfAttention(tiny_config()))
    assert source(module).file.endswith("test_equations.py")
    assert equation(nn.Conv1d(1, 1, 1)) == ""


def logged(forward: Any) -> Any:
    @functools.wraps(forward)
    def wrapper(*args: Any) -> Any:
        return forward(*args)

    return wrapper


class Decorated(nn.Module):
    @logged
    def forward(self, hidden_states: Tensor) -> Tensor:
        return hidden_states


def test_a_decorated_forward_is_found_under_its_decorator() -> None:
    lines = Path(__file__).read_text(encoding="utf-8").splitlines()
    assert lines[source(Decorated()).line - 2 : source(Decorated()).line] == [
        *("class Decorated(nn.Module):", "    @logged"),
    ]


def test_code_without_a_file_has_no_source() -> None:
    scope: dict[str, type[nn.Module]] = {"nn": nn}
    exec("class Typed(nn.Module):\n    def forward(self, x):\n        return x", scope)
    assert source(scope["Typed"]()) is None
