"""Bad input to the optimizer, the groups and the schedules: refused with one clear message, before anything changes."""

import math

import pytest
import torch
from torch import nn

from minibert.optim import (
    AdamL2,
    AdamW,
    SchedulerType,
    get_constant_schedule_with_warmup,
    get_cosine_schedule_with_warmup,
    get_cosine_with_hard_restarts_schedule_with_warmup,
    get_linear_schedule_with_warmup,
    get_polynomial_decay_schedule_with_warmup,
    get_scheduler,
    layerwise_groups,
    no_decay_groups,
)


def parameter() -> nn.Parameter:
    return nn.Parameter(torch.ones(2))


BAD_VALUES = [
    ({"lr": -1.0}, r"lr must be at least 0, but .* has lr=-1\.0"),
    ({"lr": math.nan}, "lr must be at least 0, but .* has lr=nan"),
    ({"eps": -1e-8}, "eps must be at least 0, but .* has eps=-1e-08"),
    ({"weight_decay": -0.1}, r"weight_decay must be at least 0, but .* has weight_decay=-0\.1"),
    (
        {"betas": (1.0, 0.999)},
        r"betas must be two numbers, each at least 0 and less than 1, but .* has betas=\(1\.0, 0\.999\)",
    ),
    ({"betas": (0.9, 1.0)}, "betas must be two numbers"),
    ({"betas": (-0.1, 0.9)}, "betas must be two numbers"),
    ({"betas": (0.9, math.nan)}, "betas must be two numbers"),
    ({"betas": (0.9,)}, "betas must be two numbers"),
]


@pytest.mark.parametrize("kind", [AdamW, AdamL2])
@pytest.mark.parametrize(("values", "message"), BAD_VALUES)
def test_a_value_outside_its_range_is_refused(kind, values, message):
    with pytest.raises(ValueError, match=message) as refusal:
        kind([parameter()], **values)
    assert " but the optimizer's defaults has " in str(refusal.value)


@pytest.mark.parametrize(("values", "message"), BAD_VALUES)
def test_a_value_outside_its_range_in_a_group_names_the_group(values, message):
    with pytest.raises(ValueError, match=message) as refusal:
        AdamW([{"params": [parameter()]}, {"params": [parameter()], **values}])
    assert "parameter group 1" in str(refusal.value)


def test_a_refused_group_is_not_added():
    optimizer = AdamW([parameter()])
    with pytest.raises(ValueError, match="lr must be at least 0"):
        optimizer.add_param_group({"params": [parameter()], "lr": -1.0})
    assert len(optimizer.param_groups) == 1


def test_the_edges_of_the_ranges_are_allowed():
    AdamW([parameter()], lr=0.0, betas=(0.0, 0.0), eps=0.0, weight_decay=0.0)


def test_an_unknown_implementation_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match="'plain', 'blocked', 'fused'"):
        AdamW([parameter()], implementation="apex")


def test_no_parameters_is_refused():
    with pytest.raises(ValueError, match="empty parameter list"):
        AdamW([])


@pytest.mark.parametrize("implementation", ["plain", "blocked", "fused", "blocks", "foreach", "auto"])
def test_a_sparse_gradient_is_refused_before_any_parameter_changes(implementation):
    dense, embedding = parameter(), nn.Embedding(4, 2, sparse=True)
    optimizer = AdamW([{"params": [dense]}, {"params": [embedding.weight]}], implementation=implementation)
    dense.grad = torch.ones(2)
    embedding(torch.tensor([1])).sum().backward()
    before = embedding.weight.detach().clone()
    with pytest.raises(RuntimeError, match=r"parameter 0 of group 1 \(shape \(4, 2\)\).*sparse=False.*SparseAdam"):
        optimizer.step()
    assert torch.equal(dense, torch.ones(2))
    assert torch.equal(embedding.weight, before)
    assert not optimizer.state


def test_another_optimizer_s_state_is_refused_and_changes_nothing():
    param = parameter()
    other = torch.optim.AdamW([param])
    param.grad = torch.ones(2)
    other.step()
    optimizer = AdamW([param], lr=0.5)
    with pytest.raises(ValueError, match="Group 0 of the loaded state has no 'correct_bias'"):
        optimizer.load_state_dict(other.state_dict())
    assert optimizer.param_groups[0]["lr"] == 0.5
    assert not optimizer.state


# Groups


def test_one_string_for_no_decay_is_refused():
    with pytest.raises(ValueError, match=r"write \('bias',\)"):
        no_decay_groups(nn.Linear(2, 2), no_decay="bias")


def test_a_model_with_nothing_to_train_is_refused():
    with pytest.raises(ValueError, match="Linear has no parameter with requires_grad=True"):
        no_decay_groups(nn.Linear(2, 2).requires_grad_(False))


def test_a_model_without_parameters_is_refused():
    with pytest.raises(ValueError, match="Tanh has no parameter"):
        no_decay_groups(nn.Tanh())


@pytest.mark.parametrize("layer_decay", [0.0, -0.5, 1.1, math.nan])
def test_a_layer_decay_outside_its_range_is_refused(layer_decay):
    with pytest.raises(ValueError, match=f"layer_decay must be above 0 and at most 1, but it is {layer_decay}"):
        layerwise_groups(nn.Linear(2, 2), lr=0.1, layer_decay=layer_decay)


def test_a_model_without_layers_is_refused_by_layerwise_groups():
    with pytest.raises(ValueError, match=r"No parameter name of Linear contains 'encoder\.layer\.N'.*no_decay_groups"):
        layerwise_groups(nn.Linear(2, 2), lr=0.1)


# Schedules


def test_an_unknown_schedule_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match="'quadratic' is not a schedule; choose one of 'linear', 'cosine'"):
        get_scheduler("quadratic", AdamW([parameter()]), 1, 2)


@pytest.mark.parametrize("kind", sorted(set(SchedulerType) - {SchedulerType.CONSTANT}))
def test_a_missing_warm_up_count_is_refused(kind):
    with pytest.raises(ValueError, match=f"The '{kind.value}' schedule needs num_warmup_steps"):
        get_scheduler(kind, AdamW([parameter()]), None, 10)


@pytest.mark.parametrize(
    "kind", sorted(set(SchedulerType) - {SchedulerType.CONSTANT, SchedulerType.CONSTANT_WITH_WARMUP})
)
def test_a_missing_total_is_refused(kind):
    with pytest.raises(ValueError, match=f"The '{kind.value}' schedule needs num_training_steps"):
        get_scheduler(kind, AdamW([parameter()]), 1)


@pytest.mark.parametrize("lr_end", [0.1, 0.2, math.nan])
def test_an_end_rate_not_below_the_rate_is_refused(lr_end):
    with pytest.raises(
        ValueError, match=rf"lr_end={lr_end} must be smaller than .* default learning rate, which is 0\.1"
    ):
        get_polynomial_decay_schedule_with_warmup(AdamW([parameter()], lr=0.1), 1, 10, lr_end=lr_end)


@pytest.mark.parametrize(
    "get",
    [
        get_linear_schedule_with_warmup,
        get_cosine_schedule_with_warmup,
        get_cosine_with_hard_restarts_schedule_with_warmup,
        get_polynomial_decay_schedule_with_warmup,
    ],
)
def test_a_negative_number_of_steps_is_refused(get):
    with pytest.raises(ValueError, match="num_warmup_steps must be at least 0, but it is -1"):
        get(AdamW([parameter()]), -1, 10)
    with pytest.raises(ValueError, match="num_training_steps must be at least 0, but it is -10"):
        get(AdamW([parameter()]), 1, -10)


def test_a_negative_warm_up_alone_is_refused():
    with pytest.raises(ValueError, match="num_warmup_steps must be at least 0, but it is -1"):
        get_constant_schedule_with_warmup(AdamW([parameter()]), -1)
