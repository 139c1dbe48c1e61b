"""Fine-tuning of every head, dropout included: minibert's recipe, and under the old reference a loop written out.

Both read a checkpoint and batches from the folder that MINIBERT_FINETUNING names (`finetuning_files.py`). The loss of each of at least
100 steps and all parameters at the end are compared.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

TASKS = (
    "one label",
    "a label of a pair",
    "several labels",
    "a number",
    "tags",
    "questions",
    "choices",
    "next sentences",
    "hidden words",
)
SEED, LR, DECAY = 7, 1e-3, 0.01


def finetuned(task_name: str) -> Callable[[Any], dict[str, Tensor]]:
    """A program for one task."""

    def program(library: Any) -> dict[str, Tensor]:
        folder = Path(os.environ["MINIBERT_FINETUNING"])
        train = by_the_recipe if library.__name__ == "minibert" else by_a_loop
        model, losses = train(library, task_name, folder)
        assert len(losses) >= 100
        return {"losses": torch.tensor(losses), **{name: value.detach() for name, value in model.named_parameters()}}

    return program


def by_a_loop(library: Any, task_name: str, folder: Path) -> tuple[torch.nn.Module, list[float]]:
    """The loop that a script of the time writes out."""
    task = torch.load(folder / f"{task_name}.pt")
    torch.manual_seed(SEED)
    model = getattr(library, task["class"]).from_pretrained(str(folder / "model"), **task["fields"])
    named = list(model.named_parameters())
    no_decay = ["bias", "LayerNorm.bias", "LayerNorm.weight"]
    groups = [
        {"params": [p for n, p in named if not any(part in n for part in no_decay)], "weight_decay": DECAY},
        {"params": [p for n, p in named if any(part in n for part in no_decay)], "weight_decay": 0.0},
    ]
    optimizer = library.AdamW(groups, lr=LR)
    steps = len(task["batches"])
    schedule = library.get_linear_schedule_with_warmup(optimizer, round(0.1 * steps), steps)
    model.train()
    losses = []
    for batch in task["batches"]:
        loss = model(**batch).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    return model, losses


def by_the_recipe(_library: Any, task_name: str, folder: Path) -> tuple[torch.nn.Module, list[float]]:
    """What `minibert finetune` does, evaluations and checkpoints included."""
    from minibert.training.finetuning import train_task
    from tests.parity.old.finetuning_files import opened

    task = opened(task_name, folder)
    losses: list[float] = []
    task.notice = lambda step, figures, log: losses.append(figures["loss"])  # type: ignore[method-assign]  # noqa: ARG005
    with tempfile.TemporaryDirectory() as out:
        train_task(task, Path(out), identity={})
    return task.model, losses


def all_programs() -> dict[str, Callable[[Any], dict[str, Tensor]]]:
    """Every program by name."""
    return {f"finetuning: {name}": finetuned(name) for name in TASKS}
