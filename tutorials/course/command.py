"""What `minibert check` prints."""

from __future__ import annotations

import contextlib
import sys
import time
from pathlib import Path
from textwrap import indent

import click

from minibert.cli.language import Language
from minibert.cli.options import print_json
from minibert.terminal import table
from minibert.visible import visible

from .about import ABOUT
from .checking import BLANK, Chapter, Checker, Outcome, find_chapter, find_chapters, progress_in
from .resetting import reset
from .statements import function_lines
from .watching import saved


def show_progress(tutorials: Path, as_json: bool, language: Language) -> None:
    """Print for every chapter how many of its functions pass."""
    chapters = find_chapters(tutorials)
    with _printing(as_json), Checker(chapters) as checker:
        progress = [progress_in(chapter, checker) for chapter in chapters]
    if as_json:
        print_json(progress)
        return
    header = ("chapter", "exercises", "passed", "of", "next")
    rows = [[*(row[column] for column in header[:-1]), language.say(row["next"])] for row in progress]
    click.echo(table(list(map(language.say, header)), rows, right=(0, 2, 3)))
    passed, functions = (sum(int(row[column]) for row in progress) for column in ("passed", "of"))
    click.echo(
        language.say(f"\n{passed} of {functions} functions passed. `minibert check NN` gives the hints of a chapter.")
    )


def show_outcomes(tutorials: Path, number: str, as_json: bool, language: Language) -> bool:
    """Print the result of every function of a chapter, each as soon as it is known. Returns whether all passed."""
    chapter = find_chapter(tutorials, number)
    with Checker([chapter]) as checker:
        return _show_chapter(chapter, checker, language, as_json=as_json)


def watch(tutorials: Path, number: str | None, language: Language) -> bool:
    """Show a chapter's results whenever its file is saved, without a number those of any chapter, until Ctrl-C.

    Returns whether all passed the last time.
    """
    chapters = [find_chapter(tutorials, number)] if number else find_chapters(tutorials)
    by_file = {chapter.exercises: chapter for chapter in chapters}
    passed = False
    with contextlib.suppress(KeyboardInterrupt), Checker(chapters) as checker:
        checker.warm_up()
        if number:
            passed = _show_chapter(chapters[0], checker, language)
        click.echo(language.say("Watching. Save a file to check it; Ctrl-C ends this."))
        for file in saved(list(by_file)):
            click.echo(f"\n{file.name}, {time.strftime('%H:%M:%S')}")
            try:
                passed = _show_chapter(by_file[file], checker, language)
            except (OSError, ValueError) as error:
                passed = False
                click.echo(visible(str(error)), err=True)
    return passed


def show_next(tutorials: Path, language: Language) -> None:
    """Print the first exercise that does not pass: where it is, what it asks for, how long it takes."""
    chapters = find_chapters(tutorials)
    with Checker(chapters) as checker:
        for chapter in chapters:
            for outcome in checker.outcomes(chapter):
                if not outcome.passed:
                    _show(outcome, language)
                    text = chapter.exercises.read_text(encoding="utf-8", errors="replace")
                    place = function_lines(text, outcome.function)
                    line = f", line {place[0] + 1}" if place else ""
                    check_it = f"Check it with `minibert check {int(chapter.number)}`."
                    click.echo(language.say(f"\n{chapter.exercises}{line}\n{check_it}"))
                    return
    click.echo(language.say("All exercises pass."))


def reset_function(tutorials: Path, number: str, function: str, language: Language) -> None:
    """Make a function a blank again, and say where the answer is kept."""
    exercises = find_chapter(tutorials, number).exercises
    kept = reset(exercises, tutorials / "solutions" / exercises.name, function)
    click.echo(language.say(f"{function} is a blank again. The file as it was: {kept}"))


def _show_chapter(chapter: Chapter, checker: Checker, language: Language, as_json: bool = False) -> bool:
    outcomes = list[Outcome]()
    with _printing(as_json):
        for outcome in checker.outcomes(chapter):
            outcomes.append(outcome)
            if not as_json:
                _show(outcome, language)
    for trouble in checker.troubles:
        click.echo(language.say(f"{chapter.exercises.name}, {visible(trouble)}"), err=True)
    passed = sum(outcome.passed for outcome in outcomes)
    if as_json:
        print_json([vars(outcome) for outcome in outcomes])
    else:
        click.echo(language.say(f"\n{passed} of {len(outcomes)} passed."))
        if language.chinese:  # which may not be the edition that somebody thinks of
            click.echo(language.say(f"Checked: {chapter.exercises}"))
    return passed == len(outcomes)


def _show(outcome: Outcome, language: Language) -> None:
    """A function's status, with a hint, or with how long it takes, or with what is worth noticing now."""
    mark = click.style("✓", fg="green") if outcome.passed else "·"
    about = ABOUT.get(outcome.function)
    takes = f" ({about})" if about and outcome.status == BLANK else ""
    click.echo(f"{mark} {language.say(f'{visible(outcome.function)}: {visible(outcome.status)}{takes}')}")
    below = outcome.hint or (about.notice if about and outcome.passed else "")
    if below:
        click.echo(indent(language.fill(visible(below), 76), "    "))


def _printing(as_json: bool) -> contextlib.AbstractContextManager[object]:
    """What an exercise prints must not end up in the JSON."""
    return contextlib.redirect_stdout(sys.stderr) if as_json else contextlib.nullcontext()
