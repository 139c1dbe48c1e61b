"""`minibert trace`: the walk from pieces to scores."""

from pathlib import Path

import pytest

from minibert import BertForPreTraining, BertTokenizer
from minibert.microscope.trace import trace
from minibert.terminal import display_width
from tests.unit.cli.running import json_of, output_of, run
from tests.unit.tiny_bert import BUNDLED

TEXT = "He shook his [MASK]."


def test_one_line_a_stage_in_the_order_of_the_walk() -> None:
    pieces, ids, segments, _, header, _, *lines = output_of("trace", TEXT).splitlines()
    assert pieces.split()[1:] == ["[CLS]", "he", "shook", "his", "[MASK]", ".", "[SEP]"]
    assert (ids.split()[0], segments.split()) == ("id", ["segment", *"0000000"])
    assert header.split() == ["stage", "shape", "std", "equation", "code"]
    model = BertForPreTraining.from_pretrained(BUNDLED)
    with trace(model) as t:
        model(**BertTokenizer.from_pretrained(BUNDLED)(TEXT, return_tensors="pt"))
    assert len(lines) == len(t.stages)
    assert lines[0].startswith("BertForPreTraining  ")
    for line, stage in zip(lines[1:], t.stages[1:], strict=True):
        name = line.split()[0]
        assert stage.path == name or stage.path.endswith(f".{name}")
        assert len(line) - len(line.lstrip()) == 2 * stage.depth


def test_a_line_says_what_is_computed_and_where_it_is_written() -> None:
    [line] = [line for line in output_of("trace", TEXT, "--depth", "4").splitlines() if " layer.2 " in line]
    assert "a = attention(x), y = ffn(a)" in line
    assert "1×7×256" in line
    file, number = line.split()[-1].split(":")
    code = (Path(__file__).parents[3] / "minibert" / "model" / file).read_text(encoding="utf-8").splitlines()
    assert code[int(number) - 1] == "    def forward("


@pytest.mark.parametrize("options", [(), ("--numbers",), ("--second", "And then he went away. " * 8)])
def test_it_fits_into_100_columns(options: tuple[str, ...]) -> None:
    assert max(map(display_width, output_of("trace", TEXT, *options).splitlines())) <= 100


def test_depth_leaves_the_inner_stages_out() -> None:
    lines = output_of("trace", TEXT, "--depth", "2").splitlines()[6:]
    assert [line.split()[0] for line in lines] == ["BertForPreTraining", "bert", "cls"]


def test_numbers_shows_extremes_and_times() -> None:
    lines = output_of("trace", TEXT, "--numbers", "--depth", "1").splitlines()
    assert lines[4].split() == ["stage", "shape", "mean", "std", "min", "max", "ms"]
    _, shape, mean, std, least, most, ms = lines[6].split()
    assert shape == "1×7×8192"
    assert float(least) < float(mean) < float(most)
    assert float(std) > 0
    assert float(ms) > 0


def test_json_holds_every_stage_with_every_number() -> None:
    walk = json_of("trace", TEXT, "--second", "No.")
    assert walk["tokens"][-3:] == ["no", ".", "[SEP]"]
    assert walk["token_type_ids"] == [0] * 7 + [1] * 3
    [stage] = [stage for stage in walk["stages"] if stage["path"] == "bert.encoder.layer.3.attention.self"]
    assert stage["class"] == "BertSelfAttention"
    assert stage["file"] == "minibert/model/attention.py"
    assert set(stage["outputs"]) == {"0", "2.0", "2.1"}  # the context, the keys and the values
    facts = stage["inputs"]["hidden_states"]
    assert (facts["shape"], facts["dtype"]) == ([1, 10, 256], "float32")
    assert facts["minimum"] < facts["mean"] < facts["maximum"]


def test_a_text_that_is_too_long_is_refused_in_one_line() -> None:
    result = run("trace", "word " * 300)
    assert result.exit_code == 1
    assert "302 tokens" in result.stderr
    assert result.stderr.count("\n") == 1
