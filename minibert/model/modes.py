"""Evaluation mode for a while: no dropout, and afterwards every module as it was. No reference class: ours."""

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn


@contextmanager
def evaluation_mode(model: nn.Module, training: bool = False) -> Iterator[None]:
    """Dropout is off in the block (training: on); afterwards every module is in the mode it was in.

    `model.train(model.training)` would lose the mode of a part that differs, such as a frozen body in evaluation mode.
    """
    modes = [(module, module.training) for module in model.modules()]
    model.train(training)
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode
