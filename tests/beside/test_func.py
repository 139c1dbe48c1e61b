"""torch.func: a gradient for each example."""

from __future__ import annotations

import torch

from tests.beside.page import run


def test_each_gradient_is_the_one_that_the_example_has_alone() -> None:
    names = run("torch.func")
    for number in range(2):
        names["model"].zero_grad()
        names["model"](**{name: column[number : number + 1] for name, column in names["rows"].items()}).loss.backward()
        for name, parameter in names["model"].named_parameters():
            torch.testing.assert_close(names["gradients"][name][number], parameter.grad, atol=1e-5, rtol=1e-4)
