"""What a run came to: a table of its evaluations."""

from __future__ import annotations

from typing import Any

from ...terminal import table

MARK = "evaluation_"


def results_table(log: list[dict[str, Any]], best_step: int) -> str:
    """A row for each evaluation in a run's log: its step, the loss, the scores; the best one is marked."""
    evaluations = [line for line in log if f"{MARK}loss" in line]
    names = [name for name in evaluations[0] if name.startswith(MARK)]
    header = ("step", *(name.removeprefix(MARK).replace("_", " ") for name in names), "")
    rows = [
        (line["step"], *(f"{line[name]:.3f}" for name in names), "best" if line["step"] == best_step else "")
        for line in evaluations
    ]
    return table(header, rows, right=range(len(header) - 1))
