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

# %% [markdown] en="bb9d37b4"
# # 14 · 序列标注：每个词一个标签
#
# 哪些词是人，哪些是地点？这就是命名实体识别（NER）。现在每个词都有自己的标签（label），所以线性层立在每一个向量上，而不是池化后的那一个：
#
# $$
# \mathrm{logits}_i = W\, \mathrm{dropout}(h_i) + b \qquad W:\ (\mathrm{tags}, \mathrm{hidden})
# $$
#
# $$
# \mathrm{loss} = \frac{1}{n} \sum_i −\log\, \mathrm{softmax}(\mathrm{logits}_i)_{\mathrm{tag}_i} \qquad \text{对计入的 } n \text{ 个子词求和}
# $$
#
# 有两件事要小心：人标注的是词，模型读的是子词（piece）；而且大多数词什么也不是，这会让差的模型显得很好。
#
# ![四行：词 Helen、Lund、left；它们的标签 B-person、I-person、O；子词 \[CLS\]、helen、lu、##nd、left；以及标签，\[CLS\] 处和 ##nd 处是 −100，因为 ##nd 不是词的第一个子词](../../docs/zh/figures/tags.svg)

# %% en="f4985bbd"
import logging
import sys

import torch

from course.figures import new_figure, show
from course.samples import sample
from minibert import (
    AdamW,
    BertForTokenClassification,
    BertTokenizer,
    get_linear_schedule_with_warmup,
    no_decay_groups,
)
from minibert.tasks import (
    BatchOrder,
    Report,
    TaggedSentence,
    collate,
    encode_tags,
    find_tags,
    read_tags,
    tags_of_words,
)
from minibert.tasks.metrics import accuracy, entities, entity_f1

logging.basicConfig(stream=sys.stdout, format="WARNING %(message)s", force=True)
tokenizer = BertTokenizer.from_pretrained("novels-4l-256h")

# %% [markdown] en="74f7d69f"
# ## 用标签表示实体
#
# `entities.conll` 一行是一个词和它的标签。一个实体可能有几个词，两个实体可能紧挨着，所以标签说的不只是类型：**B**-place 表示地点的开头（begin），**I**-place 表示接在里面（inside），**O** 表示在外面（outside）。
#
# **你猜猜看：** 三种类型的实体需要多少个标签？

# %% en="6626bacf"
sentences, report = read_tags(sample("entities.conll"))
tags = find_tags(sentences)
print(f"{report.found} 个句子里有 {report.used} 个可用")
for word, tag in zip(sentences[0].words, sentences[0].tags, strict=True):
    print(f"  {word:10} {tag}")
print("实体（类型，第一个词，最后一个词之后）：", [tuple(entity) for entity in entities(sentences[0].tags)])
print(len(tags), "个标签：", ", ".join(tags.names))

# %% [markdown] en="d1b5306e"
# ## 从词到子词
#
# *Lindqvist* 不在词表里，被切成几个子词（第 2 章）。（这一章的例子是英文的，难处就在这里。中文一个字就是一个子词，也就按字标注，每个字都有自己的标签，`tutorials/samples/zh/entities.conll` 就是这样；其余一切相同。）分词器（tokenizer）可以说出每个子词来自哪个词。**你猜猜看：** 哪个子词得到这个词的标签？

# %% en="17651cab"
encoding = tokenizer(list(sentences[0].words), is_split_into_words=True)
pieces = tokenizer.convert_ids_to_tokens(encoding["input_ids"])
word_of = encoding.word_ids()  # 每个子词所属的词的序号；[CLS] 和 [SEP] 是 None
labels = []
for place, word in enumerate(word_of):
    begins_a_word = word is not None and word != word_of[place - 1]
    labels.append(tags.label2id[sentences[0].tags[word]] if begins_a_word else -100)
for piece, word, label in zip(pieces, word_of, labels, strict=True):
    print(f"  {piece:10} 词 {word!s:5} 标签 {label:4} {'' if label == -100 else tags.names[label]}")

windows = encode_tags(sentences, tokenizer, tags, max_length=64, report=report)
assert windows[0].row["input_ids"] == encoding["input_ids"]
assert windows[0].row["labels"] == labels

# %% [markdown] en="c0b3df19"
# 第一个，别的都没有：其余各处是 −100（第 8 章），`[CLS]` 和 `[SEP]` 也是。这样每个词只计一次，不管切成几块。使用模型时，第一个子词的标签就是这个词的标签，其余子词上的输出不去看。（*Tromsø* 里有一个词表没有的字母，整个变成 `[UNK]`，但标签照样有：周围的词也许能说明它是什么。）
#
# ## 手工计算任务头
#
# 一个批次（batch）有 4 个句子，**你猜**平均是在多少个位置上求的？

# %% en="d8fa623b"
torch.manual_seed(0)
model = BertForTokenClassification.from_pretrained("novels-4l-256h", id2label=tags.id2label, label2id=tags.label2id)
rows = [window.row for window in windows]
batch = collate(rows[:4], tokenizer)
with torch.no_grad():
    states = model.bert(batch["input_ids"], batch["attention_mask"], batch["token_type_ids"]).last_hidden_state
    logits = states @ model.classifier.weight.T + model.classifier.bias  # (4, seq, tags)；dropout 已关闭
    counts = batch["labels"] != -100  # (4, seq)
    right = batch["labels"][counts]  # (words)
    loss = -torch.log_softmax(logits[counts], -1)[torch.arange(len(right)), right].mean()
    outputs = model(**batch)
assert torch.allclose(logits, outputs.logits, atol=1e-5)
assert torch.allclose(loss, outputs.loss, atol=1e-5)
assert int(counts.sum()) == sum(len(sentence.words) for sentence in sentences[:4])
print(
    tuple(states.shape),
    "→",
    tuple(logits.shape),
    f"；损失 {loss:.3f}，{counts.numel()} 个位置里有 {int(counts.sum())} 个词",
)

# %% [markdown] en="392ac89c"
# （这个警告是对的：W 和 b 是新的。）`collate` 用 −100 补齐了较短的句子。
#
# ## 为什么准确率会骗人
#
# 一个标注器对什么都说 *O*，有多好？**你猜**它的准确率（accuracy）是多少？

# %% en="b003fa57"
truth = [list(sentence.tags) for sentence in sentences]
nothing = [["O"] * len(tags_of_one) for tags_of_one in truth]


def word_accuracy(predicted: list[list[str]], truth: list[list[str]]) -> float:
    """标签正确的词所占的比例。"""
    return accuracy([tag for row in predicted for tag in row], [tag for row in truth for tag in row])


print(f"总说 O：准确率 {word_accuracy(nothing, truth):.0%}，实体 F1  {entity_f1(nothing, truth).f1:.0%}")

# %% [markdown] en="8086c26d"
# 而它什么也没有找到。（新闻里六个词大约有五个是 O。）所以改为数实体：一个实体的类型、第一个词、最后一个词都对才算对，没有半对。
#
# 找到的里面有多少是对的？实际有的里面找到了多少？再把两者合成一个数：
#
# $$
# \mathrm{precision} = \frac{\text{正确}}{\text{找到}} \qquad \mathrm{recall} = \frac{\text{正确}}{\text{实际有}} \qquad \mathrm{F1} = \frac{2 · \text{正确}}{\text{找到} + \text{实际有}}
# $$
#
# 它们是精确率（precision）、召回率（recall）和 F1。下面八个标签里错了一个，**你猜**是多少？

# %% en="1f5f0a70"
words = ["Doctor", "Pym", "sailed", "from", "New", "Lanark", "to", "Rome"]
true_tags = ["B-person", "I-person", "O", "O", "B-place", "I-place", "O", "B-place"]
said_tags = ["B-person", "I-person", "O", "O", "B-place", "O", "O", "B-place"]
true_ones, found_ones = set(entities(true_tags)), set(entities(said_tags))
right_ones = len(true_ones & found_ones)
by_hand = 2 * right_ones / (len(found_ones) + len(true_ones))
for name, ones in (("实际有", true_ones), ("找到", found_ones)):
    print(
        f"  {name:10}",
        "; ".join(" ".join(words[one.start : one.end]) for one in sorted(ones, key=lambda one: one.start)),
    )
print(f"准确率 {word_accuracy([said_tags], [true_tags]):.0%}，F1 {by_hand:.0%}")
assert by_hand == entity_f1([said_tags], [true_tags]).f1

# %% [markdown] en="e17ae5a6"
# *New* 不是 *New Lanark*：这算一个找错的实体，再算一个漏掉的。
#
# ## 教它
#
# 23 个句子用来学习，另有八个新句子用来测量。新句子里的名字大多没有在旧句子里出现过。

# %% en="7d9d3a72"
NEW = """
Helen/B-person Lund/I-person lives/O in/O Dover/B-place ./O
The/O train/O to/O Vienna/B-place was/O late/O ./O
Mr/B-person Harding/I-person wrote/O to/O the/O Northern/B-group Times/I-group ./O
Nobody/O in/O the/O kitchen/O spoke/O ./O
Then/O Captain/B-person Bell/I-person sailed/O from/O Cork/B-place to/O New/B-place York/I-place ./O
She/O works/O for/O Ashford/B-group Mills/I-group ./O
Peter/B-person met/O Clara/B-person Weiss/I-person in/O Rome/B-place ./O
The/O University/B-group of/I-group Oxford/I-group bought/O the/O house/O ./O
"""
new_sentences = [
    TaggedSentence(*map(tuple, zip(*(word.split("/") for word in line.split()), strict=True)))
    for line in NEW.strip().splitlines()
]
new_truth = [list(sentence.tags) for sentence in new_sentences]


def ask(asked: list[TaggedSentence]) -> list[list[str]]:
    """模型给每个词的标签。"""
    windows = encode_tags(asked, tokenizer, tags, 64, Report("asked", found=len(asked)))
    model.eval()
    with torch.no_grad():
        likeliest = model(**collate([window.row for window in windows], tokenizer)).logits.argmax(-1)  # (asked, seq)
    return tags_of_words(windows, likeliest.tolist(), asked, tags)


# %% [markdown] en="ff045ae3"
# 训练循环与第 12 章相同，每一轮之后看一看新句子。**你猜**准确率和 F1 在途中会怎样：哪一个先升上去？

# %% en="6041d5bc"
EPOCHS = 15
order = BatchOrder([len(row["input_ids"]) for row in rows], batch_size=8, seed=0)
steps = EPOCHS * order.batches_per_epoch
optimizer = AdamW(no_decay_groups(model, weight_decay=0.01), lr=1e-3)
schedule = get_linear_schedule_with_warmup(optimizer, num_warmup_steps=steps // 10, num_training_steps=steps)
torch.manual_seed(0)
measured = []
for step in range(steps):
    if step % order.batches_per_epoch == 0:
        predicted = ask(new_sentences)
        measured.append((word_accuracy(predicted, new_truth), entity_f1(predicted, new_truth).f1))
    model.train()
    loss = model(**collate([rows[number] for number in order.batch(step)], tokenizer)).loss
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    schedule.step()
predicted = ask(new_sentences)
measured.append((word_accuracy(predicted, new_truth), entity_f1(predicted, new_truth).f1))

accuracies, f1s = zip(*measured, strict=True)
always_o = word_accuracy([["O"] * len(row) for row in new_truth], new_truth)
figure = new_figure(width=7, height=3.8)
panel = figure.subplots()
panel.plot(accuracies, marker="o", label="词的准确率")
panel.plot(f1s, marker="o", label="实体的 F1")
panel.axhline(always_o, linestyle=":", color="gray")
panel.text(0, always_o - 0.06, "“总说 O”的准确率", fontsize=9)
panel.set_ylim(0, 1.03)
panel.set_xlabel("轮数")
panel.set_title("每一轮之后，标注器在新句子上的表现")
panel.legend(loc="lower right", bbox_to_anchor=(1, 0.06))
assert f1s[-1] > 0.2
show(
    figure,
    "14-scores",
    "随轮数变化的两条折线：词的准确率一下子跳到“总说 O”的水平，后来才上升；实体的 F1 "
    "在最初几轮接近 0，摇摆一阵，然后上升。",
)

# %% en="29effb25"
for epoch in (0, 2, 5, 10, 15):
    print(f"{epoch:2} 轮之后：准确率 {accuracies[epoch]:.0%}，F1 {f1s[epoch]:.0%}")
seen = ask(sentences)
print(f"在学过的句子上：准确率 {word_accuracy(seen, truth):.0%}，F1  {entity_f1(seen, truth).f1:.0%}")

# %% [markdown] en="e81c92e4"
# 几轮之后，它几乎对什么都说 O，准确率一点也不难看。实体要晚一些才出来。
#
# ## 它错在哪里
#
# **你猜猜看：** 难的是它从没见过的名字，还是 *Northern*、*Mills* 这类多半不是名字的词？

# %% en="b285401d"
colors = {"person": "lightskyblue", "place": "palegreen", "group": "navajowhite"}
figure = new_figure(width=10.5, height=3.8)
panel = figure.subplots()
for line, (sentence, said, true) in enumerate(zip(new_sentences, predicted, new_truth, strict=True)):
    for column, (word, tag, true_tag) in enumerate(zip(sentence.words, said, true, strict=True)):
        prefix, _, kind = tag.partition("-")
        note = word if tag == "O" else f"{word}\n{prefix}-{kind}"
        if tag != true_tag:
            note += f"\n(is {true_tag})" if tag != "O" else f"\nO (is {true_tag})"
        edge = "red" if tag != true_tag else "none"
        box = {"facecolor": colors.get(kind, "white"), "edgecolor": edge, "pad": 2}
        panel.text(column, line, note, ha="center", va="center", fontsize=7, bbox=box)
panel.set_xlim(-0.5, 9.5)
panel.set_ylim(7.6, -0.6)
panel.axis("off")
panel.set_title("标注器对新句子的判断；红框：错误")
show(
    figure,
    "14-tags",
    "八个新句子，每个词一个方框，按模型给的标签着色：大多数名字找到了；红框是错的，例如 Vienna 和长名字里的第二个词。",
)

# %% [markdown] en="16d131bd"
# 出现在名字常出现的位置（*lives in …*、*met …*）上的名字，大多找到了，尽管模型从没见过它们。难的是由普通词组成的长名字，以及头衔：二十来个句子里这类例子太少。还要注意，一组词里错一个，整个实体就丢了。
#
# ## 标签不连贯的时候
#
# 每个词是各自标注的，所以模型可能说 *O, I-place* 或 *B-person, I-place*。**你猜猜看：** 这样一行里有实体吗？

# %% en="a68965b2"
for row in (["O", "I-place", "O"], ["B-person", "I-place", "I-place"], ["B-place", "B-place", "I-place"]):
    print(f"{row!s:38}", [tuple(entity) for entity in entities(row)])

# %% [markdown] en="a6c675ed"
# 有：与 CoNLL 评测所用的计数程序一样，本库让一个前面没有同类标签的 **I** 开始一个实体。两个程序在这条规则上不同，同样的标签就会得出不同的 F1。
#
# ```bash
# minibert finetune tag --train train.conll --eval test.conll --out my-tagger
# minibert predict "Marta Lindqvist opened a bakery in Uppsala." --model my-tagger/model
# ```
#
# ## 小结
#
# - 线性层立在每个向量上；没有池化层。
# - 一个词的标签归它的第一个子词；后续子词和特殊词元是 −100。
# - 大多数词是 O，所以准确率会骗人。F1 数的是完整的实体：类型、首词、尾词。
# - B 开头，I 接续；没有开头的 I 算什么，是一条必须知道的规则。
#
# **代码：**[`minibert/heads/token_classification.py`](../../minibert/heads/token_classification.py) 任务头，[`minibert/tasks/tagging.py`](../../minibert/tasks/tagging.py) 任务：从词到子词再回来，分数与答案，[`metrics.py`](../../minibert/tasks/metrics.py) 实体与 F1。
#
# **练习：**[`exercises/14_tagging.py`](exercises/14_tagging.py)：子词的标签、词的标签、实体、F1。用 `minibert check 14` 检查。
#
# **下一章：**[15 · 问答](15_question_answering.py)
