"""BertConfig: the published defaults, labels, reading and writing, and fields it does not know."""

import copy
import json
import pickle
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from torch import Tensor

from minibert import BertConfig, BertModel, EncoderDecoderConfig, PretrainedConfig
from minibert.config_files import SHARED_DEFAULTS
from minibert.model.activations import gelu_new, get_activation
from tests.unit.tiny_bert import BUNDLED, SIZES, tiny_config


def written(config: BertConfig) -> dict[str, object]:
    """What a config's JSON holds."""
    return json.loads(config.to_json_string())


class TestFields:
    def test_the_defaults_are_those_of_bert_base(self) -> None:
        config = BertConfig()
        assert (config.vocab_size, config.max_position_embeddings, config.type_vocab_size) == (30522, 512, 2)
        assert (config.hidden_size, config.num_hidden_layers, config.num_attention_heads) == (768, 12, 12)
        assert (config.intermediate_size, config.hidden_act) == (3072, "gelu")
        assert (config.hidden_dropout_prob, config.attention_probs_dropout_prob) == (0.1, 0.1)
        assert (config.initializer_range, config.layer_norm_eps, config.pad_token_id) == (0.02, 1e-12, 0)
        assert (config.position_embedding_type, config.use_cache) == ("absolute", True)
        assert (config.classifier_dropout, config.num_labels) == (None, 2)
        assert config.attn_implementation == "eager"

    def test_positional_arguments_come_in_the_reference_order(self) -> None:
        values = (100, 24, 3, 4, 50, "relu", 0.2, 0.3, 60, 3, 0.05, 1e-6, 7, "relative_key", False, 0.4)
        config = BertConfig(*values)
        order = [
            *("vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size"),
            *("hidden_act", "hidden_dropout_prob", "attention_probs_dropout_prob", "max_position_embeddings"),
            *("type_vocab_size", "initializer_range", "layer_norm_eps", "pad_token_id", "position_embedding_type"),
            *("use_cache", "classifier_dropout"),
        ]
        assert tuple(getattr(config, field) for field in order) == values

    def test_the_fields_shared_with_other_models_have_the_reference_defaults(self) -> None:
        config = BertConfig()
        assert {field: getattr(config, field) for field in SHARED_DEFAULTS} == SHARED_DEFAULTS

    def test_two_configs_never_share_a_mutable_default(self) -> None:
        first, second = BertConfig(), BertConfig()
        first.pruned_heads[0] = [1]
        assert second.pruned_heads == {}
        assert SHARED_DEFAULTS["pruned_heads"] == {}

    def test_an_unknown_field_becomes_an_attribute(self) -> None:
        assert BertConfig(favourite_colour="green").favourite_colour == "green"

    def test_tuples_are_returned_when_the_config_says_so_or_a_graph_is_traced(self) -> None:
        assert BertConfig().use_return_dict
        assert not BertConfig(return_dict=False).use_return_dict
        assert not BertConfig(torchscript=True).use_return_dict

    def test_each_head_gets_an_equal_share_of_the_width(self) -> None:
        assert BertConfig().hidden_size_per_head == 64

    def test_configs_are_equal_when_all_their_fields_are(self) -> None:
        assert tiny_config() == tiny_config()
        assert tiny_config() != tiny_config(hidden_act="relu")
        assert tiny_config() != "a config"

    def test_a_copy_and_a_pickle_are_equal_and_independent(self) -> None:
        config = tiny_config(extra=[1, 2], pruned_heads={0: [1]})
        for twin in (copy.deepcopy(config), pickle.loads(pickle.dumps(config))):
            assert twin == config
            twin.extra.append(3)
            assert config.extra == [1, 2]

    def test_update_sets_several_fields_and_checks_them(self) -> None:
        config = tiny_config()
        config.update({"hidden_act": "relu", "use_cache": False})
        assert (config.hidden_act, config.use_cache) == ("relu", False)
        with pytest.raises(ValueError, match="hidden_dropout_prob = 2 must be"):
            config.update({"hidden_dropout_prob": 2})

    def test_its_text_is_its_json(self) -> None:
        config = tiny_config()
        assert repr(config) == f"BertConfig {config.to_json_string()}"


class TestLabels:
    def test_a_number_of_labels_names_them(self) -> None:
        config = BertConfig(num_labels=3)
        assert config.id2label == {0: "LABEL_0", 1: "LABEL_1", 2: "LABEL_2"}
        assert config.label2id == {"LABEL_0": 0, "LABEL_1": 1, "LABEL_2": 2}

    def test_names_give_the_number_and_the_way_back(self) -> None:
        config = BertConfig(id2label={0: "bad", 1: "fair", 2: "good"})
        assert config.num_labels == 3
        assert config.label2id == {"bad": 0, "fair": 1, "good": 2}

    def test_json_turns_label_numbers_to_text_and_reading_turns_them_back(self, tmp_path: Path) -> None:
        BertConfig(id2label={0: "no", 1: "yes"}, label2id={"no": 0, "yes": 1}).save_pretrained(tmp_path)
        assert json.loads((tmp_path / "config.json").read_text())["id2label"] == {"0": "no", "1": "yes"}
        assert BertConfig.from_pretrained(tmp_path).id2label == {0: "no", 1: "yes"}

    def test_setting_another_number_renames_the_labels_and_the_same_number_keeps_them(self) -> None:
        config = BertConfig(id2label={0: "no", 1: "yes"})
        config.num_labels = 2
        assert config.id2label == {0: "no", 1: "yes"}
        config.num_labels = 3
        assert config.id2label == {0: "LABEL_0", 1: "LABEL_1", 2: "LABEL_2"}

    def test_two_unnamed_labels_are_not_worth_writing_down(self) -> None:
        assert "id2label" not in written(BertConfig())
        assert "id2label" in written(BertConfig(num_labels=3))


class TestDtype:
    @pytest.mark.parametrize("field", ["dtype", "torch_dtype"])
    @pytest.mark.parametrize("value", [torch.float16, "torch.float16", "float16"])
    def test_both_names_and_every_spelling_mean_the_same(self, field: str, value: object) -> None:
        assert BertConfig(**{field: value}).torch_dtype is torch.float16

    @pytest.mark.parametrize("value", ["bfloat16", torch.bfloat16])
    def test_both_names_are_written(self, value: object) -> None:
        values = written(BertConfig(torch_dtype=value))
        assert (values["dtype"], values["torch_dtype"]) == ("bfloat16", "bfloat16")

    @pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16", "float64"])
    def test_a_dtype_comes_back_from_a_file(self, dtype: str, tmp_path: Path) -> None:
        config = BertConfig(torch_dtype=dtype)
        config.save_pretrained(tmp_path)
        assert BertConfig.from_pretrained(tmp_path).torch_dtype is getattr(torch, dtype)
        config.torch_dtype = dtype  # as `model.save_pretrained` sets it, there and here
        assert config.to_dict()["torch_dtype"] == dtype

    def test_no_dtype_is_written_as_nothing(self) -> None:
        assert {"dtype", "torch_dtype"}.isdisjoint(written(BertConfig()))


class TestEveryConfig:
    """What the reference's base class has, the configs of other models have too."""

    CONFIGS: ClassVar[list[Any]] = [PretrainedConfig, BertConfig, lambda **fields: pair_config(**fields)]

    @pytest.mark.parametrize("kind", CONFIGS)
    def test_has_labels(self, kind: Any) -> None:
        assert kind().id2label == {0: "LABEL_0", 1: "LABEL_1"}
        assert kind(num_labels=3).label2id == {"LABEL_0": 0, "LABEL_1": 1, "LABEL_2": 2}
        assert kind(id2label={"0": "no"}).num_labels == 1
        with pytest.raises(ValueError, match="num_labels = 0 must be a whole number of at least 1"):
            kind(num_labels=0)

    @pytest.mark.parametrize("kind", CONFIGS)
    def test_knows_where_it_came_from(self, kind: Any) -> None:
        config = kind(name_or_path="here")
        assert (config.name_or_path, config._name_or_path) == ("here", "here")
        config.name_or_path = Path("there")
        assert config._name_or_path == "there"
        assert "_name_or_path" not in config.to_dict()

    @pytest.mark.parametrize("kind", CONFIGS)
    def test_comes_back_from_a_file(self, kind: Any, tmp_path: Path) -> None:
        config = kind(num_labels=3, torch_dtype="float16", num_beams=2)
        config.to_json_file(tmp_path / "config.json")
        again = type(config).from_json_file(tmp_path / "config.json")
        assert again == config
        assert (again.num_labels, again.torch_dtype) == (3, torch.float16)

    def test_what_only_other_programs_add_comes_last(self) -> None:
        held = [field for field in vars(PretrainedConfig()) if "name" in field or "version" in field]
        assert held == ["_name_or_path", "transformers_version"]
        assert PretrainedConfig().pad_token_id is None


def pair_config(**fields: Any) -> EncoderDecoderConfig:
    return EncoderDecoderConfig.from_encoder_decoder_configs(tiny_config(), tiny_config(), **fields)


class TestReadingAndWriting:
    def test_a_round_trip_through_a_folder_keeps_every_field(self, tmp_path: Path) -> None:
        config = tiny_config(
            hidden_act="gelu_new", pruned_heads={1: [0, 2]}, is_decoder=True, num_labels=5, classifier_dropout=0.3
        )
        config.save_pretrained(tmp_path)
        again = BertConfig.from_pretrained(tmp_path)
        assert again.to_dict() == config.to_dict()
        assert again.pruned_heads == {1: [0, 2]}
        assert again.name_or_path == str(tmp_path)

    def test_a_round_trip_through_a_file_is_equality(self, tmp_path: Path) -> None:
        config = tiny_config(type_vocab_size=5)
        config.to_json_file(tmp_path / "any name.json")
        assert BertConfig.from_json_file(tmp_path / "any name.json") == config

    @pytest.mark.parametrize("use_diff", [True, False])
    def test_the_short_and_the_full_json_mean_the_same(self, use_diff: bool) -> None:
        config = tiny_config(num_labels=3, add_cross_attention=True, is_decoder=True)
        assert BertConfig.from_dict(json.loads(config.to_json_string(use_diff))) == config

    def test_unknown_fields_are_written_back(self, tmp_path: Path) -> None:
        values = {**SIZES, "model_type": "bert", "gradient_checkpointing": False, "my_notes": {"a": [1, None]}}
        (tmp_path / "config.json").write_text(json.dumps(values))
        BertConfig.from_pretrained(tmp_path).save_pretrained(tmp_path / "again")
        again = json.loads((tmp_path / "again" / "config.json").read_text())
        assert {field: again[field] for field in values} == values

    def test_what_today_no_longer_assumes_is_always_written(self) -> None:
        values = written(BertConfig())
        assert (values["is_decoder"], values["add_cross_attention"]) == (False, False)
        assert values["tie_word_embeddings"] is True
        assert values["model_type"] == "bert"
        assert values.keys().isdisjoint({"_name_or_path", "transformers_version"})

    def test_shared_fields_at_their_default_are_not_written(self) -> None:
        assert {"max_length", "num_beams", "pruned_heads", "torchscript"}.isdisjoint(written(BertConfig()))
        assert written(BertConfig(num_beams=4))["num_beams"] == 4

    def test_run_time_choices_are_not_written(self) -> None:
        config = BertConfig.from_pretrained(BUNDLED, attn_implementation="sdpa")
        assert config.attn_implementation == "sdpa"
        assert not any("attn" in field or "path" in field for field in config.to_dict())

    def test_a_function_as_activation_is_written_by_its_name(self) -> None:
        assert written(BertConfig(hidden_act=torch.relu))["hidden_act"] == "relu"

    @pytest.mark.parametrize(
        "function", [torch.tanh, torch.nn.functional.silu, gelu_new], ids=["tanh", "silu", "gelu_new"]
    )
    def test_such_a_function_comes_back(self, function: Callable[[Tensor], Tensor], tmp_path: Path) -> None:
        BertConfig(hidden_act=function).save_pretrained(tmp_path)
        assert get_activation(BertConfig.from_pretrained(tmp_path).hidden_act) is function

    def test_one_that_its_name_would_not_bring_back_is_not_saved(self, tmp_path: Path) -> None:
        def relu(x: Tensor) -> Tensor:
            return x.clamp(0, 6)

        for function in (relu, lambda x: x, torch.nn.GELU(approximate="tanh"), partial(gelu_new), torch.exp):
            config = BertConfig(hidden_act=function)
            with pytest.raises(TypeError, match=r"hidden_act = .* cannot be written to a file"):
                EncoderDecoderConfig.from_encoder_decoder_configs(config, BertConfig()).save_pretrained(tmp_path)
            with pytest.raises(TypeError, match=r"hidden_act = .* cannot be written to a file"):
                config.save_pretrained(tmp_path)
            assert "hidden_act" in repr(config)
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize(
        "fields", [{"best_loss": float("nan")}, {"task_specific_params": {"a": float("inf")}}, {"label": "\ud800"}]
    )
    def test_what_could_not_be_read_again_is_not_saved(self, fields: dict[str, Any], tmp_path: Path) -> None:
        model = BertModel(tiny_config())
        model.save_pretrained(tmp_path)
        before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
        model.config.update(fields)
        with pytest.raises(ValueError, match=r"config\.json cannot be written: it could not be read again"):
            model.save_pretrained(tmp_path)
        assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
        assert next(iter(fields)) in repr(model.config)

    def test_a_dictionary_is_no_name(self) -> None:
        with pytest.raises(ValueError, match=r"BertConfig\.from_dict makes one"):
            BertConfig.from_pretrained({"hidden_size": 8})

    def test_the_bundled_config_is_found_by_name_by_folder_and_by_file(self) -> None:
        from minibert.checkpoints import bundled_checkpoints

        folder = bundled_checkpoints()[BUNDLED]
        for source in (BUNDLED, folder, str(folder), folder / "config.json"):
            assert BertConfig.from_pretrained(source).hidden_size == 256

    def test_arguments_that_name_a_field_replace_its_value(self) -> None:
        config = BertConfig.from_pretrained(BUNDLED, hidden_dropout_prob=0.0, num_labels=7)
        assert (config.hidden_dropout_prob, config.num_labels) == (0.0, 7)

    def test_arguments_that_name_no_field_come_back_when_asked_for(self) -> None:
        config, unused = BertConfig.from_pretrained(BUNDLED, return_unused_kwargs=True, use_cache=False, colour="red")
        assert (config.use_cache, unused) == (False, {"colour": "red"})
        assert not hasattr(BertConfig.from_pretrained(BUNDLED, colour="red"), "colour")

    def test_a_dtype_is_the_model_loaders_argument_and_not_the_configs(self) -> None:
        config, unused = BertConfig.from_dict({"dtype": "float16"}, return_unused_kwargs=True, torch_dtype="float32")
        assert (config.torch_dtype, unused) == (torch.float16, {"torch_dtype": "float32"})

    def test_a_changed_config_is_checked_again_by_the_model(self) -> None:
        config = tiny_config()
        config.hidden_size = 33
        with pytest.raises(ValueError, match="hidden_size = 33 is not a multiple of num_attention_heads = 4"):
            BertModel(config)

    def test_where_it_was_read_from_is_not_where_another_program_did(self, tmp_path: Path) -> None:
        (tmp_path / "config.json").write_text(json.dumps({**SIZES, "_name_or_path": "bert-base-uncased"}))
        assert BertConfig.from_pretrained(tmp_path).name_or_path == str(tmp_path)


class OwnConfig(BertConfig):
    """A user's architecture on top of BERT."""

    model_type = "my-own"


class TestAnArchitectureOfOnesOwn:
    def test_it_is_saved_under_its_name_and_opens_again(self, tmp_path: Path) -> None:
        OwnConfig(**SIZES, depth=3).save_pretrained(tmp_path)
        assert json.loads((tmp_path / "config.json").read_text())["model_type"] == "my-own"
        for config in (OwnConfig.from_pretrained(tmp_path), OwnConfig.from_json_file(tmp_path / "config.json")):
            assert (type(config), config.depth, config.hidden_size) == (OwnConfig, 3, SIZES["hidden_size"])

    def test_it_opens_the_files_of_a_bert_but_a_bert_not_its_files(self, tmp_path: Path) -> None:
        BertConfig(**SIZES).save_pretrained(tmp_path / "bert")
        assert OwnConfig.from_pretrained(tmp_path / "bert").hidden_size == SIZES["hidden_size"]
        OwnConfig(**SIZES).save_pretrained(tmp_path / "own")
        with pytest.raises(ValueError, match=r"model_type is 'my-own'\. minibert opens BERT checkpoints only"):
            BertConfig.from_pretrained(tmp_path / "own")

    def test_a_model_of_it_is_saved_and_opens_again(self, tmp_path: Path) -> None:
        class OwnModel(BertModel):
            config_class = OwnConfig

        OwnModel(OwnConfig(**SIZES)).save_pretrained(tmp_path)
        model = OwnModel.from_pretrained(tmp_path)
        assert type(model.config) is OwnConfig
        assert not model.loading_report.needs_attention


class TestWhatNumPyAndJsonGive:
    """Whole numbers of NumPy are whole numbers, and JSON has only text for keys."""

    @pytest.mark.parametrize("field", ["vocab_size", "hidden_size", "num_hidden_layers", "num_labels", "pad_token_id"])
    def test_whole_numbers_of_numpy_are_sizes(self, field: str, tmp_path: Path) -> None:
        config = BertConfig(**{**SIZES, field: np.int64(4)})
        assert getattr(config, field) == 4
        config.save_pretrained(tmp_path)
        assert getattr(BertConfig.from_pretrained(tmp_path), field) == 4

    @pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16])
    def test_numbers_of_numpy_are_rates(self, dtype: type, tmp_path: Path) -> None:
        config = BertConfig(**SIZES, hidden_dropout_prob=dtype(0.25), layer_norm_eps=dtype(0.5))
        config.save_pretrained(tmp_path)
        assert BertConfig.from_pretrained(tmp_path).hidden_dropout_prob == 0.25

    @pytest.mark.parametrize("field", ["use_cache", "is_decoder", "output_attentions", "torchscript", "my_own"])
    def test_truths_of_numpy_are_truths(self, field: str, tmp_path: Path) -> None:
        BertConfig(**SIZES, **{field: np.bool_(True)}).save_pretrained(tmp_path)
        assert getattr(BertConfig.from_pretrained(tmp_path), field) is True

    @pytest.mark.parametrize("value", [np.arange(3), [np.arange(3)], {"a": np.float32(0.5)}, np.str_("x")])
    def test_what_numpy_holds_is_written_as_lists_and_numbers(self, value: Any, tmp_path: Path) -> None:
        BertConfig(**SIZES, my_own=value).save_pretrained(tmp_path)
        plain = {"a": 0.5} if isinstance(value, dict) else "x" if isinstance(value, str) else [0, 1, 2]
        assert BertConfig.from_pretrained(tmp_path).my_own == ([plain] if isinstance(value, list) else plain)

    @pytest.mark.parametrize("value", [{1, 2}, torch.ones(2), Path("a"), object(), [{3}], b"x", 1j])
    def test_what_no_file_can_hold_is_refused_by_its_value(self, value: Any, tmp_path: Path) -> None:
        config = BertConfig(**SIZES, my_own=value)
        with pytest.raises(TypeError, match=r"A config\.json cannot hold .* Give the field what it can"):
            config.save_pretrained(tmp_path)
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize("value", [np.bool_(True), True, 2.0, np.float64(2), "2", None])
    def test_what_is_no_whole_number_is_still_refused(self, value: object) -> None:
        with pytest.raises(ValueError, match="hidden_size"):
            BertConfig(hidden_size=value)

    def test_labels_by_text_keys_are_labels_by_number(self, tmp_path: Path) -> None:
        labels = {"0": "neg", "1": "pos"}
        BertConfig(**SIZES).save_pretrained(tmp_path)
        updated = BertConfig(**SIZES)
        updated.update({"id2label": labels})
        configs = [BertConfig(id2label=labels), BertConfig.from_pretrained(tmp_path, id2label=labels), updated]
        configs.append(BertConfig.from_dict({"id2label": labels}))
        for config in configs:
            assert config.id2label == {0: "neg", 1: "pos"}
            assert config.num_labels == 2

    def test_heads_pruned_under_text_keys_are_pruned(self) -> None:
        config = BertConfig(**SIZES)
        config.update({"pruned_heads": {"0": [1]}})
        assert config.pruned_heads == {0: [1]}
