"""How `pipeline` finds its task, model and tokenizer, and what it says where it cannot."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest
import torch

import minibert
from minibert import BertForSequenceClassification, BertModel, BertTokenizer, BertTokenizerFast, pipeline
from minibert.pipelines import ALIASES, TASKS
from tests.unit.pipelines.small import MODELS, small, tokenizer
from tests.unit.tiny_bert import tiny


def saved(folder: Path, model_class: type[Any], **fields: Any) -> str:
    tiny(model_class, vocab_size=21, **fields).save_pretrained(folder)
    tokenizer().save_pretrained(folder)
    return str(folder)


def test_an_unknown_task_is_told_all_tasks() -> None:
    with pytest.raises(KeyError) as error:
        pipeline("translation")
    assert all(task in str(error.value) for task in [*TASKS, *ALIASES])


@pytest.mark.parametrize("alias", ALIASES)
def test_an_alias_opens_its_task(alias: str, tmp_path: Path) -> None:
    head = {"ner": "BertForTokenClassification", "sentiment-analysis": "BertForSequenceClassification"}[alias]
    opened = pipeline(alias, model=saved(tmp_path, getattr(minibert, head)))
    assert type(opened) is TASKS[ALIASES[alias]]
    assert opened.task == alias


@pytest.mark.parametrize("task", ["fill-mask", "feature-extraction", "sentence-similarity"])
def test_without_a_model_the_bundled_one_is_opened_and_said(task: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "minibert"):
        assert pipeline(task).model.config.hidden_size == 256
    assert "defaulted to novels-4l-256h" in caplog.text


@pytest.mark.parametrize("task", ["ner", "sentiment-analysis", "question-answering"])
def test_a_task_that_needs_fine_tuning_has_no_default(task: str) -> None:
    with pytest.raises(ValueError, match=f"No bundled model does {task}: give model="):
        pipeline(task)


def test_a_tokenizer_needs_its_model_and_a_model_its_tokenizer() -> None:
    with pytest.raises(ValueError, match="A tokenizer without a model"):
        pipeline("fill-mask", tokenizer="novels-4l-256h")
    with pytest.raises(ValueError, match="which tokenizer"):
        pipeline("feature-extraction", model=tiny(BertModel))


def test_the_tokenizer_is_the_fast_one_unless_asked_otherwise() -> None:
    assert type(pipeline("fill-mask", model="novels-4l-256h").tokenizer) is BertTokenizerFast
    assert type(pipeline("fill-mask", model="novels-4l-256h", use_fast=False).tokenizer) is BertTokenizer
    given = pipeline(
        "fill-mask", model=Path("weights/novels-4l-256h"), tokenizer=("novels-4l-256h", {"use_fast": False})
    )
    assert type(given.tokenizer) is BertTokenizer


def test_a_model_without_a_head_is_refused(tmp_path: Path) -> None:
    folder = saved(tmp_path, BertModel)
    for task in ("fill-mask", "ner", "text-classification", "question-answering"):
        with pytest.raises(ValueError, match=f"was not trained for {task}|was not trained for {ALIASES.get(task)}"):
            pipeline(task, model=folder)


def test_the_head_of_another_task_is_refused_though_its_tensors_have_the_same_names(tmp_path: Path) -> None:
    folder = saved(tmp_path, BertForSequenceClassification)
    with pytest.raises(ValueError, match=r"was not trained for token-classification: it is a BertForSequenceClassif"):
        pipeline("ner", model=folder)


@pytest.mark.parametrize("task", ["fill-mask", "ner", "text-classification", "question-answering"])
def test_an_object_of_another_class_is_refused_by_name(task: str) -> None:
    with pytest.raises(ValueError, match=rf"The model is a BertModel. {task} needs a {MODELS[task][0].__name__}"):
        pipeline(task, model=tiny(BertModel), tokenizer=tokenizer())


def test_features_are_hidden_states_of_a_model_with_a_head_too() -> None:
    classifier = tiny(BertForSequenceClassification, vocab_size=21)
    (rows,) = pipeline("feature-extraction", model=classifier, tokenizer=tokenizer())("the cat")
    assert len(rows) == 4
    assert len(rows[0]) == classifier.config.hidden_size


def test_a_framework_that_is_not_there_and_an_unknown_setting_are_refused() -> None:
    with pytest.raises(ValueError, match="PyTorch only"):
        small("fill-mask", framework="tf")
    with pytest.raises(TypeError, match=r"fill-mask has no setting top_p. It has: .*top_k, targets"):
        small("fill-mask", top_p=1)
    with pytest.raises(TypeError, match="has no setting top_p"):
        small("fill-mask")("the [MASK]", top_p=1)


@pytest.mark.parametrize("device", [-1, "cpu", torch.device("cpu")])
def test_the_device_may_be_a_number_or_a_name(device: Any) -> None:
    assert small("ner", device=device).device == torch.device("cpu")


def test_a_saved_pipeline_opens_again_and_answers_the_same(tmp_path: Path) -> None:
    pipe = small("ner", ignore_labels=[])
    pipe.save_pretrained(str(tmp_path))
    assert pipeline("ner", model=tmp_path, ignore_labels=[])("the cat sat") == pipe("the cat sat")


def test_classes_are_at_the_top_level_and_in_the_reference_s_module() -> None:
    from minibert.pipelines import FillMaskPipeline

    assert minibert.FillMaskPipeline is FillMaskPipeline
    assert minibert.NerPipeline is minibert.TokenClassificationPipeline
    pipe = small("fill-mask")
    assert FillMaskPipeline(model=pipe.model, tokenizer=pipe.tokenizer)("the [MASK]") == pipe("the [MASK]")
