"""Masks: from 1 and 0 to numbers that attention adds, and what they do to a forward."""

import re

import pytest
import torch

from minibert import BertModel
from minibert.model.masks import (
    causal_mask,
    encoder_extended_attention_mask,
    extended_attention_mask,
    head_mask_of_layers,
)
from tests.unit.tiny_bert import text_batch, tiny, token_ids


class TestMaking:
    def test_a_causal_mask_shows_each_position_itself_and_the_past(self) -> None:
        mask = causal_mask(2, 3, 3, like=torch.ones(1))
        assert mask.shape == (2, 3, 3)
        assert mask[1].tolist() == [[1, 0, 0], [1, 1, 0], [1, 1, 1]]

    def test_with_a_cache_a_causal_mask_shows_all_that_was_cached(self) -> None:
        mask = causal_mask(1, 2, 5, like=torch.ones(1, dtype=torch.long))
        assert mask[0].tolist() == [[1, 1, 1, 1, 0], [1, 1, 1, 1, 1]]
        assert mask.dtype == torch.long

    def test_an_additive_mask_is_0_where_a_key_is_seen_and_minus_10000_where_not(self) -> None:
        mask = extended_attention_mask(torch.tensor([[1, 0]]), 2, is_decoder=False, dtype=torch.float32)
        assert mask.shape == (1, 1, 1, 2)
        assert mask.flatten().tolist() == [0, -10000]

    def test_a_decoders_mask_also_hides_the_future(self) -> None:
        mask = extended_attention_mask(torch.tensor([[0, 1, 1]]), 3, is_decoder=True, dtype=torch.float32)
        assert mask.shape == (1, 1, 3, 3)
        seen = [[0, 0, 0], [0, 1, 0], [0, 1, 1]]
        assert mask[0, 0].eq(0).long().tolist() == seen

    def test_a_mask_of_three_dimensions_says_for_each_query_what_it_sees(self) -> None:
        asked = torch.tensor([[[1, 0], [0, 1]]])
        for is_decoder in (False, True):
            mask = extended_attention_mask(asked, 2, is_decoder, torch.float32)
            assert torch.equal(mask, (1 - asked[:, None]) * -10000.0)

    @pytest.mark.parametrize(("dtype", "hidden"), [(torch.float32, -1e9), (torch.float16, -1e4)])
    def test_cross_attention_hides_with_more_except_in_float16(self, dtype: torch.dtype, hidden: float) -> None:
        mask = encoder_extended_attention_mask(torch.tensor([[1, 0]]), dtype)
        assert (mask.shape, mask.dtype) == ((1, 1, 1, 2), dtype)
        assert mask[0, 0, 0].tolist() == [0, hidden]
        for_each_query = encoder_extended_attention_mask(torch.tensor([[[1, 0], [0, 1], [1, 1]]]), dtype)
        assert for_each_query.shape == (1, 1, 3, 2)

    def test_a_head_mask_gets_a_slice_for_each_layer(self) -> None:
        for_all = head_mask_of_layers(torch.tensor([1, 0]), 3, torch.float32)
        assert for_all.shape == (3, 1, 2, 1, 1)
        assert for_all[2].flatten().tolist() == [1, 0]
        by_layer = head_mask_of_layers(torch.tensor([[1, 0], [0, 1]]), 2, torch.float16)
        assert (by_layer.shape, by_layer.dtype) == ((2, 1, 2, 1, 1), torch.float16)
        assert by_layer[1].flatten().tolist() == [0, 1]
        assert torch.equal(head_mask_of_layers(by_layer, 2, torch.float16), by_layer)

    @pytest.mark.parametrize("shape", [(), (2, 1, 4), (1, 2, 1, 4)])
    def test_a_head_mask_of_another_number_of_dimensions_is_refused(self, shape: tuple[int, ...]) -> None:
        with pytest.raises(ValueError, match=r"^head_mask has shape .*\. Give \(heads,\) or \(layers, heads\)\.$"):
            head_mask_of_layers(torch.ones(shape), 2, torch.float32)

    def test_a_model_gives_its_masks_in_its_own_dtype(self) -> None:
        model = tiny(BertModel).double()
        mask = model.invert_attention_mask(torch.tensor([[1, 0]]))
        assert (mask.dtype, mask.flatten().tolist()) == (torch.float64, [0, -1e9])
        assert model.get_head_mask(None, 3) == [None, None, None]
        assert model.get_head_mask(torch.ones(4, dtype=torch.long), 2).dtype == torch.float64


@pytest.mark.parametrize("attention", ["eager", "sdpa"])
@pytest.mark.parametrize("is_decoder", [False, True])
class TestUsing:
    def test_a_mask_of_ones_equals_no_mask_to_the_bit(self, attention: str, is_decoder: bool) -> None:
        model = tiny(BertModel, attn_implementation=attention, is_decoder=is_decoder)
        ids = token_ids()
        assert torch.equal(model(ids).last_hidden_state, model(ids, torch.ones_like(ids)).last_hidden_state)

    def test_a_hidden_token_changes_no_seen_one(self, attention: str, is_decoder: bool) -> None:
        model = tiny(BertModel, attn_implementation=attention, is_decoder=is_decoder)
        batch = text_batch()
        before = model(**batch).last_hidden_state
        batch["input_ids"][1, 4:] = 55
        after = model(**batch).last_hidden_state
        seen = batch["attention_mask"].bool()
        assert torch.equal(before[seen], after[seen])
        assert not torch.equal(before[~seen], after[~seen])

    def test_masks_of_ones_and_zeros_may_have_any_dtype(self, attention: str, is_decoder: bool) -> None:
        model = tiny(BertModel, attn_implementation=attention, is_decoder=is_decoder)
        batch = text_batch()
        expected = model(**batch).last_hidden_state
        for dtype in (torch.bool, torch.float32, torch.int32):
            mask = batch["attention_mask"].to(dtype)
            assert torch.equal(model(**{**batch, "attention_mask": mask}).last_hidden_state, expected)

    def test_a_row_that_may_see_nothing_stays_finite(self, attention: str, is_decoder: bool) -> None:
        model = tiny(BertModel, attn_implementation=attention, is_decoder=is_decoder)
        ids = token_ids()
        assert model(ids, attention_mask=torch.zeros_like(ids)).last_hidden_state.isfinite().all()

    def test_a_mask_for_each_query_can_say_what_a_mask_for_all_says(self, attention: str, is_decoder: bool) -> None:
        model = tiny(BertModel, attn_implementation=attention, is_decoder=is_decoder)
        batch = text_batch()
        mask = batch["attention_mask"]
        asked = mask[:, None, :].expand(2, 7, 7)
        if is_decoder:  # a mask for each query is taken at its word, the future included
            asked = asked * torch.ones(7, 7, dtype=torch.long).tril()
        by_query = model(**{**batch, "attention_mask": asked}).last_hidden_state
        assert torch.equal(by_query, model(**batch).last_hidden_state)


def test_one_row_of_a_mask_serves_the_whole_batch() -> None:
    model, ids = tiny(BertModel), token_ids()
    mask = torch.tensor([[1, 1, 1, 1, 1, 0, 0]])
    assert torch.equal(model(ids, mask)[0], model(ids, mask.expand(2, 7))[0])


def test_a_decoders_token_never_depends_on_a_later_one() -> None:
    model, ids = tiny(BertModel, is_decoder=True), token_ids()
    changed = ids.clone()
    changed[:, 5:] = 3
    assert torch.equal(model(ids)[0][:, :5], model(changed)[0][:, :5])
    assert not torch.equal(tiny(BertModel)(ids)[0][:, :5], tiny(BertModel)(changed)[0][:, :5])


def test_a_head_mask_of_five_dimensions_is_taken_where_each_fits() -> None:
    model = tiny(BertModel)
    expected = model(token_ids()).last_hidden_state
    for shape in ((2, 1, 4, 1, 1), (2, 2, 4, 7, 7), (2, 1, 1, 1, 7), (2, 2, 1, 7, 1)):
        assert torch.equal(model(token_ids(), head_mask=torch.ones(shape)).last_hidden_state, expected)
    for shape in ((1, 1, 4, 1, 1), (3, 1, 4, 1, 1), (2, 3, 4, 1, 1), (2, 1, 3, 1, 1), (2, 1, 4, 6, 1), (2, 1, 4, 1, 8)):
        message = rf"^head_mask has shape {re.escape(str(shape))}; it must be \(4,\) or \(2, 4\)\.$"
        with pytest.raises(ValueError, match=message):
            model(token_ids(), head_mask=torch.ones(shape))


def test_a_head_mask_of_five_dimensions_counts_what_was_cached() -> None:
    model = tiny(BertModel, is_decoder=True)
    past = model(token_ids()[:, :6], use_cache=True).past_key_values
    last = token_ids()[:, 6:]
    model(last, past_key_values=past, head_mask=torch.ones(2, 1, 1, 1, 7))
    with pytest.raises(ValueError, match="head_mask has shape"):
        model(last, past_key_values=past, head_mask=torch.ones(2, 1, 1, 7, 7))


def test_a_silenced_head_is_silent_in_cross_attention_too() -> None:
    model = tiny(BertModel, is_decoder=True, add_cross_attention=True)
    mask = torch.tensor([1.0, 0.0, 1.0, 1.0])
    states = torch.randn(2, 5, 32, generator=torch.Generator().manual_seed(1))
    outputs = model(token_ids(), encoder_hidden_states=states, head_mask=mask, output_attentions=True)
    for probabilities in (*outputs.attentions, *outputs.cross_attentions):
        assert not probabilities[:, 1].any()
        assert probabilities[:, [0, 2, 3]].any(dim=-1).all()


@pytest.mark.parametrize("is_decoder", [False, True])
def test_what_is_padded_on_the_left_is_seen_by_no_later_token(is_decoder: bool) -> None:
    model, ids = tiny(BertModel, is_decoder=is_decoder), token_ids()
    mask = torch.tensor([[0, 0, 1, 1, 1, 1, 1]] * 2)
    other = torch.cat([(ids[:, :2] + 1) % 99, ids[:, 2:]], dim=1)
    seen, unseen = (model(changed, attention_mask=mask).last_hidden_state[:, 2:] for changed in (ids, other))
    assert torch.equal(seen, unseen)
    assert not torch.equal(model(ids).last_hidden_state[:, 2:], model(other).last_hidden_state[:, 2:])
