"""Schedules tied to an optimizer: names, arguments, saving in the middle of a run."""

import copy
import inspect
import io
import pickle

import pytest
import torch
from torch.optim.lr_scheduler import LambdaLR

from minibert.optim import (
    TYPE_TO_SCHEDULER_FUNCTION,
    AdamW,
    SchedulerType,
    get_constant_schedule,
    get_constant_schedule_with_warmup,
    get_cosine_schedule_with_warmup,
    get_cosine_with_hard_restarts_schedule_with_warmup,
    get_linear_schedule_with_warmup,
    get_polynomial_decay_schedule_with_warmup,
    get_scheduler,
)


def optimizer(lr: float = 0.1) -> AdamW:
    param = torch.nn.Parameter(torch.ones(3))
    param.grad = torch.ones(3)
    return AdamW([param], lr=lr)


def advance(scheduler: LambdaLR, steps: int) -> list[float]:
    seen = []
    for _ in range(steps):
        seen.append(scheduler.get_last_lr()[0])
        scheduler.optimizer.step()
        scheduler.step()
    return seen


def arguments_of(function) -> dict:
    empty = inspect.Parameter.empty
    return {
        name: (None if a.default is empty else a.default) for name, a in inspect.signature(function).parameters.items()
    }


def test_arguments_and_defaults_are_the_reference_s():
    steps = {"optimizer": None, "num_warmup_steps": None, "num_training_steps": None}
    assert arguments_of(get_constant_schedule) == {"optimizer": None, "last_epoch": -1}
    assert list(arguments_of(get_constant_schedule_with_warmup)) == ["optimizer", "num_warmup_steps", "last_epoch"]
    assert arguments_of(get_linear_schedule_with_warmup) == {**steps, "last_epoch": -1}
    assert arguments_of(get_cosine_schedule_with_warmup) == {**steps, "num_cycles": 0.5, "last_epoch": -1}
    assert arguments_of(get_cosine_with_hard_restarts_schedule_with_warmup) == {
        **steps,
        "num_cycles": 1,
        "last_epoch": -1,
    }
    assert arguments_of(get_polynomial_decay_schedule_with_warmup) == {
        **steps,
        "lr_end": 1e-7,
        "power": 1.0,
        "last_epoch": -1,
    }
    assert list(arguments_of(get_scheduler)) == ["name", *steps]


def test_every_type_has_its_function():
    assert {kind.value: function for kind, function in TYPE_TO_SCHEDULER_FUNCTION.items()} == {
        "linear": get_linear_schedule_with_warmup,
        "cosine": get_cosine_schedule_with_warmup,
        "cosine_with_restarts": get_cosine_with_hard_restarts_schedule_with_warmup,
        "polynomial": get_polynomial_decay_schedule_with_warmup,
        "constant": get_constant_schedule,
        "constant_with_warmup": get_constant_schedule_with_warmup,
    }
    assert set(TYPE_TO_SCHEDULER_FUNCTION) == set(SchedulerType)


@pytest.mark.parametrize("kind", SchedulerType)
def test_get_scheduler_takes_a_name_or_a_type(kind):
    by_name = advance(get_scheduler(kind.value, optimizer(), 3, 10), 10)
    assert by_name == advance(get_scheduler(kind, optimizer(), 3, 10), 10)
    assert len(set(by_name)) > 1 or kind is SchedulerType.CONSTANT


def test_constant_needs_no_step_counts_and_warm_up_alone_needs_no_total():
    assert advance(get_scheduler("constant", optimizer()), 3) == [0.1, 0.1, 0.1]
    assert advance(get_scheduler("constant_with_warmup", optimizer(), 2), 4) == [0.0, 0.05, 0.1, 0.1]


def test_each_group_keeps_its_own_rate():
    groups = [{"params": [torch.nn.Parameter(torch.ones(1))], "lr": lr} for lr in (0.1, 0.4)]
    both = AdamW(groups)
    scheduler = get_linear_schedule_with_warmup(both, 2, 4)
    both.step()
    scheduler.step()
    assert scheduler.get_last_lr() == [0.05, 0.2]


def test_polynomial_decay_divides_by_the_optimizer_s_default_rate_not_the_group_s():
    groups = [{"params": [torch.nn.Parameter(torch.ones(1))], "lr": 0.4}]
    scheduler = get_polynomial_decay_schedule_with_warmup(AdamW(groups, lr=0.1), 0, 2, lr_end=0.01)
    advance(scheduler, 3)
    assert scheduler.get_last_lr() == [pytest.approx(0.4 * 0.01 / 0.1)]


@pytest.mark.parametrize("kind", SchedulerType)
def test_a_pickled_scheduler_goes_on_as_the_original(kind):
    scheduler = get_scheduler(kind, optimizer(), 4, 12)
    advance(scheduler, 6)
    twin = pickle.loads(pickle.dumps(scheduler))
    assert advance(twin, 8) == advance(scheduler, 8)


@pytest.mark.parametrize("kind", SchedulerType)
def test_a_saved_scheduler_goes_on_in_a_new_process_s_objects(kind):
    whole = advance(get_scheduler(kind, optimizer(), 4, 12), 14)
    first = get_scheduler(kind, optimizer(), 4, 12)
    seen = advance(first, 5)
    file = io.BytesIO()
    torch.save((first.optimizer.state_dict(), first.state_dict()), file)
    file.seek(0)
    optimizer_state, scheduler_state = torch.load(file, weights_only=True)
    second = get_scheduler(kind, optimizer(), 4, 12)
    second.optimizer.load_state_dict(optimizer_state)
    second.load_state_dict(scheduler_state)
    assert seen + advance(second, 9) == whole


def test_a_state_with_nothing_about_the_function_loads_as_the_reference_s_does():
    scheduler = get_linear_schedule_with_warmup(optimizer(), 4, 12)
    advance(scheduler, 5)
    saved = copy.deepcopy(scheduler.state_dict())
    saved["lr_lambdas"] = [None]  # what LambdaLR saves for a local function
    resumed = get_linear_schedule_with_warmup(optimizer(), 4, 12)
    resumed.load_state_dict(saved)
    resumed.optimizer.load_state_dict(scheduler.optimizer.state_dict())
    assert advance(resumed, 5) == advance(scheduler, 5)


def test_the_saved_state_says_nothing_about_the_function():
    assert get_linear_schedule_with_warmup(optimizer(), 4, 12).state_dict()["lr_lambdas"] == [{}]


def test_last_epoch_resumes_where_it_says():
    resumed = optimizer()
    resumed.param_groups[0]["initial_lr"] = 0.1
    scheduler = get_linear_schedule_with_warmup(resumed, 0, 10, last_epoch=4)
    assert scheduler.get_last_lr() == [pytest.approx(0.05)]
