"""The activations a config can name."""

import math

import pytest
import torch

from minibert import BertModel
from minibert.model.activations import ACT2FN, get_activation
from tests.unit.tiny_bert import text_batch, tiny

X = torch.linspace(-4, 4, 33, dtype=torch.float64)


def normal_distribution(x: float) -> float:
    return 0.5 * math.erfc(-x / math.sqrt(2))


def tanh_gelu(x: float) -> float:
    return 0.5 * x * (1 + math.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


FORMULAS = {
    "relu": lambda x: max(0.0, x),
    "silu": lambda x: x * sigmoid(x),
    "swish": lambda x: x * sigmoid(x),
    "gelu": lambda x: x * normal_distribution(x),
    "gelu_python": lambda x: x * normal_distribution(x),
    "gelu_new": tanh_gelu,
    "gelu_fast": tanh_gelu,
    "quick_gelu": lambda x: x * sigmoid(1.702 * x),
    "mish": lambda x: x * math.tanh(math.log1p(math.exp(x))),
    "linear": lambda x: x,
    "tanh": math.tanh,
    "sigmoid": sigmoid,
}


def test_every_name_has_a_formula_here() -> None:
    assert FORMULAS.keys() == ACT2FN.keys()


@pytest.mark.parametrize("name", sorted(FORMULAS))
def test_each_activation_is_its_formula(name: str) -> None:
    expected = torch.tensor([FORMULAS[name](x) for x in X.tolist()], dtype=torch.float64)
    torch.testing.assert_close(get_activation(name)(X), expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", sorted(FORMULAS))
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_each_activation_keeps_shape_and_dtype(name: str, dtype: torch.dtype) -> None:
    y = get_activation(name)(torch.ones(2, 3, dtype=dtype))
    assert (y.shape, y.dtype) == ((2, 3), dtype)


def test_a_function_is_used_as_it_is() -> None:
    def cube(x: torch.Tensor) -> torch.Tensor:
        return x**3

    assert get_activation(cube) is cube
    assert tiny(BertModel, hidden_act=cube).encoder.layer[0].intermediate.intermediate_act_fn is cube


def test_the_feed_forward_network_uses_the_activation_the_config_names() -> None:
    outputs = {name: tiny(BertModel, hidden_act=name)(**text_batch())[0] for name in ("gelu", "relu", "linear")}
    assert not torch.allclose(outputs["gelu"], outputs["relu"])
    assert not torch.allclose(outputs["relu"], outputs["linear"])
