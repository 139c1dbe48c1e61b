"""A model that ties nothing keeps two tensors, whoever made their names share one memory, and saves both."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from minibert import BertForMaskedLM, BertForPreTraining, BertPreTrainedModel
from tests.unit.tiny_bert import same_weights, tiny, tiny_config

DECODER, WORDS = "cls.predictions.decoder.weight", "bert.embeddings.word_embeddings.weight"


def untied(model_class: type[BertPreTrainedModel] = BertForPreTraining) -> BertPreTrainedModel:
    return tiny(model_class, tie_word_embeddings=False)


def shared_state() -> dict[str, Tensor]:
    """A state dict of an untied model, whose two names show one memory."""
    state = dict(untied().state_dict())
    state[DECODER] = state[WORDS]
    return state


def from_state_dict(_: Path) -> BertPreTrainedModel:
    config = tiny_config(tie_word_embeddings=False)
    return BertForPreTraining.from_pretrained(None, config=config, state_dict=shared_state())


def from_file(folder: Path, **how: bool) -> BertPreTrainedModel:
    untied().save_pretrained(folder)
    (folder / "model.safetensors").unlink()
    torch.save(shared_state(), folder / "pytorch_model.bin", **how)
    return BertForPreTraining.from_pretrained(folder)


def from_shards(folder: Path) -> BertPreTrainedModel:
    model = untied()
    model.load_state_dict(shared_state())
    model.save_pretrained(folder, max_shard_size=20_000, safe_serialization=False)
    return BertForPreTraining.from_pretrained(folder)


def with_data_shared(folder: Path) -> BertPreTrainedModel:
    model = untied()
    model.cls.predictions.decoder.weight.data = model.bert.embeddings.word_embeddings.weight.data
    model.save_pretrained(folder)
    return BertForPreTraining.from_pretrained(folder)


def assigned(folder: Path) -> BertPreTrainedModel:
    model = untied()
    model.load_state_dict(shared_state(), assign=True)
    model.save_pretrained(folder, safe_serialization=False)
    return BertForPreTraining.from_pretrained(folder)


WAYS: dict[str, Callable[[Path], BertPreTrainedModel]] = {
    "a state dict": from_state_dict,
    "a file": from_file,
    "a legacy file": lambda folder: from_file(folder, _use_new_zipfile_serialization=False),
    "shards": from_shards,
    "parameters that share their data": with_data_shared,
    "assigned tensors": assigned,
}


@pytest.mark.parametrize("way", WAYS)
def test_a_model_has_two_tensors(tmp_path: Path, way: str) -> None:
    model = WAYS[way](tmp_path)
    decoder, words = model.cls.predictions.decoder.weight, model.bert.embeddings.word_embeddings.weight
    assert torch.equal(decoder, words)
    assert not model.loading_report.needs_attention
    with torch.no_grad():
        decoder.zero_()
    assert words.any()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("safe", [True, False])
def test_saving_it_loses_none(tmp_path: Path, way: str, safe: bool) -> None:
    model = WAYS[way](tmp_path / "first")
    with torch.no_grad():
        model.cls.predictions.decoder.weight.mul_(2)
    model.save_pretrained(tmp_path / "second", safe_serialization=safe)
    again = BertForPreTraining.from_pretrained(tmp_path / "second")
    assert same_weights(again, model)
    assert not again.loading_report.needs_attention


@pytest.mark.parametrize("save_with_state", [False, True])
def test_what_shares_memory_when_it_is_saved_is_saved_twice(tmp_path: Path, save_with_state: bool) -> None:
    model = untied(BertForMaskedLM)
    model.cls.predictions.decoder.weight.data = model.bert.embeddings.word_embeddings.weight.data
    model.save_pretrained(tmp_path, state_dict=model.state_dict() if save_with_state else None)
    assert {DECODER, WORDS} <= load_file(tmp_path / "model.safetensors").keys()


def test_what_is_tied_is_saved_once(tmp_path: Path) -> None:
    model = tiny(BertForPreTraining)
    model.save_pretrained(tmp_path, state_dict=model.state_dict())
    assert DECODER not in load_file(tmp_path / "model.safetensors")
