"""`minibert pretrain` for a newcomer: minutes in place of steps, sizes without a vocabulary, a field that is misspelt."""

from __future__ import annotations

import json
import logging
from itertools import count
from pathlib import Path

import pytest

from minibert import BertConfig
from minibert.config_files import misspelt
from minibert.data.corpus import PreparedData
from minibert.training.distributed import Processes
from minibert.training.pretraining import Phase, Recipe, steps_in
from tests.unit.cli.running import run
from tests.unit.training.small_run import SIZES, corpus

RUN = ("--tokens-per-step", "256", "--phases", "16:0.5,32:0.5", "--precision", "float32", "--evaluate-every", "50")
RECIPE = Recipe(tokens_per_step=256, phases=(Phase(16, 0.5), Phase(32, 0.5)))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> PreparedData:
    return corpus(tmp_path_factory.mktemp("corpus"))


def sizes(folder: Path, **fields: object) -> str:
    path = folder / "sizes.json"
    path.write_text(json.dumps({**SIZES, **fields}), encoding="utf-8")
    return str(path)


@pytest.mark.parametrize(("minutes", "steps"), [(0.001, 1), (1, 60), (2.5, 150)])
def test_minutes_are_as_many_steps_as_fit_at_the_pace_of_the_first(
    minutes: float, steps: int, data: PreparedData, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = count()
    monkeypatch.setattr("time.perf_counter", lambda: float(next(clock)))  # a second between two looks
    config = BertConfig(vocab_size=data.manifest["vocab_size"], **SIZES)
    assert steps_in(minutes, data, config, RECIPE, processes=Processes.alone()) == steps


@pytest.mark.seconds
def test_a_run_of_minutes_has_the_steps_it_began_with_when_it_is_resumed(
    data: PreparedData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("pretrain", "--data", str(data.folder), "--config", sizes(tmp_path), "--out", str(tmp_path / "run"), *RUN)
    monkeypatch.setattr("minibert.training.pretraining.steps_in", lambda *_, **__: 12)
    first = run(*words, "--minutes", "0.5")
    assert "0.5 minutes are about 12 steps." in first.stdout
    monkeypatch.setattr("minibert.training.pretraining.steps_in", lambda *_, **__: 999)
    again = run(*words, "--minutes", "0.5")
    assert again.exit_code == 0, again.output
    assert "about 12 steps" in again.stdout


def test_sizes_without_a_vocabulary_take_that_of_the_text(data: PreparedData, tmp_path: Path) -> None:
    out = tmp_path / "run"
    done = run(
        "pretrain", "--data", str(data.folder), "--config", sizes(tmp_path), "--out", str(out), "--steps", "2", *RUN
    )
    assert done.exit_code == 0, done.output
    assert BertConfig.from_pretrained(out / "model").vocab_size == data.manifest["vocab_size"]


@pytest.mark.parametrize("has_instructions", [True, False])
def test_where_bfloat16_takes_more_time_the_user_is_told(
    has_instructions: bool, data: PreparedData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("minibert.training.distributed.multiplies_bfloat16", lambda _device: has_instructions)
    words = ("pretrain", "--data", str(data.folder), "--config", sizes(tmp_path), "--out", str(tmp_path / "run"), *RUN)
    done = run(*words, "--steps", "1", "--precision", "bfloat16")
    assert done.exit_code == 0, done.output
    told = "This processor has no instructions for bfloat16: float32 takes less time here." in done.stderr
    assert told is not has_instructions


def test_another_vocabulary_is_still_refused(data: PreparedData, tmp_path: Path) -> None:
    config = sizes(tmp_path, vocab_size=99)
    refused = run("pretrain", "--data", str(data.folder), "--config", config, "--out", str(tmp_path / "run"), *RUN)
    assert "The config has vocab_size 99, the text" in refused.stderr


WRONG = {
    "hiden_size": "hidden_size",
    "num_hidden_layer": "num_hidden_layers",
    "num_attention_head": "num_attention_heads",
    "intermediate_sise": "intermediate_size",
    "max_position_embedding": "max_position_embeddings",
    "layer_norm_epsilon": "layer_norm_eps",
    "vocabsize": "vocab_size",
}


@pytest.mark.parametrize(("wrong", "right"), WRONG.items())
def test_a_misspelt_field_is_named_with_the_right_one(
    wrong: str, right: str, data: PreparedData, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, logger="minibert"):
        BertConfig(**{wrong: 1})
    assert f"{wrong} is no field of BertConfig and changes nothing: did you mean {right}?" in caplog.text
    config = sizes(tmp_path, **{wrong: 64})
    refused = run("pretrain", "--data", str(data.folder), "--config", config, "--out", str(tmp_path / "run"), *RUN)
    assert refused.exit_code == 1
    assert f"{wrong} (did you mean {right}?)" in refused.stderr
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "field", ["hidden_size", "my_own", "gradient_checkpointing", "_attn_implementation", "language", "directionality"]
)
def test_other_fields_are_kept_without_a_word(field: str) -> None:
    assert misspelt([field], vars(BertConfig())) == {}
