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

# %% [markdown] en="cddc1a2a"
# # 18 · 让它快起来，以及多台机器
#
# 先数，再量，再改一样东西，然后证明数值仍然相同。就按这个次序。这一章问时间花在哪里，省去没有人读的东西，最后手工把一个批次（batch）分给几台机器。
#
# 用时因机器而异，在繁忙的机器上每分钟都不同。所以两种办法总是轮流运行，要紧的是它们的*比值*。

# %% en="6d187876"
import statistics
import time
from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from torch.autograd.profiler import profile
from torch.utils.flop_counter import FlopCounterMode

from course.figures import new_figure, show
from minibert import BertConfig, BertForMaskedLM, BertModel, BertTokenizer, fast
from minibert.data.masking import Vocabulary, mask
from minibert.fast.linear_layers import onednn_is_there, product
from minibert.training.distributed import multiplies_bfloat16

tokenizer = BertTokenizer.from_pretrained("shici-4l-256h")


def times_as_fast(new: Callable[[], object], old: Callable[[], object], rounds: int = 5) -> float:
    """`new` 是几倍快：两者轮流运行几轮，取各轮比值的中位数。"""
    ratios = []
    for number in range(rounds + 1):
        seconds = []
        for work in (old, new):
            began = time.perf_counter()
            work()
            seconds.append(time.perf_counter() - began)
        if number:  # 第一轮是热机
            ratios.append(seconds[0] / seconds[1])
    return statistics.median(ratios)


# %% [markdown] en="883f50d9"
# ## 工作在哪里
#
# 几乎全是矩阵乘法。n 个词，隐藏维度 h，中间维度 i，词表（vocabulary）有 v 个词：
#
# | 部分 | 乘法次数 |
# |---|---|
# | 查询、键、值、输出：每层四个投影 | $4 n h^2$ |
# | 前馈网络（feed-forward network）：每层一升一降 | $2 n h i$ |
# | 注意力（attention）：每层的分数，以及对值求平均 | $2 n^2 h$ |
# | 预测词的头：变换，以及每个词一个分数 | $n (h^2 + h v)$ |
#
# **你猜猜看：** 在 BERT-base（12 层，h 768，i 3072，v 30,522）里哪一部分最大？在我们的小模型（4 层，h 256，i 1024，v 8192）里呢？


# %% en="31d204c4"
def multiplications(layers: int, h: int, i: int, v: int, n: int) -> dict[str, int]:
    """n 个词的一段文本，各部分的乘法次数。"""
    return {
        "投影": layers * 4 * n * h * h,
        "前馈网络": layers * 2 * n * h * i,
        "注意力": layers * 2 * n * n * h,
        "预测词的头": n * (h * h + h * v),
    }


cases = {
    "BERT-base，\n128 个词": multiplications(12, 768, 3072, 30522, 128),
    "BERT-base，\n512 个词": multiplications(12, 768, 3072, 30522, 512),
    "附带的模型，\n128 个词": multiplications(4, 256, 1024, 8192, 128),
    "附带的模型，词表\n30,522，128 个词": multiplications(4, 256, 1024, 30522, 128),
}
figure = new_figure(width=8.5, height=4)
panel = figure.subplots()
left = np.zeros(len(cases))
for part in ("投影", "前馈网络", "注意力", "预测词的头"):
    shares = np.array([counts[part] / sum(counts.values()) for counts in cases.values()])
    panel.barh(range(len(cases)), shares, left=left, label=part)
    for row, share in enumerate(shares):
        if share > 0.04:
            panel.text(left[row] + share / 2, row, f"{share:.0%}", ha="center", va="center", color="white")
    left += shares
panel.set_yticks(range(len(cases)), cases)
panel.invert_yaxis()
panel.set_xticks([])
panel.set_xlim(0, 1)
panel.legend(ncols=4, loc="lower center", bbox_to_anchor=(0.45, 1.0), frameon=False)
figure.suptitle("一次前向传播的乘法在哪些部分")
show(
    figure,
    "18-where",
    "四根切成份额的条：BERT-base 里前馈网络约占一半；小模型里预测词的头与它一样大，"
    "词表为 30,522 时超过三分之二；注意力到处都很薄。",
)

# %% [markdown] en="c3a065b2"
# 注意力的 n² 很有名，在 128 个词时却很小。BERT-base 里最大的是前馈网络；小模型里是预测词的头，词表大时它占了绝大部分。数得对吗？PyTorch 也会数（每次乘法算两次操作，因为还要相加）：

# %% en="cc459354"
model = BertForMaskedLM.from_pretrained("shici-4l-256h", attn_implementation="eager").eval()
ids = torch.randint(5, len(tokenizer), (1, 128), generator=torch.Generator().manual_seed(0))
with torch.no_grad(), FlopCounterMode(display=False) as counter:
    model(ids)
by_hand = sum(multiplications(4, 256, 1024, 8192, 128).values())
print(f"手工 {by_hand:,}，PyTorch {counter.get_total_flops() // 2:,}")
assert counter.get_total_flops() == 2 * by_hand

# %% [markdown] en="f4a6ab69"
# ## 省去没有人读的东西
#
# 预训练里只问 15% 的位置。其余 85% 也对整个词表打了分，损失（loss）却把它们扔掉。如果只让要问的位置经过预测词的头，**你猜**损失和梯度（gradient）会怎样？

# %% en="b74fb92c"
noise = np.random.default_rng(0)
texts = torch.randint(5, len(tokenizer), (8, 64), generator=torch.Generator().manual_seed(1)).numpy()
hidden_words = [mask(row, Vocabulary.of(tokenizer), noise) for row in texts]
read = torch.tensor(np.stack([row for row, _ in hidden_words]))  # (batch, seq)
labels = torch.tensor(np.stack([row for _, row in hidden_words]))  # (batch, seq)


def everywhere() -> torch.Tensor:
    """`BertForMaskedLM` 所算的损失，及其梯度。"""
    model.zero_grad()
    loss = model(read, labels=labels).loss
    loss.backward()
    return loss.detach()


def where_asked() -> torch.Tensor:
    """同样的东西，只算要问的位置。"""
    model.zero_grad()
    states = model.bert(read).last_hidden_state  # (batch, seq, hidden)
    asked = labels != -100
    loss = F.cross_entropy(model.cls(states[asked]), labels[asked])  # 分数：(asked, vocab)
    loss.backward()
    return loss.detach()


loss_everywhere = everywhere()
gradients = {name: parameter.grad.clone() for name, parameter in model.named_parameters() if parameter.grad is not None}
loss_where_asked = where_asked()
apart = max((parameter.grad - gradients[name]).abs().max().item() for name, parameter in model.named_parameters())
print(f"{labels.numel()} 个位置里问 {(labels != -100).sum().item()} 个")
print(f"损失 {loss_everywhere.item():.6f} 与 {loss_where_asked.item():.6f}；梯度相差 {apart:.0e}")
assert torch.allclose(loss_everywhere, loss_where_asked, atol=1e-4)
assert apart < 1e-4
print(f"训练的一步是 {times_as_fast(where_asked, everywhere):.1f} 倍快")

# %% [markdown] en="cba9bef2"
# 同样的数，少做一大块工作。`PretrainingLoss` 就是这样做的，还让最后一层也只在那里作答。
#
# ## 省去填充
#
# ![三段文本的批次填充到八个位置，24 个里有 11 个是虚线的填充；下面是同样的文本打包成一行 13 个，各自只看自己](../../docs/zh/figures/packed.svg)
#
# 一个批次里的文本长短不一，短的要填充（padding）。**你猜猜看：** 下面的工作有多少是填充？
#
# `attn_implementation="packed"` 把所有文本的真实子词首尾相接放成一行。除注意力外，一切都是逐个子词处理的，察觉不到；注意力在每段文本内部进行。

# %% en="ac188eb1"
lines = [
    "明月几时有？", "举头望明月，低头思故乡。", "床前明月光。", "白日依山尽，黄河入海流。",
    "春江潮水连海平，海上明月共潮生。滟滟随波千万里，何处春江无月明。江流宛转绕芳甸，月照花林皆似霰。"
    "空里流霜不觉飞，汀上白沙看不见。", "独坐幽篁里。", "春眠不觉晓。", "花落知多少。",
]  # fmt: skip
batch = tokenizer(lines, padding=True, return_tensors="pt")
print(f"批次里 {batch['attention_mask'].float().mean():.0%} 是文本")
packed = BertModel.from_pretrained("shici-4l-256h", attn_implementation="packed").eval()
eager = BertModel.from_pretrained("shici-4l-256h", attn_implementation="eager").eval()
text = batch["attention_mask"] == 1  # (batch, seq)
with torch.no_grad():
    apart = (packed(**batch).last_hidden_state - eager(**batch).last_hidden_state)[text].abs().max().item()
    ratio = times_as_fast(lambda: packed(**batch), lambda: eager(**batch))
print(f"真实的子词相差 {apart:.0e}；packed 是 {ratio:.1f} 倍快")
assert apart < 1e-4

# %% [markdown] en="c28f2476"
# （或者按长度给文本排序，让一个批次里的长度相近。两样都做最好。）
#
# ## 同一个处理器，两种速度
#
# 到目前为止我们只是数。**性能分析器**（profiler）给一次前向里的每个操作计时。**你猜猜看：** 排在最前面的是哪一个？

# %% en="63809e61"
with torch.no_grad(), profile(use_kineto=False) as profiled:
    model(ids.expand(4, -1))
spent = sorted(profiled.key_averages(), key=lambda event: -event.self_cpu_time_total)
whole = sum(event.self_cpu_time_total for event in spent)
for event in spent[:4]:
    print(f"{event.key:50} {event.self_cpu_time_total / whole:4.0%}，调用 {event.count} 次")

# %% [markdown] en="dfa3b2ae"
# `addmm` 是 $b + x W^T$，也就是线性层。次数与时间合起来就是*速率*：每秒多少次操作（一乘一加算两次）。PyTorch 带有不止一个矩阵乘法的库。在 CPU 上，它把 float32 交给其中的 MKL，那是 Intel 为自家处理器写的；把 bfloat16 交给另一个，oneDNN。而 oneDNN 也能做 float32 的乘法，只是 PyTorch 不去用它。**你猜**各种速率会怎样：是同一个数，即处理器的速度吗？

# %% en="8db94e37"
x, wide = torch.randn(512, 768), torch.nn.Linear(768, 3072)
x_half, half = x.bfloat16(), wide.weight.detach().bfloat16()
work = {
    "float32，PyTorch 的做法": lambda: wide(x),
    "float32，oneDNN": lambda: product(x, wide.weight, wide.bias),
    "bfloat16": lambda: F.linear(x_half, half),
}
if not onednn_is_there():
    del work["float32，oneDNN"]
shortest = dict.fromkeys(work, float("inf"))
with torch.no_grad():
    for _ in range(8):  # 轮流进行；最短的受干扰最少
        for name, multiply in work.items():
            began = time.perf_counter()
            multiply()
            shortest[name] = min(shortest[name], time.perf_counter() - began)
for name, seconds in shortest.items():
    print(f"{name:28} {2 * 512 * 768 * 3072 / seconds / 1e9:6,.0f} 十亿次操作/秒")

# %% [markdown] en="7f02f5a3"
# 在写这一章的处理器上（AMD，两个核），第二个大约是第一个的两倍：同样的核，同样的位数，同样的公式，同一个 PyTorch。在 Intel 和 AMD 较旧的处理器上，两者相近，或第一个领先。而 bfloat16 只有在处理器有相应指令时才最快；在一个没有 AVX-512 的处理器上，它要用 float32 六倍的时间。从代码里谁也看不出来；只有把一个速率放在另一个速率旁边，才看得出来。`fast.linear` 把两者各测一次，取较快的。**你猜**答案会怎样？

# %% en="f8edfd44"
with torch.no_grad():
    plainly = model(read).logits
    with fast.linear(model):
        faster = model(read).logits
        apart = (faster - plainly).abs().max().item()


def through_the_faster() -> torch.Tensor:
    with fast.linear(model):
        return model(read).logits


with torch.no_grad():
    ratio = times_as_fast(through_the_faster, lambda: model(read).logits)
print(f"相差 {apart:.0e}；{ratio:.1f} 倍快")
assert apart < 1e-4

# %% [markdown] en="5437d776"
# 不同的只是相加的次序。怎样在任何地方发现这类事情：(1) 做性能分析，看哪个操作花时间；(2) 数它要做多少事；(3) 相除，得到速率；(4) 找到同一台机器在同类工作上能达到的最好速率，换一个库、换一种类型、换一种形状。如果你的远低于它，时间就在那里等着你去拿；如果不是，就只有像上面两节那样少做工作才有用。
#
# ## eager 与融合的注意力
#
# eager 的注意力把所有分数写下来，每个头 n × n，再写概率，再读一遍。融合的注意力（*sdpa*）分块处理，每块放得进处理器的高速内存。乘法是一样的。**你猜猜看：** n 多大时才有区别？

# %% en="16e7d897"


def untrained(attention: str) -> BertModel:
    """两层，有 1,024 个位置；这里权重是什么无所谓。"""
    shape = {"hidden_size": 256, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 1024}
    return BertModel(BertConfig(**shape, max_position_embeddings=1024, attn_implementation=attention)).eval()


fused, written_down = untrained("sdpa"), untrained("eager")
ratios = []
lengths = (16, 64, 128, 256, 512, 1024)
with torch.no_grad():
    for n in lengths:
        ids = torch.randint(5, 30522, (1024 // n, n), generator=torch.Generator().manual_seed(0))
        ratios.append(times_as_fast(lambda ids=ids: fused(ids), lambda ids=ids: written_down(ids), rounds=3))
figure = new_figure(width=6.5, height=3.4)
panel = figure.subplots()
panel.plot(lengths, ratios, marker="o")
panel.axhline(1, color="gray", linestyle=":")
panel.set_xscale("log", base=2)
panel.set_xticks(lengths, lengths)
panel.set_ylim(0, max(2.0, *ratios) * 1.1)
panel.set_xlabel("一段文本的词数（每个批次 1,024 个词）")
panel.set_ylabel("是 eager 的几倍快")
panel.set_title("sdpa 与 eager 相比：两层，就在此刻的这台机器上")
print({n: round(ratio, 1) for n, ratio in zip(lengths, ratios, strict=True)})
show(
    figure,
    "18-sdpa",
    "随文本长度变化的折线：文本短时 sdpa 与 eager 差不多快，文本越长它越占优。",
)

# %% [markdown] en="5007cc71"
# 文本短时，注意力占的份额太小，没有区别。文本长时，把分数写下来的代价超过了乘法那张图所说的：**内存**也要算。在 GPU 上差别还要大。
#
# ## 更少的位数：bfloat16
#
# bfloat16 保留 float32 的范围，但只有 8 位二进制数字，不是 24 位。有相应指令的处理器，乘法要快几倍。autocast 用 bfloat16 做矩阵乘法，softmax、层归一化、损失和权重仍用 float32。
#
# **你猜猜看：** 损失差多少？答案呢？

# %% en="015ff01f"
blank = tokenizer("举头望明[MASK]，低头思故乡。", return_tensors="pt")
place = blank["input_ids"] == tokenizer.mask_token_id


def in_bfloat16() -> torch.Tensor:
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        return model(**blank).logits


def in_float32() -> torch.Tensor:
    with torch.no_grad():
        return model(**blank).logits


for name, scores in (("float32", in_float32()), ("bfloat16", in_bfloat16().float())):
    likeliest = scores[place].softmax(-1).max(-1)
    print(f"{name:9} {tokenizer.convert_ids_to_tokens(likeliest.indices.tolist())} {likeliest.values.item():.3f}")
with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
    loss = model(read, labels=labels).loss
print(f"损失：float32 是 {loss_everywhere.item():.3f}，bfloat16 是 {loss.item():.3f}")
print("这个处理器有 bfloat16 的指令：", multiplies_bfloat16(torch.device("cpu")))

# %% [markdown] en="5b3770f1"
# 有两三位数字是对的，对训练来说够了：梯度反正有噪声。为什么权重必须留在 float32？1 + 0.001，加一千次，用两种类型**你猜**各得多少？

# %% en="e53eaf47"
for dtype in (torch.float32, torch.bfloat16):
    weight = torch.ones((), dtype=dtype)
    for _ in range(1000):
        weight = weight + torch.tensor(0.001, dtype=dtype)
    print(f"{dtype!s:15} {weight.item():.3f}")
assert weight.item() == 1.0

# %% [markdown] en="0431521d"
# 1 之后的下一个 bfloat16 是 1.0078：0.001 的一步每次都丢失。（第 17 章：浮点数是一张网格。）
#
# ## 比放得下的更大的批次
#
# 梯度可以相加。所以一个批次可以切成几部分，把各部分的梯度加起来，再走一步：这叫*梯度累积*（gradient accumulation）。**你猜猜看：** 整个批次的梯度是各部分梯度的平均吗？

# %% en="2369e965"
small, large = slice(0, 2), slice(2, 8)  # 两行，和六行


def gradient_of(rows: slice, divide_by: int | None = None) -> torch.Tensor:
    """词向量的梯度：这些行里提问位置的平均损失的，或它们的和 / divide_by 的。"""
    asked = labels[rows] != -100
    states = model.bert(read[rows]).last_hidden_state
    losses = F.cross_entropy(model.cls(states[asked]), labels[rows][asked], reduction="none")
    loss = losses.mean() if divide_by is None else losses.sum() / divide_by
    model.zero_grad()
    loss.backward()
    gradient = model.bert.embeddings.word_embeddings.weight.grad
    assert gradient is not None
    return gradient.clone()


counts = [int((labels[rows] != -100).sum()) for rows in (small, large)]
whole = gradient_of(slice(0, 8))
mean_of_means = (gradient_of(small) + gradient_of(large)) / 2
shares = gradient_of(small, sum(counts)) + gradient_of(large, sum(counts))
print(f"要问的位置：{counts}")
print(f"各部分平均的平均：相差最大数的 {(mean_of_means - whole).abs().max() / whole.abs().max():.0%}")
print(f"各部分的和，除以整个的个数：相差 {(shares - whole).abs().max() / whole.abs().max():.0e}")
assert torch.allclose(shares, whole, atol=1e-5)

# %% [markdown] en="5bb5f8a2"
# 不是：那样的话，要问的位置少的部分会与多的部分同样算数。每一部分的和必须除以**整个**批次的个数；这样各部分的梯度加起来就是整个的梯度。即使各行长度相等也会不同，因为遮住的词数是抽出来的。
#
# ## 多台机器，手工来做
#
# *数据并行*（data parallel）训练是同样的切分，只是同时进行：每台机器都有整个模型和批次的一部分。各自算出自己那部分的梯度；然后在机器之间求平均（*all-reduce*），大家走同样的一步。**你猜猜看：** 如果各机器的梯度随后要*求平均*而不是相加，每台应该除以什么？

# %% en="3e3e0223"
machines = 2
on_each = [gradient_of(rows, sum(counts)) * machines for rows in (small, large)]  # 乘以机器数……
averaged = torch.stack(on_each).mean(0)  # ……因为求平均要除以它
weighted = sum(count / sum(counts) * gradient_of(rows) for count, rows in zip(counts, (small, large), strict=True))
for name, gradient in (("求平均", averaged), ("按个数加权的平均", weighted)):
    print(f"{name:32} 相差 {(gradient - whole).abs().max() / whole.abs().max():.0e}")
    assert torch.allclose(gradient, whole, atol=1e-5)

# %% [markdown] en="a083a345"
# 两种说法是一回事。剩下的只是相加的次序。为此各机器只需互相告知要问多少个位置，每台一个数。
#
# 各种工具所做的：
#
# - **DDP**（`DistributedDataParallel`）就是上面那一格：反向传播还在进行时，就逐层对梯度求平均。所有进程必须从同样的权重出发，用不同的行和不同的 dropout。
# - **FSDP** 用于放不下的模型：每台机器只保存每个参数及 AdamW 的平均的一部分，计算某一层时再借来其余部分。数值相同，传送得更多。
# - **torchrun** 启动各个进程。下面是一台机器上的两个进程，分别用 DDP 和 FSDP：
#
# ```bash
# torchrun --nproc-per-node 2 -m minibert pretrain --data corpus --out my-bert
# torchrun --nproc-per-node 2 -m minibert pretrain --data corpus --out my-sharded-bert --shard
# ```
#
# 十台机器，**你猜**会快十倍吗？（一步里哪一部分不会变短？）不论每份多小，传送梯度的时间都一样；所以只有每份够大时，加机器才有用。
#
# ## 小结
#
# - 先数：小 BERT 里预测词的头是最大的一部分；注意力的 n² 在文本长时才要紧。
# - 省去没有人读的：没有提问的位置上的分数，以及填充。数值保持不变。
# - 一个处理器有几个库就有几种速度：把测得的速率与同一台机器所能达到的最好速率放在一起看。
# - 融合的注意力省的是内存的往返，不是乘法。bfloat16 省的是位数，权重仍留在 float32。
# - 不论是累积还是分给多台机器：除以整个批次的个数，梯度就是整个批次的梯度。
# - 轮流测量，用比值说话，每改一处都证明数值相等。
#
# **代码：**[`minibert/fast/packing.py`](../../minibert/fast/packing.py)、[`minibert/model/attention.py`](../../minibert/model/attention.py)、[`minibert/training/pretraining_loss.py`](../../minibert/training/pretraining_loss.py)、[`minibert/fast/last_layer.py`](../../minibert/fast/last_layer.py)、[`minibert/fast/linear_layers.py`](../../minibert/fast/linear_layers.py) 和[`minibert/training/distributed.py`](../../minibert/training/distributed.py)。测得的比值见 [`docs/performance.md`](../../docs/zh/performance.md)。
#
# **练习：**[`exercises/18_speed.py`](exercises/18_speed.py)：计数、打包、只在提问处算损失、由几台机器得出梯度。用 `minibert check 18` 检查。
#
# **下一章：**[19 · 句向量](19_sentence_vectors.py)
