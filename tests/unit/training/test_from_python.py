"""Fine-tuning and asking from Python: a call each, with strings for files, and what the command does."""

from __future__ import annotations

import json
import logging
import re
import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from course.samples import sample
from minibert import BertConfig, BertTokenizer
from minibert.tasks import (
    Classification,
    Examples,
    MaskedWords,
    MultipleChoice,
    NextSentence,
    NextWord,
    QuestionAnswering,
    Report,
    Tagging,
    TextExample,
)
from minibert.tasks.task_files import hold_out
from minibert.training import FineTuningRecipe, TrainedModel, finetune, finetuning_recipe
from minibert.training.finetuning_recipe import FEW_STEPS, usual_epochs, usual_lr
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


@pytest.mark.seconds
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


def test_an_answer_leaves_every_module_in_its_mode(models: dict[str, Path]) -> None:
    trained = TrainedModel.open(models["one label"])
    expected = trained.predict("the cat")
    trained.model.train()
    trained.model.base_model.embeddings.eval()  # frozen, say
    modes = [module.training for module in trained.model.modules()]
    assert trained.predict("the cat") == expected
    assert [module.training for module in trained.model.modules()] == modes


@pytest.mark.parametrize("name", ASKED)
def test_a_tokenizer_that_pads_on_the_left_is_no_dead_end(name: str, models: dict[str, Path], tmp_path: Path) -> None:
    texts, _ = ASKED[name]
    expected = TrainedModel.open(models[name]).predict(*texts)
    shutil.copytree(models[name], tmp_path / "left")
    BertTokenizer.from_pretrained(models[name], padding_side="left").save_pretrained(tmp_path / "left")
    assert TrainedModel.open(tmp_path / "left").predict(*texts) == expected


@pytest.mark.parametrize("name", ASKED)
def test_to_no_question_there_is_no_answer(name: str, models: dict[str, Path]) -> None:
    assert TrainedModel.open(models[name]).predict_all([]) == []


def test_a_shorter_length_than_in_training_is_no_dead_end(models: dict[str, Path]) -> None:
    trained = TrainedModel.open(models["questions"], max_length=80)
    assert trained.task.stride >= 80 - 64 - 3
    assert trained.predict("who came?", "one evening a stranger came " * 8)["candidates"]


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
        ("one label", ("a", "b"), "This model was taught single texts: leave out the second."),
        ("a label of a pair", ("a",), "This model was taught pairs, with text_pair: give a second text too."),
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


@pytest.mark.parametrize(
    ("examples", "batch_size", "epochs"),
    [(5452, 16, 3), (533, 16, 3), (528, 16, 4), (50, 16, 25), (50, 8, 15), (5, 16, 100)],
)
def test_few_examples_are_shown_more_often_so_that_a_new_head_learns(
    examples: int, batch_size: int, epochs: int
) -> None:
    assert usual_epochs(examples, batch_size) == epochs
    assert epochs * -(-examples // batch_size) >= FEW_STEPS


def test_what_was_chosen_is_said_and_what_was_asked_for_is_kept() -> None:
    said: list[str] = []
    chosen = FineTuningRecipe().completed(256, examples=50, say=said.append)
    assert (chosen.lr, chosen.epochs) == (3e-4, 25)
    assert said == [
        "Learning rate: 0.0003, as usual for the model's width; choose another with lr=….",
        "Epochs: 25, because 50 examples are few; choose another number with epochs=….",
    ]
    said.clear()
    asked = FineTuningRecipe(epochs=1, lr=0.5)
    assert asked.completed(256, examples=50, say=said.append) == asked
    assert said == []
    assert FineTuningRecipe(lr=0.5).completed(256, examples=9000, say=said.append).epochs == 3
    assert said == ["Epochs: 3, as usual; choose another number with epochs=…."]


class TestHeldOutExamples:
    @pytest.mark.parametrize("name", [*ASKED, "hidden words", "the next word"])
    def test_no_example_is_lost_or_on_both_sides(self, name: str) -> None:
        task, file = SAMPLE_TASKS[name]
        examples = task.read(sample(file))
        train, evaluation = hold_out(examples, share=0.25, seed=0)
        assert sorted(map(repr, [*train.items, *evaluation.items])) == sorted(map(repr, examples.items))
        assert len(evaluation.items) == len(examples.items) // 4

    def test_each_label_gives_its_share(self) -> None:
        items = [TextExample(f"text {n}", label="rare" if n % 5 == 0 else "usual") for n in range(100)]
        for seed in range(3):
            held = hold_out(Examples(items, Report("t.csv", found=100)), share=0.2, seed=seed)[1].items
            assert Counter(each.label for each in held) == {"rare": 4, "usual": 16}

    def test_no_label_is_among_the_held_out_examples_alone(self) -> None:
        labels = ["usual"] * 49 + ["very rare"]  # the last in order, whose turn it would be
        for seed in range(5):
            items = [TextExample(f"text {n}", label=label) for n, label in enumerate(labels)]
            train, held = hold_out(Examples(items, Report("t.csv", found=50)), share=0.2, seed=seed)
            assert {each.label for each in train.items} == {"usual", "very rare"}
            assert (len(train.items), len(held.items)) == (41, 9)

    def test_the_seed_decides_which(self) -> None:
        def held(seed: int) -> list[str]:
            items = [TextExample(f"text {n}", label="a") for n in range(50)]
            return [each.text for each in hold_out(Examples(items, Report("t.csv", found=50)), 0.2, seed)[1].items]

        assert held(1) == held(1) != held(2)

    def test_too_few_examples_are_refused(self) -> None:
        items = [TextExample(f"text {n}", label="a") for n in range(4)]
        with pytest.raises(
            ValueError, match=r"Of 4 examples a share of 0\.2 cannot be held out: evaluate on another file"
        ):
            hold_out(Examples(items, Report("t.csv", found=4)), 0.2, seed=0)


def test_without_a_file_to_evaluate_on_a_share_is_held_out_and_the_results_are_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    small, said, path = small_model(tmp_path / "small"), list[str](), str(sample("reviews.csv"))
    run: dict[str, Any] = {"out": tmp_path / "run", "say": said.append}
    recipe = FineTuningRecipe(epochs=1, max_length=96, eval_share=0.25)
    trained, best = finetune(Classification(), small, path, recipe=recipe, **run)
    assert (len(trained.train.rows), len(trained.evaluation.rows)) == (18, 6)
    assert "6 of the examples are held out to evaluate on." in said[0]
    assert said[1] == f"'{path}, held out': 6 of 6 examples used."
    assert not any("Also trained on" in line for line in said)
    assert [line for line in said if line.startswith("Newly init")] == [
        "Newly initialised, to be trained: classifier.weight, classifier.bias."
    ]
    assert not caplog.records  # which would say it a second time
    assert said[-2].split("\n")[0].split() == ["step", "loss", "accuracy", "macro", "f1"]
    assert said[-1] == f"The best model, of step {best['step']}, is in {tmp_path / 'run' / 'model'}."
    with pytest.raises(
        ValueError, match="holds another run: its files to train and evaluate on are others, or were changed"
    ):
        finetune(Classification(), small, path, path, recipe, **run)
    with pytest.raises(ValueError, match=r"it has eval_share=0\.25, this one eval_share=0\.5"):
        finetune(Classification(), small, path, recipe=replace(recipe, eval_share=0.5), **run)
    with pytest.raises(ValueError, match=r"eval_share is 1\.5; it is a share of the examples"):
        FineTuningRecipe(eval_share=1.5)


def test_a_list_in_place_of_a_text_is_told_of_predict_all(models: dict[str, Path]) -> None:
    for name in ("one label", "tags"):
        with pytest.raises(TypeError, match=r"To ask about many at once, call predict_all\(\[…\]\)"):
            TrainedModel.open(models[name]).predict(["a", "b"])  # type: ignore[arg-type]


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
    monkeypatch.setattr(finetuning_recipe, "FEW_STEPS", 1)
    for name in ("train.csv", "test.csv"):
        (tmp_path / name).write_bytes(sample("reviews.csv").read_bytes())
    blocks = BLOCK.findall(page.read_text(encoding="utf-8"))
    assert blocks
    for block in blocks:
        assert len([line for line in block.splitlines() if line.strip()]) <= 5
        code = block.replace("novels-4l-256h", small)
        code = code.replace("tutorials/samples/reviews.csv", "train.csv")
        exec(compile(code, page.name, "exec"), {})
    assert re.search("positive|negative", capsys.readouterr().out)
    assert BertConfig.from_pretrained("run/model").architectures == ["BertForSequenceClassification"]
