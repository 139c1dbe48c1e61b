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

# %% [markdown] en="393f7f60"
# # 9 · AdamW，不衰减的参数组，以及为什么
#
# 训练就是把梯度（gradient）变成一步一步的移动。BERT 的办法是 AdamW：也就是 Adam，只是权重衰减（weight decay）不经过梯度，单独进行。参数 θ 的梯度是 g，在第 t 步，`transformers` 以及本库是这样算的：
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
# ![梯度进入两个滑动平均：g 的平均 m 和 g² 的平均 v；商 m / (√v + ε) 乘以步长来移动 θ；然后权重衰减不经过这个除法，直接取走 θ 的一部分](../../docs/zh/figures/adamw.svg)

# %% en="f15ab9c2"
import math

import torch

from course.figures import new_figure, show
from minibert import AdamL2, AdamW, BertForMaskedLM, BertTokenizer, no_decay_groups

# %% [markdown] en="4037f711"
# ## 手工走一步
#
# 一个有三个数的参数，梯度大小悬殊。**你猜猜看：** lr 为 0.1 时，第一步里每个数移动多远？与它的梯度成正比吗？

# %% en="2fa4f489"
lr, beta1, beta2, eps, decay = 0.1, 0.9, 0.999, 1e-6, 0.0
theta = torch.tensor([1.0, 1.0, 1.0])
gradient = torch.tensor([100.0, 1.0, -0.01])

m = (1 - beta1) * gradient  # 两个平均都从 0 开始
v = (1 - beta2) * gradient**2
size = lr * math.sqrt(1 - beta2**1) / (1 - beta1**1)
by_hand = theta - size * m / (v.sqrt() + eps)
print("移动了", (by_hand - theta).tolist())

parameter = torch.nn.Parameter(theta.clone())
optimizer = AdamW([parameter], lr=lr, betas=(beta1, beta2), eps=eps, weight_decay=decay)
parameter.grad = gradient
optimizer.step()
assert torch.allclose(parameter, by_hand, atol=1e-7)

# %% [markdown] en="3b9565a4"
# 不论梯度多大，每个数移动的距离都几乎恰好是 lr：m / √v 保留符号，丢掉大小。所以 lr 是一个长度，同一个 lr 对词嵌入（embedding）和 LayerNorm 都合适。（最后一个移动得略少：它的 √v 太小，ε 起了作用。）此后各步，梯度方向一致时仍有这么长；方向不一、在 m 里互相抵消时就短一些，第 10 章会量一量短多少。
#
# ## 为什么要偏差校正？
#
# m 和 v 从 0 开始，起初都偏小：m 只有应有的 1 − β₁ᵗ，v 只有应有的 1 − β₂ᵗ。s 里的偏差校正（bias correction）把两者都补回来。如果没有它，而每一步的梯度都相同，**你猜会怎样？**（第 1 步，m 是 0.1 g，√v 是 0.03 |g|。）


# %% en="622c4118"
def walk(correct_bias: bool, steps: int) -> list[float]:
    """梯度总是 1 时，每一步走多远，以 lr 为单位。"""
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
print(f"第一步：校正后 {corrected[0]:.2f} lr，不校正 {original[0]:.2f} lr")
print(f"不校正时最长的一步：{max(original):.2f} lr，在第 {original.index(max(original)) + 1} 步")
assert math.isclose(original[0], (1 - 0.9) / math.sqrt(1 - 0.999), rel_tol=1e-4)

# %% [markdown] en="dfa368b3"
# 没有校正，最初几步会比应有的长好几倍。最初的 BERT 代码没有校正（`correct_bias=False`），之所以没出问题，是因为它的学习率（learning rate）从 0 开始：见第 10 章。
#
# ## 衰减不是惩罚
#
# 让权重保持较小有两种办法：给损失加上 ½ λ θ²，它的梯度是 λ θ（*L2 惩罚*，也叫 L2 正则化）；或者每一步从权重里减去它自己的 lr · λ 倍（*权重衰减*）。对普通的梯度下降来说，两者走的是同一步：

# %% en="29324d87"
theta, gradient, lr, decay = torch.tensor([2.0, -3.0]), torch.tensor([0.5, 4.0]), 0.1, 0.25
penalised = theta - lr * (gradient + decay * theta)
decayed = theta - lr * gradient - lr * decay * theta
assert torch.allclose(penalised, decayed)

# %% [markdown] en="46f63c73"
# Adam 会丢掉梯度的大小，对它来说**你猜会怎样？**
#
# 为了只看把权重拉向 0 的那股力，让梯度全是 0 附近的噪声：500 个权重的梯度大，另外 500 个的只有它的十分之一。它们都从 1 出发，两种方法的 lr 和 λ 相同。

# %% en="5423a113"
LR, DECAY, STEPS = 1e-3, 0.1, 2000
sizes = torch.tensor([3.0, 0.3])  # 梯度的标准差：大、小


def shrink(kind: type[AdamW]) -> torch.Tensor:
    """每一步之后，权重平均还剩多少：(steps, 2)。"""
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
    panel.plot(left[:, 0], color="tab:blue", linewidth=3, alpha=0.6, label="梯度大")
    panel.plot(left[:, 1], color="tab:red", linestyle="--", label="梯度小")
    panel.set_title("带 L2 惩罚的 Adam" if kind is AdamL2 else "AdamW")
    panel.set_xlabel("步")
    panel.set_ylabel("从 1 出发的权重还剩多少")
    panel.set_ylim(0.4, 1.02)
    panel.legend(loc="lower left")
    print(f"{kind.__name__:7} 在梯度大处剩 {left[-1, 0]:.2f}，在梯度小处剩 {left[-1, 1]:.2f}")
print(f"(1 − lr λ)^{STEPS} = {(1 - LR * DECAY) ** STEPS:.2f}")
assert torch.allclose(ends[AdamW], torch.full((2,), (1 - LR * DECAY) ** STEPS), atol=0.01)
by_size = torch.exp(-STEPS * LR * DECAY / (sizes**2 + DECAY**2).sqrt())  # 惩罚要经过除以 √v
assert torch.allclose(ends[AdamL2], by_size, atol=0.02)
figure.suptitle("同一个 λ，作为梯度里的惩罚，与作为衰减")
show(
    figure,
    "09-decay",
    "两幅图，2,000 步里权重还剩多少。左边，L2 惩罚：梯度大的权重剩 0.94，"
    "梯度小的剩 0.52。右边，AdamW：两者在同一条曲线上，终点是 0.82。",
)

# %% [markdown] en="ec7f87ba"
# 放在梯度里，惩罚就随其余部分一起除以 √v：梯度大小为 σ 的权重，一步大约缩小 lr · λ / σ，所以梯度大、正在出力的权重几乎不衰减。AdamW 则不管梯度大小，从每个权重里取走同样的比例 lr · λ。Loshchilov 和 Hutter 改正的就是这一点，名字里的 W 指的也是它。
#
# ## 衰减的是哪个 θ：旧的还是新的？
#
# 走一步和衰减之间有先后，各家的代码并不一致：
#
# | | 按哪个参数的大小来衰减 | |
# |---|---|---|
# | Google 的 BERT（`optimization.py`），Loshchilov 与 Hutter 的算法 2，`torch.optim.AdamW` | 走这一步之前的参数 | $θ − \mathrm{lr}\, (u + λ θ)$ |
# | `transformers` 的 AdamW，因此也是本库的 | 走完这一步之后的参数 | $(1 − \mathrm{lr}\, λ)\, (θ − \mathrm{lr}\, u)$ |
# | 带 L2 惩罚的 Adam | 没有单独的衰减：λ θ 在梯度里，因而也在 m、v 和 u 里 | $θ − \mathrm{lr}\, u$ |
#
# 这里 u 是这一步的方向：$m / (\sqrt{v} + ε)$，校正与否均可。**你猜猜看：** 走一步之后，前两种相差多少？学习率取 0.1，以及微调时的 2 · 10⁻⁵。

# %% en="e952d7e0"
for lr in (0.1, 2e-5):
    parameter, torchs = (torch.nn.Parameter(torch.ones(1, dtype=torch.float64)) for _ in range(2))
    for each, optimizer in (
        (parameter, AdamW([parameter], lr=lr, eps=0.0, weight_decay=0.5)),
        (torchs, torch.optim.AdamW([torchs], lr=lr, eps=0.0, weight_decay=0.5)),
    ):
        each.grad = torch.full_like(each, 3.0)  # 第 1 步，u = 1
        optimizer.step()
    assert math.isclose(torchs.item(), 1 - lr * (1 + 0.5 * 1), rel_tol=1e-12)  # 按旧参数衰减
    assert math.isclose(parameter.item(), (1 - lr * 0.5) * (1 - lr), rel_tol=1e-12)  # 按走完一步之后的参数衰减
    apart = parameter.item() - torchs.item()
    print(f"lr {lr}：相差 {apart:.0e}")
    assert math.isclose(apart, lr**2 * 0.5, rel_tol=1e-4)

# %% [markdown] en="ca251aa3"
# 相差 lr² · λ · u：微调时，这远小于 1 附近两个相邻 float32 数的间距 6 · 10⁻⁸（第 17 章）。没有哪个模型会因此变好或变坏。但要证明*逐比特*相等，就必须选定其中一种，而这里的参考是 `transformers`。
#
# ## 谁衰减，谁不衰减
#
# BERT 衰减各个矩阵，包括嵌入，而放过偏置（bias）和 LayerNorm。**你猜猜看：** 不衰减的数占多大比例？

# %% en="ccd51bf1"
model = BertForMaskedLM.from_pretrained("shici-4l-256h")
groups = no_decay_groups(model, weight_decay=0.01)
for group in groups:
    count = sum(parameter.numel() for parameter in group["params"])
    print(f"{group['name']:9} λ = {group['weight_decay']:<5} {len(group['params']):3} 个张量，{count:>9,} 个数")
    print("          例如", ", ".join(group["parameter_names"][3:6]))

# %% [markdown] en="e4c0f5a2"
# 手工来做只要一行：名字里是否含有下面之一？

# %% en="41b57961"
exempt = ("bias", "LayerNorm.bias", "LayerNorm.weight")
by_hand = [name for name, _ in model.named_parameters() if not any(part in name for part in exempt)]
assert by_hand == groups[0]["parameter_names"]

# %% [markdown] en="105bbf8a"
# **为什么放过它们？** 衰减是为了不让模型用很大的权重去迎合训练数据。偏置不与任何东西相乘，只能平移；而 LayerNorm 的权重最好的取值在 1 附近，不在 0 附近。某一维如果得不到多少梯度，光是衰减就会把它磨没。若没有梯度进来，lr 为 10⁻³、λ 为 0.01，走 10,000 步之后，**你猜** LayerNorm 的缩放系数变成多少？

# %% en="a2d58e84"
scale = torch.nn.Parameter(torch.ones(1, dtype=torch.float64))
optimizer = AdamW([scale], lr=1e-3, weight_decay=0.01)
for _ in range(10_000):
    scale.grad = torch.zeros(1, dtype=torch.float64)
    optimizer.step()
print(f"从 1.00 到 {scale.item():.3f}")
assert math.isclose(scale.item(), (1 - 1e-3 * 0.01) ** 10_000, rel_tol=1e-9)

# %% [markdown] en="c1c591c8"
# 白白少了十分之一。影响不算大，可是避免它也几乎不费什么：放过的参数还不到百分之一。
#
# ## 真正走一步
#
# **你猜猜看：** 用一个句子走一步之后，哪些参数动了，动了多远？

# %% en="54e2185c"
tokenizer = BertTokenizer.from_pretrained("shici-4l-256h")
inputs = tokenizer("海上生明[MASK]，天涯共此时。", return_tensors="pt")
labels = torch.where(inputs["input_ids"] == tokenizer.mask_token_id, tokenizer.vocab["日"], -100)
before = {name: parameter.detach().clone() for name, parameter in model.named_parameters()}
optimizer = AdamW(groups, lr=1e-4)
loss = model(**inputs, labels=labels).loss
loss.backward()
optimizer.step()
with torch.no_grad():
    print(f"走这一步之前损失 {loss.item():.3f}，之后 {model(**inputs, labels=labels).loss.item():.3f}")
moved = {name: (parameter - before[name]).abs().max().item() for name, parameter in model.named_parameters()}
for name in (
    "bert.embeddings.LayerNorm.weight",
    "bert.encoder.layer.0.attention.self.query.weight",
    "cls.predictions.bias",
):
    print(f"{name:50} 最大移动 {moved[name] / 1e-4:.3f} lr")
decayed = set(groups[0]["parameter_names"])
for name, far in moved.items():
    share = 0.01 * before[name].abs().max().item() if name in decayed else 0.0  # λ |θ|
    assert far <= 1e-4 * (1 + share) + 1e-6  # 再加 float32 的舍入

# %% [markdown] en="0d76cb64"
# 这一步本身没有让任何参数移动超过 lr：第一段代码里三个数的情形，对五百万个数也成立。矩阵里多出的那一点，是衰减取走的 lr · λ · |θ|。
#
# ## 小结
#
# - m / √v 的符号是平均梯度的符号，梯度一致时大小接近 1：所以 lr 大约就是最长的一步。
# - 偏差校正避免最初几步太长；最初的 BERT 把这件事交给预热。
# - 权重衰减按比例减小权重自己；L2 惩罚还要除以 √v，是另一回事。
# - Google 的 BERT 按旧参数衰减，`transformers`（和本库）按走完一步之后的参数衰减：相差 lr² λ。
# - 矩阵和嵌入衰减；偏置和 LayerNorm 不衰减。
#
# ε 在这里加在偏差校正之前，在 `torch.optim.AdamW` 里加在之后：[`docs/optimizer.md`](../../docs/zh/optimizer.md) 有一张表。
#
# **代码：**[`minibert/optim/adamw.py`](../../minibert/optim/adamw.py)：`plain_update` 就是那四行，`AdamW` 是外面的优化器，`AdamL2` 是惩罚；[`groups.py`](../../minibert/optim/groups.py)。
#
# **练习：**[`exercises/09_adamw.py`](exercises/09_adamw.py)：两个平均、步长、更新、谁衰减。用 `minibert check 9` 检查。
#
# **下一章：**[10 · 预热与六种学习率调度](10_schedules.py)
