"""Attention: the equation by hand, both implementations, relative positions, what is returned."""

import math

import pytest
import torch

from minibert import BertModel
from minibert.model.attention import BertSelfAttention
from tests.unit.tiny_bert import text_batch, tiny, tiny_config, token_ids


def test_eager_attention_is_the_equation() -> None:
    torch.manual_seed(0)
    attention = BertSelfAttention(tiny_config(num_attention_heads=2)).eval()
    x = torch.randn(1, 5, 32)
    mask = torch.tensor([0.0, 0.0, -10000.0, 0.0, 0.0])
    context, probabilities, _ = attention(x, mask, output_attentions=True)
    for head in range(2):
        rows = slice(16 * head, 16 * (head + 1))
        query, key, value = (
            x[0] @ layer.weight[rows].T + layer.bias[rows]
            for layer in (attention.query, attention.key, attention.value)
        )
        expected = torch.softmax(query @ key.T / math.sqrt(16) + mask, dim=-1)
        torch.testing.assert_close(probabilities[0, head], expected, rtol=0, atol=1e-6)
        torch.testing.assert_close(context[0, :, rows], expected @ value, rtol=0, atol=1e-6)


@pytest.mark.parametrize("positions", ["absolute", "relative_key", "relative_key_query"])
@pytest.mark.parametrize("is_decoder", [False, True])
def test_both_implementations_agree(positions: str, is_decoder: bool) -> None:
    model = tiny(BertModel, position_embedding_type=positions, is_decoder=is_decoder, initializer_range=0.2)
    eager = model(**text_batch()).last_hidden_state
    model.set_attn_implementation("sdpa")
    torch.testing.assert_close(model(**text_batch()).last_hidden_state, eager, rtol=0, atol=1e-5)


def test_fused_attention_never_makes_probabilities_unless_they_are_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    model, calls = tiny(BertModel, attn_implementation="sdpa"), []
    softmax = torch.softmax
    monkeypatch.setattr(torch, "softmax", lambda *args, **kwargs: calls.append(1) or softmax(*args, **kwargs))
    model(token_ids())
    assert not calls
    assert len(model(token_ids(), output_attentions=True).attentions) == len(calls) == 2
    model(token_ids(), head_mask=torch.ones(4))
    assert len(calls) == 4


@pytest.mark.parametrize("attention", ["eager", "sdpa"])
def test_probabilities_sum_to_one_over_the_keys(attention: str) -> None:
    outputs = tiny(BertModel, attn_implementation=attention)(**text_batch(), output_attentions=True)
    for probabilities in outputs.attentions:
        assert probabilities.shape == (2, 4, 7, 7)
        torch.testing.assert_close(probabilities.sum(-1), torch.ones(2, 4, 7))
        assert not probabilities[1, :, :, 4:].any()  # hidden keys


def test_a_silenced_head_contributes_nothing() -> None:
    model = tiny(BertModel)
    mask = torch.tensor([[1.0, 0.0, 1.0, 1.0], [1.0, 1.0, 1.0, 1.0]])
    silenced = model(token_ids(), head_mask=mask, output_attentions=True)
    assert not silenced.attentions[0][:, 1].any()
    model.encoder.layer[0].attention.self.value.weight.data[8:16] = 0
    model.encoder.layer[0].attention.self.value.bias.data[8:16] = 0
    torch.testing.assert_close(model(token_ids())[0], silenced[0], rtol=0, atol=1e-6)


def test_a_head_mask_of_ones_changes_no_bit() -> None:
    model = tiny(BertModel)
    for mask in (torch.ones(4), torch.ones(2, 4)):
        assert torch.equal(model(token_ids(), head_mask=mask)[0], model(token_ids())[0])


@pytest.mark.parametrize("kind", ["relative_key", "relative_key_query"])
def test_relative_scores_depend_on_the_distance(kind: str) -> None:
    torch.manual_seed(0)
    attention = BertSelfAttention(tiny_config(position_embedding_type=kind)).eval()
    query, key = torch.randn(1, 4, 5, 8), torch.randn(1, 4, 5, 8)
    scores = attention.relative_scores(query, key, past_length=0)
    table = attention.distance_embedding.weight
    assert len(scores) == (1 if kind == "relative_key" else 2)
    for row in range(5):
        for column in range(5):
            vector = table[row - column + 24 - 1]
            torch.testing.assert_close(scores[0][0, :, row, column], query[0, :, row] @ vector)
            if kind == "relative_key_query":
                torch.testing.assert_close(scores[1][0, :, row, column], key[0, :, column] @ vector)


@pytest.mark.parametrize("positions", ["absolute", "relative_key", "relative_key_query"])
def test_a_cache_gives_what_the_whole_sequence_gives(positions: str) -> None:
    model = tiny(BertModel, is_decoder=True, position_embedding_type=positions)
    ids = token_ids()
    whole = model(ids)
    start = model(ids[:, :4])
    rest = model(ids[:, 4:], past_key_values=start.past_key_values)
    torch.testing.assert_close(rest.last_hidden_state, whole.last_hidden_state[:, 4:], rtol=0, atol=1e-5)
    assert rest.past_key_values[1][0].shape == whole.past_key_values[1][0].shape == (2, 4, 7, 8)


def test_cross_attention_reads_the_encoder_and_caches_its_keys() -> None:
    model = tiny(BertModel, is_decoder=True, add_cross_attention=True)
    ids, encoder = token_ids(), torch.randn(2, 3, 32, generator=torch.Generator().manual_seed(2))
    encoder_mask = torch.tensor([[1, 1, 1], [1, 1, 0]])
    inputs = {"encoder_hidden_states": encoder, "encoder_attention_mask": encoder_mask}
    whole = model(ids, **inputs, output_attentions=True)
    assert whole.cross_attentions[1].shape == (2, 4, 7, 3)
    assert not whole.cross_attentions[1][1, :, :, 2].any()
    start = model(ids[:, :4], **inputs)
    assert [len(layer) for layer in start.past_key_values] == [4, 4]
    rest = model(ids[:, 4:], **inputs, past_key_values=start.past_key_values)
    torch.testing.assert_close(rest[0], whole[0][:, 4:], rtol=0, atol=1e-5)
    changed = model(ids, encoder_hidden_states=encoder + 1, encoder_attention_mask=encoder_mask)
    assert not torch.allclose(changed[0], whole[0])


def test_a_model_that_was_packed_computes_as_before_once_it_is_not() -> None:
    model = tiny(BertModel)
    before = model(**text_batch()).last_hidden_state
    model.set_attn_implementation("packed")
    assert not torch.equal(model(**text_batch()).last_hidden_state, before)
    model.set_attn_implementation("eager")
    assert torch.equal(model(**text_batch()).last_hidden_state, before)


@pytest.mark.parametrize("attention", ["eager", "sdpa"])
def test_attention_drops_out_while_it_trains_and_only_then(attention: str) -> None:
    settings = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.5}
    model = tiny(BertModel, attn_implementation=attention, **settings)
    plain = tiny(BertModel, attn_implementation=attention, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
    assert torch.equal(model(token_ids())[0], plain(token_ids())[0])
    torch.manual_seed(0)
    first, second = (model.train()(token_ids())[0] for _ in range(2))
    assert not torch.equal(first, second)
    torch.manual_seed(0)
    assert torch.equal(model(token_ids())[0], first)
    assert torch.equal(plain.train()(token_ids())[0], plain.eval()(token_ids())[0])
