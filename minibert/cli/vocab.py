"""`minibert vocab`: vocabularies of your own."""

from __future__ import annotations

from pathlib import Path

import click
from tqdm import tqdm


@click.group("vocab", short_help="Learn a vocabulary from text.")
def vocab() -> None:
    """Vocabularies of word pieces."""


@vocab.command("train")
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--size", default=8192, show_default=True, type=click.IntRange(6), help="How many pieces.")
@click.option(
    "--out",
    default="vocabulary",
    show_default=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="The folder for vocab.txt and tokenizer_config.json.",
)
@click.option("--cased", is_flag=True, help="Keep capitals and accents apart from plain letters.")
@click.option("--min-frequency", default=2, show_default=True, type=click.IntRange(1), help="Join no rarer pair.")
def train(files: tuple[Path, ...], size: int, out: Path, cased: bool, min_frequency: int) -> None:
    """Learn a WordPiece vocabulary from FILES of UTF-8 text and write it as a tokenizer that opens.

    \b
    minibert vocab train novel.txt --size 4096 --out my-vocabulary
    minibert tokenize "An unforeseen adventure" --model my-vocabulary
    """
    from ..checkpoints import write_text_atomically
    from ..config import folder_for_saving
    from ..tokenization import BertTokenizer, train_wordpiece

    with tqdm(total=size, unit=" pieces", disable=None, leave=False) as bar:

        def show(pieces: int, _size: int) -> None:
            bar.update(pieces - bar.n)

        pieces = train_wordpiece(files, size, do_lower_case=not cased, min_frequency=min_frequency, progress=show)
    folder = folder_for_saving(out)
    write_text_atomically(folder / "vocab.txt", "".join(f"{piece}\n" for piece in pieces))
    BertTokenizer(str(folder / "vocab.txt"), do_lower_case=not cased).save_pretrained(folder)
    click.echo(f"{len(pieces):,} pieces in {folder}")
