"""What fuzzing found, each in its smallest form: refused in a sentence, or read right, for good."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from minibert import BertConfig, BertTokenizer
from minibert.checkpoints import CheckpointError, open_weights
from minibert.checkpoints.files import read_index, read_json
from minibert.tasks import read_tags
from tests.fuzz.readers import PIECES, READERS
from tests.unit.checkpoints.tensorflow_writer import write_checkpoint, write_index

TOKENIZER_FILES: list[tuple[str, Any]] = [
    *(("added_tokens.json", {"xnew": value, "other": 32}) for value in ([], {}, "32", None, 1.5, True)),
    *(
        ("tokenizer_config.json", {"added_tokens_decoder": value})
        for value in (5, "x", [1], {"62": 5}, {"62": {}}, {"x": {}})
    ),
    ("tokenizer_config.json", {"added_tokens_decoder": {"9" * 5000: {"content": "a"}}}),
    ("tokenizer_config.json", {"added_tokens_decoder": {"-1": {"content": "a"}}}),
    *(
        ("tokenizer_config.json", {"added_tokens_decoder": {"27": {"content": "a", flag: value}}})
        for flag in ("special", "normalized")
        for value in (2**63 - 1, "false", None, [])
    ),
    *(
        ("tokenizer_config.json", {name: "\ud800"})
        for name in ("bos_token", "name_or_path", "unk_token", "never_split")
    ),
    *(
        ("tokenizer_config.json", {"model_max_length": value})
        for value in (float("inf"), float("nan"), 0, -1, "512", [])
    ),
    *(("special_tokens_map.json", {"cls_token": value}) for value in (5, ["x"], {"content": 5}, True)),
    *(
        ("tokenizer_config.json", {name: value})
        for name in ("max_input_chars_per_word", "do_lower_case", "strip_accents")
        for value in ([], {}, "5")
    ),
    ("tokenizer_config.json", {"max_input_chars_per_word": None}),
]


@pytest.mark.parametrize(("name", "content"), TOKENIZER_FILES)
def test_a_tokenizer_file_of_another_kind_is_refused(tmp_path: Path, name: str, content: Any) -> None:
    (tmp_path / "vocab.txt").write_text("\n".join(PIECES) + "\n", encoding="utf-8")
    (tmp_path / name).write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises((CheckpointError, ValueError)) as refused:
        BertTokenizer.from_pretrained(tmp_path)
    assert not isinstance(refused.value, UnicodeError)
    assert any(each in str(refused.value) for each in (str(tmp_path), "token", *content))


@pytest.mark.parametrize(
    "text",
    [
        '{"a": "\\ud800"}',
        '{"\\uDFFF": 1}',
        '{"a": ["\\ud83d"]}',
        '{"a": "x\\udc00y"}',
        '["\\ud800"]',
        '{"a": {"b": "\\uD800\\uD800"}}',
    ],
)
def test_half_a_character_in_json_is_refused_by_file(tmp_path: Path, text: str) -> None:
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(CheckpointError, match=r"config\.json: "):
        read_json(tmp_path / "config.json")


def test_a_whole_pair_of_halves_in_json_is_a_character(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"a": "\\ud83d\\ude00"}')
    assert read_json(tmp_path / "config.json") == {"a": "😀"}


@pytest.mark.parametrize("length", [256, 5_000, 100_000])
def test_a_name_that_no_system_takes_is_no_file(tmp_path: Path, length: int) -> None:
    index = tmp_path / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {"a": "x" * length}}))
    assert read_index(index)
    with pytest.raises(CheckpointError, match="no such file"), open_weights(index):
        pass


@pytest.mark.parametrize(
    "line", ["Sentence #,Word,POS,Tag", "word\ttag", "words\tner_tags", "token\tlabel", "# a\n\nword\ttag", "word,tag"]
)
def test_a_file_of_tags_that_is_a_header_alone_is_refused(tmp_path: Path, line: str) -> None:
    path = tmp_path / ("tags.csv" if "," in line else "tags.tsv")
    path.write_text(line + "\n")
    with pytest.raises(ValueError, match=r"tags\.\w+' has no words|tags\.\w+', line"):
        read_tags(path)


@pytest.mark.parametrize("shape", [(), (1,), (2, 2, 2, 2), (3, 1, 2)])
def test_a_tensor_of_any_shape_under_the_name_of_a_matrix_is_read(tmp_path: Path, shape: tuple[int, ...]) -> None:
    tensor = torch.arange(float(torch.Size(shape).numel())).view(shape)
    write_checkpoint(tmp_path, {"bert/pooler/dense/kernel": tensor})
    with open_weights(tmp_path / "model.ckpt.index") as weights:
        (read,) = (weight.read() for weight in weights.values())
    assert torch.equal(read, tensor.permute(tuple(reversed(range(len(shape))))))


@pytest.mark.parametrize(
    "how", ["all at one", "one byte over", "inside", "the same twice", "a thousand", "behind another"]
)
def test_tensors_of_a_tensorflow_index_do_not_overlap(tmp_path: Path, how: str) -> None:
    names = [f"bert/layer_{n:03d}" for n in range(1000 if how == "a thousand" else 3)]
    entries = write_checkpoint(tmp_path, {name: torch.ones(8) for name in names})
    first, other = entries[names[0]], entries[names[-1]]
    match how:
        case "one byte over":
            other[4] = entries[names[1]][4] + 31
        case "inside":
            other[4] = 4
        case "the same twice" | "behind another":
            other[4] = entries[names[1]][4]
        case _:
            for entry in entries.values():
                entry[4], entry[6] = first[4], first[6]
    write_index(tmp_path, entries)
    with (
        pytest.raises(CheckpointError, match="begins inside the tensor before it"),
        open_weights(tmp_path / "model.ckpt.index"),
    ):
        pass


@pytest.mark.parametrize(
    "field", ["use_return_dict", "to_dict", "hidden_size_per_head", "__class__", "update", "attribute_map", "assumed"]
)
def test_a_field_of_a_config_file_takes_the_place_of_nothing(tmp_path: Path, field: str) -> None:
    READERS["config"].write(tmp_path)
    path = tmp_path / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), field: 5}))
    with pytest.raises(ValueError, match=f"'{field}' is the name of something else"):
        BertConfig.from_pretrained(tmp_path)


@pytest.mark.parametrize("name", ["bos_token", "eos_token", "cls_token", "sep_token", "pad_token", "mask_token"])
def test_an_empty_role_is_looked_for_nowhere(tmp_path: Path, name: str) -> None:
    (tmp_path / "vocab.txt").write_text("\n".join([*PIECES, ""]) + "\n", encoding="utf-8")
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({name: ""}))
    assert BertTokenizer.from_pretrained(tmp_path).tokenize("the cat") == ["the", "cat"]
