"""`minibert playground`: an HTML page with the model inside, which answers while somebody types."""

from collections.abc import Sequence
from pathlib import Path

import click

from ..terminal import echo
from .kinds import NEW_FILE, TEXT
from .options import load_as_trained, model_option

FIRST_TEXT = "He shook his [MASK], and said no."


@click.command("playground")
@click.argument("text", type=TEXT, default=FIRST_TEXT)
@click.option("--second", type=TEXT, help="Begin with a pair: TEXT and this one, such as a question and a passage.")
@click.option("--out", default="playground.html", type=NEW_FILE, help="Write the page to this file.")
@model_option
def playground(text: str, second: str | None, out: Path, model: str) -> None:
    """Write one HTML file in which the model runs: type, hide words, look inside, and switch parts of the network off.

    \b
    minibert playground
    minibert playground "I beg your [MASK], sir." --out pardon.html

    TEXT is what it begins with. The file holds the weights, in float16 and up to 60 MB of them, and needs no server and no internet
    connection: open it in any browser. Fine-tuned models answer too, with labels, tags or answers.
    """
    write_playground(model, [text] if second is None else [text, second], out=out)


def write_playground(model: str, texts: Sequence[str], out: Path, beside: bool = False) -> None:
    """Write the page of a model, beginning with a text or a pair; `beside`: with two texts side by side."""
    from ..checkpoints import write_text_atomically
    from ..playground.writer import playground_page
    from ..tokenization import BertTokenizer

    tokenizer = BertTokenizer.from_pretrained(model)
    page = playground_page(load_as_trained(model), tokenizer, title=model, texts=texts, beside=beside)
    write_text_atomically(out, page)
    echo(f"{out}: {len(page.encode()) / 1e6:.1f} MB. Open it in a browser.")
