"""AdamW: Adam whose weight decay shrinks the weights directly, instead of being mixed into the gradient.

With the gradient g of a parameter θ at step t:

    m ← β₁ m + (1 − β₁) g                     running mean of the gradient
    v ← β₂ v + (1 − β₂) g²                    running mean of its square
    θ ← θ − s · m / (√v + ε)                  s = lr · √(1 − β₂ᵗ) / (1 − β₁ᵗ),  or s = lr without bias correction
    θ ← θ − lr · λ · θ                        weight decay, of the parameter that was just updated

Two details set this apart from `torch.optim.AdamW`: ε is added to √v before the bias correction (which is in s), and
the decay takes its share of what the update left. That is `transformers`' way; Google's BERT and Loshchilov & Hutter's
algorithm 2, like PyTorch, let the old parameter decay: θ ← θ − lr (m / (√v + ε) + λ θ).

Sources: Kingma & Ba 2015, algorithm 1 (the form of s: end of section 2); Loshchilov & Hutter 2019, algorithm 2.
Reference class: `transformers.AdamW` (4.12.5).
"""

import math
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.optim import Optimizer
from torch.optim.optimizer import ParamsT


class PendingUpdate(NamedTuple):
    """One parameter with all that its update needs. The four tensors have one shape; the step size is a number."""

    param: Tensor
    grad: Tensor
    exp_avg: Tensor  # m
    exp_avg_sq: Tensor  # v
    step_size: float  # s


def step_size(lr: float, beta1: float, beta2: float, step: int, correct_bias: bool) -> float:
    """s in the equations above. m and v start at 0, so early on they are too small: the correction undoes that.

    `correct_bias=False` is original BERT's way, which relies on its warm-up instead. `step` counts from 1.
    """
    return lr * math.sqrt(1.0 - beta2**step) / (1.0 - beta1**step) if correct_bias else lr


def plain_update(pending: Iterable[PendingUpdate], beta1: float, beta2: float, eps: float, decay: float) -> None:
    """The four equations: update each parameter and its two averages in place, one after another. `decay` is lr · λ."""
    for param, grad, exp_avg, exp_avg_sq, size in pending:
        exp_avg.mul_(beta1).add_(grad, alpha=1.0 - beta1)
        exp_avg_sq.mul_(beta2).addcmul_(grad, grad, value=1.0 - beta2)
        denominator = exp_avg_sq.sqrt().add_(eps)
        param.addcdiv_(exp_avg, denominator, value=-size)
        if decay > 0.0:
            param.add_(param, alpha=-decay)


class AdamW(Optimizer):
    """Adam with decoupled weight decay.

    params: the parameters, or groups of them (see `no_decay_groups`); a group may set its own of the values below.
    lr: learning rate, at least 0.
    betas: how much of the running mean of g, and of g², is kept at each step; each in [0, 1).
    eps: keeps the division finite, at least 0. It is added before the bias correction (see above).
    weight_decay: λ, at least 0. After each update a weight loses lr · λ of itself.
    correct_bias: False leaves out the bias correction, as original BERT does.
    implementation: "plain" runs `plain_update`. `minibert/fast/adamw.py` has "blocked", faster with the same bits, and
        "fused", faster still with other last digits.

    A parameter's state is `step` (int), `exp_avg` (m), `exp_avg_sq` (v), as in the reference; each loads the other's.

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
        implementation: str = "plain",
    ) -> None:
        find_update(implementation)
        self.implementation = implementation
        defaults = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "correct_bias": correct_bias}
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
        with torch.enable_grad():
            loss = None if closure is None else closure()
        self._refuse_sparse_gradients()
        for group in self.param_groups:
            pending = [self._advance(param, param.grad, group) for param in group["params"] if param.grad is not None]
            self._update(pending, group)
        return loss

    def _advance(self, param: Tensor, grad: Tensor, group: dict[str, Any]) -> PendingUpdate:
        """Count one more step for a parameter and gather what its update needs. The averages start at 0."""
        state = self.state[param]
        if hasattr(param, "to_local"):  # of a distributed tensor this process's shard: the update is element by element
            param, grad = param.to_local(), grad.to_local()  # type: ignore[attr-defined]
        if not state:
            state.update(step=0, exp_avg=torch.zeros_like(param), exp_avg_sq=torch.zeros_like(param))
        state["step"] += 1
        beta1, beta2 = group["betas"]
        size = step_size(group["lr"], beta1, beta2, step=state["step"], correct_bias=group["correct_bias"])
        return PendingUpdate(param, grad, exp_avg=state["exp_avg"], exp_avg_sq=state["exp_avg_sq"], step_size=size)

    def _update(self, pending: list[PendingUpdate], group: dict[str, Any]) -> None:
        update = find_update(self.implementation)
        update(pending, *group["betas"], eps=group["eps"], decay=group["lr"] * group["weight_decay"])

    def _refuse_sparse_gradients(self) -> None:
        for index, group in enumerate(self.param_groups):
            for position, param in enumerate(group["params"]):
                if param.grad is not None and param.grad.is_sparse:
                    where = f"parameter {position} of group {index} (shape {tuple(param.shape)})"
                    raise RuntimeError(f"{where} has a sparse gradient: use sparse=False or torch.optim.SparseAdam.")

    def __getstate__(self) -> dict[str, Any]:
        # PyTorch pickles and copies only what it knows of an optimizer.
        return {**super().__getstate__(), "implementation": self.implementation}

    def __setstate__(self, state: dict[str, Any]) -> None:
        # `load_state_dict` comes through here too, and replaces the groups by the saved ones.
        for index, group in enumerate(state["param_groups"]):
            if "correct_bias" not in group:
                why = "another kind of optimizer saved it, and only that can load it"
                raise ValueError(f"Group {index} of the loaded state has no 'correct_bias': {why}.")
        super().__setstate__(state)


class AdamL2(AdamW):
    """Adam with an L2 penalty: what "weight decay" meant before AdamW. `weight_decay` is λ; all else is as in `AdamW`.

    A penalty ½ λ ‖θ‖² in the loss adds λ θ to the gradient:

        g ← g + λ θ        and then AdamW's update, without its decay

    For plain SGD the two are one: θ − lr (g + λ θ) = θ − lr g − lr λ θ. For Adam they are not. The penalty goes through
    m / (√v + ε) with the rest of the gradient, so a weight whose gradients are large is decayed *less* than one whose
    gradients are small. AdamW decays both by the same share.

    Source: Loshchilov & Hutter 2019, section 2 and algorithm 2. No reference class: ours, for teaching.
    """

    def _update(self, pending: list[PendingUpdate], group: dict[str, Any]) -> None:
        if (penalty := group["weight_decay"]) > 0.0:
            pending = [update._replace(grad=update.grad.add(update.param, alpha=penalty)) for update in pending]
        super()._update(pending, {**group, "weight_decay": 0.0})


def find_update(implementation: str) -> Callable[..., None]:
    """`plain_update`, or the faster function of that name. Only a faster one imports `minibert.fast`."""
    if implementation == "plain":
        return plain_update
    from ..fast.adamw import UPDATES

    if implementation not in UPDATES:
        raise ValueError(f"implementation is {implementation!r}; choose one of {('plain', *UPDATES)}.")
    return UPDATES[implementation]


def check_hyper_parameters(values: dict[str, Any], where: str) -> None:
    """Raise ValueError for a value outside its range. NaN is outside every range."""
    for name in ("lr", "eps", "weight_decay"):
        if not values[name] >= 0.0:
            raise ValueError(f"{name} must be at least 0, but {where} has {name}={values[name]}.")
    betas = values["betas"]
    if len(betas) != 2 or not all(0.0 <= beta < 1.0 for beta in betas):
        raise ValueError(f"betas must be two numbers, each at least 0 and less than 1, but {where} has betas={betas}.")
