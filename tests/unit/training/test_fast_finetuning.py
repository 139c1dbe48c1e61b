"""`fast`: less work for the same equations, and memory that is kept. Nothing changes but last digits."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from minibert.fast.dropout import random_16_bits
from minibert.fast.last_layer import last_layer_at_cls
from minibert.fast.memory import keep_freed_memory
from minibert.training.finetuning import FineTuning, FineTuningRecipe, open_task, train_task
from tests.unit.training.small_tasks import ALONE, QUIET, RECIPE, SAMPLE_TASKS, small_model, task_and_file

READ_LABELLED = ["tags", "hidden words"]
READ_ONLY_CLS = ["one label", "a label of a pair", "several labels", "a number", "choices", "next sentences"]


def opened(name: str, folder: Path, recipe: FineTuningRecipe, **fields: object) -> FineTuning:
    """Ready to be trained on its sample, without dropout."""
    model = small_model(folder, **{"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0, **fields})
    task, path = task_and_file(name)
    examples = task.read(path)
    trained = open_task(task.adapted_to(examples), model, examples, task.read(path), recipe, ALONE, QUIET)
    trained.model.train()
    return trained


def gradients(trained: FineTuning) -> tuple[float, dict[str, torch.Tensor]]:
    """The loss of the first batch, and the gradient of every parameter that has one."""
    trained.model.zero_grad()
    loss = trained.backward(1, trained.batch(1))["loss"]
    return loss, {name: p.grad.clone() for name, p in trained.model.named_parameters() if p.grad is not None}


def test_the_tasks_that_read_only_cls_are_those_with_a_pooler() -> None:
    assert [name for name in SAMPLE_TASKS if SAMPLE_TASKS[name][0].reads == "[CLS]"] == READ_ONLY_CLS


@pytest.mark.seconds
@pytest.mark.parametrize(
    ("attention", "fields"),
    [
        ("eager", {}),
        ("eager", {"position_embedding_type": "relative_key_query"}),
        ("eager", {"chunk_size_feed_forward": 1}),
        ("sdpa", {}),
        ("packed", {}),
    ],
    ids=str,
)
@pytest.mark.parametrize("name", [*READ_ONLY_CLS, *READ_LABELLED])
def test_less_work_gives_the_same_loss_and_gradients(
    name: str, attention: str, fields: dict[str, object], tmp_path: Path
) -> None:
    recipe = replace(RECIPE, attention=attention)
    exact_loss, exact = gradients(opened(name, tmp_path / "model", recipe, **fields))
    loss, fast = gradients(opened(name, tmp_path / "model", replace(recipe, fast=True), **fields))
    assert loss == pytest.approx(exact_loss, abs=1e-6)
    assert list(fast) == list(exact)
    for parameter, gradient in exact.items():
        torch.testing.assert_close(fast[parameter], gradient, rtol=1e-4, atol=1e-6)


@pytest.mark.seconds
@pytest.mark.parametrize("name", SAMPLE_TASKS)
def test_evaluation_in_less_time_finds_the_same(name: str, tmp_path: Path) -> None:
    plain = opened(name, tmp_path / "model", RECIPE).evaluate()
    assert opened(name, tmp_path / "model", replace(RECIPE, fast=True)).evaluate() == pytest.approx(plain, abs=1e-4)


@pytest.mark.parametrize(("name", "least", "most"), [("one label", 0.5, 0.8), ("hidden words", 0.2, 0.5)])
def test_less_work_is_done(name: str, least: float, most: float, tmp_path: Path) -> None:
    counts = []
    for fast in (False, True):
        trained = opened(name, tmp_path / "model", replace(RECIPE, fast=fast))
        with FlopCounterMode(display=False) as counter:
            trained.backward(1, trained.batch(1))
        counts.append(counter.get_total_flops())
    exact, less = counts
    assert (
        least < less / exact < most
    )  # of two layers, most of one; and of hidden words, the scores of the others and the padding


@pytest.mark.parametrize("fast", [False, True])
def test_only_a_fast_step_draws_dropout_four_values_at_a_time(
    fast: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[torch.Size] = []

    def spied(shape: torch.Size) -> torch.Tensor:
        drawn.append(shape)
        return random_16_bits(shape)

    monkeypatch.setattr("minibert.fast.dropout.random_16_bits", spied)
    trained = opened("tags", tmp_path / "model", replace(RECIPE, fast=fast), hidden_dropout_prob=0.1)
    trained.model.train()
    trained.backward(1, trained.batch(1))
    # After the embeddings, after attention and after the feed-forward half of both layers, before the head.
    assert len(drawn) == (6 if fast else 0)


@pytest.mark.parametrize("fast", [False, True])
def test_only_a_fast_step_keeps_the_memory_of_the_word_gradient(fast: bool, tmp_path: Path) -> None:
    trained = opened("tags", tmp_path / "model", replace(RECIPE, fast=fast))
    weight = trained.model.base_model.embeddings.word_embeddings.weight
    steps = []
    for step in (1, 2):
        weight.grad = None
        trained.backward(step, trained.batch(step))
        steps.append(weight.grad)
    assert (steps[0] is steps[1]) is fast


@pytest.mark.parametrize("fast", [False, True])
def test_a_fast_step_clips_without_the_words_that_are_not_there(
    fast: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained = opened("tags", tmp_path / "model", replace(RECIPE, fast=fast))
    weight = trained.model.base_model.embeddings.word_embeddings.weight
    trained.backward(1, trained.batch(1))
    clipped: list[torch.nn.Parameter] = []
    monkeypatch.setattr("minibert.training.loop.clip", lambda given, largest: clipped.extend(given) or largest)
    assert trained.clip(list(trained.model.parameters())) == RECIPE.clip
    assert any(parameter is weight for parameter in clipped) is not fast


def test_the_layer_is_whole_again_afterwards(tmp_path: Path) -> None:
    model = opened("one label", tmp_path / "model", RECIPE).model.eval()
    ids = torch.arange(8)[None]
    with torch.no_grad():
        whole = model.base_model(ids).last_hidden_state
        with last_layer_at_cls(model.base_model):
            first = model.base_model(ids).last_hidden_state
        torch.testing.assert_close(first, whole[:, :1])
        assert torch.equal(model.base_model(ids).last_hidden_state, whole)
    with pytest.raises(KeyError, match="in between"), last_layer_at_cls(model.base_model):
        raise KeyError("in between")
    assert "forward" not in vars(model.base_model.encoder.layer[-1])


@pytest.mark.parametrize("name", ["one label", "tags"])
def test_gradient_checkpointing_runs_the_small_layer_again(name: str, tmp_path: Path) -> None:
    trained = opened(name, tmp_path / "model", replace(RECIPE, fast=True))
    plain_loss, plain = gradients(trained)
    trained.model.base_model.encoder.gradient_checkpointing = True
    trained.model.train()
    loss, again = gradients(trained)
    assert loss == pytest.approx(plain_loss, abs=1e-6)
    for parameter, gradient in plain.items():
        torch.testing.assert_close(again[parameter], gradient, rtol=1e-4, atol=1e-6)


@pytest.mark.seconds
@pytest.mark.parametrize("name", SAMPLE_TASKS)
def test_a_fast_run_learns_what_an_exact_one_learns(name: str, tmp_path: Path) -> None:
    runs = []
    for fast in (False, True):
        trained = opened(name, tmp_path / "model", replace(RECIPE, lr=1e-3, fast=fast))
        losses: list[float] = []
        trained.notice = lambda _step, figures, _log, losses=losses: losses.append(figures["loss"])  # type: ignore[method-assign]
        best = train_task(trained, tmp_path / f"run {fast}", identity={})
        runs.append((losses, best))
    (exact, exact_best), (fast_losses, fast_best) = runs
    assert fast_losses == pytest.approx(exact, abs=1e-4)
    assert fast_best == pytest.approx(exact_best, abs=1e-3)


@pytest.mark.seconds
@pytest.mark.parametrize(
    "name", ["one label", "tags", *(pytest.param(name, marks=pytest.mark.slow) for name in ("questions", "choices"))]
)
def test_bfloat16_learns_nearly_what_float32_learns(name: str, tmp_path: Path) -> None:
    losses = []
    for precision in ("float32", "bfloat16"):
        trained = opened(name, tmp_path / "model", replace(RECIPE, lr=1e-3, epochs=6, precision=precision))
        before = trained.evaluate()["loss"]
        losses.append(train_task(trained, tmp_path / precision, identity={})["loss"])
        assert losses[-1] < before
        assert all(parameter.dtype == torch.float32 for parameter in trained.model.parameters())
    exact, half = losses
    assert half != exact
    assert half == pytest.approx(exact, rel=0.05)


KEPT = """
import resource, torch
import minibert.training.finetuning  # the heap as a training process has it: how soon a block is reused depends on its neighbours
from minibert.fast.memory import keep_freed_memory
def faults(): return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
if KEEP:
    assert keep_freed_memory()
for _ in range(3):
    torch.ones(1 << 24)
before = faults()
for _ in range(10):
    torch.ones(1 << 24)
print(faults() - before)
"""


@pytest.mark.slow(8)
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only glibc is asked")
def test_kept_memory_is_not_fetched_from_the_system_again() -> None:
    fetched = []
    for keep in (False, True):
        code = KEPT.replace("KEEP", str(keep))
        result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        fetched.append(int(result.stdout))
    without, kept = fetched
    assert without > 10 * 100  # pages: 64 MiB, ten times, even where they are huge ones
    assert kept < 100


def test_a_system_without_glibc_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert keep_freed_memory() is False
