"""Configs that cannot be: each is a ValueError that names the field, its value and what is allowed."""

import json
import math
from pathlib import Path
from typing import Any

import pytest

from minibert import BertConfig, BertModel
from minibert.checkpoints import CheckpointError
from tests.unit.tiny_bert import SIZES, tiny_config

AT_LEAST_ONE = "a whole number of at least 1"
AT_LEAST_ZERO = "a whole number of at least 0"
PROBABILITY = "a probability"
FINITE = "a finite number of at least 0"
BOOLEAN = "True or False"

OUT_OF_RANGE = [
    *[
        (field, value, AT_LEAST_ONE)
        for field in (
            *("vocab_size", "hidden_size", "num_attention_heads", "intermediate_size"),
            *("max_position_embeddings", "type_vocab_size"),
        )
        for value in (0, -1, 2.0, "8", None, True, [8])
    ],
    *[("num_hidden_layers", value, "a whole number from 0 to 10,000") for value in (-1, 1.5, "2", None, False, 10_001)],
    *[("chunk_size_feed_forward", value, AT_LEAST_ZERO) for value in (-1, 1.5, "2", None, False)],
    *[
        (field, value, PROBABILITY)
        for field in ("hidden_dropout_prob", "attention_probs_dropout_prob", "classifier_dropout")
        for value in (-0.1, 1.1, math.nan, math.inf, "0.1", True)
    ],
    *[
        (field, value, FINITE)
        for field in ("initializer_range", "layer_norm_eps")
        for value in (-1e-9, math.nan, math.inf, "1e-12", None, True)
    ],
    *[
        (field, value, BOOLEAN)
        for field in ("is_decoder", "add_cross_attention", "tie_word_embeddings", "torchscript", "use_cache")
        for value in (1, "yes", None)
    ],
    *[("pad_token_id", value, "a token id below vocab_size (99)") for value in (-1, 99, 1.0, "0", True)],
    *[("num_labels", value, AT_LEAST_ONE) for value in (0, -2, 2.0, "3", True)],
    *[("hidden_act", value, "an activation's name or a function") for value in (None, 3)],
    *[("problem_type", value, "single_label_classification") for value in ("ranking", 1, ["regression"])],
    *[("position_embedding_type", value, "relative_key_query") for value in ("rotary", None, 0)],
    *[("attn_implementation", value, "'eager', 'sdpa'") for value in ("flash_attention_2", 1)],
    *[("id2label", value, "whole numbers") for value in (["a", "b"], {"zero": "a"}, 3)],
    *[("pruned_heads", value, "whole numbers") for value in ([1], {"first": [0]}, 3)],
]


@pytest.mark.parametrize(("field", "value", "allowed"), OUT_OF_RANGE)
def test_a_value_out_of_range_is_refused_by_name(field: str, value: Any, allowed: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011  the three assertions below are the match
        BertModel(tiny_config(**{field: value}))
    message = str(caught.value)
    assert f"BertConfig: {field} = {value!r} must" in message
    assert allowed in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *[("num_hidden_layers", 0), ("hidden_dropout_prob", 0), ("hidden_dropout_prob", 1.0), ("pad_token_id", None)],
        *[("pad_token_id", 98), ("classifier_dropout", None), ("initializer_range", 0), ("layer_norm_eps", 0.0)],
    ],
)
def test_the_ends_of_a_range_are_allowed(field: str, value: Any) -> None:
    assert getattr(tiny_config(**{field: value}), field) == value


def test_a_width_that_the_heads_cannot_share_is_refused() -> None:
    with pytest.raises(ValueError, match="hidden_size = 30 is not a multiple of num_attention_heads = 4"):
        BertModel(tiny_config(hidden_size=30))


def test_cross_attention_without_a_decoder_is_refused() -> None:
    with pytest.raises(ValueError, match="add_cross_attention = True needs is_decoder = True"):
        BertModel(tiny_config(add_cross_attention=True))


WAITING = [
    *[{"hidden_size": 37}, {"add_cross_attention": True}, {"vocab_size": 0}, {"num_attention_heads": 0}],
    *[{"pad_token_id": 99}, {"pad_token_id": -1}, {"pruned_heads": {"a": [1]}}, {"pruned_heads": {0: 1}}],
    *[{"hidden_size": 0, "num_attention_heads": 0}, {"type_vocab_size": 0, "max_position_embeddings": 0}],
]


@pytest.mark.parametrize("fields", WAITING, ids=str)
def test_what_only_a_model_needs_is_checked_when_one_is_built_and_not_before(fields: dict[str, Any]) -> None:
    config = tiny_config(**fields)
    config.update({"hidden_act": "relu"})
    assert {field: getattr(config, field) for field in fields} == fields
    with pytest.raises(ValueError, match="BertConfig: "):
        BertModel(config)


def test_an_unknown_activation_is_refused_with_those_that_exist_when_the_model_is_built() -> None:
    with pytest.raises(ValueError, match=r"hidden_act = 'gelo' is no activation known here\. Use one of \['gelu'"):
        BertModel(tiny_config(hidden_act="gelo"))


def test_a_model_wants_a_config_and_says_how_to_open_a_checkpoint() -> None:
    with pytest.raises(ValueError, match=r"takes an instance of BertConfig, not of str.*BertModel\.from_pretrained"):
        BertModel("novels-4l-256h")  # type: ignore[arg-type]


@pytest.mark.parametrize(("layer", "heads"), [(7, [0]), (-9, [0]), (0, [4])])
def test_heads_pruned_from_places_that_do_not_exist_are_refused_when_the_model_is_built(
    layer: int, heads: list[int]
) -> None:
    with pytest.raises(ValueError, match="Cannot prune heads"):
        BertModel(tiny_config(pruned_heads={layer: heads}))


class TestFiles:
    def write(self, folder: Path, text: str | bytes) -> Path:
        (folder / "config.json").write_bytes(text.encode() if isinstance(text, str) else text)
        return folder

    @pytest.mark.parametrize(
        ("text", "complaint"),
        [
            ("{", "not JSON"),
            ("", "empty"),
            ("[1, 2]", "should hold a JSON object"),
            ('"bert"', "should hold a JSON object"),
            (b'{"vocab_size": \xff}', "not JSON in UTF-8 .*can't decode byte 0xff in position 15"),
        ],
        ids=["cut short", "empty", "a list", "a string", "not UTF-8"],
    )
    def test_a_file_that_is_no_json_object_is_refused_by_path(
        self, tmp_path: Path, text: str | bytes, complaint: str
    ) -> None:
        with pytest.raises(CheckpointError, match=complaint) as caught:
            BertConfig.from_pretrained(self.write(tmp_path, text))
        assert str(tmp_path / "config.json") in str(caught.value)

    @pytest.mark.parametrize("model_type", ["gpt2", "roberta", None, 3])
    def test_another_kind_of_model_is_refused_by_its_name(self, tmp_path: Path, model_type: object) -> None:
        folder = self.write(tmp_path, json.dumps({**SIZES, "model_type": model_type}))
        with pytest.raises(ValueError, match=f"model_type is {model_type!r}. minibert opens BERT checkpoints only"):
            BertConfig.from_pretrained(folder)

    def test_a_file_without_a_model_type_is_taken_for_a_bert(self, tmp_path: Path) -> None:
        assert BertConfig.from_pretrained(self.write(tmp_path, json.dumps(SIZES))).hidden_size == 32

    def test_a_value_out_of_range_in_a_file_is_refused_by_name(self, tmp_path: Path) -> None:
        folder = self.write(tmp_path, json.dumps({**SIZES, "num_attention_heads": 0}))
        with pytest.raises(ValueError, match="BertConfig: num_attention_heads = 0 must be"):
            BertModel(BertConfig.from_pretrained(folder))

    def test_an_override_out_of_range_is_refused_by_name(self, tmp_path: Path) -> None:
        folder = self.write(tmp_path, json.dumps(SIZES))
        with pytest.raises(ValueError, match="BertConfig: hidden_dropout_prob = 7 must be"):
            BertConfig.from_pretrained(folder, hidden_dropout_prob=7)

    def test_a_folder_without_a_config_says_what_it_holds(self, tmp_path: Path) -> None:
        (tmp_path / "notes.txt").write_text("hello")
        with pytest.raises(CheckpointError, match=r"has no config\.json.*notes\.txt"):
            BertConfig.from_pretrained(tmp_path)

    def test_a_file_cannot_be_saved_into_as_if_it_were_a_folder(self, tmp_path: Path) -> None:
        file = tmp_path / "model"
        file.write_text("precious")
        with pytest.raises(NotADirectoryError, match=r"is a file\. Give save_pretrained a folder"):
            tiny_config().save_pretrained(file)
        assert file.read_text() == "precious"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *[("id2label", {}), ("torch_dtype", "float99"), ("dtype", "int8"), ("pruned_heads", {0: 5})],
        *[("return_dict", "no"), ("output_attentions", 3), ("output_hidden_states", None), ("label2id", [1])],
    ],
)
def test_a_value_that_cannot_be_meant_is_refused_by_name(field: str, value: object) -> None:
    with pytest.raises(ValueError, match=f"BertConfig: {'torch_dtype' if field == 'dtype' else field} ="):
        BertModel(tiny_config(**{field: value}))


@pytest.mark.parametrize(
    "labels",
    [{"0": [1]}, {"0": {}}, {"0": "a", "1": 5}, {"0": "a", "1": None}, {"0": 1, "1": 2.5}, {"0": True, "1": "b"}],
)
def test_labels_that_are_no_names_are_refused(labels: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="the labels of id2label must all be text, and are"):
        BertConfig.from_dict({"id2label": labels})
