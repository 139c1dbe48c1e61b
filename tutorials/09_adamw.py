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
# gradient. For a parameter θ with gradient g, at step t, as `transformers` computes it and this library with it:
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
# the same lr suits embeddings and LayerNorms alike. (The last one moved a little less: its √v is so small that ε counts.) Later steps
# are as long where the gradients agree, and shorter where they cancel out in m: chapter 10 measures how much.
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
# weight away at each step (*weight decay*). For plain gradient descent they are one and the same step:

# %%
theta, gradient, lr, decay = torch.tensor([2.0, -3.0]), torch.tensor([0.5, 4.0]), 0.1, 0.25
penalised = theta - lr * (gradient + decay * theta)
decayed = theta - lr * gradient - lr * decay * theta
assert torch.allclose(penalised, decayed)

# %% [markdown]
# **What do you expect** for Adam, which throws the size of gradients away?
#
# To see the pull towards 0 alone, let the gradients be nothing but noise around 0. 500 weights have large ones and 500 have gradients ten
# times smaller. All start at 1, and both methods have the same lr and the same λ.

# %%
LR, DECAY, STEPS = 1e-3, 0.1, 2000
sizes = torch.tensor([3.0, 0.3])  # the standard deviation of the gradients: large, small


def shrink(kind: type[AdamW]) -> torch.Tensor:
    """What is left of the weights, on average, after every step: (steps, 2)."""
    torch.manual_seed(0)
    weights = torch.nn.Parameter(torch.ones(500, 2))
    optimizer = kind([weights], lr=LR, weight_decay=DECAY)
    left = []
    for _ in range(STEPS):
        weights.grad = torch.randn(500, 2) * sizes
        optimizer.step()
        left.append(weights.detach().mean(0))
    return torch.stack(left)


figure = new_figure(width=9, height=3.6)
ends = {}
for panel, kind in zip(figure.subplots(1, 2, sharey=True), (AdamL2, AdamW), strict=True):
    left = shrink(kind)
    ends[kind] = left[-1]
    panel.plot(left[:, 0], color="tab:blue", linewidth=3, alpha=0.6, label="large gradients")
    panel.plot(left[:, 1], color="tab:red", linestyle="--", label="small gradients")
    panel.set_title("Adam with an L2 penalty" if kind is AdamL2 else "AdamW")
    panel.set_xlabel("step")
    panel.set_ylabel("what is left of a weight of 1")
    panel.set_ylim(0.4, 1.02)
    panel.legend(loc="lower left")
    print(
        f"{kind.__name__:7} leaves {left[-1, 0]:.2f} where gradients are large, {left[-1, 1]:.2f} where they are small"
    )
print(f"(1 − lr λ)^{STEPS} = {(1 - LR * DECAY) ** STEPS:.2f}")
assert torch.allclose(ends[AdamW], torch.full((2,), (1 - LR * DECAY) ** STEPS), atol=0.01)
by_size = torch.exp(-STEPS * LR * DECAY / (sizes**2 + DECAY**2).sqrt())  # the penalty goes through the division by √v
assert torch.allclose(ends[AdamL2], by_size, atol=0.02)
figure.suptitle("The same λ, as a penalty in the gradient and as decay")
show(
    figure,
    "09-decay",
    "Two panels of what is left of weights over 2,000 steps. Left, with an L2 penalty: of the weights with large "
    "gradients 0.94 is left, of those with small ones 0.52. Right, AdamW: both lie on one curve, which ends at 0.82.",
)

# %% [markdown]
# In the gradient, the penalty is divided by √v with the rest: a weight whose gradients have the size σ shrinks by about lr · λ / σ in a step,
# so a hard-working weight is hardly decayed at all. AdamW takes the share lr · λ of every weight. This is what Loshchilov and Hutter
# fixed, and what the W stands for.
#
# ## Which θ decays: the old one or the new one?
#
# Between the step and the decay there is an order, and the codes do not agree on it:
#
# | | the decay takes its share of | |
# |---|---|---|
# | Google's BERT (`optimization.py`), Loshchilov & Hutter's algorithm 2, `torch.optim.AdamW` | the parameter before the step | $θ − \mathrm{lr}\, (u + λ θ)$ |
# | the AdamW of `transformers`, and so of this library | what the step left | $(1 − \mathrm{lr}\, λ)\, (θ − \mathrm{lr}\, u)$ |
# | Adam with an L2 penalty | no share: λ θ is in the gradient, and so in m, in v and in u | $θ − \mathrm{lr}\, u$ |
#
# Here u is the step's direction: $m / (\sqrt{v} + ε)$, its bias corrected or not. **What do you expect:** how far apart are the first two after
# one step, at a rate of 0.1, and at one of 2 · 10⁻⁵, as in fine-tuning?

# %%
for lr in (0.1, 2e-5):
    parameter, torchs = (torch.nn.Parameter(torch.ones(1, dtype=torch.float64)) for _ in range(2))
    for each, optimizer in (
        (parameter, AdamW([parameter], lr=lr, eps=0.0, weight_decay=0.5)),
        (torchs, torch.optim.AdamW([torchs], lr=lr, eps=0.0, weight_decay=0.5)),
    ):
        each.grad = torch.full_like(each, 3.0)  # at step 1, u = 1
        optimizer.step()
    assert math.isclose(torchs.item(), 1 - lr * (1 + 0.5 * 1), rel_tol=1e-12)  # of the old parameter
    assert math.isclose(parameter.item(), (1 - lr * 0.5) * (1 - lr), rel_tol=1e-12)  # of what the step left
    apart = parameter.item() - torchs.item()
    print(f"lr {lr}: {apart:.0e} apart")
    assert math.isclose(apart, lr**2 * 0.5, rel_tol=1e-4)

# %% [markdown]
# lr² · λ · u: in fine-tuning that is far less than the distance of two float32 numbers near 1, which is 6 · 10⁻⁸ (chapter 17). No model is better or worse for it. But a proof of equal *bits*
# has to take one of the two, and the reference here is `transformers`.
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
decayed = set(groups[0]["parameter_names"])
for name, far in moved.items():
    share = 0.01 * before[name].abs().max().item() if name in decayed else 0.0  # λ |θ|
    assert far <= 1e-4 * (1 + share) + 1e-6  # and float32's rounding

# %% [markdown]
# The step itself moved none further than lr: what the first cell said of three numbers holds for five million. What is beyond it, in the matrix, is the
# decay's share, lr · λ · |θ|.
#
# ## Summary
#
# - m / √v has the sign of the averaged gradient, and a size near 1 where gradients agree: so lr is about the longest step.
# - The bias correction keeps early steps from being too long; original BERT leaves it to the warm-up.
# - Weight decay takes a share of the weight itself; an L2 penalty goes through the division by √v and is something else.
# - Google's BERT decays the old parameter, `transformers` (and this library) what the step left: lr² λ apart.
# - Matrices and embeddings are decayed; biases and LayerNorms are not.
#
# ε is added before the bias correction here, and after it in `torch.optim.AdamW`: [`docs/optimizer.md`](../docs/optimizer.md) has a table.
#
# **The code:** [`minibert/optim/adamw.py`](../minibert/optim/adamw.py): `plain_update` is the four lines, `AdamW` the optimizer around
# it, `AdamL2` the penalty; [`groups.py`](../minibert/optim/groups.py).
#
# **Exercises:** [`exercises/09_adamw.py`](exercises/09_adamw.py): the averages, the step size, the update, who is decayed. Check
# them with `minibert check 9`.
#
# **Next:** [10 · Warm-up and the six schedules](10_schedules.py)
