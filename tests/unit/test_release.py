"""Preparing a release, and where people meet the project: the changelog, the container, the wheelhouse."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from scripts.release import notes, prepare

ROOT = Path(__file__).resolve().parents[2]
MAKEFILE, CONTRIBUTING = ((ROOT / name).read_text(encoding="utf-8") for name in ("Makefile", "CONTRIBUTING.md"))


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The files that a release changes."""
    (tmp_path / "minibert").mkdir()
    for name in ("minibert/__init__.py", "CITATION.cff", "CHANGELOG.md"):
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def test_a_release_writes_its_version_and_day_and_what_changed_gets_its_heading(copy: Path) -> None:
    unreleased = notes("Unreleased", copy)
    prepare("7.0.0", copy, "2030-01-02")
    assert '\n__version__ = "7.0.0"\n' in (copy / "minibert" / "__init__.py").read_text(encoding="utf-8")
    citation = (copy / "CITATION.cff").read_text(encoding="utf-8")
    assert '\nversion: "7.0.0"\ndate-released: 2030-01-02\n' in citation
    assert notes("7.0.0", copy) == unreleased
    assert notes("Unreleased", copy) == "\n"
    assert "## Unreleased\n\n## 7.0.0 · 2030-01-02\n\n### " in (copy / "CHANGELOG.md").read_text(encoding="utf-8")


def test_the_next_release_needs_a_later_version_and_something_new(copy: Path) -> None:
    prepare("7.0.0", copy, "2030-01-02")
    with pytest.raises(ValueError, match='nothing under "Unreleased"'):
        prepare("7.0.1", copy, "2030-01-03")
    changelog = copy / "CHANGELOG.md"
    changelog.write_text(
        changelog.read_text(encoding="utf-8").replace("## Unreleased\n", "## Unreleased\n\n### Fixed\n\n- x\n", 1)
    )
    for version in ("7.0.0", "6.9.9", "7.1", "v7.1.0", ""):
        with pytest.raises(ValueError, match=r"The version is 7\.0\.0; give a later one"):
            prepare(version, copy, "2030-01-03")
    prepare("7.10.0", copy, "2030-01-03")
    assert (copy / "CITATION.cff").read_text(encoding="utf-8").count("version:") == 2  # and cff-version
    assert notes("7.10.0", copy) == "### Fixed\n\n- x\n"


def test_a_version_that_was_never_released_has_no_notes(copy: Path) -> None:
    with pytest.raises(ValueError, match=r"no section for 9\.9\.9"):
        notes("9.9.9", copy)


def targets() -> set[str]:
    return set(re.findall(r"^([\w-]+):", MAKEFILE, flags=re.MULTILINE))


def test_every_target_that_a_page_names_is_there() -> None:
    pages = [
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        *(ROOT / "docs").glob("*.md"),
        ROOT / ".devcontainer" / "devcontainer.json",
    ]
    for page in pages:
        named = re.findall(r"(?:`|^|\"|&& )make ([a-z][\w-]+)", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
        assert set(named) <= targets(), page.name


def test_the_container_installs_from_the_repository() -> None:
    container = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text(encoding="utf-8"))
    assert container["postCreateCommand"].startswith("make demo CPU=1")
    assert container["customizations"]["vscode"]["settings"]["python.defaultInterpreterPath"].endswith(
        ".venv/bin/python"
    )


def test_what_a_classroom_installs_is_what_the_wheelhouse_collects() -> None:
    install = (ROOT / "docs" / "install.md").read_text(encoding="utf-8")
    there = re.search(r'pip install --no-index --find-links build/wheelhouse "minibert-pytorch\[(.*)\]"', install)
    collected = re.search(r'--find-links build/wheelhouse "\.\[(.*)\]"', MAKEFILE)
    assert there is not None
    assert collected is not None
    assert there[1] == collected[1]
