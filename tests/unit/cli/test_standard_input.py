""" "-" as a text or a file is what comes on standard input."""

from __future__ import annotations

import json
import os
from pathlib import Path
from threading import Thread

import pytest
from click.testing import CliRunner, Result

from course.samples import sample
from minibert.cli import main
from minibert.visible import CALLED
from tests.unit.cli.running import output_of
from tests.unit.training.small_run import text, tokenizer
from tests.unit.training.small_tasks import command, small_model

BLANK = "He shook his [MASK]."


def fed(said: str | bytes, *arguments: str) -> Result:
    """The result of a command that has this on its standard input."""
    return CliRunner().invoke(main, arguments, input=said, prog_name="minibert")


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("classifier")
    words = command("classify", sample("reviews.csv"), small_model(folder / "small"), folder / "run", "--epochs", "1")
    output_of(*words)
    return str(folder / "run" / "model")


@pytest.mark.seconds
@pytest.mark.parametrize(
    "words",
    [
        ["fill-mask", "{}", "--json"],
        ["tokenize", "{}"],
        ["tokenize", "{}", "--explain"],
        ["tokenize", "Who?", "--second", "{}"],
        ["attention", "{}", "--layer", "1"],
        ["trace", "{}", "--depth", "1"],
        ["generate", "{}", "--max-new-tokens", "1", "--json"],
    ],
    ids=lambda words: " ".join(words),
)
@pytest.mark.parametrize("end", ["", "\n", "\r\n"], ids=["no end", "unix", "windows"])
def test_a_text_may_come_on_standard_input(words: list[str], end: str) -> None:
    piped = fed(BLANK + end, *(word.format("-") for word in words))
    assert piped.exit_code == 0, piped.output
    assert piped.stdout == fed("", *(word.format(BLANK) for word in words)).stdout


def test_a_page_shows_a_text_of_standard_input(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    assert fed("Zoë sang", "explore", "-", "--out", str(page)).exit_code == 0
    assert "sang" in page.read_text(encoding="utf-8")


def test_a_plot_shows_a_text_of_standard_input(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    assert fed("he sang", "plot", "norms", "-", "--out", str(tmp_path / "plot.svg")).exit_code == 0
    assert (tmp_path / "plot.svg").is_file()


@pytest.mark.parametrize("said", ["", "\n", " \n\t"])
def test_nothing_on_standard_input_is_said(said: str) -> None:
    for words in (["fill-mask", "-"], ["vocab", "train", "-"]):
        result = fed(said, *words)
        assert (result.exit_code, result.stderr) == (
            1,
            'Error: Nothing comes on standard input, for which "-" stands.\n',
        )


def test_another_encoding_on_standard_input_is_said() -> None:
    result = fed("Zoë".encode("latin-1"), "tokenize", "-")
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert "standard input is not UTF-8" in result.stderr


def test_predict_asks_about_each_line(classifier: str) -> None:
    result = fed("the cat\n\nthe dog, too\n", "predict", "-", "a mat", "--model", classifier, "--json")
    assert [answer["text"] for answer in json.loads(result.stdout)["answers"]] == ["the cat", "the dog, too", "a mat"]


@pytest.mark.parametrize(
    "said",
    [
        "text,label\nthe cat,\nthe dog,\n",
        "text;label\nthe cat;\nthe dog;\n",
        "text\tlabel\nthe cat\t\nthe dog\t\n",
        '[{"text": "the cat"}, {"text": "the dog"}]',
        '[\n {"text": "the cat"},\n {"text": "the dog"}\n]',
        '{"text": "the cat"}\n{"text": "the dog"}\n',
        "the cat\nthe dog\n",
        "\ufeffthe cat\r\nthe dog\r\n",
    ],
    ids=["commas", "semicolons", "tabs", "array", "long array", "objects", "lines", "mark and carriage returns"],
)
def test_a_file_on_standard_input_is_of_the_kind_that_it_looks_like(said: str, classifier: str) -> None:
    result = fed(said, "predict", "--file", "-", "--model", classifier, "--json")
    assert result.exit_code == 0, result.output
    assert [answer["text"] for answer in json.loads(result.stdout)["answers"]] == ["the cat", "the dog"]


@pytest.mark.parametrize("prose", ["the cat, the dog\n", "[MASK] sat; it slept\n"])
def test_prose_is_no_table(prose: str, classifier: str) -> None:
    result = fed(prose, "predict", "--file", "-", "--model", classifier, "--json")
    assert [answer["text"] for answer in json.loads(result.stdout)["answers"]] == [prose.strip()]


def test_only_an_end_of_a_line_ends_a_text(classifier: str) -> None:
    result = fed("the\u2028cat\nthe\x0cdog\r\nthe\x85end\n", "predict", "-", "--model", classifier, "--json")
    assert [answer["text"] for answer in json.loads(result.stdout)["answers"]] == [
        "the\u2028cat",
        "the\x0cdog",
        "the\x85end",
    ]


def test_plain_text_may_begin_as_a_table_does(tmp_path: Path) -> None:
    said = "1,000 men marched.\nIt\trained.\n"
    result = fed(said, "embed", "-", "--out", str(tmp_path / "vectors.npy"), "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["shape"][0] == 2
    result = fed(said.replace("It", "[MASK]"), "fill-mask", "--file", "-", "--json")
    assert "[MASK]" in result.stdout + result.output


@pytest.mark.seconds
@pytest.mark.parametrize(
    ("kind", "file"), [("classify", "reviews.csv"), ("tag", "entities.conll"), ("choose", "endings.csv")]
)
def test_a_file_to_train_on_may_come_on_standard_input(kind: str, file: str, tmp_path: Path) -> None:
    words = command(kind, sample(file), small_model(tmp_path / "small"), tmp_path / "run", "--epochs", "1")
    words[words.index("--train") + 1] = "-"
    result = fed(sample(file).read_bytes(), *words)
    assert result.exit_code == 0, result.output
    assert (tmp_path / "run" / "model" / "config.json").is_file()


def test_text_to_prepare_and_to_make_a_vocabulary_of_may_come_on_standard_input(tmp_path: Path) -> None:
    made = fed(text(1), "vocab", "train", "-", "--size", "60", "--out", str(tmp_path / "vocabulary"))
    assert made.exit_code == 0, made.output
    tokenizer(tmp_path)
    words = ["data", "prepare", "-", "--out", str(tmp_path / "corpus"), "--tokenizer", str(tmp_path / "vocab.txt")]
    result = fed(text(1), *words, "--held-out", "0")
    assert result.exit_code == 0, result.output
    assert "1 file  " in result.stdout


@pytest.mark.seconds
def test_what_comes_on_standard_input_is_called_so_and_not_by_a_temporary_file(classifier: str, tmp_path: Path) -> None:
    out = str(tmp_path / "vectors.npy")
    embedded = fed("one\ntwo\n", "embed", "-", "--out", out)
    assert "one a line of standard input, by mean" in embedded.stdout
    assert json.loads(fed("one\n", "embed", "-", "--out", out, "--json").stdout)["file"] == "standard input"
    found = fed("one\n", "search", "one", "--in", "-", "--json")
    assert json.loads(found.stdout)["file"] == "standard input"
    refused = fed("[MASK]\nnone\n", "fill-mask", "--file", "-")
    assert refused.stderr.startswith("Error: 'standard input', line 2 has no blank.")
    answered = fed("the cat\n", "predict", "--file", "-", "--model", classifier, "--json")
    assert answered.stderr.startswith("'standard input': 1 of 1 examples used.")
    [answer] = json.loads(answered.stdout)["answers"]
    assert answer["location"] == "'standard input', line 1"
    assert not CALLED


@pytest.mark.seconds
@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no pipes that are files")
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["search", "one", "--in", "{}", "--index", "lines.npz"], "cosine"),
        (["embed", "{}", "--out", "vectors.npy"], "2 vectors of 256 numbers, one a line of pipe,"),
        (["vocab", "train", "{}", "--size", "20", "--out", "vocabulary"], "pieces in vocabulary"),
        (["data", "prepare", "{}", "--out", "corpus", "--held-out", "0"], "1 file  "),
    ],
    ids=lambda words: words[0],
)
def test_a_pipe_is_read_as_a_file_is(
    words: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe")
    writer = Thread(target=lambda: Path("pipe").write_text("one man sang\ntwo men sang\n"), daemon=True)
    writer.start()
    result = fed("", *(word.format("pipe") for word in words))
    if result.exit_code:  # nobody has read, and the writer waits
        os.close(os.open("pipe", os.O_RDONLY | os.O_NONBLOCK))
    assert result.exit_code == 0, result.output
    assert said in result.stdout
