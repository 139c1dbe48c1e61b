"""Two figures of the optimizer chapter, as PNG or SVG files: the six schedules, and AdamW beside Adam + L2.

What is drawn (`schedule_curves`, `bowl_paths`) is plain numbers, computed without matplotlib; only the two `plot_…` functions need it.
"""

import os
from collections.abc import Callable

import torch

from ..drawing import check_file_kind, new_figure, save_figure
from ..optim import AdamL2, AdamW
from ..optim.schedules import (
    constant,
    constant_with_warmup,
    cosine,
    cosine_with_hard_restarts,
    linear,
    polynomial_decay,
)

# The bowl: loss(x, y) = ½ (STEEP (x − 1)² + FLAT (y − 1)²), started at START. L2 and decay both pull towards (0, 0).
STEEP, FLAT = 5.0, 0.5
START = (2.0, 2.0)
LR, DECAY, STEPS = 0.02, 0.5, 600


def schedule_curves(warmup: int, total: int) -> dict[str, list[float]]:
    """The factor of each schedule at steps 0 … total, by the schedule's name."""
    formulas: dict[str, Callable[[int], float]] = {
        "constant": constant,
        "constant_with_warmup": lambda step: constant_with_warmup(step, warmup),
        "linear": lambda step: linear(step, warmup, total),
        "cosine": lambda step: cosine(step, warmup, total),
        "cosine_with_restarts (3 cycles)": lambda step: cosine_with_hard_restarts(step, warmup, total, cycles=3),
        "polynomial (power 2)": lambda step: polynomial_decay(step, warmup, total, lr_init=1.0, power=2.0),
    }
    return {name: [formula(step) for step in range(total + 1)] for name, formula in formulas.items()}


def bowl_paths() -> dict[str, list[tuple[float, float]]]:
    """Where AdamW and Adam + L2 walk on the bowl, from the same start with the same λ.

    Along the steep axis gradients are large. Adam + L2 divides the penalty by them with the rest, and hardly pulls
    there; AdamW pulls both axes by the same share.
    """
    return {
        "AdamW": walk(lambda param: AdamW([param], lr=LR, weight_decay=DECAY)),
        "Adam + L2": walk(lambda param: AdamL2([param], lr=LR, weight_decay=DECAY)),
    }


def walk(make_optimizer: Callable[[torch.nn.Parameter], torch.optim.Optimizer]) -> list[tuple[float, float]]:
    """All points from the start on."""
    point = torch.nn.Parameter(torch.tensor(START, dtype=torch.float64))
    curvature = torch.tensor([STEEP, FLAT], dtype=torch.float64)
    optimizer = make_optimizer(point)
    path = [START]
    for _ in range(STEPS):
        point.grad = curvature * (point.detach() - 1.0)
        optimizer.step()
        path.append((point[0].item(), point[1].item()))
    return path


def plot_schedules(out: str | os.PathLike[str], warmup: int = 100, total: int = 1000) -> None:
    """Draw the six schedules, one panel each, into `out` (PNG or SVG by its name).

    Raises ValueError for another kind of file or counts that cannot be drawn, ModuleNotFoundError without matplotlib.
    """
    check_file_kind(out)
    if warmup < 0 or total < 1:
        raise ValueError(f"warmup must be at least 0 and total at least 1, but they are {warmup} and {total}.")
    figure = new_figure(width=10, height=5.5)
    panels = figure.subplots(2, 3, sharex=True, sharey=True)
    for panel, (name, factors) in zip(panels.flat, schedule_curves(warmup, total).items(), strict=True):
        panel.plot(factors)
        panel.set_title(name)
        panel.axvline(warmup, linestyle=":", color="gray")
    figure.supxlabel("step (dotted: end of warm-up)")
    figure.supylabel("factor on the learning rate")
    save_figure(figure, out)


def plot_adamw_and_l2(out: str | os.PathLike[str]) -> None:
    """Draw both walks over the bowl's contour lines into `out` (PNG or SVG by its name).

    Raises ValueError for another kind of file, ModuleNotFoundError without matplotlib.
    """
    check_file_kind(out)
    figure = new_figure(width=6, height=5)
    panel = figure.subplots()
    across = torch.linspace(0.0, 2.2, 100)
    loss = 0.5 * (STEEP * (across[None, :] - 1) ** 2 + FLAT * (across[:, None] - 1) ** 2)  # (y, x)
    panel.contour(across.tolist(), across.tolist(), loss.tolist(), levels=15, colors="lightgray")
    for name, path in bowl_paths().items():
        (line,) = panel.plot([x for x, _ in path], [y for _, y in path], label=name)
        panel.plot(*path[-1], marker="o", color=line.get_color())
    panel.plot(1.0, 1.0, marker="+", color="black", linestyle="none", label="least loss without decay")
    panel.set_xlabel("steep axis: large gradients")
    panel.set_ylabel("flat axis: small gradients")
    panel.set_title(f"The same λ = {DECAY}: decay and L2 part ways")
    panel.legend()
    save_figure(figure, out)
