"""Fine-tuning and asking from Python: a call each, with strings for files, and what the command does."""

from __future__ import annotations

import json
import logging
import re
from pathlib import Path
from typing import Any

import pytest

from course.samples import sample
from minibert import BertConfig
from minibert.tasks import (
    Classification,
    MaskedWords,
    MultipleChoice,
    NextSentence,
    NextWord,
    QuestionAnswering,
    Tagging,
)
from minibert.training import FineTuningRecipe, TrainedModel, finetune
from minibert.training.finetuning import usual_lr
from tests.unit.cli.running import json_of
from tests.unit.docs.pages import DOCS, ROOT
from tests.unit.training.small_tasks import QUIET, SAMPLE_TASKS, small_model

ASKED: dict[str, tuple[tuple[str, ...], str]] = {
    "one label": (("the soup was cold",), "label"),
    "a label of a pair": (("it rained", "the ground is wet"), "label"),
    "several labels": (("rain and wind",), "labels"),
    "a number": (("a boy", "a girl"), "value"),
    "tags": (("Ada Lovelace lived in London.",), "entities"),
    "questions": (("who came?", "one evening a stranger came"), "candidates"),
    "choices": (("the cook lifts the lid", "steam rises", "it barks"), "ending"),
    "next sentences": (("it rained", "the ground was wet"), "label"),
}


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A model of each kind of task, trained for one epoch from Python with as few arguments as can be."""
    folder = tmp_path_factory.mktemp("models")
    small = small_model(folder / "small")
    for name in ASKED:
        task, file = SAMPLE_TASKS[name]
        path, recipe = str(sample(file)), FineTuningRecipe(epochs=1, max_length=96)
        finetune(task, small, path, path, recipe, out=str(folder / name), say=QUIET)
    return {name: folder / name / "model" for name in ASKED}


@pytest.mark.parametrize("name", ASKED)
def test_a_run_leaves_its_best_model_which_answers_plain_texts(name: str, models: dict[str, Path]) -> None:
    texts, key = ASKED[name]
    answer = TrainedModel.open(models[name]).predict(*texts)
    assert key in answer


ARGUMENTS: dict[str, list[str]] = {
    "one label": ["the soup was cold"],
    "a label of a pair": ["it rained", "--second", "the ground is wet"],
    "several labels": ["rain and wind"],
    "a number": ["a boy", "--second", "a girl"],
    "tags": ["Ada Lovelace lived in London."],
    "questions": ["--question", "who came?", "--context", "one evening a stranger came"],
    "choices": ["the cook lifts the lid", "--choice", "steam rises", "--choice", "it barks"],
    "next sentences": ["it rained", "--second", "the ground was wet"],
}


@pytest.mark.parametrize("name", ASKED)
def test_python_gives_the_answer_of_the_command(name: str, models: dict[str, Path]) -> None:
    answer = TrainedModel.open(models[name]).predict(*ASKED[name][0])
    [same] = json_of("predict", *ARGUMENTS[name], "--model", str(models[name]))["answers"]
    assert json.loads(json.dumps(answer)) == same


def test_many_are_answered_together_as_one_by_one(models: dict[str, Path]) -> None:
    trained = TrainedModel.open(models["one label"])
    texts = ["the cat", "a dog sat on the mat", "it rained"]
    assert [each["text"] for each in trained.predict_all(texts, batch_size=2)] == texts
    pairs = TrainedModel.open(models["a label of a pair"]).predict_all([("a", "b"), ["c", "d"]])
    assert [each["text_pair"] for each in pairs] == ["b", "d"]
    scores = trained.evaluate(str(sample("reviews.csv")))[0]
    assert set(scores) == {"loss", "accuracy", "macro_f1"}


@pytest.mark.parametrize(
    ("name", "texts", "said"),
    [
        ("one label", (), "This model labels texts: give a text, or the two texts of a pair."),
        ("one label", ("a", "b", "c"), "This model labels texts: give a text"),
        ("one label", ("a", "b"), "This model was taught single texts: leave out the second (--second)."),
        ("a label of a pair", ("a",), "This model was taught pairs, with text_pair: give a second text (--second)."),
        ("tags", ("a", "b"), "This model tags words: give a text."),
        ("questions", ("who?",), "This model answers questions: give a question and its context."),
        ("choices", ("a", "b"), "This model chooses endings: give a text and two or more endings."),
        ("next sentences", ("a",), "This model tells whether a sentence follows another: give two sentences."),
        ("tags", (" \n",), "A text is empty"),
        ("questions", ("who?", ""), "A text is empty"),
    ],
)
def test_other_texts_are_refused_with_those_that_are_meant(
    name: str, texts: tuple[str, ...], said: str, models: dict[str, Path]
) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        TrainedModel.open(models[name]).predict(*texts)


@pytest.mark.parametrize(("task", "command"), [(MaskedWords(), "fill-mask"), (NextWord(), "generate")])
def test_models_that_predict_asks_nothing_say_how_they_are_asked(
    task: Any, command: str, models: dict[str, Path]
) -> None:
    tokenizer = TrainedModel.open(models["tags"]).tokenizer
    with pytest.raises(ValueError, match=f"ask it with minibert {command} TEXT --model NAME"):
        task.example(["a text"], "text 1", tokenizer)


def test_a_text_that_is_cut_is_warned_of(models: dict[str, Path], caplog: pytest.LogCaptureFixture) -> None:
    trained = TrainedModel.open(models["one label"], max_length=8)
    with caplog.at_level(logging.WARNING, logger="minibert"):
        trained.predict("short")
        assert not caplog.text
        trained.predict("the cat sat on the mat " * 5)
    assert "1 × text cut to 8 pieces (text 1)" in caplog.text


@pytest.mark.parametrize("hidden_size", [32, 64])
def test_without_a_learning_rate_it_goes_by_the_models_width(hidden_size: int, tmp_path: Path) -> None:
    small = small_model(tmp_path / "small", hidden_size=hidden_size)
    path, said = sample("endings.csv"), list[str]()
    recipe = FineTuningRecipe(epochs=1, max_length=96)
    trained, best = finetune(MultipleChoice(), small, path, path, recipe, tmp_path / "run", say=said.append)
    assert trained.recipe.lr == usual_lr(hidden_size)
    assert any(line.startswith(f"Learning rate: {usual_lr(hidden_size):g}, as usual") for line in said)
    assert best["step"] == 1 or best["step"] is not None
    said.clear()
    with pytest.raises(ValueError, match="holds another run"):
        finetune(MultipleChoice(), small, path, path, FineTuningRecipe(lr=0.5), tmp_path / "run", say=said.append)
    assert said == []


def test_every_task_has_a_way_to_be_asked() -> None:
    asked = {task.name for task, _ in SAMPLE_TASKS.values()}
    assert asked == {
        each.name
        for each in (
            Classification,
            Tagging,
            QuestionAnswering,
            MultipleChoice,
            NextSentence,
            MaskedWords,
            NextWord,
        )
    }


BLOCK = re.compile(r"```python\n(from minibert[^`]*?TrainedModel[^`]*?)```")


@pytest.mark.parametrize("page", [ROOT / "README.md", DOCS / "finetuning.md"], ids=lambda page: page.name)
def test_the_five_lines_of_the_pages_run(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    small = small_model(tmp_path / "small")
    monkeypatch.chdir(tmp_path)
    for name in ("train.csv", "test.csv"):
        (tmp_path / name).write_bytes(sample("reviews.csv").read_bytes())
    blocks = BLOCK.findall(page.read_text(encoding="utf-8"))
    assert blocks
    for block in blocks:
        assert len([line for line in block.splitlines() if line.strip()]) <= 5
        code = block.replace("novels-4l-256h", small)
        code = code.replace("tutorials/samples/reviews.csv", "train.csv").replace('out="run"', 'out="run"')
        exec(compile(code, page.name, "exec"), {})
    assert re.search("positive|negative", capsys.readouterr().out)
    assert BertConfig.from_pretrained("run/model").architectures == ["BertForSequenceClassification"]
