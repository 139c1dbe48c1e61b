"""What a model says about itself: how many parameters, where, in which dtype, which part is the body."""

import pytest
import torch
from torch import nn

from minibert import BertForMaskedLM, BertForPreTraining, BertLMHeadModel, BertModel, BertPreTrainedModel
from tests.unit.tiny_bert import tiny

WORDS, POSITIONS, SEGMENTS = 99 * 32, 24 * 32, 2 * 32
NORM = 2 * 32
LAYER = 4 * (32 * 32 + 32) + NORM + (32 * 37 + 37) + (37 * 32 + 32) + NORM
BODY = WORDS + POSITIONS + SEGMENTS + NORM + 2 * LAYER
POOLER = 32 * 32 + 32
WORD_HEAD = (32 * 32 + 32) + NORM + 99  # transform and bias; the decoder is the word embeddings


def test_parameters_are_counted_once_even_when_tied() -> None:
    assert tiny(BertModel).num_parameters() == BODY + POOLER
    assert tiny(BertForMaskedLM).num_parameters() == BODY + WORD_HEAD
    assert tiny(BertForPreTraining).num_parameters() == BODY + POOLER + WORD_HEAD + 2 * 32 + 2
    assert tiny(BertForMaskedLM, tie_word_embeddings=False).num_parameters() == BODY + WORD_HEAD + WORDS


def test_embeddings_can_be_left_out_of_the_count() -> None:
    expected = BODY + POOLER - WORDS - POSITIONS - SEGMENTS
    assert tiny(BertModel).num_parameters(exclude_embeddings=True) == expected


def test_frozen_parameters_can_be_left_out_of_the_count() -> None:
    model = tiny(BertModel)
    model.embeddings.requires_grad_(False)
    assert model.num_parameters(only_trainable=True) == 2 * LAYER + POOLER
    assert model.num_parameters(only_trainable=True, exclude_embeddings=True) == 2 * LAYER + POOLER
    assert model.num_parameters() == BODY + POOLER


def test_dtype_and_device_are_the_parameters() -> None:
    model = tiny(BertModel)
    assert (model.dtype, model.device) == (torch.float32, torch.device("cpu"))
    assert model.half().dtype == torch.float16
    assert model.to("meta").device == torch.device("meta")


def test_the_body_of_a_model_with_a_head_is_its_bert() -> None:
    model = tiny(BertForMaskedLM)
    assert model.base_model is model.bert
    bare = tiny(BertModel)
    assert bare.base_model is bare


def test_parameters_have_the_reference_names() -> None:
    names = {name for name, _ in tiny(BertForPreTraining).named_parameters()}
    attention, layer = "bert.encoder.layer.0.attention", "bert.encoder.layer.0"
    expected = {
        *("bert.embeddings.word_embeddings.weight", "bert.embeddings.position_embeddings.weight"),
        *("bert.embeddings.token_type_embeddings.weight", "bert.embeddings.LayerNorm.weight"),
        *(f"{attention}.self.query.weight", f"{attention}.self.key.bias", f"{attention}.self.value.weight"),
        *(f"{attention}.output.dense.weight", f"{attention}.output.LayerNorm.bias"),
        *(f"{layer}.intermediate.dense.weight", f"{layer}.output.dense.bias", f"{layer}.output.LayerNorm.weight"),
        *("bert.pooler.dense.weight", "cls.predictions.bias", "cls.predictions.transform.dense.weight"),
        *("cls.predictions.transform.LayerNorm.weight", "cls.seq_relationship.weight", "cls.seq_relationship.bias"),
    }
    assert expected <= names


@pytest.mark.parametrize("model_class", [BertForPreTraining, BertLMHeadModel])
def test_every_layer_takes_its_settings_from_the_config(model_class: type[BertPreTrainedModel]) -> None:
    settings = {"layer_norm_eps": 0.25, "hidden_dropout_prob": 0.125, "attention_probs_dropout_prob": 0.375}
    model = tiny(model_class, is_decoder=True, add_cross_attention=True, **settings)
    modules = dict(model.named_modules())
    norms = {name: module.eps for name, module in modules.items() if isinstance(module, nn.LayerNorm)}
    assert len(norms) == 1 + 2 * 3 + 1
    assert set(norms.values()) == {0.25}, norms
    drops = {name: module.p for name, module in modules.items() if isinstance(module, nn.Dropout)}
    assert drops == {name: 0.375 if name.endswith(".self.dropout") else 0.125 for name in drops}
    assert len(drops) == 1 + 2 * 5
