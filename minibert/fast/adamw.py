"""AdamW on a CPU: 1.40× as fast as the plain update with its bits ("blocked"), 2.8× with other last digits ("fused").

`blocked_update` ("blocked", on a CPU). `plain_update` makes eight passes over a parameter and its averages, which fetch them from
memory each time where they do not fit in the cache. Blocks that fit, all eight passes over one before the next, are fetched
once and need one small denominator. An element's result does not depend on the cuts. Square roots of 0, which is v wherever no
gradient came yet (the rows of words that the text does not have), are slow; `lost_beside` avoids them.
`foreach_update` ("blocked" on a GPU): one kernel launch for many tensors; the same operations in the same order on each number.
`fused_update` ("fused"): PyTorch's own kernel reads and writes everything once, with the same equations, but rounds elsewhere.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.optim.adamw import adamw

from ..optim.adamw import PendingUpdate, plain_update

# Elements in a block. In float32, one block of θ, g, m, v and the denominator is 10 MiB: near the last-level cache of a
# laptop, and large enough that starting and joining the threads for each pass costs little beside the pass.
BLOCK = 2**19

# In half precision PyTorch's CPU loops round in more than one way: the vector loop and the scalar loop for the
# remainder differ on `a + alpha * b`, `mul_` and `_foreach_mul_` differ on the factor. On a CPU such tensors take the
# plain path.
TYPES_THAT_ROUND_ALIKE = (torch.float32, torch.float64)


def blocked_update(pending: Iterable[PendingUpdate], beta1: float, beta2: float, eps: float, decay: float) -> None:
    """Run the definition on cache-sized blocks."""
    # For denominators: fresh memory for each block would cost as much as all the arithmetic.
    scratch: dict[torch.dtype, Tensor] = {}
    for update in pending:
        dtype = update.param.dtype
        if dtype not in TYPES_THAT_ROUND_ALIKE:
            plain_update([update], beta1, beta2, eps=eps, decay=decay)
            continue
        if dtype not in scratch:
            scratch[dtype] = torch.empty(BLOCK, dtype=dtype, device="cpu")
        least = lost_beside(eps, dtype)
        for param, grad, exp_avg, exp_avg_sq, size in cut_into_blocks(update, BLOCK):
            fits = param.numel() <= BLOCK
            denominator = scratch[dtype][: param.numel()].view(param.shape) if fits else torch.empty_like(param)
            exp_avg.mul_(beta1).add_(grad, alpha=1.0 - beta1)
            exp_avg_sq.mul_(beta2).addcmul_(grad, grad, value=1.0 - beta2)
            torch.clamp(exp_avg_sq, min=least, out=denominator).sqrt_().add_(eps)
            param.addcdiv_(exp_avg, denominator, value=-size)
            if decay > 0.0:
                param.add_(param, alpha=-decay)


def lost_beside(eps: float, dtype: torch.dtype) -> float:
    """A v so small that √v + ε is ε: its root is half of what rounding to ε can still swallow.

    With any smaller v the denominator is the same. So this one may stand in for 0 and for denormal numbers, of which
    square roots take five to twenty times as long.
    """
    return (eps * torch.finfo(dtype).eps / 8) ** 2


def cut_into_blocks(update: PendingUpdate, size: int) -> Iterator[PendingUpdate]:
    """Split one update into updates of at most `size` elements: views of the same memory, in order.

    A tensor that is small or not contiguous stays whole.
    """
    tensors = (update.param.detach(), update.grad, update.exp_avg, update.exp_avg_sq)
    can_cut = all(tensor.is_contiguous() for tensor in tensors)
    if update.param.numel() <= size or not can_cut:
        yield update
        return
    for param, grad, m, v in zip(*(torch.split(tensor.view(-1), size) for tensor in tensors), strict=True):
        yield PendingUpdate(param, grad, exp_avg=m, exp_avg_sq=v, step_size=update.step_size)


def in_columns(updates: Sequence[PendingUpdate]) -> Any:
    """Lists of all parameters, all gradients, all averages, and all step sizes."""
    return map(list, zip(*updates, strict=True))


def foreach_update(pending: Iterable[PendingUpdate], beta1: float, beta2: float, eps: float, decay: float) -> None:
    """Run each operation of the definition over all parameters of one device and type before the next operation."""
    alike = defaultdict(list)
    for update in pending:
        alike[update.param.device, update.param.dtype].append(update)

    for (device, dtype), updates in alike.items():
        if device.type == "cpu" and dtype not in TYPES_THAT_ROUND_ALIKE:
            plain_update(updates, beta1, beta2, eps=eps, decay=decay)
            continue
        params, grads, exp_avgs, exp_avg_sqs, sizes = in_columns(updates)
        torch._foreach_mul_(exp_avgs, beta1)
        torch._foreach_add_(exp_avgs, grads, alpha=1.0 - beta1)
        torch._foreach_mul_(exp_avg_sqs, beta2)
        torch._foreach_addcmul_(exp_avg_sqs, grads, grads, value=1.0 - beta2)
        denominators = torch._foreach_sqrt(exp_avg_sqs)
        torch._foreach_add_(denominators, eps)
        torch._foreach_addcdiv_(params, exp_avgs, denominators, scalars=[-size for size in sizes])
        if decay > 0.0:
            torch._foreach_add_(params, params, alpha=-decay)


def automatic_update(pending: Sequence[PendingUpdate], beta1: float, beta2: float, eps: float, decay: float) -> None:
    """Blocks for what is on the CPU, `foreach` for what is elsewhere: the bits of the definition."""
    blocked_update((u for u in pending if u.param.device.type == "cpu"), beta1, beta2, eps=eps, decay=decay)
    foreach_update((u for u in pending if u.param.device.type != "cpu"), beta1, beta2, eps=eps, decay=decay)


def fused_update(pending: Sequence[PendingUpdate], beta1: float, beta2: float, eps: float, decay: float) -> None:
    """Hand the definition to PyTorch's one-pass kernel, so that its own equations become those of `plain_update`.

    The kernel decays first, θ ← θ (1 − lr' λ'), then moves by lr' m / (√v + ε), and corrects m and v for the step's
    number. After infinitely many steps nothing is left to correct; and with lr' = s (1 − decay), lr' λ' = decay the
    order of the two is the same. What the kernel does not know, such as tensors that are not contiguous, takes the
    plain path.
    """
    alike = defaultdict(list)
    for update in pending:
        tensors = (update.param, update.grad, update.exp_avg, update.exp_avg_sq)
        known = all(tensor.is_contiguous() and tensor.dtype in TYPES_THAT_ROUND_ALIKE for tensor in tensors)
        if known and decay < 1.0:
            alike[update.step_size, update.param.device].append(update)
        else:
            plain_update([update], beta1, beta2, eps=eps, decay=decay)
    for (size, device), updates in alike.items():
        rate = size * (1.0 - decay)
        steps = [torch.full((), torch.inf, device=device)] * len(updates)
        params, grads, exp_avgs, exp_avg_sqs, _ = in_columns(updates)
        settings: dict[str, Any] = {"lr": rate, "weight_decay": decay / rate if rate else 0.0, "state_steps": steps}
        settings |= {"params": params, "grads": grads, "exp_avgs": exp_avgs, "exp_avg_sqs": exp_avg_sqs}
        settings |= {"max_exp_avg_sqs": [], "amsgrad": False, "maximize": False}
        adamw(**settings, beta1=beta1, beta2=beta2, eps=eps, fused=True)


# What `AdamW(…, implementation=…)` accepts besides "plain". The last three are earlier spellings, of the plain bits too.
UPDATES: dict[str, Callable[..., None]] = {
    "blocked": automatic_update,
    "fused": fused_update,
    "auto": automatic_update,
    "blocks": blocked_update,
    "foreach": foreach_update,
}
