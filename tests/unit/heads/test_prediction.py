"""The heads by themselves: transform, decoder with its own bias, next sentence."""

import pytest
import torch

from minibert import (
    BertLMPredictionHead,
    BertOnlyMLMHead,
    BertOnlyNSPHead,
    BertPredictionHeadTransform,
    BertPreTrainingHeads,
)
from tests.unit.tiny_bert import tiny_config


@pytest.fixture
def states() -> torch.Tensor:
    """(batch 2, seq 5, hidden 32)"""
    torch.manual_seed(0)
    return torch.randn(2, 5, 32)


def test_the_transform_is_a_dense_layer_an_activation_and_a_layer_norm(states: torch.Tensor) -> None:
    transform = BertPredictionHeadTransform(tiny_config(hidden_act="relu"))
    expected = transform.LayerNorm((states @ transform.dense.weight.T + transform.dense.bias).clamp(min=0))
    torch.testing.assert_close(transform(states), expected, rtol=0, atol=1e-5)


def test_word_scores_are_the_decoder_plus_the_heads_own_bias(states: torch.Tensor) -> None:
    head = BertLMPredictionHead(tiny_config())
    head.bias.data.uniform_()
    scores = head(states)
    assert scores.shape == (2, 5, 99)
    expected = head.transform(states) @ head.decoder.weight.T + head.bias
    torch.testing.assert_close(scores, expected, rtol=0, atol=1e-5)


def test_the_bias_is_one_parameter_with_two_names() -> None:
    head = BertLMPredictionHead(tiny_config())
    assert head.bias is head.decoder.bias
    assert {"bias", "decoder.bias"} <= head.state_dict().keys()
    assert [name for name, _ in head.named_parameters()].count("decoder.bias") == 0


def test_the_next_sentence_head_scores_two_cases() -> None:
    assert BertOnlyNSPHead(tiny_config())(torch.randn(3, 32)).shape == (3, 2)


def test_both_heads_together_are_the_two_heads(states: torch.Tensor) -> None:
    both = BertPreTrainingHeads(tiny_config())
    words, sentence = both(states, states[:, 0])
    assert torch.equal(words, both.predictions(states))
    assert torch.equal(sentence, both.seq_relationship(states[:, 0]))
    alone = BertOnlyMLMHead(tiny_config())
    alone.load_state_dict({k: v for k, v in both.state_dict().items() if k.startswith("predictions")})
    assert torch.equal(alone(states), words)


def test_the_decoder_has_one_bias_and_draws_no_other() -> None:
    torch.manual_seed(0)
    head = BertLMPredictionHead(tiny_config())
    after = torch.rand(1)
    torch.manual_seed(0)
    torch.nn.Linear(32, 32)
    torch.nn.Linear(32, 99, bias=False)
    assert torch.equal(torch.rand(1), after)
    assert head.decoder.bias is head.bias
    assert not head.bias.any()
