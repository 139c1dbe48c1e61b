"""`minibert parity`: does minibert compute a checkpoint as the reference does?"""

from __future__ import annotations

import importlib
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from ..visible import visible
from .kinds import TEXT, Number
from .options import BUNDLED_MODEL, json_option, load_as_trained, print_answer

if TYPE_CHECKING:
    from torch import Tensor, nn

    from ..model import BertPreTrainedModel

REFERENCE = 'Compare with this: "transformers", if it is installed, or another checkpoint, opened by minibert.'


@click.command("parity")
@click.argument("model", default=BUNDLED_MODEL)
@click.option("--reference", default="transformers", metavar="NAME", help=REFERENCE)
@click.option("--tolerance", default=1e-5, type=Number(0), help="Allow a difference of at most X.")
@click.option("--text", type=TEXT, multiple=True, help="Compare on this text; can be repeated.  [default: random ids]")
@json_option
def parity(model: str, reference: str, tolerance: float, text: tuple[str, ...], as_json: bool) -> None:
    """Run MODEL in the reference (a) and in minibert (b) and print how far apart every stage and gradient is.

    MODEL is a folder, a bundled model (the default) or a name on the Hugging Face hub. If a difference is larger than the
    tolerance, both in absolute terms and relative to the stage's largest value, the first stage that diverges is named and
    the exit code is 1.

    \b
    minibert parity
    minibert parity my-checkpoint --reference the-one-before --tolerance 0
    """
    from ..microscope import compare
    from ..tokenization import BertTokenizer

    ours = load_as_trained(model)
    assert ours.loading_report is not None  # noqa: S101  # for the type checker
    if reference == "transformers":
        theirs, name = open_in_transformers(model, type(ours).__name__)
    else:
        theirs, name = type(ours).from_pretrained(reference), f"{reference}, minibert"
    inputs = random_inputs(ours)
    if text:
        tokenizer = BertTokenizer.from_pretrained(model)
        inputs = dict(tokenizer(list(text), padding=True, truncation=True, return_tensors="pt"))
    if type(ours).__name__ == "BertForMultipleChoice":
        inputs = {key: tensor[None] for key, tensor in inputs.items()}  # the rows become the choices of one example
    # Each side has drawn for itself what the checkpoint lacks.
    comparison = compare(theirs, ours, inputs, copy_weights=bool(ours.loading_report.new), tolerance=tolerance)
    first = comparison.first.path if comparison.first is not None else None
    found = {"agrees": comparison.agrees, "largest": comparison.largest, "first": first}
    stages = [asdict(row, dict_factory=_without_reasons) for row in comparison.rows]
    lines = {"summary": comparison.summary().splitlines(), "stages": stages}
    title = f"a: {type(theirs).__name__} of {name}\nb: {type(ours).__name__} of {model}, minibert\n\n"
    answer = {"model": model, "reference": name, "tolerance": tolerance, **found, **lines}
    print_answer(answer, visible(f"{title}{comparison}", keep="\n"), as_json)
    if not comparison.agrees:
        raise click.exceptions.Exit(1)


def _without_reasons(items: list[tuple[str, object]]) -> dict[str, object]:
    return {key: value for key, value in items if key != "why"}  # the summary has it


def open_in_transformers(model: str, class_name: str) -> tuple[nn.Module, str]:
    """The same files opened by the installed transformers, with eager attention; and its name and version.

    Raises ModuleNotFoundError where it is not installed.
    """
    import torch

    from ..checkpoints import locate_weights

    try:
        transformers = importlib.import_module("transformers")
    except ModuleNotFoundError as error:
        if error.name != "transformers":
            raise  # it is there, and lacks something itself
        install = "Install it (pip install 'minibert-pytorch[parity]'), or give another checkpoint as --reference NAME."
        raise ModuleNotFoundError(f"The reference library, transformers, is not installed. {install}") from error
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    opened, folder = getattr(transformers, class_name), locate_weights(model)
    loaded = opened.from_pretrained(folder, attn_implementation="eager", dtype=torch.float32)
    return loaded, f"transformers {transformers.__version__}"


def random_inputs(model: BertPreTrainedModel) -> dict[str, Tensor]:
    """The same random ids every time: two rows, two segments, the second row padded."""
    import torch

    config, seq = model.config, min(16, model.config.max_position_embeddings)
    ids = torch.randint(0, config.vocab_size, (2, seq), generator=torch.Generator().manual_seed(0))
    mask, segments = torch.ones_like(ids), torch.zeros_like(ids)
    mask[1, 2 * seq // 3 :] = 0
    segments[:, seq // 2 :] = min(1, config.type_vocab_size - 1)
    return {"input_ids": ids, "attention_mask": mask, "token_type_ids": segments}
