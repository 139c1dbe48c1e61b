"""Letters that matplotlib's own font lacks."""

from __future__ import annotations

import logging
import warnings
from pathlib import Path

import pytest

from minibert.microscope import fonts
from minibert.microscope.fonts import add_fonts
from minibert.microscope.plots import new_figure, save_figure


def figure_of(title: str, ticks: list[str]):
    figure = new_figure(3, 2)
    panel = figure.subplots()
    panel.set_title(title)
    panel.set_xticks(range(len(ticks)), ticks)
    return figure


@pytest.mark.parametrize("text", ["床前明月光", "The 月", "カタカナ", "，。！？"])
def test_every_letter_of_a_chinese_plot_is_drawn(tmp_path: Path, text: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # matplotlib warns of each letter that it draws as a box
        save_figure(figure_of(text, [*text]), tmp_path / "plot.png")


def test_the_categories_of_a_bar_plot_are_drawn_too(tmp_path: Path) -> None:
    figure = new_figure(3, 2)
    figure.subplots().barh(["月", "日"], [2, 1])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        save_figure(figure, tmp_path / "plot.png")


def test_a_text_without_such_letters_keeps_its_font() -> None:
    from matplotlib.text import Text

    figure = figure_of("He shook his head.", ["a", "é", "√"])
    before = [text.get_fontfamily() for text in figure.findobj(Text)]
    add_fonts(figure)
    assert [text.get_fontfamily() for text in figure.findobj(Text)] == before


def test_a_machine_without_a_font_is_told_what_to_install(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(fonts, "KNOWN", ("No Such Font",))
    with caplog.at_level(logging.WARNING, logger="minibert"):
        add_fonts(figure_of("月", ["a"]))
    assert "minibert-pytorch[chinese]" in caplog.text
    caplog.clear()
    add_fonts(figure_of("moon", ["a"]))
    assert not caplog.text
