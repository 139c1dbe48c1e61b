"""Figures on paper: made without a window, written whole or not at all.

matplotlib is needed, and imported when a figure is made: it is an extra, `pip install minibert-pytorch[plots]`.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from .checkpoints import replacing

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def check_file_kind(out: str | os.PathLike[str]) -> None:
    """Raises ValueError unless the name ends with .png or .svg."""
    if Path(out).suffix.lower() not in (".png", ".svg"):
        raise ValueError(f"A figure is written as .png or .svg, but the file asked for is {os.fspath(out)!r}.")


def new_figure(width: float, height: float) -> Figure:
    """A figure of so many inches. No pyplot, so nothing global is set up and no display is needed.

    Raises ModuleNotFoundError without matplotlib.
    """
    try:
        from matplotlib.figure import Figure
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError("Figures need matplotlib: pip install 'minibert-pytorch[plots]'.") from error
    return Figure(figsize=(width, height), layout="constrained")


def save_figure(figure: Figure, out: str | os.PathLike[str]) -> None:
    """Write a file of the kind that its name ends with; a reader never finds half of it."""
    path = Path(out)
    with replacing(path) as temporary:
        figure.savefig(temporary)
