"""`minibert check`: the exercises of the tutorials, checked."""

from __future__ import annotations

import contextlib
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..microscope.terminal import table
from .options import json_option, print_json

if TYPE_CHECKING:
    from ..course.checking import Chapter, Outcome


@click.command("check", short_help="Check your answers to a chapter's exercises.")
@click.argument("chapter", required=False, metavar="[NN]")
@click.option(
    "--folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The tutorials folder, when it is not here or above.",
)
@json_option
def check(chapter: str | None, folder: Path | None, as_json: bool) -> None:
    """Check the exercises of chapter NN; without NN, show how far you are in all of them.

    \b
    minibert check        how far am I?
    minibert check 4      every function of tutorials/exercises/04_*.py

    A function has passed, is not written yet, or gets a hint. The exit code is 1 while a function of chapter NN has
    not passed.
    """
    from ..course.checking import PASSED, check_chapter, find_chapter, find_chapters, find_tutorials

    tutorials = find_tutorials(folder)
    # what an exercise prints must not end up in the JSON
    with contextlib.redirect_stdout(sys.stderr) if as_json else contextlib.nullcontext():
        if chapter is None:
            progress = [_progress(one) for one in find_chapters(tutorials)]
        else:
            outcomes = check_chapter(find_chapter(tutorials, chapter))
    if chapter is None:
        print_json(progress) if as_json else _show_progress(progress)
        return
    print_json([vars(outcome) for outcome in outcomes]) if as_json else _show_outcomes(outcomes)
    if any(outcome.status != PASSED for outcome in outcomes):
        click.get_current_context().exit(1)


def _progress(chapter: Chapter) -> dict[str, str | int]:
    """A row of the table: how many functions of a chapter passed, and which is the next to write."""
    from ..course.checking import PASSED, check_chapter

    row: dict[str, str | int] = {"chapter": int(chapter.number), "exercises": chapter.name}
    try:
        outcomes = check_chapter(chapter)
    except (OSError, ValueError):
        return {**row, "passed": 0, "of": 0, "next": f"the file cannot be run: minibert check {int(chapter.number)}"}
    open_ones = [outcome for outcome in outcomes if outcome.status != PASSED]
    following = f"{open_ones[0].function}: {open_ones[0].status}" if open_ones else ""
    return {**row, "passed": len(outcomes) - len(open_ones), "of": len(outcomes), "next": following}


def _show_progress(progress: list[dict[str, str | int]]) -> None:
    header = ("chapter", "exercises", "passed", "of", "next")
    click.echo(table(header, [[row[column] for column in header] for row in progress], right=(0, 2, 3)))
    passed, functions = (sum(int(row[column]) for row in progress) for column in ("passed", "of"))
    click.echo(f"\n{passed} of {functions} functions passed. `minibert check NN` gives the hints of a chapter.")


def _show_outcomes(outcomes: list[Outcome]) -> None:
    from ..course.checking import PASSED

    for outcome in outcomes:
        good = outcome.status == PASSED
        mark = click.style("✓", fg="green") if good else "·"
        click.echo(f"{mark} {outcome.function}: {outcome.status}")
        if outcome.hint:
            click.echo(textwrap.indent(textwrap.fill(outcome.hint, 90), "    "))
    click.echo(f"\n{sum(outcome.status == PASSED for outcome in outcomes)} of {len(outcomes)} passed.")
