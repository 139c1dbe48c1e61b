"""The two plots of the optimizer chapter: the numbers in them, and how they are written. Drawing itself is matplotlib's."""

import math
import sys
from unittest.mock import MagicMock

import pytest

from minibert.microscope import plots
from minibert.microscope.plots import save_figure
from minibert.optim import SchedulerType
from minibert.optim.schedules import linear


class Paper:
    """Stands in for matplotlib's figure: panels that note what is drawn, and a file with one line."""

    def __init__(self, panels: int) -> None:
        self.axes = self.panels = [MagicMock() for _ in range(panels)]
        for panel in self.panels:
            panel.plot.return_value = (MagicMock(),)
        self.suptitle = MagicMock()

    def subplots(self, *_, **__):
        return MagicMock(flat=self.panels) if len(self.panels) > 1 else self.panels[0]

    def findobj(self, _kind) -> list:
        return []  # no text that needs other letters

    def savefig(self, path) -> None:
        path.write_text("drawn")


def test_there_is_a_curve_for_every_schedule_from_step_zero_to_the_last():
    curves = plots.schedule_curves(warmup=10, total=50)
    assert {name.split(" (")[0] for name in curves} == {kind.value for kind in SchedulerType}
    assert {len(curve) for curve in curves.values()} == {51}
    assert curves["linear"] == [linear(step, 10, 50) for step in range(51)]


def test_adamw_shrinks_all_weights_alike_and_l2_those_with_small_gradients_more():
    left = {name: curves[-1].tolist() for name, curves in plots.shrinking_weights().items()}
    share = (1 - plots.LR * plots.DECAY) ** plots.STEPS
    assert left["AdamW"] == pytest.approx([share, share], abs=0.01)
    pulls = [plots.STEPS * plots.LR * plots.DECAY / math.hypot(size, plots.DECAY) for size in plots.NOISE]
    assert left["Adam + L2"] == pytest.approx([math.exp(-pull) for pull in pulls], abs=0.02)


@pytest.mark.parametrize("name", ["six.png", "six.svg", "SIX.SVG"])
def test_plot_schedules_draws_six_panels_into_one_file(tmp_path, monkeypatch, name):
    paper = Paper(panels=6)
    monkeypatch.setattr(plots, "new_figure", lambda **_: paper)
    plots.plot_schedules(tmp_path / name, warmup=2, total=8)
    drawn = [panel.plot.call_args.args[0] for panel in paper.panels]
    assert drawn == list(plots.schedule_curves(2, 8).values())
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_plot_adamw_and_l2_draws_two_curves_of_each(tmp_path, monkeypatch):
    paper = Paper(panels=1)
    monkeypatch.setattr(plots, "new_figure", lambda **_: paper)
    monkeypatch.setattr(plots, "STEPS", 2)
    plots.plot_adamw_and_l2(tmp_path / "adamw.svg")
    labels = [call.kwargs["label"].partition(",")[0] for call in paper.panels[0].plot.call_args_list]
    assert labels == ["AdamW", "AdamW", "Adam + L2", "Adam + L2"]
    assert (tmp_path / "adamw.svg").read_text() == "drawn"


def test_a_plot_that_cannot_be_written_leaves_the_old_file_and_no_other(tmp_path):
    out = tmp_path / "six.png"
    out.write_text("old")
    paper = MagicMock()

    def break_half_way(path):
        path.write_text("half")
        raise OSError("disk full")

    paper.savefig.side_effect = break_half_way
    with pytest.raises(OSError, match="disk full"):
        save_figure(paper, out)
    assert out.read_text() == "old"
    assert list(tmp_path.iterdir()) == [out]


@pytest.mark.parametrize("plot", [plots.plot_schedules, plots.plot_adamw_and_l2])
def test_another_kind_of_file_is_refused(plot, tmp_path):
    with pytest.raises(ValueError, match=r"written as \.png or \.svg, but the file asked for is '.*six\.jpg'"):
        plot(tmp_path / "six.jpg")


@pytest.mark.parametrize(("warmup", "total"), [(-1, 10), (0, 0)])
def test_counts_that_cannot_be_drawn_are_refused(warmup, total, tmp_path):
    with pytest.raises(ValueError, match=f"they are {warmup} and {total}"):
        plots.plot_schedules(tmp_path / "six.png", warmup, total)


def test_without_matplotlib_the_error_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'minibert-pytorch\[plots\]'"):
        plots.plot_schedules(tmp_path / "six.png")
