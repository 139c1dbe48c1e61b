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

from minibert.fast.memory import keep_freed_memory
from minibert.optim import no_decay_groups
from minibert.training.distributed import Processes
from minibert.training.finetuning import FineTuning, open_task, train_task

from .tasks import TASKS, BenchmarkTask

ALONE = Processes(0, 1, torch.device("cpu"))


def opened(benchmark: BenchmarkTask, start: str, model: str, seed: int, files: Path) -> FineTuning:
    """Rows, model and recipe."""
    train_file, evaluation_file = benchmark.files(files)
    examples = benchmark.task.read(train_file)
    task = benchmark.task_for(start).adapted_to(examples)
    return open_task(
        task, model, examples, task.read(evaluation_file), benchmark.recipe_for(start, seed), ALONE, lambda _: None
    )


def minibert_run(trained: FineTuning) -> dict[str, Any]:
    """As `minibert finetune` trains, from its first step to its last."""
    keep_freed_memory()
    untrained = trained.evaluate()
    ended = 0.0

    def notice(*_: Any) -> None:
        nonlocal ended
        ended = time.perf_counter()

    trained.notice = notice  # type: ignore[method-assign,assignment]
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        figures = train_task(trained, Path(folder), identity={}, save_every=trained.steps)
    return {"untrained": untrained, "figures": figures, "seconds": ended - began}


def transformers_run(trained: FineTuning, model: str) -> dict[str, Any]:
    """A plain loop over transformers."""
    import transformers

    task, recipe = trained.task, trained.recipe
    transformers.logging.set_verbosity_error()
    torch.manual_seed(recipe.seed)
    theirs = getattr(transformers, task.model_class.__name__).from_pretrained(model, **task.config_fields())
    theirs.float().train()
    optimizer = torch.optim.AdamW(no_decay_groups(theirs, recipe.weight_decay), lr=recipe.lr, fused=True)
    schedule = transformers.get_linear_schedule_with_warmup(
        optimizer, round(recipe.warmup * trained.steps), trained.steps
    )
    began = time.perf_counter()
    for batch in trained.batches(1):
        with torch.autocast("cpu", trained.precision, enabled=trained.precision != torch.float32):
            loss = theirs(**batch).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(theirs.parameters(), recipe.clip)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
    seconds = time.perf_counter() - began
    trained.model = theirs
    return {"figures": trained.evaluate(), "seconds": seconds}


def main() -> None:
    library, name, start, model, seed, files = sys.argv[1:]
    trained = opened(TASKS[name], start, model, int(seed), Path(files))
    run = minibert_run(trained) if library == "minibert" else transformers_run(trained, model)
    what = {"library": library, "task": name, "start": start, "seed": int(seed), "steps": trained.steps}
    print(json.dumps({**what, **run}))


if __name__ == "__main__":
    main()
