"""What a finished run leaves: the best model under a plain name, and its loss as a curve."""

from __future__ import annotations

import importlib.util
import shutil
from itertools import pairwise
from pathlib import Path
from typing import Any

from ..checkpoints import replacing
from ..microscope.plots import new_figure, save_figure
from .run_checkpoints import STATE, RunCheckpoints
from .run_log import read_log


def finish(
    out: Path, best_step: int, figure: str = "words_loss", name: str = "loss of hidden words (nats)"
) -> list[str]:
    """Copy the best checkpoint to `out/model` and draw a figure of the log in `out/curve.png`; return sentences on what there is now."""
    best = RunCheckpoints(out / "checkpoints").path(best_step)
    model = out / "model"
    with replacing(model) as draft:
        shutil.copytree(best, draft, ignore=shutil.ignore_patterns(STATE))
        shutil.rmtree(model, ignore_errors=True)
    lines = [f"The best model, of step {best_step}, is in {model}."]
    if importlib.util.find_spec("matplotlib") is None:
        return [*lines, "For the curve of its loss, install the extra: pip install 'minibert-pytorch[plots]'."]
    draw_curve(read_log(out / "log.jsonl"), out / "curve.png", figure, name)
    return [*lines, f"The curve of its loss is in {out / 'curve.png'}."]


def draw_curve(log: list[dict[str, Any]], path: Path, figure: str, name: str) -> None:
    """A figure of the log over the steps, in training and held out; in pre-training also the line of counting words.

    name: of the figure, as the axis says it.
    """
    drawing = new_figure(width=8, height=4.5)
    axes = drawing.subplots()
    trained = [(line["step"], line[figure]) for line in log if figure in line]
    evaluation = f"evaluation_{figure}"
    held_out = [(line["step"], line[evaluation]) for line in log if evaluation in line]
    axes.plot(*zip(*trained, strict=True), color="#7aa6c2", linewidth=1, label="training")
    if held_out:
        axes.plot(*zip(*held_out, strict=True), color="#10406b", marker="o", markersize=3, label="held out")
    for line in log:
        if "unigram_entropy" in line:
            axes.axhline(line["unigram_entropy"], color="#a03020", linestyle="--", linewidth=1)
            axes.annotate(
                "no better than counting words",
                (1, line["unigram_entropy"]),
                xycoords=("axes fraction", "data"),
                xytext=(-6, 4),
                textcoords="offset points",
                ha="right",
                color="#a03020",
            )
    lengths = [(line["step"], line["length"]) for line in log if "length" in line]
    for (_, before), (step, after) in pairwise(lengths):
        if after != before:
            axes.axvline(step, color="#999999", linewidth=0.8, linestyle=":")
            axes.annotate(
                f"{after} positions",
                (step, 0.02),
                xycoords=("data", "axes fraction"),
                xytext=(3, 0),
                textcoords="offset points",
                color="#666666",
                fontsize=8,
            )
    axes.set_xlabel("step")
    axes.set_ylabel(name)
    axes.legend(frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    save_figure(drawing, path)
