"""`minibert parity`: is this checkpoint computed as the reference computes it?"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import click

from .architecture import load_as_trained
from .options import BUNDLED_MODEL, json_option, print_json

if TYPE_CHECKING:
    from torch import Tensor, nn

    from ..microscope.comparison import Comparison
    from ..model import BertPreTrainedModel

BATCH, SEQ = 2, 16


@click.command("parity", short_help="Compare a model with the reference library's, stage by stage.")
@click.argument("model", default=BUNDLED_MODEL)
@click.option(
    "--reference",
    default="transformers",
    show_default=True,
    metavar="NAME",
    help='"transformers", as installed beside minibert, or another checkpoint, opened by minibert.',
)
@click.option(
    "--tolerance", default=1e-5, show_default=True, type=click.FloatRange(0), help="The largest difference allowed."
)
@click.option("--text", multiple=True, help="Compare on this text, or several; without, on ids drawn at random.")
@json_option
def parity(model: str, reference: str, tolerance: float, text: tuple[str, ...], as_json: bool) -> None:
    """Run MODEL in the reference (a) and in minibert (b) and print how far apart every stage and gradient is.

    MODEL is a folder, a bundled model (the default) or a name on the Hugging Face hub. Ends with exit code 1 and names the
    first stage that parts, where anything is further apart than the tolerance, both absolutely and beside the largest
    number of its stage.

    \b
    minibert parity
    minibert parity my-checkpoint --reference the-one-before --tolerance 0
    """
    from ..microscope.compare import compare

    ours = load_as_trained(model)
    assert ours.loading_report is not None
    theirs, name = (
        open_in_transformers(model, ours) if reference == "transformers" else open_in_minibert(reference, ours)
    )
    inputs = texts_as_inputs(text, model) if text else drawn_inputs(ours)
    if type(ours).__name__ == "BertForMultipleChoice":
        inputs = {key: tensor[None] for key, tensor in inputs.items()}  # the rows become the choices of one example
    # What the checkpoint lacks, each side has drawn for itself.
    comparison = compare(theirs, ours, inputs, copy_weights=bool(ours.loading_report.new), tolerance=tolerance)
    if as_json:
        print_json({"model": model, "reference": name, **as_dict(comparison)})
    else:
        click.echo(f"a: {type(theirs).__name__} of {name}\nb: {type(ours).__name__} of {model}, minibert\n")
        click.echo(comparison)
    if not comparison.agrees:
        raise click.exceptions.Exit(1)


def open_in_transformers(model: str, ours: BertPreTrainedModel) -> tuple[nn.Module, str]:
    """The same files opened by the installed transformers, with attention written out, and its name and version.

    Raises ModuleNotFoundError where it is not installed.
    """
    import torch

    from ..checkpoints import locate_weights

    try:
        transformers = importlib.import_module("transformers")
    except ModuleNotFoundError as error:
        if error.name != "transformers":
            raise  # it is there, and lacks something itself
        raise ModuleNotFoundError(
            "The reference library, transformers, is not installed beside minibert. "
            "Install it (pip install 'minibert-pytorch[parity]'), or compare with another checkpoint: --reference NAME."
        ) from error
    messages = importlib.import_module("transformers.utils.logging")
    messages.set_verbosity_error()
    messages.disable_progress_bar()
    opened = getattr(transformers, type(ours).__name__).from_pretrained(
        locate_weights(model), attn_implementation="eager", dtype=torch.float32
    )
    return opened, f"transformers {transformers.__version__}"


def open_in_minibert(reference: str, ours: BertPreTrainedModel) -> tuple[nn.Module, str]:
    """Another checkpoint as the same class."""
    return type(ours).from_pretrained(reference), f"{reference}, minibert"


def texts_as_inputs(texts: tuple[str, ...], model: str) -> dict[str, Tensor]:
    """One row a text, padded to the longest."""
    from .. import BertTokenizer

    tensors: dict[str, Tensor] = dict(
        BertTokenizer.from_pretrained(model)(list(texts), padding=True, truncation=True, return_tensors="pt")
    )
    return tensors


def drawn_inputs(model: BertPreTrainedModel) -> dict[str, Tensor]:
    """The same random ids every time: two rows, two segments, the second row padded."""
    import torch

    config = model.config
    seq = min(SEQ, config.max_position_embeddings)
    generator = torch.Generator().manual_seed(0)
    mask = torch.ones(BATCH, seq, dtype=torch.long)
    mask[1, 2 * seq // 3 :] = 0
    segments = torch.zeros_like(mask)
    segments[:, seq // 2 :] = min(1, config.type_vocab_size - 1)
    ids = torch.randint(0, config.vocab_size, (BATCH, seq), generator=generator)
    return {"input_ids": ids, "attention_mask": mask, "token_type_ids": segments}


def as_dict(comparison: Comparison) -> dict[str, Any]:
    """A comparison for JSON."""
    from dataclasses import asdict

    first = comparison.first
    return {
        "tolerance": comparison.tolerance,
        "agrees": comparison.agrees,
        "largest": comparison.largest,
        "first": first.path if first is not None else None,
        "summary": comparison.summary().splitlines(),
        "stages": [asdict(row) for row in comparison.rows],
    }
