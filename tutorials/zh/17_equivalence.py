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

# %% [markdown] en="72051701"
# # 17 · 证明等价：比特、容差，以及一个埋好的错误
#
# “我的模型给出的数差不多”证明不了什么：有小错误时也差不多。本库声称的更多：同一个随机种子，给出与 transformers 4.12.5 相同的**比特**。这一章说明这是什么意思，怎样检验，以及怎样找到两个模型分道扬镳的地方。只需要一个库：我们拿自己的模型互相比较，再与记录下来的数比较。

# %% en="862494bf"
import math

import torch
from torch import Tensor

from course.figures import new_figure, show
from minibert import BertConfig, BertForMaskedLM, BertModel, BertTokenizer
from minibert.fast import same_in_any_batch
from minibert.microscope import compare
from minibert.model.attention import BertSelfAttention

tokenizer = BertTokenizer.from_pretrained("shici-4l-256h")
inputs = tokenizer(["举头望明[MASK]，低头思故乡。", "独坐幽篁里，弹[MASK]复长啸。"], padding=True, return_tensors="pt")

# %% [markdown] en="ed17016d"
# ## 浮点数是一张网格
#
# 一个 float32 有 24 位二进制数字，约 7 位十进制。相邻两个数之间什么也没有；这段距离叫*末位单位*（ulp），数越大它越大。**你猜猜看：** 从 1 到下一个浮点数有多远？从 100,000,000 呢？

# %% en="35b28672"
for number in (1.0, 1000.0, 100_000_000.0):
    x = torch.tensor(number)
    print(f"从 {number:>13,.0f} 到下一个浮点数：{(torch.nextafter(x, x + x) - x).item():.3g}")
large, one = torch.tensor(1e8), torch.tensor(1.0)
print("10⁸ + 1 − 10⁸ =", (large + one - large).item(), "   10⁸ − 10⁸ + 1 =", (large - large + one).item())

# %% [markdown] en="e1fe99c4"
# 每个和都要舍入到网格上。所以 (a + b) + c 与 a + (b + c) 可能不同：相加的次序是结果的一部分。
#
# 把 10,000 个数用 float32 按四种次序相加，**你猜会怎样？**

# %% en="f3586f15"
numbers = torch.rand(10_000, generator=torch.Generator().manual_seed(0))
exact = math.fsum(numbers.tolist())


def one_by_one(numbers: Tensor) -> Tensor:
    total = torch.zeros(())
    for number in numbers:
        total = total + number
    return total


for name, total in (
    ("从左到右", one_by_one(numbers)),
    ("从右到左", one_by_one(numbers.flip(0))),
    ("从小到大", one_by_one(numbers.sort().values)),
    ("torch.sum 的次序", numbers.sum()),
):
    print(f"{name:21} {total.item():.6f}   误差 {abs(total.item() - exact):.1e}")

# %% [markdown] en="c3790c27"
# 全都有五位以上的数字是对的。但它们并不*相等*，而一个网络就是几千个这样的和，一个接一个。
#
# ## 逐比特相等
#
# 两个程序以同样的次序做同样的运算，比特就相同。这时差别是 0.0，不需要容差。同样的权重，一次用手写的注意力（attention，*eager*），再用一次，一次用融合的（*sdpa*），**你猜会怎样？**

# %% en="ad0f099e"
eager = BertForMaskedLM.from_pretrained("shici-4l-256h", attn_implementation="eager").eval()
again = BertForMaskedLM.from_pretrained("shici-4l-256h", attn_implementation="eager").eval()
fused = BertForMaskedLM.from_pretrained("shici-4l-256h", attn_implementation="sdpa").eval()
with torch.no_grad():
    scores = eager(**inputs).logits
    for name, other in (("再次 eager", again), ("sdpa", fused)):
        print(f"{name:12} 最大差别 {(scores - other(**inputs).logits).abs().max().item():.1e}")
    assert torch.equal(scores, again(**inputs).logits)
print(f"（分数最大到 {scores.abs().max().item():.0f}）")

# %% [markdown] en="0f33fc4d"
# 融合的注意力是同样的数学，求和方式不同：最后几位不一样。两者都没有错。但如果你*本意*是做同样的运算，那么任何差别都值得注意：正因如此，检验 0.0 比带容差的检验看到的更多。
#
# ## 同一段文本，换一个批次
#
# 一段文本先单独打分，再放进一个批次（batch），旁边是一段更长的文本，它被填充（padding）到同样的长度。掩码遮住了填充：它们的概率正好是 0，0 乘任何数都不增加什么。**你猜猜看：** 这段文本的分数，比特还相同吗？

# %% en="20fde733"
texts = [
    "床前明月[MASK]。",
    "春江潮水连海平，海上明[MASK]共潮生。滟滟随波千万里，何处春江无月明。",
]
alone, batch = (tokenizer(chosen, padding=True, return_tensors="pt") for chosen in (texts[:1], texts))
length = alone["input_ids"].size(1)


def scores_of_the_first(batch: dict[str, Tensor]) -> Tensor:
    with torch.no_grad():
        return eager(**batch).logits[0, :length]


apart = (scores_of_the_first(alone) - scores_of_the_first(batch)).abs().max().item()
print(f"单独，与在另一段旁边：    {apart:.1e}")
with same_in_any_batch(eager):
    apart = (scores_of_the_first(alone) - scores_of_the_first(batch)).abs().max().item()
print(f"在 same_in_any_batch 里： {apart:.1e}")
assert apart == 0.0

# %% [markdown] en="20eb384c"
# 没有任何东西从一段文本漏到另一段；变的是*相加的次序*。矩阵乘法库把工作切成块，切在哪里取决于有多少行、多少列：一个词元走的代码与两百个词元不同；8 个键与 20 个键分组相加的方式也不同，哪怕其中 12 个不起作用。两个线程时，各行又以另一种方式分摊。所以，邻居、填充或线程数一变，同一段文本的最后几位就变；当两个词的分数如此接近时，贪心的 `generate` 可能选出另一个词。
#
# [`same_in_any_batch`](../../minibert/fast/any_batch.py) 用最朴素的办法消除这一切：每段文本单独运行，不带填充，单线程。这样它的比特就只属于它自己。代价多大，以及用 10,000 个随机批次检验它是否说到做到，见[一致性报告](../../docs/zh/parity.md#在任何批次里答案相同)。
#
# 处理器也有决定权。[一张表](../../docs/zh/bits.md)列出哪些设置会改变比特：更宽的指令一次相加更多的数，分组也就不同；PyTorch 换一个版本，内部代码也可能不同。在其中每一种设置下，minibert 与 transformers 4.12.5 都并排运行过。“逐比特（to the bit）相同”能有的含义就是这个：**在同样的设置下**，以同样的次序做同样的运算。
#
# ## 同样的抽取
#
# 权重从随机数开始，dropout 还要抽更多。种子固定了随机数的序列；谁先抽，谁得到前面的。如果一个程序在开头多抽了一个数，**你猜会怎样？**

# %% en="57eba729"
tiny = BertConfig(
    vocab_size=99,
    hidden_size=32,
    num_hidden_layers=2,
    num_attention_heads=4,
    intermediate_size=37,
    max_position_embeddings=24,
)


def weights_after(seed: int, draws_before: int = 0) -> Tensor:
    torch.manual_seed(seed)
    torch.rand(draws_before)
    return BertModel(tiny).encoder.layer[0].attention.self.query.weight


print("同样的种子：  ", torch.equal(weights_after(0), weights_after(0)))
print("多抽一次：    ", torch.equal(weights_after(0), weights_after(0, draws_before=1)))

# %% [markdown] en="abad431d"
# 所以重新实现的人必须以同样的次序抽同样的数：按参考实现的次序创建各层，按它的次序初始化，按它的次序做 dropout。因此一致性测试还要比较*此后*发生器给出什么：

# %% en="97896a6a"
after = []
for _ in range(2):
    torch.manual_seed(0)
    model = BertModel(tiny)
    model(torch.tensor([[1, 2, 3]]))  # 新模型里 dropout 开着，会抽随机数
    after.append(torch.rand(4))
assert torch.equal(*after)
print("接下来的随机数：", [round(number, 4) for number in after[0].tolist()])

# %% [markdown] en="495cf813"
# ## 记录下来的数
#
# 参考实现装不了的地方，用记录的数代替它。下面的程序曾在 transformers 4.12.5 里运行：种子 0，这个 config，这些 id。记下了：最后一层隐藏状态的范数、第一个数和最后一个数，以及第 1 层注意力概率的同样三项。

# %% en="1136d11c"
recorded = {"last_hidden_state": (29.393877, 0.97058129, 1.3067962), "attentions.1": (6.7824181, 0.11147346, 0.0)}
draw = torch.Generator().manual_seed(1)
mask = torch.ones(3, 9, dtype=torch.long)
mask[1, 6:] = 0
mask[2, 1:] = 0
ids = torch.randint(1, 99, (3, 9), generator=draw)
segments = torch.randint(0, 2, (3, 9), generator=draw)
torch.manual_seed(0)
model = BertModel(tiny).eval()
with torch.no_grad():
    outputs = model(ids, attention_mask=mask, token_type_ids=segments, output_attentions=True)
for name, tensor in (("last_hidden_state", outputs.last_hidden_state), ("attentions.1", outputs.attentions[1])):
    flat = tensor.double().flatten()
    found = (flat.norm().item(), flat[0].item(), flat[-1].item())
    for part, mine, theirs in zip(("范数", "首", "尾"), found, recorded[name], strict=True):
        print(f"{name:18} {part:5} {mine:>12.8g}   记录 {theirs:>12.8g}   相差 {abs(mine - theirs):.0e}")
        assert math.isclose(mine, theirs, rel_tol=1e-5, abs_tol=1e-5)

# %% [markdown] en="fce629cb"
# 数写成八位数字，所以剩下的是它们的舍入（以及你的处理器的）。本项目有三种一致性测试：
#
# | 测试 | 与谁相比 | 一致的程度 |
# |---|---|---|
# | `tests/parity/old` | transformers 4.12.5，在同一台机器上与 minibert 并列运行 | 0.0 |
# | `tests/parity/recorded` | 从 4.12.5 记录的数，如上 | 最大数的 10⁻⁶ |
# | `tests/parity/live` | 最新的 transformers | 10⁻⁵ |
#
# ## 差别怎样增长
#
# 每一层加上自己的舍入，并把得到的传下去。**你猜猜看：** 差别每层翻一番，还是大致不变？四对权重相同的模型：*sdpa* 与 *eager*；float32 与 float64；只有 8 位二进制数字的 bfloat16 与 float32；以及一个有极小错误的：第 1 层的 LayerNorm 用了 PyTorch 通常的 ε，10⁻⁵，而不是 BERT 的 10⁻¹²。

# %% en="1b46c735"
wrong_eps = BertForMaskedLM.from_pretrained("shici-4l-256h").eval()
wrong_eps.bert.encoder.layer[1].output.LayerNorm.eps = 1e-5
double = BertForMaskedLM.from_pretrained("shici-4l-256h").eval().double()
half = BertForMaskedLM.from_pretrained("shici-4l-256h").eval().bfloat16()


def states(model: BertForMaskedLM) -> list[Tensor]:
    """嵌入层和每一层的输出，用 float64 表示。"""
    with torch.no_grad():
        return [state.double() for state in model(**inputs, output_hidden_states=True).hidden_states]


def growth(a: BertForMaskedLM, b: BertForMaskedLM) -> list[float]:
    """嵌入层之后和每一层之后的最大差别。"""
    return [(x - y).abs().max().item() for x, y in zip(states(a), states(b), strict=True)]


pairs = {
    "bfloat16 与 float32": growth(eager, half),
    "第 1 层 ε 为 10⁻⁵": growth(eager, wrong_eps),
    "float32 与 float64": growth(eager, double),
    "sdpa 与 eager": growth(eager, fused),
}
figure = new_figure(width=8, height=4)
panel = figure.subplots()
stages = ["嵌入层", *(f"第 {number} 层" for number in range(4))]
for name, apart in pairs.items():
    print(f"{name:21}", "  ".join(f"{number:.0e}" if number else "0    " for number in apart))
    panel.plot(range(5), [number or math.nan for number in apart], marker="o", label=name)
panel.axhline(1e-5, color="gray", linestyle=":")
panel.text(-0.1, 1.2e-5, "容差", color="gray", va="bottom")
panel.set_yscale("log")
panel.set_xticks(range(5), stages)
panel.set_ylabel("最大差别")
panel.set_title("舍入与一个错误，在附带的模型里一路向上")
panel.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False)
show(
    figure,
    "17-growth",
    "对数刻度上随各级变化的四条折线：bfloat16 在 0.05 附近，float64 和 sdpa 的舍入"
    "在百万分之几，上升很慢；错误的 ε 从第 1 层开始，起初略高于容差，后来正在容差处。",
)

# %% [markdown] en="6752947d"
# （没有点的地方，差别是 0。）舍入增长得很慢：层归一化把每个向量拉回同样的大小。错误从它发生的地方开始，到最后恰好在通常的容差处，只比舍入高几倍。换一个输入，也许就检验不出来。容差必须**高于舍入、低于错误**；两者如此接近时，请在 float64 里比较，它的舍入要低五亿倍。
#
# ## 一个埋好的错误
#
# ![两个模型逐级并列：嵌入层和第 0 层逐比特相等，第 1 层有错误，是第一个不同的；第 2、3 层只是继承了差别](../../docs/zh/figures/divergence.svg)
#
# 有人重写了自注意力，写错了一处。你看得出来吗？


# %% en="84ee8169"
class MySelfAttention(BertSelfAttention):
    def forward(self, hidden_states: Tensor, attention_mask: Tensor | None = None, **_: object) -> tuple:
        query, key, value = (
            self.transpose_for_scores(project(hidden_states)) for project in (self.query, self.key, self.value)
        )
        scores = query @ key.transpose(-1, -2) / self.attention_head_size
        if attention_mask is not None:
            scores = scores + attention_mask
        context = scores.softmax(-1) @ value
        return context.permute(0, 2, 1, 3).flatten(2), None, (key, value)


def with_mine(layer: int) -> BertForMaskedLM:
    """附带的模型，其中一层换成 MySelfAttention，权重相同。"""
    model = BertForMaskedLM.from_pretrained("shici-4l-256h").eval()
    attention = model.bert.encoder.layer[layer].attention
    mine = MySelfAttention(model.config)
    mine.load_state_dict(attention.self.state_dict())
    attention.self = mine
    return model.eval()


mine = with_mine(2)
with torch.no_grad():
    for name, model in (("正确", eager), ("我的", mine)):
        best = model(**inputs).logits[inputs["input_ids"] == tokenizer.mask_token_id].argmax(-1)
        print(f"{name:6} 填的空是", tokenizer.convert_ids_to_tokens(best.tolist()))

# %% [markdown] en="c7781627"
# 它能运行，填的空甚至与正确的一样。`compare` 把两者逐级运行一遍。**你猜猜看：** 最先不同的是哪一级：查询、分数、softmax，还是这一层的输出？

# %% en="08a96ec2"
comparison = compare(eager, mine, dict(inputs), backward=False)
header, rule, *lines = str(comparison).splitlines()
print(header, rule, sep="\n")
for row, line in zip(comparison.rows, lines, strict=False):  # 每个 row 一行，最后是总结
    if row.depth <= 1 or row.path.startswith("bert.encoder.layer.2"):
        print(line)
print(comparison.summary())
assert comparison.first is not None
assert comparison.first.path == "bert.encoder.layer.2.attention.self"
assert comparison.first.inside == "the scores before softmax"
assert comparison.first.mistakes == ("the scores are divided by d, not √d",)

# %% [markdown] en="31d6baa5"
# 前面的一切逐比特一致；查询、键和值都对，由它们得出的分数不对。所以去看 `scores =` 那一行：它除以了 d，而应该除以 √d。`compare` 也是这样说的：它用一个又一个经典错误代替正确的公式，重算这一级，而这个错误给出的正是你的数。它并没有读你的代码。后面各级也都不同，但责任不在它们。规则是：**在得到的东西相同的情况下给出不同结果的第一级。**
#
# ## 输出一致的时候
#
# 错误可以躲开所有的输出。这里，解码器的偏置（bias）是旁边那个偏置的复制品，不再是同一个参数。前向比较、反向比较，**你猜**各会怎样？

# %% en="e9861197"
copied = BertForMaskedLM.from_pretrained("shici-4l-256h").eval()
copied.cls.predictions.bias = torch.nn.Parameter(copied.cls.predictions.decoder.bias.detach().clone())
print("前向：", compare(eager, copied, dict(inputs), backward=False).agrees)
comparison = compare(eager, copied, dict(inputs))
print("反向：", comparison.agrees)
print(comparison.summary())
assert not comparison.agrees

# %% [markdown] en="038438f7"
# 现在输出相等；训练走一步之后就不相等了。所以一致性测试还要比较梯度，以及 100 步训练。
#
# ## 小错误，用 float64
#
# 再看那个错误的 ε。在 float32 的舍入旁边，它的痕迹很小；在 float64 里，它就孤零零地显出来了。

# %% en="eb7e697c"
right64, wrong64 = double, BertForMaskedLM.from_pretrained("shici-4l-256h").eval().double()
wrong64.bert.encoder.layer[1].output.LayerNorm.eps = 1e-5
comparison = compare(right64, wrong64, dict(inputs), backward=False, tolerance=1e-9)
print(comparison.summary())
assert comparison.first is not None
assert comparison.first.path == "bert.encoder.layer.1.output.LayerNorm"

# %% [markdown] en="926b0e40"
# ## 检验看得见东西吗？
#
# 通过的检验，只有在有错时会失败，才证明了什么。所以埋一个错误，看它失败。依次埋在每一层：

# %% en="c3a85276"
for place in range(4):
    found = compare(eager, with_mine(place), dict(inputs), backward=False).first
    print(f"埋在第 {place} 层，在 {found.path if found else '无'} 找到")
    assert found is not None
    assert f"layer.{place}." in found.path

# %% [markdown] en="832db2e0"
# ## 小结
#
# - 浮点数是一张网格；每个和都要舍入，所以相加的次序是结果的一部分。
# - 以同样的次序、同样的抽取做同样的运算，比特就相同：差别是 0.0。
# - 批次里的邻居、填充、线程数和处理器的指令会改变次序，最后几位也随之改变。
# - 容差高于舍入、低于错误。在 float64 里，两者之间的余地更大。
# - 有错的那一级，是在得到的东西相同的情况下最先给出不同结果的。
# - 比较输出、梯度和训练步；还要故意弄坏一次代码，看检验失败。
#
# **代码：**[`minibert/microscope/compare.py`](../../minibert/microscope/compare.py)、[`distance.py`](../../minibert/microscope/distance.py)、[`divergence.py`](../../minibert/microscope/divergence.py)。怎样比较你自己的模块，见 [`docs/microscope.md`](../../docs/zh/microscope.md)；两个库都运行的程序在 [`tests/parity/old/programs.py`](../../tests/parity/old/programs.py)，十个经典错误在 [`tests/unit/microscope/planted.py`](../../tests/unit/microscope/planted.py)。
#
# **练习：**[`exercises/17_equivalence.py`](exercises/17_equivalence.py)：相距多远、成对求和、有错的一级。用 `minibert check 17` 检查。
#
# **下一章：**[18 · 让它快起来，以及多台机器](18_speed.py)
