"""The recipes of the fine-tuning page: their commands are known, and the question that is asked gets its answer."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import click
import pytest

from minibert.cli import main
from tests.unit.cli.running import json_of, output_of
from tests.unit.docs.pages import DOCS, PAGES, ROOT

BLOCK = re.compile(r"^```bash\n(.*?)^```", flags=re.MULTILINE | re.DOTALL)


def commands(page: Path) -> list[list[str]]:
    """The words of every command of a page, behind `minibert`; its shell variables put in."""
    found, variables = list[list[str]](), dict[str, str]()
    for line in "\n".join(BLOCK.findall(page.read_text(encoding="utf-8"))).splitlines():
        name, equals, value = line.partition("=")
        if equals and name.isupper() and name.isidentifier():
            variables[name] = value.strip('"')
        for variable, value in variables.items():
            line = line.replace(f"${variable}", value)
        if line.startswith("minibert "):
            found.append(shlex.split(line.partition("  #")[0])[1:])
    return found


ALL = [(page.name, words) for page in [ROOT / "README.md", *PAGES] for words in commands(page)]


def test_the_commands_are_found() -> None:
    assert len(ALL) >= 30
    assert {words[0] for _, words in ALL} >= {"finetune", "predict", "vocab", "data", "pretrain", "eval", "explore"}


@pytest.mark.parametrize(("page", "words"), ALL, ids=[f"{page}: {' '.join(words)[:60]}" for page, words in ALL])
def test_a_command_of_a_page_has_options_that_there_are(page: str, words: list[str]) -> None:  # noqa: ARG001
    context, command = click.Context(main), main.get_command(click.Context(main), words[0])
    assert command is not None
    rest = words[1:]
    while isinstance(command, click.Group):
        command, rest = command.get_command(context, rest[0]), rest[1:]
    options = {name for option in command.params for name in (*option.opts, *option.secondary_opts)}
    assert {word for word in rest if word.startswith("-") and word != "-"} <= options | {"--help"}


@pytest.mark.slow(20)
def test_the_question_of_the_page_gets_its_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(ROOT / "tutorials" / "samples", tmp_path / "tutorials" / "samples")
    monkeypatch.chdir(tmp_path)
    page = commands(DOCS / "finetuning.md")
    [training] = [words for words in page if words[:2] == ["finetune", "qa"]]
    [asking] = [words for words in page if words[0] == "predict" and "--question" in words]
    output_of(*training)
    [answer] = json_of(*asking)["answers"]
    assert answer["answer"] == "Nils Aasen"
    assert answer["candidates"][0]["probability"] > 0.5
