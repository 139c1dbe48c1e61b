"""`minibert vocab`: train a vocabulary."""

from pathlib import Path

import click
from tqdm import tqdm

from .options import FILE

FOLDER = click.Path(file_okay=False, path_type=Path)
MIN_FREQUENCY = "Join two pieces into a longer one only if they stand side by side at least so many times."


@click.group("vocab")
def vocab() -> None:
    """Train a vocabulary of word pieces on text of your own."""


@vocab.command("train", short_help="Train a WordPiece vocabulary on files of text.")
@click.argument("files", nargs=-1, required=True, type=FILE)
@click.option("--size", default=8192, type=click.IntRange(6), help="Make a vocabulary of N pieces.")
@click.option("--out", default="vocabulary", type=FOLDER, help="Write the tokenizer to this folder.")
@click.option("--cased", is_flag=True, help="Distinguish capitals, and letters with accents, from plain letters.")
@click.option("--min-frequency", default=2, type=click.IntRange(1), help=MIN_FREQUENCY)
def train(files: tuple[Path, ...], size: int, out: Path, cased: bool, min_frequency: int) -> None:
    """Train a WordPiece vocabulary on FILES of UTF-8 text, and write a tokenizer with it: a folder for --model.

    \b
    minibert vocab train novel.txt --size 4096 --out my-vocabulary
    minibert tokenize "An unforeseen adventure" --model my-vocabulary
    """
    from ..checkpoints import write_text_atomically
    from ..config_files import folder_for_saving
    from ..tokenization import BertTokenizer, train_wordpiece

    with tqdm(total=size, unit=" pieces", disable=None, leave=False) as bar:

        def show(pieces: int, _size: int) -> None:
            bar.update(pieces - bar.n)

        pieces = train_wordpiece(files, size, do_lower_case=not cased, min_frequency=min_frequency, progress=show)
    folder = folder_for_saving(out)
    write_text_atomically(folder / "vocab.txt", "".join(f"{piece}\n" for piece in pieces))
    BertTokenizer(str(folder / "vocab.txt"), do_lower_case=not cased).save_pretrained(folder)
    click.echo(f"{len(pieces):,} pieces in {folder}")
