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

# %% [markdown] en="a286674f"
# # 5 · 编码器的一层，以及层的堆叠
#
# 注意力（attention）负责收集；然后每个位置各自思考。两半都套着同样的框架：把输入加回来，再做归一化。
#
# $$
# a = \mathrm{LayerNorm}(x + \mathrm{attention}(x))
# $$
#
# $$
# y = \mathrm{LayerNorm}\bigl(a + W_2\, \mathrm{gelu}(W_1 a + b_1) + b_2\bigr)
# $$
#
# 进去的是 (batch, seq, hidden)，出来的也是，所以层可以一层层叠起来：后一层读前一层写下的东西。
#
# ![x 经过自注意力和一个全连接层，再加上 x 本身，层归一化；然后升到中间宽度，过 gelu，再降回来，加上这一半的输入，层归一化，得到 y](../../docs/zh/figures/layer.svg)

# %% en="82e1a404"
import math

import torch
import torch.nn.functional as F

from course.figures import new_figure, show
from minibert import BertModel, BertTokenizer

tokenizer = BertTokenizer.from_pretrained("shici-4l-256h")
model = BertModel.from_pretrained("shici-4l-256h")
layer = model.encoder.layer[0]

# %% [markdown] en="3467359c"
# ## 后一半：前馈网络
#
# 两个线性映射，中间隔着一个非线性函数：从 256 个数升到 1,024 个，再降回来，每个位置都用同样的权重。
#
# **你猜**没有这个非线性函数会怎样？（一个线性映射接着一个线性映射，合起来是什么？）

# %% en="e02fe3ea"
up, down = layer.intermediate.dense, layer.output.dense
x = torch.randn(5, 256, generator=torch.Generator().manual_seed(0))
with torch.no_grad():
    two_maps = down(up(x))
    one_map = x @ (down.weight @ up.weight).T + down.weight @ up.bias + down.bias
print(f"没有非线性时的差别：{(two_maps - one_map).abs().max():.1e}")
assert torch.allclose(two_maps, one_map, atol=1e-4)

# %% [markdown] en="1e9de060"
# 没有它，一个映射就够了。这里用的非线性函数是 *gelu*：x · Φ(x)，其中 Φ 是一个正态随机数小于 x 的概率。大的数它原样放过，很负的数它压到 0 附近，中间平滑过渡。

# %% en="47ecffa9"
grid = torch.linspace(-4, 4, 200)
by_hand = grid * 0.5 * (1 + torch.erf(grid / math.sqrt(2)))
assert torch.allclose(by_hand, F.gelu(grid), atol=1e-6)
figure = new_figure(width=6, height=3.4)
panel = figure.subplots()
panel.plot(grid, F.relu(grid), color="gray", linestyle=":", label="relu")
panel.plot(grid, by_hand, label="gelu")
panel.axvline(0, color="lightgray", linewidth=0.8, zorder=0)
panel.set_xlabel("x")
panel.legend()
panel.set_title("gelu 先降到 0 以下再回来")
show(
    figure,
    "05-gelu",
    "两条曲线：relu 在 0 以前是 0，之后是直线；gelu 与它相随，但转角圆滑，在左边略低于 0。",
)

# %% [markdown] en="2f3f8350"
# ## 手工计算整个一层
#
# 注意力与第 4 章一样（为了简短，这里直接用库里的），然后是它的输出投影，再套上两次框架。
#
# **你猜猜看：** 相加和归一化，谁先谁后？

# %% en="adda0286"
inputs = tokenizer("床前明月光，疑是地上霜。", return_tensors="pt")
with torch.no_grad():
    hidden_states = model.embeddings(inputs["input_ids"])  # (1, seq, hidden)

    context, _, _ = layer.attention.self(hidden_states)  # (1, seq, hidden)：各头并排
    gathered = layer.attention.output.dense(context)  # 混合各头
    attended = layer.attention.output.LayerNorm(gathered + hidden_states)  # 相加并归一化

    wide = F.gelu(up(attended))  # (1, seq, intermediate)
    thought = down(wide)  # (1, seq, hidden)
    by_hand = layer.output.LayerNorm(thought + attended)  # 相加并归一化

    by_library, *_ = layer(hidden_states)
assert torch.equal(by_hand, by_library)
print("与 BertLayer 逐比特相等；形状：", tuple(context.shape), "→", tuple(wide.shape), "→", tuple(by_hand.shape))

# %% [markdown] en="cf1f470c"
# 先相加，最后做层归一化（LayerNorm），这叫*后归一化*（post-norm）。（GPT-2 和后来的多数模型用*前归一化*（pre-norm）：只归一化进入每一半的东西，相加的结果不再动它。）
#
# 为什么要把输入加回来？这样的*残差连接*（residual connection），也叫*跳跃连接*（skip connection），让一层只需要学会*改变*什么。而且梯度（gradient）有一条近路绕过每一半：穿过加法，除层归一化外什么也不经过。[问答](../../docs/zh/quiz.md#9-残差连接起什么作用)里训练了没有残差连接的和前归一化的小 BERT。
#
# ## 每一半改变了多少？
#
# **你猜猜看：** 哪一半让向量移动得更多，收集还是思考？

# %% en="4ca99c81"
changes: dict[str, list[float]] = {"注意力": [], "前馈网络": []}
with torch.no_grad():
    x = model.embeddings(inputs["input_ids"])
    for block in model.encoder.layer:
        gathered = block.attention.output.dense(block.attention.self(x)[0])
        attended = block.attention.output.LayerNorm(gathered + x)
        thought = block.output.dense(block.intermediate(attended))
        changes["注意力"].append((gathered.norm(dim=-1) / x.norm(dim=-1)).mean().item())
        changes["前馈网络"].append((thought.norm(dim=-1) / attended.norm(dim=-1)).mean().item())
        x = block.output.LayerNorm(thought + attended)
    assert torch.equal(x, model(**inputs).last_hidden_state)
for half, shares in changes.items():
    print(f"{half:13}", "  ".join(f"第 {number} 层：{share:.2f}" for number, share in enumerate(shares)))
larger = [max(changes, key=lambda half: changes[half][number]) for number in range(4)]
assert larger == ["前馈网络", "前馈网络", "前馈网络", "注意力"]

# %% [markdown] en="d6755b62"
# （每个数是“加上去的向量的长度”除以“被加的向量的长度”。）前三层里，思考让向量移动得多得多：加上去的是被加的近三倍到六倍多，层归一化再把结果拉回差不多的大小。到了最后一层，两者相近，收集的略多。哪一半移动得更多，没有谁规定，是训练的结果：英文版那个读小说的模型，就是第 0 层收集得更多，往上都是思考更多。
#
# ## 层层堆叠，使词依赖于它的邻居
#
# 下面三段文本里，“月”都在位置 4：词和位置的嵌入都完全相同。如果一个“月”是天上的月亮，另一个是“三月”的月，**你猜**每过一层它的向量会怎样？两个都是月亮呢？

# %% en="b4459529"
text = "江上秋月白，天边孤雁飞。"
alike = "今夜江月白，与君同此时。"
other = "烟花三月下扬州。"


def states_of(text: str, word: str) -> torch.Tensor:
    """这个词在嵌入层之后和每一层之后的向量：(layers + 1, hidden)。"""
    encoded = tokenizer(text, return_tensors="pt")
    place = encoded["input_ids"][0].tolist().index(tokenizer.vocab[word])
    with torch.no_grad():
        return torch.stack(model(**encoded, output_hidden_states=True).hidden_states)[:, 0, place]


same_sense = torch.cosine_similarity(states_of(text, "月"), states_of(alike, "月"), dim=-1)
two_senses = torch.cosine_similarity(states_of(text, "月"), states_of(other, "月"), dim=-1)
figure = new_figure(width=7, height=3.6)
panel = figure.subplots()
panel.plot(same_sense, marker="o", label=f"“{text}”与“{alike}”")
panel.plot(two_senses, marker="o", label=f"“{text}”与“{other}”")
panel.set_xticks(range(5), ["嵌入层", *(f"第 {n} 层" for n in range(4))])
panel.set_ylim(0, 1.05)
panel.set_ylabel("两个“月”的向量的余弦")
panel.set_title("在附带的模型里，两个意思一层层分开")
panel.legend()
assert same_sense[-1] > two_senses[-1]
show(
    figure,
    "05-senses",
    "随层数变化的两条折线，都从 1 开始：两个月亮的一直在 0.85 以上，月亮与三月的降到约 0.55。",
)

# %% [markdown] en="140da265"
# 它们一开始完全一样。第一层已经看见了邻居，把两个意思分开；两个月亮则一直离得很近。这样的向量叫*上下文相关的*（contextual）：它说的是一个词在这里是什么，而不是它在词典里是什么。
#
# ## 参数都在哪里
#
# **你猜猜看：** 一层里的数，大部分在哪一块？

# %% en="181e1d6d"
parts = {
    "查询、键、值": sum(p.numel() for n, p in layer.named_parameters() if ".self." in n),
    "注意力的输出": sum(p.numel() for n, p in layer.named_parameters() if "attention.output.dense" in n),
    "前馈网络": sum(p.numel() for m in (up, down) for p in m.parameters()),
    "两个 LayerNorm": sum(p.numel() for n, p in layer.named_parameters() if "LayerNorm" in n),
}
whole = sum(parameter.numel() for parameter in layer.parameters())
for name, count in parts.items():
    print(f"{name:20} {count:>8,}  {count / whole:4.0%}")
assert sum(parts.values()) == whole == 12 * 256 * 256 + 13 * 256

# %% [markdown] en="d199ca9a"
# 当 intermediate = 4 · hidden 时，一共是十二个 hidden × hidden 的方阵：注意力占四个，前馈网络（feed-forward network）占八个。BERT-base（hidden 768，12 层）的 1.1 亿参数里，这些占了 8,500 万。
#
# ## 小结
#
# - 一层由注意力和前馈网络组成，各套一个“相加并归一化”的框架，先相加，最后层归一化。
# - 正是 gelu 这个非线性函数，使两个线性映射不只等于一个。
# - 层的输入输出同形；叠起来，就把词的向量变成词在上下文中的向量。
# - 一层的数有三分之二在前馈网络里。
#
# **代码：**[`minibert/model/layer.py`](../../minibert/model/layer.py)、[`encoder.py`](../../minibert/model/encoder.py) 和[`activations.py`](../../minibert/model/activations.py)。
#
# **练习：**[`exercises/05_encoder.py`](exercises/05_encoder.py)：gelu、前馈网络、相加并归一化，以及数参数。用 `minibert check 5` 检查。
#
# **下一章：**[6 · 池化层与任务头](06_heads.py)
