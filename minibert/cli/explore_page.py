"""`minibert explore`: an HTML page with the attention weights of every head and where they come from."""

from pathlib import Path

import click

from ..terminal import echo
from .kinds import NEW_FILE, TEXT
from .language import lang_option
from .options import load_as_trained, model_option, warn_if_long
from .playground_page import write_playground


@click.command("explore")
@click.argument("text", type=TEXT)
@click.option("--beside", type=TEXT, help="Show another text beside the first.")
@click.option("--out", default="attention.html", type=NEW_FILE, help="Write the page to this file.")
@click.option("--live", is_flag=True, help="Put the model into the page, so that it answers while you type.")
@model_option
@lang_option
def explore(text: str, beside: str | None, out: Path, live: bool, model: str, lang: str) -> None:
    """Write one HTML file that shows TEXT inside the model: every head, what makes a score, the answer layer by layer.

    \b
    minibert explore "He shook his [MASK]." --beside "She shook her [MASK]."

    The file needs no internet connection and no notebook: open it in any browser. With --live it is the page of `minibert playground`,
    where a second text is shown beside the first, and which has both languages.
    """
    texts = [text] if beside is None else [text, beside]
    if live:
        write_playground(model, texts, out=out, beside=True)
        return
    from ..checkpoints import write_text_atomically
    from ..microscope.explore import attention_page
    from ..tokenization import BertTokenizer

    network = load_as_trained(model, attn_implementation="eager")
    tokenizer = BertTokenizer.from_pretrained(model)
    page = attention_page(network, tokenizer, texts, title=model, lang=lang)
    warn_if_long(tokenizer, tokenizer(texts, padding=True, return_tensors="pt", verbose=False)["input_ids"])
    write_text_atomically(out, page)
    echo(f"{out}: {len(page.encode()) / 1e6:.2f} MB. Open it in a browser.")
