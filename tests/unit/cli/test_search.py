"""`minibert search`: the lines of a file that are most like a text."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.cli.running import json_of, output_of, run
from tests.unit.tiny_bert import BUNDLED

LINES = "The ship sailed across the sea.\nHe shook his head.\n\nShe drank a cup of tea.\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "lines.txt"
    path.write_text(LINES, encoding="utf-8")
    return path


def test_the_lines_come_best_first_with_their_numbers_and_cosines(file: Path) -> None:
    header, rule, *rows = output_of("search", "He shook his head.", "--in", str(file)).splitlines()
    assert header.split() == ["cosine", "line", "text"]
    assert set(rule) == {"─", " "}
    assert rows[0].split(maxsplit=2) == ["1.000", "2", "He shook his head."]
    assert len(rows) == 3
    scores = [float(row.split()[0]) for row in rows]
    assert scores == sorted(scores, reverse=True)


def test_it_shows_as_many_lines_as_asked_for(file: Path) -> None:
    assert len(output_of("search", "tea", "--in", str(file), "-k", "2").splitlines()) == 4


def test_json_says_all_of_it(file: Path) -> None:
    answer = json_of("search", "a cup of tea", "--in", str(file))
    assert (answer["text"], answer["file"], answer["model"]) == ("a cup of tea", str(file), BUNDLED)
    assert answer["lines"][0].keys() == {"line", "score", "text"}
    assert {each["line"]: each["text"] for each in answer["lines"]}[4] == "She drank a cup of tea."


def test_an_index_is_used_again_until_the_file_or_the_pooling_changes(file: Path, tmp_path: Path) -> None:
    def told(*more: str) -> str:
        result = run("search", "tea", "--in", str(file), "--index", str(tmp_path / "i.npz"), *more)
        assert result.exit_code == 0, result.output
        assert "cup of tea" in result.stdout
        return result.stderr

    assert "the index of 3 lines was made: there was none." in told()
    assert "the index of 3 lines is up to date." in told()
    assert "was made: the model is another, or its settings are." in told("--pooling", "max")
    file.write_text(LINES + "Yes.\n", encoding="utf-8")
    assert "the index of 4 lines was made: the file has changed." in told("--pooling", "max")


def test_a_question_that_is_cut_is_told(file: Path) -> None:
    result = run("search", "the " * 200, "--in", str(file))
    assert result.exit_code == 0
    assert "text cut to 128 pieces" in result.stderr
