"""Files of a folder that `minibert data prepare` does not read are named."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.cli.running import output_of
from tests.unit.training.small_run import text, tokenizer


def prepared(tmp_path: Path, *names: str) -> str:
    """What is printed for a folder that holds two texts and these besides."""
    folder = tmp_path / "texts"
    folder.mkdir()
    for name in ("a.txt", "b.txt", *names):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text(1), encoding="utf-8")
    tokenizer(tmp_path)
    out, vocabulary = str(tmp_path / "corpus"), str(tmp_path / "vocab.txt")
    return output_of("data", "prepare", str(folder), "--out", out, "--tokenizer", vocabulary, "--processes", "1")


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("c.md",), "1 (c.md)"),
        (("c.TXT",), "1 (c.TXT)"),
        (("c.txt.gz", "d.html"), "2 (c.txt.gz, d.html)"),
        (("more/c.txt",), "1 (more)"),
        (("noending",), "1 (noending)"),
        (tuple(f"{n}.xml" for n in range(7)), "7 (0.xml, 1.xml, 2.xml, 3.xml, 4.xml, …)"),
    ],
)
def test_other_files_and_folders_are_named(names: tuple[str, ...], said: str, tmp_path: Path) -> None:
    assert f"Of a folder only its *.txt files are read. Passed over: {said}." in prepared(tmp_path, *names)


@pytest.mark.parametrize("names", [(), ("c.txt",), (".DS_Store",)])
def test_where_all_are_read_nothing_is_said(names: tuple[str, ...], tmp_path: Path) -> None:
    assert "Passed over" not in prepared(tmp_path, *names)
