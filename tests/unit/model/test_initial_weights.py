"""Fresh weights: N(0, initializer_range²), zero biases, a zero padding row, LayerNorm that starts as identity."""

import pytest
import torch
from torch import nn

from minibert import BertForMaskedLM, BertForPreTraining, BertModel
from minibert.model.initialization import initialize_module
from tests.unit.tiny_bert import same_weights, tiny, tiny_config

# Wide enough that the spread of its weights can be told from another by counting.
WIDE = {"vocab_size": 2000, "hidden_size": 128, "intermediate_size": 256}


def test_weights_are_spread_as_the_config_says_around_zero() -> None:
    model = tiny(BertForPreTraining, **WIDE, initializer_range=0.05)
    for name, parameter in model.named_parameters():
        if parameter.numel() > 10_000:
            values = parameter[1:]  # without the padding row
            assert values.std().item() == pytest.approx(0.05, rel=0.05), name
            assert abs(values.mean().item()) < 0.002, name
            assert values.abs().max() > 3 * 0.05, f"{name} was drawn from a truncated distribution"


def test_biases_start_at_zero() -> None:
    model = tiny(BertForPreTraining)
    biases = [parameter for name, parameter in model.named_parameters() if name.endswith("bias")]
    assert len(biases) > 20
    assert not any(bias.any() for bias in biases)


def test_layer_norms_start_as_the_identity() -> None:
    norms = [module for module in tiny(BertForPreTraining).modules() if isinstance(module, nn.LayerNorm)]
    assert len(norms) == 1 + 2 * 2 + 1  # the embeddings', two a layer, the masked-word head's
    assert all((norm.weight == 1).all() and (norm.bias == 0).all() for norm in norms)


@pytest.mark.parametrize("pad", [0, 17])
def test_the_padding_word_starts_at_zero_and_no_other_word_does(pad: int) -> None:
    words = tiny(BertModel, pad_token_id=pad).embeddings.word_embeddings.weight
    assert words.abs().sum(dim=1).eq(0).nonzero().flatten().tolist() == [pad]


def test_without_a_padding_id_no_word_starts_at_zero() -> None:
    words = tiny(BertModel, pad_token_id=None).embeddings.word_embeddings.weight
    assert words.abs().sum(dim=1).gt(0).all()


def test_a_range_of_zero_starts_everything_at_zero() -> None:
    model = tiny(BertModel, initializer_range=0.0)
    assert not any(p.any() for name, p in model.named_parameters() if "LayerNorm" not in name)


@pytest.mark.parametrize("model_class", [BertModel, BertForMaskedLM, BertForPreTraining])
def test_a_seed_fixes_every_weight(model_class: type[BertModel]) -> None:
    assert same_weights(tiny(model_class, seed=3), tiny(model_class, seed=3))
    assert not same_weights(tiny(model_class, seed=3), tiny(model_class, seed=4))


def test_init_weights_draws_anew() -> None:
    model, other = tiny(BertModel, seed=0), tiny(BertModel, seed=1)
    for each in (model, other):
        torch.manual_seed(9)
        each.init_weights()
    assert same_weights(model, other)


def test_a_model_of_no_layers_is_possible() -> None:
    model = BertModel(tiny_config(num_hidden_layers=0)).eval()
    outputs = model(torch.tensor([[1, 2]]), output_hidden_states=True)
    assert torch.equal(outputs.last_hidden_state, outputs.hidden_states[0])


def test_a_layer_of_another_kind_is_left_alone() -> None:
    layer = nn.Conv1d(2, 2, 1)
    before = {name: value.clone() for name, value in layer.state_dict().items()}
    initialize_module(layer, 0.02)
    assert all(torch.equal(value, before[name]) for name, value in layer.state_dict().items())


def test_a_layer_without_a_bias_or_a_padding_row_gets_its_weights() -> None:
    for layer in (nn.Linear(100, 100, bias=False), nn.Embedding(100, 100)):
        layer.weight.data.fill_(9.0)
        initialize_module(layer, 0.02)
        assert layer.weight.std().item() == pytest.approx(0.02, rel=0.05)
        assert layer.weight.abs().sum(dim=1).min() > 0
