"""Checkpoints whose files are sound but do not fit the model: each is refused by name."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from minibert import BertConfig, BertForPreTraining, BertModel, BertPreTrainedModel
from minibert.checkpoints import CheckpointError
from tests.unit.tiny_bert import SIZES, tiny, tiny_config


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """A folder with a tiny pre-training model."""
    tiny(BertForPreTraining).save_pretrained(tmp_path / "saved")
    return tmp_path / "saved"


def edit_config(folder: Path, **changes: object) -> None:
    values = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**values, **changes}))


def without(folder: Path, *parts: str) -> None:
    """Take out of a checkpoint every tensor whose name holds one of the parts."""
    tensors = load_file(folder / "model.safetensors")
    kept = {name: tensor for name, tensor in tensors.items() if not any(part in name for part in parts)}
    assert len(kept) < len(tensors)
    save_file(kept, folder / "model.safetensors", metadata={"format": "pt"})


def refusal(folder: Path, model_class: type[BertPreTrainedModel] = BertModel, **arguments: object) -> str:
    """The message with which loading is refused; it names the checkpoint."""
    with pytest.raises(CheckpointError) as caught:
        model_class.from_pretrained(folder, **arguments)
    assert str(folder) in str(caught.value)
    return str(caught.value)


class TestShapes:
    @pytest.mark.parametrize(
        ("field", "value", "name", "found", "expected"),
        [
            ("vocab_size", 120, "embeddings.word_embeddings.weight", (99, 32), (120, 32)),
            ("max_position_embeddings", 12, "embeddings.position_embeddings.weight", (24, 32), (12, 32)),
            ("type_vocab_size", 3, "embeddings.token_type_embeddings.weight", (2, 32), (3, 32)),
            ("intermediate_size", 64, "encoder.layer.0.intermediate.dense.weight", (37, 32), (64, 32)),
            ("hidden_size", 64, "pooler.dense.bias", (32,), (64,)),
        ],
    )
    def test_a_config_whose_sizes_disagree_with_the_weights_is_refused_tensor_by_tensor(
        self, saved: Path, field: str, value: int, name: str, found: tuple[int, ...], expected: tuple[int, ...]
    ) -> None:
        edit_config(saved, **{field: value})
        message = refusal(saved, ignore_mismatched_sizes=False)
        assert "do not fit BertModel" in message
        assert "ignore_mismatched_sizes=True" in message
        if field != "hidden_size":  # that one changes more tensors than are listed
            assert f"{name}: the checkpoint has {found}, the model {expected}" in message

    def test_a_long_list_of_misfits_is_cut_short_and_counted(self, saved: Path) -> None:
        message = refusal(saved, hidden_size=64)
        assert message.startswith("37 tensors of")
        assert message.count("the checkpoint has") == 8

    def test_one_tensor_of_a_wrong_shape_is_refused_whatever_its_size(self, saved: Path) -> None:
        tensors = load_file(saved / "model.safetensors")
        tensors["bert.pooler.dense.weight"] = tensors["bert.pooler.dense.weight"].reshape(16, 64).clone()
        save_file(tensors, saved / "model.safetensors", metadata={"format": "pt"})
        message = refusal(saved, BertForPreTraining)
        assert message.startswith("1 tensors of")
        assert "bert.pooler.dense.weight: the checkpoint has (16, 64), the model (32, 32)" in message

    def test_a_scalar_where_a_matrix_belongs_is_refused(self) -> None:
        tensors = tiny(BertModel).tensors_to_save()
        tensors["pooler.dense.bias"] = torch.tensor(1.0)
        with pytest.raises(CheckpointError, match=r"pooler\.dense\.bias: the checkpoint has \(\), the model \(32,\)"):
            BertModel.from_pretrained(None, config=tiny_config(), state_dict=tensors)


class TestHoles:
    @pytest.mark.parametrize("model_class", [BertModel, BertForPreTraining])
    @pytest.mark.parametrize(
        "part",
        [
            "word_embeddings",
            "embeddings.LayerNorm.bias",
            "layer.1.attention.self.key.weight",
            "layer.0.output.dense.bias",
        ],
    )
    def test_a_body_with_a_hole_is_refused_by_name(
        self, saved: Path, model_class: type[BertPreTrainedModel], part: str
    ) -> None:
        without(saved, part)
        message = refusal(saved, model_class)
        assert f"lacks 1 parameters of the body of {model_class.__name__}" in message
        assert part in message
        assert "allow_missing=True" in message

    def test_fewer_layers_than_the_config_has_are_refused_and_counted(self, saved: Path) -> None:
        edit_config(saved, num_hidden_layers=4)
        message = refusal(saved)
        assert f"lacks {2 * 16} parameters" in message
        assert "encoder.layer.2.attention.self.query.weight" in message
        assert f"and {2 * 16 - 4} more" in message

    def test_a_checkpoint_with_nothing_in_common_is_refused_with_what_it_holds(self, saved: Path) -> None:
        other: dict[str, Tensor] = {"transformer.h.0.attn.weight": torch.ones(3), "lm_head.weight": torch.ones(2)}
        save_file(other, saved / "model.safetensors", metadata={"format": "pt"})
        message = refusal(saved)
        assert "lacks 37 parameters" in message
        assert "transformer.h.0.attn.weight" in message
        assert "Is it a BERT" in message

    def test_an_empty_state_dict_is_refused(self) -> None:
        with pytest.raises(CheckpointError, match="lacks 37 parameters of the body of BertModel"):
            BertModel.from_pretrained(None, config=tiny_config(), state_dict={})

    def test_a_whole_training_checkpoint_is_no_state_dict(self) -> None:
        model = tiny(BertModel)
        training = {"model": model.state_dict(), "epoch": 3}
        with pytest.raises(CheckpointError, match=r"'model' is a .*take only the model's state_dict\(\) from it"):
            BertModel.from_pretrained(None, config=tiny_config(), state_dict=training)


class TestConfigs:
    def test_another_kind_of_model_is_refused_by_its_name(self, saved: Path) -> None:
        edit_config(saved, model_type="distilbert")
        with pytest.raises(ValueError, match="model_type is 'distilbert'"):
            BertModel.from_pretrained(saved)

    def test_a_value_out_of_range_is_refused_by_name(self, saved: Path) -> None:
        edit_config(saved, layer_norm_eps=-1)
        with pytest.raises(ValueError, match="BertConfig: layer_norm_eps = -1 must be"):
            BertModel.from_pretrained(saved)

    def test_weights_without_a_config_are_refused_with_what_is_there(self, saved: Path) -> None:
        (saved / "config.json").unlink()
        assert "has no config.json" in refusal(saved)

    def test_a_config_without_weights_is_refused_with_what_was_looked_for(self, tmp_path: Path) -> None:
        BertConfig(**SIZES).save_pretrained(tmp_path)
        message = refusal(tmp_path)
        assert "no weights; looked for model.safetensors" in message
        assert "config.json" in message

    def test_a_folder_that_does_not_exist_is_refused_with_the_bundled_names(self, tmp_path: Path) -> None:
        message = refusal(tmp_path / "nowhere")
        assert "no such folder" in message
        assert "novels-4l-256h" in message

    def test_a_file_is_not_a_folder(self, saved: Path) -> None:
        assert "a file; give the folder it is in, or config=" in refusal(saved / "model.safetensors")

    def test_a_model_cannot_be_saved_into_a_file(self, saved: Path) -> None:
        with pytest.raises(NotADirectoryError, match=r"is a file\. Give save_pretrained a folder"):
            tiny(BertModel).save_pretrained(saved / "config.json")


def test_a_refused_checkpoint_leaves_the_generator_alone_and_the_next_one_loads(saved: Path) -> None:
    before = torch.get_rng_state()
    refusal(saved, hidden_size=64)
    assert BertModel.from_pretrained(saved).pooler is not None
    assert torch.equal(torch.get_rng_state(), before)


def test_a_refusal_without_a_file_still_names_what_was_refused() -> None:
    with pytest.raises(OSError, match=r"^the state_dict lacks 37 parameters"):
        BertModel.from_pretrained(None, config=tiny_config(), state_dict={})
