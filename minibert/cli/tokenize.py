"""`minibert tokenize`: how a text is cut into pieces."""

from __future__ import annotations

import click

from ..terminal import table
from .options import json_option, model_option, print_json


@click.command("tokenize", short_help="Show the pieces, ids and segments of a text.")
@click.argument("text")
@click.option("--second", metavar="TEXT", help="A second text: the two become a pair, in segments 0 and 1.")
@model_option
@json_option
def tokenize(text: str, second: str | None, model: str, as_json: bool) -> None:
    """Show the pieces of TEXT as the model sees them, with their ids and segments.

    \b
    minibert tokenize "The unkindest cut"
    minibert tokenize "Who is there?" --second "Nobody."
    """
    from .. import BertTokenizer

    tokenizer = BertTokenizer.from_pretrained(model)
    encoding = tokenizer(text, second)
    ids, segments = encoding["input_ids"], encoding["token_type_ids"]
    pieces = tokenizer.convert_ids_to_tokens(ids)
    if as_json:
        print_json({"text": text, "second": second, "tokens": pieces, "input_ids": ids, "token_type_ids": segments})
        return
    rows = list(zip(range(len(ids)), pieces, ids, segments, strict=True))
    click.echo(table(("position", "piece", "id", "segment"), rows, right=(0, 2, 3)))
