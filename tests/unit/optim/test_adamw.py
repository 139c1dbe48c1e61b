"""AdamW against its own equations, and against torch.optim.AdamW where the two differ; and which code runs."""

import copy
import inspect
import io
import math
import pickle
from pathlib import Path

import pytest
import torch

from minibert.fast.adamw import UPDATES
from minibert.optim import AdamW
from tests.forks import printed_by


def parameter(*values: float) -> torch.nn.Parameter:
    return torch.nn.Parameter(torch.tensor(values, dtype=torch.float64))


def step_with(optimizer: torch.optim.Optimizer, *gradients: list[float]) -> None:
    """One step for each gradient, on the optimizer's first parameter."""
    param = optimizer.param_groups[0]["params"][0]
    for gradient in gradients:
        param.grad = torch.tensor(gradient, dtype=param.dtype)
        optimizer.step()


def by_hand(theta, gradients, lr, beta1, beta2, eps, decay, correct_bias):
    """The equations for one number, in Python's own arithmetic."""
    m = v = 0.0
    for t, g in enumerate(gradients, start=1):
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g * g
        size = lr * math.sqrt(1 - beta2**t) / (1 - beta1**t) if correct_bias else lr
        theta -= size * m / (math.sqrt(v) + eps)
        theta -= lr * decay * theta
    return theta


@pytest.mark.parametrize("correct_bias", [True, False])
@pytest.mark.parametrize("implementation", ["plain", *UPDATES])
def test_three_steps_follow_the_equations(implementation, correct_bias):
    param, gradients = parameter(0.7), [0.3, -2.0, 0.05]
    optimizer = AdamW([param], 0.1, (0.8, 0.95), 1e-3, 0.2, correct_bias, implementation=implementation)
    step_with(optimizer, *[[g] for g in gradients])
    expected = by_hand(0.7, gradients, 0.1, 0.8, 0.95, 1e-3, 0.2, correct_bias)
    assert param.item() == pytest.approx(expected, rel=1e-13)


def test_signature_and_defaults_are_the_reference_s():
    arguments = list(inspect.signature(AdamW.__init__).parameters.values())[1:7]
    assert [(a.name, a.default) for a in arguments] == [
        ("params", inspect.Parameter.empty),
        ("lr", 1e-3),
        ("betas", (0.9, 0.999)),
        ("eps", 1e-6),
        ("weight_decay", 0.0),
        ("correct_bias", True),
    ]


def test_state_holds_an_integer_step_and_two_averages():
    param = parameter(1.0, 2.0)
    optimizer = AdamW([param])
    step_with(optimizer, [1.0, -1.0], [1.0, -1.0])
    state = optimizer.state_dict()["state"][0]
    assert list(state) == ["step", "exp_avg", "exp_avg_sq"]
    assert state["step"] == 2
    assert isinstance(state["step"], int)


def test_state_dict_groups_hold_only_the_reference_s_keys():
    group = AdamW([parameter(1.0)], implementation="plain").state_dict()["param_groups"][0]
    assert set(group) == {"params", "lr", "betas", "eps", "weight_decay", "correct_bias"}


def test_a_parameter_without_gradient_is_left_alone_and_has_no_state():
    idle, busy = parameter(1.0), parameter(1.0)
    optimizer = AdamW([idle, busy], weight_decay=0.5)
    busy.grad = torch.ones_like(busy)
    optimizer.step()
    assert idle.item() == 1.0
    assert idle not in optimizer.state
    assert busy.item() != 1.0


def test_a_parameter_whose_gradient_comes_late_counts_its_own_steps():
    early, late = parameter(1.0), parameter(1.0)
    optimizer = AdamW([early, late], lr=0.1)
    early.grad = torch.ones_like(early)
    optimizer.step()
    first_update = early.item()
    late.grad = torch.ones_like(late)
    optimizer.step()
    assert late.item() == first_update
    assert optimizer.state[early]["step"] == 2
    assert optimizer.state[late]["step"] == 1


def test_a_group_s_own_values_win_over_the_defaults():
    fast, slow = parameter(1.0), parameter(1.0)
    optimizer = AdamW([{"params": [fast], "lr": 0.1}, {"params": [slow]}], lr=0.01)
    for param in (fast, slow):
        param.grad = torch.ones_like(param)
    optimizer.step()
    assert 1 - fast.item() == pytest.approx(10 * (1 - slow.item()))


def test_a_group_decays_at_its_own_rate():
    param = parameter(1.0)
    optimizer = AdamW([{"params": [param], "lr": 0.1}], lr=0.9, weight_decay=0.5)
    step_with(optimizer, [0.0])
    assert param.item() == pytest.approx(1 - 0.1 * 0.5, rel=1e-12)


def test_weight_decay_takes_the_same_share_whatever_the_gradient_s_scale():
    small, large = parameter(2.0), parameter(2.0)
    optimizer = AdamW([small, large], lr=0.1, weight_decay=0.5, eps=0.0)
    small.grad, large.grad = torch.full_like(small, 1e-4), torch.full_like(large, 1e4)
    optimizer.step()
    assert small.item() == pytest.approx(large.item(), rel=1e-12)
    assert small.item() == pytest.approx((2.0 - 0.1) * (1 - 0.1 * 0.5), rel=1e-12)


def test_a_closure_runs_with_gradients_enabled_and_its_loss_is_returned():
    param = parameter(3.0)
    optimizer = AdamW([param], lr=0.1)

    def closure():
        optimizer.zero_grad()
        loss = (param**2).sum()
        loss.backward()
        return loss

    with torch.no_grad():
        assert optimizer.step(closure).item() == 9.0
    assert param.item() < 3.0
    assert AdamW([parameter(1.0)]).step() is None


def test_a_step_between_forward_and_backward_is_noticed():
    param = parameter(1.0)
    optimizer = AdamW([param])
    loss = (param**2).sum()
    param.grad = torch.ones_like(param)
    optimizer.step()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda both: pickle.loads(pickle.dumps(both))])
def test_a_copied_or_pickled_optimizer_goes_on_as_the_original(duplicate):
    param = parameter(1.0, -1.0)
    optimizer = AdamW([param], lr=0.1, weight_decay=0.1, implementation="plain")
    step_with(optimizer, [0.5, 2.0])
    twin = duplicate(optimizer)
    for each in (optimizer, twin):
        step_with(each, [1.0, -3.0])
    assert torch.equal(twin.param_groups[0]["params"][0], param)
    assert twin.implementation == "plain"


def test_a_state_survives_torch_save_with_weights_only():
    param = parameter(1.0, -1.0)
    optimizer = AdamW([param], lr=0.1)
    step_with(optimizer, [0.5, 2.0])
    file = io.BytesIO()
    torch.save(optimizer.state_dict(), file)
    file.seek(0)
    copied = torch.nn.Parameter(param.detach().clone())
    resumed = AdamW([copied])
    resumed.load_state_dict(torch.load(file, weights_only=True))
    for each in (optimizer, resumed):
        step_with(each, [-1.0, 1.0])
    assert torch.equal(copied, param)


@pytest.mark.seconds
def test_by_default_the_update_that_the_docs_show_runs_and_nothing_of_fast(tmp_path: Path) -> None:
    program = """
import os, sys
import torch
import minibert
from minibert import AdamW

entered = []
def note(frame, event, _):
    if frame.f_code.co_filename.startswith(os.path.dirname(minibert.__file__)):
        entered.append(frame.f_code.co_name)

params = [torch.nn.Parameter(torch.ones(2)) for _ in range(2)]
optimizer = AdamW(params)
for param in params:
    param.grad = torch.ones(2)
sys.settrace(note)
optimizer.step()
sys.settrace(None)
print(*entered)
print(*(name for name in sys.modules if name.startswith("minibert.fast")))
"""
    entered, fast = printed_by(program, tmp_path).split("\n")[:2]
    assert entered.split().count("plain_update") == 1
    assert entered.split()[0] == "step"
    assert len(entered.split()) <= 14  # step, its check, and for each parameter: advance, two shards, step size
    assert fast == ""


# How it differs from torch.optim.AdamW: three ways in the arithmetic, two in the defaults. One test measures each.


def one_step(kind, **values) -> float:
    param = parameter(1.0)
    step_with(kind([param], lr=0.1, **values), [0.5])
    return param.item()


def test_without_eps_and_decay_both_libraries_agree():
    ours, torchs = parameter(1.0, -2.0), parameter(1.0, -2.0)
    gradients = [[0.5, 3.0], [-1.0, 0.2], [0.1, 0.1]]
    step_with(AdamW([ours], lr=0.1, eps=0.0), *gradients)
    step_with(torch.optim.AdamW([torchs], lr=0.1, eps=0.0, weight_decay=0.0), *gradients)
    torch.testing.assert_close(ours, torchs, rtol=1e-12, atol=0.0)


def test_eps_is_added_before_the_bias_correction_where_pytorch_adds_it_after():
    eps, root_of_v = 0.01, math.sqrt(0.001) * 0.5  # after one step v = (1 − β₂) g²; the corrected root is |g| = 0.5
    ours = 1 - one_step(AdamW, eps=eps)
    torchs = 1 - one_step(torch.optim.AdamW, eps=eps, weight_decay=0.0)
    assert ours == pytest.approx(0.1 * root_of_v / (root_of_v + eps), rel=1e-12)
    assert torchs == pytest.approx(0.1 * 0.5 / (0.5 + eps), rel=1e-12)
    assert ours < 0.65 * torchs  # early on the same eps brakes far harder here


def test_decay_comes_after_the_update_where_pytorch_decays_before_it():
    ours = one_step(AdamW, eps=0.0, weight_decay=0.5)
    torchs = one_step(torch.optim.AdamW, eps=0.0, weight_decay=0.5)
    assert ours == pytest.approx((1 - 0.1) * (1 - 0.1 * 0.5), rel=1e-12)
    assert torchs == pytest.approx(1 * (1 - 0.1 * 0.5) - 0.1, rel=1e-12)
    assert ours - torchs == pytest.approx(0.1 * 0.1 * 0.5, rel=1e-9)  # lr² λ


def test_without_bias_correction_the_first_step_is_larger_and_pytorch_has_no_such_switch():
    corrected = 1 - one_step(AdamW, eps=0.0)
    uncorrected = 1 - one_step(AdamW, eps=0.0, correct_bias=False)
    assert uncorrected / corrected == pytest.approx((1 - 0.9) / math.sqrt(1 - 0.999), rel=1e-9)  # 3.16
    assert "correct_bias" not in inspect.signature(torch.optim.AdamW.__init__).parameters


def test_default_eps_and_decay_are_not_pytorch_s():
    ours, torchs = AdamW([parameter(1.0)]).defaults, torch.optim.AdamW([parameter(1.0)]).defaults
    assert (ours["eps"], ours["weight_decay"]) == (1e-6, 0.0)
    assert (torchs["eps"], torchs["weight_decay"]) == (1e-8, 0.01)


class Shard(torch.nn.Parameter):
    """What a distributed tensor is to an optimizer: it gives this process's shard."""

    def to_local(self) -> torch.Tensor:
        return self.view(-1)[:1]


def test_of_a_distributed_tensor_the_shard_of_this_process_is_updated():
    whole, plain = Shard(torch.tensor([1.0, 2.0])), torch.nn.Parameter(torch.tensor([1.0]))
    gradient = Shard(torch.tensor([0.5, 0.25]))
    optimizer = AdamW([whole], lr=0.1)
    whole.grad, plain.grad = gradient, torch.tensor([0.5])
    optimizer.step()
    AdamW([plain], lr=0.1).step()
    assert whole.data.tolist() == [plain.item(), 2.0]
    assert optimizer.state[whole]["exp_avg"].shape == (1,)
