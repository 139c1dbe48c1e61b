"""`minibert pretrain`: a BERT of your own, from prepared text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

_DEFAULT_SIZES: dict[str, Any] = {
    "hidden_size": 256,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "intermediate_size": 1024,
    "max_position_embeddings": 256,
    "hidden_dropout_prob": 0.0,
    "attention_probs_dropout_prob": 0.0,
}


@click.command("pretrain", short_help="Train a BERT from nothing.")
@click.option(
    "--data", required=True, type=click.Path(path_type=Path), help="Text made ready by `minibert data prepare`."
)
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="The folder of the run.")
@click.option(
    "--config",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A config.json with the model's sizes.  [default: 4 layers × 256, no dropout]",
)
@click.option("--steps", default=2000, show_default=True, type=click.IntRange(1), help="Steps of the optimizer.")
@click.option(
    "--tokens-per-step", default=8192, show_default=True, type=click.IntRange(1), help="Positions in a batch."
)
@click.option(
    "--phases",
    default="16:0.2,32:0.2,64:0.3,128:0.3",
    show_default=True,
    metavar="LENGTH:SHARE,…",
    help="How long the rows are, for which share of the steps.",
)
@click.option("--lr", default=1.5e-3, show_default=True, help="The highest learning rate.")
@click.option("--warmup-steps", default=100, show_default=True, type=click.IntRange(0), help="Steps up to it.")
@click.option(
    "--accumulate", default=1, show_default=True, type=click.IntRange(1), help="Compute a batch in so many parts."
)
@click.option("--whole-words", is_flag=True, help="Hide whole words, not pieces.")
@click.option(
    "--precision",
    default="auto",
    show_default=True,
    type=click.Choice(["auto", "float32", "bfloat16"]),
    help="auto: bfloat16 where the processor multiplies in it.",
)
@click.option(
    "--attention",
    default="eager",
    show_default=True,
    type=click.Choice(["eager", "sdpa", "packed"]),
    help="How attention is computed.",
)
@click.option("--shard", is_flag=True, help="Under torchrun: spread the parameters over the processes (FSDP2).")
@click.option("--seed", default=0, show_default=True, help="Of the weights, the batches and the masks.")
@click.option("--evaluate-every", default=500, show_default=True, type=click.IntRange(1), help="Steps.")
@click.option("--save-every", default=500, show_default=True, type=click.IntRange(1), help="Steps.")
@click.option(
    "--keep", default=2, show_default=True, type=click.IntRange(1), help="How many of the newest checkpoints."
)
def pretrain(
    data: Path,
    out: Path,
    config: Path | None,
    phases: str,
    precision: str,
    evaluate_every: int,
    save_every: int,
    keep: int,
    **options: Any,
) -> None:
    """Train BertForPreTraining: hidden words and next sentences. The same command goes on where it was stopped.

    \b
    minibert data prepare novels/ --out corpus
    minibert pretrain --data corpus --out my-bert
    minibert fill-mask "He shook his [MASK]." --model my-bert/model
    torchrun --nproc-per-node 2 -m minibert pretrain --data corpus --out my-bert
    """
    from ..config import BertConfig
    from ..data.corpus import PreparedData
    from ..training.memory import keep_freed_memory
    from ..training.precision import multiplies_bfloat16
    from ..training.pretraining import Recipe, parse_phases, pretrain
    from ..training.report import finish
    from ..training.world import join_world

    prepared = PreparedData.open(data)
    if config is None:
        settings = BertConfig(vocab_size=prepared.manifest["vocab_size"], **_DEFAULT_SIZES)
    else:
        settings = BertConfig.from_pretrained(config)
    keep_freed_memory()
    with join_world() as world:
        if precision == "auto":
            precision = "bfloat16" if multiplies_bfloat16(world.device) else "float32"
        recipe = Recipe(phases=parse_phases(phases), precision=precision, **options)
        often = {"evaluate_every": evaluate_every, "save_every": save_every, "keep": keep}
        best = pretrain(prepared, settings, recipe, out, world, **often)
        if world.leads and best["step"] is not None:
            for line in finish(out, int(best["step"])):
                click.echo(line)
