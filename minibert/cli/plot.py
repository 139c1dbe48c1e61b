"""`minibert plot`: figures for the optimizer chapter."""

from __future__ import annotations

from pathlib import Path

import click

out_option = click.option(
    "--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="Where to: a .png or .svg file."
)


@click.group("plot", short_help="Draw figures (needs the extra `plots`).")
def plot() -> None:
    """Figures, written as PNG or SVG. They need matplotlib: pip install 'minibert-pytorch[plots]'."""


@plot.command("schedules")
@click.option("--warmup", default=100, show_default=True, type=click.IntRange(0), help="Steps of warm-up.")
@click.option("--total", default=1000, show_default=True, type=click.IntRange(1), help="Steps in all.")
@out_option
def schedules(warmup: int, total: int, out: Path) -> None:
    """Draw the six learning-rate schedules, one panel each."""
    from ..microscope.schedules import plot_schedules

    plot_schedules(out, warmup, total)
    click.echo(out)


@plot.command("adamw")
@out_option
def adamw(out: Path) -> None:
    """Draw the walks of AdamW and of Adam with L2 over the same bowl: decay and L2 part ways."""
    from ..microscope.schedules import plot_adamw_and_l2

    plot_adamw_and_l2(out)
    click.echo(out)
