"""Labels, names, tokens and typed text from outside can neither drive a terminal nor forge a line, in any command."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import torch

from minibert import (
    BertConfig,
    BertForMaskedLM,
    BertForSequenceClassification,
    BertForTokenClassification,
    BertTokenizer,
)
from minibert.checkpoints import CheckpointError
from minibert.cli import main
from minibert.tasks import read_classification
from minibert.terminal import heatmap, table
from minibert.visible import UNSEEN, visible, visible_in_html, visible_in_plot, visible_json
from tests.unit.cli.running import run

DANGEROUS = {
    "colour": "\x1b[31mred",
    "clear screen": "\x1b[2J\x1b[H",
    "window title": "\x1b]0;owned\x07",
    "one-byte CSI": "\x9b31m",
    "carriage return": "good\rbad",
    "line end": "good\nforged line",
    "backspaces": "abc\x08\x08",
    "line separator": "good\u2028forged",
    "no character": "good\ufffe\uffff",
    "next line": "good\x85forged",
    "override": "\u202edrow",
    "isolate": "\u2066x\u2069",
    "embedding": "\u202ax\u202c",
    "mark": "a\u200eb\u200fc\u061cd",
    "invisible": "ma\u200bsk\ufeff\u2060",
    "soft hyphen": "ma\xadsk",
    "tags": "a\U000e0041\U000e007f",
    "surrogate": "\ud800",
    "NUL": "a\0b",
    "filler": "ma\u3164sk\uffa0",
    "notes": "ma\U0001d173sk",
    "shorthand": "ma\U0001bca0sk",
    "joiner in a word of ASCII": "[MA\u200dSK]",
    "joiner at an end": "\u200c[MASK]",
    "joiner before ASCII": "\u0645\u200cx",
    "selector after ASCII": "[MASK]\ufe0f",
    "two selectors": "\u2764\ufe0f\ufe01",
    "hidden bytes": "\U0001f600\U000e0148\U000e0155",
    "delete": "a\x7fb",
}
READABLE = [
    "שלום",
    "مرحبا",
    "می\u200cخواهم",
    "नमस्ते",
    "👩\u200d🔬",
    "👨\u200d👩\u200d👧",
    "❤\ufe0f\u200d🔥",
    "1\ufe0f\u20e3",
    "葛\U000e0100",
    "क्\u200dष",
    "東京",
    "Ünïcödé",
    "a\xa0b",
    "e\u0301",
    "x$y^2",
]
CONTROL = re.compile(
    "[\0-\x09\x0b-\x1f\x7f-\x9f\xad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff\U000e0000-\U000e007f]"
)


@pytest.mark.parametrize("text", DANGEROUS.values(), ids=DANGEROUS)
def test_what_a_terminal_obeys_or_hides_is_shown(text: str) -> None:
    shown = visible(text)
    assert not CONTROL.search(shown)
    assert "\n" not in shown
    assert shown != text
    assert not UNSEEN.search(shown)
    assert UNSEEN.sub("", text) == re.sub(r"\\(x..|u....|U.{8}|n|r)", "", shown)


def test_json_has_null_for_a_number_that_it_lacks() -> None:
    numbers = {"largest": float("inf"), "stages": [{"std": float("nan")}, (-float("inf"), 1.5)]}
    assert json.loads(visible_json(numbers)) == {"largest": None, "stages": [{"std": None}, [None, 1.5]]}


@pytest.mark.parametrize("text", READABLE)
def test_every_script_stays_as_it_is(text: str) -> None:
    assert visible(text) == text
    assert visible_json(text) == f'"{text}"'


@pytest.mark.parametrize("text", DANGEROUS.values(), ids=DANGEROUS)
def test_json_is_harmless_on_a_terminal_and_reads_back_as_the_same(text: str) -> None:
    value = {"label": text, text: [text, 1, None]}
    written = visible_json(value, indent=2)
    assert json.loads(written) == value
    assert not CONTROL.search(written)


@pytest.mark.parametrize(
    "text", [*DANGEROUS.values(), "</script><script>alert(1)</script>", "<!--", "<img src=x onerror=alert(1)>"]
)
def test_a_page_holds_no_markup_and_no_turn_of_direction(text: str) -> None:
    written = visible_in_html({"title": text, "pieces": [text]})
    assert "<" not in written
    assert not CONTROL.search(written)
    assert json.loads(written)["pieces"] == [visible(text)]
    written.encode("utf-8")


@pytest.mark.seconds
@pytest.mark.parametrize("text", [*DANGEROUS.values(), "$x^2$", "$$", r"\$x$", r"$\frac{1}{2$", "$", r"$\undefined$"])
def test_a_plot_shows_any_piece_as_it_is(tmp_path: Path, text: str) -> None:
    pytest.importorskip("matplotlib")
    from xml.etree import ElementTree

    from minibert.microscope.plots import draw_lens, draw_residual_norms, save_figure

    figures = [draw_lens([text, "b"], [[text, "c"]] * 2, torch.ones(2, 2))]
    figures += [draw_residual_norms([text, "b"], torch.ones(2, 2))] if "$" in text else []
    for figure in figures:
        save_figure(figure, tmp_path / "plot.svg")
        labels = [label.get_text() for axes in figure.axes for label in (*axes.get_xticklabels(), *axes.texts)]
        assert not any(CONTROL.search(label) for label in labels)
        ElementTree.parse(tmp_path / "plot.svg")


def test_a_dollar_sign_in_a_plot_begins_no_formula() -> None:
    assert visible_in_plot("$x$") == r"\$x\$"


@pytest.mark.parametrize("text", DANGEROUS.values(), ids=DANGEROUS)
def test_a_cell_forges_no_row_and_hides_no_word(text: str) -> None:
    lines = table(("label", "share"), [(text, "1%"), ("b", "2%")]).split("\n")
    assert len(lines) == 4
    assert not any(CONTROL.search(line) for line in lines)
    drawn = heatmap([text, "b"], [[0.5, 0.5], [1.0, 0.0]]).split("\n")
    assert len(drawn) == 4
    assert not any(CONTROL.search(line) for line in drawn)


VOCAB = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "cat", "sat", "\x1b[31mx", "\u202ey", "z\x9bz"]


def checkpoint(folder: Path, model_class: type, **fields: object) -> str:
    sizes = {"vocab_size": len(VOCAB), "hidden_size": 8, "num_attention_heads": 2, "intermediate_size": 8}
    torch.manual_seed(0)
    model_class(BertConfig(**sizes, num_hidden_layers=1, max_position_embeddings=16, **fields)).save_pretrained(folder)
    BertTokenizer({piece: n for n, piece in enumerate(VOCAB)}, model_max_length=16).save_pretrained(folder)
    return str(folder)


EVIL = "\x1b[2Jno\nforged: 100.0%\u202e"


@pytest.mark.parametrize("json_asked", [False, True])
@pytest.mark.parametrize(
    ("model_class", "fields", "arguments"),
    [
        (BertForSequenceClassification, {"id2label": {0: EVIL, 1: "yes"}}, ["predict", "the cat"]),
        (BertForTokenClassification, {"id2label": {0: EVIL, 1: "B-\x1b[31m", 2: "O"}}, ["predict", "the cat"]),
        (BertForMaskedLM, {}, ["fill-mask", "the [MASK]", "-k", "11"]),
        (BertForMaskedLM, {}, ["tokenize", EVIL]),
        (BertForMaskedLM, {}, ["tokenize", "--explain", EVIL]),
        (BertForMaskedLM, {}, ["attention", "the cat \x1b[31m"]),
        (BertForMaskedLM, {}, ["trace", "the cat \x9b"]),
        (BertForMaskedLM, {"finetuning_task": EVIL, EVIL: EVIL}, ["inspect"]),
    ],
)
def test_no_command_passes_on_what_a_checkpoint_says(
    tmp_path: Path, model_class: type, fields: dict[str, object], arguments: list[str], json_asked: bool
) -> None:
    model = checkpoint(tmp_path / "a\x1b[31mb", model_class, **fields)
    where = [model] if arguments[0] == "inspect" else ["--model", model]
    result = run(*arguments, *where, *(["--json"] if json_asked else []))
    assert result.exit_code == 0, result.output
    assert not CONTROL.search(result.output)
    assert "\nforged" not in result.output


@pytest.mark.parametrize("name", ["no\x1b[31mfile", "no\u202efile", "no\x9bfile", "a\rb", "a\nb", "a\u2028b"])
@pytest.mark.parametrize(
    "command",
    [
        "predict",
        "tokenize",
        "inspect",
        "fill-mask",
        "eval",
        "unknown",
        "option",
        "option of all",
        "option of one letter",
    ],
)
def test_errors_show_what_was_typed_and_obey_nothing(name: str, command: str) -> None:
    arguments = {
        "predict": ["predict", "x", "--model", name],
        "tokenize": ["tokenize", "x", "--model", name],
        "inspect": ["inspect", name],
        "fill-mask": ["fill-mask", "x", "--model", name],
        "eval": ["eval", "--file", name],
        "unknown": [name],
        "option": ["tokenize", f"--{name}"],
        "option of all": [f"--{name}"],
        "option of one letter": [f"-{name}"],
    }[command]
    result = run(*arguments)
    assert result.exit_code != 0
    assert not CONTROL.search(result.output.replace("\r\n", "\n"))


def test_the_page_of_explore_is_written_for_any_text(tmp_path: Path) -> None:
    model = checkpoint(tmp_path / "model", BertForMaskedLM)
    out = tmp_path / "page.html"
    assert run("explore", "the </script><b> \u202e \x1b[31mx", "--model", model, "--out", str(out)).exit_code == 0
    page = out.read_text(encoding="utf-8")
    assert page.count("</script>") == 1
    assert not CONTROL.search(page)


def test_a_report_on_loading_shows_names_of_tensors_and_forges_no_line() -> None:
    model = BertForMaskedLM(
        BertConfig(vocab_size=11, hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8)
    )
    weights = {**model.state_dict(), "evil\n  read: 999 tensors \x1b[2J\u202e": torch.ones(1)}
    loaded = BertForMaskedLM.from_pretrained(None, config=model.config, state_dict=weights)
    assert not CONTROL.search(str(loaded.loading_report))
    assert "\n  read: 999" not in str(loaded.loading_report)


@pytest.mark.parametrize("text", DANGEROUS.values(), ids=DANGEROUS)
def test_errors_and_warnings_of_the_library_show_what_a_checkpoint_says(
    tmp_path: Path, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert not UNSEEN.search(str(CheckpointError(f"{text}: no such file")).replace("\n", ""))
    model = BertForMaskedLM(BertConfig(vocab_size=11, hidden_size=8, num_hidden_layers=1, num_attention_heads=2))
    weights = {**model.state_dict(), f"bert.{text}": torch.ones(1)}
    BertForMaskedLM.from_pretrained(None, config=model.config, state_dict=weights)
    BertConfig(**{f"num_label{text}s": 3})
    BertTokenizer({"[UNK]": 0, "[PAD]": 1}, **{f"do_lower{text}": True})
    BertTokenizer({"[UNK]": 0, "[PAD]": 1}, unk_token=text)
    assert len(caplog.records) >= 3
    assert not any(UNSEEN.search(record.getMessage().replace("\n", "")) for record in caplog.records)
    label = text.replace("\0", "")  # no table has one
    (tmp_path / "texts.csv").write_text(f'text,label\na,"{label}x"\nb,c\n', encoding="utf-8", errors="replace")
    report = str(read_classification(tmp_path / "texts.csv").report)
    assert not UNSEEN.search(report.replace("\n", ""))
    assert "\nforged" not in report


@pytest.mark.parametrize("json_asked", [False, True])
def test_names_and_lines_of_a_file_of_sentences_are_shown_and_obeyed_nowhere(tmp_path: Path, json_asked: bool) -> None:
    model = checkpoint(tmp_path / "model", BertForMaskedLM)
    file = tmp_path / "a\x1b[31mb\u202e.txt"
    file.write_text("the cat \x1b[2J\u202e\x9b\nthe cat sat\n", encoding="utf-8")
    asked = ["--model", model, *(["--json"] if json_asked else [])]
    for words in (
        ["embed", str(file), "--out", str(tmp_path / "v\x1b[2J.npy")],
        ["search", "\x1b[2Jcat", "--in", str(file)],
    ):
        result = run(*words, *asked)
        assert result.exit_code == 0, result.output
        assert not CONTROL.search(result.output)


def test_all_commands_were_thought_of() -> None:
    """Whoever adds a command says here where its foreign text is made visible."""
    tried = {"predict", "fill-mask", "tokenize", "attention", "trace", "inspect", "explore", "eval", "embed", "search"}
    through_echo = {"generate", "vocab", "data", "pretrain", "finetune", "plot", "check", "parity", "playground"}
    assert set(main.list_commands(None)) == tried | through_echo
