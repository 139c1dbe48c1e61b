"""`minibert data`: text made ready for training."""

from pathlib import Path
from typing import Any

import click
from tqdm import tqdm

from .options import BUNDLED_MODEL

_TOKENIZER_HELP = "Whose vocabulary: a folder (as `minibert vocab train` makes), a bundled model or a name on the hub."
_BY_HELP = "What --held-out counts.  [default: files; documents where there is a single file]"


@click.group("data", short_help="Make text ready for pre-training.")
def data() -> None:
    """Corpora of token ids."""


@data.command("prepare")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="Write to this new folder."
)
@click.option("--tokenizer", default=BUNDLED_MODEL, metavar="NAME", help=_TOKENIZER_HELP)
@click.option("--held-out", default=25, type=click.IntRange(0), help="Hold out every N-th file or document; 0: none.")
@click.option("--held-out-by", type=click.Choice(["files", "documents"]), help=_BY_HELP)
@click.option("--lines", is_flag=True, help="The files have one sentence a line and an empty line between documents.")
@click.option("--processes", default=2, type=click.IntRange(1), help="Read N files at the same time.")
def prepare(files: tuple[Path, ...], out: Path, tokenizer: str, lines: bool, **how: Any) -> None:
    """Turn text FILES (or folders of *.txt files) into token ids that pre-training reads.

    \b
    minibert data prepare novels/ --out corpus
    minibert pretrain --data corpus --out my-bert
    """
    from ..data.prepare import prepare as prepare_corpus
    from ..tokenization import BertTokenizer

    paths = [path for given in files for path in (sorted(given.glob("*.txt")) if given.is_dir() else [given])]
    seen = {path for given in files if given.is_dir() for path in given.iterdir() if not path.name.startswith(".")}
    if passed := sorted(path.name for path in seen - set(paths)):
        shown = ", ".join(passed[:5]) + (", …" if len(passed) > 5 else "")
        click.echo(f"Of a folder only its *.txt files are read. Passed over: {len(passed):,} ({shown}).")
    size = sum(path.stat().st_size for path in paths if path.is_file())
    with tqdm(total=size, unit="B", unit_scale=True, disable=None, leave=False) as bar:
        how |= {"one_sentence_per_line": lines, "progress": bar.update}
        manifest = prepare_corpus(paths, out, BertTokenizer.from_pretrained(tokenizer), **how)
    for name, part in manifest["parts"].items():
        widths = {"files": 5, "documents": 7, "sentences": 10, "tokens": 12}
        click.echo(f"{name:9} " + "  ".join(f"{part[of]:{width},} {of}" for of, width in widths.items()))
    click.echo(f"A model that only counts words needs {manifest['unigram_entropy']:.3f} nats a word.")
    train, sample = manifest["parts"]["train"], manifest["sample"]
    mean = train["tokens"] / train["sentences"]
    of = "tokens" if sample["tokens"] == train["tokens"] else f"first {sample['tokens']:,} tokens"
    shown = f"{sample['passes']} passes over it, in pairs of {sample['length']} positions, show {sample['shown']:.1%} of the {of}"
    click.echo(f"A sentence of the training text has {mean:.1f} tokens on average; {shown}.")
    if copies := manifest["copies"]:
        click.echo(f"Not held out: {copies:,} documents, for the training text has the same, word for word.")
    if mean > 100:  # more than any language has
        marks = "They end at . ! ? 。 । ؟ and the like; give other text a sentence a line, with --lines."
        click.echo(f"Warning: few sentences were found, one in {mean:.0f} tokens. {marks}", err=True)
    if (unknown := sample["unknown"]) > 0.05:
        cure = "Train a vocabulary on this text (minibert vocab train) and name it with --tokenizer."
        click.echo(
            f"Warning: the vocabulary lacks words of this text: {unknown:.0%} of the tokens are [UNK]. {cure}", err=True
        )
