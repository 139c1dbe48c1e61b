"""`minibert pretrain`: a BERT of your own, from prepared text."""

import importlib.util
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from ..terminal import echo
from .kinds import FILE, NEW_FOLDER, PREPARED, SEED, Count, Number
from .options import Command, in_order

_DEFAULT_SIZES: dict[str, Any] = {
    "hidden_size": 256,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "intermediate_size": 1024,
    "max_position_embeddings": 256,
} | dict.fromkeys(("hidden_dropout_prob", "attention_probs_dropout_prob"), 0.0)
_PHASES, _PRECISIONS = "16:0.2,32:0.2,64:0.3,128:0.3", ("auto", "float32", "bfloat16")
_SCHEDULES = ("linear", "cosine", "cosine_with_restarts", "polynomial", "constant", "constant_with_warmup")
_SCHEDULE_HELP = "Change the learning rate in this way after the warm-up; constant has no warm-up."
_LR_HELP, _BY_WIDTH = "Let the learning rate grow to X.", "by the model's width: 5e-5 for 768, 3e-4 for 256"
_MINUTES_HELP = "Train for about X minutes, in place of --steps: a step of each length is timed first."
_ACCUMULATE_HELP = "Split each batch into N parts, to save memory (gradient accumulation)."
_ATTENTION_HELP = "Compute attention step by step, with PyTorch's fused kernel, or fused without padding."
_FAST_HELP = "Use the accelerations of minibert.fast.training and the fused AdamW; --plain: run every layer's own forward and the plain update."


def training_options(
    lr: float | None, precisions: Sequence[str], every: int, seeded: str
) -> Callable[[Command], Command]:
    """The options of every training. lr: None for one by the model's width. precisions: the default first. every: steps between evaluations, 0 for an epoch."""
    steps: dict[str, Any] = {"default": every, "type": Count(min(every, 1))}
    steps["show_default"] = True if every else "once an epoch"
    precision: dict[str, Any] = {
        "default": precisions[0],
        "type": click.Choice(precisions),
        "callback": _said_where_slower,
    }
    auto = "; auto: bfloat16 where the processor has it" if "auto" in precisions else ""
    attention = click.Choice(["eager", "sdpa", "packed"])
    return in_order(
        [
            click.option("--out", required=True, type=NEW_FOLDER, help="Write the run to this folder."),
            click.option("--lr", default=lr, type=Number(0), show_default=lr is not None or _BY_WIDTH, help=_LR_HELP),
            click.option("--schedule", default=_SCHEDULES[0], type=click.Choice(_SCHEDULES), help=_SCHEDULE_HELP),
            click.option("--accumulate", default=1, type=Count(1), help=_ACCUMULATE_HELP),
            click.option("--evaluate-every", **steps, help="Evaluate every N steps."),
            click.option("--save-every", **steps, help="Save a checkpoint every N steps."),
            click.option("--precision", **precision, help=f"Multiply matrices in this number format{auto}."),
            click.option("--attention", default="eager", type=attention, help=_ATTENTION_HELP),
            click.option("--seed", default=0, type=SEED, help=f"Draw {seeded} with random seed N."),
        ]
    )


def _said_where_slower(context: click.Context, _parameter: click.Parameter, precision: str) -> str:
    """The precision as it is given; the user is told where it takes more time than the other."""
    if precision == "bfloat16" and not context.resilient_parsing:
        from ..training.distributed import best_device, multiplies_bfloat16

        if not multiplies_bfloat16(best_device()):
            echo("This processor has no instructions for bfloat16: float32 takes less time here.", err=True)
    return precision


@click.command("pretrain", short_help="Train a BERT from random weights.")
@click.option("--data", required=True, type=PREPARED, help="Train on a folder that `minibert data prepare` made.")
@click.option("--config", type=FILE, help="Take the sizes from a config.json.  [default: 4 layers × 256, no dropout]")
@click.option("--steps", default=2000, type=Count(1), help="Take N optimizer steps.")
@click.option("--minutes", type=Number(0, min_open=True), help=_MINUTES_HELP)
@click.option("--tokens-per-step", default=8192, type=Count(1), help="Put N positions in a batch.")
@click.option("--phases", default=_PHASES, metavar="LENGTH:SHARE,…", help="Train on rows of each length for its share.")
@click.option("--warmup-steps", default=100, type=Count(0), help="Let the learning rate grow for N steps.")
@click.option("--whole-words", is_flag=True, help="Hide whole words, not pieces.")
@click.option("--shard", is_flag=True, help="Shard the parameters over the processes of torchrun (FSDP2).")
@click.option("--fast/--plain", default=True, help=_FAST_HELP)
@click.option("--keep", default=2, type=Count(1), help="Keep the N newest checkpoints.")
@training_options(1.5e-3, _PRECISIONS, every=500, seeded="the weights, the batches and the masks")
def pretrain(
    data: Path, out: Path, config: Path | None, *, phases: str, precision: str, minutes: float | None, **options: Any
) -> None:
    """Train BertForPreTraining: hidden words and next sentences. Run the same command again to resume a run that was
    stopped.

    \b
    minibert data prepare novels/ --out corpus
    minibert pretrain --data corpus --out my-bert
    minibert pretrain --data corpus --out quick --minutes 5
    minibert fill-mask "He shook his [MASK]." --model my-bert/model
    torchrun --nproc-per-node 2 -m minibert pretrain --data corpus --out my-bert
    """
    from ..checkpoints import read_json
    from ..config import BertConfig
    from ..config_files import misspelt
    from ..data.corpus import PreparedData
    from ..training.distributed import join_processes, multiplies_bfloat16
    from ..training.pretraining import Recipe, parse_phases, pretrain, steps_in
    from ..training.run_files import RunCheckpoints

    prepared = PreparedData.open(data)
    sizes = {"vocab_size": prepared.manifest["vocab_size"], **_DEFAULT_SIZES}
    if config is not None:
        given = read_json(config)
        if wrong := [f"{field} (did you mean {near}?)" for field, near in misspelt(given, vars(BertConfig())).items()]:
            raise ValueError(f"{config} has fields that no BERT has: {', '.join(wrong)}.")
        sizes = {} if "vocab_size" in given else {"vocab_size": prepared.manifest["vocab_size"]}
    settings = BertConfig(**sizes) if config is None else BertConfig.from_pretrained(config, **sizes)
    with join_processes() as processes:
        if precision == "auto":
            precision = "bfloat16" if multiplies_bfloat16(processes.device) else "float32"
        often = {name: options.pop(name) for name in ("evaluate_every", "save_every", "keep")}
        recipe = Recipe(phases=parse_phases(phases), precision=precision, **options)
        if minutes is not None:
            checkpoints = RunCheckpoints(out / "checkpoints")
            begun = checkpoints.newest()  # then the number of steps was found when it began
            saved = checkpoints.load(begun)["recipe"]["steps"] if begun else None
            steps = saved or steps_in(minutes, prepared, settings, recipe=recipe, processes=processes)
            recipe = replace(recipe, steps=steps, warmup_steps=min(recipe.warmup_steps, steps // 10))
            if processes.leads:
                echo(f"{minutes:g} minutes are about {steps:,} steps.")
        best = pretrain(prepared, settings, recipe, out=out, processes=processes, **often)
    if processes.leads and best["step"] is not None:
        echo(f"The best model, of step {best['step']}, is in {out / 'model'}.")
        draw_curve(out, metric="words_loss", name="loss of hidden words (nats)")
    exit_if_stopped(best)


def exit_if_stopped(best: dict[str, Any]) -> None:
    """A run that a signal stopped ends as the shell expects, 130 for Ctrl-C, so that `pretrain … && eval …` does not go on."""
    if "stopped_by" in best:
        raise click.exceptions.Exit(128 + best["stopped_by"])


def draw_curve(out: Path, *, metric: str, name: str) -> None:
    """Plot a metric of a run's log where matplotlib is there."""
    from ..training.run_files import read_log

    if importlib.util.find_spec("matplotlib") is None:
        echo("For the curve of its loss, install the extra: pip install 'minibert-pytorch[plots]'.")
        return
    from ..microscope.plots import plot_training

    plot_training(read_log(out / "log.jsonl"), out / "curve.png", metric=metric, name=name)
    echo(f"The curve of its loss is in {out / 'curve.png'}.")
