"""A fine-tuning run, from two files and a pre-trained model to the best checkpoint."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from ...config import BertConfig
from ...model import BertPreTrainedModel
from ...optim import AdamW, get_linear_schedule_with_warmup, no_decay_groups
from ...tokenization import BertTokenizer
from ..loop import LoopOptions, train
from ..world import World
from .kind import SETTINGS, Examples, TaskKind
from .recipe import FineTuningRecipe
from .task import FineTuning


def finetune(
    kind: TaskKind,
    model_name: str,
    train_file: Path,
    evaluation_file: Path,
    recipe: FineTuningRecipe,
    out: Path,
    world: World,
    *,
    say: Callable[[str], None] = print,
    save_every: int = 0,
) -> tuple[FineTuning, dict[str, float]]:
    """Teach a model a task, or go on with the run in `out`; return what was trained and the figures of its best evaluation.

    model_name: a folder, a bundled name or a hub id. say: is told what became of the files' examples. save_every: steps, 0 for
    once an epoch. Raises ValueError, naming file and place, where a file is broken or does not fit the other.
    """
    examples = kind.read(train_file)
    kind = kind.learn(examples)
    task = open_task(kind, model_name, examples, kind.read(evaluation_file), recipe, world, say)
    identity = {
        "task": {"name": kind.name, **kind.settings()},
        "model": model_name,
        "files": [hashlib.sha256(file.read_bytes()).hexdigest() for file in (train_file, evaluation_file)],
    }
    return task, train_task(task, out, identity, save_every)


def open_task(
    kind: TaskKind,
    model_name: str,
    examples: Examples,
    evaluation: Examples,
    recipe: FineTuningRecipe,
    world: World,
    say: Callable[[str], None],
) -> FineTuning:
    """The model with its new head, and the examples as rows.

    `recipe.seed` gives the head and then dropout, the numbers that it gives in the reference too.
    """
    tokenizer = BertTokenizer.from_pretrained(model_name)
    config = BertConfig.from_pretrained(model_name)
    length = recipe.length(kind.usual_length, config.max_position_embeddings)
    rows = kind.encode(examples, tokenizer, length, training=True)
    examples.report.require_some()
    evaluation_rows = kind.encode(evaluation, tokenizer, length)
    say(str(examples.report))
    say(str(evaluation.report))

    remembered = {
        **(getattr(config, "task_specific_params", None) or {}),
        SETTINGS: {"task": kind.name, "max_length": length, **kind.settings()},
    }
    torch.manual_seed(recipe.seed)
    model: BertPreTrainedModel = kind.model_class.from_pretrained(
        model_name,
        draw_as_reference=True,
        ignore_mismatched_sizes=True,  # the head of another task, with another number of labels, starts anew
        task_specific_params=remembered,
        **kind.config_fields(),
    )
    new = [finding.name for finding in model.loading_report.new] if model.loading_report else []
    if new:
        say(f"New, to be learned from the start: {', '.join(new)}.")
    model = model.float()
    model.set_attn_implementation(recipe.attention)
    if config.position_embedding_type != "absolute":  # the table is there, as in the reference, but nothing reads it
        model.base_model.embeddings.position_embeddings.requires_grad_(False)
    if world.size > 1:
        torch.manual_seed(recipe.seed + 1 + world.rank)  # dropout: its own in each process
    return FineTuning(model, tokenizer, kind, rows, evaluation_rows, recipe, world)


def train_task(task: FineTuning, out: Path, identity: dict[str, Any], save_every: int = 0) -> dict[str, float]:
    """AdamW, its rate up in a line and down in a line; return the figures of the best evaluation."""
    recipe, epoch = task.recipe, task.order.batches_per_epoch
    how = "fused" if recipe.fast else "auto"
    optimizer = AdamW(no_decay_groups(task.model, recipe.weight_decay), lr=recipe.lr, implementation=how)
    schedule = get_linear_schedule_with_warmup(optimizer, round(recipe.warmup * task.steps), task.steps)
    options = LoopOptions(
        task.steps,
        recipe.clip,
        log_every=min(10, epoch),
        evaluate_every=recipe.evaluate_every or epoch,
        save_every=save_every or epoch,
        keep=1,
        patience=recipe.patience,
    )
    return train(task, optimizer, schedule, options, out, {**asdict(recipe), **identity}, task.world)
