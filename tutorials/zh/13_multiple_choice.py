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

# %% [markdown] en="90335794"
# # 13 · 多项选择：每个选项一个分数，在选项之间做 softmax
#
# *渔夫觉得线上一沉。他……* 哪个结尾合适？每道题的结尾都不同，所以不能像标签那样作为线性层的列（第 12 章）。做法是让每个结尾与它的上文一起读一遍，得到一个数：
#
# $$
# \mathrm{score} = w · \mathrm{dropout}(\mathrm{pooled}) + b \qquad w:\ (\mathrm{hidden})
# $$
#
# $$
# p(\mathrm{choice}) = \frac{e^{\text{它的分数}}}{\sum_{\text{本题各选项}} e^{\text{分数}}}
# $$
#
# 模型就这么简单。需要小心的是形状。
#
# ![两道题各有两个选项，(batch 2, choices 2, seq)，变成四行 (4, seq)；每行得一个分数；分数再变回 (2, 2)，softmax 在每道题的选项之间做](../../docs/zh/figures/choices.svg)

# %% en="12b99f67"
import logging
import math
import sys

import torch

from course.figures import new_figure, show
from course.samples import sample
from minibert import (
    AdamW,
    BertForMultipleChoice,
    BertTokenizer,
    get_linear_schedule_with_warmup,
    no_decay_groups,
)
from minibert.tasks import BatchOrder, ChoiceExample, Report, collate, encode_choices, read_choices

logging.basicConfig(stream=sys.stdout, format="WARNING %(message)s", force=True)
torch.manual_seed(0)
tokenizer = BertTokenizer.from_pretrained("shici-4l-256h")
model = BertForMultipleChoice.from_pretrained("shici-4l-256h")

# %% [markdown] en="4c9c4d73"
# （这个警告是对的：w 和 b 是新的。）
#
# ## 一道题是几个句对
#
# `zh/endings.csv` 有 16 道题，每题四个结尾，列名与 SWAG 相同（RocStories 也是这样的任务）。**你猜猜看：** 为了一道题，模型要读几段文本？其中哪一部分是句段（segment）1？

# %% en="4872f57a"
questions, report = read_choices(sample("zh/endings.csv"))
rows = encode_choices(questions, tokenizer, max_length=64, report=report)
question = questions[2]
print(f"{report.found} 道题里有 {report.used} 道可用。这一道的正确结尾是第 {question.label} 个：")
for ids, segments in zip(rows[2]["input_ids"], rows[2]["token_type_ids"], strict=True):
    print(f"  {tokenizer.decode(ids)}   {''.join(map(str, segments))}")
by_hand = [tokenizer(question.context, f"{question.beginning} {ending}")["input_ids"] for ending in question.endings]
assert by_hand == rows[2]["input_ids"]

# %% [markdown] en="60be6688"
# 上文在每一段里重复出现。下一句的开头（“路上的人”）属于结尾：两者都是句段 1。（`decode` 在字与字之间加空格，见第 2 章。）
#
# ## (batch, choices, seq)，再压平
#
# 一批题有三个维度，而 BERT 读的是 (batch, seq)。所以把前两维首尾相接，最后再把分数拆开。**你猜猜看：** 压平之后，第 2 题的第 1 个选项在哪一行？

# %% en="2d91e18a"
batch = collate(rows[:3], tokenizer)
questions_in_batch, choices, length = batch["input_ids"].shape


def flat(ids: torch.Tensor) -> torch.Tensor:
    """(batch, choices, seq) → (batch · choices, seq)，同一道题的选项相邻。"""
    return ids.reshape(-1, ids.shape[-1])


with torch.no_grad():
    pooled = model.bert(
        flat(batch["input_ids"]), flat(batch["attention_mask"]), flat(batch["token_type_ids"])
    ).pooler_output  # (batch · choices, hidden)
    scores = pooled @ model.classifier.weight.T + model.classifier.bias  # (batch · choices, 1)；dropout 已关闭
    logits = scores.view(questions_in_batch, choices)  # (batch, choices)
    outputs = model(**batch)
assert torch.allclose(logits, outputs.logits, atol=1e-6)
assert torch.equal(flat(batch["input_ids"])[2 * choices + 1], batch["input_ids"][2, 1])
print(tuple(batch["input_ids"].shape), "→", tuple(flat(batch["input_ids"]).shape), "→", tuple(pooled.shape), end=" ")
print("→", tuple(scores.shape), "→", tuple(logits.shape))

# %% [markdown] en="4dd5d1c2"
# 第 2 · 4 + 1 行。变回去要用同样的次序：`view(batch, choices)`。反过来写成 `view(choices, batch).T`，形状也对，不报错，却把各题混在一起。一个拿不同题的结尾相比的损失（loss），**你猜会怎样？**

# %% en="a0ce185f"
mixed = scores.view(choices, questions_in_batch).T
print("压平后的各行在哪里，正确的：\n", torch.arange(12).view(3, 4))
print("弄混的：\n", torch.arange(12).view(4, 3).T)
assert mixed.shape == logits.shape
assert not torch.allclose(mixed, logits)

# %% [markdown] en="a615bfaf"
# 它照样可以下降，模型学到的却是胡话。形状碰巧对得上的时候，只有检验*哪个数在哪里*才有用。
#
# ## 在选项之间做 softmax
#
# 一个还没训练的模型，四个选项，**你猜**损失是多少？

# %% en="63b25064"
labels = batch["labels"]  # (batch)
probabilities = logits.softmax(dim=-1)  # (batch, choices)
loss = -probabilities[torch.arange(questions_in_batch), labels].log().mean()
assert torch.allclose(loss, outputs.loss, atol=1e-6)
print(f"损失 {loss:.3f}；盲猜是 log 4 = {math.log(4):.3f}")

# %% [markdown] en="41dbe50b"
# 有关系的只是差：四个分数都加 5，softmax 不变。现在看 b，它同样地加在所有分数上。**你猜**它的梯度（gradient）是什么？

# %% en="cb1ca6ec"
assert torch.allclose((logits + 5).softmax(-1), probabilities, atol=1e-6)
gradients = torch.autograd.grad(model(**batch).loss, [model.classifier.weight, model.classifier.bias])
print(f"w 的梯度：最大 {gradients[0].abs().max():.3f}；b 的梯度：{gradients[1].abs().item():.0e}")
assert gradients[1].abs().item() < 1e-6

# %% [markdown] en="4b9109db"
# 是 0（至多有一点舍入误差）：b 永远什么也学不到。它在那里，只因为线性层都有一个；别人发布的模型里也有它。
#
# 模型里没有任何东西知道有几个选项、按什么次序。交换两个结尾，它们的分数也只是跟着交换：

# %% en="7b5918d3"
two = {name: column[:1, [3, 2]] for name, column in batch.items() if name != "labels"}
with torch.no_grad():
    assert torch.allclose(model(**two).logits, outputs.logits[:1, [3, 2]], atol=1e-5)
print("用四个结尾的模型也能读两个")

# %% [markdown] en="c1d85fe1"
# ## 教它
#
# 先准备一些它不会从中学习的题：

# %% en="c0029fa5"
unseen = [
    ("男孩点亮了灯。", "灯光", "照亮了屋子。", "唱了一支歌。", "喝完了茶。"),
    ("农夫打开了栅门。", "羊群", "跑到草地上。", "写了一封信。", "弹起了琴。"),
    ("女孩失手掉了碗。", "碗", "摔成了碎片。", "要了一杯酒。", "嫁给了国王。"),
    ("老师摇响了铃。", "孩子们", "跑到外面去玩。", "慢慢化成了水。", "在园里生了锈。"),
    ("邮差敲了敲门。", "一个女人", "开门接过了信。", "长在树林里。", "煮开了。"),
    ("天下起雪来。", "远山", "变成一片白。", "数着钱。", "戴上了帽子。"),
    ("剃头匠拿起剪刀。", "他", "剪短了老人的头发。", "流入大海。", "在太阳下成熟。"),
    ("船撞上了石头。", "水手", "跳上了小船。", "在五月开花。", "烤成了饼。"),
]
new_questions = [ChoiceExample(context, begin, tuple(endings), label=0) for context, begin, *endings in unseen]


def ask(model: BertForMultipleChoice, asked: list[ChoiceExample]) -> torch.Tensor:
    """概率，(questions, choices)。"""
    rows = encode_choices(asked, tokenizer, 64, Report("asked", found=len(asked)))
    with torch.no_grad():
        return model(**collate(rows, tokenizer)).logits.softmax(-1)


def share_right(probabilities: torch.Tensor, asked: list[ChoiceExample]) -> float:
    """最可能的选项里有多少是对的。"""
    return (probabilities.argmax(-1) == torch.tensor([question.label for question in asked])).float().mean().item()


before = ask(model, new_questions)

# %% [markdown] en="10bb3328"
# 这里正确的结尾总排在第一。**你猜猜看：** 这对模型有帮助吗？（看看交换结尾的那一格。）
#
# 训练循环与第 12 章相同。每一步读 4 道题，也就是 16 段文本。

# %% en="4404d977"
order = BatchOrder([max(map(len, row["input_ids"])) for row in rows], batch_size=4, seed=0)
steps = 8 * order.batches_per_epoch
optimizer = AdamW(no_decay_groups(model, weight_decay=0.01), lr=1e-3)
schedule = get_linear_schedule_with_warmup(optimizer, num_warmup_steps=steps // 10, num_training_steps=steps)
torch.manual_seed(0)
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
for epoch in range(8):
    print(f"第 {epoch + 1} 轮：损失 {sum(losses[4 * epoch : 4 * epoch + 4]) / 4:.2f}")

# %% [markdown] en="454dbcdd"
# 对新题，**你猜会怎样？** 全靠碰运气的话，能对三分之一。

# %% en="153556aa"
after = ask(model, new_questions)
figure = new_figure(width=10, height=4)
panels = figure.subplots(1, 2, sharey=True)
for panel, name, probabilities in zip(panels, ("微调前", "微调后"), (before, after), strict=True):
    panel.imshow(probabilities, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for line, row in enumerate(probabilities.tolist()):
        for column, share in enumerate(row):
            color = "white" if share > 0.5 else "black"
            panel.text(column, line, f"{share:.0%}", ha="center", va="center", color=color, fontsize=9)
    panel.set_xticks(range(3), ["正确的", "错误的", "错误的"])
    panel.set_title(f"{name}：正确选项平均 {probabilities[:, 0].mean():.0%}")
figure.suptitle("八道新题的每个结尾，模型认为有多大概率")
panels[0].set_yticks(range(8), [f"{question.context} {question.beginning} …" for question in new_questions], fontsize=8)
show(
    figure,
    "13-choices",
    "两张表，八道题各三个结尾，写着百分比。微调前每格都接近三分之一；微调后有的格子接近 100%，正确结尾那一列最深的有四道题，另外四道答错。",
)

# %% en="0ba5641f"
print(f"学过的题：{share_right(ask(model, questions), questions):.0%} 正确")
for question, shares in zip(new_questions, after.tolist(), strict=True):
    chosen = max(range(3), key=shares.__getitem__)
    print(
        f"  {'✓' if chosen == 0 else '✗'} {shares[chosen]:4.0%}  {question.context} {question.beginning} {question.endings[chosen]}"
    )

# %% [markdown] en="f3b52a7d"
# ## 它到底看不看上文？
#
# 模型可能只学会了哪些结尾听起来像对的，而不管前面是什么。检验一下：给每道题换上另一道题的上文和开头。换了人就读不懂了。对它学过的那些题，**你猜**模型会怎样？

# %% en="17699e3c"
for name, asked in (("学过的题", questions), ("新题", new_questions)):
    shifted = [
        ChoiceExample(other.context, other.beginning, question.endings, question.label)
        for question, other in zip(asked, [*asked[1:], asked[0]], strict=True)
    ]
    right, lost = share_right(ask(model, asked), asked), share_right(ask(model, shifted), shifted)
    print(f"{name:12}：用自己的上文 {right:.0%} 正确，换一个上文 {lost:.0%}")


# %% [markdown] en="95c14270"
# 真相在此：上文几乎没有读。模型把 64 个结尾里哪些是对的背了下来，不论放在什么上文后面大多认得出。在新题上它只比碰运气好一些（英文版的模型对四分之三；这一个读的是古诗，没读过今天的话），而换成错的上文，也一点不差：它凭的是结尾自己听起来像不像话。损失接近 0、学过的题全对，都不会告诉你这件事；换上文的检验才会。
#
# 这不怪任务头（task head）。SWAG 有 73,000 道训练题，而且错误的结尾经过挑选，单独听起来*并不*荒唐；BERT-base 在那里达到 81.6%（Devlin 等 2019，表 4）。命令是一样的：
#
# ```bash
# minibert finetune choose --model shici-4l-256h --train train.csv --eval val.csv --out my-endings
# minibert predict "厨师揭开了锅盖。" --choice "热气冒了出来。" --choice "它叫了起来。" --model my-endings/model
# ```
#
# ## 小结
#
# - 每个选项自成一个句对；一个批次是 (batch, choices, seq)，BERT 读的是 (batch · choices, seq)。
# - 每段文本一个分数；按同样的次序变回 (batch, choices)；softmax 和损失在选项之间做。
# - 只有分数之差有关系，所以任务头的偏置（bias）永远学不到东西。选项的个数和次序都无所谓。
# - 要问模型是否需要上文：给它换一个上文。
#
# **代码：**[`minibert/heads/multiple_choice.py`](../../minibert/heads/multiple_choice.py) 任务头，[`minibert/tasks/multiple_choice.py`](../../minibert/tasks/multiple_choice.py) 任务：从题目到句对，分数与答案，[`task_batches.py`](../../minibert/tasks/task_batches.py) 三个维度的填充。
#
# **练习：**[`exercises/13_multiple_choice.py`](exercises/13_multiple_choice.py)：句对、压平再变回、损失。用 `minibert check 13` 检查。
#
# **下一章：**[14 · 序列标注](14_tagging.py)
