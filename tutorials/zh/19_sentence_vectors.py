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

# %% [markdown] en="49abea69"
# # 19 · 句向量
#
# BERT 给每个词元（token）一个向量。想按意思找句子的人，要的是一个句子一个向量，而且同属一处的句子，向量的方向相近。这一章用三种方式得到这样的向量，看到只做过预训练（pre-training）的 BERT 并不擅长此事，然后*用对比*教会它：不需要标签，只需要前后相邻的句子。

# %% en="363ee79d"
import random

import torch
import torch.nn.functional as F
from torch import Tensor

from course.figures import new_figure, show
from course.samples import sample
from minibert import AdamW, BertModel, BertTokenizer
from minibert.vectors import LineIndex, SentenceEncoder, pool

tokenizer = BertTokenizer.from_pretrained("shici-4l-256h")
model = BertModel.from_pretrained("shici-4l-256h", add_pooling_layer=False)

# %% [markdown] en="b5918178"
# ## 从许多向量到一个
#
# 最后一层给出 h：(batch, seq, hidden)。由 1 和 0 组成的掩码（mask）m 说明哪些词元是真实的。三种池化：
#
# $$
# v_{\mathrm{mean}} = \frac{\sum_t m_t\, h_t}{\sum_t m_t} \qquad v_{\mathrm{cls}} = h_1 \qquad v_{\mathrm{max}, j} = \max_{t:\, m_t = 1} h_{t j}
# $$
#
# 批次（batch）里较短的句子要填充（padding），而网络给填充处也算出向量。**你猜**，如果忘了掩码：在三种方式下，“归去。”的向量各离它独自一句时有多远？

# %% en="12d2a81f"
texts = ["归去。", "春江潮水连海平，海上明月共潮生。滟滟随波千万里，何处春江无月明。"]
batch = tokenizer(texts, padding=True, return_tensors="pt")
mask = batch["attention_mask"]  # (2, seq)
with torch.no_grad():
    states = model(**batch).last_hidden_state  # (2, seq, hidden)
    alone = model(**tokenizer(texts[:1], return_tensors="pt")).last_hidden_state  # (1, 5, hidden)

real = mask[..., None]  # (2, seq, 1)
by_hand = {
    "mean": (states * real).sum(1) / real.sum(1),
    "cls": states[:, 0],
    "max": states.masked_fill(real == 0, -torch.inf).amax(1),
}
forgotten = {"mean": states.mean(1), "cls": states[:, 0], "max": states.amax(1)}
for mode, vectors in by_hand.items():
    assert torch.allclose(vectors, pool(states, mask, mode), atol=1e-5)
    expected = pool(alone, torch.ones(1, alone.shape[1]), mode)
    right, wrong = ((found[:1] - expected).norm() / expected.norm() for found in (vectors, forgotten[mode]))
    print(f"{mode:4}  用掩码相差 {right:.6f}，不用相差 {wrong:.2f}")
    assert right < 1e-4

# %% [markdown] en="02d01fb7"
# 只有 [CLS] 不在乎，因为它总在最前面。另外两种在每个批次里都给出不同的向量，而且不报错：这是做句向量时最常见的错误。整行都被掩盖的句子（批次里的空行就会如此）会算出 0 除以 0；库里的 `pool` 给它向量 0。
#
# ## 什么叫相近？
#
# 比较两个向量，用夹角的余弦：两者各自缩放到长度 1，再求点积。**你猜**，下面几对里，BERT 觉得哪一对最相近？


# %% en="4e56e773"
def vectors_of(texts: list[str]) -> Tensor:
    """(texts, hidden)：真实词元的向量的平均，缩放到长度 1。"""
    batch = tokenizer(list(texts), padding=True, return_tensors="pt")
    return F.normalize(pool(model(**batch).last_hidden_state, batch["attention_mask"]), dim=-1)


asked = "太白到江楼，天边日未昏。"
others = [
    "东坡到寒塘，天边日未昏。",
    "江楼何所有？唯见一古琴。",
    "今年天下熟，米价又还低。",
]
with torch.no_grad():
    before = vectors_of([asked]) @ vectors_of(others).T  # (1, 3)
for cosine, other in zip(before[0].tolist(), others, strict=True):
    print(f"{cosine:.3f}  {other}")
assert before.argmax() == 0

# %% [markdown] en="bc1b80b8"
# 余弦都很高，最高的是*句式*相同的那句，尽管说的是另一个人、另一个地方。从来没有人告诉 BERT“相近”指什么：预测被遮住的词，要问的是词的种类和句子的种类。所以得有人告诉它。
#
# ## 用对比来教
#
# 文本白白就告诉了我们：一个句子和它的下一句同属一处。取一个批次这样的句对 $(a_i, b_i)$。每个 $a_i$ 要在批次的所有句子中找到自己的 $b_i$；别人的就是错误答案，而且不费工夫，因为它们本来就在：
#
# $$
# \mathrm{loss} = \frac{1}{n} \sum_i -\log \frac{e^{\cos(a_i, b_i) / τ}}{\sum_j e^{\cos(a_i, b_j) / τ}}
# $$
#
# ![九个余弦的表：左边三个句子，上面是各自的后一句；对角线是每一行的正确答案](../../docs/zh/figures/contrast.svg)
#
# 这就是第 12 章的交叉熵，批次里的每个句子是一个类别。余弦最大是 1，而对 −1 到 1 之间的数做 softmax，几乎是平的；所以要除以*温度* τ，这里取 0.05。
#
# **你猜**，所有向量都相同时，损失（loss）是多少？有 32 对而 τ = 1 时，损失最小能到多少？


# %% en="0956ebd2"
def contrast_loss(firsts: Tensor, seconds: Tensor, temperature: float = 0.05) -> Tensor:
    """firsts、seconds：(batch, hidden)，长度都是 1；第 i 行与第 i 行是一对。"""
    scores = firsts @ seconds.T / temperature  # (batch, batch)
    return F.cross_entropy(scores, torch.arange(len(firsts)))


same = torch.ones(32, 256) / 16
opposite = torch.eye(32, 256)  # 32 个互不相似的向量
print(f"全都相同 {contrast_loss(same, same):.2f}，log 32 是 {torch.tensor(32.0).log():.2f}")
for temperature in (1.0, 0.05):
    print(f"全都找到，τ = {temperature}：{contrast_loss(opposite, opposite, temperature):.4f}")

# %% [markdown] en="25515838"
# τ = 1 时，完美的向量也要挨罚，梯度永不停歇。τ 很小时，损失只看最近的那几个错误答案。
#
# ## 小故事诗
#
# 附带的模型读过古诗；这里是一些讲小故事的打油诗，由规则写成：每首有主角、朋友、一个地方和一件东西，每一联都出自所有的诗共用的十二种句式。哪些句子同属一首，只有名字说得出来。**留出**的是整首的诗，其中的人、地方和东西，在学习用的诗里一概没有。

# %% en="ee7cd68e"
FORMS = [
    "{hero}到{place}，天边日未昏。",
    "{place}何所有？唯见一{thing}。",
    "{friend}贫无计，已卖旧{thing}。",
    "{hero}劝{friend}，今夜且莫言。",
    "{friend}夜半起，独自别{place}。",
    "{place}人去尽，草里见{thing}。",
    "{hero}抱{thing}，独坐到天明。",
    "世人都不信，{hero}忘{friend}。",
    "{friend}长叹息，不见旧{thing}。",
    "{hero}回首望，难再到{place}。",
    "{friend}双泪落，{hero}倚窗看。",
    "人言{place}里，犹有旧{thing}。",
]
NAMES = [
    "太白",
    "子美",
    "摩诘",
    "浩然",
    "乐天",
    "梦得",
    "微之",
    "义山",
    "牧之",
    "飞卿",
    "东坡",
    "子由",
    "鲁直",
    "少游",
    "放翁",
    "易安",
    "稼轩",
    "诚斋",
    "石湖",
    "尧章",
    "半山",
    "醉翁",
    "圣俞",
    "同叔",
    "耆卿",
    "方回",
    "美成",
    "遗山",
    "伯温",
    "渔洋",
    "容若",
    "定庵",
]
PLACES = [
    "江楼",
    "山寺",
    "渔村",
    "竹院",
    "柳堤",
    "石桥",
    "古渡",
    "茅屋",
    "酒家",
    "松亭",
    "东篱",
    "南浦",
    "西窗",
    "寒塘",
    "荒城",
    "驿站",
    "草堂",
    "梅岭",
    "沙洲",
    "云台",
]
THINGS = [
    "古琴",
    "玉笛",
    "宝剑",
    "书卷",
    "酒壶",
    "铜镜",
    "纸伞",
    "油灯",
    "棋盘",
    "蓑衣",
    "画屏",
    "金钗",
    "香囊",
    "竹杖",
    "石砚",
    "琵琶",
    "团扇",
    "茶瓯",
    "马鞭",
    "布帆",
]


def stories(count: int, part: slice, seed: int) -> list[tuple[str, str]]:
    """这么多首诗里的相邻句对，每首四对。part：用名字、地方和东西的哪一段。"""
    chance = random.Random(seed)
    names, places, things = NAMES[part], PLACES[part], THINGS[part]
    pairs = []
    for _ in range(count):
        hero, friend = chance.sample(names, 2)
        words = {"hero": hero, "friend": friend, "place": chance.choice(places), "thing": chance.choice(things)}
        sentences = [form.format(**words) for form in chance.sample(FORMS, 8)]
        pairs += zip(sentences[::2], sentences[1::2], strict=True)
    return pairs


learned, held_out = stories(200, slice(0, 10), seed=0), stories(25, slice(10, 32), seed=1)
print(len(learned), "对用来学习，", len(held_out), "对留出")
for first, second in held_out[:4]:
    print(f"  {first} → {second}")

# %% [markdown] en="138a77f0"
# 用这些向量找下一句，找得多好？每个前句按余弦给 100 个后句排名次。*平均倒数排名*（mean reciprocal rank）是“1 / 正确后句的名次”的平均：总排第一，就是 1。**你猜**，一个乱猜的人，找到它的名次各有相同的机会，会得多少？


# %% en="fe0baac1"
def scores_of(pairs: list[tuple[str, str]]) -> Tensor:
    """(pairs, pairs)：每个前句与每个后句的余弦。"""
    firsts, seconds = zip(*pairs, strict=True)
    with torch.no_grad():
        return vectors_of(firsts) @ vectors_of(seconds).T


def mean_reciprocal_rank(scores: Tensor) -> float:
    """问题 i 的正确答案是候选 i。"""
    ranks = 1 + (scores > scores.diagonal()[:, None]).sum(1)
    return float((1 / ranks).mean())


guessed = sum(1 / rank for rank in range(1, 101)) / 100
untuned = scores_of(held_out)
print(f"乱猜 {guessed:.3f}，没有微调过的模型 {mean_reciprocal_rank(untuned):.3f}")

# %% [markdown] en="009df11b"
# 没有微调（fine-tuning）过的模型只比乱猜稍好：它觉得最相近的，是与问句句式相同的句子，而下一句从来不是同一句式。现在教它，走二十五步，每步 32 对。没有 dropout，没有学习率调度，没有标签。

# %% en="ac065738"
chance = random.Random(0)
optimizer = AdamW(model.parameters(), lr=2e-4)
losses = []
for _ in range(25):
    firsts, seconds = zip(*chance.sample(learned, 32), strict=True)
    loss = contrast_loss(vectors_of(firsts), vectors_of(seconds))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    losses.append(loss.item())
tuned = scores_of(held_out)
print(f"损失 {losses[0]:.2f} → {sum(losses[-5:]) / 5:.2f}")
print(f"平均倒数排名 {mean_reciprocal_rank(untuned):.3f} → {mean_reciprocal_rank(tuned):.3f}")
assert mean_reciprocal_rank(tuned) >= 2 * mean_reciprocal_rank(untuned)

# %% [markdown] en="1f5fee89"
# 六首留出的诗，余弦在之前和之后，**你猜**会看到什么？正确的在对角线上；同一首诗的四对彼此相邻。

# %% en="cf8f7cc2"
figure = new_figure(width=9.5, height=4.2)
for panel, name, scores in zip(figure.subplots(1, 2), ("之前", "之后"), (untuned, tuned), strict=True):
    panel.imshow(scores[:24, :24], cmap="Blues")
    panel.set_title(name)
    panel.set_xlabel("后句，每首诗四个")
    panel.set_xticks(range(0, 24, 4))
    panel.set_yticks(range(0, 24, 4))
panel.set_yticklabels([])
figure.axes[0].set_ylabel("前句")
figure.suptitle("六首留出的诗，24 个前句与后句的余弦")
show(
    figure,
    "19-cosines",
    "两个由格子组成的方块。之前，深浅不一的格子散在整个方块里。之后，深色的格子沿对角线"
    "聚成四乘四的方块：同一首诗的句子。",
)

# %% [markdown] en="c5a99cc0"
# 沿着对角线出现了方块：同一首诗的句子大多找到了彼此，尽管这些名字、地方和东西在训练里一个也没有。学到的不是太白是谁，而是*名字要紧，句式不要紧*。一首诗的四个后句里哪一个才是下一句，没有任何东西说明，所以名次不可能都是第一。

# %% en="313e7370"
with torch.no_grad():
    after = vectors_of([asked]) @ vectors_of(others).T  # (1, 3)
for now, then, other in zip(after[0].tolist(), before[0].tolist(), others, strict=True):
    print(f"{then:.3f} → {now:.3f}  {other}")
assert after[0, 1] > after[0, 0]

# %% [markdown] en="bb2dcbb6"
# 江楼里的那张古琴，如今比东坡近了：虽然那一句里没有太白，却有太白到过的江楼。与谁都不相干的米价，离得最远。
#
# ## 真正的文本
#
# `python -m benchmarks.sentence_vectors NOVELS` 在真正的小说（英文）上做同样的事：从 94 部小说学习，留出四部，要在 1,000 句中找到下一句。那里没有按规则的重复，下一句常常与前一句没有一个词相同：难得多，一个随机种子要花三刻钟。还加了一样东西：第二句按 BERT 的句子 B 来读（`token_type_ids` 为 1）。一句话的下文不等于它的上文，把两句同样来读的模型分不出来。[结果](../../docs/zh/results.md#句向量)：没有微调时 0.057，教过之后 0.119。
#
# ## 使用它们
#
# 一整个模型加上它的池化，是一个 `SentenceEncoder`；它也能打开 sentence-transformers 的文件夹，那些模型用对比学过十亿对句子。`LineIndex` 找出文件中的行。在命令行：`minibert search "明月照江楼" --in FILE --model shici-4l-256h`。

# %% en="4a30d951"
encoder = SentenceEncoder.open("shici-4l-256h")
index = LineIndex.of_file(sample("zh/sentences.txt"), encoder)
for line, score, text in index.search("山寺的和尚敲钟。", top_k=3):
    print(f"{score:.3f}  第 {line} 行：{text}")

# %% [markdown] en="fa0cd47c"
# ## 小结
#
# - 一个句子一个向量：词元的平均、[CLS] 或最大值；用掩码去掉填充，否则向量会随批次而变。
# - 只做过预训练的 BERT，句式相同的句子向量相近。什么该相近，得教。
# - 用对比来教：每个句子在批次中找自己的另一半。错误答案就是别的句对。
# - 温度决定最近的错误答案有多要紧。
# - 在整篇留出的文本上测量，看名次，并与没有微调过的模型相比。
#
# **代码：**[`minibert/vectors/pooling.py`](../../minibert/vectors/pooling.py)、[`minibert/vectors/sentence_encoder.py`](../../minibert/vectors/sentence_encoder.py)、[`minibert/vectors/line_index.py`](../../minibert/vectors/line_index.py)。更多见 [`docs/sentence_vectors.md`](../../docs/zh/sentence_vectors.md)。
#
# **练习：**[`exercises/19_sentence_vectors.py`](exercises/19_sentence_vectors.py)：两种池化、损失、平均倒数排名。用 `minibert check 19` 检查。
#
# **接下来往哪里去。** 教程到这里结束；你已经看到了 BERT 的全部。还可以：
#
# - 用自己的文本预训练一个：[`docs/pretraining.md`](../../docs/zh/pretraining.md)。再微调它：[`docs/finetuning.md`](../../docs/zh/finetuning.md)。
# - 自下而上地读这个库，从 [`minibert/model/embeddings.py`](../../minibert/model/embeddings.py) 开始。每个文件都写明了它出自论文的哪一节。
# - 用自己的方式重写一层，让[第 17 章](17_equivalence.py)的 `compare` 来裁判。
# - 改动网络：换一种层归一化的次序，用旋转位置编码，去掉下一句的谜题。两种都训练一遍，看看结果。
