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

# %% [markdown] en="3108ce56"
# # 10 · 预热与六种学习率调度
#
# 学习率（learning rate）大约就是 Adam 走的最长一步（第 9 章）。学习率调度（schedule）让它在训练中时长时短：对每一步给出一个 0 到 1 之间的数，与学习率相乘。常用的有六种。

# %% en="5d740e9f"
import math

import torch

from course.figures import new_figure, show
from minibert import TYPE_TO_SCHEDULER_FUNCTION, AdamW, get_linear_schedule_with_warmup, get_scheduler
from minibert.optim import schedules

print(", ".join(kind.value for kind in TYPE_TO_SCHEDULER_FUNCTION))

# %% [markdown] en="fa2efdaa"
# ![系数随步数变化的六条小曲线：常数、带预热的常数、线性、余弦、带重启的余弦，以及 2 次多项式](../../docs/zh/figures/schedules.svg)
#
# ## BERT 自己用的：带预热的线性调度
#
# 沿直线上升，再沿直线下降。一共 10 步，其中 4 步是预热（warm-up）；步数从 0 数起。**你猜猜看：** 第 0 步、第 4 步、第 10 步的系数各是多少？


# %% en="a8836777"
def linear(step: int, warmup: int, total: int) -> float:
    """先是 step / warmup，然后沿直线在第 `total` 步降到 0，此后为 0。"""
    if step < warmup:
        return step / warmup
    return max(0.0, (total - step) / (total - warmup))


print([round(linear(step, 4, 10), 2) for step in range(12)])
assert all(linear(step, 4, 10) == schedules.linear(step, 4, 10) for step in range(20))

# %% [markdown] en="4c334810"
# 第一步的学习率是 0：它什么也不改变，只是让 Adam 的两个平均开始积累。峰值在第 `warmup` 步；系数 0 属于第 `total` 步；步数从 0 数起，一共 `total` 步的训练走不到那里。
#
# ## 全部六种
#
# 把余弦放在直线旁边，**你猜**它哪里在上、哪里在下？

# %% en="9cc6e292"
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
figure.supxlabel("步（虚线：预热结束；浅色：线性）")
figure.supylabel("学习率的系数")
figure.suptitle("六种调度，1,000 步中预热 100 步")
show(
    figure,
    "10-schedules",
    "六幅图，系数随步数变化，背后都衬着线性调度：常数；升上去不再变；"
    "上升后沿直线下降；上升后沿余弦下降；三段余弦下降，每段重新从 1 开始；"
    "以及垂在直线下面的下降。",
)

# %% [markdown] en="7c04dbb6"
# 余弦在高处停留更久，中段降得更快，落地很轻：
#
# $$
# \mathrm{factor} = \frac{1 + \cos(π · \mathrm{progress})}{2}
# $$
#
# 手工计算，取下降到一半和四分之一处：

# %% en="8a5b0ef9"
for progress in (0.25, 0.5):
    step = warmup + progress * (total - warmup)
    assert math.isclose(schedules.cosine(step, warmup, total), 0.5 * (1 + math.cos(math.pi * progress)))
    print(f"进度 {progress}：余弦 {schedules.cosine(step, warmup, total):.3f}，线性 {linear(step, warmup, total):.3f}")

# %% [markdown] en="e75d57e2"
# 重启就是跳回 1，从更好的地方重新出发。1 次多项式就是那条直线，2 次的曲线垂在它下面。
#
# ## 装到优化器上
#
# 调度器给每个参数组的学习率乘上系数。每走一步都要调用它一次，而且要在优化器（optimizer）走完*之后*。lr 为 0.1、预热 2 步，**你猜**四步用的学习率各是多少？

# %% en="a8643a6a"
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

# %% [markdown] en="d4aa3616"
# 忘了 `scheduler.step()`，学习率就一直停在第 0 步的值，也就是 0：损失一动不动，也不报错。哪天训练什么也没学到，先查查是不是这里。
#
# 按名字取任何一种调度；每一种都是上面的公式，装在优化器上：

# %% en="6f57a29c"
for name in ("constant", "constant_with_warmup", "linear", "cosine"):
    optimizer = AdamW([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    scheduler = get_scheduler(name, optimizer, num_warmup_steps=warmup, num_training_steps=total)
    for step in range(300):
        assert math.isclose(scheduler.get_last_lr()[0], formulas[name](step), abs_tol=1e-12), name
        optimizer.step()
        scheduler.step()
print("相等")

# %% [markdown] en="911c3b54"
# ## 为什么要预热？
#
# 不论梯度（gradient）如何，Adam 最初的几步都有一个 lr 那么长（第 9 章），而那时它的两个平均几乎什么也没见过：这几步的方向只是几个批次的方向。对预训练好的模型，这很危险：几步乱走就可能毁掉它学到的许多东西。
#
# 要看看有多乱，就只喂给 AdamW 噪声：1,000 个权重，每个梯度都是新的随机数。理想的优化器应该原地不动。以 lr 为单位，**你猜**第 1 步平均走多远？到第 2,000 步，m 已对互相抵消的梯度求过平均，又走多远？
# 如果像最初的 BERT 那样没有偏差校正呢？预热 100 步对它够长吗？


# %% en="24ef5765"
def step_lengths(correct_bias: bool, warmup: int, steps: int = 2000) -> list[float]:
    """梯度全是噪声时，每一步权重平均移动多少，以 lr 为单位。"""
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
    "偏差校正，无预热": step_lengths(True, 0),
    "偏差校正，预热 100 步": step_lengths(True, 100),
    "最初 BERT 的 Adam，无预热": step_lengths(False, 0),
    "最初 BERT 的 Adam，预热 100 步": step_lengths(False, 100),
    "最初 BERT 的 Adam，预热 1,000 步": step_lengths(False, 1000),
}
figure = new_figure(width=8.5, height=4)
panel = figure.subplots()
for (name, lengths), style in zip(runs.items(), ("-", "--", "-", "--", ":"), strict=True):
    shown = ", ".join(f"第 {step} 步 {lengths[step - 1]:.2f}" for step in (1, 10, 100, 300, 2000))
    print(f"{name:38} {shown}；最长 {max(lengths):.2f}")
    panel.plot(
        range(1, len(lengths) + 1), lengths, style, color="tab:blue" if "校正" in name else "tab:red", label=name
    )
panel.set_xscale("log")
panel.set_xlabel("步（对数刻度）")
panel.set_ylabel("平均移动，以 lr 为单位")
panel.set_title("单凭噪声，权重会被带走多远")
panel.legend()
corrected, corrected_warm, plain, plain_warm, plain_long = runs.values()
assert corrected[0] > 5 * corrected[-1]  # 不论追着什么，第一步都有 lr 那么长
assert corrected_warm[0] == plain_warm[0] == 0.0
assert max(corrected_warm) < 1.2 * corrected[-1]  # 很短的预热就能按住所有过长的步……
assert plain_warm[100] > 2.5 * corrected[100]  # ……但按不住因缺少校正而过长的步
assert max(plain_long) < 1.7 * corrected[-1]
show(
    figure,
    "10-noise",
    "五条平均移动的曲线：没有预热时从一个 lr（不校正则从三个 lr）开始下降；"
    "有校正并预热 100 步时慢慢升到 0.2；最初 BERT 的在 100 步预热结束时有 0.6 的峰，"
    "预热 1,000 步时从不超过 0.24。",
)

# %% [markdown] en="6079f66a"
# 有偏差校正（bias correction）时，第一步就迈出整整一个 lr 去追噪声，是后来的好几倍：m 只见过一个梯度。这种情形持续大约 1 / (1 − β₁)，即 10 步左右，很短的预热就能按住。
#
# 没有校正时，还有第二个原因，而且持续得更久。v 只有应有的 1 − β₂ᵗ，步子因此过长，倍数与它的平方根成反比，而 v 是对 1 / (1 − β₂) = 1,000 步求的平均：

# %% en="2cfffa8c"
for step in (1, 100, 1000, 10_000):
    print(f"第 {step:6,} 步：过长的倍数 {(1 - 0.9**step) / math.sqrt(1 - 0.999**step):.2f}")
assert math.isclose(plain[999] / corrected[999], (1 - 0.9**1000) / math.sqrt(1 - 0.999**1000), rel_tol=1e-3)

# %% [markdown] en="9c832502"
# 预热 100 步结束时，步子仍然长三倍。BERT 预训练（pre-training）的一百万步里有 10,000 步预热（Devlin 等 2019，附录 A.2）：到那时已经没有什么需要校正了。*预热比例*（warm-up ratio）就是预热占整个训练的份额，那里是 0.01。微调时习惯用 0.1，即训练的十分之一；微调步数少，偏差校正应当打开（`correct_bias=True`，默认值）。
#
# ## 为什么最后要降下来？
#
# 步子一直不缩短，就会在谷底跳来跳去；短下来才能落定。一个权重的最佳值是 0，梯度带噪声，走 400 步，学习率不变，或者逐渐下降，**你猜**它各能走到离 0 多近？

# %% en="44486581"
for name in ("constant", "linear", "cosine"):
    torch.manual_seed(0)
    weights = torch.nn.Parameter(torch.full((500,), 2.0))
    optimizer = AdamW([weights], lr=0.05)
    scheduler = get_scheduler(name, optimizer, num_warmup_steps=40, num_training_steps=400)
    for _ in range(400):
        weights.grad = weights.detach() + torch.randn(500)  # ½ θ² 的斜率，加上噪声
        optimizer.step()
        scheduler.step()
    print(f"{name:9} 终点离最佳值 {weights.abs().mean().item():.3f}")

# %% [markdown] en="d7e889f1"
# ## 小结
#
# - 调度是步数的纯函数；调度器在优化器每走一步之后，给各参数组的学习率乘上它。
# - BERT 用带预热的线性调度：第 0 步是 0，第 `warmup` 步是 1，第 `total` 步是 0。
# - 预热按住 Adam 最初的几步，它们很长，依据的梯度又很少。没有偏差校正时，这样的步有一千步。
# - 最后的下降让权重落定。
#
# **代码：**[`minibert/optim/schedules.py`](../../minibert/optim/schedules.py)：先是公式，再是把公式装到优化器上的部分。`minibert plot schedules --out six.svg` 把它们画出来。
#
# **练习：**[`exercises/10_schedules.py`](exercises/10_schedules.py)：直线、余弦、重启、一次训练里的学习率。用 `minibert check 10` 检查。
#
# **下一章：**[11 · 自己预训练一个小 BERT](11_small_bert.py)
