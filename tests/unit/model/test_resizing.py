"""resize_token_embeddings: words that stay keep their vectors, new ones start fresh, and the decoder follows."""

import pytest
import torch

from minibert import BertForMaskedLM, BertForPreTraining, BertModel
from tests.unit.tiny_bert import same_weights, tiny, token_ids


@pytest.mark.parametrize("size", [120, 50])
def test_words_that_stay_keep_their_vectors(size: int) -> None:
    model = tiny(BertModel)
    before = model.get_input_embeddings().weight.clone()
    words = model.resize_token_embeddings(size)
    kept = min(size, 99)
    assert words is model.get_input_embeddings()
    assert torch.equal(words.weight[:kept], before[:kept])
    assert (len(words.weight), model.config.vocab_size) == (size, size)


def test_new_words_are_drawn_like_fresh_weights() -> None:
    words = tiny(BertModel, initializer_range=0.3).resize_token_embeddings(1099).weight[99:]
    assert words.std().item() == pytest.approx(0.3, rel=0.05)
    assert words.abs().sum(dim=1).all()


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("size", [120, 50])
def test_scores_of_words_that_stay_do_not_change(tied: bool, size: int) -> None:
    model = tiny(BertForPreTraining, tie_word_embeddings=tied)
    model.cls.predictions.bias.data.uniform_()
    ids = token_ids() % 50
    before = model(ids).prediction_logits
    model.resize_token_embeddings(size)
    after = model(ids).prediction_logits
    kept = min(size, 99)
    assert after.shape == (2, 7, size)
    torch.testing.assert_close(after[..., :kept], before[..., :kept], rtol=0, atol=1e-6)


@pytest.mark.parametrize("tied", [True, False])
def test_the_bias_of_a_new_word_starts_at_zero(tied: bool) -> None:
    model = tiny(BertForMaskedLM, tie_word_embeddings=tied)
    model.cls.predictions.bias.data.fill_(1.0)
    model.resize_token_embeddings(102)
    assert model.cls.predictions.bias.tolist() == [1.0] * 99 + [0.0] * 3
    assert model.cls.predictions.decoder.bias is model.cls.predictions.bias


@pytest.mark.parametrize("size", [None, 99])
def test_the_same_size_or_none_changes_nothing(size: int | None) -> None:
    model = tiny(BertForMaskedLM)
    words = model.get_input_embeddings()
    assert model.resize_token_embeddings(size) is words
    assert same_weights(model, tiny(BertForMaskedLM))


def test_a_resized_model_takes_the_new_words_and_trains_on_them() -> None:
    model = tiny(BertForMaskedLM).train()
    model.resize_token_embeddings(101)
    ids = torch.tensor([[5, 99, 100]])
    model(ids, labels=ids).loss.backward()
    gradient = model.get_input_embeddings().weight.grad
    assert gradient.shape == (101, 32)
    assert gradient[100].any()


def test_dtype_device_and_frozen_state_carry_over() -> None:
    model = tiny(BertModel).half()
    model.get_input_embeddings().weight.requires_grad = False
    words = model.resize_token_embeddings(120)
    assert (words.weight.dtype, words.weight.requires_grad) == (torch.float16, False)
