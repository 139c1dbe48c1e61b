"""The first stage: word + segment + position, normalised."""

import torch
from torch import nn

from minibert import BertModel
from minibert.model.embeddings import BertEmbeddings
from tests.unit.tiny_bert import same_weights, text_batch, tiny, tiny_config, token_ids


def test_a_token_is_the_normalised_sum_of_its_word_segment_and_position() -> None:
    model = tiny(BertModel)
    batch = text_batch()
    embeddings = model.embeddings
    embeddings.LayerNorm.weight.data.uniform_()
    word = embeddings.word_embeddings.weight[batch["input_ids"]]
    segment = embeddings.token_type_embeddings.weight[batch["token_type_ids"]]
    position = embeddings.position_embeddings.weight[:7]
    total = word + segment + position
    centred = total - total.mean(-1, keepdim=True)
    normalised = centred / (total.var(-1, correction=0, keepdim=True) + 1e-12).sqrt()
    expected = normalised * embeddings.LayerNorm.weight
    result = embeddings(batch["input_ids"], batch["token_type_ids"])
    torch.testing.assert_close(result, expected, rtol=0, atol=1e-5)


def test_segments_default_to_0_and_positions_count_from_0() -> None:
    embeddings, ids = tiny(BertModel).embeddings, token_ids()
    said = embeddings(ids, torch.zeros_like(ids), torch.arange(7).expand(2, 7))
    assert torch.equal(embeddings(ids), said)


def test_positions_count_on_from_a_cache() -> None:
    embeddings, ids = tiny(BertModel).embeddings, token_ids()
    assert torch.equal(embeddings(ids, past_key_values_length=5), embeddings(ids, position_ids=torch.arange(5, 12)))


def test_word_vectors_can_stand_in_for_ids() -> None:
    model, ids = tiny(BertModel), token_ids()
    vectors = model.get_input_embeddings()(ids)
    assert torch.equal(model(inputs_embeds=vectors)[0], model(ids)[0])


def test_one_row_of_segments_and_positions_serves_the_whole_batch() -> None:
    model, ids = tiny(BertModel), token_ids()
    segments, positions = torch.tensor([[0, 0, 0, 1, 1, 1, 1]]), torch.arange(7).flip(0)[None]
    one = model(ids, token_type_ids=segments, position_ids=positions)[0]
    each = model(ids, token_type_ids=segments.expand(2, 7), position_ids=positions.expand(2, 7))[0]
    assert torch.equal(one, each)


def test_relative_positions_leave_the_embeddings_without_any() -> None:
    embeddings, ids = tiny(BertModel, position_embedding_type="relative_key").embeddings, token_ids()
    assert torch.equal(embeddings(ids), embeddings(ids, position_ids=torch.zeros_like(ids)))


def test_the_padding_word_is_never_trained() -> None:
    model = tiny(BertModel).train()
    model(torch.tensor([[5, 0, 0]]))[0].square().sum().backward()
    gradient = model.embeddings.word_embeddings.weight.grad
    assert not gradient[0].any()
    assert gradient[5].any()


def test_the_position_counter_is_saved_and_the_segment_zeros_are_not() -> None:
    names = BertEmbeddings(tiny_config()).state_dict().keys()
    assert "position_ids" in names
    assert "token_type_ids" not in names


def test_dropout_is_on_in_training_only() -> None:
    embeddings, ids = tiny(BertModel, hidden_dropout_prob=0.5).embeddings, token_ids()
    assert torch.equal(embeddings(ids), embeddings(ids))
    embeddings.train()
    dropped = (embeddings(ids) == 0).float().mean().item()
    assert 0.3 < dropped < 0.7
    assert isinstance(embeddings.dropout, nn.Dropout)


def test_one_sequence_of_positions_without_a_batch_serves_every_row() -> None:
    model, ids = tiny(BertModel), token_ids()
    assert torch.equal(model(ids, position_ids=torch.arange(7))[0], model(ids)[0])


def test_a_state_dict_without_the_counter_is_whole() -> None:
    model, other = tiny(BertModel), tiny(BertModel, seed=1)
    state = {name: value for name, value in other.state_dict().items() if not name.endswith("position_ids")}
    assert len(state) == len(other.state_dict()) - 1
    result = model.load_state_dict(state)
    assert (result.missing_keys, result.unexpected_keys) == ([], [])
    assert same_weights(model, other)
    assert torch.equal(model.embeddings.position_ids, torch.arange(24)[None])
