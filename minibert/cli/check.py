"""`minibert check`: check the exercises of the course, which is in the folder `tutorials` and not in the package."""

from __future__ import annotations

import contextlib
import importlib
import sys
import textwrap
from pathlib import Path
from typing import Any

import click

from ..terminal import table
from .options import json_option, print_json

BESIDE_THE_PACKAGE = Path(__file__).resolve().parents[2] / "tutorials"


@click.command("check")
@click.argument("chapter", required=False, metavar="[NN]")
@click.option(
    "--folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The folder of the course, if it is neither the current folder nor in it or above it.",
)
@json_option
def check(chapter: str | None, folder: Path | None, as_json: bool) -> None:
    """Check your answers to the exercises of chapter NN. Without NN, show how many pass in each chapter.

    \b
    minibert check        the number of functions that pass, chapter by chapter
    minibert check 4      every function of tutorials/exercises/04_*.py

    A function is shown as passed, as not written yet, or with a hint. The exit code is 0 if every function of chapter
    NN passes, and 1 if not.
    """
    tutorials = find_tutorials(folder)
    sys.path.insert(0, str(tutorials))
    checking: Any = importlib.import_module("course.checking")
    # what an exercise prints must not end up in the JSON
    with contextlib.redirect_stdout(sys.stderr) if as_json else contextlib.nullcontext():
        if chapter is not None:
            outcomes = checking.check_chapter(checking.find_chapter(tutorials, chapter))
        else:
            progress = checking.progress(tutorials)
    if chapter is None:
        print_json(progress) if as_json else _show_progress(progress)
        return
    print_json([vars(outcome) for outcome in outcomes]) if as_json else _show_outcomes(outcomes)
    if not all(outcome.passed for outcome in outcomes):
        click.get_current_context().exit(1)


def find_tutorials(folder: Path | None) -> Path:
    """The folder that holds `exercises/` and `checks/`: `folder`, or the nearest one here or above, or the repository's.

    Raises FileNotFoundError when there is none.
    """
    here = Path.cwd()
    if folder is not None:
        candidates = [folder.resolve()]
    else:
        candidates = [path for parent in (here, *here.parents) for path in (parent, parent / "tutorials")]
        candidates.append(BESIDE_THE_PACKAGE)
    for candidate in candidates:
        if (candidate / "exercises").is_dir() and (candidate / "checks").is_dir():
            return candidate
    if folder is not None:
        raise FileNotFoundError(
            f"{folder} does not hold the folders exercises and checks. Give the tutorials folder itself."
        )
    raise FileNotFoundError(
        f"There is no tutorials folder in {here} or above it. The course is not part of the installed package: it is the "
        "folder tutorials of minibert's repository and of its source archive. Run this command inside a copy of that, or name the "
        "folder with --folder."
    )


def _show_progress(progress: list[dict[str, str | int]]) -> None:
    header = ("chapter", "exercises", "passed", "of", "next")
    click.echo(table(header, [[row[column] for column in header] for row in progress], right=(0, 2, 3)))
    passed, functions = (sum(int(row[column]) for row in progress) for column in ("passed", "of"))
    click.echo(f"\n{passed} of {functions} functions passed. `minibert check NN` gives the hints of a chapter.")


def _show_outcomes(outcomes: list[Any]) -> None:
    for outcome in outcomes:
        mark = click.style("✓", fg="green") if outcome.passed else "·"
        click.echo(f"{mark} {outcome.function}: {outcome.status}")
        if outcome.hint:
            click.echo(textwrap.indent(textwrap.fill(outcome.hint, 76), "    "))
    click.echo(f"\n{sum(outcome.passed for outcome in outcomes)} of {len(outcomes)} passed.")
