"""What several commands have in common: options, JSON, and opening a checkpoint as what it was trained as."""

import re
from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any, TypeVar

import click

from ..terminal import echo
from ..visible import visible_json
from .kinds import Count

Command = TypeVar("Command", bound=Callable[..., Any])
BUNDLED_MODEL = "novels-4l-256h"


def in_order(options: Sequence[Callable[[Any], Any]]) -> Callable[[Command], Command]:
    """A decorator that adds options to a command, to be listed in this order."""
    return lambda command: reduce(lambda made, add: add(made), reversed(options), command)


_MODEL = "Use this model: a folder, a bundled model or a name on the Hugging Face hub."
model_option = click.option("--model", default=BUNDLED_MODEL, metavar="NAME", help=_MODEL)
ANSWER_LENGTH_HELP = "Give answers of up to N pieces; longer ones are never considered."
_ANSWER_LENGTH: dict[str, Any] = {"type": Count(1), "help": f"{ANSWER_LENGTH_HELP}  [default: as in training]"}
answer_length_option = click.option("--max-answer-length", **_ANSWER_LENGTH)
pooling_option = click.option(
    "--pooling",
    type=click.Choice(("mean", "cls", "max", "mean_sqrt_len_tokens", "weightedmean", "lasttoken")),
    help="Make a text's vector of its tokens' this way.  [default: as the model's folder says, else mean]",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")


COLUMNS = ("text", "text_pair", "label", "columns")  # as tasks that read tables call them
column_options = in_order(
    [
        click.option("--text", metavar="COLUMN", help="Column with the texts, or with the contexts of choices."),
        click.option(
            "--text-pair", metavar="COLUMN", help='Column with second texts, or endings\' beginnings; "": none.'
        ),
        click.option("--label", metavar="COLUMN", help="Column with the labels; A,B,C: a column of 0 and 1 for each."),
        click.option(
            "--columns", metavar="A,B,…", help="Names for the columns, where there is no header; _: not read."
        ),
    ]
)


def warn_if_long(tokenizer: Any, ids: Any, has: str = "The text has", more: int = 0) -> None:
    """Say on standard error that a text of these ids, (1, seq), and so many more is longer than those that the model was trained on."""
    pieces, learned = ids.size(1) + more, tokenizer.model_max_length
    if pieces > learned:
        said = f"{has} {pieces} pieces, and the model was trained on texts of at most {learned}"
        echo(f"Warning: {said}: what it says about longer ones is not to be trusted.", err=True)


def in_options(message: str, command: click.Command | None) -> str:
    """A message with advice that a command can follow: --max-length for a max_length that begins it, --text "…" for text="…"."""
    commands = [command, *command.commands.values()] if isinstance(command, click.Group) else [command]
    names = {option.name: option.opts[0] for each in commands if each for option in each.params}
    message = message.replace("use truncation=True", "shorten the text")  # no command has an option for it
    message = re.sub(r"^(\w+)(?= is |:)", lambda found: names.get(found[1], found[1]), message)
    given = r'\b(\w+)=(?:"([\w,…]*)"|(…|\d+(?=\.$|\. )))'
    return re.sub(
        given, lambda found: f"{names[found[1]]} {found[2] or found[3]}" if found[1] in names else found[0], message
    )


def print_json(value: Any) -> None:
    """Print one JSON document on standard output, indented, with letters as they are."""
    click.echo(visible_json(value, indent=2))


def print_answer(value: Any, text: str, as_json: bool) -> None:
    """Print a value as JSON, or the text that says the same."""
    if as_json:
        print_json(value)
    else:
        click.echo(text)


def require_word_head(model: Any, name: str, decoder: bool = False) -> None:
    """Raise ValueError unless a model was trained to predict words: in blanks, or as a decoder the next one. name: what the user calls it."""
    if any(finding.name.startswith("cls.") for finding in model.loading_report.new):
        raise ValueError(f"{name} was not trained to predict words: it has no masked-word head.")
    if model.config.is_decoder and not decoder:
        raise ValueError(
            f"{name} is a decoder: it was trained to continue a text, not to fill in blanks. Use `minibert generate`."
        )


def load_as_trained(name: str, **fields: str) -> Any:
    """The model of the first class of ours that its config names, or a BertModel. fields: of the config, to change."""
    import minibert

    named = minibert.BertConfig.from_pretrained(name).architectures or []
    ours = [cls for cls in named if cls.startswith("Bert") and hasattr(minibert, cls)]
    return getattr(minibert, [*ours, "BertModel"][0]).from_pretrained(name, **fields)
