"""`pipeline` against a seventh of what 4.12.5 answered in `tests/parity/old`, recorded by `python tests/parity/old/pipelines.py record`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import minibert
from tests.parity.old import pipelines

ANOTHER_PROCESSOR = 1e-5  # rounds otherwise than the one on which the answers were recorded
FIGURES = json.loads(pipelines.RECORDED.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("pipelines")
    pipelines.write(folder)
    return folder


def test_the_answers_are_the_old_reference_s() -> None:
    assert FIGURES["recorded from"] == "transformers 4.12.5"


@pytest.mark.slow
@pytest.mark.parametrize("key", FIGURES["answers"])
def test_every_answer_is_the_recorded_one(key: str, folder: Path) -> None:
    recorded = FIGURES["answers"][key]
    assert len(recorded) > 20
    asked = {str(n): ask() for n, ask in enumerate(pipelines.questions(minibert, folder, key)) if str(n) in recorded}
    for index, expected in recorded.items():
        found = pipelines.comparable(key, pipelines.shortened(asked[index]))
        expected = pipelines.comparable(key, expected)
        assert pipelines.difference(found, expected, f"input {index}", within=ANOTHER_PROCESSOR) is None
