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

# %% [markdown] en="3ddaaaf1"
# # 15 · 问答：答案从哪里开始，到哪里结束？
#
# 输入一个问题和一段文本，答案是文本里的一段。所以模型不用写任何东西：它给每个子词（piece）两个分数，一个表示*答案从这里开始*，一个表示*到这里结束*。
#
# $$
# (\mathrm{start}_i, \mathrm{end}_i) = W h_i + b \qquad W:\ (2, \mathrm{hidden})
# $$
#
# $$
# \mathrm{loss} = \frac{−\log\, \mathrm{softmax}(\mathrm{start})_{\mathrm{first}} − \log\, \mathrm{softmax}(\mathrm{end})_{\mathrm{last}}}{2}
# $$
#
# ![一行子词，有 \[CLS\]、问题和文本；下面是各自的起点分数和终点分数；文本中最大的起点 6.1 和最大的终点 5.7 组成最佳区间，\[CLS\] 的两个分数之和是“没有答案”的分数](../../docs/zh/figures/span.svg)
#
# 本章其余的内容都是细致活：从字符到子词再回来，最佳区间，太长的文本，以及文本没有回答的问题。

# %% en="423526e7"
import logging
import math
import sys
from collections import Counter

import torch

from course.figures import new_figure, show
from course.samples import sample
from minibert import AdamW, BertForQuestionAnswering, BertTokenizer, get_linear_schedule_with_warmup, no_decay_groups
from minibert.tasks import answers_to, encode_questions, read_squad
from minibert.tasks.metrics import answer_scores
from minibert.tasks.task_files import Report

logging.basicConfig(stream=sys.stdout, format="WARNING %(message)s", force=True)
torch.manual_seed(0)
tokenizer = BertTokenizer.from_pretrained("novels-4l-256h")
model = BertForQuestionAnswering.from_pretrained("novels-4l-256h")

# %% [markdown] en="80e79556"
# （这个警告是对的：线性层是新的，还什么都不知道。）
#
# ## 数据文件
#
# 24 个问题，针对四段英文短文，格式是 SQuAD 2.0。（中文的在 `tutorials/samples/zh/questions.json`，格式相同，答案按字打分。）答案由它的文本和第一个字符的位置给出。有些问题没有答案。

# %% en="2f23b4d2"
questions, report = read_squad(sample("questions.json"))
print(f"{report.found} 个问题里有 {report.used} 个可用")
granite = questions[1]
print(f"\n{granite.context[:96]}…\n")
for question in (granite, questions[5]):
    print(question.question, "→", [(answer.text, answer.start) for answer in question.answers])

# %% [markdown] en="34750ba3"
# ## 从字符到子词
#
# 模型认识的是子词，不是字符。分词器（tokenizer）可以说出每个子词对应哪些字符：它的*偏移*（offset）。
#
# **你猜猜看：** *grey granite* 占哪几个位置？（先是 `[CLS]`，然后是问题，然后是 `[SEP]`。）

# %% en="f08b75a1"
encoded = tokenizer(granite.question, granite.context, return_offsets_mapping=True)
pieces = tokenizer.convert_ids_to_tokens(encoded["input_ids"])
in_context = [segment == 1 for segment in encoded["token_type_ids"]]
in_context[-1] = False  # 最后的 [SEP] 属于句段 1，但不属于任何文本
answer = granite.answers[0]
begin, end = answer.start, answer.start + len(answer.text)
held = [
    place
    for place, (first, last) in enumerate(encoded["offset_mapping"])
    if in_context[place] and first < end and last > begin  # 这个子词与答案有共同的字符
]
for place in range(held[0] - 1, held[-1] + 2):
    print(f"位置 {place}：{pieces[place]:8} 字符 {encoded['offset_mapping'][place]}")
first, last = held[0], held[-1]
assert granite.context[begin:end] == "grey granite"

# %% [markdown] en="aadad697"
# 问题里的子词也有偏移，但那是在问题里的位置：没有 `in_context`，两段文本就混在一起了。
#
# ## 两个分数，两个损失，一个平均
#
# 训练之前，**你猜**损失（loss）是多少？（新层的权重很小。这么多位置看上去都一样时，其中之一有多出人意料？）

# %% en="d566deab"
inputs = {name: torch.tensor([encoded[name]]) for name in ("input_ids", "token_type_ids", "attention_mask")}
with torch.no_grad():
    outputs = model(**inputs, start_positions=torch.tensor([first]), end_positions=torch.tensor([last]))
    hidden_states = model.bert(**inputs).last_hidden_state  # (1, seq, hidden)
    start, end_ = model.qa_outputs(hidden_states).unbind(-1)  # 各为 (1, seq)
    by_hand = (-start.log_softmax(-1)[0, first] - end_.log_softmax(-1)[0, last]) / 2
assert torch.equal(start, outputs.start_logits)
assert torch.allclose(by_hand, outputs.loss, atol=1e-6)
print(f"这一层有 {sum(p.numel() for p in model.qa_outputs.parameters())} 个数；损失 {outputs.loss.item():.2f}")
print(f"在 {len(pieces)} 个位置里盲猜：{math.log(len(pieces)):.2f}")

# %% [markdown] en="f38b656c"
# 说到底还是分类：类别就是位置。（所以类别数随每段文本而变，而这一层始终只有两行。）
#
# ## 训练
#
# 把五个问题放在一边：每段文本一个，再加一个没有答案的。模型从其余 19 个里学，学十二遍。没有答案时，起点和终点都是 0，也就是 `[CLS]` 的位置。

# %% en="aa97696a"
aside = {"q4", "q10", "q15", "q22", "q24"}
learned = [question for question in questions if question.id not in aside]
unseen = [question for question in questions if question.id in aside]


def rows_of(asked: list, max_length: int = 128, stride: int = 32, labelled: bool = False) -> list:
    """给模型的行。这些文本都不超过 128 个子词，所以每个问题一行；窗口后面再讲。"""
    return encode_questions(
        asked, tokenizer, Report("sample", found=len(asked)), max_length=max_length, stride=stride, labelled=labelled
    )


def batch_of(rows: list) -> dict[str, torch.Tensor]:
    """把各行并排放好，用 0 补到最长。"""
    longest = max(len(row.offsets) for row in rows)
    batch = {}
    for name, value in rows[0].row.items():
        is_list = isinstance(value, list)
        batch[name] = torch.tensor(
            [r.row[name] + [0] * (longest - len(r.offsets)) if is_list else r.row[name] for r in rows]
        )
    return batch


rows = rows_of(learned, labelled=True)
epochs, batch_size = 12, 8
steps = epochs * math.ceil(len(rows) / batch_size)
optimizer = AdamW(no_decay_groups(model, weight_decay=0.01), lr=1e-3)
schedule = get_linear_schedule_with_warmup(optimizer, steps // 10, steps)
model.train()
for epoch in range(epochs):
    losses = []
    order = torch.randperm(len(rows)).tolist()
    for at in range(0, len(rows), batch_size):
        loss = model(**batch_of([rows[number] for number in order[at : at + batch_size]])).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    if epoch % 3 == 2:
        print(f"第 {epoch + 1:2} 轮：损失 {sum(losses) / len(losses):.2f}")
model = model.eval()

# %% [markdown] en="4acb3573"
# ## 现在它怎么说
#
# *Where is fish sold?* 的答案有七个词，**你猜猜看：** 起点和终点都很肯定，还是一片模糊？

# %% en="e372efae"
fish = questions[8]
(row,) = rows_of([fish])
with torch.no_grad():
    outputs = model(**batch_of([row]))
start, end_ = outputs.start_logits[0], outputs.end_logits[0]  # 各为 (seq)
pieces = tokenizer.convert_ids_to_tokens(row.row["input_ids"])
figure = new_figure(width=12, height=4.2)
panel = figure.subplots()
panel.bar(range(len(pieces)), start.softmax(0), color="tab:blue", label="从这里开始")
panel.bar(range(len(pieces)), -end_.softmax(0), color="tab:orange", label="到这里结束")
panel.axhline(0, color="gray", linewidth=0.8)
panel.set_xticks(range(len(pieces)), pieces, rotation=90, fontsize=7)
panel.set_xlim(-1, len(pieces))
panel.set_ylim(-1, 1)
panel.set_yticks([-1, -0.5, 0, 0.5, 1], ["1", "½", "0", "½", "1"])
panel.set_ylabel("概率")
panel.set_title(f"{fish.question} 模型认为答案从哪里开始、到哪里结束")
panel.legend()
show(
    figure,
    "15-start-and-end",
    "问题和文本的每个子词上的柱子：向上是答案从那里开始的概率，向下是到那里结束的概率。"
    "最高的起点和最高的终点相隔几个子词，正是卖鱼的地方；"
    "[CLS] 和其他答案处有小柱子。",
)

# %% [markdown] en="2ad542e0"
# 一个起点和一个终点脱颖而出：卖鱼的地方。小柱子是同一段文本的其他问题的答案，`[CLS]` 处则是“没有答案”。
#
# ## 最佳区间
#
# 最可能的起点和最可能的终点各自挑选，未必配得上。一个区间（span）要成为答案，必须
#
# - 起点不在终点之后，
# - 两端都在文本里，不在问题里，
# - 不比答案允许的长度更长（比如 30 个子词，免得从第一句一直选到最后一句）。
#
# **你猜猜看：** 有 `seq` 个位置时，起点和终点一共有多少种组合？下面的方阵还剩哪一部分？


# %% en="89773c7b"
def span_scores(start: torch.Tensor, end: torch.Tensor, offsets: tuple) -> torch.Tensor:
    """i 到 j 可以是答案时为 start[i] + end[j]，否则 −∞：(start, end)。"""
    places = torch.arange(len(offsets))
    in_context = torch.tensor([offset is not None for offset in offsets])  # (seq)
    length = places[None, :] - places[:, None] + 1  # (start, end)：从 i 到 j 的子词数
    allowed = in_context[:, None] & in_context[None, :] & (length >= 1) & (length <= 30)
    scores = start[: len(places), None] + end[None, : len(places)]  # 后面可能有填充
    return scores.masked_fill(~allowed, -math.inf)


scores = span_scores(start, end_, row.offsets)
first, last = divmod(int(scores.argmax()), len(pieces))
(begin, _), (_, stop) = row.offsets[first], row.offsets[last]
print(f"{len(pieces) ** 2:,} 种组合，其中 {int(scores.isfinite().sum()):,} 种是区间")
print(f"最佳：位置 {first} 到 {last}，字符 {begin} 到 {stop}：{fish.context[begin:stop]!r}")

figure = new_figure(width=6.4, height=5.4)
panel = figure.subplots()
image = panel.imshow(scores.masked_fill(scores.isinf(), math.nan), cmap="viridis")
panel.plot(last, first, "o", markersize=14, markerfacecolor="none", markeredgecolor="red")
panel.set_xlabel("终点位置")
panel.set_ylabel("起点位置")
panel.set_title("所有可以作答案的区间")
figure.colorbar(image, ax=panel, label="起点分数 + 终点分数；圈出：最佳")
show(
    figure,
    "15-spans",
    "起点与终点的方阵，只有一条斜带有颜色：从对角线到它右边 30 个子词；明亮的行与列在其中交叉，红圈标出最亮的交叉点。",
)

# %% [markdown] en="7facf974"
# 行是起点，列是终点：两者都同意的地方在交叉处。答案按字符从原文剪出。若把子词重新粘起来，会得到 *clock - maker*，大写也没了。
#
# 库里的做法相同。**你猜猜看：** 两个最可能的位置各自挑选，有多少次根本组不成区间？


# %% en="92989f4c"
def ask(asked: list, **windows: int) -> tuple[list, torch.Tensor, torch.Tensor, list]:
    """各问题的行、起点和终点的分数，以及库给出的答案。"""
    rows = rows_of(asked, **windows)
    with torch.no_grad():
        outputs = model(**batch_of(rows))
    start, end = outputs.start_logits, outputs.end_logits  # 各为 (rows, seq)
    return rows, start, end, answers_to(asked, rows, start, end, allow_no_answer=True)


rows, starts, ends, predictions = ask(questions)
assert fish.context[begin:stop] == next(candidate.text for candidate in predictions[8].candidates if candidate.text)
impossible = 0
for row, start, end_ in zip(rows, starts, ends, strict=True):
    first, last = int(start[: len(row.offsets)].argmax()), int(end_[: len(row.offsets)].argmax())
    inside = row.offsets[first] is not None and row.offsets[last] is not None
    nowhere = first == last == 0  # 都在 [CLS]：表示没有答案
    impossible += not nowhere and not (inside and first <= last)
print(f"{len(rows)} 个问题里有 {impossible} 个：最可能的起点与最可能的终点组不成区间")

# %% [markdown] en="03c7d74a"
# ## 没有答案
#
# 训练时，没有答案的问题把两个标签都放在 `[CLS]`。所以 `start[0] + end[0]` 就是*没有答案*的分数，与最佳区间竞争。

# %% en="f5fd177a"
for number in (7, 11, 17):
    best_span = next(candidate for candidate in predictions[number].candidates if candidate.text)
    none = next(candidate for candidate in predictions[number].candidates if not candidate.text)
    print(questions[number].question)
    print(
        f"    最佳区间 {best_span.score:5.2f} {best_span.text!r}   没有答案 {none.score:5.2f}   回答 {predictions[number].text!r}"
    )

# %% [markdown] en="92da2d48"
# ## 长文本：窗口
#
# BERT 最多读 512 个子词，附带的模型只学过 128 个。更长的文本切成互相重叠的窗口，每个窗口前面都放上问题。**你猜猜看：** 为什么要重叠？（想想恰在切口上的答案。）
#
# 我们的文本很短，就让一个窗口有 84 个子词，其中 16 个与前一个窗口共有。

# %% en="5954b7b5"
rows, starts, ends, in_windows = ask(questions, max_length=84, stride=16)
print(granite.question)
for row, start, end_ in zip(rows, starts, ends, strict=True):
    if row.question == 1:
        offsets = [offset for offset in row.offsets if offset is not None]
        covered = granite.context[offsets[0][0] : offsets[-1][1]]
        scores = span_scores(start, end_, row.offsets)
        first, last = divmod(int(scores.argmax()), len(row.offsets))
        text = granite.context[row.offsets[first][0] : row.offsets[last][1]]
        print(f"  {covered[:24]}…{covered[-24:]}")
        print(f"      最佳区间 {scores.max():5.2f} {text!r}   没有答案 {start[0] + end_[0]:5.2f}")
print(f"→ {in_windows[1].text!r}")

# %% [markdown] en="c7ff0d60"
# 第二个窗口里没有答案。没有人教过它说“没有”，但它的最佳区间不如第一个窗口的，而胜出的是所有窗口里最好的区间。（比较的是分数，不是概率：每个窗口的概率之和都是 1，不管里面有什么。）真正训练时，没有答案的窗口也用来学，标签是 `[CLS]`。
#
# 一个窗口说*没有答案*，只代表它自己；所以要**每个**窗口都这样说，整段文本才没有答案：取各窗口分数中最小的一个。
#
# ## 两种度量
#
# *精确匹配*（exact match）问答案是否就是标准答案；*F1* 则为答对一部分词给分。大小写、标点和冠词都不计。
#
# 设两边共有的词是 n 个：
#
# $$
# \mathrm{precision} = \frac{n}{\text{预测的词数}} \qquad \mathrm{recall} = \frac{n}{\text{标准答案的词数}} \qquad \mathrm{F1} = \frac{2\, n}{\text{两者之和}}
# $$
#
# **你猜猜看：** 标准答案是 *on the south side near the fountain*，回答 *the south side* 的 F1 是多少？

# %% en="776bd9a7"
predicted, true = ["south", "side"], ["on", "south", "side", "near", "fountain"]  # 不算冠词
n = (Counter(predicted) & Counter(true)).total()
print(f"精确率 {n / len(predicted):.2f}，召回率 {n / len(true):.2f}，F1  {2 * n / (len(predicted) + len(true)):.2f}")
scores_ = answer_scores({"": "the south side"}, {"": ["on the south side near the fountain"]})
assert math.isclose(scores_.f1, 2 * n / (len(predicted) + len(true)))

# %% [markdown] en="cb7fe9b0"
# 现在看所有问题。学过的 19 个和没学过的五个，**你猜会怎样？**

# %% en="a4c1c031"
for name, asked in (("学过的", learned), ("没见过的", unseen)):
    truths = {question.id: [answer.text for answer in question.answers] for question in asked}
    result = answer_scores({prediction.id: prediction.text for prediction in predictions}, truths)
    print(f"{name:13} {result.questions:2} 个问题：精确匹配 {result.exact_match:.0%}，F1 {result.f1:.0%}")
    if asked is unseen:
        for question in asked:
            said = next(prediction.text for prediction in predictions if prediction.id == question.id)
            print(f"    {question.question:48} {truths[question.id]} 它却回答 {said!r}")
    else:
        assert result.f1 > 0.5

# %% [markdown] en="d2e0cf1f"
# 它学会的是这个文件，不是回答问题：对一段熟悉的文本，它给出的是另一个问题的答案。19 个样本只能做到这样。SQuAD 有 10 万个，用它训练的 BERT-base 的 F1 是 88。代码是一样的。
#
# **绝不要在学过的数据上测量。** 表的第一行看上去像是成功。
#
# ## 小结
#
# - 一个线性层给每个子词一个起点分数和一个终点分数；损失是两个关于位置的交叉熵的平均。
# - 偏移把字符变成子词，用于标签；再变回去，用于答案。
# - 最佳区间是最好的*合法*组合：起点在终点之前，在文本里，不太长。
# - 没有答案就是 `[CLS]`；有多个窗口时，要它们都这样说。
# - 精确匹配要么全对要么全错；F1 数词。
#
# **代码：**[`minibert/heads/question_answering.py`](../../minibert/heads/question_answering.py)，[`minibert/tasks/squad.py`](../../minibert/tasks/squad.py) 从字符到子词，[`question_answering.py`](../../minibert/tasks/question_answering.py) 再变回来，[`metrics.py`](../../minibert/tasks/metrics.py) 度量。`minibert finetune qa` 用你自己的文件训练：[`docs/finetuning.md`](../../docs/zh/finetuning.md)。
#
# **练习：**[`exercises/15_question_answering.py`](exercises/15_question_answering.py)：位置、窗口、最佳区间、F1。用 `minibert check 15` 检查。
#
# **下一章：**[16 · 用 BERT 作解码器](16_decoder.py)
