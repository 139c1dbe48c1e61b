"""Checks of chapter 9: one step of AdamW, taken apart."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from course.hints import Case, Checked, same
from minibert import AdamW, BertConfig, BertForPreTraining, no_decay_groups
from minibert.optim import adamw as library

CASES = ((0.9, 0.999), (0.5, 0.75), (0.8, 0.4))  # β₁, β₂


def check_averages(
    averages: Callable[[Tensor, Tensor, Tensor, float, float], tuple[Tensor, Tensor]],
) -> Checked:
    generator = torch.Generator().manual_seed(1)
    for beta1, beta2 in CASES:
        grad, m, root = torch.randn(3, 2, 4, generator=generator)
        v = root.square()
        expected = (beta1 * m + (1 - beta1) * grad, beta2 * v + (1 - beta2) * grad**2)
        mistakes = {
            "v averages the gradient; it should average its square.": (expected[0], beta2 * v + (1 - beta2) * grad),
            "β and 1 − β have changed places: most of the old average is kept.": (
                (1 - beta1) * m + beta1 * grad, (1 - beta2) * v + beta2 * grad**2
            ),
            "β₁ and 1 − β₁ have changed places: most of the old average is kept.": (
                (1 - beta1) * m + beta1 * grad, expected[1]
            ),
            "β₂ and 1 − β₂ have changed places: most of the old average is kept.": (
                expected[0], (1 - beta2) * v + beta2 * grad**2
            ),
            "β₁ and β₂ have changed places.": (beta2 * m + (1 - beta2) * grad, beta1 * v + (1 - beta1) * grad**2),
            "The gradient comes in whole; it is to be multiplied by 1 − β.": (beta1 * m + grad, beta2 * v + grad**2),
            "β₁ is used for both averages.": (expected[0], beta1 * v + (1 - beta1) * grad**2),
            "The gradient comes into m whole; it is to be multiplied by 1 − β₁.": (beta1 * m + grad, expected[1]),
            "The gradient's square comes into v whole; it is to be multiplied by 1 − β₂.": (expected[0], beta2 * v + grad**2),
            "β₂ is used for both averages.": (beta2 * m + (1 - beta2) * grad, expected[1]),
            "The old m is not multiplied by β₁.": (m + (1 - beta1) * grad, expected[1]),
            "The old v is not multiplied by β₂.": (expected[0], v + (1 - beta2) * grad**2),
            "Neither old average is multiplied by its β.": (m + (1 - beta1) * grad, v + (1 - beta2) * grad**2),
            "The old m is forgotten.": ((1 - beta1) * grad, expected[1]),
            "The old v is forgotten.": (expected[0], (1 - beta2) * grad**2),
            "v averages the new m's square; it is the gradient's own square.": (
                expected[0], beta2 * v + (1 - beta2) * expected[0] ** 2
            ),
            "v averages the size of the gradient, not its square.": (expected[0], beta2 * v + (1 - beta2) * grad.abs()),
            "m averages the gradient's square; it should average the gradient.": (
                beta1 * m + (1 - beta1) * grad**2, expected[1]
            ),
            "v is squared before it is averaged; it holds squares already.": (
                expected[0], beta2 * v**2 + (1 - beta2) * grad**2
            ),
            "The gradient's part is taken away from m; it is added.": (beta1 * m - (1 - beta1) * grad, expected[1]),
            "The gradient's part is taken away from v; it is added.": (expected[0], beta2 * v - (1 - beta2) * grad**2),
            "The running average m comes back twice, without v.": (expected[0], expected[0]),
            "m is as it was: the gradient has no part in it.": (m, expected[1]),
            "v is as it was: the gradient has no part in it.": (expected[0], v),
            "m and v come back in the wrong order.": (expected[1], expected[0]),
            "1 − β is squared together with the gradient.": (expected[0], beta2 * v + ((1 - beta2) * grad) ** 2),
        }  # fmt: skip
        given = f"β₁ {beta1}, β₂ {beta2}"
        yield Case(averages(grad.clone(), m.clone(), v.clone(), beta1, beta2), expected, mistakes, given)


def check_step_size(step_size: Callable[[float, float, float, int], float]) -> Checked:
    for beta1, beta2 in CASES:
        for step in (2, 10, 1):
            lr = 0.5
            expected = library.step_size(lr, beta1, beta2, step, correct_bias=True)
            mistakes = {
                "This is lr itself: the bias correction is missing.": lr,
                "The root is missing above the line.": lr * (1 - beta2**step) / (1 - beta1**step),
                "The root goes over the whole fraction; it is of 1 − β₂ᵗ only.": (
                    lr * math.sqrt((1 - beta2**step) / (1 - beta1**step))
                ),
                "The fraction is upside down.": lr * (1 - beta1**step) / math.sqrt(1 - beta2**step),
                "β₁ and β₂ have changed places.": lr * math.sqrt(1 - beta1**step) / (1 - beta2**step),
                "One step too far: steps count from 1, and t is the number of this one.": (
                    library.step_size(lr, beta1, beta2, step + 1, correct_bias=True)
                ),
                "β is multiplied by t; asked for is its power.": lr
                * math.sqrt(abs(1 - beta2 * step))
                / ((1 - beta1 * step) or 1.0),
                "The power is missing: β becomes βᵗ.": lr * math.sqrt(1 - beta2) / (1 - beta1),
                "lr is missing.": expected / lr,
                "The root is missing, and the fraction is upside down.": lr * (1 - beta1**step) / (1 - beta2**step),
                "The part below the line is missing: divide by 1 − β₁ᵗ.": lr * math.sqrt(1 - beta2**step),
                "The part above the line is missing: multiply by √(1 − β₂ᵗ).": lr / (1 - beta1**step),
                "The root is below the line; it belongs above.": lr * (1 - beta2**step) / math.sqrt(1 - beta1**step),
                "It multiplies with 1 − β₁ᵗ; divide by it.": lr * math.sqrt(1 - beta2**step) * (1 - beta1**step),
                "1 + βᵗ stands below the line; it is 1 − β₁ᵗ.": lr * math.sqrt(1 - beta2**step) / (1 + beta1**step),
                "1 + βᵗ stands under the root; it is 1 − β₂ᵗ.": lr * math.sqrt(1 + beta2**step) / (1 - beta1**step),
                "The root of β₂ is taken before the power: √(1 − β₂)ᵗ is something else.": (
                    lr * math.sqrt((1 - beta2) ** step) / (1 - beta1) ** step
                ),
                "lr is divided by; multiply with it.": expected / lr / lr,
            }
            if step > 1:
                earlier = library.step_size(lr, beta1, beta2, step - 1, correct_bias=True)
                mistakes["One step too few: steps count from 1, and t is the number of this one."] = earlier
            given = f"lr {lr}, β₁ {beta1}, β₂ {beta2}, step {step}"
            yield Case(step_size(lr, beta1, beta2, step), expected, mistakes, given)


def check_update(
    update: Callable[[Tensor, Tensor, Tensor, float, float, float, float], Tensor],
) -> Checked:
    generator = torch.Generator().manual_seed(2)
    for size, eps, lr, weight_decay in ((0.3, 0.5, 0.2, 0.4), (0.1, 1e-6, 0.1, 0.01), (0.7, 0.1, 0.5, 0.9)):
        param, grad = torch.randn(2, 3, 4, generator=generator)
        beta1, beta2 = 0.5, 0.75
        m, v = (1 - beta1) * grad, (1 - beta2) * grad**2
        expected = _library_step(param, grad, size, eps, lr, weight_decay)
        denominator = v.sqrt() + eps
        step = size * m / denominator
        decay = lr * weight_decay
        penalised = m + weight_decay * param
        mistakes = {
            "The decay is missing.": param - step,
            "The old parameter decays, as in Google's BERT and torch.optim.AdamW. Asked for is the form of transformers: the decay takes its share of what the step left.": (
                param - decay * param - step
            ),
            "The decay is mixed into the gradient: that is Adam with an L2 penalty.": param - size * penalised / denominator,
            "The decay is mixed into the gradient, and then taken away once more.": (
                (param - size * penalised / denominator) * (1 - decay)
            ),
            "The decay is not multiplied by lr.": (param - step) * (1 - weight_decay),
            "The decay is multiplied by size, and should be by lr.": (param - step) * (1 - size * weight_decay),
            "The step goes uphill: it is to be taken away.": (param + step) * (1 - decay),
            "The root of v is missing.": (param - size * m / (v + eps)) * (1 - decay),
            "eps stands inside the root; it is added to √v.": (param - size * m / (v + eps).sqrt()) * (1 - decay),
            "eps is missing.": (param - size * m / v.sqrt()) * (1 - decay),
            "The step is the learning rate's; use size, which holds the bias correction.": (
                (param - lr * m / denominator) * (1 - decay)
            ),
            "The decay makes the weight grow.": (param - step) * (1 + decay),
        }  # fmt: skip
        given = f"size {size}, eps {eps}, lr {lr}, weight_decay {weight_decay}"
        result = update(param.clone(), m.clone(), v.clone(), size, eps, lr, weight_decay)
        yield Case(result, expected, mistakes, given)


def _library_step(param: Tensor, grad: Tensor, size: float, eps: float, lr: float, weight_decay: float) -> Tensor:
    """The library's update from fresh averages (β₁ ½, β₂ ¾), with a step of this size and this decay."""
    moved = param.clone()
    pending = library.PendingUpdate(moved, grad, torch.zeros_like(param), torch.zeros_like(param), size)
    library.plain_update([pending], 0.5, 0.75, eps, lr * weight_decay)
    return moved


def check_is_decayed(is_decayed: Callable[[str], bool]) -> Checked:
    tiny = BertConfig(vocab_size=9, hidden_size=4, num_attention_heads=2, num_hidden_layers=2, intermediate_size=8)
    optimizer = AdamW(no_decay_groups(BertForPreTraining(tiny), weight_decay=0.01))
    for group in optimizer.param_groups:
        for name in group["parameter_names"]:
            expected = group["weight_decay"] > 0
            result = is_decayed(name)
            if not same(result, not expected):
                yield Case(result, expected, given=name)
                continue
            if expected:
                return f"{name}: This one is a matrix, and is decayed" + (
                    ", an embedding too." if "embeddings" in name else "."
                )
            kind = "LayerNorm's weight scales, and is not a matrix" if name.endswith("weight") else "This is a bias"
            return f"{name}: {kind}; decay does not apply to it."
