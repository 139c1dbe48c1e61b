"""AdamW: Adam whose weight decay shrinks the weights directly, instead of being mixed into the gradient.

The arithmetic is in `update.py`; this file keeps the running averages and feeds them to it.

Source: Loshchilov & Hutter 2019, "Decoupled weight decay regularization". Reference class: `transformers.AdamW` (4.12.5).
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer
from torch.optim.optimizer import ParamsT

from .fast_update import automatic_update, blocked_update, foreach_update, fused_update
from .update import PendingUpdate, plain_update, step_size

IMPLEMENTATIONS = {
    "auto": automatic_update,  # blocks on a CPU, foreach on a GPU
    "plain": plain_update,  # the definition: choose this one to step through
    "blocks": blocked_update,
    "foreach": foreach_update,
    "fused": fused_update,  # one pass; other last digits
}


class AdamW(Optimizer):
    """Adam with decoupled weight decay.

    params: the parameters, or groups of them (see `no_decay_groups`); a group may set any of the values below for itself.
    lr: learning rate, at least 0.
    betas: how much of the running mean of g, and of g², is kept at each step; each in [0, 1).
    eps: keeps the division finite, at least 0. It is added before the bias correction (see `update.py`).
    weight_decay: λ, at least 0. After each update a weight loses lr · λ of itself.
    correct_bias: False leaves out the bias correction, as original BERT does.
    implementation: "auto", "plain", "blocks" and "foreach" give the same bits; "plain" is the one to read. "fused", PyTorch's
        own kernel, computes the same equations in one pass, with other last digits.

    The state of a parameter is `step` (an int), `exp_avg` (m) and `exp_avg_sq` (v), as in the reference: `state_dict()`
    loads there, and the reference's loads here.

    Raises ValueError for a value outside its range, in the defaults or in any group, and for an unknown implementation.
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-6,
        weight_decay: float = 0.0,
        correct_bias: bool = True,
        *,
        implementation: str = "auto",
    ) -> None:
        if implementation not in IMPLEMENTATIONS:
            known = ", ".join(repr(name) for name in IMPLEMENTATIONS)
            raise ValueError(f"implementation is {implementation!r}; choose one of {known}.")
        self.implementation = implementation
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "correct_bias": correct_bias,
        }
        check_hyper_parameters(defaults, "the optimizer's defaults")
        super().__init__(params, defaults)

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a group of parameters. What the group does not set, it takes from the defaults."""
        check_hyper_parameters({**self.defaults, **param_group}, f"parameter group {len(self.param_groups)}")
        super().add_param_group(param_group)

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update every parameter that has a gradient. `closure` recomputes the loss first; its value is returned.

        Raises RuntimeError, before anything is changed, if a gradient is sparse.
        """
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()

        self._refuse_sparse_gradients()
        for group in self.param_groups:
            pending = [self._advance(param, group) for param in group["params"] if param.grad is not None]
            self._update(pending, group)
        return loss

    def _refuse_sparse_gradients(self) -> None:
        for index, group in enumerate(self.param_groups):
            for place, param in enumerate(group["params"]):
                if param.grad is not None and param.grad.is_sparse:
                    raise RuntimeError(
                        f"{type(self).__name__} does not support sparse gradients, but parameter {place} of group {index} "
                        f"(shape {tuple(param.shape)}) has one. Make its embedding with sparse=False, or give it to "
                        "torch.optim.SparseAdam."
                    )

    def _advance(self, param: Tensor, group: dict[str, Any]) -> PendingUpdate:
        """Count one more step for a parameter and gather what its update needs. The averages start at 0."""
        assert param.grad is not None
        state = self.state[param]
        values, gradient = local(param), local(param.grad)
        if not state:
            state["step"] = 0
            state["exp_avg"] = torch.zeros_like(values)
            state["exp_avg_sq"] = torch.zeros_like(values)
        state["step"] += 1
        beta1, beta2 = group["betas"]
        size = step_size(group["lr"], beta1, beta2, state["step"], group["correct_bias"])
        return PendingUpdate(values, gradient, state["exp_avg"], state["exp_avg_sq"], size)

    def _update(self, pending: list[PendingUpdate], group: dict[str, Any]) -> None:
        beta1, beta2 = group["betas"]
        decay = group["lr"] * group["weight_decay"]
        IMPLEMENTATIONS[self.implementation](pending, beta1, beta2, group["eps"], decay)

    def __getstate__(self) -> dict[str, Any]:
        # PyTorch pickles and copies only what it knows of an optimizer.
        return {**super().__getstate__(), "implementation": self.implementation}

    def __setstate__(self, state: dict[str, Any]) -> None:
        # `load_state_dict` comes through here too, and takes over the saved groups whole.
        for index, group in enumerate(state["param_groups"]):
            if "correct_bias" not in group:
                raise ValueError(
                    f"Group {index} of the loaded state has no 'correct_bias': another kind of optimizer saved it. Load it "
                    "into that kind, or start with fresh running averages."
                )
        super().__setstate__(state)


def local(tensor: Tensor) -> Tensor:
    """This process's part of a tensor that several share (a DTensor): the update is element by element. Others as they are."""
    return tensor.to_local() if hasattr(tensor, "to_local") else tensor


def check_hyper_parameters(values: dict[str, Any], where: str) -> None:
    """Raise ValueError for a value outside its range. NaN is outside every range."""
    for name in ("lr", "eps", "weight_decay"):
        if not values[name] >= 0.0:
            raise ValueError(f"{name} must be at least 0, but {where} has {name}={values[name]}.")
    betas = values["betas"]
    if len(betas) != 2 or not all(0.0 <= beta < 1.0 for beta in betas):
        raise ValueError(f"betas must be two numbers, each at least 0 and less than 1, but {where} has betas={betas}.")
