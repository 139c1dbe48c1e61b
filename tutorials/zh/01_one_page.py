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

# %% [markdown] en="3a15366d"
# # 1 · 一页纸的 BERT
#
# [`bert_in_one_page.py`](bert_in_one_page.py) 就是一个完整的 BERT：连注释在内不到 160 行。把它打印出来，放在本章旁边对照着读。我们先用它填一个空，看看它在思考时内部发生了什么，然后证明它不是玩具：它算出的数与完整的 minibert 库逐比特相同。

# %% en="e223d133"
import torch

from bert_in_one_page import Bert, WordPiece, fill
from course.figures import new_figure, show
from minibert import BertForMaskedLM, BertTokenizer

tokenizer = WordPiece()
bert = Bert()

# %% [markdown] en="b64e51a7"
# 权重随项目一起提供。它们在三十万首古诗词上训练了不到两个小时，所以这个模型懂得明月和酒，对计算机一无所知。（英文版用的是另一份附带的权重，读的是旧小说。）
#
# 一个句子从字母走到答案，要经过这样一条路：
#
# ![文本变成 id，id 在嵌入层变成向量，编码器的各层用注意力和前馈网络改写这些向量，最后由任务头读取全部向量，或经池化层读取其中一个](../../docs/zh/figures/path.svg)
#
# ## 填一个空
#
# **你猜会怎样？** 运行下面的代码之前，先自己填一个字：*劝君更尽一杯□，西出阳关无故人。*

# %% en="29ad937d"
for piece, probability in fill("劝君更尽一杯[MASK]，西出阳关无故人。", tokenizer, bert):
    print(f"{piece:12} {probability:6.1%}")

# %% [markdown] en="c4b1c54e"
# 有一个字遥遥领先。没有人教过模型“一杯”的后面是什么；它只是见过许许多多被遮住几个字的诗句，并且不得不去猜。
#
# 如果换掉空位周围的字，**你猜会怎样？**

# %% en="03f0725a"
for text in (
    "举头望明[MASK]，低头思故乡。",
    "夜来风[MASK]声，花落知多少。",
    "两岸猿声啼不[MASK]，轻舟已过万重山。",
    "大漠孤[MASK]直，长河落日圆。",
    "独在异乡为异[MASK]，每逢佳节倍思亲。",
):
    guesses = ", ".join(f"{piece} {probability:.0%}" for piece, probability in fill(text, tokenizer, bert, count=3))
    print(f"{text:42} {guesses}")

# %% [markdown] en="8516b5df"
# 大多数时候，诗人用的那个字就在前几名里；拿不准的时候，它也如实表现出来：押了好几个字，每个概率都不大。诗里一个空往往有几个好字可填，这与填对错不是一回事。
#
# ## 输入是什么
#
# 网络看不见文字。文本先切成子词（piece），每个子词是一个数：它在 `vocab.txt` 里的行号。中文里，每个汉字、每个标点自成一个子词；英文单词则可能切成几块。每段输入都以 `[CLS]` 开头，以 `[SEP]` 结尾。第 2 章专讲这一步。

# %% en="7347483f"
ids = tokenizer.encode("劝君更尽一杯[MASK]，西出阳关无故人。")
print(ids)
print([tokenizer.pieces[i] for i in ids])

# %% [markdown] en="e3594b03"
# ## 输出是什么
#
# **你猜会怎样？** 一共 18 个子词，可选的有 8,192 个。如果模型在*每一个*位置上都猜，而不只猜空位，分数的形状应该是怎样的？

# %% en="e239a3c0"
with torch.no_grad():
    scores = bert(torch.tensor([ids]))
print(tuple(scores.shape), "= (batch, seq, vocab)")
assert scores.shape == (1, len(ids), len(tokenizer.pieces))

# %% [markdown] en="ac829617"
# 每个位置有一行分数。凡是看得见的字，最可能的猜测多半就是它自己：

# %% en="53445865"
for place, row in enumerate(scores[0]):
    print(f"{tokenizer.pieces[ids[place]]:8} → {tokenizer.pieces[row.argmax()]}")

# %% [markdown] en="f6f53515"
# ## 看看内部：答案怎样形成
#
# 网络有四层，每一层都改写所有位置上的向量。我们完全可以提前看答案：取出每一层输出的向量，直接交给最后一步 `predict`。
#
# 刚过嵌入层（embedding）、各位置还没有互相看过一眼的时候，**你猜**它会给出什么？


# %% en="16a4a441"
def guesses_by_depth(text: str, word: str) -> tuple[list[str], list[float]]:
    """经过 0、1、……层之后，空位处最可能的词，以及指定的那个词在那里的概率。"""
    ids = tokenizer.encode(text)
    blank = ids.index(tokenizer.ids["[MASK]"])
    nothing_hidden = torch.zeros(1, 1, 1, len(ids))  # 加到分数上的掩码：0 表示谁都看得见
    best, probabilities = [], []
    with torch.no_grad():
        x = bert.embed(torch.tensor([ids]), torch.zeros(1, len(ids), dtype=torch.long))  # (1, seq, hidden)
        for number in range(bert.layers + 1):
            if number > 0:
                x = bert.layer(x, nothing_hidden, f"bert.encoder.layer.{number - 1}")
            distribution = torch.softmax(bert.predict(x)[0, blank], dim=-1)  # (vocab)
            best.append(tokenizer.pieces[distribution.argmax()])
            probabilities.append(distribution[tokenizer.ids[word]].item())
    return best, probabilities


asked = {
    "劝君更尽一杯[MASK]，西出阳关无故人。": "酒",
    "夜来风[MASK]声，花落知多少。": "雨",
    "举头望明[MASK]，低头思故乡。": "月",
    "明月几时有，把[MASK]问青天。": "酒",
}
figure = new_figure(width=7, height=4)
panel = figure.subplots()
for text, word in asked.items():
    best, probabilities = guesses_by_depth(text, word)
    print(f"{text:34} {' → '.join(best)}")
    panel.plot(probabilities, marker="o", label=f"{word}: {text}")
panel.set_xticks(range(bert.layers + 1), ["嵌入层", *(f"第 {n} 层" for n in range(bert.layers))])
panel.set_ylabel("空位处的概率")
panel.set_title("答案一路向上逐渐出现（附带的模型）")
panel.legend()
show(
    figure,
    "01-depth",
    "四条折线，每句诗一条：正确的字的概率在嵌入层、第 0 层和第 1 层之后都接近 0，"
    "到第 3 层升到约一半；“雨”在第 2 层就已到 0.4。",
)

# %% [markdown] en="bf67f4ed"
# 刚过嵌入层时，空位只知道自己是个空位、在第几个位置：不论什么诗句，它猜的都差不多。每过一层，它就从周围的字那里多收集一些信息。（`predict` 只用最后一层的向量训练过，所以用它来解读前面各层，只能看个大概。）第 3 章到第 6 章会逐一讲解这些部分。
#
# ## 哪些字容易猜？
#
# 把两句诗里的字依次遮住，看模型认为原来那个字的概率有多大。**你猜**最容易的是哪些，最难的是哪些？

# %% en="530cf3eb"
sentence = "床前明月光，疑是地上霜。"
ids = tokenizer.encode(sentence)
with torch.no_grad():
    batch = torch.tensor([ids] * len(ids))  # 每个位置复制一份
    batch.fill_diagonal_(tokenizer.ids["[MASK]"])  # 第 i 份里遮住第 i 个位置
    rows = torch.softmax(bert(batch), dim=-1)  # (seq, seq, vocab)
found = [rows[place, place, ids[place]].item() for place in range(1, len(ids) - 1)]  # 不算 [CLS] 和 [SEP]

figure = new_figure(width=8, height=3.2)
panel = figure.subplots()
panel.bar(range(len(found)), found)
panel.set_xticks(range(len(found)), [tokenizer.pieces[i] for i in ids[1:-1]])
panel.set_ylabel("遮住后，原字的概率")
panel.set_ylim(0, 1)
panel.set_title("每个字被遮住时，附带的模型认为它有多大概率")
show(
    figure,
    "01-hidden-words",
    "每个字一根柱：两个标点几乎可以肯定，“月”约为三分之二，“前”“明”“上”在 0.15 左右，“床”“光”“地”“霜”接近 0。",
)

# %% [markdown] en="9af2119b"
# 标点的位置由诗的格式定死，固定搭配里的字也容易猜；而诗人特意选的那个字，谁也说不准。对被遮住的字求 −log p 的平均，是训练这个模型所用的损失（loss）的主要部分（其余见第 8 章），你会在练习里把它写出来。
#
# ## 这真的是 BERT 吗？
#
# 完整的 minibert 库为每个计算步骤都写了一个类，还会检查输入，功能也多得多。**你猜**它的分数与这一页的分数是接近，还是相等？

# %% en="893b09bb"
library = BertForMaskedLM.from_pretrained("shici-4l-256h")
library_tokenizer = BertTokenizer.from_pretrained("shici-4l-256h")
for text in (*asked, sentence):
    inputs = library_tokenizer(text, return_tensors="pt")
    assert inputs["input_ids"].tolist() == [tokenizer.encode(text)]
    with torch.no_grad():
        assert torch.equal(library(**inputs).logits, bert(inputs["input_ids"]))
print("相等，直到最后一个比特")

# %% [markdown] en="70a7900d"
# 两边都从文件中取出 float16 的数，变成 float32，再以同样的次序做同样的运算。次序是有关系的：(a + b) + c 与 a + (b + c) 的舍入不同。
#
# ## 小结
#
# - 文本 → 子词 → id → 嵌入层 → 四层 → 每个位置上每个词的分数。
# - 模型在每个位置都猜；我们只读自己挖空的那个位置。
# - 每一层都给每个位置添上一点东西；答案是一路向上长出来的。
# - 一页 PyTorch 代码与完整的 minibert 库逐比特相等。
#
# **代码：**[`bert_in_one_page.py`](bert_in_one_page.py)，可对照[`minibert/model/bert.py`](../../minibert/model/bert.py) 和 [`minibert/heads/masked_lm.py`](../../minibert/heads/masked_lm.py)。
#
# **练习：**[`exercises/01_one_page.py`](exercises/01_one_page.py)：找出空位，给词排名，计算惊讶度与困惑度。用 `minibert check 1` 检查。
#
# **下一章：**[2 · WordPiece](02_wordpiece.py)
