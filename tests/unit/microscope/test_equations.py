"""Equations and where the code is: for every stage of every model."""

from __future__ import annotations

import functools
import inspect
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
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


CODE = {
    "W₁ a + b₁": "dense(a)",
    "W₂ h + b₂": "dense(h)",
    "W attend(x) + b": "dense(c)",
    "W c + b": "dense(c)",
    "W h[CLS] + b": "dense(h[:, 0])",
    "W h + b": "dense(h)",
    "E transform(h) + bias": "decoder(transform(h))",
    "(Q Kᵀ + R)": "(Q @ K.mT + R)",
    "Q Kᵀ": "Q @ K.mT",
    "√d": "sqrt(d)",
    ") V": ") @ V",
    "(x − μ) / √(σ² + ε) · γ + β": "(x - mean) / sqrt(variance + eps) * gamma + beta",
}
"""What an equation says, as Python."""


def computed(text: str, **names: Any) -> Tensor:
    """The value of an equation, for these values of its letters."""
    for written, code in CODE.items():
        text = text.replace(written, code)
    return eval(text, {"softmax": functools.partial(torch.softmax, dim=-1), "sqrt": lambda x: x**0.5, **names})


@pytest.fixture
def model() -> minibert.BertForPreTraining:
    """With numbers that all differ, so that another order of sums gives other bits."""
    return randomised(tiny(minibert.BertForPreTraining, attn_implementation="eager"))


def randomised(model: Any) -> Any:
    generator = torch.Generator().manual_seed(0)
    for parameter in model.parameters():
        parameter.data = torch.randn(parameter.shape, generator=generator)
    return model.eval()


def test_the_embeddings_are_summed_in_the_order_of_the_equation(model: minibert.BertForPreTraining) -> None:
    stage, inputs = model.bert.embeddings, text_batch()
    sums = {
        "norm": stage.LayerNorm,
        "word": stage.word_embeddings(inputs["input_ids"]),
        "segment": stage.token_type_embeddings(inputs["token_type_ids"]),
        "position": stage.position_embeddings.weight[: inputs["input_ids"].size(1)],
    }
    expected = stage(inputs["input_ids"], inputs["token_type_ids"])
    assert torch.equal(computed(equation(stage), **sums), expected)
    assert not torch.equal(computed("norm(word + position + segment)", **sums), expected)
    stage.position_embedding_type = "relative_key"
    expected = stage(inputs["input_ids"], inputs["token_type_ids"])
    assert torch.equal(computed(equation(stage), **sums), expected)


@pytest.mark.parametrize("relative", [False, True])
def test_scores_are_summed_in_the_order_of_the_equation(relative: bool) -> None:
    kind = "relative_key" if relative else "absolute"
    stage = randomised(BertSelfAttention(tiny_config(attn_implementation="eager", position_embedding_type=kind)))
    x, mask = torch.randn(2, 5, 32), torch.tensor([0.0, 0.0, 0.0, 0.0, -10000.0]).expand(2, 1, 1, 5)
    query, key, value = (stage.transpose_for_scores(project(x)) for project in (stage.query, stage.key, stage.value))
    letters = {"Q": query, "K": key, "V": value, "d": stage.attention_head_size, "mask": mask}
    if relative:
        letters["R"] = stage.relative_scores(query, key)[0]
    context = computed(equation(stage), **letters).permute(0, 2, 1, 3).flatten(2)
    assert torch.equal(context, stage(x, mask)[0])


def test_the_other_stages_are_summed_in_the_order_of_their_equations(model: minibert.BertForPreTraining) -> None:
    layer, head = model.bert.encoder.layer[0], model.cls.predictions
    x = torch.randn(2, 5, 32)
    h = layer.intermediate(x)
    attention = layer.attention
    context = attention.self(x)[0]
    for stage, expected, letters in (
        (
            attention,
            attention(x)[0],
            {"norm": attention.output.LayerNorm, "dense": attention.output.dense, "c": context},
        ),
        (attention.output, attention.output(context, x), {"c": context}),
        (layer.intermediate, h, {"a": x, "gelu": F.gelu}),
        (layer.output, layer.output(h, x), {"h": h, "a": x}),
        (model.bert.pooler, model.bert.pooler(x), {"h": x, "tanh": torch.tanh}),
        (head, head(x), {"h": x, "decoder": head.decoder, "transform": head.transform}),
        (head.transform, head.transform(x), {"h": x, "gelu": F.gelu}),
    ):
        letters = {"x": x, "norm": getattr(stage, "LayerNorm", None), "dense": getattr(stage, "dense", None), **letters}
        assert torch.equal(computed(equation(stage), **letters), expected), type(stage).__name__


def test_the_epsilon_of_layernorm_is_added_inside_the_root() -> None:
    stage = randomised(nn.LayerNorm(8, eps=0.5))
    x = torch.randn(3, 8)
    mean, variance = x.mean(-1, keepdim=True), x.var(-1, correction=0, keepdim=True)
    result = computed(equation(stage), x=x, mean=mean, variance=variance, eps=0.5, gamma=stage.weight, beta=stage.bias)
    torch.testing.assert_close(result, stage(x))


def test_a_layer_with_cross_attention_and_an_approximated_gelu_have_their_own_equations() -> None:
    decoder = tiny(minibert.BertModel, is_decoder=True, add_cross_attention=True)
    assert equation(decoder.encoder.layer[0]).startswith("a = cross(attention(x)")
    assert equation(nn.GELU()) == "x · Φ(x)"
    assert "tanh" in equation(nn.GELU(approximate="tanh"))
