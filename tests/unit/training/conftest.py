"""A run that is cut off and goes on, for every choice that a run can make."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from minibert.tasks import Task
from minibert.training.finetuning import FineTuning, FineTuningRecipe, finetune
from tests.unit.tiny_bert import same_weights
from tests.unit.training.small_run import log_of
from tests.unit.training.small_tasks import ALONE, QUIET


@pytest.fixture
def interrupted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Task, str, Path, FineTuningRecipe], None]:
    """Train twice, the second time with a power cut after step 7 (in `cut`), and find the same weights and logs."""

    class PowerCutError(Exception):
        pass

    def cut(_task: FineTuning, step: int, *_: object) -> None:
        if step == 7:
            raise PowerCutError

    def check(task: Task, model: str, path: Path, recipe: FineTuningRecipe) -> None:
        def train(name: str) -> FineTuning:
            return finetune(task, model, path, path, recipe, tmp_path / name, ALONE, say=QUIET, save_every=4)[0]

        whole = train("whole")
        with monkeypatch.context() as patch:
            patch.setattr(FineTuning, "notice", cut)
            with pytest.raises(PowerCutError):
                train("cut")
        assert same_weights(train("cut").model, whole.model)
        assert log_of(tmp_path / "cut") == log_of(tmp_path / "whole")

    return check
