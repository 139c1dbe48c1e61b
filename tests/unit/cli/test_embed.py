"""`minibert embed`: a vector for every line of a file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from minibert.vectors import SentenceEncoder
from tests.unit.cli.running import json_of, output_of, run
from tests.unit.tiny_bert import BUNDLED


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "lines.txt"
    path.write_text("He shook his head.\n\n  She wept. \n", encoding="utf-8")
    return path


def test_row_n_belongs_to_line_n(file: Path, tmp_path: Path) -> None:
    out = tmp_path / "vectors.npy"
    assert output_of("embed", str(file), "--out", str(out)).strip() == (
        f"3 vectors of 256 numbers, one a line of {file}, by mean: {out}"
    )
    expected = SentenceEncoder.open(BUNDLED).encode(["He shook his head.", "", "She wept."])
    np.testing.assert_allclose(np.load(out), expected, atol=1e-5)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["lines.txt", "vectors.npy"]


def test_the_text_is_not_written_over(file: Path) -> None:
    before = file.read_bytes()
    result = run("embed", str(file), "--out", str(file))
    assert result.exit_code == 1
    assert "is the text itself: write the vectors to another file" in result.output
    assert file.read_bytes() == before


def test_json_says_what_was_written(file: Path, tmp_path: Path) -> None:
    out = tmp_path / "vectors"  # the very name that was given
    answer = json_of("embed", str(file), "--out", str(out), "--pooling", "cls")
    assert answer == {
        "file": str(file), "out": str(out), "model": BUNDLED, "poolings": ["cls"], "shape": [3, 256],
    }  # fmt: skip
    np.testing.assert_allclose(
        np.load(out)[0], SentenceEncoder.open(BUNDLED, "cls").encode(["He shook his head."])[0], atol=1e-5
    )


def test_texts_that_are_cut_are_told(tmp_path: Path) -> None:
    (tmp_path / "long.txt").write_text("Yes.\n" + "the " * 200)
    result = run("embed", str(tmp_path / "long.txt"), "--out", str(tmp_path / "v.npy"))
    assert result.exit_code == 0
    assert "text cut to 128 pieces (text 2)" in result.stderr


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.csv", "text\n", "is a table by its ending"),
        ("a.txt", "", "is empty"),
        ("a.txt", "\xff".encode("latin-1"), "not UTF-8"),
    ],
)
def test_a_file_that_is_no_text_is_refused_and_nothing_is_written(
    tmp_path: Path, name: str, content: str | bytes, said: str
) -> None:
    (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    result = run("embed", str(tmp_path / name), "--out", str(tmp_path / "v.npy"))
    assert result.exit_code == 1
    assert said in result.stderr
    assert not (tmp_path / "v.npy").exists()


def test_the_list_of_poolings_is_the_librarys() -> None:
    from minibert.cli.embed import embed
    from minibert.vectors import POOLINGS

    [option] = [each for each in embed.params if each.name == "pooling"]
    assert set(option.type.choices) == set(POOLINGS)  # type: ignore[attr-defined]
