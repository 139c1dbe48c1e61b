"""The era's arguments of `save_pretrained`, for a model, a pair, a config and a tokenizer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from minibert import BertConfig, BertForPreTraining, BertModel, BertTokenizer, EncoderDecoderModel
from minibert.encoder_decoder import EncoderDecoderConfig
from tests.unit.tiny_bert import same_weights, tiny, tiny_config

VOCAB = {"[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3, "[MASK]": 4, "a": 5}


def make(kind: str) -> Any:
    """Something that can be saved."""
    if kind == "pair":
        sides = EncoderDecoderConfig(
            encoder=tiny_config(), decoder=tiny_config(is_decoder=True, add_cross_attention=True)
        )
        return EncoderDecoderModel(sides)
    made = {"model": lambda: tiny(BertForPreTraining), "config": tiny_config, "tokenizer": lambda: BertTokenizer(VOCAB)}
    return made[kind]()


@pytest.mark.parametrize("kind", ["model", "pair", "config", "tokenizer"])
class TestUploads:
    def test_asking_for_none_changes_nothing(self, kind: str, tmp_path: Path) -> None:
        saved = make(kind)
        saved.save_pretrained(tmp_path / "asked", push_to_hub=False)
        saved.save_pretrained(tmp_path / "plain")
        assert sorted(p.name for p in (tmp_path / "asked").iterdir()) == sorted(
            p.name for p in (tmp_path / "plain").iterdir()
        )

    @pytest.mark.parametrize("others", [{}, {"commit_message": "first"}, {"use_temp_dir": True, "repo_url": "x"}])
    def test_an_upload_is_refused_before_anything_is_written(
        self, kind: str, others: dict[str, Any], tmp_path: Path
    ) -> None:
        with pytest.raises(ValueError, match=r"push_to_hub=True: minibert saves files in a folder.*hf upload"):
            make(kind).save_pretrained(tmp_path / "new", push_to_hub=True, **others)
        assert not (tmp_path / "new").exists()

    def test_an_argument_that_does_not_exist_is_named(self, kind: str, tmp_path: Path) -> None:
        with pytest.raises(TypeError, match="unexpected keyword argument 'colour'"):
            make(kind).save_pretrained(tmp_path / "new", colour="red")
        assert not (tmp_path / "new").exists()


class TestSaveFunction:
    def test_it_writes_the_weights_in_place_of_torch_save(self, tmp_path: Path) -> None:
        model, called = tiny(BertModel, seed=2), []

        def save(tensors: object, path: str, **options: Any) -> None:
            called.append(path)
            torch.save(tensors, path, **options)

        model.save_pretrained(tmp_path, save_function=save)
        assert called == [str(tmp_path / "pytorch_model.bin")]
        assert same_weights(BertModel.from_pretrained(tmp_path), model)

    def test_what_an_earlier_save_wrote_is_not_read_instead(self, tmp_path: Path) -> None:
        tiny(BertModel, seed=1).save_pretrained(tmp_path, max_shard_size="20KB")
        model = tiny(BertModel, seed=2)
        model.save_pretrained(tmp_path, save_function=torch.save)
        assert sorted(path.name for path in tmp_path.iterdir()) == ["config.json", "pytorch_model.bin"]
        assert same_weights(BertModel.from_pretrained(tmp_path), model)

    def test_where_it_writes_nothing_as_in_a_second_process_nothing_is_removed(self, tmp_path: Path) -> None:
        model = tiny(BertModel, seed=1)
        for earlier in ({}, {"safe_serialization": False}):
            model.save_pretrained(tmp_path, **earlier)
            tiny(BertModel, seed=2).save_pretrained(tmp_path, save_function=lambda *_: None, save_config=False)
            assert same_weights(BertModel.from_pretrained(tmp_path), model)

    def test_a_state_dict_can_go_with_it(self, tmp_path: Path) -> None:
        model = tiny(BertModel, seed=2)
        tiny(BertModel).save_pretrained(tmp_path, True, model.state_dict(), torch.save)
        assert same_weights(BertModel.from_pretrained(tmp_path), model)


class TestTheRest:
    def test_the_config_can_be_left_to_another_process(self, tmp_path: Path) -> None:
        tiny(BertModel).save_pretrained(tmp_path, save_config=False)
        assert [path.name for path in tmp_path.iterdir()] == ["model.safetensors"]

    def test_a_wrapped_state_dict_is_saved_and_comes_back(self, tmp_path: Path) -> None:
        model = tiny(BertModel, seed=2)
        model.save_pretrained(tmp_path, state_dict={f"module.{name}": t for name, t in model.state_dict().items()})
        assert same_weights(BertModel.from_pretrained(tmp_path), model)

    @pytest.mark.parametrize("kind", ["model", "pair"])
    def test_nothing_to_save_is_said(self, kind: str, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match="There is nothing to save"):
            make(kind).save_pretrained(tmp_path / "new", state_dict={})

    @pytest.mark.parametrize("legacy_format", [None, True])
    def test_a_tokenizer_is_saved_in_the_files_of_the_python_class(
        self, legacy_format: bool | None, tmp_path: Path
    ) -> None:
        paths = BertTokenizer(VOCAB).save_pretrained(tmp_path, legacy_format, "my")
        assert (tmp_path / "my-vocab.txt").exists()
        assert str(tmp_path / "my-vocab.txt") in paths

    def test_a_tokenizer_json_alone_cannot_be_written(self, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match=r"legacy_format=False.*tokenizer\.json"):
            BertTokenizer(VOCAB).save_pretrained(tmp_path, legacy_format=False)

    def test_a_config_is_still_a_config(self, tmp_path: Path) -> None:
        tiny_config().save_pretrained(tmp_path, False)
        assert BertConfig.from_pretrained(tmp_path).hidden_size == tiny_config().hidden_size
