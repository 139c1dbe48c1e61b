"""Six pictures of the inside of a model. Each function returns a matplotlib figure; `drawing.save_figure` writes it.

They read in black and white and for the colour-blind: one scale from light to dark, and markers beside colours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from torch import Tensor

from ..drawing import new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LIGHT_TO_DARK = "Blues"
MARKERS = "osv^D<>pP*X"


def draw_attention(pieces: Sequence[str], layers: Sequence[Tensor]) -> Figure:
    """Every head of every layer: rows look at columns, darker is more. layers: (heads, seq, seq) each."""
    heads = max(layer.size(0) for layer in layers)
    figure = new_figure(width=1.0 + 2.0 * heads, height=0.8 + 2.1 * len(layers))
    panels = figure.subplots(len(layers), heads, squeeze=False)
    for row, layer in enumerate(layers):
        for head in range(heads):
            panel = panels[row][head]
            if head >= layer.size(0):
                panel.set_axis_off()
                continue
            panel.imshow(layer[head].tolist(), cmap=LIGHT_TO_DARK, vmin=0.0, vmax=1.0)
            panel.set_title(f"layer {row}, head {head}", fontsize=8)
            label_pieces(panel, pieces, below=row == len(layers) - 1, beside=head == 0)
    return figure


def draw_residual_norms(pieces: Sequence[str], norms: Tensor) -> Figure:
    """How long each token's vector is after each stage. norms: (layers + 1, seq)."""
    figure = new_figure(width=7, height=4.5)
    panel = figure.subplots()
    stages = range(norms.size(0))
    for i, piece in enumerate(pieces):
        marker = MARKERS[i % len(MARKERS)]
        panel.plot(stages, norms[:, i].tolist(), marker=marker, markersize=5, linewidth=1, label=f"{i} {piece}")
    panel.set_xticks(list(stages), ["embeddings", *(f"layer {i}" for i in stages[:-1])])
    panel.set_ylabel("length of the vector")
    figure.legend(loc="outside right upper", fontsize=8, frameon=False)
    return figure


def draw_lens(pieces: Sequence[str], words: Sequence[Sequence[str]], probabilities: Tensor) -> Figure:
    """The word the head would say after each stage, darker where it is surer. words: (layers + 1) rows of seq."""
    figure = new_figure(width=1.5 + 0.95 * len(pieces), height=1.0 + 0.4 * len(words))
    panel = figure.subplots()
    panel.imshow(probabilities.tolist(), cmap=LIGHT_TO_DARK, vmin=0.0, vmax=1.0, aspect="auto", origin="lower")
    for row, said in enumerate(words):
        for column, word in enumerate(said):
            colour = "white" if probabilities[row, column] > 0.6 else "black"
            panel.text(column, row, plain(word), ha="center", va="center", fontsize=8, color=colour)
    panel.set_yticks(range(len(words)), ["embeddings", *(f"layer {i}" for i in range(len(words) - 1))])
    panel.set_xticks(range(len(pieces)), [plain(piece) for piece in pieces])
    return figure


def draw_position_similarity(similarity: Tensor) -> Figure:
    """The cosine between position embeddings: neighbours are alike, as far as positions were trained."""
    figure = new_figure(width=5.6, height=4.8)
    panel = figure.subplots()
    image = panel.imshow(similarity.tolist(), cmap="cividis", vmin=-1.0, vmax=1.0)
    figure.colorbar(image, label="cosine")
    panel.set_xlabel("position")
    panel.set_ylabel("position")
    return figure


def draw_parameters(kinds: Mapping[str, Tensor]) -> Figure:
    """A histogram of each kind of parameter."""
    columns = 3
    rows = -(-len(kinds) // columns)
    figure = new_figure(width=10, height=1.0 + 1.5 * rows)
    panels = [panel for line in figure.subplots(rows, columns, squeeze=False) for panel in line]
    for panel, (kind, values) in zip(panels, kinds.items(), strict=False):
        panel.hist(values.float().numpy(), bins=60, color="#10406b")
        panel.set_title(kind, fontsize=8)
        panel.set_yticks([])
        panel.tick_params(labelsize=7)
    for panel in panels[len(kinds) :]:
        panel.set_axis_off()
    return figure


def draw_gradient_flow(flow: Mapping[str, float]) -> Figure:
    """The size of the gradient from the first parameter to the last, on a logarithmic scale."""
    figure = new_figure(width=8, height=1.2 + 0.16 * len(flow))
    panel = figure.subplots()
    names = list(flow)
    panel.barh(range(len(names)), [max(value, 1e-12) for value in flow.values()], color="#10406b")
    panel.set_yticks(range(len(names)), names, fontsize=6)
    panel.set_xscale("log")
    panel.invert_yaxis()
    panel.margins(y=0.005)
    panel.set_xlabel("root mean square of the gradient")
    return figure


def label_pieces(panel: Any, pieces: Sequence[str], below: bool, beside: bool) -> None:
    """Pieces along the axes of a square panel, where there is room for them."""
    texts = [plain(piece) for piece in pieces]
    panel.set_xticks(range(len(texts)), texts if below else [""] * len(texts), rotation=90, fontsize=7)
    panel.set_yticks(range(len(texts)), texts if beside else [""] * len(texts), fontsize=7)


def plain(text: str) -> str:
    """A dollar sign is no formula."""
    return text.replace("$", r"\$")
