"""JSON from strangers: what a standard reader takes and no checkpoint or task file means is refused, by the file's name, at once."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from minibert import AutoTokenizer, BertConfig, BertModel, BertTokenizer
from minibert.checkpoints import CheckpointError, open_weights, read_json
from minibert.checkpoints.files import parse_json
from minibert.tasks import Classification, QuestionAnswering
from minibert.training.pretraining import parse_phases
from tests.unit.tiny_bert import tiny

BOMBS = {
    "a name twice": '{"a": 1, "b": 2, "a": 3}',
    "a name twice, inside": '{"a": [{"b": {"c": 1, "c": 1}}]}',
    "a hundred thousand names, the last one twice": "{"
    + ", ".join(f'"{n}": 1' for n in range(100_000))
    + ', "99999": 1}',
    "10,000 lists": '{"a": ' + "[" * 10_000 + "]" * 10_000 + "}",
    "10,000 objects": '{"a": ' * 10_000 + "1" + "}" * 10_000,
    "100,000 brackets that never close": '{"a": ' + "[" * 100_000,
    "101 lists": '{"a": ' + "[" * 101 + "]" * 101 + "}",
    "half a surrogate pair": '{"a": "x\\ud800y"}',
    "half a surrogate pair as a name": '{"\\udfff": 1}',
    "half a surrogate pair in a list": '{"a": ["\\ud83d"]}',
    "1e999": '{"a": 1e999}',
    "-1e999": '{"a": [-1e999]}',
    "NaN": '{"a": NaN}',
    "Infinity": '{"a": {"b": -Infinity}}',
    "a number of 5,000 digits": '{"a": ' + "9" * 5000 + "}",
}
FILES: dict[str, Callable[[Path], object]] = {
    "config.json": BertConfig.from_pretrained,
    "model.safetensors.index.json": lambda folder: open_weights(folder).__enter__(),
    "pytorch_model.bin.index.json": lambda folder: open_weights(folder).__enter__(),
    "tokenizer.json": BertTokenizer.from_pretrained,
    "tokenizer_config.json": BertTokenizer.from_pretrained,
    "special_tokens_map.json": BertTokenizer.from_pretrained,
    "added_tokens.json": AutoTokenizer.from_pretrained,
}


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("bomb", BOMBS)
def test_a_file_of_a_checkpoint_is_refused_by_its_name(tmp_path: Path, file: str, bomb: str) -> None:
    (tmp_path / file).write_text(BOMBS[bomb])
    if "token" in file and file != "tokenizer.json":
        (tmp_path / "vocab.txt").write_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n")
    with pytest.raises(CheckpointError, match="not JSON in UTF-8") as caught:
        FILES[file](tmp_path)
    assert str(tmp_path / file) in str(caught.value)
    assert len(str(caught.value)) < 500 + len(str(tmp_path))


@pytest.mark.parametrize("bomb", [name for name in BOMBS if "e999" not in name and name not in ("NaN", "Infinity")])
@pytest.mark.parametrize("ending", ["jsonl", "json"])
def test_so_is_a_task_file(tmp_path: Path, bomb: str, ending: str) -> None:
    path = tmp_path / f"train.{ending}"
    path.write_text('{"text": "a", "label": "b"}\n' + BOMBS[bomb] + "\n")
    with pytest.raises(ValueError, match="not JSON") as caught:
        Classification().read(path)
    assert str(path) in str(caught.value)
    path = tmp_path / "questions.json"
    path.write_text(BOMBS[bomb])
    with pytest.raises(ValueError, match="not JSON") as caught:
        QuestionAnswering().read(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("number", ["NaN", "1e999", "-Infinity"])
def test_numbers_in_columns_of_a_task_file_are_the_columns_affair(tmp_path: Path, number: str) -> None:
    """Other programs write them for what is missing; as a label they are refused."""
    path = tmp_path / "train.jsonl"
    path.write_text(f'{{"text": "a", "label": "b", "score": {number}}}\n')
    assert len(Classification().read(path).items) == 1
    path.write_text(f'{{"text": "a", "label": {number}}}\n')
    with pytest.raises(ValueError, match="'label' must be a number"):
        Classification("regression").read(path)


@pytest.mark.parametrize(
    "text",
    [
        '{"a": "\\ud83d\\ude00 \\\\ud800"}',
        "[" * 99 + "]" * 99,
        '{"a": {"b": 1}, "b": 1}',
        "1e308",
        '"ü"',
        "[1e30, 0.1, -0.0]",
    ],
)
def test_what_the_standard_means_is_read(text: str) -> None:
    assert parse_json(text) == json.loads(text)


def test_a_file_larger_than_any_is_not_read(tmp_path: Path) -> None:
    with open(tmp_path / "config.json", "wb") as file:
        file.write(b"{}")
        file.truncate(65_000_000)
    with pytest.raises(CheckpointError, match="65,000,000 bytes, and none of a checkpoint's has more"):
        read_json(tmp_path / "config.json")


def edited(folder: Path, **changes: object) -> Path:
    tiny(BertModel).save_pretrained(folder)
    values = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**values, **changes}))
    return folder


class TestConfigs:
    """Sizes are compared with the file's tensors before memory or time is spent on a model."""

    CHANGES = (
        *({"num_hidden_layers": number} for number in (200, 20_000, 10**9, 2**63)),
        *({"vocab_size": number} for number in (10**7, 10**9, 10**12, 2**63, 10**4000)),
        *({"max_position_embeddings": number} for number in (10**7, 10**10)),
        *({"type_vocab_size": number} for number in (10**7, 2**31)),
        *({"intermediate_size": number} for number in (10**7, 2**40)),
        {"hidden_size": 2**20, "num_attention_heads": 1},
        {"hidden_size": 4096, "num_hidden_layers": 100},
        *({"num_labels": number} for number in (10**6, 10**9, 2**64)),
    )

    @pytest.mark.parametrize("changes", CHANGES, ids=lambda changes: str(changes)[:60])
    @pytest.mark.parametrize("ignore", [False, True])
    def test_that_ask_for_more_than_there_is_are_refused(
        self, tmp_path: Path, changes: dict[str, int], ignore: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        folder = edited(tmp_path, **changes)
        monkeypatch.setattr(BertModel, "__init__", lambda *_: pytest.fail("a model was built"))
        with pytest.raises((CheckpointError, ValueError), match=r"do not belong together|must be a whole number"):
            BertModel.from_pretrained(folder, ignore_mismatched_sizes=ignore)

    @pytest.mark.parametrize("changes", [{"vocab_size": 2**31}, {"num_hidden_layers": 10_001}, {"num_labels": 10**9}])
    def test_no_config_can_have_them(self, changes: dict[str, int]) -> None:
        with pytest.raises(ValueError, match=f"{next(iter(changes))} = .* must be a whole number"):
            BertConfig(**changes)

    @pytest.mark.parametrize("changes", [{"num_labels": 5000}, {"type_vocab_size": 4}, {"vocab_size": 120}])
    def test_a_head_or_a_table_may_be_new(self, tmp_path: Path, changes: dict[str, int]) -> None:
        from minibert import BertForSequenceClassification

        folder = edited(tmp_path, **changes)
        model = BertForSequenceClassification.from_pretrained(folder, ignore_mismatched_sizes=True)
        assert model.num_labels == changes.get("num_labels", 2)

    def test_layers_may_be_asked_for_that_the_file_lacks(self, tmp_path: Path) -> None:
        model = BertModel.from_pretrained(edited(tmp_path, num_hidden_layers=150), allow_missing=True)
        assert len(model.encoder.layer) == 150


PHASES = ["16:nan", "16:inf,32:-inf", "16:1e999", "9" * 5000 + ":1", "16:0.5,32:nan", "nan:1", "1e3:1", "16:-1,32:2"]


@pytest.mark.parametrize("text", PHASES, ids=lambda text: text[:20])
def test_phases_of_hostile_numbers_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="must be LENGTH:SHARE"):
        parse_phases(text)
