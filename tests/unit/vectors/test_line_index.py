"""Lines found by their vectors, and an index that is never stale."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from minibert.vectors import LineIndex, SentenceEncoder

LINES = "The sea was calm.\n\nHe shook his head.\n  \nShe drank a cup of tea.\nHe shook his head.\n"


@pytest.fixture
def encoder(checkpoint: Path) -> SentenceEncoder:
    return SentenceEncoder.open(checkpoint)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "lines.txt"
    path.write_text(LINES, encoding="utf-8")
    return path


def test_a_line_finds_itself_first_and_of_equals_the_first(encoder: SentenceEncoder, file: Path) -> None:
    found = LineIndex.of_file(file, encoder).search("He shook his head.", top_k=9)
    assert [each.line for each in found[:2]] == [3, 6]
    assert {each.line for each in found} == {1, 3, 5, 6}  # no empty line
    assert found[0].score == pytest.approx(1, abs=1e-5)
    assert [each.score for each in found] == sorted((each.score for each in found), reverse=True)
    assert found[0].text == "He shook his head."


def test_scores_are_cosines(encoder: SentenceEncoder, file: Path) -> None:
    question, line = encoder.encode(["The tea was calm.", "The sea was calm."])
    expected = question @ line / np.linalg.norm(question) / np.linalg.norm(line)
    found = LineIndex.of_file(file, encoder).search("The tea was calm.", top_k=4)
    assert next(each.score for each in found if each.line == 1) == pytest.approx(expected, abs=1e-5)


def test_a_saved_index_is_read_and_not_computed_again(
    encoder: SentenceEncoder, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved = tmp_path / "lines.npz"
    made = LineIndex.of_file(file, encoder, saved)
    assert "was made: there was none" in made.said
    monkeypatch.setattr(encoder, "encode", None)
    again = LineIndex.of_file(file, encoder, saved)
    assert "the index of 4 lines is up to date" in again.said
    assert np.array_equal(made.vectors, again.vectors)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


@pytest.mark.parametrize(
    ("before", "after"),
    [("calm", "wild"), ("\n\n", "\n"), ("She drank a cup of tea.\n", ""), ("sea was", "sea  was")],
)
def test_a_changed_file_is_noticed(
    encoder: SentenceEncoder, file: Path, tmp_path: Path, before: str, after: str
) -> None:
    saved = tmp_path / "lines.npz"
    LineIndex.of_file(file, encoder, saved)
    file.write_text(LINES.replace(before, after), encoding="utf-8")
    index = LineIndex.of_file(file, encoder, saved)
    assert "was made: the file has changed" in index.said
    assert np.array_equal(index.vectors, LineIndex.of_file(file, encoder).vectors)
    assert "up to date" in LineIndex.of_file(file, encoder, saved).said


def test_another_model_is_noticed(encoder: SentenceEncoder, checkpoint: Path, file: Path, tmp_path: Path) -> None:
    saved = tmp_path / "lines.npz"
    LineIndex.of_file(file, encoder, saved)
    index = LineIndex.of_file(file, SentenceEncoder.open(checkpoint, "max"), saved)
    assert "was made: the model is another, or its settings are" in index.said


def test_a_file_that_is_no_index_is_never_written_over(encoder: SentenceEncoder, file: Path, tmp_path: Path) -> None:
    others = {"notes.npz": b"my notes", "empty.npz": b"", "cut.npz": b""}
    np.save(tmp_path / "array.npy", np.ones(3))
    np.savez(tmp_path / "other.npz", data=np.ones(3))
    LineIndex.of_file(file, encoder, tmp_path / "whole")
    others["cut.npz"] = (tmp_path / "whole").read_bytes()[:-50]
    for name, content in others.items():
        (tmp_path / name).write_bytes(content)
    for name in (*others, "array.npy", "other.npz"):
        before = (tmp_path / name).read_bytes()
        with pytest.raises(ValueError, match=rf"{name}' is no index that minibert has saved: name another file"):
            LineIndex.of_file(file, encoder, tmp_path / name)
        assert (tmp_path / name).read_bytes() == before


def test_an_index_of_hidden_code_is_not_run(encoder: SentenceEncoder, file: Path, tmp_path: Path) -> None:
    np.savez(tmp_path / "evil.npz", vectors=np.array([print], dtype=object), lines=np.array("x"), encoder=np.array("y"))
    with pytest.raises(ValueError, match="is no index"):
        LineIndex.of_file(file, encoder, tmp_path / "evil.npz")


def test_a_table_or_an_empty_file_is_refused(encoder: SentenceEncoder, tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text("text\nyes\n")
    (tmp_path / "empty.txt").write_text("\n \n")
    with pytest.raises(ValueError, match="is a table by its ending"):
        LineIndex.of_file(tmp_path / "table.csv", encoder)
    with pytest.raises(ValueError, match="is empty"):
        LineIndex.of_file(tmp_path / "empty.txt", encoder)


def test_a_text_that_was_cut_is_said(encoder: SentenceEncoder, tmp_path: Path) -> None:
    (tmp_path / "long.txt").write_text("the " * 50)
    assert "text cut to 24 pieces" in LineIndex.of_file(tmp_path / "long.txt", encoder).said
