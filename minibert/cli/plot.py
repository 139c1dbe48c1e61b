"""`minibert plot`: figures of the optimizer chapter, and of the inside of a model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from .options import model_option

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


@plot.command("attention")
@click.argument("text")
@model_option
@out_option
def attention(text: str, model: str, out: Path) -> None:
    """Draw where every head of every layer looks in TEXT."""
    from ..microscope import figures, look

    network, tokenizer = _opened(model)
    _save(figures.draw_attention(*look.attention_maps(network, tokenizer, text)), out)


@plot.command("norms")
@click.argument("text")
@model_option
@out_option
def norms(text: str, model: str, out: Path) -> None:
    """Draw how long the vector of each token of TEXT is after each layer."""
    from ..microscope import figures, look

    network, tokenizer = _opened(model)
    _save(figures.draw_residual_norms(*look.residual_norms(network, tokenizer, text)), out)


@plot.command("lens")
@click.argument("text")
@model_option
@out_option
def lens(text: str, model: str, out: Path) -> None:
    """Draw what the word head would say at each token of TEXT if each layer were the last."""
    from ..microscope import figures, look

    network, tokenizer = _opened(model)
    _save(figures.draw_lens(*look.lens(network, tokenizer, text)), out)


@plot.command("positions")
@model_option
@out_option
def positions(model: str, out: Path) -> None:
    """Draw how alike the embeddings of each two positions are."""
    from ..microscope import figures, look

    network, _ = _opened(model)
    _save(figures.draw_position_similarity(look.position_similarity(network)), out)


@plot.command("parameters")
@model_option
@out_option
def parameters(model: str, out: Path) -> None:
    """Draw a histogram of each kind of parameter."""
    from ..microscope import figures, look

    network, _ = _opened(model)
    _save(figures.draw_parameters(look.parameter_values(network)), out)


@plot.command("gradients")
@click.argument("text")
@model_option
@out_option
def gradients(text: str, model: str, out: Path) -> None:
    """Draw the size of every gradient when the model is asked to say TEXT, word for word."""
    from ..microscope import figures, look

    network, tokenizer = _opened(model)
    inputs = tokenizer(text, return_tensors="pt")
    scores = network(**inputs)[0]  # (1, seq, vocab)
    scores.log_softmax(dim=-1).gather(-1, inputs["input_ids"][..., None]).mean().neg().backward()
    _save(figures.draw_gradient_flow(look.gradient_flow(network)), out)


def _opened(model: str) -> tuple[Any, Any]:
    """The model, with the word head if it has one, and its tokenizer."""
    from ..heads.masked_lm import BertForMaskedLM
    from ..tokenization import BertTokenizer

    return BertForMaskedLM.from_pretrained(model).eval(), BertTokenizer.from_pretrained(model)


def _save(figure: Any, out: Path) -> None:
    from ..drawing import check_file_kind, save_figure

    check_file_kind(out)
    save_figure(figure, out)
    click.echo(out)
