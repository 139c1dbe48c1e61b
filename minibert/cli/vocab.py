"""`minibert vocab`: train a vocabulary."""

from pathlib import Path
from typing import Any

import click
from tqdm import tqdm

from ..terminal import echo
from .data import text_files
from .kinds import NEW_FOLDER, Count, InputFile

MIN_FREQUENCY = "Join two pieces into a longer one only if they stand side by side at least N times."


@click.group("vocab")
def vocab() -> None:
    """Train a vocabulary of word pieces on text of your own."""


@vocab.command("train", short_help="Train a WordPiece vocabulary on text.")
@click.argument("files", nargs=-1, required=True, type=InputFile(plain=True, exists=True))
@click.option("--size", default=8192, type=Count(6), help="Make a vocabulary of at most N pieces.")
@click.option("--out", default="vocabulary", type=NEW_FOLDER, help="Write the tokenizer to this folder.")
@click.option("--cased", is_flag=True, help="Distinguish capitals, and letters with accents, from plain letters.")
@click.option("--min-frequency", default=2, type=Count(1), help=MIN_FREQUENCY)
def train(files: tuple[Path, ...], size: int, out: Path, cased: bool, min_frequency: int) -> None:
    """Train a WordPiece vocabulary on UTF-8 text FILES (or folders of *.txt files), and write a tokenizer with it: a folder for
    --model.

    \b
    minibert vocab train novel.txt --size 4096 --out my-vocabulary
    minibert tokenize "An unforeseen adventure" --model my-vocabulary
    """
    from ..checkpoints.files import TOKENIZER_FILES, folder_for_saving
    from ..tokenization import BertTokenizer, train_wordpiece

    if others := sorted({path.name for path in out.glob("*")} - {*TOKENIZER_FILES}):
        raise ValueError(
            f"'{out}' is there already and holds {', '.join(others[:3])}. Choose another folder for --out."
        )
    replaced = ", in place of those that were there" if (out / "vocab.txt").exists() else ""
    paths = text_files(files)
    how: dict[str, Any] = {"do_lower_case": not cased, "min_frequency": min_frequency}
    with tqdm(total=size, unit=" pieces", disable=None, leave=False) as bar:
        pieces = train_wordpiece(paths, size, progress=lambda pieces, _size: bar.update(pieces - bar.n), **how)
    folder = folder_for_saving(out)
    vocabulary = {piece: index for index, piece in enumerate(pieces)}
    BertTokenizer(vocabulary, do_lower_case=not cased).save_pretrained(folder)
    fewer = f", not {size:,}: there was no more to join" if len(pieces) < size else ""
    echo(f"{len(pieces):,} pieces in {folder}{replaced}{fewer}.")
