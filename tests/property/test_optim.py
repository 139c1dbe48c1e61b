"""Laws of the optimizer: every path gives the definition's bits, and saving in the middle changes nothing."""

import copy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from minibert.fast import adamw as fast_adamw
from minibert.optim import AdamL2, AdamW

SHAPES = st.lists(st.sampled_from([1, 2, 5, 16, 33]), max_size=2).map(tuple)
TYPES = st.sampled_from([torch.float32, torch.float32, torch.float64, torch.bfloat16, torch.float16])


@st.composite
def problems(draw) -> dict:
    """Groups of parameters with values of their own, and for each step which gradients are missing."""
    betas = st.tuples(st.sampled_from([0.0, 0.5, 0.9]), st.sampled_from([0.0, 0.98, 0.999]))
    values = {
        "lr": st.sampled_from([0.0, 1e-4, 0.1]),
        "betas": betas,
        "eps": st.sampled_from([1e-8, 1e-6, 0.1]),
        "weight_decay": st.sampled_from([0.0, 0.01, 0.3]),
        "correct_bias": st.booleans(),
    }
    groups = draw(
        st.lists(
            st.tuples(
                st.lists(st.tuples(SHAPES, TYPES, st.booleans()), min_size=1, max_size=3),
                st.fixed_dictionaries({}, optional=values),
            ),
            min_size=1,
            max_size=3,
        )
    )
    parameters = sum(len(members) for members, _ in groups)
    given_at = st.lists(st.booleans(), min_size=parameters, max_size=parameters)
    return {
        "seed": draw(st.integers(0, 2**16)),
        "groups": groups,
        "defaults": draw(st.fixed_dictionaries(values)),
        "given": draw(st.lists(given_at, min_size=1, max_size=12)),
    }


def build_groups(problem: dict) -> list[dict]:
    noise = torch.Generator().manual_seed(problem["seed"])
    groups = []
    for members, values in problem["groups"]:
        params = []
        for shape, dtype, transposed in members:
            value = torch.randn(shape, generator=noise).to(dtype)
            params.append(torch.nn.Parameter(value.t() if transposed and value.dim() == 2 else value))
        groups.append({"params": params, **values})
    return groups


def solve(
    problem: dict, kind=AdamW, reload_after: int | None = None, implementation: str = "plain"
) -> list[torch.Tensor]:
    """Run a problem and return every parameter and every average."""
    groups = build_groups(problem)
    params = [param for group in groups for param in group["params"]]
    noise = torch.Generator().manual_seed(problem["seed"] + 1)
    optimizer = kind(groups, **problem["defaults"], implementation=implementation)
    for step, given_now in enumerate(problem["given"]):
        for param, is_given in zip(params, given_now, strict=True):
            gradient = torch.randn(param.shape, generator=noise).to(param.dtype)
            param.grad = gradient if is_given else None
        optimizer.step()
        if step == reload_after:
            state = copy.deepcopy(optimizer.state_dict())
            optimizer = kind(groups, **problem["defaults"], implementation=implementation)
            optimizer.load_state_dict(state)
    averages = [state[key] for state in optimizer.state.values() for key in ("exp_avg", "exp_avg_sq")]
    return [param.detach() for param in params] + averages


def assert_same_bits(ours: list[torch.Tensor], theirs: list[torch.Tensor]) -> None:
    assert len(ours) == len(theirs)
    for a, b in zip(ours, theirs, strict=True):
        assert a.dtype == b.dtype
        assert torch.equal(bits(a), bits(b))


def bits(tensor: torch.Tensor) -> torch.Tensor:
    """As bytes, so that NaN (in float16, 0 / 0 is within reach) equals itself and −0 does not equal 0."""
    return tensor.reshape(-1).view(torch.uint8)


@pytest.mark.parametrize("kind", [AdamW, AdamL2])
@pytest.mark.parametrize("implementation", ["blocked", "blocks", "foreach", "auto"])
@settings(max_examples=40, deadline=None)
@given(problem=problems(), block=st.sampled_from([1, 7, 16, 64, 1000]))
def test_every_path_gives_the_bits_of_the_plain_loop(implementation, kind, problem, block):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fast_adamw, "BLOCK", block)
        fast = solve(problem, kind, implementation=implementation)
    assert_same_bits(fast, solve(problem, kind, implementation="plain"))


@settings(max_examples=40, deadline=None)
@given(problem=problems())
def test_one_pass_comes_to_the_plain_loop_up_to_rounding(problem):
    fused, plain = (solve(problem, implementation=name) for name in ("fused", "plain"))
    for ours, exact in zip(fused, plain, strict=True):
        assert ours.dtype == exact.dtype
        torch.testing.assert_close(ours, exact, rtol=1e-4, atol=1e-5, equal_nan=True)


@settings(max_examples=15, deadline=None)
@given(
    elements=st.integers(fast_adamw.BLOCK - 40, 2 * fast_adamw.BLOCK + 40),
    seed=st.integers(0, 2**16),
    decay=st.sampled_from([0.0, 0.1]),
)
def test_blocks_of_the_real_size_give_the_bits_of_the_plain_loop(elements, seed, decay):
    problem = {
        "seed": seed,
        "groups": [([((elements,), torch.float32, False)], {"weight_decay": decay})],
        "defaults": {},
        "given": [[True]] * 3,
    }
    assert_same_bits(solve(problem, implementation="blocked"), solve(problem, implementation="plain"))


@settings(max_examples=60, deadline=None)
@given(problem=problems(), data=st.data())
def test_saving_and_loading_in_the_middle_changes_nothing(problem, data):
    at = data.draw(st.integers(0, len(problem["given"]) - 1))
    assert_same_bits(solve(problem, reload_after=at), solve(problem))


@settings(max_examples=40, deadline=None)
@given(problem=problems())
def test_one_group_or_a_group_for_each_parameter_is_the_same(problem):
    apart = {**problem, "groups": [([member], values) for members, values in problem["groups"] for member in members]}
    assert_same_bits(solve(apart), solve(problem))


@settings(max_examples=40, deadline=None)
@given(problem=problems(), scale=st.sampled_from([2.0**-8, 0.5, 4.0, 2.0**10]))
def test_without_eps_the_update_does_not_depend_on_the_scale_of_the_gradient(problem, scale):
    def run(factor: float) -> torch.Tensor:
        noise = torch.Generator().manual_seed(problem["seed"])
        param = torch.nn.Parameter(torch.ones(8, dtype=torch.float64))
        optimizer = AdamW([param], **{**problem["defaults"], "eps": 0.0})
        for _ in range(5):
            param.grad = torch.randn(8, generator=noise, dtype=torch.float64) * factor
            optimizer.step()
        return param.detach()

    torch.testing.assert_close(run(scale), run(1.0), rtol=1e-12, atol=1e-12)
