"""`config.json` goes to today's transformers and back without losing or changing a field."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import transformers
from side_by_side import TINY

import minibert

OF_BOTH = {
    **TINY,
    "hidden_act": "gelu_new",
    "hidden_dropout_prob": 0.2,
    "attention_probs_dropout_prob": 0.3,
    "type_vocab_size": 3,
    "initializer_range": 0.01,
    "layer_norm_eps": 1e-6,
    "pad_token_id": 4,
    "use_cache": False,
    "classifier_dropout": 0.4,
    "is_decoder": True,
    "add_cross_attention": True,
    "bos_token_id": 5,
    "eos_token_id": 6,
    "tie_word_embeddings": False,
    "chunk_size_feed_forward": 3,
    "problem_type": "multi_label_classification",
    "id2label": {0: "no", 1: "perhaps", 2: "yes"},
    "label2id": {"no": 0, "perhaps": 1, "yes": 2},
    "output_hidden_states": True,
    "architectures": ["BertForSequenceClassification"],
}
"""A value other than the default for every field that both libraries know."""

OF_THE_ERA = {
    "position_embedding_type": "relative_key",
    "pruned_heads": {0: [1, 2]},
    "gradient_checkpointing": False,
    "finetuning_task": "mnli",
    "task_specific_params": {"summary": {"length": 3}},
    "tokenizer_class": "BertTokenizer",
}
"""Fields that minibert knows and today's transformers does not."""

OF_NEITHER = {"lab": {"name": "ours", "runs": [1, 2]}, "note": "kept", "ratio": 0.25, "nothing": None}


def fields(config: Any, names: dict[str, Any]) -> dict[str, Any]:
    """The named attributes of a config."""
    return {name: getattr(config, name) for name in names}


def test_fields_of_both_libraries_survive_from_here_to_there_and_back(tmp_path: Path) -> None:
    minibert.BertConfig(**OF_BOTH).save_pretrained(tmp_path / "here")
    theirs = transformers.BertConfig.from_pretrained(tmp_path / "here")
    assert fields(theirs, OF_BOTH) == OF_BOTH
    theirs.save_pretrained(tmp_path / "there")
    assert fields(minibert.BertConfig.from_pretrained(tmp_path / "there"), OF_BOTH) == OF_BOTH


def test_fields_of_both_libraries_survive_from_there_to_here_and_back(tmp_path: Path) -> None:
    transformers.BertConfig(**OF_BOTH).save_pretrained(tmp_path / "there")
    ours = minibert.BertConfig.from_pretrained(tmp_path / "there")
    assert fields(ours, OF_BOTH) == OF_BOTH
    ours.save_pretrained(tmp_path / "here")
    assert fields(transformers.BertConfig.from_pretrained(tmp_path / "here"), OF_BOTH) == OF_BOTH


@pytest.mark.parametrize("name", OF_BOTH)
def test_each_field_differs_from_its_default(name: str) -> None:
    """Otherwise the two tests above could not see it get lost."""
    assert getattr(minibert.BertConfig(), name) != OF_BOTH[name]
    assert getattr(transformers.BertConfig(), name) != OF_BOTH[name]


@pytest.mark.parametrize("unknown", [OF_THE_ERA, OF_NEITHER], ids=["of the era", "of neither"])
def test_fields_that_the_other_does_not_know_survive(unknown: dict[str, Any], tmp_path: Path) -> None:
    minibert.BertConfig(**TINY, **unknown).save_pretrained(tmp_path / "here")
    transformers.BertConfig.from_pretrained(tmp_path / "here").save_pretrained(tmp_path / "there")
    assert fields(minibert.BertConfig.from_pretrained(tmp_path / "there"), unknown) == unknown


def test_defaults_are_the_same() -> None:
    theirs = transformers.BertConfig().to_dict()
    known = theirs.keys() & minibert.BertConfig().to_dict().keys()
    assert {"vocab_size", "layer_norm_eps", "pad_token_id", "is_decoder", "tie_word_embeddings", "id2label"} <= known
    known.remove("transformers_version")
    ours = {name: minibert.BertConfig().to_dict()[name] for name in known}
    assert ours == {name: theirs[name] for name in known}


def test_what_transformers_writes_for_a_model_is_written_again(tmp_path: Path) -> None:
    """Every line of their file is in ours, with the same value; a field without a value may be left out."""
    transformers.BertForMaskedLM(transformers.BertConfig(**TINY, note="kept")).save_pretrained(tmp_path / "there")
    minibert.BertForMaskedLM.from_pretrained(tmp_path / "there").save_pretrained(tmp_path / "here")
    theirs, ours = (json.loads((tmp_path / side / "config.json").read_text()) for side in ("there", "here"))
    assert {name: ours.get(name) for name in theirs} == theirs
