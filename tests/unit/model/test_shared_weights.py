"""A program may share weights that the class does not tie, and may ask for a decoder of its own: what is saved comes back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from minibert import BertConfig, BertForMaskedLM, BertForPreTraining, BertLMHeadModel, BertModel, BertPreTrainedModel
from tests.unit.tiny_bert import same_weights, tiny, token_ids


class TwoReaders(BertPreTrainedModel):
    """Two bodies and two heads, nothing shared."""

    def __init__(self, config: BertConfig):
        super().__init__(config)
        self.question, self.passage = BertModel(config), BertModel(config)
        self.first, self.second = nn.Linear(config.hidden_size, 3), nn.Linear(config.hidden_size, 3)
        self.init_weights()

    def forward(self, input_ids: Tensor) -> Tensor:
        return self.first(self.question(input_ids)[1]) - self.second(self.passage(input_ids)[1])


class OneReader(TwoReaders):
    """The same, whose two bodies are one."""

    def __init__(self, config: BertConfig):
        super().__init__(config)
        self.passage = self.question


def share_weight(model: TwoReaders) -> None:
    model.second.weight = model.first.weight


def share_head(model: TwoReaders) -> None:
    model.second = model.first


def share_words(model: TwoReaders) -> None:
    model.passage.set_input_embeddings(model.question.get_input_embeddings())


def share_embeddings(model: TwoReaders) -> None:
    model.passage.embeddings = model.question.embeddings


def share_layers(model: TwoReaders) -> None:
    model.question.encoder.layer[1] = model.passage.encoder.layer[1] = model.question.encoder.layer[0]


def share_memory_of_a_weight(model: TwoReaders) -> None:
    model.passage.pooler.dense.weight.data = model.question.pooler.dense.weight.data


def share_body(model: TwoReaders) -> None:
    model.passage = model.question


SHARES = [share_weight, share_head, share_words, share_embeddings, share_layers, share_memory_of_a_weight, share_body]


@pytest.mark.parametrize("share", SHARES)
@pytest.mark.parametrize("safe", [True, False])
def test_weights_shared_after_the_model_was_made_come_back(
    share: Callable[[TwoReaders], None], safe: bool, tmp_path: Path
) -> None:
    model = tiny(TwoReaders)
    share(model)
    model.save_pretrained(tmp_path, safe_serialization=safe)
    loaded = TwoReaders.from_pretrained(tmp_path)
    assert same_weights(loaded, model)
    assert not loaded.loading_report.needs_attention
    assert torch.equal(loaded(token_ids()), model(token_ids()))


def test_a_save_function_writes_shared_weights_too(tmp_path: Path) -> None:
    model = tiny(TwoReaders)
    share_embeddings(model)
    model.save_pretrained(tmp_path, save_function=torch.save)
    assert same_weights(TwoReaders.from_pretrained(tmp_path), model)


def test_bodies_that_a_class_makes_one_stay_one(tmp_path: Path) -> None:
    model = tiny(OneReader)
    model.save_pretrained(tmp_path)
    loaded = OneReader.from_pretrained(tmp_path)
    assert same_weights(loaded, model)
    assert loaded.passage is loaded.question
    assert not loaded.loading_report.needs_attention


WITH_DECODER = [BertForMaskedLM, BertForPreTraining, BertLMHeadModel]


@pytest.mark.seconds
@pytest.mark.parametrize("safe", [True, False])
@pytest.mark.parametrize("model_class", WITH_DECODER)
def test_a_model_for_torchscript_copies_the_words_that_a_file_holds_once(
    model_class: type[BertPreTrainedModel], safe: bool, tmp_path: Path
) -> None:
    settings = {"is_decoder": model_class is BertLMHeadModel}
    model = tiny(model_class, **settings)
    model.save_pretrained(tmp_path, safe_serialization=safe)
    loaded, info = model_class.from_pretrained(tmp_path, torchscript=True, output_loading_info=True)
    assert info["missing_keys"] == []
    assert not loaded.loading_report.needs_attention
    assert loaded.cls.predictions.decoder.weight is not loaded.get_input_embeddings().weight
    assert torch.equal(loaded.cls.predictions.decoder.weight, model.get_input_embeddings().weight)
    traced = torch.jit.trace(loaded, (token_ids(),), strict=False)
    assert torch.equal(traced(token_ids())[0], model(token_ids())[0])


def test_a_decoder_that_the_file_holds_is_read_for_torchscript(tmp_path: Path) -> None:
    model = tiny(BertForMaskedLM, torchscript=True)
    torch.nn.init.normal_(model.cls.predictions.decoder.weight)
    model.save_pretrained(tmp_path)
    assert same_weights(BertForMaskedLM.from_pretrained(tmp_path), model)


def test_an_untied_decoder_that_is_missing_is_said_for_torchscript_too(tmp_path: Path) -> None:
    tiny(BertModel).save_pretrained(tmp_path)
    loaded = BertForMaskedLM.from_pretrained(tmp_path, torchscript=True, tie_word_embeddings=False)
    assert "cls.predictions.decoder.weight" in loaded.loading_report.absent()
