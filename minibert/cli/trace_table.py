"""`minibert trace`: one text on its way through the network, stage by stage."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from ..terminal import display_width, outline, pad, table, terminal_width
from ..visible import visible
from .kinds import TEXT, Count
from .language import TABLE, Language, lang_option
from .options import json_option, load_as_trained, model_option, print_answer, warn_if_long

if TYPE_CHECKING:
    from ..microscope.trace import Stage, TensorFacts


@click.command("trace")
@click.argument("text", type=TEXT)
@click.option("--second", type=TEXT, help="Add a second text: the two become a pair, with segments 0 and 1.")
@click.option("--depth", type=Count(1), help="Show N levels of stages inside stages.  [default: all]")
@click.option("--numbers", is_flag=True, help="Show means, extremes and times in place of equations and code.")
@model_option
@lang_option
@json_option
def trace(
    text: str, second: str | None, depth: int | None, numbers: bool, model: str, lang: str, as_json: bool
) -> None:
    """Walk from the pieces of TEXT to the scores, one line a stage: its output, its equation and its code.

    A stage that is indented further runs inside the one above it. Shape and std (the standard deviation) are those of the
    stage's output; where that is several tensors, of the first. The code is the line where its forward begins.

    \b
    minibert trace "He shook his [MASK]."
    minibert trace "He shook his [MASK]." --numbers --depth 3
    """
    import torch

    from ..microscope.trace import trace as watch
    from ..tokenization import BertTokenizer

    tokenizer = BertTokenizer.from_pretrained(model)
    network = load_as_trained(model)
    inputs = tokenizer(text, second, return_tensors="pt")
    with torch.no_grad(), watch(network) as record:
        network(**inputs)
    warn_if_long(tokenizer, inputs["input_ids"])
    ids, segments = inputs["input_ids"][0].tolist(), inputs["token_type_ids"][0].tolist()
    pieces = tokenizer.convert_ids_to_tokens(ids)
    stages = [stage for stage in record.stages if depth is None or stage.depth < depth]
    language = Language(lang, [TABLE])
    titles = [language.say(title) for title in ("piece", "id", "segment")]
    blocks = in_blocks(titles, list(zip(pieces, ids, segments, strict=True)))
    walk = {"model": model, "tokens": pieces, "input_ids": ids, "token_type_ids": segments}
    answer = {**walk, "stages": [as_dict(stage) for stage in stages]}
    print_answer(answer, f"{blocks}\n\n{stage_table(stages, numbers, language)}", as_json)


def in_blocks(titles: Sequence[str], columns: list[tuple[Any, ...]]) -> str:
    """Rows with a title each, side by side as many columns as fit, then the next block below."""
    widest = min(terminal_width(), 100)
    margin = max(map(display_width, titles))
    blocks: list[list[str]] = []
    for column in columns:
        cells = list(map(visible, column))
        width = max(map(display_width, cells))
        if not blocks or display_width(blocks[-1][0]) + 2 + width > widest:
            blocks.append([pad(title, margin) for title in titles])
        blocks[-1] = [f"{line}  {pad(cell, width)}" for line, cell in zip(blocks[-1], cells, strict=True)]
    return "\n\n".join("\n".join(line.rstrip() for line in block) for block in blocks)


def stage_table(stages: list[Stage], numbers: bool, language: Language) -> str:
    """Each stage with the shape and std of its output, and its equation and code; or with `numbers` all it measured.

    In a terminal that is too narrow the last columns are left out, the code first.
    """
    from ..microscope.equations import equation, source

    labels = outline((stage.path, stage.depth, type(stage.module).__name__) for stage in stages)
    rows: list[list[str]] = []
    for stage, label in zip(stages, labels, strict=True):
        output, code = next(iter(stage.outputs.values())), source(stage.module)
        if numbers:
            facts = [f"{number:.3f}" for number in (output.mean, output.std, output.minimum, output.maximum)]
            cells = [*facts, f"{1000 * (stage.seconds or 0):.2f}"]
        else:
            cells = [f"{output.std:.2f}", language.say(equation(stage.module)), code.short if code else ""]
        rows.append([label, "×".join(map(str, output.shape)), *cells])
    measured = ("stage", "shape", "mean", "std", "min", "max", "ms")
    header = [language.say(title) for title in (measured if numbers else ("stage", "shape", "std", "equation", "code"))]
    right = range(1, len(header) if numbers else 3)
    for count in range(len(header), 1, -1):
        shown = table(header[:count], [row[:count] for row in rows], right=[i for i in right if i < count])
        if display_width(shown.splitlines()[1]) <= terminal_width():
            break
    return shown


def as_dict(stage: Stage) -> dict[str, Any]:
    """A stage for JSON, without its tensors."""
    from ..microscope.equations import equation, source

    code = source(stage.module)
    call = {"path": stage.path, "call": stage.call, "depth": stage.depth, "class": type(stage.module).__name__}
    written = {"equation": equation(stage.module), "file": code and code.file, "line": code and code.line}
    inputs, outputs = facts_as_dict(stage.inputs), facts_as_dict(stage.outputs)
    return {**call, **written, "seconds": stage.seconds, "inputs": inputs, "outputs": outputs}


def facts_as_dict(tensors: dict[str, TensorFacts]) -> dict[str, Any]:
    found = {name: {**vars(facts), "dtype": str(facts.dtype).removeprefix("torch.")} for name, facts in tensors.items()}
    for facts in found.values():
        del facts["tensor"]
    return found
