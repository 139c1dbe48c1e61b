"""from_pretrained and save_pretrained: where weights come from, in which dtype, and what is drawn at random."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from minibert import BertConfig, BertForMaskedLM, BertForPreTraining, BertModel
from minibert.checkpoints import CheckpointError, bundled_checkpoints
from tests.unit.tiny_bert import BUNDLED, same_weights, text_batch, tiny, tiny_config, token_ids


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """A folder with a tiny pre-training model, its biases not all zero."""
    model = tiny(BertForPreTraining)
    model.cls.predictions.bias.data.uniform_()
    model.save_pretrained(tmp_path / "saved")
    return tmp_path / "saved"


def rewrite(folder: Path, **changes: torch.Tensor | None) -> None:
    """Replace tensors of a checkpoint, or take those out whose new value is None; dots are written as __."""
    tensors = load_file(folder / "model.safetensors")
    for key, value in changes.items():
        name = key.replace("__", ".")
        if value is None:
            del tensors[name]
        else:
            tensors[name] = value
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})


class TestWhereWeightsComeFrom:
    def test_saving_and_loading_is_the_identity(self, saved: Path) -> None:
        first = BertForPreTraining.from_pretrained(saved)
        first.save_pretrained(saved.parent / "again")
        assert same_weights(first, BertForPreTraining.from_pretrained(saved.parent / "again"))
        expected = first(**text_batch())[0]
        assert torch.equal(BertForPreTraining.from_pretrained(saved.parent / "again")(**text_batch())[0], expected)

    def test_a_folder_is_given_as_a_path_or_as_text(self, saved: Path) -> None:
        assert same_weights(BertModel.from_pretrained(saved), BertModel.from_pretrained(str(saved)))

    def test_the_bundled_model_is_found_by_name_and_fits_without_remark(self, caplog: pytest.LogCaptureFixture) -> None:
        model = BertForPreTraining.from_pretrained(BUNDLED)
        assert not caplog.records
        assert model.name_or_path == model.config.name_or_path == BUNDLED
        assert same_weights(model, BertForPreTraining.from_pretrained(bundled_checkpoints()[BUNDLED]))

    def test_a_state_dict_can_take_the_place_of_a_file(self, saved: Path) -> None:
        source = tiny(BertForPreTraining, seed=8)
        model = BertForPreTraining.from_pretrained(saved, state_dict=source.state_dict())
        assert same_weights(model, source)
        from_nothing = BertForPreTraining.from_pretrained(None, config=tiny_config(), state_dict=source.state_dict())
        assert same_weights(from_nothing, source)

    def test_a_loaded_model_shares_no_memory_with_the_state_dict(self) -> None:
        source = tiny(BertModel)
        model = BertModel.from_pretrained(None, config=tiny_config(), state_dict=source.state_dict())
        source.embeddings.LayerNorm.weight.data.zero_()
        assert (model.embeddings.LayerNorm.weight == 1).all()

    def test_a_pickled_checkpoint_loads_the_same(self, saved: Path) -> None:
        model = BertForPreTraining.from_pretrained(saved)
        model.save_pretrained(saved.parent / "pickled", safe_serialization=False)
        assert (saved.parent / "pickled" / "pytorch_model.bin").exists()
        assert same_weights(model, BertForPreTraining.from_pretrained(saved.parent / "pickled"))

    def test_a_sharded_checkpoint_loads_the_same(self, saved: Path) -> None:
        model = BertForPreTraining.from_pretrained(saved)
        model.save_pretrained(saved.parent / "sharded", max_shard_size="20KB")
        assert len(list((saved.parent / "sharded").glob("model-*.safetensors"))) > 3
        assert same_weights(model, BertForPreTraining.from_pretrained(saved.parent / "sharded"))

    def test_another_state_dict_can_be_saved_in_the_models_place(self, saved: Path) -> None:
        zeros = {name: torch.zeros_like(tensor) for name, tensor in load_file(saved / "model.safetensors").items()}
        BertForPreTraining.from_pretrained(saved).save_pretrained(saved, state_dict=zeros)
        assert not BertForPreTraining.from_pretrained(saved).bert.pooler.dense.weight.any()

    def test_saving_writes_down_class_and_dtype(self, saved: Path) -> None:
        BertModel.from_pretrained(saved, torch_dtype=torch.bfloat16).save_pretrained(saved.parent / "half")
        config = json.loads((saved.parent / "half" / "config.json").read_text())
        assert (config["architectures"], config["torch_dtype"]) == (["BertModel"], "bfloat16")


class TestConfigs:
    def test_a_config_object_is_used_as_it_is(self, saved: Path) -> None:
        config = BertConfig.from_pretrained(saved, hidden_dropout_prob=0.0)
        assert BertModel.from_pretrained(saved, config=config).config is config

    def test_a_config_can_be_read_from_another_place(self, saved: Path, tmp_path: Path) -> None:
        BertConfig.from_pretrained(saved, hidden_act="relu").save_pretrained(tmp_path / "other")
        for place in (tmp_path / "other", tmp_path / "other" / "config.json"):
            assert BertModel.from_pretrained(saved, config=place).config.hidden_act == "relu"

    def test_fields_of_the_config_can_be_changed_and_the_rest_goes_to_the_class(self, saved: Path) -> None:
        model = BertModel.from_pretrained(
            saved, output_attentions=True, attn_implementation="sdpa", add_pooling_layer=False
        )
        assert (model.config.output_attentions, model.config.attn_implementation) == (True, "sdpa")
        assert model.pooler is None

    def test_attention_can_be_chosen_beside_a_config_object(self, saved: Path) -> None:
        config = BertConfig.from_pretrained(saved)
        model = BertModel.from_pretrained(saved, config=config, attn_implementation="sdpa")
        assert model.config.attn_implementation == "sdpa"

    def test_an_argument_that_nothing_knows_is_refused(self, saved: Path) -> None:
        with pytest.raises(TypeError, match="unexpected keyword argument 'colour'"):
            BertModel.from_pretrained(saved, colour="red")

    @pytest.mark.parametrize("name", ["low_cpu_mem_usage", "resume_download", "proxies", "mirror", "_fast_init"])
    def test_arguments_of_the_reference_without_a_meaning_here_are_accepted(self, saved: Path, name: str) -> None:
        assert not hasattr(BertModel.from_pretrained(saved, **{name: None}).config, name)

    def test_nothing_to_read_from_is_refused(self) -> None:
        with pytest.raises(ValueError, match=r"needs config=BertConfig\(…\) and state_dict="):
            BertModel.from_pretrained(None)
        with pytest.raises(ValueError, match=r"needs state_dict=.*there is no file to read"):
            BertModel.from_pretrained(None, config=tiny_config())

    def test_a_fresh_model_was_not_loaded(self) -> None:
        assert tiny(BertModel).loading_report is None


class TestDtype:
    @pytest.fixture
    def half(self, saved: Path) -> Path:
        """The checkpoint in float16."""
        BertForPreTraining.from_pretrained(saved).half().save_pretrained(saved)
        return saved

    def test_the_default_is_torchs_default_whatever_the_file_holds(self, half: Path) -> None:
        assert BertModel.from_pretrained(half).dtype == torch.float32
        torch.set_default_dtype(torch.float64)
        try:
            assert BertModel.from_pretrained(half).dtype == torch.float64
        finally:
            torch.set_default_dtype(torch.float32)

    def test_auto_is_the_files_own(self, half: Path) -> None:
        model = BertForPreTraining.from_pretrained(half, torch_dtype="auto")
        assert {parameter.dtype for parameter in model.parameters()} == {torch.float16}

    @pytest.mark.parametrize("argument", ["torch_dtype", "dtype"])
    @pytest.mark.parametrize("value", [torch.bfloat16, "bfloat16", "torch.bfloat16"])
    def test_it_can_be_asked_for_by_both_names_in_every_spelling(self, half: Path, argument: str, value: Any) -> None:
        model = BertForPreTraining.from_pretrained(half, **{argument: value})
        assert {parameter.dtype for parameter in model.parameters()} == {torch.bfloat16}
        assert model(**text_batch()).prediction_logits.dtype == torch.bfloat16

    def test_float16_on_disk_becomes_the_same_numbers_in_float32(self, half: Path) -> None:
        stored = load_file(half / "model.safetensors")["bert.pooler.dense.weight"]
        assert torch.equal(BertModel.from_pretrained(half).pooler.dense.weight, stored.float())

    @pytest.mark.parametrize("argument", ["torch_dtype", "dtype"])
    @pytest.mark.parametrize("value", ["int8", torch.int64, "float99", "float8_e4m3fn", 16])
    def test_a_dtype_that_weights_cannot_have_is_refused(self, half: Path, argument: str, value: Any) -> None:
        with pytest.raises(ValueError, match=r"torch_dtype = .* must be a floating dtype such as torch\.float16"):
            BertModel.from_pretrained(half, **{argument: value})

    def test_new_parameters_get_the_same_dtype_as_the_read_ones(self, saved: Path) -> None:
        rewrite(saved, bert__pooler__dense__weight=None)
        model = BertModel.from_pretrained(saved, torch_dtype=torch.float16)
        assert {parameter.dtype for parameter in model.parameters()} == {torch.float16}


class TestRandomness:
    def test_a_complete_checkpoint_draws_nothing_from_the_generator(self, saved: Path) -> None:
        for model_class in (BertForPreTraining, BertForMaskedLM, BertModel):
            before = torch.get_rng_state()
            model_class.from_pretrained(saved)
            assert torch.equal(torch.get_rng_state(), before)

    def test_what_other_threads_draw_meanwhile_is_not_drawn_again(
        self, saved: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The state of random numbers, which all threads share, is not put back."""
        monkeypatch.setattr(torch, "set_rng_state", lambda _state: pytest.fail("the state was put back"))
        BertModel.from_pretrained(saved)

    def test_the_same_seed_gives_the_same_new_head(self) -> None:
        source = tiny(BertModel)

        def load(seed: int) -> BertForPreTraining:
            torch.manual_seed(seed)
            return BertForPreTraining.from_pretrained(None, config=tiny_config(), state_dict=source.state_dict())

        first, second, other = load(0), load(0), load(1)
        assert same_weights(first, second)
        assert not torch.equal(first.cls.seq_relationship.weight, other.cls.seq_relationship.weight)
        assert torch.equal(first.bert.pooler.dense.weight, other.bert.pooler.dense.weight)

    def test_a_new_head_is_drawn_like_fresh_weights(self) -> None:
        source = tiny(BertModel, hidden_size=128, initializer_range=0.3)
        config = tiny_config(hidden_size=128, initializer_range=0.3)
        head = BertForPreTraining.from_pretrained(None, config=config, state_dict=source.state_dict()).cls
        assert head.predictions.transform.dense.weight.std().item() == pytest.approx(0.3, rel=0.05)
        assert not head.predictions.transform.dense.bias.any()
        assert (head.predictions.transform.LayerNorm.weight == 1).all()
        assert not head.predictions.bias.any()

    def test_a_new_head_leaves_the_body_as_read(self) -> None:
        source = tiny(BertModel)
        model = BertForPreTraining.from_pretrained(None, config=tiny_config(), state_dict=source.state_dict())
        assert same_weights(model.bert, source)

    def test_only_the_missing_half_of_a_layer_is_new(self, saved: Path) -> None:
        kept = load_file(saved / "model.safetensors")["cls.seq_relationship.weight"].clone()  # not a view of the file
        rewrite(saved, cls__seq_relationship__bias=None)
        layer = BertForPreTraining.from_pretrained(saved).cls.seq_relationship
        assert torch.equal(layer.weight, kept)
        assert not layer.bias.any()

    def test_building_is_not_left_without_random_numbers(self, saved: Path) -> None:
        BertModel.from_pretrained(saved)
        with pytest.raises(CheckpointError):
            BertModel.from_pretrained(saved, hidden_size=64)
        assert same_weights(tiny(BertModel), tiny(BertModel))
        assert tiny(BertModel).embeddings.word_embeddings.weight.std() > 0.01


class TestMode:
    def test_a_loaded_model_is_in_evaluation_mode(self, saved: Path) -> None:
        assert not any(module.training for module in BertForPreTraining.from_pretrained(saved).modules())

    def test_a_loaded_model_trains(self, saved: Path) -> None:
        model = BertForMaskedLM.from_pretrained(saved).train()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
        ids = token_ids()
        losses = []
        torch.manual_seed(0)
        for _ in range(5):
            optimizer.zero_grad()
            loss = model(ids, labels=ids).loss
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        assert losses[-1] < losses[0] - 0.5

    def test_an_optimizer_made_before_the_first_forward_moves_the_weights_that_are_used(self, saved: Path) -> None:
        model = BertModel.from_pretrained(saved)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
        before = model(**text_batch()).last_hidden_state
        before.square().sum().backward()
        optimizer.step()
        assert not torch.allclose(model(**text_batch()).last_hidden_state, before)


class TestLeniency:
    def test_tensors_of_another_shape_can_be_started_anew(self, saved: Path) -> None:
        model = BertForPreTraining.from_pretrained(saved, max_position_embeddings=30, ignore_mismatched_sizes=True)
        assert model.bert.embeddings.position_embeddings.weight.shape == (30, 32)
        assert model.bert.embeddings.position_embeddings.weight.std().item() == pytest.approx(0.02, rel=0.2)
        [finding] = [f for f in model.loading_report.new if f.needs_attention]
        assert finding.name == "bert.embeddings.position_embeddings.weight"
        assert finding.reason == "the checkpoint has (24, 32), the model (30, 32)"

    def test_missing_parameters_of_the_body_can_be_allowed(self, saved: Path) -> None:
        rewrite(saved, bert__encoder__layer__1__output__dense__weight=None)
        model = BertModel.from_pretrained(saved, allow_missing=True)
        assert [finding.name for finding in model.loading_report.new] == ["encoder.layer.1.output.dense.weight"]
        assert model.encoder.layer[1].output.dense.weight.std().item() == pytest.approx(0.02, rel=0.2)

    def test_the_loading_info_speaks_the_references_words(self, saved: Path) -> None:
        rewrite(saved, surprise=torch.ones(1), bert__pooler__dense__bias=None)
        model, info = BertModel.from_pretrained(saved, output_loading_info=True)
        assert isinstance(model, BertModel)
        unexpected = info.pop("unexpected_keys")
        assert info == {"missing_keys": ["bert.pooler.dense.bias"], "mismatched_keys": [], "error_msgs": []}
        assert {"surprise", "cls.predictions.bias", "cls.seq_relationship.weight"} <= set(unexpected)
        assert len(unexpected) == 8

    def test_tensors_of_another_shape_are_mismatched_rather_than_missing(self, saved: Path) -> None:
        _, info = BertModel.from_pretrained(
            saved, output_loading_info=True, max_position_embeddings=30, ignore_mismatched_sizes=True
        )
        assert info["missing_keys"] == []
        assert info["mismatched_keys"] == [("bert.embeddings.position_embeddings.weight", (24, 32), (30, 32))]


def test_a_models_own_state_dict_can_be_saved_as_the_references_programs_do(tmp_path: Path) -> None:
    model = tiny(BertForPreTraining)
    model.save_pretrained(tmp_path, state_dict=model.state_dict())
    assert same_weights(BertForPreTraining.from_pretrained(tmp_path), model)


def test_a_mismatched_tensor_is_not_also_left_over(tmp_path: Path) -> None:
    tiny(BertForPreTraining).save_pretrained(tmp_path)
    model, info = BertModel.from_pretrained(
        tmp_path, output_loading_info=True, max_position_embeddings=30, ignore_mismatched_sizes=True
    )
    assert all(name.startswith("cls.") for name in info["unexpected_keys"])
    assert not any("this model has no tensor" in finding.reason for finding in model.loading_report.left_over)


def test_arguments_of_the_reference_that_have_nothing_to_say_are_taken(tmp_path: Path) -> None:
    model = tiny(BertModel)
    model.save_pretrained(tmp_path)
    old = {"low_cpu_mem_usage": True, "resume_download": True, "proxies": {}, "mirror": "x", "trust_remote_code": True}
    opened = BertModel.from_pretrained(tmp_path, **old, _fast_init=False)
    assert same_weights(opened, model)
    assert not {*old, "_fast_init"} & vars(opened.config).keys()


def test_what_is_saved_can_be_a_state_dict_of_ones_own(tmp_path: Path) -> None:
    model, other = tiny(BertModel), tiny(BertModel, seed=1)
    model.save_pretrained(tmp_path, state_dict=other.state_dict())
    assert same_weights(BertModel.from_pretrained(tmp_path), other)
    assert not same_weights(model, other)


@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16"])
def test_the_config_that_is_saved_names_the_class_and_the_dtype(dtype: str, tmp_path: Path) -> None:
    model = tiny(BertForMaskedLM).to(getattr(torch, dtype))
    model.save_pretrained(tmp_path)
    assert (model.config.architectures, model.config.torch_dtype) == (["BertForMaskedLM"], dtype)
    saved = json.loads((tmp_path / "config.json").read_text())
    assert (saved["architectures"], saved["torch_dtype"]) == (["BertForMaskedLM"], dtype)


def test_an_argument_of_a_save_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match=r"^save_pretrained\(\) got an unexpected keyword argument 'max_shard'$"):
        tiny(BertModel).save_pretrained(tmp_path, max_shard="1GB")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("from_tf", [False, True])
def test_where_weights_are_looked_for_is_where_they_are_asked_for(
    from_tf: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny(BertModel).save_pretrained(tmp_path)
    asked: dict[str, Any] = {}

    def locate_weights(name: object, **named: Any) -> Path:
        asked.update(named, name=name)
        raise CheckpointError("enough")

    monkeypatch.setattr("minibert.model.pretrained.locate_weights", locate_weights)
    with pytest.raises(CheckpointError, match="enough"):
        BertModel.from_pretrained(tmp_path, from_tf=from_tf, local_files_only=True)
    assert (asked["name"], asked["from_tf"], asked["local_files_only"]) == (tmp_path, from_tf, True)


def test_what_is_refused_leaves_the_config_as_it_was(tmp_path: Path) -> None:
    model = tiny(BertModel)
    before = model.config.to_dict()
    with pytest.raises(ValueError, match="max_shard_size"):
        model.save_pretrained(tmp_path / "new", max_shard_size="abc")
    with pytest.raises(CheckpointError):
        BertModel.from_pretrained(tmp_path / "none", config=model.config, attn_implementation="sdpa")
    assert model.config.to_dict() == before
    assert model.config.attn_implementation == "eager"
    assert not (tmp_path / "new").exists()
    model.save_pretrained(tmp_path / "new")
    found = BertModel.from_pretrained(tmp_path / "new", config=model.config, attn_implementation="sdpa")
    assert found.config.attn_implementation == "sdpa"
