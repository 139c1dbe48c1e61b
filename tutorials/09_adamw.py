# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 9 · AdamW, no-decay groups, and why
#
# Training turns gradients into steps. BERT's way of doing that is AdamW: Adam, with a weight decay that is kept out of the
# gradient. For a parameter θ with gradient g, at step t:
#
# $$
# m ← β_1 m + (1 − β_1)\, g
# $$
#
# $$
# v ← β_2 v + (1 − β_2)\, g^2
# $$
#
# $$
# θ ← θ − s · \frac{m}{\sqrt{v} + ε} \qquad s = \mathrm{lr} · \frac{\sqrt{1 − β_2^t}}{1 − β_1^t}
# $$
#
# $$
# θ ← θ − \mathrm{lr} · λ · θ
# $$
#
# ![The gradient feeds two running means, m of g and v of g²; their quotient m / (√v + ε) times the step size moves θ; then the decay takes a share of θ itself, without the division](../docs/figures/adamw.svg)

# %%
import math

import torch

from course.figures import new_figure, show
from minibert import AdamL2, AdamW, BertForMaskedLM, BertTokenizer, no_decay_groups

# %% [markdown]
# ## One step, by hand
#
# A parameter of three numbers, with gradients of very different size. **What do you expect:** how far does each number move in
# the first step, when lr is 0.1? In proportion to its gradient?

# %%
lr, beta1, beta2, eps, decay = 0.1, 0.9, 0.999, 1e-6, 0.0
theta = torch.tensor([1.0, 1.0, 1.0])
gradient = torch.tensor([100.0, 1.0, -0.01])

m = (1 - beta1) * gradient  # both averages start at 0
v = (1 - beta2) * gradient**2
size = lr * math.sqrt(1 - beta2**1) / (1 - beta1**1)
by_hand = theta - size * m / (v.sqrt() + eps)
print("moved by", (by_hand - theta).tolist())

parameter = torch.nn.Parameter(theta.clone())
optimizer = AdamW([parameter], lr=lr, betas=(beta1, beta2), eps=eps, weight_decay=decay)
parameter.grad = gradient
optimizer.step()
assert torch.allclose(parameter, by_hand, atol=1e-7)

# %% [markdown]
# Each moved by almost exactly lr, whatever its gradient: m / √v keeps the sign and throws the size away. So lr is a length, and
# the same lr suits embeddings and LayerNorms alike. (The last one moved a little less: its √v is so small that ε counts.)
#
# ## Why the bias correction?
#
# m and v start at 0 and are too small at first: m by the factor 1 − β₁ᵗ, v by 1 − β₂ᵗ. The correction in s undoes both.
# **What do you expect** without it, with the same gradient at every step? (At step 1, m is 0.1 g, and √v is 0.03 |g|.)


# %%
def walk(correct_bias: bool, steps: int) -> list[float]:
    """How far each step goes, in units of lr, when the gradient is always 1."""
    parameter = torch.nn.Parameter(torch.zeros(1, dtype=torch.float64))
    optimizer = AdamW([parameter], lr=1.0, correct_bias=correct_bias)
    lengths = []
    for _ in range(steps):
        before = parameter.item()
        parameter.grad = torch.ones(1, dtype=torch.float64)
        optimizer.step()
        lengths.append(before - parameter.item())
    return lengths


corrected, original = walk(True, 2000), walk(False, 2000)
print(f"first step: {corrected[0]:.2f} lr corrected, {original[0]:.2f} lr without")
print(f"longest without: {max(original):.2f} lr, at step {original.index(max(original)) + 1}")
assert math.isclose(original[0], (1 - 0.9) / math.sqrt(1 - 0.999), rel_tol=1e-4)

# %% [markdown]
# Without correction the early steps are several times too long. The original BERT code has none (`correct_bias=False`), and gets
# away with it because its learning rate starts at 0: chapter 10.
#
# ## Decay is not a penalty
#
# Two ways to keep weights small: add ½ λ θ² to the loss, whose gradient is λ θ (an *L2 penalty*); or take the share lr · λ of the
# weight away at each step (*weight decay*). For plain gradient descent they are the same. **What do you expect** for Adam, which
# throws the size of gradients away?
#
# Take two weights. Both have their best value at 1; one has gradients ten times as large as the other. Both methods have the
# same λ.

# %%
steepness = torch.tensor([5.0, 0.5], dtype=torch.float64)


def descend(kind: type[AdamW], weight_decay: float, steps: int = 600) -> torch.Tensor:
    """Where two weights are at every step: (steps + 1, 2). Both want to be 1, and start at 2."""
    weights = torch.nn.Parameter(torch.full((2,), 2.0, dtype=torch.float64))
    optimizer = kind([weights], lr=0.02, weight_decay=weight_decay)
    path = [weights.detach().clone()]
    for _ in range(steps):
        weights.grad = steepness * (weights.detach() - 1)
        optimizer.step()
        path.append(weights.detach().clone())
    return torch.stack(path)


figure = new_figure(width=9, height=3.6)
left, right = figure.subplots(1, 2, sharey=True)
for panel, kind in ((left, AdamL2), (right, AdamW)):
    path = descend(kind, weight_decay=0.5)
    panel.plot(path[:, 0], label="large gradients")
    panel.plot(path[:, 1], label="small gradients")
    panel.axhline(1.0, linestyle=":", color="gray")
    panel.set_xlabel("step")
    panel.set_title("Adam with an L2 penalty" if kind is AdamL2 else "AdamW")
    print(f"{kind.__name__:7} ends at {path[-1, 0]:.2f} (large gradients) and {path[-1, 1]:.2f} (small ones)")
left.set_ylabel("weight (dotted: the best without decay)")
left.legend()
figure.suptitle("The same λ, as a penalty in the gradient and as decay")
show(
    figure,
    "09-decay",
    "Two panels of weights over the steps. Left, with an L2 penalty: the weight with large gradients ends near "
    "0.9, the one with small gradients near 0.5. Right, AdamW: both lie on one curve and end together, a little "
    "below 1.",
)

# %% [markdown]
# In the gradient, the penalty is weighed against the other gradient: where those are large it hardly counts, and where they are
# small it wins. AdamW takes the same share of every weight. This is what Loshchilov and Hutter fixed, and what the W stands for.
#
# ## Who is decayed, and who is not
#
# BERT decays matrices, embeddings included, and leaves biases and LayerNorms alone. **What do you expect:** how large is the
# exempt share of the numbers?

# %%
model = BertForMaskedLM.from_pretrained("novels-4l-256h")
groups = no_decay_groups(model, weight_decay=0.01)
for group in groups:
    count = sum(parameter.numel() for parameter in group["params"])
    print(f"{group['name']:9} λ = {group['weight_decay']:<5} {len(group['params']):3} tensors, {count:>9,} numbers")
    print("          such as", ", ".join(group["parameter_names"][3:6]))

# %% [markdown]
# By hand it is one line: does the name contain one of these?

# %%
exempt = ("bias", "LayerNorm.bias", "LayerNorm.weight")
by_hand = [name for name, _ in model.named_parameters() if not any(part in name for part in exempt)]
assert by_hand == groups[0]["parameter_names"]

# %% [markdown]
# **Why exempt them?** Decay keeps a model from fitting its training data with very large weights. A bias multiplies nothing: it
# can only shift. And LayerNorm's weight has its best value near 1, not near 0. A dimension that gets little gradient would be
# faded out by decay alone. **What do you expect** of LayerNorm's scale after 10,000 steps at lr 10⁻³ and λ 0.01, when no gradient
# comes?

# %%
scale = torch.nn.Parameter(torch.ones(1, dtype=torch.float64))
optimizer = AdamW([scale], lr=1e-3, weight_decay=0.01)
for _ in range(10_000):
    scale.grad = torch.zeros(1, dtype=torch.float64)
    optimizer.step()
print(f"from 1.00 to {scale.item():.3f}")
assert math.isclose(scale.item(), (1 - 1e-3 * 0.01) ** 10_000, rel_tol=1e-9)

# %% [markdown]
# A tenth is gone, for nothing. It is a small effect and a cheap rule: the exempt parameters are a fraction of a percent.
#
# ## A real step
#
# **What do you expect:** after one step on one sentence, which parameters have moved, and how far?

# %%
tokenizer = BertTokenizer.from_pretrained("novels-4l-256h")
inputs = tokenizer("The church [MASK] rang.", return_tensors="pt")
labels = torch.where(inputs["input_ids"] == tokenizer.mask_token_id, tokenizer.vocab["clock"], -100)
before = {name: parameter.detach().clone() for name, parameter in model.named_parameters()}
optimizer = AdamW(groups, lr=1e-4)
loss = model(**inputs, labels=labels).loss
loss.backward()
optimizer.step()
with torch.no_grad():
    print(f"loss before {loss.item():.3f}, after {model(**inputs, labels=labels).loss.item():.3f}")
moved = {name: (parameter - before[name]).abs().max().item() for name, parameter in model.named_parameters()}
for name in (
    "bert.embeddings.LayerNorm.weight",
    "bert.encoder.layer.0.attention.self.query.weight",
    "cls.predictions.bias",
):
    print(f"{name:50} largest move {moved[name] / 1e-4:.3f} lr")
assert max(moved.values()) < 1.1e-4

# %% [markdown]
# None moved further than lr: what the first cell said of three numbers holds for five million.
#
# ## Summary
#
# - m / √v has the sign of the gradient and a size near 1, so lr is the length of a step.
# - The bias correction keeps early steps from being too long; original BERT leaves it to the warm-up.
# - Weight decay takes a share of the weight itself; an L2 penalty goes through the division by √v and is something else.
# - Matrices and embeddings are decayed; biases and LayerNorms are not.
#
# Here ε is added before the bias correction, and decay comes after the step. `torch.optim.AdamW` does both the other way round:
# [`docs/optimizer.md`](../docs/optimizer.md) has a table.
#
# **The code:** [`minibert/optim/adamw.py`](../minibert/optim/adamw.py): `plain_update` is the four lines, `AdamW` the optimizer around
# it, `AdamL2` the penalty; [`groups.py`](../minibert/optim/groups.py).
#
# **Exercises:** [`exercises/09_adamw.py`](exercises/09_adamw.py): the averages, the step size, the update, who is decayed. Check
# them with `minibert check 9`.
#
# **Next:** [10 · Warm-up and the six schedules](10_schedules.py)
