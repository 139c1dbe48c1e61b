"""prune_heads: heads are cut out of the weights, the config remembers, and saving keeps them cut."""

import copy
from pathlib import Path

import pytest
import torch

from minibert import BertConfig, BertForMaskedLM, BertModel
from minibert.model.surgery import prune_linear_layer
from tests.unit.tiny_bert import same_weights, text_batch, tiny, token_ids


def without_heads(model: BertModel, mask: list[list[float]]) -> torch.Tensor:
    """The output with heads silenced by a head mask rather than cut out."""
    return model(**text_batch(), head_mask=torch.tensor(mask)).last_hidden_state


@pytest.mark.parametrize("attention", ["eager", "sdpa"])
@pytest.mark.parametrize("positions", ["absolute", "relative_key_query"])
def test_a_pruned_head_equals_a_silenced_one(attention: str, positions: str) -> None:
    model = tiny(BertModel, attn_implementation=attention, position_embedding_type=positions)
    silenced = without_heads(model, [[1, 0, 1, 0], [0, 1, 1, 1]])
    model.prune_heads({0: [1, 3], 1: [0]})
    torch.testing.assert_close(model(**text_batch()).last_hidden_state, silenced, rtol=0, atol=1e-6)


def test_the_weights_shrink_by_the_heads_that_went() -> None:
    model = tiny(BertModel)
    model.prune_heads({0: [1, 3]})
    attention = model.encoder.layer[0].attention
    for name in ("query", "key", "value"):
        assert getattr(attention.self, name).weight.shape == (16, 32)
    assert attention.output.dense.weight.shape == (32, 16)
    assert attention.output.dense.bias.shape == (32,)
    assert (attention.self.num_attention_heads, attention.self.all_head_size) == (2, 16)
    assert model.encoder.layer[1].attention.self.num_attention_heads == 4
    assert model(**text_batch(), output_attentions=True).attentions[0].shape == (2, 2, 7, 7)


def test_heads_keep_their_first_numbers_through_several_prunings() -> None:
    in_steps, at_once = tiny(BertModel), tiny(BertModel)
    in_steps.prune_heads({0: [1]})
    in_steps.prune_heads({0: [3, 1]})
    at_once.prune_heads({0: [1, 3]})
    assert same_weights(in_steps, at_once)
    assert in_steps.config.pruned_heads == at_once.config.pruned_heads == {0: [1, 3]}
    assert in_steps.encoder.layer[0].attention.pruned_heads == {1, 3}


def test_pruning_nothing_or_what_is_gone_changes_nothing() -> None:
    model = tiny(BertModel)
    model.prune_heads({0: []})
    assert same_weights(model, tiny(BertModel))
    model.prune_heads({1: [2]})
    once = copy.deepcopy(model)
    model.prune_heads({1: [2]})
    assert same_weights(model, once)
    assert model.config.pruned_heads == {0: [], 1: [2]}


def test_a_config_can_ask_for_pruned_heads_from_the_start() -> None:
    model = tiny(BertForMaskedLM, pruned_heads={1: [0, 2]})
    assert [layer.attention.self.num_attention_heads for layer in model.bert.encoder.layer] == [4, 2]
    assert model(**text_batch()).logits.isfinite().all()


def test_pruning_survives_saving_and_loading(tmp_path: Path) -> None:
    model = tiny(BertForMaskedLM)
    model.prune_heads({0: [2], 1: [0, 1, 3]})
    model.save_pretrained(tmp_path)
    assert BertConfig.from_pretrained(tmp_path).pruned_heads == {0: [2], 1: [0, 1, 3]}
    loaded = BertForMaskedLM.from_pretrained(tmp_path)
    assert same_weights(loaded, model)
    assert torch.equal(loaded(**text_batch()).logits, model(**text_batch()).logits)
    loaded.prune_heads({0: [0]})  # still the first numbers
    assert loaded.config.pruned_heads[0] == [0, 2]


def test_pruned_weights_train_and_keep_their_dtype() -> None:
    model = tiny(BertModel).double()
    model.prune_heads({0: [0, 1, 2]})
    model.train()(**text_batch())[0].sum().backward()
    weight = model.encoder.layer[0].attention.self.query.weight
    assert (weight.dtype, weight.grad.shape) == (torch.float64, (8, 32))


def test_heads_may_be_given_by_any_iterable() -> None:
    model = tiny(BertModel)
    model.prune_heads({0: (head for head in [1, 3])})
    assert model.config.pruned_heads == {0: [1, 3]}


def test_a_head_mask_fits_what_pruning_left() -> None:
    model = tiny(BertModel)
    model.prune_heads({0: [1], 1: [2]})
    expected = model(token_ids()).last_hidden_state
    for shape in ((3,), (2, 3), (2, 1, 3, 1, 1)):
        assert torch.equal(model(token_ids(), head_mask=torch.ones(shape)).last_hidden_state, expected)
    for shape in ((2, 1, 3), (2, 1, 3, 1)):
        with pytest.raises(ValueError, match="head_mask has shape"):
            model(token_ids(), head_mask=torch.ones(shape))


def test_a_layer_counted_from_the_end_is_remembered_by_its_own_number() -> None:
    model = tiny(BertModel, pruned_heads={-1: [2]})
    assert model.config.pruned_heads == {1: [2]}
    assert [layer.attention.pruned_heads for layer in model.encoder.layer] == [set(), {2}]
    model.prune_heads({-2: [0]})
    assert model.config.pruned_heads == {1: [2], 0: [0]}


def test_layers_that_pruning_leaves_are_on_their_device_in_their_dtype_and_draw_as_many_numbers() -> None:
    layer = torch.nn.Linear(4, 3, device="meta", dtype=torch.float64)
    kept = prune_linear_layer(layer, torch.tensor([0, 2]))
    assert (kept.weight.device.type, kept.weight.dtype, kept.weight.shape) == ("meta", torch.float64, (2, 4))
    plain = torch.nn.Linear(4, 3)
    for dim, index in ((0, torch.tensor([2, 0])), (1, torch.tensor([3, 1, 0]))):
        kept = prune_linear_layer(plain, index, dim=dim)
        assert torch.equal(kept.weight, plain.weight.index_select(dim, index))
        assert torch.equal(kept.bias, plain.bias[index] if dim == 0 else plain.bias)
        assert kept.weight.requires_grad
        assert kept.weight.is_leaf
