"""What a program sets around a model: a default device, gradient checkpointing in a config, numbers of NumPy."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from minibert import (
    BertConfig,
    BertForMaskedLM,
    BertForPreTraining,
    BertForSequenceClassification,
    BertLMHeadModel,
    BertModel,
    BertPreTrainedModel,
    BertTokenizer,
    EncoderDecoderModel,
)
from minibert.microscope.probes import run_text
from minibert.vectors import SentenceEncoder
from tests.unit.tiny_bert import BUNDLED, text_batch, tiny, tiny_config, token_ids

CLASSES = [BertModel, BertForMaskedLM, BertForPreTraining, BertForSequenceClassification, BertLMHeadModel]


def places(model: torch.nn.Module) -> set[str]:
    return {str(tensor.device) for tensor in (*model.parameters(), *model.buffers())}


@pytest.mark.parametrize("model_class", CLASSES)
class TestADefaultDevice:
    def test_a_fresh_model_is_there_as_a_whole(self, model_class: type[BertPreTrainedModel]) -> None:
        with torch.device("meta"):
            assert places(model_class(tiny_config())) == {"meta"}

    def test_a_loaded_model_is_there_as_a_whole(self, model_class: type[BertPreTrainedModel], tmp_path: Path) -> None:
        tiny(model_class).save_pretrained(tmp_path)
        torch.set_default_device("meta")
        try:
            assert places(model_class.from_pretrained(tmp_path)) == {"meta"}
            headed = BertForSequenceClassification.from_pretrained(tmp_path, num_labels=5, ignore_mismatched_sizes=True)
            assert places(headed) == {"meta"}
        finally:
            torch.set_default_device(None)
        assert places(model_class.from_pretrained(tmp_path)) == {"cpu"}


def saved_with_it(folder: Path) -> Path:
    tiny(BertModel, gradient_checkpointing=True).save_pretrained(folder)
    return folder


def saved_without(folder: Path) -> Path:
    tiny(BertModel).save_pretrained(folder)
    return folder


def test_layers_above_frozen_embeddings_learn_under_gradient_checkpointing() -> None:
    gradients = []
    for recomputed in (False, True):
        model = tiny(BertForMaskedLM, gradient_checkpointing=recomputed, hidden_dropout_prob=0.0).train()
        model.bert.embeddings.requires_grad_(False)
        torch.manual_seed(1)
        model(**text_batch(), labels=token_ids()).loss.backward()
        gradients.append(model.bert.encoder.layer[0].output.dense.weight.grad)
    assert torch.equal(*gradients)


WAYS: dict[str, Any] = {
    "an argument of the config": lambda _: BertModel(tiny_config(gradient_checkpointing=True)),
    "a file": lambda folder: BertModel.from_pretrained(saved_with_it(folder)),
    "an argument of the model's from_pretrained": lambda folder: BertModel.from_pretrained(
        saved_without(folder), gradient_checkpointing=True
    ),
    "an argument of the config's from_pretrained": lambda folder: BertModel(
        BertConfig.from_pretrained(saved_without(folder), gradient_checkpointing=True)
    ),
    "from_dict": lambda _: BertModel(BertConfig.from_dict(tiny_config().to_dict(), gradient_checkpointing=True)),
    "a head's config": lambda _: BertForMaskedLM(tiny_config(gradient_checkpointing=True)),
    "a side of a pair": lambda _: (
        EncoderDecoderModel(
            encoder=tiny(BertModel, gradient_checkpointing=True),
            decoder=tiny(BertLMHeadModel, is_decoder=True, add_cross_attention=True),
        ).encoder
    ),
}


@pytest.mark.parametrize("way", WAYS)
def test_gradient_checkpointing_asked_for_anywhere_is_done(way: str, tmp_path: Path) -> None:
    model = WAYS[way](tmp_path).train()
    assert model.is_gradient_checkpointing
    calls = []
    model.base_model.encoder.layer[0].register_forward_pre_hook(lambda *_: calls.append(1))
    model(**text_batch())[0].pow(3).sum().backward()
    assert len(calls) == 2  # forward, and again in the backward pass
    model.gradient_checkpointing_disable()
    assert not model.is_gradient_checkpointing


@pytest.mark.parametrize("way", ["model", "config"])
def test_what_a_file_asks_for_can_be_refused(way: str, tmp_path: Path) -> None:
    source = BertModel if way == "model" else BertConfig
    opened = source.from_pretrained(saved_with_it(tmp_path), gradient_checkpointing=False)
    assert not (opened if way == "model" else BertModel(opened)).is_gradient_checkpointing


@pytest.mark.parametrize("kind", [np.int64, np.int32, np.int16, np.uint8])
def test_whole_numbers_of_numpy_are_sizes_everywhere(kind: type, tmp_path: Path) -> None:
    model = tiny(BertForSequenceClassification, num_labels=kind(3), hidden_size=kind(32), num_hidden_layers=kind(2))
    model.resize_token_embeddings(kind(101))
    model.prune_heads({kind(0): [kind(1)]})
    model.save_pretrained(tmp_path)
    loaded = BertForSequenceClassification.from_pretrained(tmp_path)
    assert loaded(token_ids()).logits.shape == (2, 3)
    assert loaded.config.vocab_size == 101
    assert loaded.config.pruned_heads == {0: [1]}
    tiny_config(pruned_heads={1: [kind(2)]}).save_pretrained(tmp_path)
    assert BertConfig.from_pretrained(tmp_path).pruned_heads == {1: [2]}


@pytest.mark.parametrize("fields", [{"return_dict": False}, {"torchscript": True}])
def test_a_model_whose_config_asks_for_tuples_is_looked_at_and_embeds(fields: dict[str, bool]) -> None:
    tuples, objects = (BertModel.from_pretrained(BUNDLED, **each) for each in (fields, {}))
    tokenizer = BertTokenizer.from_pretrained(BUNDLED)
    found, expected = (run_text(model, tokenizer, "He said no.")[1] for model in (tuples, objects))
    assert torch.equal(found.attentions[-1], expected.attentions[-1])
    encoder = SentenceEncoder.open(BUNDLED)
    vectors = [replace(encoder, model=model).encode(["He said no."]) for model in (tuples, objects)]
    assert np.array_equal(*vectors)
