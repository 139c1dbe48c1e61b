"""`minibert check`: check the exercises of the course, which is in the folder `tutorials` and not in the package."""

import importlib
import sys
from pathlib import Path
from typing import Any

import click

from .language import Language, lang_option
from .options import json_option

FILE = click.Path(dir_okay=False, path_type=Path)
FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
BESIDE_THE_PACKAGE = Path(__file__).resolve().parents[2] / "tutorials"


@click.command("check")
@click.argument("chapter", required=False, metavar="[NN | my-bert]")
@click.argument("my_bert", required=False, metavar="[FOLDER]", type=click.Path(path_type=Path))
@click.option("--folder", type=FOLDER, help="Check the exercises of this folder.  [default: tutorials, here or above]")
@click.option("--watch", is_flag=True, help="Check again whenever the file of chapter NN, or any chapter's, is saved.")
@click.option("--next", "show_next", is_flag=True, help="Show the first exercise that does not pass yet.")
@click.option("--reset", nargs=2, metavar="NN FUNCTION", help="Make a function a blank again. The old file is kept.")
@click.option("--start", is_flag=True, help="With my-bert: make FOLDER, with blanks and a guide.")
@click.option("--certificate", type=FILE, metavar="FILE", help="With my-bert: write a report of one page, in Markdown.")
@lang_option
@json_option
def check(chapter: str | None, my_bert: Path | None, lang: str, **options: Any) -> None:
    """Check your answers to the exercises of chapter NN. Without NN, show how many pass in each chapter.

    \b
    minibert check                          the number of functions that pass, chapter by chapter
    minibert check 4                        every function of tutorials/exercises/04_*.py (or: attention)
    minibert check 4 --watch                the same whenever you save the file
    minibert check --next                   what to write next
    minibert check --reset 4 attention      start a function anew
    minibert check my-bert FOLDER --start   make a folder in which to write a BERT of your own
    minibert check my-bert FOLDER           grade it, part by part  [default: my_bert]

    In Chinese, the exercises are those of tutorials/zh, unless you are in the folder of others or name one.

    A function is shown as passed, as not written yet, or with a hint. The exit code is 0 if every function of chapter
    NN passes, or every part of your BERT, and 1 if not.
    """
    tutorials, as_json = find_tutorials(options["folder"], lang), options["as_json"]
    sys.path.insert(0, str(tutorials))  # where Python finds `course`
    command: Any = importlib.import_module("course.command")
    language = Language(lang, sorted((Path(command.__file__).parents[1] / "zh" / "messages").glob("*.json")))
    if chapter == "my-bert":
        if options["watch"] or options["show_next"] or options["reset"]:
            raise click.UsageError("--watch, --next and --reset go with chapters: minibert check my-bert FOLDER.")
        ladder: Any = importlib.import_module("course.ladder.command")
        mine = my_bert or Path("my_bert")
        if options["start"]:
            ladder.start(mine, language)
        elif not ladder.show_ladder(mine, options["certificate"], as_json, language=language):
            click.get_current_context().exit(1)
        return
    if my_bert or options["start"] or options["certificate"]:
        raise click.UsageError("FOLDER, --start and --certificate go with my-bert: minibert check my-bert FOLDER.")
    if options["reset"]:
        command.reset_function(tutorials, *options["reset"], language)
    elif options["show_next"]:
        command.show_next(tutorials, language)
    elif options["watch"]:
        click.get_current_context().exit(int(not command.watch(tutorials, chapter, language)))
    elif chapter is None:
        command.show_progress(tutorials, as_json, language)
    elif not command.show_outcomes(tutorials, chapter, as_json, language=language):
        click.get_current_context().exit(1)


def find_tutorials(folder: Path | None, lang: str = "en") -> Path:
    """The folder with the exercises: `folder`, or the nearest here or above, or the repository's; in Chinese, `zh` inside of it.

    The checks stand in it too, or beside it.
    """
    here = Path.cwd()
    near = [path for parent in (here, *here.parents) for path in (parent, parent / "tutorials")]
    for candidate in [folder.resolve()] if folder else [*near, BESIDE_THE_PACKAGE]:
        if (candidate / "exercises").is_dir() and any((at / "checks").is_dir() for at in (candidate, candidate.parent)):
            chinese = candidate / "zh"
            wanted = lang == "zh" and not folder and not here.is_relative_to(candidate / "exercises")
            return chinese if wanted and (chinese / "exercises").is_dir() else candidate
    if folder:
        raise FileNotFoundError(f"{folder} does not hold the folders exercises and checks. Give the tutorials folder.")
    where = "The course is not part of the package: run this in a clone of minibert, or name the folder with --folder."
    raise FileNotFoundError(f"There is no tutorials folder in {here} or above it. {where}")
