"""BertLMHeadModel: no token sees the future, labels are shifted, and keys and values can be kept."""

import logging

import pytest
import torch

from minibert import BertLMHeadModel
from minibert.fast import same_in_any_batch
from tests.unit.tiny_bert import text_batch, tiny, token_ids


@pytest.fixture
def model() -> BertLMHeadModel:
    return tiny(BertLMHeadModel, is_decoder=True, initializer_range=0.5)


def test_a_word_changes_no_score_before_it(model: BertLMHeadModel) -> None:
    ids = token_ids()
    before = model(ids).logits
    ids[:, 4] = 5
    after = model(ids).logits
    assert torch.equal(after[:, :4], before[:, :4])
    assert not torch.allclose(after[:, 4:], before[:, 4:])


def test_each_place_is_scored_against_the_next_word(model: BertLMHeadModel) -> None:
    ids = token_ids()
    outputs = model(ids, labels=ids)
    expected = -outputs.logits[:, :-1].log_softmax(-1).gather(-1, ids[:, 1:, None]).mean()
    torch.testing.assert_close(outputs.loss, expected)
    assert outputs.past_key_values is None  # training reads whole sequences


def test_the_last_positions_alone_can_be_scored(model: BertLMHeadModel) -> None:
    ids = token_ids()
    whole = model(ids).logits
    for kept in (1, torch.tensor(3)):
        last = model(ids, logits_to_keep=kept).logits
        assert last.shape == (*ids.shape[:1], kept, whole.size(-1))
        torch.testing.assert_close(last, whole[:, -kept:])
    for kept in (1, torch.tensor([2])):
        with pytest.raises(ValueError, match="leave out logits_to_keep"):
            model(ids, labels=ids, logits_to_keep=kept)


@pytest.mark.parametrize("positions", [[0, 4], [5], []])
def test_listed_positions_alone_can_be_scored(model: BertLMHeadModel, positions: list[int]) -> None:
    ids, kept = token_ids(), torch.tensor(positions, dtype=torch.long)
    outputs, whole = model(ids, logits_to_keep=kept), model(ids)
    torch.testing.assert_close(outputs.logits, whole.logits[:, positions])
    assert outputs.past_key_values[0][0].shape == whole.past_key_values[0][0].shape
    with same_in_any_batch(model):
        torch.testing.assert_close(model(ids, logits_to_keep=kept).logits, whole.logits[:, positions])
    with pytest.raises(ValueError, match=r"logits_to_keep has shape \(1, \d\); it must be a list of positions"):
        model(ids, logits_to_keep=kept[None])


def test_the_cache_holds_keys_and_values_of_every_layer(model: BertLMHeadModel) -> None:
    cache = model(**text_batch(), use_cache=True).past_key_values
    assert [[tuple(tensor.shape) for tensor in layer] for layer in cache] == [[(2, 4, 7, 8)] * 2] * 2
    assert model(**text_batch(), use_cache=False).past_key_values is None


def test_the_next_inputs_are_the_last_word_once_there_is_a_cache(model: BertLMHeadModel) -> None:
    ids = token_ids()
    first = model.prepare_inputs_for_generation(ids)
    assert torch.equal(first["input_ids"], ids)
    assert first["attention_mask"].sum() == ids.numel()
    cache = model(ids).past_key_values
    after = model.prepare_inputs_for_generation(ids, past=cache)
    assert torch.equal(after["input_ids"], ids[:, -1:])
    assert after["past_key_values"] is cache


def test_reordering_the_cache_takes_whole_rows(model: BertLMHeadModel) -> None:
    cache = model(token_ids()).past_key_values
    reordered = model._reorder_cache(cache, torch.tensor([1, 1]))
    for layer, new_layer in zip(cache, reordered, strict=True):
        for tensor, new in zip(layer, new_layer, strict=True):
            assert torch.equal(new, tensor[[1, 1]])


def test_cross_attention_adds_an_encoders_keys_to_the_cache() -> None:
    model = tiny(BertLMHeadModel, is_decoder=True, add_cross_attention=True)
    encoder = torch.randn(2, 3, 32, generator=torch.Generator().manual_seed(0))
    outputs = model(token_ids(), encoder_hidden_states=encoder, output_attentions=True)
    assert [tuple(tensor.shape) for tensor in outputs.past_key_values[0]] == [(2, 4, 7, 8)] * 2 + [(2, 4, 3, 8)] * 2
    assert [tuple(tensor.shape) for tensor in outputs.cross_attentions] == [(2, 4, 7, 3)] * 2


def test_a_config_that_is_no_decoder_gets_a_word_of_warning(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, logger="minibert"):
        tiny(BertLMHeadModel)
    assert "is_decoder=True" in caplog.text
    assert {record.name for record in caplog.records} == {"minibert"}
