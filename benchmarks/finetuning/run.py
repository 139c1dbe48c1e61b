"""One training in a process of its own, and what came of it as a line of JSON.

    python -m benchmarks.finetuning.run LIBRARY TASK START MODEL SEED FILES

Both libraries get the same rows in the same batches in the same order, the same learning rates and the same clipping, and are scored
by the same code. Each has its own model, its own dropout and its own AdamW: transformers with PyTorch's fused one, as its
Trainer has, and attention as it comes. Seconds are those of the steps alone.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import torch

from minibert.optim import no_decay_groups
from minibert.training.finetuning import FineTuning, open_task, outputs_of, train_task
from minibert.fast.memory import keep_freed_memory
from minibert.training.distributed import Processes

from .tasks import TASKS, BenchmarkTask

ALONE = World(0, 1, torch.device("cpu"))


def opened(task: BenchmarkTask, start: str, model: str, seed: int, files: Path) -> FineTuning:
    """Rows, model and recipe."""
    train_file, evaluation_file = task.files(files)
    examples = task.kind.read(train_file)
    kind = task.kind_for(start).learn(examples)
    return open_task(
        kind, model, examples, kind.read(evaluation_file), task.recipe_for(start, seed), ALONE, lambda _: None
    )


def minibert_run(task: FineTuning) -> dict[str, Any]:
    """As `minibert finetune` trains, from its first step to its last."""
    keep_freed_memory()
    untrained = task.evaluate()
    ended = 0.0

    def notice(*_: Any) -> None:
        nonlocal ended
        ended = time.perf_counter()

    task.notice = notice  # type: ignore[method-assign,assignment]
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        figures = train_task(task, Path(folder), identity={}, save_every=task.steps)
    return {"untrained": untrained, "figures": figures, "seconds": ended - began}


def transformers_run(task: FineTuning, model: str) -> dict[str, Any]:
    """A plain loop over transformers."""
    import transformers

    kind, recipe = task.kind, task.recipe
    transformers.logging.set_verbosity_error()
    torch.manual_seed(recipe.seed)
    theirs = getattr(transformers, kind.model_class.__name__).from_pretrained(model, **kind.config_fields())
    theirs.float().train()
    optimizer = torch.optim.AdamW(no_decay_groups(theirs, recipe.weight_decay), lr=recipe.lr, fused=True)
    schedule = transformers.get_linear_schedule_with_warmup(optimizer, round(recipe.warmup * task.steps), task.steps)
    began = time.perf_counter()
    for step in range(1, task.steps + 1):
        batch, _ = task.batch(step)
        with torch.autocast("cpu", task.precision, enabled=task.precision != torch.float32):
            loss = theirs(**batch).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(theirs.parameters(), recipe.clip)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
    seconds = time.perf_counter() - began
    size = 2 * recipe.batch_size
    outputs = outputs_of(
        theirs, task.evaluation, kind, task.tokenizer, ALONE, batch_size=size, precision=task.precision
    )
    figures = {"loss": outputs.loss, **kind.score(task.evaluation, outputs.kept, outputs.loss)}
    return {"figures": figures, "seconds": seconds}


def main() -> None:
    library, name, start, model, seed, files = sys.argv[1:]
    task = opened(TASKS[name], start, model, int(seed), Path(files))
    run = minibert_run(task) if library == "minibert" else transformers_run(task, model)
    what = {"library": library, "task": name, "start": start, "seed": int(seed), "steps": task.steps}
    print(json.dumps({**what, **run}))


if __name__ == "__main__":
    main()
