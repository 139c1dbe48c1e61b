"""The plots of the chapters: shown by a notebook, saved by a script only when asked. And what all chapters need to run well.

matplotlib is needed (extra `tutorials`); no window is opened and no display is needed. To import this module sets PyTorch to one thread,
unless the environment variable OMP_NUM_THREADS says how many there are to be.
"""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from minibert.microscope.fonts import add_fonts
from minibert.microscope.plots import new_figure, save_figure
from minibert.terminal import write_utf8

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Picture", "new_figure", "show"]

FOLDER_VARIABLE = "MINIBERT_FIGURES"

write_utf8()  # a chapter prints "√" and "─", to a file too
os.environ.setdefault("KINETO_LOG_LEVEL", "6")  # PyTorch's profiler says what it does; a chapter prints what it found
if "OMP_NUM_THREADS" not in os.environ:
    torch.set_num_threads(
        1
    )  # small models on several threads wait ten times as long as they work where others compute too


class Picture:
    """A plot that a notebook shows when a cell ends with it. seen: a sentence for those who cannot see it."""

    def __init__(self, figure: Figure, seen: str):
        self.figure = figure
        self.seen = seen

    def __repr__(self) -> str:
        return self.seen

    def _repr_png_(self) -> tuple[bytes, dict[str, str]]:
        add_fonts(self.figure)
        buffer = io.BytesIO()
        self.figure.savefig(buffer, format="png", dpi=110)
        return buffer.getvalue(), {"alt": self.seen}


def show(figure: Figure, name: str, seen: str) -> Picture:
    """The plot for a notebook, and a sentence that says what is seen in it, for those who cannot see it.

    A script prints where the plot is: `name`.png in the folder that MINIBERT_FIGURES names.
    """
    folder = os.environ.get(FOLDER_VARIABLE)
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        save_figure(figure, Path(folder) / f"{name}.png")
    if "ipykernel" not in sys.modules:  # not in a notebook
        where = Path(folder) / f"{name}.png" if folder else f"to see it, set {FOLDER_VARIABLE} to a folder"
        print(f"[figure {name}: {where}]")
    return Picture(figure, seen)
