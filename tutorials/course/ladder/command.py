"""What `minibert check my-bert` prints."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from textwrap import indent
from typing import Any

import click

from minibert.cli.language import Language
from minibert.cli.options import print_json
from minibert.visible import visible

from ..checking import BLANK
from .certificate import certificate
from .climbing import climb_parts, climb_top
from .parts import PARTS, find_part, titled
from .result import WAITING, Result
from .student import check_folder_is_there, make_folder


def start(folder: Path, language: Language) -> None:
    """Make a folder to begin with, and say what to do next."""
    for path in make_folder(folder, "zh" if language.chinese else "en"):
        click.echo(f"{visible(path)}")
    following = "Read README.md there, write part 1 in my_bert.py, and check it:  minibert check my-bert"
    click.echo(language.say(f"\n{following} {visible(folder)}"))


def show_ladder(folder: Path, certificate_file: Path | None, as_json: bool, language: Language) -> bool:
    """Grade a student's BERT and print it, part by part. Returns whether all is right. certificate_file: where to write the report."""
    check_folder_is_there(folder)
    folder, results = folder.resolve(), list[Result]()
    for result in climb_parts(folder):
        results.append(result)
        if not as_json:
            show_part(result, language)
    top: dict[str, Any] | None = None
    if all(result.passed for result in results):
        from .top import find_minilm  # here, since it imports torch

        top = climb_top(folder, find_minilm())
    done = top is not None and not top["wrong"]
    if certificate_file is not None:
        write(certificate_file, language.say(certificate(results, top, folder)))
    if as_json:
        print_json({"parts": [vars(result) for result in results], "top": top})
    else:
        show_end(results, top, language)
        if certificate_file is not None:
            click.echo(language.say(f"The report is in {visible(certificate_file)}."))
    return done


def show_part(result: Result, language: Language) -> None:
    """A line for a part, and its hint."""
    mark = click.style("✓", fg="green") if result.passed else "·"
    bits = ", to the bit" if result.passed and result.bits else ""
    status = f"{result.status} {result.hint}" if result.status == WAITING else result.status
    minutes = f" (about {find_part(result.part).minutes} minutes)" if result.status == BLANK else ""
    said = f"{titled(result.part)}: {visible(status)}{bits}{minutes}"
    click.echo(f"{mark} {language.say(said)}")
    if result.hint and result.status not in (WAITING, BLANK):
        if result.blamed and result.blamed != result.part:
            hint = f"The fault is in {titled(result.blamed)}, which passed, and shows here. {result.hint}"
        else:
            hint = result.hint
        click.echo(indent(language.fill(visible(hint), 100), "    "))


def show_end(results: list[Result], top: dict[str, Any] | None, language: Language) -> None:
    """The count, and what the student's BERT can do."""
    passed = sum(result.passed for result in results)
    click.echo(language.say(f"\n{passed} of {len(PARTS)} parts passed."))
    if top is None:
        left = next(result for result in results if not result.passed and result.status != WAITING)
        click.echo(language.say(f"Next: {titled(left.blamed or left.part)}."))
        return
    for text, *words in top["blanks"]:
        click.echo(f"  {text}  {', '.join(map(visible, words))}")
    if top["minilm"] is not None:
        click.echo(language.say(f"  all-MiniLM-L6-v2: its hidden states within {top['minilm']:.1g}"))
    if top["wrong"]:
        click.echo(language.say(f"At the top something is not right yet. {visible(top['wrong'])}"))
        return
    enough = f"as well as the library's training, from {top['least']:.0%} up"
    click.echo(language.say(f"  the small task: {top['score']:.0%} right ({enough})\n\nThis BERT is yours."))


def write(path: Path, text: str) -> None:
    """Write a file under a temporary name, and rename it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    number, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    with os.fdopen(number, "w", encoding="utf-8") as file:
        file.write(text)
    Path(name).chmod(0o644)
    Path(name).replace(path)
