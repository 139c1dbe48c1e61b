"""An outline of stages."""

from minibert.microscope.outline import outline


def test_each_stage_stands_inside_the_one_around_it() -> None:
    stages = [("", 0, "Model"), ("a", 1, "A"), ("a.layer.0", 2, "B"), ("a.layer.0.c", 3, "C"), ("d", 1, "D")]
    assert outline(stages) == ["Model", "  a", "    layer.0", "      c", "  d"]


def test_where_stages_are_left_out_the_name_is_longer() -> None:
    assert outline([("", 0, "Model"), ("a.layer.0", 1, "B"), ("e.f", 1, "F")]) == ["Model", "  a.layer.0", "  e.f"]


def test_a_stage_that_is_named_elsewhere_keeps_its_whole_name() -> None:
    assert outline([("", 0, "Model"), ("a", 1, "A"), ("shared", 2, "S")]) == ["Model", "  a", "    shared"]


def test_a_second_forward_begins_anew() -> None:
    assert outline([("", 0, "Model"), ("a", 1, "A")] * 2) == ["Model", "  a"] * 2
