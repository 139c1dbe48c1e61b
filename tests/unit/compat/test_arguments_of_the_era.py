"""What programs of the era hand to `from_pretrained`, and settings that come in any order."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from minibert import (
    AutoModel,
    AutoTokenizer,
    BertConfig,
    BertForSequenceClassification,
    BertLMHeadModel,
    BertModel,
    BertTokenizer,
    EncoderDecoderModel,
)
from minibert.checkpoints import CheckpointError
from tests.unit.tiny_bert import same_weights, tiny, tiny_config, token_ids


class TestAFileOfWeightsByItsPath:
    @pytest.mark.parametrize("name", ["pytorch_model.bin", "epoch3.pt", "weights"])
    @pytest.mark.parametrize("opens", [BertModel, AutoModel])
    def test_is_opened_with_a_config(self, name: str, opens: Any, tmp_path: Path) -> None:
        model = tiny(BertModel, seed=3)
        torch.save(model.state_dict(), tmp_path / name)
        for config in (model.config, tmp_path / "config.json"):
            model.config.to_json_file(tmp_path / "config.json")
            assert same_weights(opens.from_pretrained(str(tmp_path / name), config=config), model)

    def test_is_read_though_others_lie_beside_it(self, tmp_path: Path) -> None:
        model = tiny(BertModel, seed=3)
        tiny(BertModel, seed=1).save_pretrained(tmp_path)
        torch.save(model.state_dict(), tmp_path / "best.bin")
        assert same_weights(BertModel.from_pretrained(tmp_path / "best.bin", config=model.config), model)

    def test_may_be_safetensors_shards_or_another_head(self, tmp_path: Path) -> None:
        model = tiny(BertModel, seed=3)
        model.save_pretrained(tmp_path / "one")
        model.save_pretrained(tmp_path / "many", max_shard_size="20KB")
        for file in ("one/model.safetensors", "many/model.safetensors.index.json"):
            loaded = BertForSequenceClassification.from_pretrained(tmp_path / file, config=model.config)
            assert same_weights(loaded.bert, model)

    def test_may_be_a_pairs(self, tmp_path: Path) -> None:
        decoder = tiny(BertLMHeadModel, is_decoder=True, add_cross_attention=True)
        pair = EncoderDecoderModel(encoder=tiny(BertModel), decoder=decoder)
        torch.save(pair.state_dict(), tmp_path / "pair.bin")
        assert same_weights(EncoderDecoderModel.from_pretrained(tmp_path / "pair.bin", config=pair.config), pair)

    def test_needs_a_config(self, tmp_path: Path) -> None:
        torch.save(tiny(BertModel).state_dict(), tmp_path / "weights.bin")
        with pytest.raises(CheckpointError, match=r"weights\.bin: a file; .* config= beside a file of weights"):
            BertModel.from_pretrained(tmp_path / "weights.bin")


IDLE: dict[str, Any] = {"resume_download": False, "proxies": None, "mirror": None, "use_auth_token": None}
IDLE |= {"force_download": False, "local_files_only": False, "revision": "main", "cache_dir": None}


def test_arguments_that_ask_for_nothing_change_nothing(tmp_path: Path) -> None:
    model = tiny(BertModel, seed=3)
    model.save_pretrained(tmp_path)
    assert same_weights(BertModel.from_pretrained(tmp_path, from_tf=False, **IDLE), model)


@pytest.mark.parametrize("kind", [BertTokenizer, AutoTokenizer])
def test_a_tokenizer_may_be_told_that_there_is_no_folder_inside(kind: Any, tmp_path: Path) -> None:
    idle = {name: value for name, value in IDLE.items() if name != "mirror"}
    BertTokenizer.from_pretrained("novels-4l-256h").save_pretrained(tmp_path / "inside")
    assert kind.from_pretrained(tmp_path / "inside", subfolder=None, **idle).vocab_size == 8192
    assert kind.from_pretrained(tmp_path, subfolder="inside").vocab_size == 8192


class TestFieldsInAnyOrder:
    def test_a_decoder_may_hear_of_cross_attention_first(self, tmp_path: Path) -> None:
        tiny(BertModel).save_pretrained(tmp_path)
        for config in (
            tiny_config(add_cross_attention=True),
            BertConfig.from_pretrained(tmp_path, add_cross_attention=True),
        ):
            with pytest.raises(ValueError, match="add_cross_attention = True needs is_decoder = True"):
                BertModel(config)
            config.is_decoder = True
            other = torch.zeros(2, 3, config.hidden_size)
            assert (
                BertLMHeadModel(config)(token_ids(), encoder_hidden_states=other).logits.shape[:2] == token_ids().shape
            )

    def test_sizes_are_checked_against_each_other_by_the_model(self) -> None:
        config = tiny_config()
        config.hidden_size = 36
        config.update({"num_attention_heads": 7})
        with pytest.raises(ValueError, match="hidden_size = 36 is not a multiple of num_attention_heads = 7"):
            BertModel(config)
        config.update({"num_attention_heads": 6})
        assert BertModel(config)(token_ids())[0].shape == (*token_ids().shape, 36)

    def test_one_field_alone_is_checked_when_it_is_set(self) -> None:
        with pytest.raises(ValueError, match=r"num_attention_heads = 0\.5 must be"):
            tiny_config().update({"num_attention_heads": 0.5})


class TestHeadMasks:
    def test_no_mask_is_a_list_with_nothing_for_each_layer(self) -> None:
        model = tiny(BertModel)
        assert model.get_head_mask(None, 2) == [None, None]
        states = model.embeddings(input_ids=token_ids())
        assert torch.equal(model.encoder(states, head_mask=model.get_head_mask(None, 2))[0], model.encoder(states)[0])


@pytest.mark.parametrize("keys", [int, str])
def test_the_keys_of_id2label_may_be_text_wherever_they_come_from(keys: type, tmp_path: Path) -> None:
    id2label = {keys(number): name for number, name in enumerate(("bad", "good", "so so"))}
    tiny(BertModel).save_pretrained(tmp_path)
    replaced = tiny_config()
    replaced.id2label = id2label
    loaded = BertForSequenceClassification.from_pretrained(tmp_path, id2label=id2label)
    built = [BertForSequenceClassification(config) for config in (tiny_config(id2label=id2label), replaced)]
    for model in (loaded, *built):
        assert model.config.id2label == {0: "bad", 1: "good", 2: "so so"}
        assert model(token_ids()).logits.shape == (2, 3)
