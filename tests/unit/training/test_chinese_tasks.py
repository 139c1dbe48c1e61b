"""Every kind of task in Chinese: characters are words, and what is answered is a piece of the text that was given."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from course.samples import sample
from minibert import BertConfig, BertForPreTraining, BertTokenizer
from minibert.tasks import Classification, MaskedWords, MultipleChoice, NextSentence, QuestionAnswering, Tagging, Task
from minibert.tokenization import train_wordpiece
from minibert.training import FineTuningRecipe, TrainedModel, finetune
from tests.unit.training.small_tasks import QUIET

TASKS: dict[str, tuple[Task, str, tuple[str, ...]]] = {
    "one label": (Classification(), "reviews.csv", ("鱼是凉的，汤也是凉的。",)),
    "a label of a pair": (Classification(), "paraphrases.tsv", ("雨下了三天。", "一连三天都在下雨。")),
    "a number": (Classification("regression"), "similarity.csv", ("男孩在扔球。", "男孩扔出了球。")),
    "several labels": (Classification("multi_label_classification"), "topics.jsonl", ("雨停了，乐队接着演奏。",)),
    "tags": (Tagging(), "entities.conll", ("林月从南渡去新海。",)),
    "questions": (QuestionAnswering(stride=16), "questions.json", ("鱼在哪里卖？", "布在桥头卖，鱼在河边卖。")),
    "choices": (MultipleChoice(), "endings.csv", ("他收起了网。", "网里跳着几条鱼。", "网里有一所学校。")),
    "next sentences": (NextSentence(), "sentences.txt", ("河湾处有一座磨坊。", "它的水轮不转了。")),
    "hidden words": (MaskedWords(), "sentences.txt", ()),
}


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model with the characters of the samples for its vocabulary."""
    folder = tmp_path_factory.mktemp("small")
    files = sorted(sample("zh/reviews.csv").parent.iterdir())
    pieces = train_wordpiece(files, 3000)
    (folder / "words.txt").write_text("".join(f"{piece}\n" for piece in pieces), encoding="utf-8")
    tokenizer = BertTokenizer(str(folder / "words.txt"))
    torch.manual_seed(0)
    sizes = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
    BertForPreTraining(BertConfig(vocab_size=len(tokenizer), **sizes)).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def trained(small: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, dict[str, float]]]:
    folder, models = tmp_path_factory.mktemp("trained"), {}
    for name, (task, file, _) in TASKS.items():
        path = sample(f"zh/{file}")
        recipe = FineTuningRecipe(epochs=1, max_length=128)
        _, metrics = finetune(task, str(small), path, path, recipe, out=folder / name, say=QUIET)
        models[name] = folder / name / "model", metrics
    return models


@pytest.mark.parametrize("name", TASKS)
def test_each_task_is_learned_and_measured(trained: dict[str, tuple[Path, dict[str, float]]], name: str) -> None:
    model, metrics = trained[name]
    assert (model / "model.safetensors").exists()
    assert all(value == value for value in metrics.values())  # no NaN


@pytest.mark.parametrize("name", [name for name, (_, _, asked) in TASKS.items() if asked])
def test_each_task_answers_in_chinese(trained: dict[str, tuple[Path, dict[str, float]]], name: str) -> None:
    asked = TASKS[name][2]
    answer: dict[str, Any] = TrainedModel.open(trained[name][0]).predict(*asked)
    assert answer
    for entity in answer.get("entities", []):
        assert entity["text"] in asked[0]  # without a space between its characters
    for candidate in answer.get("candidates", []):
        assert candidate["text"] in asked[1]
    if "label" in answer and name == "one label":
        assert answer["label"] in ("好评", "差评")


def test_an_entity_of_a_text_has_no_spaces_between_its_characters(small: Path, tmp_path: Path) -> None:
    """A tagger that says I-地名 everywhere: the entity is the whole text, as it was typed."""
    path = tmp_path / "one.conll"
    path.write_text("林 B-地名\n月 I-地名\n\n" * 4, encoding="utf-8")
    recipe = FineTuningRecipe(epochs=20, lr=1e-2, max_length=32)
    finetune(Tagging(), str(small), path, path, recipe, out=tmp_path / "run", say=QUIET)
    found = TrainedModel.open(tmp_path / "run" / "model").predict("林月")["entities"]
    assert [entity["text"] for entity in found] == ["林月"]


def test_the_samples_are_read_whole() -> None:
    for name, (task, file, _) in TASKS.items():
        report = task.read(sample(f"zh/{file}")).report
        assert report.used == report.found > 3, name
