"""What `--help` says: sentences, and examples that run."""

from __future__ import annotations

import importlib.util
import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from course.samples import sample
from minibert.cli import main
from tests.unit.cli.running import run
from tests.unit.training.small_run import text

TRAINED = re.compile(r"my-(?!vocabulary)|torchrun|minibert (pretrain|finetune|check)|--file")


def commands(command: click.Command = main, name: str = "") -> Iterator[tuple[str, click.Command]]:
    """Every command with its words."""
    yield name.strip(), command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for each in command.list_commands(context):
            found = command.get_command(context, each)
            assert found is not None
            yield from commands(found, f"{name} {each}")


ALL = list(commands())
OPTIONS = [(name, each) for name, command in ALL for each in command.params if isinstance(each, click.Option)]


@pytest.mark.parametrize("name", [name for name, _ in ALL])
def test_no_value_is_called_by_its_type(name: str) -> None:
    text = run(*name.split(), "--help").stdout
    for kind in ("RANGE", "INTEGER", "FLOAT", '[default: ""]'):
        assert kind not in text


@pytest.mark.parametrize(
    "option", [each for _, each in OPTIONS], ids=[f"{name} {each.opts[0]}" for name, each in OPTIONS]
)
def test_an_option_is_explained_in_a_sentence(option: click.Option) -> None:
    said = re.sub(r"  \[.*", "", option.help or "")
    assert re.fullmatch(r'([A-Z]|").*\.', said), said
    assert len(said.split()) >= 3, said
    assert not re.match(r"(The|Of|How|What|Their|Whose|In which|Where)\b", said), said  # a verb with its object
    if type(option.type).__name__ == "Count":
        assert re.search(r"\bN(th)?\b", said), said
    if type(option.type).__name__ == "Number":
        assert re.search(r"\bX\b|[Tt]his share", said), said


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files that the examples name."""
    path = tmp_path_factory.mktemp("examples")
    (path / "novels").mkdir()
    (path / "novels" / "one.txt").write_text(text(1), encoding="utf-8")
    (path / "novels" / "two.txt").write_text(text(2), encoding="utf-8")
    shutil.copy(sample("sentences.txt"), path / "novel.txt")
    return path


def examples(command: click.Command) -> list[str]:
    return re.findall(r"^ *(minibert .+)$", command.help or "", flags=re.MULTILINE)


RUN = {name: [line for line in examples(command) if not TRAINED.search(line)] for name, command in ALL}
LINES = [line for lines in RUN.values() for line in lines]


def test_the_examples_are_found() -> None:
    assert len(LINES) >= 16
    assert {shlex.split(line)[1] for line in LINES} >= {"fill-mask", "tokenize", "explore", "vocab", "data", "eval"}


@pytest.mark.seconds
@pytest.mark.parametrize("name", [name for name, lines in RUN.items() if lines])
def test_the_examples_of_the_help_run(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    for line in RUN[name]:
        words = shlex.split(line)[1:]
        if words[0] == "parity" and importlib.util.find_spec("transformers") is None:
            words += ["--reference", "novels-4l-256h"]
        if words[0] == "data":
            shutil.rmtree("corpus", ignore_errors=True)
        if words[0] == "eval":
            words += ["--batches", "1", "--rows", "2"]
        result = run(*words)
        assert result.exit_code == 0, (line, result.output)


FIRST = {
    'minibert fill-mask "He shook his [MASK]."': "head",
    'minibert tokenize "The unkindest cut"': "##est",
    'minibert tokenize "Who is there?" --second "Nobody."': "nobody",
}


@pytest.mark.parametrize("line", FIRST)
def test_an_example_answers_as_one_would_hope(line: str) -> None:
    assert line in LINES
    assert FIRST[line] in run(*shlex.split(line)[1:]).stdout
