"""The Python of the documentation runs, and prints what the pages say.

Each block runs by itself. What it prints must be the comments behind its `print` calls, or the block of text right below it. A block
that cannot run alone has a line above it that says why: `<!-- not run: needs a model of your own -->`. "…" stands for anything.
"""

import contextlib
import io
import re
import shutil
from pathlib import Path
from typing import NamedTuple

import pytest
import torch

from tests.unit.docs.pages import PAGES, ROOT

BLOCK = re.compile(
    r"^(?:<!-- not run: (?P<reason>[^\n]+) -->\n\n?)?```python\n(?P<code>.*?)^```\n(?:\n```text\n(?P<output>.*?)^```\n)?",
    flags=re.MULTILINE | re.DOTALL,
)
COMMENT = re.compile(r"^\s*print\(.*\)  # (.+)$", flags=re.MULTILINE)


class Snippet(NamedTuple):
    """A block of Python, where it begins, and what it should print; `reason` is why it is not run."""

    page: str
    line: int
    code: str
    output: list[str]
    reason: str | None


def snippets(page: Path) -> list[Snippet]:
    """The blocks of a page."""
    text = page.read_text(encoding="utf-8")
    found = []
    for block in BLOCK.finditer(text):
        below = block["output"]
        output = COMMENT.findall(block["code"]) if below is None else below.splitlines()
        line = text.count("\n", 0, block.start("code")) + 1
        found.append(Snippet(page.name, line, block["code"], output, block["reason"]))
    return found


ALL = [snippet for page in [ROOT / "README.md", *PAGES] for snippet in snippets(page)]
TO_RUN = [snippet for snippet in ALL if snippet.reason is None]


def test_every_block_of_python_was_found() -> None:
    for page in [ROOT / "README.md", *PAGES]:
        assert len(snippets(page)) == page.read_text(encoding="utf-8").count("```python\n"), page.name
    assert len([snippet for snippet in TO_RUN if snippet.page == "faq.md"]) > 10


@pytest.mark.parametrize("snippet", TO_RUN, ids=lambda snippet: f"{snippet.page}:{snippet.line}")
def test_a_snippet_runs_and_prints_what_the_page_says(
    snippet: Snippet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(ROOT / "tutorials" / "samples", tmp_path / "tutorials" / "samples", dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)  # the pages' snippets run in the folder of the repository, of which they read only this
    with io.StringIO() as printed, torch.random.fork_rng(devices=[]):
        with contextlib.redirect_stdout(printed):
            exec(compile(snippet.code, f"{snippet.page}, line {snippet.line}", "exec"), {"__name__": "__main__"})
        lines = printed.getvalue().splitlines()
    assert len(lines) == len(snippet.output), lines
    for line, expected in zip(lines, snippet.output, strict=True):
        assert re.fullmatch(".*".join(map(re.escape, expected.split("…"))), line), f"{line!r}, not {expected!r}"


@pytest.mark.parametrize("says", ["2", "1\n1", ""])
def test_a_page_that_says_something_else_is_seen(says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"```python\nprint(1)\n```\n\n```text\n{says}\n```\n", encoding="utf-8")
    [snippet] = snippets(page)
    with pytest.raises(AssertionError):
        test_a_snippet_runs_and_prints_what_the_page_says(snippet, tmp_path, monkeypatch)
