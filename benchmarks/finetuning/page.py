"""docs/results.md from the figures of all runs."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..__main__ import machine
from .tasks import COMMON, RANDOM_START_RATE, SMALL_MODEL_LENGTH, SMALL_MODEL_RATE, TASKS, BenchmarkTask

PAGE = Path(__file__).resolve().parents[2] / "docs" / "results.md"
Run = dict[str, Any]

INTRODUCTION = """# Results

The heads for labels, tags, answers and choices, fine-tuned on six tasks. Scores in percent, mean ± standard deviation
over {seeds}. Recipes were tried on a fifth of the training examples; the test sets chose neither a recipe nor a step.
"""

BESIDE = """## Beside transformers

From the published encoder all-MiniLM-L6-v2 (6 layers, 384 hidden). Both libraries get the same rows in the same batches, the same
recipe in bfloat16 and the same scorer; each has its own model, dropout and AdamW: minibert those of `minibert finetune --fast`,
transformers its defaults and PyTorch's fused AdamW. "As fast" is the ratio of the seconds of the training steps, seed by seed, each run in
a process of its own: the median, and all of them. "A run" is minibert's median.

| task | score | minibert | transformers | as fast | each seed | a run |
|---|---|--:|--:|--:|--:|--:|
"""

BUYS = """## What pre-training buys

The same tasks from the published encoder, from the small model that ships with minibert, and from random weights of its size.
"Majority" always gives the answer that is most frequent in the training set; "untrained" is the encoder with a new head, before the
first step. The small model and the random one: {seeds}.

| task | score | majority | untrained | random weights | bundled | MiniLM |
|---|---|--:|--:|--:|--:|--:|
"""

RECIPES = """## The recipes

AdamW with weight decay {weight_decay:g} for matrices, a warm-up over a tenth of the steps and then down in a line, gradients clipped to a norm of
{clip:g}, batches of texts of about one length. The small models learn at {factor:g} times the rate, the random one
at {most:g} at most, from rows of at most {length} pieces.

| task | learned from | measured on | epochs | batch | learning rate | pieces |
|---|--:|--:|--:|--:|--:|--:|
"""

SOURCES = """## The data

| task | from | split |
|---|---|---|
| TREC | Li & Roth 2002 | as published; 6 coarse or 50 fine labels |
| WNUT 2017 | Derczynski et al. 2017 | as published; where the test file gives a word several tags, the first counts |
| RTE | Dagan et al. 2006, Bar-Haim et al. 2006, Giampiccolo et al. 2007 | measured on the test set of RTE 2, learned from all other sets of RTE 1 to 3 |
| XQuAD | Artetxe et al. 2020, English | a fifth of the paragraphs, with all their questions, for the test |
| Novels | 98 novels of 1830 to 1930 | a sentence and four that may follow, three of them from elsewhere in the book; learned from the 94 novels that the bundled model has read, measured on the four that it has not |

`python -m benchmarks.finetuning --data DIR --encoder DIR --out DIR` repeats all of it; `benchmarks/finetuning/` says how.
"""


def write_page(runs: Sequence[Run], majorities: dict[str, float], sizes: dict[str, tuple[int, int]]) -> None:
    """The whole page. majorities, sizes: of each task, see `majority.py`; how many examples it learns from and is measured on."""
    tasks = [task for name, task in TASKS.items() if chosen(runs, name, "encoder", "minibert")]
    parts = [
        INTRODUCTION.format(seeds=seeds(runs, "encoder")),
        BESIDE + "\n".join(beside(task, runs) for task in tasks) + "\n",
        BUYS.format(seeds=seeds(runs, "bundled", "random"))
        + "\n".join(buys(task, runs, majorities[task.name]) for task in tasks)
        + "\n",
        recipes(tasks, sizes),
        SOURCES,
        machine() + "\n",
    ]
    before = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
    kept = "".join(before.partition("\n## Sentence vectors\n")[1:])  # another benchmark's
    PAGE.write_text("\n".join(parts) + kept, encoding="utf-8")


def chosen(runs: Sequence[Run], task: str, start: str, library: str) -> list[Run]:
    """The runs of one kind, by seed."""
    wanted = {"task": task, "start": start, "library": library}
    return sorted((run for run in runs if wanted.items() <= run.items()), key=lambda run: int(run["seed"]))


def seeds(runs: Sequence[Run], *starts: str) -> str:
    """With which seeds these were run."""
    last = max((run["seed"] for run in runs if run["start"] in starts), default=1)
    return "seed 1" if last == 1 else f"seeds 1 to {last}"


def beside(task: BenchmarkTask, runs: Sequence[Run]) -> str:
    """A row of minibert beside transformers."""
    ours, theirs = (chosen(runs, task.name, "encoder", library) for library in ("minibert", "transformers"))
    seconds_of_theirs = {run["seed"]: run["seconds"] for run in theirs}
    ratios = [seconds_of_theirs[run["seed"]] / run["seconds"] for run in ours if run["seed"] in seconds_of_theirs]
    seconds = statistics.median(run["seconds"] for run in ours)
    names = " / ".join(map(said, task.scores))
    our_scores, their_scores = (" / ".join(spread(side, score) for score in task.scores) for side in (ours, theirs))
    return (
        f"| {task.title} | {names} | {our_scores} | {their_scores} | "
        f"**{statistics.median(ratios):.2f}×** | {', '.join(f'{ratio:.2f}' for ratio in ratios)} | {seconds:.0f} s |"
    )


def buys(task: BenchmarkTask, runs: Sequence[Run], majority: float) -> str:
    """A row of the three starts."""
    name = task.scores[0]
    random, bundled, encoder = (
        chosen(runs, task.name, start, "minibert") for start in ("random", "bundled", "encoder")
    )
    untrained = spread(encoder, name, "untrained")
    return (
        f"| {task.title} | {said(name)} | {100 * majority:.1f} | {untrained} | {spread(random, name)} | {spread(bundled, name)} | "
        f"{spread(encoder, name)} |"
    )


def recipes(tasks: Sequence[BenchmarkTask], sizes: dict[str, tuple[int, int]]) -> str:
    """How each was trained."""
    lines = [
        f"| {task.title} | {sizes[task.name][0]:,} | {sizes[task.name][1]:,} | {task.recipe.epochs} | {task.recipe.batch_size} | "
        f"{task.recipe.lr:g} | {task.recipe.max_length} |"
        for task in tasks
    ]
    text = RECIPES.format(
        weight_decay=COMMON.weight_decay,
        clip=COMMON.clip,
        factor=SMALL_MODEL_RATE,
        most=RANDOM_START_RATE,
        length=SMALL_MODEL_LENGTH,
    )
    return text + "\n".join(lines) + "\n"


def spread(runs: Sequence[Run], score: str, when: str = "figures") -> str:
    """Mean ± standard deviation of a score, in percent; of a single run the score."""
    values = [100 * run[when][score] for run in runs]
    if not values:
        return ""
    mean = f"{statistics.mean(values):.1f}"
    return f"{mean} ± {statistics.stdev(values):.1f}" if len(values) > 1 else mean


def said(score: str) -> str:
    """A score's name in words."""
    return {"f1": "F1", "entity_f1": "entity F1"}.get(score, score.replace("_", " "))
