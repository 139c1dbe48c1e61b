"""`minibert tokenize`: the pieces that a text is split into."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ..terminal import display_width, pad, table
from ..visible import visible
from .kinds import TEXT
from .language import TABLE, Language, lang_option
from .options import json_option, model_option, print_answer

if TYPE_CHECKING:
    from ..tokenization import Step


@click.command("tokenize")
@click.argument("text", type=TEXT)
@click.option("--second", type=TEXT, help="Add a second text: the two become a pair, with segments 0 and 1.")
@click.option("--explain", is_flag=True, help="Show every step from the text to its ids.")
@model_option
@lang_option
@json_option
def tokenize(text: str, second: str | None, explain: bool, model: str, lang: str, as_json: bool) -> None:
    """Show the word pieces of TEXT, which the model reads, with their ids and segments.

    \b
    minibert tokenize "The unkindest cut"
    minibert tokenize "Who is there?" --second "Nobody."
    minibert tokenize "Déjà vu, 東京!" --explain
    """
    from ..tokenization import BertTokenizer, explain as explain_steps

    tokenizer = BertTokenizer.from_pretrained(model)
    if explain and second is not None:
        raise click.UsageError("--explain shows the steps of one text: leave --second out.")
    if explain:
        steps = explain_steps(tokenizer, text)
        walk = [{"step": step.name, "meaning": step.meaning, "parts": step.parts} for step in steps]
        print_answer(walk, in_colour(steps, Language(lang, [TABLE])), as_json)
        return
    encoding = tokenizer(text, second)
    ids, segments = encoding["input_ids"], encoding["token_type_ids"]
    pieces = tokenizer.convert_ids_to_tokens(ids)
    rows = list(zip(range(len(ids)), pieces, ids, segments, strict=True))
    answer = {"text": text, "second": second, "tokens": pieces, "input_ids": ids, "token_type_ids": segments}
    header = list(map(Language(lang, [TABLE]).say, ("position", "piece", "id", "segment")))
    print_answer(answer, table(header, rows, right=(0, 2, 3)), as_json)


def in_colour(steps: list[Step], language: Language) -> str:
    """Each step's name, the text after it with what it changed in colour, and what it does."""
    names = [language.say(step.name) for step in steps]
    width, separator = max(map(display_width, names)), click.style("│", dim=True)
    lines = []
    for name, step in zip(names, steps, strict=True):
        marked = zip(step.parts, step.marked, strict=True)
        parts = [
            click.style(visible(part), fg="green", bold=True) if changed else visible(part) for part, changed in marked
        ]
        lines.append(f"{pad(name, width, right=True)}  {separator.join(parts)}")
        lines.append(click.style(f"{'':>{width}}  {language.say(step.meaning)}", dim=True))
    return "\n".join(lines)
