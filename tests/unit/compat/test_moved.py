"""Modules that moved are still found under their old names."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

import pytest

from minibert.compat.moved import MOVED, MovedModules

pytestmark = pytest.mark.filterwarnings("ignore:minibert:DeprecationWarning")


@pytest.mark.parametrize(("old", "places"), MOVED.items(), ids=MOVED)
def test_a_module_that_moved_gives_the_objects_of_its_new_place(old: str, places: tuple[str, ...]) -> None:
    for place in places:
        new = import_module(place)
        name = next(name for name, value in vars(new).items() if getattr(value, "__module__", "").startswith(place))
        assert getattr(import_module(old), name) is getattr(new, name)


def test_a_module_that_moved_says_where_it_is_now(recwarn: pytest.WarningsRecorder) -> None:
    MovedModules().exec_module(ModuleType("minibert.data.tasks"))
    assert "minibert.data.tasks is now minibert.tasks" in str(recwarn.pop(DeprecationWarning).message)


def test_a_name_that_no_new_place_has_is_refused_with_the_places() -> None:
    with pytest.raises(AttributeError, match=r"'nothing_of_this'; it is now minibert\.tasks"):
        getattr(import_module("minibert.data.tasks"), "nothing_of_this")  # noqa: B009


def test_a_module_that_never_was_is_not_found() -> None:
    with pytest.raises(ModuleNotFoundError):
        import_module("minibert.data.never")


@pytest.mark.parametrize(
    "name",
    ["Classification", "Tagging", "QuestionAnswering", "MultipleChoice", "NextSentence", "MaskedWords", "Encoded"],
)
def test_a_name_that_left_a_module_is_found_there_still(name: str) -> None:
    assert getattr(import_module("minibert.training.finetuning"), name) is getattr(
        import_module("minibert.tasks"), name
    )


def test_a_name_that_is_called_otherwise_now_is_found_under_its_old_one() -> None:
    tasks, old = import_module("minibert.tasks"), import_module("minibert.training.finetuning")
    assert (old.KINDS, old.TaskKind, old.kind_of) == (tasks.TASKS, tasks.Task, tasks.task_of)
    assert import_module("minibert.training.world").World is import_module("minibert.training.distributed").Processes
    assert old.Classification("regression").decisive == "pearson"
    assert old.MaskedWords().learn(None) == tasks.MaskedWords()


def test_a_name_that_a_module_never_had_is_refused() -> None:
    with pytest.raises(
        AttributeError, match=r"finetuning' has no attribute 'nothing_of_this'; it is now minibert\.tasks"
    ):
        getattr(import_module("minibert.training.finetuning"), "nothing_of_this")  # noqa: B009


def test_a_tagger_takes_its_labels_by_position_as_it_once_did() -> None:
    tasks = import_module("minibert.tasks")
    assert tasks.Tagging(tasks.Labels(("O",))) == tasks.Tagging(labels=tasks.Labels(("O",)))


def test_the_module_of_logging_is_what_the_name_gives() -> None:
    logging = import_module("minibert").logging
    for found in (import_module("minibert.utils").logging, import_module("minibert.file_utils").logging):
        assert found.get_logger is logging.get_logger
    assert import_module("minibert.utils.logging").set_verbosity is logging.set_verbosity
    with pytest.raises(AttributeError, match=r"compat\.names:logging"):
        getattr(import_module("minibert.utils.logging"), "nothing_of_this")  # noqa: B009
