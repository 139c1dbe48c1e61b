"""`minibert plot`: plots of the learning-rate schedules, of two optimizers, and of the inside of a model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from ..heads.masked_lm import BertForMaskedLM
from ..microscope import plots, probes
from ..tokenization import BertTokenizer
from .options import model_option

out_option = click.option(
    "--out",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file to write, whose name ends with .png or .svg.",
)


@click.group("plot", short_help="Plot schedules, attention, gradients … (needs the extra `plots`).")
def plot() -> None:
    """Write a plot as PNG or SVG. Plots need matplotlib: pip install 'minibert-pytorch[plots]'."""


@plot.command("schedules")
@click.option("--warmup", default=100, show_default=True, type=click.IntRange(0), help="The number of warm-up steps.")
@click.option("--total", default=1000, show_default=True, type=click.IntRange(1), help="The number of all steps.")
@out_option
def schedules(warmup: int, total: int, out: Path) -> None:
    """Plot the six learning-rate schedules, one panel each."""
    plots.plot_schedules(out, warmup, total)
    click.echo(out)


@plot.command("adamw")
@out_option
def adamw(out: Path) -> None:
    """Plot the paths of AdamW and of Adam with L2 over the same loss."""
    plots.plot_adamw_and_l2(out)
    click.echo(out)


def model_plot(*arguments: str) -> Callable[[Callable[..., Any]], click.Command]:
    """Make a command that plots a model from a function of the model, its tokenizer and these arguments."""

    def register(draw: Callable[..., Any]) -> click.Command:
        def command(model: str, out: Path, **given: str) -> None:
            plots.check_file_kind(out)
            network = BertForMaskedLM.from_pretrained(model).eval()
            plots.save_figure(draw(network, BertTokenizer.from_pretrained(model), **given), out)
            click.echo(out)

        for argument in arguments:
            command = click.argument(argument)(command)
        return plot.command(draw.__name__, help=draw.__doc__)(model_option(out_option(command)))

    return register


@model_plot("text")
def attention(network: Any, tokenizer: BertTokenizer, text: str) -> Any:
    """Plot the attention weights of every head over TEXT."""
    return plots.draw_attention(*probes.attention_maps(network, tokenizer, text))


@model_plot("text")
def norms(network: Any, tokenizer: BertTokenizer, text: str) -> Any:
    """Plot the length of each token's vector after each layer."""
    return plots.draw_residual_norms(*probes.residual_norms(network, tokenizer, text))


@model_plot("text")
def lens(network: Any, tokenizer: BertTokenizer, text: str) -> Any:
    """Plot the words that would be predicted if each layer were the last."""
    return plots.draw_lens(*probes.lens(network, tokenizer, text))


@model_plot()
def positions(network: Any, _tokenizer: BertTokenizer) -> Any:
    """Plot the cosine between each two position embeddings."""
    return plots.draw_position_similarity(probes.position_similarity(network))


@model_plot()
def parameters(network: Any, _tokenizer: BertTokenizer) -> Any:
    """Plot a histogram of each kind of parameter."""
    return plots.draw_parameters(probes.parameter_values(network))


@model_plot("text")
def gradients(network: Any, tokenizer: BertTokenizer, text: str) -> Any:
    """Plot the size of each gradient. The loss is that of predicting every token of TEXT."""
    inputs = tokenizer(text, return_tensors="pt")
    scores = network(**inputs)[0]  # (1, seq, vocab)
    scores.log_softmax(dim=-1).gather(-1, inputs["input_ids"][..., None]).mean().neg().backward()
    return plots.draw_gradient_flow(probes.gradient_flow(network))
