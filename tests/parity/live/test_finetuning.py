"""Fine-tuning of every head beside today's transformers: the same weights, batches and recipe, no dropout, the same losses."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
import transformers
from side_by_side import SEEN, without_position_ids

from minibert.optim import AdamW, get_linear_schedule_with_warmup, no_decay_groups
from minibert.training.finetuning import FineTuning, open_task, train_task
from tests.unit.training.small_tasks import ALONE, QUIET, RECIPE, SAMPLE_TASKS, small_model, task_and_file

LIMIT = 1e-4
STEPS = 30


def opened(name: str, folder: Path, attention: str) -> FineTuning:
    """The task on its sample, with weights of its own and no dropout, for about so many steps."""
    model = small_model(folder, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
    task, path = task_and_file(name)
    examples = task.read(path)
    recipe = replace(RECIPE, lr=1e-3, epochs=STEPS // 3, attention=attention)
    return open_task(task.adapted_to(examples), model, examples, task.read(path), recipe, ALONE, QUIET)


def their_losses(trained: FineTuning) -> list[float]:
    """A loop over transformers, with the task's weights and batches. Its optimizer of the time is gone, so it is minibert's."""
    config = transformers.BertConfig(
        **{**trained.model.config.to_dict(), "attn_implementation": trained.recipe.attention}
    )
    model = getattr(transformers, type(trained.model).__name__)(config)
    model.load_state_dict(without_position_ids(trained.model.state_dict()))
    model.train()
    optimizer = AdamW(no_decay_groups(model, trained.recipe.weight_decay), lr=trained.recipe.lr)
    schedule = get_linear_schedule_with_warmup(optimizer, round(trained.recipe.warmup * trained.steps), trained.steps)
    losses = []
    for step in range(1, trained.steps + 1):
        loss = model(**trained.batch(step)).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), trained.recipe.clip)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    return losses


@pytest.mark.parametrize("attention", ["eager", "sdpa"])
@pytest.mark.parametrize("name", SAMPLE_TASKS)
def test_a_head_loses_what_it_loses_in_transformers(name: str, attention: str, tmp_path: Path) -> None:
    trained = opened(name, tmp_path / "model", attention)
    expected = their_losses(trained)
    losses: list[float] = []
    trained.notice = lambda step, figures, log: losses.append(figures["loss"])  # noqa: ARG005
    train_task(trained, tmp_path / "run", identity={})
    apart = max(abs(ours - theirs) for ours, theirs in zip(losses, expected, strict=True))
    SEEN[f"fine-tuning, {name}, {attention}"] = apart
    assert apart <= LIMIT
