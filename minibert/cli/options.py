"""What several commands have in common: options, JSON, and opening a checkpoint as what it was trained as."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from ..model import BertPreTrainedModel

BUNDLED_MODEL = "novels-4l-256h"

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
Command = TypeVar("Command", bound=Callable[..., Any])


def in_order(options: Sequence[Callable[[Any], Any]]) -> Callable[[Command], Command]:
    """A decorator that adds options to a command, to be listed in this order."""
    return lambda command: reduce(lambda made, add: add(made), reversed(options), command)


def model_option(command: Command) -> Command:
    """--model NAME: the checkpoint to use."""
    text = "The model: a folder, a bundled model or a name on the Hugging Face hub."
    return click.option("--model", default=BUNDLED_MODEL, show_default=True, metavar="NAME", help=text)(command)


def json_option(command: Command) -> Command:
    """--json: for programs that read the output."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")(command)


def print_json(value: Any) -> None:
    """Print one JSON document on standard output, indented, with letters as they are."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def load_as_trained(name: str, **fields: str) -> BertPreTrainedModel:
    """The model of the first class of ours that its config names, or a BertModel. fields: of the config, to change."""
    import minibert

    named = minibert.BertConfig.from_pretrained(name).architectures or []
    ours = [cls for cls in named if cls.startswith("Bert") and hasattr(minibert, cls)]
    model: BertPreTrainedModel = getattr(minibert, [*ours, "BertModel"][0]).from_pretrained(name, **fields)
    return model
