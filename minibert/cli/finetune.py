"""`minibert finetune`: teach a pre-trained model a task, from a file of examples."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .options import Command, model_option

if TYPE_CHECKING:
    from ..training.finetuning import TaskKind

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_OPTIONS: tuple[Callable[[Any], Any], ...] = (
    model_option,
    click.option("--train", "train_file", required=True, type=_FILE, help="Examples to learn from."),
    click.option("--eval", "eval_file", required=True, type=_FILE, help="Examples to be measured on."),
    click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="The run's folder."),
    click.option("--epochs", default=3, show_default=True, type=click.IntRange(1), help="Times to show each example."),
    click.option("--batch-size", default=16, show_default=True, type=click.IntRange(1), help="Examples in a batch."),
    click.option("--lr", default=5e-5, show_default=True, help="The highest learning rate."),
    click.option(
        "--warmup",
        default=0.1,
        show_default=True,
        type=click.FloatRange(0, 1),
        help="The share of the steps in which it grows; then it falls to 0.",
    ),
    click.option("--weight-decay", default=0.01, show_default=True, type=click.FloatRange(0), help="Of matrices."),
    click.option(
        "--max-length",
        type=click.IntRange(3),
        help="Pieces of a text.  [default: 128, with questions 384, where the model has as many positions]",
    ),
    click.option(
        "--patience",
        default=0,
        show_default=True,
        type=click.IntRange(0),
        help="Stop when so many evaluations brought nothing better; 0: never.",
    ),
    click.option("--evaluate-every", default=0, type=click.IntRange(0), help="Steps.  [default: an epoch]"),
    click.option("--save-every", default=0, type=click.IntRange(0), help="Steps.  [default: an epoch]"),
    click.option(
        "--precision",
        default="float32",
        show_default=True,
        type=click.Choice(["float32", "bfloat16"]),
        help="In which numbers to multiply.",
    ),
    click.option(
        "--attention",
        default="eager",
        show_default=True,
        type=click.Choice(["eager", "sdpa", "packed"]),
        help="How attention is computed.",
    ),
    click.option(
        "--fast",
        is_flag=True,
        help="Less work for the same equations; last digits and dropout masks are not the reference's.",
    ),
    click.option("--seed", default=0, show_default=True, help="Of the new head, the batches and dropout."),
)


def recipe_options(command: Command) -> Command:
    """The options that every kind of task has."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@click.group("finetune", short_help="Teach a model a task.")
def finetune() -> None:
    """Teach a pre-trained model a task, from a file of examples.

    Every run says how many examples it used, ends with a table of its evaluations, and leaves in its folder the best model
    (model/), its log and its curve. The same command goes on where it was stopped.
    """


@finetune.command("classify", short_help="A label for a text or a pair.")
@recipe_options
@click.option(
    "--labels",
    default="single",
    show_default=True,
    type=click.Choice(["single", "multi", "number"]),
    help="What an example has: one label, several (names between |), or a number.",
)
@click.option("--text", default="text", show_default=True, metavar="COLUMN", help="Where the texts stand.")
@click.option("--text-pair", metavar="COLUMN", help="Where their partners stand.  [default: text_pair, if it is there]")
@click.option("--label", default="label", show_default=True, metavar="COLUMN", help="Where the labels stand.")
def classify(labels: str, text: str, text_pair: str | None, label: str, **options: Any) -> None:
    """One label, several labels or a number for a text or a pair, from a .csv, .tsv or .jsonl table.

    \b
    minibert finetune classify --train train.csv --eval test.csv --out my-classifier
    minibert predict "A quiet place with good bread." --model my-classifier/model
    """
    from ..data.tasks.classification import MULTI, REGRESSION, SINGLE
    from ..training.finetuning import Classification

    problem_type = {"single": SINGLE, "multi": MULTI, "number": REGRESSION}[labels]
    _run(Classification(problem_type, text, text_pair, label), **options)


@finetune.command("tag", short_help="A tag for every word.")
@recipe_options
def tag(**options: Any) -> None:
    """A tag for every word, from CoNLL columns or .jsonl with words and tags.

    \b
    minibert finetune tag --train train.conll --eval test.conll --out my-tagger
    """
    from ..training.finetuning import Tagging

    _run(Tagging(), **options)


@finetune.command("qa", short_help="Answers that stand in a text.")
@recipe_options
@click.option(
    "--stride", default=128, show_default=True, type=click.IntRange(0), help="Pieces that windows of a text share."
)
def qa(stride: int, **options: Any) -> None:
    """Answers that stand in a text, from SQuAD's JSON, 1.1 or 2.0.

    \b
    minibert finetune qa --train train.json --eval dev.json --out my-reader
    minibert predict --question "Who came?" --context "One evening a stranger came." --model my-reader/model
    """
    from ..training.finetuning import QuestionAnswering

    _run(QuestionAnswering(stride), **options)


@finetune.command("choose", short_help="The right one of several endings.")
@recipe_options
def choose(**options: Any) -> None:
    """The right one of several endings, from a table like SWAG's.

    \b
    minibert finetune choose --train train.csv --eval val.csv --out my-chooser
    """
    from ..training.finetuning import MultipleChoice

    _run(MultipleChoice(), **options)


@finetune.command("nsp", short_help="Whether a sentence follows another.")
@recipe_options
def nsp(**options: Any) -> None:
    """Whether a sentence follows another, from text with a sentence a line and an empty line between documents.

    \b
    minibert finetune nsp --train train.txt --eval test.txt --out my-model
    """
    from ..training.finetuning import NextSentence

    _run(NextSentence(seed=options["seed"]), **options)


@finetune.command("mlm", short_help="The words of a field of your own.")
@recipe_options
@click.option("--whole-words", is_flag=True, help="Hide whole words, not pieces.")
def mlm(whole_words: bool, **options: Any) -> None:
    """Hidden words of plain text, passages with an empty line between: to be at home in it before another task.

    \b
    minibert finetune mlm --train law.txt --eval more-law.txt --out my-model
    minibert finetune classify --model my-model/model --train train.csv --eval test.csv --out my-classifier
    """
    from ..training.finetuning import MaskedWords

    _run(MaskedWords(whole_words), **options)


def _run(
    kind: TaskKind, model: str, train_file: Path, eval_file: Path, out: Path, save_every: int, **recipe: Any
) -> None:
    from ..training.finetuning import FineTuningRecipe, finetune, results_table
    from ..training.memory import keep_freed_memory
    from ..training.report import finish
    from ..training.run_log import read_log
    from ..training.world import join_world

    keep_freed_memory()
    with join_world() as world:

        def say(text: str) -> None:
            if world.leads:
                click.echo(text)

        how = FineTuningRecipe(**recipe)
        _, best = finetune(kind, model, train_file, eval_file, how, out, world, say=say, save_every=save_every)
        if world.leads and best["step"] is not None:
            click.echo(results_table(read_log(out / "log.jsonl"), int(best["step"])))
            for line in finish(out, int(best["step"]), figure="loss", name="loss"):
                click.echo(line)
