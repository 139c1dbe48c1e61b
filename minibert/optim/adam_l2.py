"""Adam with an L2 penalty: what "weight decay" used to mean, here to be compared with AdamW.

An L2 penalty ½ λ ‖θ‖² in the loss adds λ θ to the gradient:

    g ← g + λ θ        and then AdamW's update, without its decay

For plain SGD the two are one: θ − lr (g + λ θ) = θ − lr g − lr λ θ. For Adam they are not. The penalty goes through
m / (√v + ε) with the rest of the gradient, so a weight whose gradients are large is decayed *less* than one whose
gradients are small. AdamW decays both by the same share.

Source: Loshchilov & Hutter 2019, section 2 and algorithm 2. No reference class: ours, for teaching.
"""

from typing import Any

from .adamw import IMPLEMENTATIONS, AdamW
from .update import PendingUpdate


class AdamL2(AdamW):
    """Adam whose `weight_decay` is λ of an L2 penalty. Arguments, state and errors are `AdamW`'s."""

    def _update(self, pending: list[PendingUpdate], group: dict[str, Any]) -> None:
        beta1, beta2 = group["betas"]
        penalty = group["weight_decay"]
        if penalty > 0.0:
            pending = [update._replace(grad=update.grad.add(update.param, alpha=penalty)) for update in pending]
        IMPLEMENTATIONS[self.implementation](pending, beta1, beta2, group["eps"], decay=0.0)
