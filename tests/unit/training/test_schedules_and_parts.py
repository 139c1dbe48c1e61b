"""The choices of a run that change its steps: the schedule, the warm-up, and the parts in which a batch is computed."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from minibert.optim import AdamW, get_scheduler
from minibert.training.finetuning import FineTuning, FineTuningRecipe, finetune, open_task
from minibert.training.pretraining import Phase, Recipe, pretrain
from minibert.training.run_files import read_log
from tests.unit.cli.running import run
from tests.unit.tiny_bert import same_weights
from tests.unit.training import small_run
from tests.unit.training.small_tasks import ALONE, QUIET, RECIPE, SAMPLE_TASKS, command, small_model, task_and_file
from tests.unit.training.test_pretraining import config, data

__all__ = ["data"]  # a fixture

SCHEDULES = ("linear", "cosine", "cosine_with_restarts", "polynomial", "constant", "constant_with_warmup")
SMALL = Recipe(steps=12, tokens_per_step=256, phases=(Phase(16, 0.5), Phase(32, 0.5)), warmup_steps=3)


@pytest.fixture
def model(tmp_path: Path) -> str:
    return small_model(tmp_path / "model", hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)


def opened(name: str, model: str, recipe: FineTuningRecipe) -> FineTuning:
    task, path = task_and_file(name)
    examples = task.read(path)
    return open_task(task.adapted_to(examples), model, examples, task.read(path), recipe, ALONE, QUIET)


def rates(name: str, lr: float, warmup: int, total: int) -> list[float]:
    optimizer = AdamW([torch.nn.Parameter(torch.zeros(1))], lr=lr)
    schedule, found = get_scheduler(name, optimizer, warmup, total), []
    for _ in range(total):
        found.append(schedule.get_last_lr()[0])
        optimizer.step()
        schedule.step()
    return found


@pytest.mark.parametrize("name", SCHEDULES)
class TestSchedules:
    @pytest.mark.seconds
    def test_fine_tuning_has_the_rates_of_the_schedule(self, name: str, model: str, tmp_path: Path) -> None:
        task, path = task_and_file("one label")
        recipe = replace(RECIPE, schedule=name, warmup=0.4, epochs=10, batch_size=24)  # a step is an epoch
        finetune(task, model, path, path, recipe, tmp_path / "run", ALONE, say=QUIET)
        log = [line["rate"] for line in read_log(tmp_path / "run" / "log.jsonl") if "rate" in line]
        assert log == rates(name, RECIPE.lr, 4, 10)

    @pytest.mark.seconds
    def test_pre_training_has_them_too(self, name: str, data, tmp_path: Path) -> None:
        pretrain(data, config(data), replace(SMALL, schedule=name), tmp_path / "run", ALONE, log_every=1)
        log = [line["rate"] for line in read_log(tmp_path / "run" / "log.jsonl") if "rate" in line]
        assert log == rates(name, SMALL.lr, 3, 12)


@pytest.mark.parametrize(
    "name", ["linear", *(pytest.param(name, marks=pytest.mark.slow) for name in SCHEDULES if name != "linear")]
)
def test_a_run_goes_on_to_the_bit_and_not_with_another(name: str, tmp_path: Path, interrupted) -> None:
    model, (task, path) = small_model(tmp_path / "dropout"), task_and_file("one label")
    recipe = replace(RECIPE, epochs=4, schedule=name)
    interrupted(task, model, path, recipe)
    other = replace(recipe, schedule=SCHEDULES[SCHEDULES.index(name) - 1])
    with pytest.raises(ValueError, match=f"another run: it has schedule='{name}', this one schedule="):
        finetune(task, model, path, path, other, tmp_path / "cut", ALONE, say=QUIET)


class TestParts:
    @pytest.mark.seconds
    @pytest.mark.parametrize("parts", [2, 3, 50])
    @pytest.mark.parametrize("name", SAMPLE_TASKS)
    def test_a_batch_in_parts_has_the_gradient_of_the_whole(self, name: str, parts: int, model: str) -> None:
        whole, split = (opened(name, model, replace(RECIPE, accumulate=number)) for number in (1, parts))
        figures = [trained.backward(1, trained.batch(1)) for trained in (whole, split)]
        assert figures[1]["loss"] == pytest.approx(figures[0]["loss"], rel=1e-5)
        for (each, ours), theirs in zip(split.model.named_parameters(), whole.model.parameters(), strict=True):
            assert (ours.grad is None) == (theirs.grad is None), each
            if ours.grad is not None:
                torch.testing.assert_close(ours.grad, theirs.grad, rtol=1e-4, atol=1e-6, msg=each)

    def test_tags_weigh_by_their_number_and_not_by_the_parts(self, model: str) -> None:
        """The mean of the means of parts would be another number: sentences have different lengths."""
        trained = opened("tags", model, replace(RECIPE, accumulate=4))
        batch = trained.batch(1)
        parts = [trained.task.label_count(part) for part in trained.parts(batch)]
        assert len(parts) == 4
        assert len(set(parts)) > 1
        mean = sum(
            float(trained.loss(part).detach()) * n for part, n in zip(trained.parts(batch), parts, strict=True)
        ) / sum(parts)
        assert trained.backward(1, batch)["loss"] == pytest.approx(mean, rel=1e-5)

    def test_the_last_batch_of_an_epoch_may_have_fewer_rows_than_parts(self, model: str, tmp_path: Path) -> None:
        task, path = task_and_file("tags")  # 23 sentences
        recipe = replace(RECIPE, batch_size=11, accumulate=7)
        whole, split = (
            finetune(task, model, path, path, each, tmp_path / str(each.accumulate), ALONE, say=QUIET)
            for each in (replace(recipe, accumulate=1), recipe)
        )
        assert split[1]["loss"] == pytest.approx(whole[1]["loss"], rel=1e-3)

    def test_a_run_goes_on_to_the_bit_and_not_in_other_parts(self, tmp_path: Path, interrupted) -> None:
        model, (task, path) = small_model(tmp_path / "dropout"), task_and_file("hidden words")
        recipe = replace(RECIPE, epochs=4, batch_size=4, accumulate=3)
        interrupted(task, model, path, recipe)
        with pytest.raises(ValueError, match="another run: it has accumulate=3, this one accumulate=1"):
            finetune(task, model, path, path, replace(recipe, accumulate=1), tmp_path / "cut", ALONE, say=QUIET)

    def test_one_part_is_the_run_it_always_was(self, tmp_path: Path) -> None:
        model, (task, path) = small_model(tmp_path / "dropout"), task_and_file("choices")
        runs = [
            finetune(task, model, path, path, each, tmp_path / name, ALONE, say=QUIET)[0].model
            for name, each in (("a", RECIPE), ("b", replace(RECIPE, accumulate=1, freeze="", class_weights=None)))
        ]
        assert same_weights(*runs)


class TestWarmUp:
    @pytest.mark.seconds
    @pytest.mark.parametrize(("steps", "warmup"), [(12, 13), (12, 12), (12, 500), (1, 1)])
    def test_one_that_outlasts_pre_training_is_said_with_the_rate_it_gets_to(
        self, steps: int, warmup: int, data, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        recipe = replace(SMALL, steps=steps, warmup_steps=warmup, phases=(Phase(16, 1.0),), lr=1e-3)
        pretrain(data, config(data), recipe, tmp_path / "run", ALONE, log_every=1)
        highest = max(line["rate"] for line in read_log(tmp_path / "run" / "log.jsonl") if "rate" in line)
        said = f"The warm-up of {warmup} steps outlasts the run of {steps}: the highest learning rate is {highest:.3g}, not"
        assert said in capsys.readouterr().out

    @pytest.mark.seconds
    @pytest.mark.parametrize(
        "choices", [{"warmup_steps": 11}, {"warmup_steps": 0}, {"schedule": "constant", "warmup_steps": 50}]
    )
    def test_one_that_ends_in_time_or_is_none_is_not(
        self, choices: dict, data, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        pretrain(data, config(data), replace(SMALL, **choices), tmp_path / "run", ALONE)
        assert "outlasts" not in capsys.readouterr().out

    def test_one_as_long_as_fine_tuning_is_said(
        self, model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        task, path = task_and_file("one label")
        for name, warmup in (("all", 1.0), ("half", 0.5)):
            finetune(task, model, path, path, replace(RECIPE, warmup=warmup), tmp_path / name, ALONE, say=QUIET)
            said = "The warm-up of 6 steps outlasts the run of 6: the highest learning rate is 0.00417, not 0.005."
            assert (said in capsys.readouterr().out) == (name == "all")


class TestRefusals:
    @pytest.mark.parametrize(
        ("choices", "message"),
        [
            ({"schedule": "quadratic"}, "'quadratic' is not a schedule; choose one of 'linear', 'cosine'"),
            ({"accumulate": 0}, "accumulate is 0; it must be at least 1"),
            ({"schedule": "Linear"}, "'Linear' is not a schedule"),
        ],
    )
    def test_what_makes_no_sense(self, choices: dict, message: str) -> None:
        with pytest.raises(ValueError, match=message):
            replace(RECIPE, **choices)

    def test_a_warm_up_of_fewer_than_no_steps(self) -> None:
        with pytest.raises(ValueError, match="warmup_steps is -1; it must be at least 0"):
            replace(SMALL, warmup_steps=-1)

    def test_the_command_lists_the_schedules(self, model: str, tmp_path: Path) -> None:
        words = command("classify", task_and_file("one label")[1], model, tmp_path / "run")
        refused = run(*words, "--schedule", "quadratic")
        assert refused.exit_code == 2
        assert all(f"'{name}'" in refused.output for name in SCHEDULES)


@pytest.mark.parametrize("task", ["classify", "tag", "qa", "choose", "nsp", "mlm", "pretrain"])
def test_every_training_has_the_options(task: str) -> None:
    text = run(*(["pretrain"] if task == "pretrain" else ["finetune", task]), "--help").output
    assert all(option in text for option in ("--schedule", "--accumulate", "--warmup"))
    assert ("--freeze" in text) == (task != "pretrain")
    assert ("--class-weights" in text) == (task in ("classify", "tag"))
    assert ("--max-answer-length" in text) == (task == "qa")


def test_the_command_gives_its_options_to_the_run(model: str, tmp_path: Path) -> None:
    words = command("tag", task_and_file("tags")[1], model, tmp_path / "run", "--epochs", "1", "--schedule", "constant")
    assert run(*words, "--accumulate", "2", "--freeze", "embeddings", "--class-weights", "balanced").exit_code == 0
    [state] = (tmp_path / "run" / "checkpoints").glob("*/training_state.pt")
    saved = torch.load(state, weights_only=True)["recipe"]
    wanted = {"schedule": "constant", "accumulate": 2, "freeze": "embeddings", "class_weights": "balanced"}
    assert {name: saved[name] for name in wanted} == wanted
    assert {line["rate"] for line in small_run.log_of(tmp_path / "run") if "rate" in line} == {1e-3}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """A model, and a finished run of it."""
    folder = tmp_path_factory.mktemp("finished")
    model, (task, path) = small_model(folder / "model"), task_and_file("questions")
    finetune(task, model, path, path, RECIPE, folder / "run", ALONE, say=QUIET)
    return model, folder / "run"


@pytest.mark.seconds
@pytest.mark.parametrize(
    "missing", ["schedule", "accumulate", "freeze", "class_weights", "task.max_answer_length", "task.stride"]
)
def test_a_run_of_a_version_without_a_choice_goes_on(
    missing: str, finished: tuple[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (model, run), (task, path) = finished, task_and_file("questions")
    shutil.copytree(run, tmp_path / "run")
    for state in (tmp_path / "run" / "checkpoints").glob("*/training_state.pt"):
        saved = torch.load(state, weights_only=True)
        where = saved["recipe"]["task"] if "." in missing else saved["recipe"]
        del where[missing.split(".")[-1]]
        torch.save(saved, state)
    finetune(task, model, path, path, RECIPE, tmp_path / "run", ALONE, say=QUIET)
    assert "Going on from step" in capsys.readouterr().out
    with pytest.raises(ValueError, match="another run: it has lr="):
        finetune(task, model, path, path, replace(RECIPE, lr=0.1), tmp_path / "run", ALONE, say=QUIET)
