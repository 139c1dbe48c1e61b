"""`minibert search`: the lines of a file that are most like a question."""

from pathlib import Path

import click

from ..terminal import echo, table
from .kinds import NEW_FILE, TEXT, TEXT_FILE, Count
from .options import json_option, model_option, pooling_option, print_answer


@click.command("search")
@click.argument("text", type=TEXT)
@click.option("--in", "file", required=True, type=TEXT_FILE, help="Search this file: a text a line.")
@click.option("--top-k", "-k", default=5, type=Count(1), help="Show the N lines that are most like TEXT.")
@click.option("--index", type=NEW_FILE, help="Keep the vectors in this file, for the next search of the same lines.")
@pooling_option
@click.option("--batch-size", default=32, type=Count(1), help="Compute N texts at a time.")
@model_option
@json_option
def search(
    text: str,
    file: Path,
    top_k: int,
    index: Path | None,
    pooling: str | None,
    batch_size: int,
    model: str,
    as_json: bool,
) -> None:
    """Show the lines of a file whose vectors are most like that of TEXT, with the cosine of the two: 1 is the same direction.
    Computed by minibert.fast: the same numbers up to rounding.

    \b
    minibert search "a storm at sea" --in novel.txt
    minibert search "a storm at sea" --in novel.txt --index novel.npz

    The index is made anew, with a message, when the file, the model or its settings have changed.
    """
    from ..tasks import Report
    from ..vectors import LineIndex, SentenceEncoder

    lines = LineIndex.of_file(file, SentenceEncoder.open(model, pooling, fast=True), index, batch_size=batch_size)
    if lines.said:
        echo(lines.said, err=True)
    found = lines.search(text, top_k, report := Report("TEXT", found=1))
    if report.changed:
        echo(str(report), err=True)
    answer = {"text": text, "file": str(file), "model": model, "lines": [each._asdict() for each in found]}
    rows = [(f"{each.score:.3f}", each.line, each.text) for each in found]
    print_answer(answer, table(("cosine", "line", "text"), rows, right=(0, 1)), as_json)
