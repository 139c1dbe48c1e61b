"""`minibert predict`: ask a fine-tuned model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from .answer_tables import answer_table
from .asked import Asked
from .options import json_option, print_json

if TYPE_CHECKING:
    from ..tasks import Examples


@click.command("predict", short_help="Ask a fine-tuned model.")
@click.argument("texts", nargs=-1, metavar="[TEXT]...")
@click.option("--model", required=True, metavar="NAME", help="A folder, or a name on the Hugging Face hub.")
@click.option("--second", metavar="TEXT", help="The partner of TEXT, for a model of pairs.")
@click.option("--question", metavar="TEXT", help="For a model that answers questions, with --context.")
@click.option("--context", metavar="TEXT", help="The text that holds the answer.")
@click.option(
    "--choice", "choices", multiple=True, metavar="TEXT", help="A possible continuation of TEXT; two or more."
)
@click.option(
    "--file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Ask about a whole file: as for training, labels not needed; or .txt, a text a line.",
)
@click.option("--top-k", "-k", default=3, show_default=True, type=click.IntRange(1), help="Labels or answers to show.")
@click.option("--max-length", type=click.IntRange(3), help="Pieces of a text.  [default: as in training]")
@click.option("--batch-size", default=32, show_default=True, type=click.IntRange(1), help="Examples at a time.")
@json_option
def predict(
    texts: tuple[str, ...],
    model: str,
    second: str | None,
    question: str | None,
    context: str | None,
    choices: tuple[str, ...],
    file: Path | None,
    top_k: int,
    max_length: int | None,
    batch_size: int,
    as_json: bool,
) -> None:
    """A fine-tuned model's answers to TEXTs, a question or a file. Its task is read from its config.

    \b
    minibert predict "The soup was cold." --model my-classifier/model
    minibert predict "It rained." --second "The ground is wet." --model my-pairs/model
    minibert predict "Ada Lovelace lived in London." --model my-tagger/model
    minibert predict --question "Who came?" --context "One evening a stranger came." --model my-reader/model
    minibert predict "The cook lifts the lid." --choice "Steam rises." --choice "It barks." --model my-chooser/model
    """
    from ..training.distributed import Processes
    from ..training.prediction import TrainedModel

    trained = TrainedModel.open(model, Processes.alone(), max_length)
    asked = Asked(texts, second, question, context=context, choices=choices, file=file)
    examples = asked.examples(trained.task)
    answers = trained.answers(examples, batch_size)
    print_report(examples, always=file is not None)
    if as_json:
        print_json({"model": model, "task": trained.task.name, "answers": answers})
    else:
        click.echo(answer_table(answers, top_k))


def print_report(examples: Examples, always: bool) -> None:
    """On standard error, so that standard output holds the answers only."""
    report = examples.report
    if always or report.changed or report.left_out:
        click.echo(str(report), err=True)
