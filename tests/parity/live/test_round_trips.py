"""What minibert saves, today's transformers opens, and the other way round: the same bits, nothing missing or left over."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from model_table import MODELS, Row
from side_by_side import configs, draw_every_parameter, model_pair, named_tensors, without_position_ids

import minibert

Save = Callable[[Any, Path], None]

every_tying = pytest.mark.parametrize("tied", [True, False], ids=["tied", "untied"])
every_model = pytest.mark.parametrize("row", MODELS, ids=str)


def save_whole(model: Any, folder: Path) -> None:
    model.save_pretrained(folder)
    assert (folder / "model.safetensors").exists()


def save_in_shards(model: Any, folder: Path) -> None:
    model.save_pretrained(folder, max_shard_size=10_000)
    assert (folder / "model.safetensors.index.json").exists()
    assert len(list(folder.glob("model-*.safetensors"))) > 2


every_way_of_saving = pytest.mark.parametrize("save", [save_whole, save_in_shards])


def open_here(class_name: str, folder: Path) -> Any:
    """Opened by minibert, which has nothing to say about it."""
    model, info = getattr(minibert, class_name).from_pretrained(folder, output_loading_info=True)
    assert not any(info.values())
    assert not model.loading_report.needs_attention
    assert not model.loading_report.left_over
    return model


def open_there(class_name: str, folder: Path) -> Any:
    """Opened by transformers, which finds nothing missing, unexpected or of another shape."""
    library_class = getattr(transformers, class_name)
    model, info = library_class.from_pretrained(folder, output_loading_info=True, attn_implementation="eager")
    assert not any(info.values())
    return model


def assert_same_bits(found: Any, expected: Any) -> None:
    """Every tensor of both state dicts, tied ones under each name."""
    found, expected = without_position_ids(found.state_dict()), without_position_ids(expected.state_dict())
    assert found.keys() == expected.keys()
    assert [name for name, tensor in expected.items() if not torch.equal(found[name], tensor)] == []


@every_tying
@every_way_of_saving
@every_model
def test_from_here_to_there_and_back(row: Row, save: Save, tied: bool, tmp_path: Path) -> None:
    config, _ = configs("eager", **row.fields, tie_word_embeddings=tied)
    first = getattr(minibert, row.class_name)(config).eval()
    draw_every_parameter(first)
    save(first, tmp_path / "here")
    theirs = open_there(row.class_name, tmp_path / "here")
    assert_same_bits(theirs, first)
    save(theirs, tmp_path / "there")
    again = open_here(row.class_name, tmp_path / "there")
    assert_same_bits(again, first)
    assert_same_outputs(row, again, first)


@every_tying
@every_way_of_saving
@every_model
def test_from_there_to_here_and_back(row: Row, save: Save, tied: bool, tmp_path: Path) -> None:
    _, config = configs("eager", **row.fields, tie_word_embeddings=tied)
    first = getattr(transformers, row.class_name)(config).eval()
    draw_every_parameter(first)
    if row.class_name in ("BertForPreTraining", "BertForMaskedLM", "BertLMHeadModel"):
        first.cls.predictions.bias.data.zero_()  # where it is not tied, the reference keeps it and never reads it
    save(first, tmp_path / "there")
    ours = open_here(row.class_name, tmp_path / "there")
    assert_same_bits_where_used(ours, first)
    save(ours, tmp_path / "here")
    again = open_there(row.class_name, tmp_path / "here")
    assert_same_bits_where_used(again, first)
    assert_same_outputs(row, again, first)


def assert_same_bits_where_used(found: Any, expected: Any) -> None:
    """As `assert_same_bits`, without the reference's unused copy of an untied decoder's bias."""
    found, expected = without_position_ids(found.state_dict()), without_position_ids(expected.state_dict())
    for state in (found, expected):
        state.pop("cls.predictions.bias", None)
    assert found.keys() == expected.keys()
    assert [name for name, tensor in expected.items() if not torch.equal(found[name], tensor)] == []


def assert_same_outputs(row: Row, found: Any, expected: Any) -> None:
    """The same model again, in the same library: equal to the bit."""
    found, expected = (named_tensors(model(**row.inputs())) for model in (found, expected))
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], tensor) for name, tensor in expected.items())


@every_model
def test_a_pickle_of_their_state_dict_opens_here(row: Row, tmp_path: Path) -> None:
    """`pytorch_model.bin`, which today's transformers reads and no longer writes: it holds both names of a tied tensor."""
    ours, theirs = model_pair(row.class_name, "eager", **row.fields)
    theirs.config.save_pretrained(tmp_path)
    torch.save(theirs.state_dict(), tmp_path / "pytorch_model.bin")
    assert_same_bits(open_here(row.class_name, tmp_path), ours)


@every_model
def test_a_pickle_written_here_opens_there(row: Row, tmp_path: Path) -> None:
    ours, _ = model_pair(row.class_name, "eager", **row.fields)
    ours.save_pretrained(tmp_path, safe_serialization=False)
    assert not list(tmp_path.glob("*.safetensors"))
    assert_same_bits(open_there(row.class_name, tmp_path), ours)


@every_model
def test_a_sharded_pickle_written_here_opens_there(row: Row, tmp_path: Path) -> None:
    ours, _ = model_pair(row.class_name, "eager", **row.fields)
    ours.save_pretrained(tmp_path, safe_serialization=False, max_shard_size=10_000)
    assert (tmp_path / "pytorch_model.bin.index.json").exists()
    assert_same_bits(open_there(row.class_name, tmp_path), ours)
    assert_same_bits(open_here(row.class_name, tmp_path), ours)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_survives_both_ways(dtype: torch.dtype, tmp_path: Path) -> None:
    ours, _ = model_pair("BertForPreTraining", "eager")
    ours.to(dtype).save_pretrained(tmp_path / "here")
    theirs = transformers.BertForPreTraining.from_pretrained(tmp_path / "here", dtype="auto")
    assert theirs.dtype == dtype
    assert_same_bits(theirs, ours)
    theirs.save_pretrained(tmp_path / "there")
    again = minibert.BertForPreTraining.from_pretrained(tmp_path / "there", torch_dtype="auto")
    assert again.dtype == dtype
    assert_same_bits(again, ours)


@pytest.mark.parametrize("row", [row for row in MODELS if row.class_name != "BertModel"], ids=str)
def test_a_body_goes_into_the_same_head_in_both_libraries(row: Row, tmp_path: Path) -> None:
    """The bare body's checkpoint in a class with a head: both libraries take the body and say that the head is new."""
    config, _ = configs("eager", **row.fields)
    body = minibert.BertModel(config)
    draw_every_parameter(body)
    body.save_pretrained(tmp_path)
    ours = getattr(minibert, row.class_name).from_pretrained(tmp_path)
    theirs, info = getattr(transformers, row.class_name).from_pretrained(tmp_path, output_loading_info=True)
    assert_same_bits(ours.bert, theirs.bert)
    new = {finding.name for finding in ours.loading_report.new}
    tied = {finding.name for finding in ours.loading_report.tied}
    assert new
    assert new <= set(info["missing_keys"]) <= new | tied
