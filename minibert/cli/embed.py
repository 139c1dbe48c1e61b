"""`minibert embed`: a vector for every line of a file."""

from pathlib import Path

import click

from ..terminal import echo
from ..visible import visible
from .kinds import NEW_FILE, TEXT_FILE, Count
from .options import json_option, model_option, pooling_option, print_answer


@click.command("embed")
@click.argument("file", type=TEXT_FILE)
@click.option("--out", required=True, type=NEW_FILE, help="Write the vectors to this file, which `numpy.load` reads.")
@pooling_option
@click.option("--batch-size", default=32, type=Count(1), help="Compute N texts at a time.")
@model_option
@json_option
def embed(file: Path, out: Path, pooling: str | None, batch_size: int, model: str, as_json: bool) -> None:
    """Write one vector for each line of FILE, a text a line. Row n is the vector of line n; an empty line gets that of an empty text.
    Computed by minibert.fast: the same numbers up to rounding.

    \b
    minibert embed novel.txt --out vectors.npy
    minibert embed novel.txt --out vectors.npy --pooling cls
    """
    import numpy as np

    from ..checkpoints.files import replacing
    from ..data.sentences import check_plain_text
    from ..tasks import Report
    from ..tasks.task_files import read_text
    from ..vectors import SentenceEncoder

    check_plain_text(file)
    if out.exists() and out.samefile(file):
        raise ValueError(f"'{out}' is the text itself: write the vectors to another file.")
    lines = [line.strip() for line in read_text(file).removesuffix("\n").split("\n")]
    encoder = SentenceEncoder.open(model, pooling, fast=True)
    report = Report(str(file), found=len(lines))
    vectors = encoder.encode(lines, batch_size, report)
    with replacing(out) as temporary, temporary.open("wb") as opened:
        np.save(opened, vectors)
    if report.changed:
        echo(str(report), err=True)
    poolings = list(encoder.settings.poolings)
    answer = {"file": str(file), "out": str(out), "model": model, "poolings": poolings, "shape": list(vectors.shape)}
    said = (
        f"{len(vectors):,} vectors of {encoder.dim:,} numbers, one a line of {file}, by {' and '.join(poolings)}: {out}"
    )
    print_answer(answer, visible(said), as_json)
