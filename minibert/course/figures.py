"""The pictures of the tutorials: seen in a notebook, saved by a script only when asked.

matplotlib is needed (extra `tutorials`); no window is opened and no display is needed.
"""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import TYPE_CHECKING

from ..microscope.schedules import new_figure, save_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Picture", "new_figure", "show"]

FOLDER_VARIABLE = "MINIBERT_FIGURES"


class Picture:
    """A drawn figure. A notebook shows it when it is what a cell ends with. text: what a script prints instead."""

    def __init__(self, figure: Figure, text: str):
        self.figure = figure
        self.text = text

    def _repr_png_(self) -> bytes:
        buffer = io.BytesIO()
        self.figure.savefig(buffer, format="png", dpi=110)
        return buffer.getvalue()

    def __repr__(self) -> str:
        return self.text


def show(figure: Figure, name: str) -> Picture:
    """The figure as a notebook shows it; saved as `name`.png too, where the variable MINIBERT_FIGURES names a folder."""
    folder = os.environ.get(FOLDER_VARIABLE)
    if not folder:
        return Picture(figure, f"[figure {name}: open this file as a notebook, or set {FOLDER_VARIABLE} to a folder]")
    Path(folder).mkdir(parents=True, exist_ok=True)
    path = Path(folder) / f"{name}.png"
    save_figure(figure, path)
    return Picture(figure, f"[figure {name}: {path}]")
