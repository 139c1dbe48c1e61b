"""`minibert plot`: plots of the learning-rate schedules, of two optimizers, and of the inside of a model."""

from pathlib import Path
from typing import Any

import click

from ..terminal import echo
from ..visible import visible
from .kinds import NEW_FILE, TEXT, Count
from .options import load_as_trained, model_option, require_word_head, warn_if_long

out_option = click.option("--out", required=True, type=NEW_FILE, help="Write the plot to this file, a .png or .svg.")

# The function of `microscope.probes` that gives numbers, the one of `microscope.plots` that draws them, and what is plotted
PLOTS = {
    "attention": ("attention_maps", "draw_attention", "the attention weights of every head over TEXT"),
    "norms": ("residual_norms", "draw_residual_norms", "the length of each token's vector after each layer"),
    "lens": ("lens", "draw_lens", "the words that would be predicted if each layer were the last"),
    "gradients": ("text_gradients", "draw_gradient_flow", "the size of each gradient in predicting TEXT"),
    "positions": ("position_similarity", "draw_position_similarity", "how similar position embeddings are"),
    "parameters": ("parameter_values", "draw_parameters", "a histogram of each kind of parameter"),
}
WITHOUT_TEXT = ("positions", "parameters")
OF_WORDS = ("lens", "gradients")  # what the head for words computes


@click.group("plot")
def plot() -> None:
    """Write a plot as PNG or SVG. Plots need matplotlib: pip install 'minibert-pytorch[plots]'."""


@plot.command("schedules")
@click.option("--warmup", default=100, type=Count(0), help="Warm up for N steps.")
@click.option("--total", default=1000, type=Count(1), help="Show N steps in all.")
@out_option
def schedules(warmup: int, total: int, out: Path) -> None:
    """Plot the six learning-rate schedules, one panel each."""
    from ..microscope.plots import plot_schedules

    plot_schedules(out, warmup, total)
    echo(out)


@plot.command("adamw")
@out_option
def adamw(out: Path) -> None:
    """Plot how the same λ shrinks weights, as decay (AdamW) and as an L2 penalty."""
    from ..microscope.plots import plot_adamw_and_l2

    plot_adamw_and_l2(out)
    echo(out)


def add_command(name: str, probe: str, draw: str, what: str) -> None:
    @plot.command(name, help=f"Plot {what}.")
    @model_option
    @out_option
    def command(model: str, out: Path, text: str | None = None) -> None:
        from ..heads.masked_lm import BertForMaskedLM
        from ..microscope import plots, probes
        from ..tokenization import BertTokenizer

        plots.check_file_kind(out)
        if name in OF_WORDS:
            network = BertForMaskedLM.from_pretrained(model).eval()
            require_word_head(network, model)
        else:
            network = load_as_trained(model, attn_implementation="eager").eval()
        inputs: tuple[Any, ...] = () if text is None else (BertTokenizer.from_pretrained(model), text)
        for tokenizer in inputs[:1]:
            warn_if_long(tokenizer, tokenizer(text, return_tensors="pt", verbose=False)["input_ids"])
        numbers = getattr(probes, probe)(network, *inputs)
        figure = getattr(plots, draw)(*numbers) if isinstance(numbers, tuple) else getattr(plots, draw)(numbers)
        figure.suptitle(visible(f"{model}: {what.replace('TEXT', f'“{text}”')}"), fontsize=10, parse_math=False)
        plots.save_figure(figure, out)
        echo(out)

    if name not in WITHOUT_TEXT:
        click.argument("text", type=TEXT)(command)


for name, plotted in PLOTS.items():
    add_command(name, *plotted)
