"""`pipeline` answers as 4.12.5's does: dictionaries, their order, and scores to 1e-6, on 200 inputs a task with either tokenizer."""

from __future__ import annotations

from pathlib import Path

import pipelines
import pytest

import minibert

KEYS = [f"{task}, {kind}" for kind in ("BertTokenizer", "BertTokenizerFast") for task in pipelines.TASKS]


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[pipelines.Answers, pipelines.Answers]:
    """minibert's answers and 4.12.5's."""
    folder: Path = tmp_path_factory.mktemp("pipelines")
    pipelines.write(folder)
    return pipelines.answers(minibert, folder, fast=True), pipelines.old_answers(folder)


@pytest.mark.parametrize("key", KEYS)
def test_every_answer_is_the_old_reference_s(key: str, both: tuple[pipelines.Answers, pipelines.Answers]) -> None:
    ours, theirs = both
    if key not in theirs:
        pytest.skip("no compiled tokenizers: `make test` makes the environment that has them")
    assert len(ours[key]) == len(theirs[key]) >= 190
    pairs = enumerate(zip(ours[key], theirs[key], strict=True))
    found = {n: pipelines.difference(*(pipelines.comparable(key, each) for each in pair)) for n, pair in pairs}
    assert not {number: each for number, each in found.items() if each}


@pytest.mark.parametrize("key", KEYS)
def test_most_inputs_have_an_answer(key: str, both: tuple[pipelines.Answers, pipelines.Answers]) -> None:
    assert both[0][key].count("error") < 50
