"""A forward of BertModel: what comes out, in which shapes and dtypes, and the switches that change it."""

import pytest
import torch
from torch import nn

from minibert import BertForMaskedLM, BertForPreTraining, BertModel
from tests.unit.tiny_bert import text_batch, tiny, token_ids


class TestWhatComesOut:
    def test_a_vector_for_each_token_and_one_for_the_sequence(self) -> None:
        outputs = tiny(BertModel)(**text_batch())
        assert list(outputs) == ["last_hidden_state", "pooler_output"]
        assert outputs.last_hidden_state.shape == (2, 7, 32)
        assert outputs.pooler_output.shape == (2, 32)

    def test_the_pooler_is_tanh_of_a_dense_layer_over_the_first_token(self) -> None:
        model = tiny(BertModel)
        outputs = model(**text_batch())
        expected = torch.tanh(model.pooler.dense(outputs.last_hidden_state[:, 0]))
        assert torch.equal(outputs.pooler_output, expected)

    def test_hidden_states_and_attentions_come_when_asked_for(self) -> None:
        outputs = tiny(BertModel)(**text_batch(), output_hidden_states=True, output_attentions=True)
        assert [tuple(state.shape) for state in outputs.hidden_states] == [(2, 7, 32)] * 3
        assert [tuple(weights.shape) for weights in outputs.attentions] == [(2, 4, 7, 7)] * 2
        assert outputs.hidden_states[-1] is outputs.last_hidden_state

    def test_the_config_can_ask_for_them_and_the_call_has_the_last_word(self) -> None:
        model = tiny(BertModel, output_hidden_states=True, output_attentions=True)
        assert {"hidden_states", "attentions"} <= model(**text_batch()).keys()
        refused = model(**text_batch(), output_hidden_states=False, output_attentions=False)
        assert {"hidden_states", "attentions"}.isdisjoint(refused)

    @pytest.mark.parametrize("model_class", [BertModel, BertForMaskedLM, BertForPreTraining])
    def test_a_tuple_holds_the_same_in_the_same_order(self, model_class: type[nn.Module]) -> None:
        asked = {**text_batch(), "output_hidden_states": True, "output_attentions": True}
        model = tiny(model_class)
        as_tuple, as_object = model(**asked, return_dict=False), model(**asked)
        assert type(as_tuple) is tuple
        assert len(as_tuple) == len(as_object)
        torch.testing.assert_close(as_tuple, as_object.to_tuple(), rtol=0, atol=0)
        assert type(tiny(model_class, return_dict=False)(**text_batch())) is tuple

    def test_without_a_pooler_an_object_leaves_it_out_and_a_tuple_holds_none(self) -> None:
        torch.manual_seed(0)
        model = BertModel(tiny(BertModel).config, add_pooling_layer=False).eval()
        assert model.pooler is None
        assert list(model(**text_batch())) == ["last_hidden_state"]
        assert model(**text_batch(), return_dict=False)[1] is None

    def test_a_decoder_returns_its_cache_unless_told_not_to(self) -> None:
        model = tiny(BertModel, is_decoder=True)
        assert len(model(token_ids()).past_key_values) == 2
        assert "past_key_values" not in model(token_ids(), use_cache=False)
        assert "past_key_values" not in tiny(BertModel)(token_ids(), use_cache=True)


class TestShapesAndDtypes:
    @pytest.mark.parametrize(("batch", "seq"), [(1, 1), (1, 7), (2, 1), (3, 24)])
    @pytest.mark.parametrize("attention", ["eager", "sdpa"])
    def test_any_batch_up_to_the_longest_sequence(self, batch: int, seq: int, attention: str) -> None:
        ids = token_ids(batch, seq)
        outputs = tiny(BertModel, attn_implementation=attention)(ids, attention_mask=torch.ones_like(ids))
        assert outputs.last_hidden_state.shape == (batch, seq, 32)
        assert outputs.last_hidden_state.isfinite().all()

    def test_rows_of_a_batch_do_not_see_each_other(self) -> None:
        model, ids = tiny(BertModel), token_ids(3)
        together = model(ids)[0]
        for row in range(3):
            torch.testing.assert_close(model(ids[row : row + 1])[0][0], together[row], rtol=0, atol=1e-6)

    @pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
    @pytest.mark.parametrize("attention", ["eager", "sdpa"])
    @pytest.mark.parametrize("model_class", [BertModel, BertForPreTraining])
    def test_other_dtypes_compute_the_same_in_their_precision(
        self, dtype: torch.dtype, attention: str, model_class: type[BertModel]
    ) -> None:
        model = tiny(model_class, attn_implementation=attention)
        expected = model(**text_batch())[0]
        result = model.to(dtype)(**text_batch())[0]
        assert model.dtype == result.dtype == dtype
        assert result.isfinite().all()
        torch.testing.assert_close(result.float(), expected, rtol=0, atol=0.1 if dtype == torch.bfloat16 else 0.02)

    def test_ids_may_be_int32(self) -> None:
        model, ids = tiny(BertModel), token_ids()
        assert torch.equal(model(ids.int())[0], model(ids)[0])

    def test_positions_given_by_hand_are_used(self) -> None:
        model, ids = tiny(BertModel), token_ids()
        counted = torch.arange(7).expand(2, 7)
        assert torch.equal(model(ids, position_ids=counted)[0], model(ids)[0])
        assert not torch.allclose(model(ids, position_ids=counted + 1)[0], model(ids)[0])


class TestSwitches:
    def test_dropout_follows_training_mode(self) -> None:
        model = tiny(BertModel)
        assert torch.equal(model(token_ids())[0], model(token_ids())[0])
        model.train()
        assert not torch.equal(model(token_ids())[0], model(token_ids())[0])

    @pytest.mark.parametrize("attention", ["eager", "sdpa"])
    def test_gradient_checkpointing_changes_neither_loss_nor_gradients(self, attention: str) -> None:
        model = tiny(BertForPreTraining, attn_implementation=attention).train()
        batch = {**text_batch(), "labels": token_ids(), "next_sentence_label": torch.tensor([0, 1])}

        def step() -> list[torch.Tensor]:
            model.zero_grad()
            torch.manual_seed(5)
            loss = model(**batch).loss
            loss.backward()
            return [loss.detach(), *(parameter.grad.clone() for parameter in model.parameters())]

        kept = step()
        model.gradient_checkpointing_enable()
        assert model.is_gradient_checkpointing
        assert all(map(torch.equal, step(), kept))
        model.gradient_checkpointing_disable()
        assert not model.is_gradient_checkpointing

    def test_gradient_checkpointing_runs_each_layer_again_in_the_backward_pass(self) -> None:
        model, runs = tiny(BertModel).train(), []
        model.encoder.layer[0].register_forward_pre_hook(lambda *_: runs.append(1))
        model.gradient_checkpointing_enable()
        loss = model(token_ids())[0].sum()
        assert len(runs) == 1
        loss.backward()
        assert len(runs) == 2

    def test_attention_can_be_chosen_later_and_for_every_part_of_a_model(self) -> None:
        model = tiny(BertForMaskedLM)
        model.set_attn_implementation("sdpa")
        assert model.bert.encoder.layer[1].attention.self.config.attn_implementation == "sdpa"
        with pytest.raises(ValueError, match="attn_implementation = 'flash' must be one of"):
            model.set_attn_implementation("flash")

    @pytest.mark.parametrize("chunk", [1, 7])
    def test_a_feed_forward_in_chunks_computes_the_same(self, chunk: int) -> None:
        whole = tiny(BertModel)(**text_batch())[0]
        chunked = tiny(BertModel, chunk_size_feed_forward=chunk)(**text_batch())[0]
        torch.testing.assert_close(chunked, whole, rtol=0, atol=1e-6)

    def test_every_parameter_gets_a_gradient(self) -> None:
        model = tiny(BertForPreTraining).train()
        model(**text_batch(), labels=token_ids(), next_sentence_label=torch.tensor([0, 1])).loss.backward()
        assert [name for name, parameter in model.named_parameters() if parameter.grad is None] == []


def test_the_usual_batch_is_fine() -> None:
    assert tiny(BertModel)(**text_batch())[0].isfinite().all()


def test_a_layer_returns_what_was_asked_for_and_none_for_the_rest() -> None:
    layer = tiny(BertModel).encoder.layer[0]
    states, *others, key_value = layer(torch.zeros(2, 3, 32))
    assert states.shape == (2, 3, 32)
    assert others == [None, None]
    assert [tensor.shape for tensor in key_value] == [(2, 4, 3, 8)] * 2
    _, probabilities, crossed, _ = layer(torch.zeros(2, 3, 32), output_attentions=True)
    assert probabilities.shape == (2, 4, 3, 3)
    assert crossed is None


@pytest.mark.parametrize("asked", [True, False])
@pytest.mark.parametrize("name", ["output_attentions", "output_hidden_states", "return_dict", "use_cache"])
def test_an_argument_wins_over_the_config(name: str, asked: bool) -> None:
    by_config = tiny(BertModel, is_decoder=True, **{name: asked})
    by_argument = tiny(BertModel, is_decoder=True, **{name: not asked})
    outputs = [by_config(token_ids()), by_argument(token_ids(), **{name: asked})]
    other = by_config(token_ids(), **{name: not asked})
    assert {type(output) for output in outputs} == {type(outputs[0])}
    kept = [list(output) if isinstance(output, dict) else len(output) for output in (*outputs, other)]
    assert kept[0] == kept[1] != kept[2]


def test_the_layers_alone_return_a_tuple_where_one_is_asked_for() -> None:
    encoder = tiny(BertModel).encoder
    outputs = encoder(torch.zeros(2, 3, 32), output_hidden_states=True)
    assert list(outputs) == ["last_hidden_state", "hidden_states"]
    as_tuple = encoder(torch.zeros(2, 3, 32), output_hidden_states=True, return_dict=False)
    assert type(as_tuple) is tuple
    assert len(as_tuple) == 2
    assert torch.equal(as_tuple[0], outputs.last_hidden_state)


def test_a_batch_of_no_rows_gives_none() -> None:
    outputs = tiny(BertModel)(token_ids()[:0])
    assert (outputs.last_hidden_state.shape, outputs.pooler_output.shape) == ((0, 7, 32), (0, 32))
