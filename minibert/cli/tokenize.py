"""`minibert tokenize`: the pieces that a text is split into."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ..terminal import table
from .options import json_option, model_option, print_json

if TYPE_CHECKING:
    from ..tokenization import BertTokenizer


@click.command("tokenize")
@click.argument("text")
@click.option("--second", metavar="TEXT", help="Add a second text: the two become a pair, with segments 0 and 1.")
@click.option("--explain", is_flag=True, help="Show every step from the text to its ids.")
@model_option
@json_option
def tokenize(text: str, second: str | None, explain: bool, model: str, as_json: bool) -> None:
    """Show the word pieces of TEXT, which the model reads, with their ids and segments.

    \b
    minibert tokenize "The unkindest cut"
    minibert tokenize "Who is there?" --second "Nobody."
    minibert tokenize "Déjà vu, 東京!" --explain
    """
    from .. import BertTokenizer

    tokenizer = BertTokenizer.from_pretrained(model)
    if explain:
        if second is not None:
            raise click.UsageError("--explain shows the steps of one text: leave --second out.")
        show_steps(tokenizer, text, as_json)
        return
    encoding = tokenizer(text, second)
    ids, segments = encoding["input_ids"], encoding["token_type_ids"]
    pieces = tokenizer.convert_ids_to_tokens(ids)
    if as_json:
        print_json({"text": text, "second": second, "tokens": pieces, "input_ids": ids, "token_type_ids": segments})
        return
    rows = list(zip(range(len(ids)), pieces, ids, segments, strict=True))
    click.echo(table(("position", "piece", "id", "segment"), rows, right=(0, 2, 3)))


def show_steps(tokenizer: BertTokenizer, text: str, as_json: bool) -> None:
    """Each step's name and the text after it, with what it changed in colour; below, what the step does."""
    from ..tokenization.explain import explain

    steps = explain(tokenizer, text)
    if as_json:
        print_json([{"step": step.name, "meaning": step.meaning, "parts": step.parts} for step in steps])
        return
    width, separator = max(len(step.name) for step in steps), click.style("│", dim=True)
    for step in steps:
        marked = zip(step.parts, step.marked, strict=True)
        parts = [click.style(part, fg="green", bold=True) if changed else part for part, changed in marked]
        click.echo(f"{step.name:>{width}}  {separator.join(parts)}")
        click.secho(f"{'':>{width}}  {step.meaning}", dim=True)
