"""Plots of the inside of a model and of its training, drawn without a window and written whole or not at all.

The `draw_…` functions take the numbers of `probes.py` and return a matplotlib figure, which `save_figure` writes; the
`plot_…` functions write a file themselves, and raise ValueError where it is neither .png nor .svg. All read in black and
white and for the colour-blind. matplotlib is the extra `plots`: without it all raise ModuleNotFoundError.
"""

import os
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from ..checkpoints import replacing
from ..optim import AdamL2, AdamW, schedules
from ..visible import visible_in_plot
from .fonts import add_fonts

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LIGHT_TO_DARK, DARK, MARKERS, DASHES = "Blues", "#10406b", "osv^D<>pP*X", ("-", "--", ":", "-.")

# What decay does to weights whose gradients are noise of these standard deviations: lr, λ and steps.
NOISE, LR, DECAY, STEPS = (3.0, 0.3), 1e-3, 0.1, 2000


def new_figure(width: float, height: float) -> "Figure":
    """A matplotlib figure of so many inches, without pyplot: nothing global is set up and no display is needed."""
    try:
        from matplotlib.figure import Figure
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError("Plots need matplotlib: pip install 'minibert-pytorch[plots]'.") from error
    return Figure(figsize=(width, height), layout="constrained")


def check_file_kind(out: str | os.PathLike[str]) -> None:
    """Raises ValueError unless the name ends with .png or .svg."""
    if Path(out).suffix.lower() not in (".png", ".svg"):
        raise ValueError(f"A plot is written as .png or .svg, but the file asked for is {os.fspath(out)!r}.")


def save_figure(figure: "Figure", out: str | os.PathLike[str]) -> None:
    """Write a file of the kind that its name ends with; a reader never finds half of it. Raises OSError where that fails."""
    add_fonts(figure)
    try:
        with replacing(Path(out)) as temporary:
            figure.savefig(temporary)
    except OSError as error:
        raise OSError(f"{out}: cannot be written ({error.strerror or error})") from error


def draw_attention(pieces: Sequence[str], layers: Sequence[Mapping[int, Tensor]]) -> "Figure":
    """The attention weights of every head: rows are queries, columns keys, darker is more. layers: (seq, seq) by the head's number."""
    heads = max(map(len, layers))
    figure = new_figure(width=1.0 + 2.0 * heads, height=0.8 + 2.1 * len(layers))
    panels = figure.subplots(len(layers), heads, squeeze=False)
    texts, blank = [visible_in_plot(piece) for piece in pieces], [""] * len(pieces)
    for row, layer in enumerate(layers):
        for panel in panels[row][len(layer) :]:  # as many as were pruned
            panel.set_axis_off()
        for panel, (head, weights) in zip(panels[row], layer.items(), strict=False):
            panel.imshow(weights.tolist(), cmap=LIGHT_TO_DARK, vmin=0.0, vmax=1.0)
            panel.set_title(f"layer {row}, head {head}", fontsize=8)
            below = texts if row == len(layers) - 1 else blank
            panel.set_xticks(range(len(texts)), below, rotation=90, fontsize=7)
            panel.set_yticks(range(len(texts)), texts if panel is panels[row][0] else blank, fontsize=7)
    figure.colorbar(panels[0][0].images[0], ax=figure.axes, shrink=0.5, label="attention weight; a row adds up to 1")
    figure.supxlabel("a row for each piece that asks (query), a column for each that is asked (key)", fontsize=9)
    return figure


def draw_residual_norms(pieces: Sequence[str], norms: Tensor) -> "Figure":
    """The length of each token's vector after each stage. norms: (layers + 1, seq)."""
    figure = new_figure(width=7, height=4.5)
    panel, stages = figure.subplots(), range(norms.size(0))
    # Ten colours, and then the same ten in dashes, so that no two lines of a sentence look alike.
    for i, piece in enumerate(pieces):
        panel.plot(
            stages,
            norms[:, i].tolist(),
            marker=MARKERS[i % len(MARKERS)],
            linestyle=DASHES[i // 10 % len(DASHES)],
            ms=5,
            lw=1,
            label=visible_in_plot(f"{i} {piece}"),
        )
    panel.set(xticks=stages, xticklabels=_stage_names(len(stages)), ylabel="length of the vector")
    figure.legend(loc="outside right upper", fontsize=8, frameon=False)
    return figure


def draw_lens(pieces: Sequence[str], words: Sequence[Sequence[str]], probabilities: Tensor) -> "Figure":
    """The word the head predicts after each stage, darker where it is surer. words: (layers + 1) rows of seq."""
    figure = new_figure(width=1.5 + 0.95 * len(pieces), height=1.0 + 0.4 * len(words))
    panel = figure.subplots()
    panel.imshow(probabilities.tolist(), cmap=LIGHT_TO_DARK, vmin=0.0, vmax=1.0, aspect="auto", origin="lower")
    for row, predicted in enumerate(words):
        for column, word in enumerate(predicted):
            colour = "white" if probabilities[row, column] > 0.6 else "black"
            panel.text(column, row, visible_in_plot(word), ha="center", va="center", fontsize=8, color=colour)
    panel.set_yticks(range(len(words)), _stage_names(len(words)))
    panel.set_xticks(range(len(pieces)), [visible_in_plot(piece) for piece in pieces])
    figure.colorbar(panel.images[0], label="probability of the word")
    return figure


def draw_position_similarity(similarity: Tensor) -> "Figure":
    """The cosine between position embeddings: neighbours are alike, as far as positions were trained."""
    figure = new_figure(width=5.6, height=4.8)
    panel = figure.subplots()
    figure.colorbar(panel.imshow(similarity.tolist(), cmap="cividis", vmin=-1.0, vmax=1.0), label="cosine")
    panel.set(xlabel="position", ylabel="position")
    return figure


def draw_parameters(kinds: Mapping[str, Tensor]) -> "Figure":
    """A histogram of each kind of parameter."""
    rows = -(-len(kinds) // 3)
    figure = new_figure(width=10, height=1.0 + 1.5 * rows)
    panels = [panel for line in figure.subplots(rows, 3, squeeze=False) for panel in line]
    for panel, (kind, values) in zip(panels, kinds.items(), strict=False):
        panel.hist(values.float().numpy(), bins=60, color=DARK)
        panel.set_title(kind, fontsize=8)
        panel.set_yticks([])
        panel.tick_params(labelsize=7)
    for panel in panels[len(kinds) :]:
        panel.set_axis_off()
    return figure


def draw_gradient_flow(flow: Mapping[str, float]) -> "Figure":
    """The size of the gradient from the first parameter to the last, on a logarithmic scale."""
    figure = new_figure(width=8, height=1.2 + 0.16 * len(flow))
    panel = figure.subplots()
    panel.barh(range(len(flow)), [max(value, 1e-12) for value in flow.values()], color=DARK)
    panel.set_yticks(range(len(flow)), list(flow), fontsize=6)
    panel.set(xscale="log", xlabel="root mean square of the gradient")
    panel.invert_yaxis()
    panel.margins(y=0.005)
    return figure


def _stage_names(count: int) -> list[str]:
    return ["embeddings", *(f"layer {i}" for i in range(count - 1))]


def schedule_curves(warmup: int, total: int) -> dict[str, list[float]]:
    """The factor of each schedule at steps 0 … total, by the schedule's name."""
    steps, restarts = range(total + 1), schedules.cosine_with_hard_restarts
    return {
        "constant": [schedules.constant(t) for t in steps],
        "constant_with_warmup": [schedules.constant_with_warmup(t, warmup) for t in steps],
        "linear": [schedules.linear(t, warmup, total) for t in steps],
        "cosine": [schedules.cosine(t, warmup, total) for t in steps],
        "cosine_with_restarts (3 cycles)": [restarts(t, warmup, total, cycles=3) for t in steps],
        "polynomial (power 2)": [schedules.polynomial_decay(t, warmup, total, lr_init=1.0, power=2.0) for t in steps],
    }


def plot_schedules(out: str | os.PathLike[str], warmup: int = 100, total: int = 1000) -> None:
    """Plot the six learning-rate schedules, one panel each, into `out`. Raises ValueError for counts that do not fit."""
    check_file_kind(out)
    if warmup < 0 or total < 1:
        raise ValueError(f"warmup must be at least 0 and total at least 1, but they are {warmup} and {total}.")
    figure = new_figure(width=10, height=5.5)
    panels = figure.subplots(2, 3, sharex=True, sharey=True)
    for panel, (name, factors) in zip(panels.flat, schedule_curves(warmup, total).items(), strict=True):
        panel.plot(factors)
        panel.set_title(name)
        panel.axvline(warmup, linestyle=":", color="gray")
    figure.suptitle("The factor of each schedule on the learning rate, step by step (dotted: end of warm-up)")
    save_figure(figure, out)


def shrinking_weights() -> dict[str, Tensor]:
    """What AdamW and Adam + L2 leave of weights of 1 after every step, with the same λ: (STEPS, 2), a column for each size of NOISE.

    The gradients average out to 0, so that only λ pulls. Each number is the mean over 500 weights. AdamW takes lr λ of a
    weight at each step; Adam + L2 divides that by the size of its gradients.
    """
    left = {}
    for name, optimizer_class in (("AdamW", AdamW), ("Adam + L2", AdamL2)):
        draw, weights = torch.Generator().manual_seed(0), torch.nn.Parameter(torch.ones(500, 2))
        optimizer = optimizer_class([weights], lr=LR, weight_decay=DECAY)
        means = []
        for _ in range(STEPS):
            weights.grad = torch.randn(500, 2, generator=draw) * torch.tensor(NOISE)
            optimizer.step()
            means.append(weights.detach().mean(0))
        left[name] = torch.stack(means)
    return left


def plot_adamw_and_l2(out: str | os.PathLike[str]) -> None:
    """Plot those four curves into `out`."""
    check_file_kind(out)
    figure = new_figure(width=7, height=4.5)
    panel = figure.subplots()
    for (name, left), colour in zip(shrinking_weights().items(), (DARK, "#a03020"), strict=True):
        for column, style in enumerate(("-", "--")):
            panel.plot(
                left[:, column].tolist(), style, color=colour, label=f"{name}, gradients of size {NOISE[column]}"
            )
    panel.set(xlabel="step", ylabel="what is left of a weight of 1")
    panel.set_title(f"The same λ = {DECAY}, as decay and as an L2 penalty, at lr {LR}")
    panel.legend()
    save_figure(figure, out)


def plot_training(log: list[dict[str, Any]], out: Path, *, metric: str, name: str) -> None:
    """Plot a metric of a run's log over the steps, in training and held out, with its name on the axis.

    In pre-training, also the loss of a model that only counts words, and where the rows grow longer.
    """
    figure = new_figure(width=8, height=4.5)
    axes = figure.subplots()

    def values(key: str) -> list[tuple[int, Any]]:
        return [(line["step"], line[key]) for line in log if key in line]

    axes.plot(*zip(*values(metric), strict=True), color="#7aa6c2", linewidth=1, label="training")
    if held_out := values(f"evaluation_{metric}"):
        axes.plot(*zip(*held_out, strict=True), color=DARK, marker="o", markersize=3, label="held out")
    for _, entropy in values("unigram_entropy"):
        axes.axhline(entropy, color="#a03020", linestyle="--", linewidth=1)
        right: Any = {"transform": axes.get_yaxis_transform(), "ha": "right", "va": "bottom"}
        axes.text(0.99, entropy, "no better than counting words", color="#a03020", **right)
    for (_, before), (step, after) in pairwise(values("length")):
        if after != before:
            axes.axvline(step, color="#999999", linewidth=0.8, linestyle=":")
            axes.text(step, 0.02, f" {after} positions", color="#666666", transform=axes.get_xaxis_transform())
    axes.set(xlabel="step", ylabel=name, title=f"The {name} of this run, step by step")
    axes.legend(frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    save_figure(figure, out)
