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

# %% [markdown] en="02a30cef"
# # 12 · 一个标签、一个数、多个标签
#
# 预训练好的 BERT 认识词。*微调*（fine-tuning）教它做一件具体的事：这条评论是好评吗？这两句话有多像？这段文本属于哪些主题？（GLUE 的各个任务就是这样。）三者用的是同一个模型：在 `[CLS]` 池化后的向量上加一个线性层（第 6 章）。
#
# $$
# \mathrm{logits} = W\, \mathrm{dropout}(\mathrm{pooled}) + b \qquad W:\ (\mathrm{labels}, \mathrm{hidden})
# $$
#
# 不同的只是损失（loss）。
#
# ![文本经过编码器和池化层，一个线性层给出 logits，再以三种方式解读：用 softmax 选一个类别，用 σ 分别判断多个标签，或直接当作一个数，各有各的损失](../../docs/zh/figures/classification.svg)

# %% en="09add9e1"
import logging
import sys

import torch
import torch.nn.functional as F

from course.figures import new_figure, show
from course.samples import sample
from minibert import (
    AdamW,
    BertConfig,
    BertForSequenceClassification,
    BertTokenizer,
    get_linear_schedule_with_warmup,
    no_decay_groups,
)
from minibert.tasks import BatchOrder, Labels, collate, encode_texts, find_labels, read_classification
from minibert.tasks.metrics import accuracy, f1, pearson

logging.basicConfig(stream=sys.stdout, format="WARNING %(message)s", force=True)
tokenizer = BertTokenizer.from_pretrained("shici-4l-256h")

# %% [markdown] en="a88d1c7f"
# ## 从文件到批次
#
# `zh/reviews.csv` 有 24 条短评，每条标着“好评”或“差评”。模型只认识列，不认识名字，所以标签（label）要编号。**你猜猜看：** 两者之中哪个是 0？

# %% en="8a3eaf7c"
reviews, report = read_classification(sample("zh/reviews.csv"))
labels = find_labels(reviews)
rows = encode_texts(reviews, tokenizer, labels, max_length=64, report=report)
print(f"{report.found} 个样本里有 {report.used} 个可用")
print("标签：", labels.label2id)
print(f"{reviews[1].text!r} 是 {reviews[1].label}：{rows[1]['labels']}")

# %% [markdown] en="b9089b65"
# 按标签文字的编码次序编号，与它们在文件里的次序无关；打乱过的文件编号也不变。名字写进模型的 config，个数就是 `num_labels`。W 有这么多行，logits 有这么多列。


# %% en="e0e22916"
def fresh_model(labels: Labels, problem_type: str) -> BertForSequenceClassification:
    """预训练好的主体，加上一个新的线性层。"""
    torch.manual_seed(0)
    return BertForSequenceClassification.from_pretrained(
        "shici-4l-256h", id2label=labels.id2label, label2id=labels.label2id, problem_type=problem_type
    )


model = fresh_model(labels, "single_label_classification")
print("num_labels:", model.config.num_labels, "W:", tuple(model.classifier.weight.shape))
assert len(model.classifier.weight) == model.config.num_labels == len(labels)
logging.getLogger("minibert").setLevel(logging.ERROR)  # 说一次就够了

# %% [markdown] en="e3092412"
# （这个警告是对的：W 和 b 是随机的，要学出来。）手工计算前向传播：

# %% en="b53d409c"
batch = collate(rows[:8], tokenizer)
with torch.no_grad():
    pooled = model.bert(
        batch["input_ids"], batch["attention_mask"], batch["token_type_ids"]
    ).pooler_output  # (8, hidden)
    logits = pooled @ model.classifier.weight.T + model.classifier.bias  # (8, labels)；dropout 已关闭
    outputs = model(**batch)
assert torch.allclose(logits, outputs.logits, atol=1e-6)
print("pooled", tuple(pooled.shape), "→ logits", tuple(logits.shape), "→ 损失", f"{outputs.loss:.3f}")

# %% [markdown] en="208e323e"
# ## 三种标签，三种损失
#
# | `problem_type` | 标签 | 损失：对什么求平均 |
# |---|---|---|
# | `single_label_classification` | 一个类别：(batch,) 的整数 | $−\log\, \mathrm{softmax}(\mathrm{logits})_{\mathrm{label}}$ |
# | `multi_label_classification` | 每个标签是或否：(batch, labels) 的 0.0 和 1.0 | $−[y \log\, σ(\mathrm{logit}) + (1 − y) \log(1 − σ(\mathrm{logit}))]$ |
# | `regression` | 一个数：(batch,) | $(\mathrm{logit} − y)^2$ |
#
# **你猜猜看：** 哪一种损失让同一段文本的各个 logit 互相竞争？

# %% en="d2c9e07a"
y_one = batch["labels"]  # (8)
one_by_hand = -torch.log_softmax(logits, -1)[torch.arange(8), y_one].mean()

y_many = F.one_hot(y_one, 2).float()  # (8, 2)：同样的内容，对两者各说是或否
yes = torch.sigmoid(logits)  # (8, 2)：各在 0 到 1 之间，互不相干
many_by_hand = -(y_many * yes.log() + (1 - y_many) * (1 - yes).log()).mean()

y_number = torch.tensor([4.0, 1.0, 5.0, 0.5, 4.5, 0.0, 4.0, 2.0])  # (8)：比如说，几颗星
number_by_hand = ((logits - y_number[:, None].expand(8, 2)) ** 2).mean()

for kind, targets, by_hand in (
    ("single_label_classification", y_one, one_by_hand),
    ("multi_label_classification", y_many, many_by_hand),
    ("regression", y_number[:, None].expand(8, 2), number_by_hand),
):
    model.config.problem_type = kind
    by_library = model.loss(logits, targets)
    print(f"{kind:28} {by_library:.4f}")
    assert torch.allclose(by_hand, by_library, atol=1e-6)
model.config.problem_type = "single_label_classification"

# %% [markdown] en="92f1d65b"
# 只有第一种：softmax 把一份信心分给各个类别。σ 则对每个标签单独发问，所以可以全都是，也可以全都不是。
#
# **没有人说明是哪一种时**，由最先看到的标签决定，config 会记住。对整数、对 0.0 和 1.0、对只有一列的模型，**你猜**各会怎样？

# %% en="eea7c097"
tiny = {"vocab_size": 10, "hidden_size": 4, "num_hidden_layers": 1, "num_attention_heads": 1, "intermediate_size": 4}
ids = torch.tensor([[2, 5, 3], [2, 7, 3]])
for columns, targets in (
    (3, torch.tensor([2, 0])),
    (3, torch.tensor([[0.0, 1.0, 1.0], [0.0, 0.0, 0.0]])),
    (1, torch.tensor([0.5, 3.0])),
):
    guess = BertForSequenceClassification(BertConfig(**tiny, num_labels=columns))
    guess(ids, labels=targets)
    print(f"num_labels {columns}，标签的类型 {targets.dtype}：{guess.config.problem_type}")

# %% [markdown] en="edb7696c"
# 这里有个陷阱：`num_labels=1` 时，类别 0 和 1 会被当成要拟合的数。（本库在那里拒绝整数，并说明原因。）两个类别就是两列。
#
# ## 教它
#
# 三个任务共用一个循环。它就是第 11 章的循环，只是批次（batch）不同：每一轮换一个次序，长度相近的文本放在一起。dropout 是打开的（`train()`），因为这几个样本要反复地看。


# %% en="f06813fd"
def learn(model: BertForSequenceClassification, rows: list[dict], epochs: int) -> list[float]:
    """在所有行上微调；返回每一步的损失。"""
    order = BatchOrder([len(row["input_ids"]) for row in rows], batch_size=8, seed=0)
    steps = epochs * order.batches_per_epoch
    optimizer = AdamW(no_decay_groups(model, weight_decay=0.01), lr=1e-3)
    schedule = get_linear_schedule_with_warmup(optimizer, num_warmup_steps=steps // 10, num_training_steps=steps)
    model.train()
    losses = []
    for step in range(steps):
        loss = model(**collate([rows[number] for number in order.batch(step)], tokenizer)).loss
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
    model.eval()
    return losses


def ask(model: BertForSequenceClassification, *texts: list[str]) -> torch.Tensor:
    """文本，或组成句对的两列文本 → (texts, labels) 的 logits。"""
    with torch.no_grad():
        return model(**tokenizer(*texts, padding=True, return_tensors="pt")).logits


def pooled_of(model: BertForSequenceClassification, texts: list[str]) -> torch.Tensor:
    """(texts, hidden)：线性层读到的东西。"""
    with torch.no_grad():
        return model.bert(**tokenizer(texts, padding=True, return_tensors="pt")).pooler_output


# %% [markdown] en="109e77c6"
# 模型会把训练用过的东西背下来，也就是过拟合（overfitting）。所以这里有几条它从没见过的评论：

# %% en="2655d8ca"
unseen = {
    "被褥松软，早餐就在花园里吃。": "好评",
    "女儿从第一页笑到最后一页。": "好评",
    "鱼很新鲜，价钱公道，窗外就是海。": "好评",
    "结实，轻巧，好洗。": "好评",
    "故事很美，讲得也好。": "好评",
    "汤是凉的，服务员爱理不理。": "差评",
    "用了一个礼拜就坏了。": "差评",
    "演员忘了词，我看得睡着了。": "差评",
    "楼道很黑，床是潮的。": "差评",
    "尺寸寄错了，钱也不退。": "差评",
}
seen_texts = [review.text for review in reviews]
before = pooled_of(model, [*seen_texts, *unseen])  # (34, hidden)
losses = learn(model, rows, epochs=10)
after = pooled_of(model, [*seen_texts, *unseen])
print(f"第一步损失 {losses[0]:.2f}，最后一轮 {sum(losses[-3:]) / 3:.2f}")

# %% [markdown] en="42ab3521"
# **你猜猜看：** 十条里对几条？碰运气是五条。

# %% en="e9d25346"
for name, texts, truths in (
    ("见过的", seen_texts, [review.label for review in reviews]),
    ("没见过的", list(unseen), list(unseen.values())),
):
    probabilities = ask(model, texts).softmax(-1)  # (texts, 2)
    said = [labels.names[column] for column in probabilities.argmax(-1).tolist()]
    print(f"{name}：{len(texts)} 条里 {accuracy(said, truths):.0%} 正确")
for text, truth, word, share in zip(unseen, unseen.values(), said, probabilities.max(-1).values.tolist(), strict=True):
    print(f"  {'✓' if word == truth else '✗'} {word} {share:4.0%}  {text}")
assert accuracy(said, list(unseen.values())) >= 0.6

# %% [markdown] en="13d58845"
# 只用二十来个样本，大多数就对了：这正是预训练的意义，何况这个模型读过的只有古诗，今天的话它一句也没读过。（英文版用读小说的模型做英文评论，十条对八条。）再看看它对答错的那些有多肯定：见得少的模型，它给的概率不可轻信。
#
# ## 向量发生了什么变化？
#
# 微调前后，**你猜**池化后的向量会怎样？这里画出它们差别最大的两个方向。

# %% en="7ed5b99b"
truths = [review.label for review in reviews] + list(unseen.values())
figure = new_figure(width=10, height=4.2)
for panel, name, vectors in zip(figure.subplots(1, 2), ("微调前", "微调后"), (before, after), strict=True):
    centred = vectors - vectors.mean(0)
    directions = torch.linalg.svd(centred, full_matrices=False).Vh[:2]  # (2, hidden)
    flat = centred @ directions.T  # (34, 2)
    for label, color in (("好评", "tab:green"), ("差评", "tab:red")):
        for group, places, inside in (("见过", range(24), color), ("没见过", range(24, 34), "none")):
            those = [place for place in places if truths[place] == label]
            panel.scatter(*flat[those].T, edgecolor=color, facecolor=inside, label=f"{label}，{group}")
    panel.set_title(f"{name}")
    panel.set_xticks([])
    panel.set_yticks([])
panel.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
figure.suptitle("34 条评论池化后的向量，画在差别最大的两个方向上")
show(
    figure,
    "12-pooled",
    "两片点。微调前绿点和红点混在一起；微调后见过的红点全在一端，见过的绿点全在另一端；"
    "没见过的好评都在绿的一端，没见过的差评两端都有。",
)

# %% [markdown] en="36ba7952"
# 微调前两类混在一起：造就这些向量的下一句预测并不关心谁喜欢那碗汤。微调后，整个模型都变了，见过的两类一刀就能分开。学到的不只是 W 和 b，主体也变了。
#
# ## 一个数
#
# `zh/similarity.csv` 是一些句对，以及它们有多像，从 0 到 5。一列，平方误差。损失多小才算学到了东西？一个永远只猜平均值的人，损失就是标签的*方差*。它相当于第 11 章里词频的熵：损失在它附近，说明文本根本没有读。
#
# 16 个句对，**你猜** 20 轮之后学到了什么？

# %% en="dbe62dfc"
pairs, report = read_classification(sample("zh/similarity.csv"), "regression")
number = find_labels(pairs, "regression")
rows = encode_texts(pairs, tokenizer, number, max_length=64, report=report)
stars = torch.tensor([row["labels"] for row in rows])
variance = ((stars - stars.mean()) ** 2).mean()

similarity = fresh_model(number, "regression")
losses = learn(similarity, rows, epochs=20)
print(f"num_labels：{similarity.num_labels}；只猜平均值：{variance:.2f}")
for epoch in (0, 4, 9, 14, 19):
    print(f"  第 {epoch + 1:2} 轮：{sum(losses[2 * epoch : 2 * epoch + 2]) / 2:5.2f}")

# %% en="86a48818"
new_pairs = [
    ("一个女孩在看书。", "女孩正在看书。", 5.0),
    ("老人在做晚饭。", "一位老人正在烧饭。", 4.5),
    ("他们卖了房子。", "他们买了房子。", 3.0),
    ("他打开了窗。", "她关上了门。", 2.0),
    ("马在田野上跑。", "马在马棚里睡。", 1.5),
    ("孩子在弹琴。", "玉米的价格涨了。", 0.2),
]
firsts, seconds, truths = (list(column) for column in zip(*new_pairs, strict=True))
said = ask(similarity, firsts, seconds)[:, 0]  # (pairs)
for first, second, truth, value in zip(firsts, seconds, truths, said.tolist(), strict=True):
    print(f"  {value:.1f} （我会说 {truth}）  {first} / {second}")
seen = ask(similarity, [pair.text for pair in pairs], [pair.text_pair for pair in pairs])[:, 0]
print(f"皮尔逊相关系数：学过的句对 {pearson(seen, stars):.2f}，这几个 {pearson(said, truths):.2f}")

# %% [markdown] en="90636424"
# 它先学会了平均值，然后把十六个句对背下了大半。对新句对，它把最像的一对排在了第一，别的就谈不上了：马的两句、弹琴与玉米，都给得太高；“卖”与“买”、“打开”与“关上”有什么区别，它更无从知道。（六个句对的相关系数，只能姑且一看。）这个任务公开的数据集有 5,749 个训练句对。模型不行的时候，先看看给了它什么。
#
# ## 多个标签
#
# `zh/topics.jsonl`：一段文本可以既讲食物又讲音乐，也可以与表里的主题都无关。概率大于 ½ 就给出这个标签，也就是 logit 大于 0。**你猜猜看：** 一段文本的各个概率之和是 1 吗？

# %% en="1170597d"
texts, report = read_classification(sample("zh/topics.jsonl"), "multi_label_classification")
topics = find_labels(texts, "multi_label_classification")
rows = encode_texts(texts, tokenizer, topics, max_length=64, report=report)
print(topics.names)
print(texts[0].label, "→", rows[0]["labels"])
print(texts[7].label, "→", rows[7]["labels"])

topical = fresh_model(topics, "multi_label_classification")
losses = learn(topical, rows, epochs=20)
print(f"损失 {losses[0]:.2f} → {sum(losses[-2:]) / 2:.2f}")

# %% en="6bd24724"
new_texts = [
    "山里打了一夜的雷。",
    "我们去海边的火车停开了。",
    "汤在炉上煮着，乐队就唱了起来。",
    "大雪下来，山里的比赛停了。",
    "他把扇子放进了箱子。",
]
shown = [texts[place].text for place in (0, 3, 8, 14)] + new_texts
probabilities = torch.sigmoid(ask(topical, shown))  # (texts, labels)
figure = new_figure(width=9.5, height=4)
panel = figure.subplots()
image = panel.imshow(probabilities, cmap="Blues", vmin=0, vmax=1, aspect="auto")
for line, row in enumerate(probabilities.tolist()):
    for column, share in enumerate(row):
        panel.text(column, line, f"{share:.0%}", ha="center", va="center", color="white" if share > 0.5 else "black")
panel.axhline(3.5, color="black")
panel.set_xticks(range(len(topics)), topics.names)
panel.set_yticks(range(len(shown)), shown, fontsize=8)
figure.suptitle("模型认为每个主题有多大概率；横线以上是学过的文本")
show(
    figure,
    "12-topics",
    "九段文本、五个主题的表，每格一个百分比：横线以上四段在自己的主题上数值高，"
    "以下五段只在“天气”上有两处认对，别的主题大多漏掉，还多了一处“旅行”。",
)

# %% [markdown] en="a6175a67"
# 各行之和不是 1，也不必是：每个标签都是单独的问题。新文本里，打雷和大雪的“天气”它认出来了，放扇子的那一句它知道什么也不是；别的大多漏掉，还给山里的雷添了“旅行”：那十六段里，“山”字只见于旅行的那一段。
#
# 还有一个陷阱。多数文本只有少数几个标签，所以一个总说*否*的模型，大多数格子都是对的。因此用标签的 F1 打分，它数的是正确的*是*。总说*否*，**你猜**得多少分？

# %% en="02bd7462"
truth = torch.tensor([row["labels"] for row in rows]) > 0  # (16, 5)
never = torch.zeros_like(truth)
given = ask(topical, [text.text for text in texts]) > 0
for name, answer in (("总说否", never), ("模型，在学过的文本上", given)):
    print(f"{name}：{(answer == truth).float().mean():.0%} 的格子正确，micro F1  {f1(answer, truth, 'micro'):.2f}")

# %% [markdown] en="dd068164"
# ## 同样的事，一条命令
#
# ```bash
# minibert finetune classify --model shici-4l-256h --train train.csv --eval test.csv --out my-classifier
# minibert finetune classify --model shici-4l-256h --labels number --train train.csv --eval test.csv --out my-scores
# minibert finetune classify --model shici-4l-256h --labels multi --train train.jsonl --eval test.jsonl --out my-topics
# minibert predict "屋子安静，面包也香。" --model my-classifier/model
# ```
#
# （这里的学习率 10⁻³ 适合附带的小模型。BERT-base 习惯用 2 到 5 · 10⁻⁵，训练 3 轮。）
#
# ## 小结
#
# - 一个任务头（head）应付三种任务：池化后的向量上加一个线性层；`num_labels` 是 W 的行数，也是 logits 的列数。
# - `problem_type` 决定损失：一个类别用 softmax，多个标签各用 σ，一个数用平方误差。
# - 没有人说明？那就由最先看到的标签决定，而 `num_labels=1` 表示一个数。
# - 微调也改变主体：池化后的向量各自分开。
# - 在没有学过的数据上测量，并与一个不读文本的猜测者相比。
#
# **代码：**[`minibert/heads/sequence_classification.py`](../../minibert/heads/sequence_classification.py) 任务头及其损失，[`minibert/tasks/classification.py`](../../minibert/tasks/classification.py) 任务：从文件到行，分数与答案，[`task_batches.py`](../../minibert/tasks/task_batches.py) 从行到批次，[`metrics.py`](../../minibert/tasks/metrics.py) 度量。各种做法见 [`docs/finetuning.md`](../../docs/zh/finetuning.md)。
#
# **练习：**[`exercises/12_classification.py`](exercises/12_classification.py)：问题的种类、是与否及其损失、相关系数。用 `minibert check 12` 检查。
#
# **下一章：**[13 · 多项选择](13_multiple_choice.py)
