"""What `minibert check` prints."""

from __future__ import annotations

import contextlib
import sys
import textwrap
from pathlib import Path

import click

from minibert.cli.options import print_json
from minibert.terminal import table
from minibert.visible import visible

from .checking import Checker, Outcome, find_chapter, find_chapters, progress_in


def show_progress(tutorials: Path, as_json: bool) -> None:
    """Print for every chapter how many of its functions pass."""
    with _printing(as_json), Checker() as checker:
        progress = [progress_in(chapter, checker) for chapter in find_chapters(tutorials)]
    if as_json:
        print_json(progress)
        return
    header = ("chapter", "exercises", "passed", "of", "next")
    click.echo(table(header, [[row[column] for column in header] for row in progress], right=(0, 2, 3)))
    passed, functions = (sum(int(row[column]) for row in progress) for column in ("passed", "of"))
    click.echo(f"\n{passed} of {functions} functions passed. `minibert check NN` gives the hints of a chapter.")


def show_outcomes(tutorials: Path, number: str, as_json: bool) -> bool:
    """Print the result of every function of a chapter, each as soon as it is known. Returns whether all passed."""
    chapter = find_chapter(tutorials, number)
    outcomes = list[Outcome]()
    with Checker() as checker:
        with _printing(as_json):
            for outcome in checker.outcomes(chapter):
                outcomes.append(outcome)
                if not as_json:
                    _show(outcome)
        for trouble in checker.troubles:
            click.echo(f"{chapter.exercises.name}, {visible(trouble)}", err=True)
    passed = sum(outcome.passed for outcome in outcomes)
    if as_json:
        print_json([vars(outcome) for outcome in outcomes])
    else:
        click.echo(f"\n{passed} of {len(outcomes)} passed.")
    return passed == len(outcomes)


def _show(outcome: Outcome) -> None:
    mark = click.style("✓", fg="green") if outcome.passed else "·"
    click.echo(f"{mark} {visible(outcome.function)}: {visible(outcome.status)}")
    if outcome.hint:
        click.echo(textwrap.indent(textwrap.fill(visible(outcome.hint), 76), "    "))


def _printing(as_json: bool) -> contextlib.AbstractContextManager[object]:
    """What an exercise prints must not end up in the JSON."""
    return contextlib.redirect_stdout(sys.stderr) if as_json else contextlib.nullcontext()
