"""L2 penalty and weight decay: the same for SGD, not for Adam."""

import pytest
import torch

from minibert.optim import AdamL2, AdamW

LR, PENALTY = 0.1, 0.3


def weights() -> torch.nn.Parameter:
    return torch.nn.Parameter(torch.tensor([1.0, -2.0, 3.0], dtype=torch.float64))


def run(optimizer: torch.optim.Optimizer, gradients: torch.Tensor) -> torch.Tensor:
    param = optimizer.param_groups[0]["params"][0]
    for gradient in gradients:
        param.grad = gradient.clone()
        optimizer.step()
    return param.detach()


@pytest.fixture
def gradients() -> torch.Tensor:
    return torch.randn(20, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def test_for_sgd_an_l2_penalty_is_weight_decay(gradients):
    with_penalty = run(torch.optim.SGD([weights()], lr=LR, weight_decay=PENALTY), gradients)
    decayed = weights().detach()
    for gradient in gradients:
        decayed = decayed - LR * gradient - LR * PENALTY * decayed
    torch.testing.assert_close(with_penalty, decayed, rtol=1e-12, atol=1e-12)


def test_for_adam_an_l2_penalty_is_not_weight_decay(gradients):
    with_penalty = run(AdamL2([weights()], lr=LR, weight_decay=PENALTY), gradients)
    decayed = run(AdamW([weights()], lr=LR, weight_decay=PENALTY), gradients)
    assert (with_penalty - decayed).abs().max() > 0.1


def test_the_penalty_is_added_to_the_gradient(gradients):
    with_penalty = run(AdamL2([weights()], lr=LR, weight_decay=PENALTY), gradients)
    by_hand = weights()
    optimizer = AdamW([by_hand], lr=LR)
    for gradient in gradients:
        by_hand.grad = gradient + PENALTY * by_hand.detach()
        optimizer.step()
    torch.testing.assert_close(with_penalty, by_hand.detach(), rtol=1e-9, atol=1e-9)


def test_a_weight_with_large_gradients_is_decayed_less_by_l2_and_alike_by_adamw():
    alternating = torch.tensor([[0.01, 10.0], [-0.01, -10.0]], dtype=torch.float64).repeat(100, 1)

    def shrunk(kind) -> torch.Tensor:
        param = torch.nn.Parameter(torch.ones(2, dtype=torch.float64))
        return run(kind([param], lr=1e-3, weight_decay=0.1), alternating)

    small, large = shrunk(AdamL2)
    assert small < large - 0.05
    small, large = shrunk(AdamW)
    assert small == pytest.approx(large.item(), abs=1e-3)


def test_without_penalty_it_is_adamw_to_the_bit(gradients):
    assert torch.equal(run(AdamL2([weights()], lr=LR), gradients), run(AdamW([weights()], lr=LR), gradients))


def test_the_gradient_itself_is_not_changed():
    param = weights()
    param.grad = torch.ones_like(param)
    AdamL2([param], weight_decay=PENALTY).step()
    assert torch.equal(param.grad, torch.ones_like(param))
