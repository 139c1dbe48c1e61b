"""The Auto classes: the right class for a BERT, and a clear error for everything else."""

import json
import logging
from pathlib import Path
from typing import Any

import pytest
import torch

import minibert
from minibert import AutoConfig, AutoModel, AutoModelForMaskedLM, AutoModelForPreTraining, AutoTokenizer, BertConfig
from minibert.tokenization import BertTokenizer, BertTokenizerFast
from tests.unit.tiny_bert import BUNDLED, same_weights, tiny, tiny_config

MODELS = {
    "AutoModel": "BertModel",
    "AutoModelForPreTraining": "BertForPreTraining",
    "AutoModelForMaskedLM": "BertForMaskedLM",
    "AutoModelForCausalLM": "BertLMHeadModel",
    "AutoModelForNextSentencePrediction": "BertForNextSentencePrediction",
    "AutoModelForSequenceClassification": "BertForSequenceClassification",
    "AutoModelForMultipleChoice": "BertForMultipleChoice",
    "AutoModelForTokenClassification": "BertForTokenClassification",
    "AutoModelForQuestionAnswering": "BertForQuestionAnswering",
}


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    """A tiny pre-training checkpoint."""
    tiny(minibert.BertForPreTraining).save_pretrained(tmp_path / "tiny")
    return tmp_path / "tiny"


@pytest.fixture
def roberta(tmp_path: Path) -> Path:
    """The config of a checkpoint of another kind, with a tokenizer's settings."""
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "roberta"}))
    return tmp_path


@pytest.mark.parametrize(("auto", "expected"), MODELS.items())
def test_each_auto_class_opens_a_checkpoint_as_its_bert_class(auto: str, expected: str, checkpoint: Path) -> None:
    model = getattr(minibert, auto).from_pretrained(checkpoint)
    assert type(model) is getattr(minibert, expected)
    named = getattr(minibert, expected).from_pretrained(checkpoint)
    assert torch.equal(model.get_input_embeddings().weight, named.get_input_embeddings().weight)
    assert not model.training


@pytest.mark.parametrize(("auto", "expected"), MODELS.items())
def test_from_config_makes_the_fresh_model_that_the_class_makes(auto: str, expected: str) -> None:
    torch.manual_seed(0)
    model = getattr(minibert, auto).from_config(tiny_config())
    assert type(model) is getattr(minibert, expected)
    assert same_weights(model, tiny(getattr(minibert, expected)))
    assert model.training


def test_arguments_of_the_class_and_fields_of_the_config_are_handed_on(checkpoint: Path) -> None:
    model = AutoModel.from_pretrained(checkpoint, add_pooling_layer=False, output_attentions=True)
    assert model.pooler is None
    assert model.config.output_attentions
    assert AutoModel.from_config(tiny_config(), add_pooling_layer=False).pooler is None
    classifier = minibert.AutoModelForSequenceClassification.from_pretrained(checkpoint, num_labels=5)
    assert classifier.classifier.out_features == 5


def test_a_config_given_in_place_of_the_checkpoint_s_is_used(checkpoint: Path) -> None:
    config = AutoConfig.from_pretrained(checkpoint)
    config.is_decoder = True
    model = minibert.AutoModelForCausalLM.from_pretrained(checkpoint, config=config)
    assert model.config is config


def test_from_config_draws_in_the_dtype_asked_for_and_leaves_the_default_alone() -> None:
    torch.manual_seed(0)
    model = AutoModel.from_config(tiny_config(), torch_dtype=torch.bfloat16)
    assert {parameter.dtype for parameter in model.parameters()} == {torch.bfloat16}
    assert torch.get_default_dtype() == torch.float32
    with pytest.raises(TypeError):
        AutoModel.from_config(tiny_config(), torch_dtype=torch.bfloat16, no_such_argument=1)
    assert torch.get_default_dtype() == torch.float32


def test_the_loading_info_comes_back_when_asked_for(checkpoint: Path) -> None:
    _, info = AutoModelForPreTraining.from_pretrained(checkpoint, output_loading_info=True)
    assert info["missing_keys"] == []


def test_the_retired_name_opens_a_masked_language_model_and_warns(checkpoint: Path) -> None:
    with pytest.warns(FutureWarning, match="Use AutoModelForMaskedLM") as warned:
        assert type(minibert.AutoModelWithLMHead.from_pretrained(checkpoint)) is minibert.BertForMaskedLM
    assert warned[0].filename == __file__
    with pytest.warns(FutureWarning, match="Use AutoModelForMaskedLM") as warned:
        assert type(minibert.AutoModelWithLMHead.from_config(tiny_config())) is minibert.BertForMaskedLM
    assert warned[0].filename == __file__


# ------------------------------------------------------------------------------------------------------------ AutoConfig


def test_auto_config_opens_a_config_and_changes_fields() -> None:
    config, unused = AutoConfig.from_pretrained(BUNDLED, num_labels=3, foo=1, return_unused_kwargs=True)
    assert type(config) is BertConfig
    assert (config.num_labels, unused) == (3, {"foo": 1})


def test_auto_config_makes_a_config_for_a_model_type() -> None:
    assert AutoConfig.for_model("bert", hidden_size=24, num_attention_heads=2).hidden_size == 24
    with pytest.raises(ValueError, match="model_type 'gpt2' is not known here"):
        AutoConfig.for_model("gpt2")


# --------------------------------------------------------------------------------------------------------- AutoTokenizer


def test_auto_tokenizer_gives_the_class_the_reference_gives() -> None:
    assert type(AutoTokenizer.from_pretrained(BUNDLED)) is BertTokenizerFast
    assert type(AutoTokenizer.from_pretrained(BUNDLED, use_fast=False)) is BertTokenizer


def test_auto_tokenizer_hands_settings_on() -> None:
    tokenizer = AutoTokenizer.from_pretrained(BUNDLED, model_max_length=7, config=tiny_config())
    assert tokenizer.model_max_length == 7
    assert len(tokenizer("It was a dark and stormy night, and rain fell.", truncation=True).input_ids) == 7


def test_auto_tokenizer_opens_a_vocabulary_alone(tmp_path: Path) -> None:
    (tmp_path / "vocab.txt").write_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nrain\n")
    for place in (tmp_path, tmp_path / "vocab.txt"):
        assert AutoTokenizer.from_pretrained(place)("Rain").input_ids == [2, 5, 3]
    assert AutoTokenizer.from_pretrained(tmp_path.parent, subfolder=tmp_path.name)("Rain").input_ids == [2, 5, 3]


def test_the_tokenizer_s_own_word_on_its_class_counts_before_the_model_s(roberta: Path) -> None:
    (roberta / "vocab.txt").write_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nrain\n")
    (roberta / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "BertTokenizer"}))
    assert AutoTokenizer.from_pretrained(roberta)("Rain").input_ids == [2, 5, 3]


# ---------------------------------------------------------------------------------------------------------------- errors


@pytest.mark.parametrize("auto", [*MODELS, "AutoConfig", "AutoTokenizer", "AutoModelWithLMHead"])
def test_an_auto_class_cannot_be_constructed_and_says_what_to_do(auto: str) -> None:
    with pytest.raises(OSError, match=rf"{auto}\(\) makes nothing.* Use {auto}.from_pretrained\(name\)"):
        getattr(minibert, auto)()


@pytest.mark.parametrize("auto", [*MODELS, "AutoConfig", "AutoTokenizer"])
def test_a_checkpoint_of_another_kind_is_refused_by_its_model_type(auto: str, roberta: Path) -> None:
    with pytest.raises(ValueError, match="model_type is 'roberta'"):
        getattr(minibert, auto).from_pretrained(roberta)


@pytest.mark.parametrize("file", ["tokenizer_config.json", "config.json"])
def test_a_tokenizer_of_another_kind_is_refused_by_its_class(file: str, tmp_path: Path) -> None:
    (tmp_path / "vocab.txt").write_text("[UNK]\n")
    (tmp_path / file).write_text(json.dumps({"tokenizer_class": "RobertaTokenizer"}))
    with pytest.raises(ValueError, match=rf"{file}: tokenizer_class is 'RobertaTokenizer'"):
        AutoTokenizer.from_pretrained(tmp_path)


@pytest.mark.parametrize("call", ["from_config", "from_pretrained"])
def test_a_config_of_another_kind_is_refused(call: str) -> None:
    class GPT2Config:
        model_type = "gpt2"

    arguments: dict[str, dict[str, Any]] = {
        "from_config": {"config": GPT2Config()},
        "from_pretrained": {"pretrained_model_name_or_path": BUNDLED, "config": GPT2Config()},
    }
    with pytest.raises(ValueError, match="AutoModelForMaskedLM was given a config of model_type 'gpt2'"):
        getattr(AutoModelForMaskedLM, call)(**arguments[call])
    with pytest.raises(ValueError, match="AutoTokenizer was given a config of model_type 'gpt2'"):
        AutoTokenizer.from_pretrained(BUNDLED, config=GPT2Config())


def test_a_new_head_is_reported_as_by_the_class_itself(checkpoint: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, logger="minibert"):
        minibert.AutoModelForSequenceClassification.from_pretrained(checkpoint)
    assert "newly initialised: classifier.weight, classifier.bias" in caplog.text
