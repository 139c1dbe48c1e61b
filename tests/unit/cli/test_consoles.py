"""What commands print is right in every console: a pipe on Windows, a narrow terminal, a text that is too long, a misspelt model."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from minibert.terminal import display_width, terminal_width

from .running import run

ROOT = Path(__file__).parents[3]
BLANK = "He shook his [MASK]."


def piped(*command: str) -> subprocess.CompletedProcess[bytes]:
    """Run Python with its output in a pipe and Windows' usual code page."""
    environment = {**os.environ, "PYTHONIOENCODING": "cp1252", "OMP_NUM_THREADS": "1"}
    return subprocess.run([sys.executable, *command], cwd=ROOT, env=environment, capture_output=True, check=False)


@pytest.mark.seconds
@pytest.mark.parametrize(
    ("command", "written"),
    [
        (["fill-mask", BLANK], "█"),
        (["tokenize", "Zoë 你好 ✓"], "─"),
        pytest.param(["attention", BLANK], "░", marks=pytest.mark.slow),
        pytest.param(["trace", "hi"], "√", marks=pytest.mark.slow),
        pytest.param(["inspect", "novels-4l-256h"], "×", marks=pytest.mark.slow),
        pytest.param(["tokenize", "你好", "--json"], "你", marks=pytest.mark.slow),
        (["tokenize", "--help"], "TEXT"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_a_pipe_gets_utf8_whatever_the_code_page(command: list[str], written: str) -> None:
    result = piped("-m", "minibert", *command)
    assert result.returncode == 0, result.stderr
    assert written in result.stdout.decode("utf-8")


@pytest.mark.seconds
def test_a_pipe_gets_errors_in_utf8() -> None:
    result = piped("-m", "minibert", "inspect", "./模型")
    assert result.returncode == 1
    assert "模型: no such folder" in result.stderr.decode("utf-8")


@pytest.mark.slow
def test_a_chapter_writes_utf8_to_a_file() -> None:
    result = piped("tutorials/04_attention.py")
    assert result.returncode == 0, result.stderr
    assert "√" in result.stdout.decode("utf-8")


@pytest.mark.parametrize("columns", [40, 60, 80, 100, 200])
@pytest.mark.parametrize("options", [[], ["--numbers"]], ids=["equations", "numbers"])
def test_a_walk_fits_the_terminal(columns: int, options: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    lines = run("trace", BLANK, *options, "--depth", "3").stdout.splitlines()
    assert max(map(display_width, lines)) <= columns
    assert any("embeddings" in line for line in lines)


def test_what_goes_to_a_file_is_not_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.setattr("sys.__stdout__", None)
    assert terminal_width() == 120
    assert "attention.py:" in run("trace", BLANK).stdout


@pytest.mark.parametrize(
    "command", [["fill-mask"], ["trace", "--depth", "1"], ["attention"]], ids=lambda command: command[0]
)
def test_a_text_longer_than_the_model_was_trained_on_is_answered_with_a_warning(command: list[str]) -> None:
    name, *options = command
    text = "He walked on and on down the road . " * 16 + BLANK
    result = run(name, text, *options)
    assert result.exit_code == 0
    assert result.stderr.count("Warning") == 1
    assert "151 pieces, and the model was trained on texts of at most 128" in result.stderr
    assert "Warning" not in run(name, BLANK, *options).stderr


@pytest.mark.parametrize("name", ["runs/modle", "runs/mode", "runs/model/", "./runs/modl"])
def test_a_misspelt_folder_is_named_with_the_nearest_at_once(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs" / "model").mkdir(parents=True)
    (tmp_path / "runs" / "model" / "config.json").write_text("{}")
    monkeypatch.setattr("huggingface_hub.HfApi.hf_hub_download", lambda *_, **__: pytest.fail("the hub was asked"))
    error = run("predict", "x", "--model", name).stderr
    assert ("Did you mean runs/model?" in error) == (name != "runs/model/")


def test_a_folder_one_level_too_high_is_answered_with_the_right_one(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").write_text("{}")
    assert f"Did you mean {tmp_path / 'model'}?" in run("inspect", str(tmp_path)).stderr


def test_a_misspelt_bundled_name_is_answered_with_the_right_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert "Did you mean novels-4l-256h?" in run("inspect", "novels-4l-256").stderr


def test_a_hub_whose_address_is_unknown_is_not_asked_again_and_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for variable in (
        "HF_HUB_OFFLINE",
        "TRANSFORMERS_OFFLINE",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "http_proxy",
        "https_proxy",
    ):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HF_ENDPOINT", "http://no-such-host.invalid")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("time.sleep", lambda _: pytest.fail("the library waits to try again"))
    error = run("inspect", "owner/name").stderr
    assert "the hub cannot be reached" in error
    assert "Load it once with a connection" in error


def test_an_option_that_cannot_be_is_refused_before_the_prompt_is_printed() -> None:
    result = run("generate", "It was a dark and", "--sample", "--temperature", "0")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert "temperature is 0.0" in result.stderr


ANSWERED_WITHOUT_TORCH = """
import sys
from click.testing import CliRunner
from minibert.cli import COMMANDS, main

for arguments in ([], ["--version"], ["--help"], ["nonsense"], *([name, "--help"] for name in COMMANDS)):
    CliRunner().invoke(main, arguments)
    assert "torch" not in sys.modules, arguments
for name in COMMANDS:
    CliRunner().invoke(main, [name, "--no-such-option"])
    assert "torch" not in sys.modules, name
"""


def test_help_versions_and_usage_errors_are_answered_without_importing_torch() -> None:
    subprocess.run([sys.executable, "-c", ANSWERED_WITHOUT_TORCH], cwd=ROOT, check=True)


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ("minibert fi", ["fill-mask", "finetune"]),
        ("minibert fill-mask --to", ["--top-k"]),
        ("minibert finetune ", ["classify", "tag", "qa"]),
        ("minibert finetune classify --precision bfloat16 --att", ["--attention"]),
        ("minibert nothing", []),
    ],
)
def test_a_shell_completes_commands_and_options_without_importing_torch(words: str, wanted: list[str]) -> None:
    program = "import sys; from minibert.cli import main; import atexit; "
    program += "atexit.register(lambda: print('torch' in sys.modules)); main(prog_name='minibert')"
    request = {"_MINIBERT_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
    result = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={**os.environ, **request},
        capture_output=True,
        text=True,
        check=False,
    )
    *found, imported = result.stdout.split()
    assert imported == "False"
    assert {f"plain,{word}" for word in wanted} <= set(found)
    assert bool(found) == bool(wanted)


def test_every_command_keeps_freed_memory_for_its_next_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bool] = []
    monkeypatch.setattr("minibert.cli.keep_freed_memory", lambda: asked.append(True))
    for words in (["tokenize", "a storm"], ["predict", "a storm", "--model", "no/such"], ["eval"]):
        run(*words)
    assert len(asked) == 3
