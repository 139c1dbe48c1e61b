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

# %% [markdown] en="5c37478e"
# # 8 · 预训练：遮住的词、下一句、−100，以及两个损失之和
#
# BERT 从纯文本里学习，不需要任何人标注。文本本身就能出两道题：*遮住的是哪些词？* 以及*后一段是否接着前一段？* 这一章来出这两道题，并写出给答案打分的损失（loss）。

# %% en="f0bd8ae8"
import math

import numpy as np
import torch
import torch.nn.functional as F

from course.figures import new_figure, show
from minibert import BertForPreTraining, BertTokenizer
from minibert.data.masking import Vocabulary, mask

tokenizer = BertTokenizer.from_pretrained("shici-4l-256h")
model = BertForPreTraining.from_pretrained("shici-4l-256h")
vocabulary = Vocabulary.of(tokenizer)

# %% [markdown] en="4a9c8dce"
# ## 遮住一些词
#
# 每段文本选出 15% 的子词（piece）来猜（这个比例就是*掩码比例*（mask ratio））。选中的大多变成 `[MASK]`，但不是全部：
#
# | 选中的 | 变成 | 模型读到的 |
# |--:|---|---|
# | 80% | `[MASK]` | 一个空位 |
# | 10% | 随机的词 | 错的东西 |
# | 10% | 它自己 | 正确的词 |
#
# **你猜猜看：** 为什么不全都换成 `[MASK]`？（以后使用模型时，它会见到多少个 `[MASK]`？）

# %% en="d1abf2fb"
text = "春江潮水连海平，海上明月共潮生。滟滟随波千万里，何处春江无月明。江流宛转绕芳甸，月照花林皆似霰。"
ids = np.array(tokenizer(text)["input_ids"])  # (seq)
read, labels = mask(ids, vocabulary, np.random.default_rng(3))
print(f"{len(ids)} 个子词里要猜 {(labels != -100).sum()} 个")
for place in np.flatnonzero(labels != -100):
    asked, seen = (tokenizer.convert_ids_to_tokens(int(row[place])) for row in (labels, read))
    print(f"  位置 {place:2}：读到 {seen:8} 应猜 {asked}")

# %% [markdown] en="d225889d"
# 预训练（pre-training）之后，真实的文本里没有 `[MASK]`。一个只需要对付空位的模型，没有动力为看得见的词学出好的向量。既然任何一个词都可能是错的，它就得逐个查验。
#
# 为什么是 15%？遮住得越多，一段文本提出的问题就越多，能用来回答的内容就越少。[问答](../../docs/zh/quiz.md#4-可以遮住超过-15-吗)试了遮住 5、15、40 和 80%。
#
# 每次出题都重新抽样。同一段文本抽十二次：

# %% en="c4ce0032"
noise = np.random.default_rng(0)
draws = [mask(ids, vocabulary, noise) for _ in range(12)]
fates = np.zeros((12, len(ids)))
for row, (read, labels) in enumerate(draws):
    chosen = labels != -100
    fates[row, chosen & (read == tokenizer.mask_token_id)] = 1
    fates[row, chosen & (read != tokenizer.mask_token_id) & (read != ids)] = 2
    fates[row, chosen & (read == ids)] = 3

figure = new_figure(width=10, height=4)
panel = figure.subplots()
colors = ["whitesmoke", "tab:blue", "tab:red", "tab:green"]
for fate, name in enumerate(("未选中", "[MASK]", "随机的词", "选中，但没有动")):
    rows, places = np.nonzero(fates == fate)
    panel.scatter(places, rows, marker="s", s=60, color=colors[fate], edgecolor="lightgray", linewidth=0.5, label=name)
panel.set_xticks(range(len(ids)), tokenizer.convert_ids_to_tokens(ids.tolist()), rotation=90, fontsize=8)
panel.set_yticks(range(12), range(1, 13))
panel.invert_yaxis()
panel.set_ylabel("第几次")
figure.suptitle("抽十二次：问哪些子词，那里读到的是什么")
panel.legend(ncols=4, loc="lower center", bbox_to_anchor=(0.5, 1.0), frameon=False)
show(
    figure,
    "08-draws",
    "十二行彩色方块，下面是同一段文本的词：每一行选中的位置都不同，大多是 [MASK]，"
    "有些是随机的词，有些保持原样；[CLS] 和 [SEP] 从不选中。",
)

# %% [markdown] en="d0bd2b6b"
# `[CLS]` 和 `[SEP]` 永远不会被选中。抽 2,000 次，**你猜**各占多少？

# %% en="c5b18493"
noise = np.random.default_rng(1)
counts = {"[MASK]": 0, "随机": 0, "原样": 0}
for _ in range(2000):
    read, labels = mask(ids, vocabulary, noise)
    chosen = labels != -100
    counts["[MASK]"] += int((read[chosen] == tokenizer.mask_token_id).sum())
    counts["原样"] += int((read[chosen] == ids[chosen]).sum())
    counts["随机"] += int(((read[chosen] != ids[chosen]) & (read[chosen] != tokenizer.mask_token_id)).sum())
total = sum(counts.values())
print({name: f"{count / total:.1%}" for name, count in counts.items()})
assert abs(counts["[MASK]"] / total - 0.8) < 0.02

# %% [markdown] en="8759ad52"
# ## 为什么是 −100？
#
# ![一个句子上下三行：原文；模型读到的，head 换成了 \[MASK\]；标签，除那一处外都是 −100，交叉熵只计算那一处](../../docs/zh/figures/labels.svg)
#
# 模型在每个位置都给出分数，而提问的只有几个位置。标签（label）必须把这一点说清楚。−100 不可能是任何词的 id，PyTorch 的 `cross_entropy` 会跳过它。它的意思是*这里不提问*，再无别的意思。
#
# **你猜猜看：** 平均值是在多少个位置上求的？

# %% en="4c0f789a"
read, labels = mask(ids, vocabulary, np.random.default_rng(3))
inputs, targets = torch.tensor(read)[None], torch.tensor(labels)[None]  # 各为 (1, seq)
scores = model(inputs).prediction_logits  # (1, seq, vocab)

surprises = [
    -torch.log_softmax(scores[0, place], -1)[targets[0, place]] for place in range(len(ids)) if labels[place] != -100
]
by_hand = torch.stack(surprises).mean()
by_library = F.cross_entropy(scores.view(-1, len(tokenizer)), targets.view(-1))
print(f"{len(surprises)} 个惊讶度，平均 {by_hand.item():.4f}")
assert torch.allclose(by_hand, by_library, atol=1e-5)

# %% [markdown] en="09020778"
# 没有提问的位置没有发言权：它的分数得不到任何梯度（gradient）。

# %% en="d9ef28a5"
(gradient,) = torch.autograd.grad(by_library, scores)  # (1, seq, vocab)
silent = gradient[0].abs().sum(-1) == 0  # (seq)
assert torch.equal(silent, targets[0] == -100)
print(f"{len(ids)} 个位置里有 {int(silent.sum())} 个没有梯度")

# %% [markdown] en="71692179"
# （那些位置上的向量仍会学习：注意力把梯度从提问的位置传给它们看过的所有位置。）
#
# ## 哪一种最难？
#
# **你猜猜看：** 损失最大的是空位、换成错词的位置，还是保持原样的词？

# %% en="c3074732"
noise = np.random.default_rng(2)
batch = [mask(ids, vocabulary, noise) for _ in range(200)]
with torch.no_grad():
    scores = model(torch.tensor(np.stack([read for read, _ in batch]))).prediction_logits  # (200, seq, vocab)
targets = torch.tensor(np.stack([labels for _, labels in batch]))
losses = F.cross_entropy(scores.flatten(0, 1), targets.flatten(), reduction="none").view(targets.shape).numpy()
read = np.stack([read for read, _ in batch])
asked = targets.numpy() != -100
costs = {}
for name, fate in (
    ("[MASK]", asked & (read == tokenizer.mask_token_id)),
    ("随机的词", asked & (read != tokenizer.mask_token_id) & (read != ids)),
    ("保持原样", asked & (read == ids)),
):
    costs[name] = losses[fate].mean()
    print(f"{name:15} {fate.sum():4} 次，平均损失 {costs[name]:.2f}")
assert costs["保持原样"] < costs["[MASK]"] < costs["随机的词"]
print(f"作为比较：在 {len(tokenizer):,} 个词里盲猜，损失是 log {len(tokenizer)} = {math.log(len(tokenizer)):.2f}")

# %% [markdown] en="3c5f51b3"
# 错词会误导，所以代价最大；保持原样的词多半可信。模型已经学会了对读到的东西该信几分。
#
# ## 第二道谜题：后面接的是什么？
#
# 这就是下一句预测（next sentence prediction）。一半的句对是同一段文本里相邻的，另一半的后一句来自别处。标签 0 表示*接在后面*，1 表示*随机*；分数来自 `[CLS]`（第 6 章）。
#
# ## 两个损失，一个和
#
# **你猜猜看：** BERT 怎样给两道谜题分配权重？

# %% en="6218e36c"
first = "春眠不觉晓，处处闻[MASK]鸟。"
pairs = tokenizer(
    [first, first], ["夜来风雨声，花落知多少。", "黑云压城城欲摧，甲光向日金鳞开。"], padding=True, return_tensors="pt"
)
labels = torch.where(pairs["input_ids"] == tokenizer.mask_token_id, tokenizer.vocab["啼"], -100)  # (2, seq)
random_one = torch.tensor([0, 1])  # (2)：前一对是接着的，后一对是随机的
with torch.no_grad():
    outputs = model(**pairs, labels=labels, next_sentence_label=random_one)
    words = F.cross_entropy(outputs.prediction_logits.view(-1, len(tokenizer)), labels.view(-1))
    following = F.cross_entropy(outputs.seq_relationship_logits, random_one)
print(f"词 {words.item():.3f} + 句 {following.item():.3f} = {outputs.loss.item():.3f}")
assert torch.equal(words + following, outputs.loss)

# %% [markdown] en="27267fe3"
# 根本不分配：两者直接相加。猜词那道题更难，占了和的大部分。只给出两种标签之一，就没有损失：

# %% en="3edee244"
assert model(**pairs, labels=labels).loss is None

# %% [markdown] en="08ee80cf"
# （`BertForMaskedLM` 和 `BertForNextSentencePrediction` 各有一道谜题，也各有它的损失。）
#
# ## 小结
#
# - 15% 的子词要猜；其中 80% 变成 `[MASK]`，10% 变成随机的词，10% 不变。
# - 提问的位置，标签是词的 id，其余位置是 −100；`cross_entropy` 跳过 −100，对其余的求平均。
# - 下一句的标签，0 是*接在后面*，1 是*随机*。
# - 预训练的损失是两者之和，不加权，而且两种标签都给出时才有。
#
# **代码：**[`minibert/data/masking.py`](../../minibert/data/masking.py) 遮住词，[`pairs.py`](../../minibert/data/pairs.py) 组成句对，[`minibert/heads/pretraining.py`](../../minibert/heads/pretraining.py) 把损失相加。怎样预训练自己的模型，见 [`docs/pretraining.md`](../../docs/zh/pretraining.md)。
#
# **练习：**[`exercises/08_pretraining.py`](exercises/08_pretraining.py)：标签、遮词、带 −100 的损失、两者之和。用 `minibert check 8` 检查。
#
# **下一章：**[9 · AdamW](09_adamw.py)
