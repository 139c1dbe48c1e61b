"""How the fast updates cut and gather. That they give the definition's bits is a law: tests/property/test_optim.py."""

import pytest
import torch

from minibert.fast import adamw as fast_adamw
from minibert.fast.adamw import BLOCK, blocked_update, cut_into_blocks, foreach_update, lost_beside
from minibert.optim import AdamW
from minibert.optim.adamw import PendingUpdate, plain_update


def pending(param: torch.Tensor) -> PendingUpdate:
    return PendingUpdate(param, torch.ones_like(param), torch.zeros_like(param), torch.zeros_like(param), 0.1)


@pytest.mark.parametrize(("elements", "sizes"), [(12, [5, 5, 2]), (10, [5, 5]), (5, [5]), (1, [1]), (0, [0])])
def test_blocks_cover_every_element_once_and_in_order(elements, sizes):
    param = torch.arange(float(elements))
    blocks = list(cut_into_blocks(pending(param), 5))
    assert [block.param.numel() for block in blocks] == sizes
    assert torch.equal(torch.cat([block.param for block in blocks]), param)


def test_blocks_are_views_of_the_parameter_and_its_averages():
    whole = pending(torch.zeros(3, 4))
    for block in cut_into_blocks(whole, 5):
        for tensor in block[:4]:
            tensor.fill_(7.0)
    assert all((tensor == 7.0).all() for tensor in whole[:4])


def test_a_parameter_that_is_not_contiguous_stays_whole():
    update = pending(torch.zeros(6, 5).t())
    assert list(cut_into_blocks(update, 4)) == [update]


def test_an_expanded_gradient_keeps_its_parameter_whole():
    update = pending(torch.zeros(20))._replace(grad=torch.ones(1).expand(20))
    assert list(cut_into_blocks(update, 4)) == [update]


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.complex64])
def test_types_whose_rounding_depends_on_the_cut_take_the_plain_path(dtype, monkeypatch):
    taken = []
    monkeypatch.setattr(fast_adamw, "plain_update", lambda updates, *_, **__: taken.extend(updates))
    update = pending(torch.zeros(20, dtype=dtype))
    blocked_update([update], 0.9, 0.99, 1e-6, 0.01)
    assert taken == [update]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("eps", [1e-6, 1e-8, 0.3, 1e-16, 0.0])
def test_the_denominator_of_a_vanishing_average_has_its_bits(dtype, eps):
    floor = lost_beside(eps, dtype)
    vanishing = torch.tensor([0.0, 1e-44, 1e-30, 1e-20, floor, floor / 3, floor * 2, floor * 1e4, 1.0], dtype=dtype)
    both = [pending(torch.ones_like(vanishing))._replace(exp_avg_sq=vanishing.clone()) for _ in range(2)]
    for work, update in zip(both, (plain_update, blocked_update), strict=True):
        update(
            [work._replace(grad=torch.zeros_like(vanishing), exp_avg=torch.ones_like(vanishing))],
            0.9,
            1.0 - 2**-9,
            eps,
            0.01,
        )
    assert torch.equal(both[0].param.view(torch.uint8), both[1].param.view(torch.uint8))  # NaN, where eps is 0, too
    assert not torch.equal(both[0].param, torch.ones_like(vanishing))


def test_what_is_lost_beside_eps_is_lost_and_little_more_is_not():
    for eps in (1e-6, 1e-8, 2.0**-20, 0.9999999e-3):
        root = lost_beside(eps, torch.float32) ** 0.5
        assert torch.tensor(root, dtype=torch.float32) + eps == torch.tensor(eps, dtype=torch.float32)
        assert torch.tensor(16 * root, dtype=torch.float32) + eps > torch.tensor(eps, dtype=torch.float32)


def test_a_block_s_working_set_is_ten_mebibytes():
    assert BLOCK * 4 * 5 == 10 * 2**20


def test_foreach_handles_several_types_and_step_sizes_at_once():
    types = [torch.float32, torch.bfloat16, torch.float32, torch.float64]
    noise = torch.Generator().manual_seed(0)
    values = [torch.randn(9, generator=noise).to(dtype) for dtype in types]
    both = []
    for update in (plain_update, foreach_update):
        work = [pending(value.clone())._replace(step_size=0.1 * (i + 1)) for i, value in enumerate(values)]
        update(work, 0.9, 0.99, 1e-6, 0.01)
        both.append(work)
    for ours, theirs in zip(*both, strict=True):
        assert all(torch.equal(a, b) for a, b in zip(ours[:4], theirs[:4], strict=True))


def test_blocked_takes_blocks_for_the_cpu_and_foreach_for_other_devices(monkeypatch):
    taken = {}
    monkeypatch.setattr(fast_adamw, "blocked_update", lambda work, *_, **__: taken.update(blocks=list(work)))
    monkeypatch.setattr(fast_adamw, "foreach_update", lambda work, *_, **__: taken.update(foreach=list(work)))
    here, elsewhere = pending(torch.zeros(2)), pending(torch.zeros(2, device="meta"))
    fast_adamw.automatic_update([here, elsewhere], 0.9, 0.99, 1e-6, 0.0)
    assert [work.param is here.param for work in taken["blocks"]] == [True]
    assert [work.param is elsewhere.param for work in taken["foreach"]] == [True]


def test_blocked_cuts_a_large_parameter(monkeypatch):
    seen = []
    monkeypatch.setattr(
        fast_adamw, "cut_into_blocks", lambda *how: [seen.append(b) or b for b in cut_into_blocks(*how)]
    )
    param = torch.nn.Parameter(torch.zeros(BLOCK + 3))
    param.grad = torch.ones_like(param)
    AdamW([param], implementation="blocked").step()
    assert [block.param.numel() for block in seen] == [BLOCK, 3]
    assert (param != 0).all()


def test_blocked_update_changes_what_plain_update_changes():
    noise = torch.Generator().manual_seed(1)
    value, gradient = torch.randn(2, BLOCK + 5, generator=noise)
    both = []
    for update in (plain_update, blocked_update):
        work = pending(value.clone())._replace(grad=gradient)
        update([work], 0.9, 0.999, 1e-6, 0.01)
        both.append(work)
    assert all(torch.equal(a, b) for a, b in zip(both[0][:4], both[1][:4], strict=True))


@pytest.mark.parametrize("name", ["auto", "blocks", "foreach"])
def test_earlier_spellings_are_still_understood(name):
    def two_steps(implementation):
        param = torch.nn.Parameter(torch.ones(5))
        optimizer = AdamW([param], implementation=implementation)
        for _ in range(2):
            param.grad = torch.arange(5.0)
            optimizer.step()
        return param

    assert torch.equal(two_steps(name), two_steps("blocked"))
