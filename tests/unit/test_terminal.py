"""Text in columns, outlines of stages, and attention drawn with letters."""

import pytest

from minibert.terminal import display_width, heatmap, outline, pad, shade, table


@pytest.mark.parametrize(
    ("text", "width"),
    [("", 0), ("abc", 3), ("日本", 4), ("ｆｕｌｌ", 8), ("café", 4), ("cafe\u0301", 4), ("한", 2), ("Ω", 1), ("░", 1)],
)
def test_a_text_is_as_wide_as_the_columns_it_takes(text: str, width: int) -> None:
    assert display_width(text) == width


def test_padding_fills_up_to_a_width_on_either_side_and_never_cuts() -> None:
    assert pad("ab", 4) == "ab  "
    assert pad("ab", 4, right=True) == "  ab"
    assert pad("日本", 5) == "日本 "
    assert pad("abcdef", 4) == "abcdef"


def test_a_table_is_as_wide_as_its_widest_cells() -> None:
    text = table(("name", "n"), [("日本", 7), ("a", 1234)], right=(1,))
    assert text.splitlines() == ["name     n", "────  ────", "日本     7", "a     1234"]


def test_a_table_has_no_spaces_at_the_ends_of_lines() -> None:
    assert table(("a", "b"), [("long cell", "")]).splitlines() == ["a          b", "─────────  ─", "long cell"]


def test_a_table_without_rows_is_its_header() -> None:
    assert table(("a", "bc"), []).splitlines() == ["a  bc", "─  ──"]


def test_the_shade_grows_with_the_weight() -> None:
    assert [shade(w) for w in (0, 0.049, 0.05, 0.19, 0.2, 0.39, 0.4, 0.69, 0.7, 1)] == list("  ░░▒▒▓▓██")


def test_a_heatmap_is_a_grid_with_its_rows_and_columns_named() -> None:
    picture = heatmap(["the", "日本"], [[0.97, 0.03], [0.25, 0.75]])
    assert picture.splitlines() == [
        "        0 1",
        "0 the   █    → the 97%",
        "1 日本  ▒ █  → 日本 75%",
        "        blank < 5%   ░ < 20%   ▒ < 40%   ▓ < 70%   █ above",
    ]


def test_from_ten_pieces_on_cells_are_as_wide_as_the_numbers() -> None:
    weights = [[1.0 if row == column else 0.0 for column in range(11)] for row in range(11)]
    lines = heatmap(list("abcdefghijk"), weights).splitlines()
    assert lines[0] == "       0  1  2  3  4  5  6  7  8  9 10"
    assert lines[1] == " 0 a  ██" + "   " * 10 + "  → a 100%"
    assert lines[11].startswith("10 k  ")


def test_each_stage_stands_inside_the_one_around_it() -> None:
    stages = [("", 0, "Model"), ("a", 1, "A"), ("a.layer.0", 2, "B"), ("a.layer.0.c", 3, "C"), ("d", 1, "D")]
    assert outline(stages) == ["Model", "  a", "    layer.0", "      c", "  d"]


def test_where_stages_are_left_out_the_name_is_longer() -> None:
    assert outline([("", 0, "Model"), ("a.layer.0", 1, "B"), ("e.f", 1, "F")]) == ["Model", "  a.layer.0", "  e.f"]


def test_a_stage_that_is_named_elsewhere_keeps_its_whole_name() -> None:
    assert outline([("", 0, "Model"), ("a", 1, "A"), ("shared", 2, "S")]) == ["Model", "  a", "    shared"]


def test_a_second_forward_begins_anew() -> None:
    assert outline([("", 0, "Model"), ("a", 1, "A")] * 2) == ["Model", "  a"] * 2
