"""The command line as a newcomer meets it: help, version, and both ways to start it."""

import json
import subprocess
import sys
from pathlib import Path

import click
import pytest

import minibert
from minibert.cli import main
from tests.unit.cli.running import output_of, run

COMMANDS = {"attention", "fill-mask", "inspect", "parity", "tokenize", "trace"}


def test_the_help_names_every_command_with_what_it_does() -> None:
    text = output_of("--help")
    listed = {line.split()[0] for line in text.split("Commands:")[1].splitlines() if line.strip()}
    assert listed >= COMMANDS
    assert "offline" in text
    assert output_of("-h") == text


@pytest.mark.parametrize("command", sorted(COMMANDS))
@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_every_command_explains_itself(command: str, flag: str) -> None:
    text = output_of(command, flag)
    assert text.startswith(f"Usage: minibert {command} [OPTIONS]")
    assert "--json" in text
    assert "Hugging Face hub" in " ".join(text.split())  # where a model can come from


def test_options_show_their_defaults() -> None:
    assert "[default: 5" in output_of("fill-mask", "--help")
    assert "[default: novels-4l-256h]" in output_of("tokenize", "--help")


def test_without_a_command_the_help_is_shown() -> None:
    assert "Commands:" in run().output


def test_the_version_is_the_packages() -> None:
    assert output_of("--version") == f"minibert, version {minibert.__version__}\n"


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["check", "--help"], ["finetune", "--help"]])
def test_help_is_quick_for_it_does_not_import_torch(arguments: list[str]) -> None:
    program = (
        "import sys; from minibert.cli import main; main(standalone_mode=False); assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, check=True)


def test_every_command_of_the_list_is_there_under_its_name() -> None:
    context = click.Context(main)
    commands = [main.get_command(context, name) for name in main.list_commands(context)]
    assert [command.name for command in commands if command] == main.list_commands(context)
    assert main.get_command(context, "fill_mask") is None


@pytest.mark.seconds
def test_python_dash_m_minibert_is_the_same_program(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "minibert", "fill-mask", "He shook his [MASK].", "--json"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, encoding="utf-8", check=True)
    assert result.stderr == ""
    assert json.loads(result.stdout)["blanks"][0]["predictions"][0]["token"] == "head"


@pytest.mark.seconds
def test_outside_of_pytest_a_mistake_is_one_line_and_exit_code_1(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "minibert", "fill-mask", "nothing is missing here"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, encoding="utf-8", check=False)
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith("Error: The text has no blank.")
    assert result.stderr.count("\n") == 1
