"""`minibert data`: text made ready for training."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from tqdm import tqdm

from ..terminal import echo
from .kinds import NEW_FOLDER, TEXT_FILE_OR_FOLDER, Count
from .options import BUNDLED_MODEL

_TOKENIZER_HELP = "Use this vocabulary: a folder of `minibert vocab train`, a bundled model or a name on the hub."
_LINES_HELP = "Take each line as a sentence, and an empty line as the end of a document."
_PROCESSES_HELP = "Read N files at the same time.  [default: 2; 1 for less than 8 MB]"
_BY_HELP = "Count these for --held-out.  [default: files; documents where there is a single file]"


@click.group("data", short_help="Make text ready for pre-training.")
def data() -> None:
    """Make text ready for pre-training."""


@data.command("prepare", short_help="Turn text into token ids.")
@click.argument("files", nargs=-1, required=True, type=TEXT_FILE_OR_FOLDER)
@click.option("--out", required=True, type=NEW_FOLDER, help="Write to this new folder.")
@click.option("--tokenizer", default=BUNDLED_MODEL, metavar="NAME", help=_TOKENIZER_HELP)
@click.option("--held-out", default=25, type=Count(0), help="Hold out every Nth file or document; 0: none.")
@click.option("--held-out-by", type=click.Choice(["files", "documents"]), help=_BY_HELP)
@click.option("--lines", "one_sentence_per_line", is_flag=True, help=_LINES_HELP)
@click.option("--processes", type=Count(1), help=_PROCESSES_HELP)
def prepare(files: tuple[Path, ...], out: Path, tokenizer: str, **how: Any) -> None:
    """Turn text FILES (or folders of *.txt files) into token ids that pre-training reads.

    \b
    minibert data prepare novels/ --out corpus
    minibert pretrain --data corpus --out my-bert
    """
    from ..data.prepare import prepare as prepare_corpus
    from ..tokenization import BertTokenizer

    paths = text_files(files)
    size = sum(path.stat().st_size for path in paths if path.is_file())
    how["processes"] = how["processes"] or 1 + (size >= 8_000_000)  # less is read before another process starts
    with tqdm(total=size, unit="B", unit_scale=True, disable=None, leave=False) as bar:
        manifest = prepare_corpus(paths, out, BertTokenizer.from_pretrained(tokenizer), progress=bar.update, **how)
    for name, part in manifest["parts"].items():
        widths = {"files": 5, "documents": 7, "sentences": 10, "tokens": 12}
        counts = (f"{part[of]:{width},} {of[:-1] if part[of] == 1 else of}" for of, width in widths.items())
        echo(f"{name:9} " + "  ".join(counts))
    echo(f"A model that only counts words needs {manifest['unigram_entropy']:.3f} nats a word.")
    train, sample = manifest["parts"]["train"], manifest["sample"]
    mean = train["tokens"] / train["sentences"]
    of = "tokens" if sample["tokens"] == train["tokens"] else f"first {sample['tokens']:,} tokens"
    shown = f"{sample['passes']} passes over it, in pairs of {sample['length']} positions, show {sample['shown']:.1%} of the {of}"
    echo(f"A sentence of the training text has {mean:.1f} tokens on average; {shown}.")
    if copies := manifest["copies"]:
        echo(f"Not held out: {copies:,} document{'s' * (copies > 1)}, for the training text has the same.")
    if mean > 100:  # more than any language has
        marks = "They end at . ! ? 。 । ؟ and the like; give other text a sentence a line, with --lines."
        echo(f"Warning: few sentences were found, one in {mean:.0f} tokens. {marks}", err=True)
    if (unknown := sample["unknown"]) > 0.05:
        wrong = f"Warning: the vocabulary lacks words of this text: {unknown:.0%} of the tokens are [UNK]."
        echo(f"{wrong} Train one on this text (minibert vocab train) and name it with --tokenizer.", err=True)


def text_files(given: Sequence[Path]) -> list[Path]:
    """The files that are given, and of folders the *.txt files; says which others of a folder are passed over."""
    paths = [path for each in given for path in (sorted(each.glob("*.txt")) if each.is_dir() else [each])]
    seen = {path for each in given if each.is_dir() for path in each.iterdir() if not path.name.startswith(".")}
    if passed := sorted(path.name for path in seen - set(paths)):
        shown = ", ".join(passed[:5]) + (", …" if len(passed) > 5 else "")
        echo(f"Of a folder only its *.txt files are read. Passed over: {len(passed):,} ({shown}).")
    return paths
