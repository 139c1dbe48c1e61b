"""Try recipes on a fifth of the training examples, so that the test set chooses none.

python -m benchmarks.finetuning.tune TASK START MODEL FILES EPOCHS,… RATE,…

RATE is the learning rate that the start is trained with. Each pair of epochs and rate is one line of JSON.
"""

from __future__ import annotations

import json
import random
import sys
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

from minibert.fast.memory import keep_freed_memory
from minibert.tasks import Examples
from minibert.training.finetuning import open_task

from .run import ALONE, minibert_run
from .tasks import TASKS


def split(examples: Examples) -> tuple[Examples, Examples]:
    """Four fifths and one fifth. Examples with one context, as questions of a paragraph have, stay together."""
    contexts = [getattr(example, "context", number) for number, example in enumerate(examples.items)]
    distinct: list[Any] = list(dict.fromkeys(contexts))
    random.Random("a fifth").shuffle(distinct)
    kept = set(distinct[: len(distinct) // 5])
    parts: tuple[list[Any], list[Any]] = ([], [])
    for context, example in zip(contexts, examples.items, strict=True):
        parts[context in kept].append(example)
    return Examples(parts[0], examples.report), Examples(parts[1], examples.report)


def main() -> None:
    name, start, model, files, epochs, rates = sys.argv[1:]
    benchmark = TASKS[name]
    keep_freed_memory()
    for passes, rate in product(map(int, epochs.split(",")), map(float, rates.split(","))):
        examples = benchmark.task.read(benchmark.files(Path(files))[0])
        task = benchmark.task_for(start).adapted_to(examples)
        recipe = replace(benchmark.recipe_for(start, seed=0), epochs=passes, lr=rate)
        train, evaluation = split(examples)
        run = minibert_run(open_task(task, model, train, evaluation, recipe, ALONE, lambda _: None))
        print(json.dumps({"task": name, "start": start, "epochs": passes, "rate": rate, **run}), flush=True)


if __name__ == "__main__":
    main()
