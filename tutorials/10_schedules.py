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
# # 10 · Warm-up and the six schedules
#
# The learning rate is about the longest step that Adam takes (chapter 9). A schedule makes it longer and shorter in the course of a run: for
# every step it has a number between 0 and 1, which multiplies the rate. Six of them are in use.

# %%
import math

import torch

from course.figures import new_figure, show
from minibert import TYPE_TO_SCHEDULER_FUNCTION, AdamW, get_linear_schedule_with_warmup, get_scheduler
from minibert.optim import schedules

print(", ".join(kind.value for kind in TYPE_TO_SCHEDULER_FUNCTION))

# %% [markdown]
# ![Six small curves of the factor over the steps: constant, constant with warm-up, linear, cosine, cosine with restarts, and polynomial of power 2](../docs/figures/schedules.svg)
#
# ## BERT's own: linear with warm-up
#
# Up in a straight line, then down in a straight line. A run of 10 steps, 4 of them warm-up; steps count from 0. **What do you
# expect:** what is the factor at step 0, at step 4, at step 10?


# %%
def linear(step: int, warmup: int, total: int) -> float:
    """step / warmup, then a straight line down to 0 at step `total`, then 0."""
    if step < warmup:
        return step / warmup
    return max(0.0, (total - step) / (total - warmup))


print([round(linear(step, 4, 10), 2) for step in range(12)])
assert all(linear(step, 4, 10) == schedules.linear(step, 4, 10) for step in range(20))

# %% [markdown]
# The first step has the rate 0: it changes nothing at all, and only fills Adam's averages. The peak is at step `warmup`, and the
# factor 0 would be used at step `total`, which a run of `total` steps no longer takes.
#
# ## All six
#
# **What do you expect** of the cosine beside the line: where is it above, where below?

# %%
warmup, total = 100, 1000
formulas = {
    "constant": schedules.constant,
    "constant_with_warmup": lambda step: min(1.0, step / warmup),
    "linear": lambda step: linear(step, warmup, total),
    "cosine": lambda step: schedules.cosine(step, warmup, total),
    "cosine_with_restarts": lambda step: schedules.cosine_with_hard_restarts(step, warmup, total, cycles=3),
    "polynomial": lambda step: schedules.polynomial_decay(step, warmup, total, lr_init=1.0, power=2.0),
}
figure = new_figure(width=10, height=5.2)
panels = figure.subplots(2, 3, sharex=True, sharey=True)
for panel, (name, formula) in zip(panels.flat, formulas.items(), strict=True):
    panel.plot([linear(step, warmup, total) for step in range(total + 1)], color="lightgray", linewidth=3)
    panel.plot([formula(step) for step in range(total + 1)])
    panel.axvline(warmup, linestyle=":", color="gray")
    panel.set_title(name)
figure.supxlabel("step (dotted: end of warm-up; light: linear)")
figure.supylabel("factor on the learning rate")
figure.suptitle("The six schedules, with a warm-up of 100 steps out of 1,000")
show(
    figure,
    "10-schedules",
    "Six panels of the factor over the steps, with the linear schedule behind each: constant, a rise that stays "
    "up, a rise and a straight fall, a rise and a cosine's fall, three falls of a cosine that start anew at 1, "
    "and a fall that hangs below the line.",
)

# %% [markdown]
# The cosine stays high for longer, falls faster in the middle, and lands softly:
#
# $$
# \mathrm{factor} = \frac{1 + \cos(π · \mathrm{progress})}{2}
# $$
#
# By hand, in the middle of the fall and a quarter into it:

# %%
for progress in (0.25, 0.5):
    step = warmup + progress * (total - warmup)
    assert math.isclose(schedules.cosine(step, warmup, total), 0.5 * (1 + math.cos(math.pi * progress)))
    print(
        f"progress {progress}: cosine {schedules.cosine(step, warmup, total):.3f}, linear {linear(step, warmup, total):.3f}"
    )

# %% [markdown]
# Restarts jump back to 1: a fresh start from a better place. The polynomial with power 1 is the straight line, with power 2 it
# hangs below.
#
# ## On an optimizer
#
# A scheduler multiplies every group's rate. It is told of each step, *after* the optimizer has taken it. **What do you
# expect:** which rates do four steps use, with lr 0.1 and a warm-up of 2?

# %%
parameter = torch.nn.Parameter(torch.zeros(1))
optimizer = AdamW([parameter], lr=0.1)
scheduler = get_linear_schedule_with_warmup(optimizer, num_warmup_steps=2, num_training_steps=4)
used = []
for _ in range(4):
    used.append(optimizer.param_groups[0]["lr"])
    parameter.grad = torch.ones(1)
    optimizer.step()
    scheduler.step()
print(used)
assert used == [0.1 * linear(step, 2, 4) for step in range(4)]

# %% [markdown]
# Forget `scheduler.step()`, and the rate stays at that of step 0, which is 0: the loss does not move, and no error is raised.
# Remember this when a run learns nothing.
#
# Any schedule by its name; each is the formula above, on an optimizer:

# %%
for name in ("constant", "constant_with_warmup", "linear", "cosine"):
    optimizer = AdamW([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    scheduler = get_scheduler(name, optimizer, num_warmup_steps=warmup, num_training_steps=total)
    for step in range(300):
        assert math.isclose(scheduler.get_last_lr()[0], formulas[name](step), abs_tol=1e-12), name
        optimizer.step()
        scheduler.step()
print("equal")

# %% [markdown]
# ## Why warm up?
#
# Adam's first steps have full length, whatever the gradient (chapter 9), and at the beginning its averages have seen next to
# nothing: the direction of those steps is that of a few batches. For a pretrained model that is a danger: some wild steps can
# undo much of what it learned.
#
# To see how wild, give AdamW nothing but noise: 1,000 weights, each gradient a fresh random number. An ideal optimizer would
# stand still. **What do you expect** of the average step, in units of lr, at step 1, and at step 2,000 when m has averaged over
# gradients that cancel out? And without bias correction, as in original BERT? Is a warm-up of 100 steps long enough for it?


# %%
def step_lengths(correct_bias: bool, warmup: int, steps: int = 2000) -> list[float]:
    """The average move of a weight at each step, in units of lr, when all gradients are noise."""
    torch.manual_seed(0)
    weights = torch.nn.Parameter(torch.zeros(1000))
    optimizer = AdamW([weights], lr=1.0, correct_bias=correct_bias)
    scheduler = get_scheduler("constant_with_warmup", optimizer, num_warmup_steps=warmup)
    lengths = []
    for _ in range(steps):
        before = weights.detach().clone()
        weights.grad = torch.randn(1000)
        optimizer.step()
        scheduler.step()
        lengths.append((weights.detach() - before).abs().mean().item())
    return lengths


runs = {
    "bias correction, no warm-up": step_lengths(True, 0),
    "bias correction, warm-up of 100": step_lengths(True, 100),
    "original BERT's Adam, no warm-up": step_lengths(False, 0),
    "original BERT's Adam, warm-up of 100": step_lengths(False, 100),
    "original BERT's Adam, warm-up of 1,000": step_lengths(False, 1000),
}
figure = new_figure(width=8.5, height=4)
panel = figure.subplots()
for (name, lengths), style in zip(runs.items(), ("-", "--", "-", "--", ":"), strict=True):
    shown = ", ".join(f"{lengths[step - 1]:.2f} at {step}" for step in (1, 10, 100, 300, 2000))
    print(f"{name:38} {shown}; the longest {max(lengths):.2f}")
    panel.plot(
        range(1, len(lengths) + 1), lengths, style, color="tab:blue" if "bias" in name else "tab:red", label=name
    )
panel.set_xscale("log")
panel.set_xlabel("step (logarithmic)")
panel.set_ylabel("average move, in units of lr")
panel.set_title("How far noise alone carries the weights")
panel.legend()
corrected, corrected_warm, plain, plain_warm, plain_long = runs.values()
assert corrected[0] > 5 * corrected[-1]  # the first step is as long as lr, whatever it follows
assert corrected_warm[0] == plain_warm[0] == 0.0
assert max(corrected_warm) < 1.2 * corrected[-1]  # a short warm-up holds back all that is too long …
assert plain_warm[100] > 2.5 * corrected[100]  # … but not what the missing correction makes too long
assert max(plain_long) < 1.7 * corrected[-1]
show(
    figure,
    "10-noise",
    "Five curves of the average move over the steps: without a warm-up the move begins at one lr, or at three without bias "
    "correction, and falls; with bias correction and a warm-up of 100 it rises slowly to 0.2; original BERT's has a peak of "
    "0.6 at the end of 100 steps of warm-up, and never exceeds 0.24 with 1,000.",
)

# %% [markdown]
# With bias correction the first step follows noise at full length, several times as far as later ones: m has seen one gradient only. That lasts for
# some 10 steps, 1 / (1 − β₁), and even a short warm-up holds those back.
#
# Without the correction there is a second reason, and it lasts longer. v is too small by the factor 1 − β₂ᵗ, so steps are too long by its root, and
# v averages over 1 / (1 − β₂) = 1,000 steps:

# %%
for step in (1, 100, 1000, 10_000):
    print(f"step {step:6,}: too long by a factor of {(1 - 0.9**step) / math.sqrt(1 - 0.999**step):.2f}")
assert math.isclose(plain[999] / corrected[999], (1 - 0.9**1000) / math.sqrt(1 - 0.999**1000), rel_tol=1e-3)

# %% [markdown]
# A warm-up of 100 steps ends where the steps are still three times too long. BERT was pretrained with 10,000 steps of warm-up out of a million
# (Devlin et al. 2019, appendix A.2): by then nothing is left to correct. The *warm-up ratio*, 0.01 there, is the warm-up as a share of the run.
# For fine-tuning 0.1 is the custom, a tenth of the run; there the steps are few, and the bias correction should be on (`correct_bias=True`, the default).
#
# ## And why come down at the end?
#
# A step of full length jumps to and fro over the bottom of a valley; shorter steps settle in it. **What do you expect:** how near
# to its best value of 0 does a weight come, in 400 steps with noisy gradients, at a constant rate and at one that falls?

# %%
for name in ("constant", "linear", "cosine"):
    torch.manual_seed(0)
    weights = torch.nn.Parameter(torch.full((500,), 2.0))
    optimizer = AdamW([weights], lr=0.05)
    scheduler = get_scheduler(name, optimizer, num_warmup_steps=40, num_training_steps=400)
    for _ in range(400):
        weights.grad = weights.detach() + torch.randn(500)  # the slope of ½ θ², and noise
        optimizer.step()
        scheduler.step()
    print(f"{name:9} ends {weights.abs().mean().item():.3f} away from the best")

# %% [markdown]
# ## Summary
#
# - A schedule is a pure function of the step; the scheduler multiplies each group's rate by it, after each optimizer step.
# - Linear with warm-up is BERT's: 0 at step 0, 1 at step `warmup`, 0 at step `total`.
# - The warm-up holds back Adam's first steps, which are long and follow few gradients. Without bias correction these are a thousand.
# - The fall at the end lets the weights settle.
#
# **The code:** [`minibert/optim/schedules.py`](../minibert/optim/schedules.py): the formulas, then what attaches one to an optimizer.
# `minibert plot schedules --out six.svg` draws them.
#
# **Exercises:** [`exercises/10_schedules.py`](exercises/10_schedules.py): the line, the cosine, the restarts, the rates of a run. Check
# them with `minibert check 10`.
#
# **Next:** [11 · Pre-train a small BERT yourself](11_small_bert.py)
