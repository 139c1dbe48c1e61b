"""What all pipelines do with lists, generators, data sets, batches, settings and bad input."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from torch.utils.data import Dataset

from tests.unit.pipelines.small import INPUTS, MODELS, small

ALL = list(MODELS)
OPTIONS: dict[str, dict[str, Any]] = {"ner": {"ignore_labels": []}}


class Texts(Dataset[Any]):
    """A data set that ends with an error of its own kind, as many do."""

    def __init__(self, items: list[Any]):
        self.items = items

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: int) -> Any:
        if index >= len(self.items):
            raise RuntimeError("out of the data")
        return self.items[index]


def rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: rounded(each) for name, each in value.items()}
    if isinstance(value, list):
        return [rounded(each) for each in value]
    return pytest.approx(value, rel=1e-5, abs=1e-5) if isinstance(value, float) else value


@pytest.mark.parametrize("task", ALL)
def test_a_generator_and_a_data_set_give_iterators_over_the_answers_of_a_list(task: str) -> None:
    pipe, inputs = small(task, **OPTIONS.get(task, {})), INPUTS[task]
    listed = pipe(inputs)
    assert isinstance(listed, list)
    for given in ((each for each in inputs), Texts(inputs)):
        lazily = pipe(given)
        assert isinstance(lazily, Iterator)
        assert list(lazily) == listed


@pytest.mark.parametrize("task", ALL)
def test_an_iterator_reads_no_further_than_it_is_asked(task: str) -> None:
    read: list[int] = []

    def inputs() -> Iterator[Any]:
        for number, each in enumerate(INPUTS[task]):
            read.append(number)
            yield each

    next(small(task)(inputs()))
    assert read == [0]


@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize("task", ALL)
def test_a_batch_gives_the_answers_of_its_texts_alone(task: str, fast: bool) -> None:
    pipe = small(task, fast=fast, **OPTIONS.get(task, {}))
    assert pipe(INPUTS[task], batch_size=2) == rounded(pipe(INPUTS[task]))
    pipe.tokenizer.padding_side = "left"
    assert pipe(INPUTS[task], batch_size=3) == rounded(pipe(INPUTS[task]))


@pytest.mark.parametrize("task", ALL)
def test_answers_are_plain_enough_for_json(task: str) -> None:
    answers = small(task, **OPTIONS.get(task, {}))(INPUTS[task])
    assert json.loads(json.dumps(answers)) == answers


@pytest.mark.parametrize("task", ALL)
def test_a_model_in_training_mode_answers_without_dropout_and_stays_in_it(task: str) -> None:
    pipe = small(task)
    expected = pipe(INPUTS[task])
    pipe.model.train()
    pipe.model.base_model.embeddings.eval()  # frozen, say
    modes = [module.training for module in pipe.model.modules()]
    assert pipe(INPUTS[task]) == expected
    assert [module.training for module in pipe.model.modules()] == modes
    assert pipe.model.training


@pytest.mark.parametrize("task", ALL)
def test_an_empty_list_is_an_error(task: str) -> None:
    with pytest.raises(ValueError, match="At least one input is required"):
        small(task)([])


@pytest.mark.parametrize("task", ALL)
@pytest.mark.parametrize("wrong", [3, b"the cat", ("the", "cat"), {"sentence": "the cat"}, {}])
def test_what_is_no_input_is_an_error_that_says_which(task: str, wrong: Any) -> None:
    with pytest.raises(ValueError, match=r"cat|3|\{\}") as error:
        small(task)([INPUTS[task][0], wrong])
    assert error.value.__notes__ == ["This was input 1 of the call, counted from 0."]


@pytest.mark.parametrize("task", ["fill-mask", "text-classification", "feature-extraction"])
def test_a_text_longer_than_the_model_is_an_error_that_says_what_to_do(task: str) -> None:
    with pytest.raises(ValueError, match="truncation=True"):
        small(task)("the [MASK]" + " cat" * 40)


@pytest.mark.parametrize("batch_size", [0, -1, 1.5])
def test_a_batch_of_none_is_an_error(batch_size: Any) -> None:
    with pytest.raises(ValueError, match="batch_size"):
        small("ner")("the cat", batch_size=batch_size)


def test_settings_of_the_pipeline_hold_until_a_call_says_otherwise() -> None:
    pipe = small("fill-mask", top_k=2)
    assert len(pipe("the [MASK]")) == 2
    assert len(pipe("the [MASK]", top_k=3)) == 3
    assert len(pipe("the [MASK]", topk=4)) == 4
    assert len(pipe("the [MASK]", top_k=None)) == 2
