"""Every training in turn, each in a process of its own; what is done already is not done again.

python -m benchmarks.finetuning --data DIR --encoder DIR --out DIR [--tasks NAME,…] [--starts NAME,…] [--seeds N]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from minibert import BertConfig, BertForPreTraining, BertTokenizer

from .majority import majority
from .page import write_page
from .published import prepare
from .tasks import TASKS

BUNDLED = "novels-4l-256h"
STARTS = ("encoder", "bundled", "random")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.finetuning", description=__doc__)
    parser.add_argument(
        "--data", type=Path, required=True, help="the published files, in trec, rte, wnut17, xquad, novels"
    )
    parser.add_argument("--encoder", type=Path, required=True, help="the folder of all-MiniLM-L6-v2")
    parser.add_argument(
        "--out", type=Path, required=True, help="task files, figures; a run that was stopped goes on here"
    )
    parser.add_argument("--tasks", default=",".join(TASKS))
    parser.add_argument("--starts", default=",".join(STARTS))
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()

    prepare(options.data, options.out / "tasks")
    models = {"encoder": str(options.encoder), "bundled": BUNDLED, "random": str(random_start(options.out / "random"))}
    record = options.out / "runs.jsonl"
    for start in options.starts.split(","):
        for seed in range(1, options.seeds + 1):
            for task in options.tasks.split(","):
                # What pre-training buys is a question about models; how two libraries compare, the encoder answers.
                libraries = ["minibert", "transformers"] if start == "encoder" else ["minibert"]
                recipe = asdict(TASKS[task].recipe_for(start, seed))
                for library in libraries[:: 1 if seed % 2 else -1]:
                    what = {"library": library, "task": task, "start": start, "recipe": recipe}
                    if not any(what.items() <= run.items() for run in read(record)):
                        run = {**what, **train(library, task, start, models[start], seed, options.out / "tasks")}
                        with record.open("a", encoding="utf-8") as file:
                            file.write(json.dumps(run) + "\n")
                        print(json.dumps(run), flush=True)
    files = options.out / "tasks"
    majorities = {name: majority(task, files) for name, task in TASKS.items()}
    sizes = {name: task.sizes(files) for name, task in TASKS.items()}
    write_page(of_today(read(record)), majorities, sizes)


def train(library: str, task: str, start: str, model: str, seed: int, files: Path) -> dict[str, Any]:
    """One run, from a process of its own."""
    command = [sys.executable, "-m", "benchmarks.finetuning.run", library, task, start, model, str(seed), str(files)]
    result = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    run: dict[str, Any] = json.loads(result.stdout.splitlines()[-1])
    return run


def random_start(folder: Path) -> Path:
    """A model as large as the bundled one that has learned nothing."""
    if not folder.exists():
        torch.manual_seed(0)
        BertForPreTraining(BertConfig.from_pretrained(BUNDLED)).save_pretrained(folder)
        BertTokenizer.from_pretrained(BUNDLED).save_pretrained(folder)
    return folder


def read(record: Path) -> list[dict[str, Any]]:
    """The runs so far."""
    return [json.loads(line) for line in record.read_text(encoding="utf-8").splitlines()] if record.exists() else []


def of_today(runs: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those with the recipe that their task has now."""
    return [run for run in runs if run["recipe"] == asdict(TASKS[run["task"]].recipe_for(run["start"], run["seed"]))]


if __name__ == "__main__":
    main()
