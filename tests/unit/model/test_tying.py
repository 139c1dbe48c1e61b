"""The decoder's weight is the word embeddings, its bias the head's own: one tensor each, whatever happens to the model."""

import copy
import io
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from torch import nn

from minibert import BertConfig, BertForMaskedLM, BertForPreTraining, BertModel, BertPreTrainedModel
from tests.unit.tiny_bert import same_weights, text_batch, tiny, token_ids

WITH_DECODER = [BertForPreTraining, BertForMaskedLM]


def is_tied(model: BertPreTrainedModel) -> bool:
    """Whether weight and bias of the decoder are the very tensors they should be, and of the vocabulary's size."""
    head = model.cls.predictions
    size = model.config.vocab_size
    return (
        head.decoder.weight is model.bert.embeddings.word_embeddings.weight
        and head.decoder.bias is head.bias
        and head.decoder.weight.shape == (size, 32)
        and head.bias.shape == (size,)
        and (head.decoder.out_features, model.bert.embeddings.word_embeddings.num_embeddings) == (size, size)
    )


def through_pickle(model: BertPreTrainedModel) -> BertPreTrainedModel:
    return pickle.loads(pickle.dumps(model))


def through_torch_save(model: BertPreTrainedModel) -> BertPreTrainedModel:
    file = io.BytesIO()
    torch.save(model, file)
    file.seek(0)
    return torch.load(file, weights_only=False)


def after_resizing(*sizes: int) -> Callable[[BertPreTrainedModel], BertPreTrainedModel]:
    def resize(model: BertPreTrainedModel) -> BertPreTrainedModel:
        for size in sizes:
            model.resize_token_embeddings(size)
        return model

    resize.__name__ = f"resized to {sizes}"
    return resize


CHANGES = [
    lambda model: model.to(torch.float16),
    lambda model: model.double().float(),
    lambda model: model.train().eval(),
    copy.deepcopy,
    through_pickle,
    through_torch_save,
    after_resizing(150),
    after_resizing(40),
    after_resizing(150, 99),
    lambda model: copy.deepcopy(after_resizing(120)(model).half()),
]


@pytest.mark.parametrize("model_class", WITH_DECODER)
def test_a_fresh_model_is_tied(model_class: type[BertForMaskedLM]) -> None:
    assert is_tied(tiny(model_class))


@pytest.mark.parametrize("model_class", WITH_DECODER)
@pytest.mark.parametrize("change", CHANGES)
def test_it_stays_tied_through_every_change(
    model_class: type[BertForMaskedLM], change: Callable[[BertPreTrainedModel], BertPreTrainedModel]
) -> None:
    assert is_tied(change(tiny(model_class)))


@pytest.mark.parametrize("model_class", WITH_DECODER)
def test_it_is_tied_after_saving_and_loading_and_so_is_a_resized_one(
    model_class: type[BertForMaskedLM], tmp_path: Path
) -> None:
    model = tiny(model_class)
    model.cls.predictions.bias.data.uniform_()
    for size in (99, 130):
        model.resize_token_embeddings(size)
        model.save_pretrained(tmp_path)
        loaded = model_class.from_pretrained(tmp_path)
        assert is_tied(loaded)
        assert same_weights(loaded, model)
        loaded(token_ids())  # settles
        assert is_tied(loaded)


def test_a_tied_tensor_is_stored_once(tmp_path: Path) -> None:
    tiny(BertForPreTraining).save_pretrained(tmp_path)
    with safe_open(tmp_path / "model.safetensors", "pt") as file:
        names = set(file.keys())
    assert {"bert.embeddings.word_embeddings.weight", "cls.predictions.bias"} <= names
    assert {"cls.predictions.decoder.weight", "cls.predictions.decoder.bias"}.isdisjoint(names)


def test_a_step_of_training_moves_both_names() -> None:
    model = tiny(BertForMaskedLM).train()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    before = model.bert.embeddings.word_embeddings.weight.clone()
    model(**text_batch(), labels=token_ids()).loss.backward()
    optimizer.step()
    assert is_tied(model)
    assert not torch.equal(model.cls.predictions.decoder.weight, before)


def test_tying_can_be_switched_off(tmp_path: Path) -> None:
    model = tiny(BertForPreTraining, tie_word_embeddings=False)
    decoder, words = model.cls.predictions.decoder, model.bert.embeddings.word_embeddings
    assert not torch.equal(decoder.weight, words.weight)
    assert decoder.bias is model.cls.predictions.bias  # one bias with two names either way
    model.save_pretrained(tmp_path)
    loaded = BertForPreTraining.from_pretrained(tmp_path)
    assert same_weights(loaded, model)
    assert not loaded.loading_report.needs_attention
    assert not torch.equal(loaded.cls.predictions.decoder.weight, loaded.bert.embeddings.word_embeddings.weight)


def test_for_torchscript_the_decoder_gets_a_clone(tmp_path: Path) -> None:
    model = tiny(BertForPreTraining, torchscript=True)
    decoder, words = model.cls.predictions.decoder, model.bert.embeddings.word_embeddings
    assert decoder.weight is not words.weight
    assert decoder.weight.data_ptr() != words.weight.data_ptr()
    assert torch.equal(decoder.weight, words.weight)
    model.save_pretrained(tmp_path)
    assert same_weights(BertForPreTraining.from_pretrained(tmp_path), model)


def test_the_tied_decoder_predicts_with_the_word_vectors() -> None:
    model = tiny(BertForMaskedLM)
    hidden = model.cls.predictions.transform(model.bert(token_ids())[0])
    words = model.get_input_embeddings().weight
    torch.testing.assert_close(model(token_ids()).logits, hidden @ words.T, rtol=0, atol=1e-5)


class TestReplacing:
    def test_new_word_embeddings_reach_the_decoder_when_tied_again(self) -> None:
        model = tiny(BertForMaskedLM)
        words = torch.nn.Embedding(99, 32)
        model.set_input_embeddings(words)
        assert model.get_input_embeddings() is words
        model.tie_weights()
        assert is_tied(model)
        assert model.get_output_embeddings().weight is words.weight

    @pytest.mark.parametrize("has_bias", [True, False])
    def test_a_new_decoder_and_the_head_share_one_bias(self, has_bias: bool) -> None:
        model = tiny(BertForMaskedLM, tie_word_embeddings=False)
        decoder = torch.nn.Linear(32, 99, bias=has_bias)
        model.set_output_embeddings(decoder)
        assert model.get_output_embeddings() is decoder
        assert model.cls.predictions.bias is decoder.bias

    def test_a_model_that_predicts_no_words_has_no_decoder_and_takes_none(self) -> None:
        model = tiny(BertModel)
        assert model.get_output_embeddings() is None
        with pytest.raises(TypeError, match="BertModel predicts no words"):
            model.set_output_embeddings(torch.nn.Linear(32, 99))

    def test_the_word_embeddings_are_reached_from_every_model(self) -> None:
        for model in (tiny(BertModel), tiny(BertForMaskedLM), tiny(BertForPreTraining)):
            assert model.get_input_embeddings() is model.base_model.embeddings.word_embeddings


class WithoutBias(BertForMaskedLM):
    """A head whose scores have no bias."""

    def __init__(self, config: BertConfig):
        super().__init__(config)
        self.scores = nn.Linear(config.hidden_size, config.vocab_size, bias=False)
        self.tie_weights()

    def get_output_embeddings(self) -> nn.Linear | None:
        return getattr(self, "scores", None)


def test_a_decoder_without_a_bias_is_tied_and_gets_none() -> None:
    model = tiny(WithoutBias)
    assert model.scores.weight is model.get_input_embeddings().weight
    assert model.scores.bias is None
    model.resize_token_embeddings(120)
    assert model.scores.weight is model.get_input_embeddings().weight
    assert (model.scores.out_features, model.scores.bias) == (120, None)
