"""`minibert trace`: one text on its way through the network, stage by stage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ..terminal import display_width, pad, table
from .architecture import load_as_trained
from .options import json_option, model_option, print_json

if TYPE_CHECKING:
    from ..microscope.trace import Stage

WIDTH = 100


@click.command("trace", short_help="Walk through the network with a text, stage by stage.")
@click.argument("text")
@click.option("--second", metavar="TEXT", help="A second text: the two become a pair, in segments 0 and 1.")
@click.option("--depth", type=click.IntRange(1), help="Show so many levels of stages inside stages only.")
@click.option("--numbers", is_flag=True, help="Show means, extremes and times in place of equations and code.")
@model_option
@json_option
def trace(text: str, second: str | None, depth: int | None, numbers: bool, model: str, as_json: bool) -> None:
    """Walk from the pieces of TEXT to the scores, one line a stage: what it gives, its equation and its code.

    A stage that stands further to the right runs inside the one above it. Shape and std (the spread) are those of
    what a stage gives; where that is several tensors, of the first. The code is where its forward begins.

    \b
    minibert trace "He shook his [MASK]."
    minibert trace "He shook his [MASK]." --numbers --depth 3
    """
    import torch

    from .. import BertTokenizer
    from ..microscope.trace import trace as watch

    tokenizer = BertTokenizer.from_pretrained(model)
    network = load_as_trained(model)
    inputs = tokenizer(text, second, return_tensors="pt")
    with torch.no_grad(), watch(network) as record:
        network(**inputs)
    ids, segments = inputs["input_ids"][0].tolist(), inputs["token_type_ids"][0].tolist()
    pieces = tokenizer.convert_ids_to_tokens(ids)
    stages = [stage for stage in record.stages if depth is None or stage.depth < depth]
    if as_json:
        walk = {"model": model, "tokens": pieces, "input_ids": ids, "token_type_ids": segments}
        print_json({**walk, "stages": [as_dict(stage) for stage in stages]})
        return
    click.echo(in_blocks(("piece", "id", "segment"), list(zip(pieces, ids, segments, strict=True))))
    click.echo()
    click.echo(numbers_table(stages) if numbers else equations_table(stages))


def in_blocks(titles: tuple[str, ...], columns: list[tuple[Any, ...]]) -> str:
    """Rows with a title each, side by side as many columns as fit, then the next block below."""
    margin = max(map(len, titles))
    lines: list[list[str]] = []
    room = 0
    for column in columns:
        cells = [str(cell) for cell in column]
        width = max(map(display_width, cells))
        if room < width + 2:
            lines.append([pad(title, margin) for title in titles])
            room = WIDTH - margin
        lines[-1] = [f"{line}  {pad(cell, width)}" for line, cell in zip(lines[-1], cells, strict=True)]
        room -= width + 2
    return "\n\n".join("\n".join(line.rstrip() for line in block) for block in lines)


def equations_table(stages: list[Stage]) -> str:
    """Each stage with the shape and std of what it gives, its equation and where its code is."""
    from ..microscope.equations import equation, source

    rows = []
    for stage, label in zip(stages, labels(stages), strict=True):
        gives = next(iter(stage.outputs.values()))
        code = source(stage.module)
        shape = "×".join(map(str, gives.shape))
        where = code.short if code else ""
        rows.append((label, shape, f"{gives.std:.2f}", equation(stage.module), where))
    return table(("stage", "shape", "std", "equation", "code"), rows, right=(1, 2))


def numbers_table(stages: list[Stage]) -> str:
    """Each stage with the shape, mean, std and extremes of what it gives, and its milliseconds."""
    rows = []
    for stage, label in zip(stages, labels(stages), strict=True):
        gives = next(iter(stage.outputs.values()))
        facts = [f"{number:.3f}" for number in (gives.mean, gives.std, gives.minimum, gives.maximum)]
        rows.append((label, "×".join(map(str, gives.shape)), *facts, f"{1000 * (stage.seconds or 0):.2f}"))
    return table(("stage", "shape", "mean", "std", "min", "max", "ms"), rows, right=range(1, 7))


def labels(stages: list[Stage]) -> list[str]:
    """The stages' names as an outline."""
    from ..microscope.outline import outline

    return outline((stage.path, stage.depth, type(stage.module).__name__) for stage in stages)


def as_dict(stage: Stage) -> dict[str, Any]:
    """A stage for JSON."""
    from ..microscope.equations import equation, source

    code = source(stage.module)
    return {
        "path": stage.path,
        "call": stage.call,
        "depth": stage.depth,
        "class": type(stage.module).__name__,
        "equation": equation(stage.module),
        "file": code.file if code else None,
        "line": code.line if code else None,
        "seconds": stage.seconds,
        **{
            side: {
                name: {
                    "shape": list(facts.shape),
                    "dtype": str(facts.dtype).removeprefix("torch."),
                    "mean": facts.mean,
                    "std": facts.std,
                    "minimum": facts.minimum,
                    "maximum": facts.maximum,
                }
                for name, facts in tensors.items()
            }
            for side, tensors in (("inputs", stage.inputs), ("outputs", stage.outputs))
        },
    }
