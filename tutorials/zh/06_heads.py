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

# %% [markdown] en="85b15b85"
# # 6 · 池化层、预测变换，以及带有自己偏置的绑定解码器
#
# 编码器在每个位置留下一个向量。两个小部件把它们变成答案：
#
# *B 是否接在 A 后面？*
#
# $$
# W' \tanh(W h_{\mathrm{[CLS]}} + b) + b'
# $$
#
# *这里是哪个词？* 其中 E 是词嵌入，反过来用：
#
# $$
# E\, \mathrm{LayerNorm}(\mathrm{gelu}(W h + b)) + \mathrm{bias}
# $$
#
# ![读取一个向量、经过池化层的头：多项选择、分类、下一句。读取全部向量的头：预测词、标注、答案](../../docs/zh/figures/heads.svg)

# %% en="e098ccd0"
import torch
import torch.nn.functional as F

from course.figures import new_figure, show
from minibert import BertForPreTraining, BertTokenizer

tokenizer = BertTokenizer.from_pretrained("shici-4l-256h")
model = BertForPreTraining.from_pretrained("shici-4l-256h")

# %% [markdown] en="ed8a5565"
# ## 池化层：一个向量代表整段输入
#
# 池化层（pooler）要用一个向量代表整段输入。**你猜** (batch, seq, hidden) 最后剩下什么？

# %% en="60f46549"
inputs = tokenizer("春眠不觉晓，处处闻啼鸟。", "夜来风雨声，花落知多少。", return_tensors="pt")
with torch.no_grad():
    outputs = model.bert(**inputs)
    cls_vector = outputs.last_hidden_state[:, 0]  # (batch, hidden)：位置 0 是 [CLS]
    pooled = torch.tanh(model.bert.pooler.dense(cls_vector))
assert torch.equal(pooled, outputs.pooler_output)
print(tuple(outputs.last_hidden_state.shape), "→", tuple(pooled.shape))

# %% [markdown] en="9fe0382d"
# `[CLS]` 不是词，所以它的位置空着，可以用来汇集整段输入的内容；预训练正是这样要求它的：它要回答后一段文本是否接着前一段。
#
# ## B 是否接在 A 后面？
#
# 池化后的向量给出两个分数。第 0 列表示“接在后面”：与多数人猜的相反，常常有人因此得到颠倒的结果。**你猜**下面各对会怎样？

# %% en="4d0c79ec"
opening = "红豆生南国，春来发几枝。"
candidates = [
    "愿君多采撷，此物最相思。",
    "相思不可见，折此欲赠谁。",
    "种豆南山下，草盛豆苗稀。",
    "夜来风雨声，花落知多少。",
    "黑云压城城欲摧，甲光向日金鳞开。",
]
batch = tokenizer([opening] * len(candidates), candidates, padding=True, return_tensors="pt")
with torch.no_grad():
    outputs = model.bert(**batch)
    scores = model.cls.seq_relationship(outputs.pooler_output)  # (batch, 2)
    assert torch.equal(scores, model(**batch).seq_relationship_logits)
follows = torch.softmax(scores, dim=-1)[:, 0]  # (batch)
for text, probability in zip(candidates, follows.tolist(), strict=True):
    print(f"{probability:5.0%}  {text}")

# %% [markdown] en="6bfeecc1"
# 第一句是原诗，它认得；第二句是为这一章编的，说的也是相思，它就信了：你骗得过它。第三句也有豆，终究不是一回事。在训练时没有读过的诗上，这个模型十对里能判对约九对（89%）；上面这些名句，它多半读过。
#
# ## 这里是哪个词？
#
# 每个位置先经过*预测变换*（全连接、gelu、层归一化），再通过点积与每个词的嵌入（embedding）相比。手工计算：

# %% en="d228e801"
inputs = tokenizer("海上生明[MASK]，天涯共此时。", return_tensors="pt")
blank = inputs["input_ids"][0].tolist().index(tokenizer.mask_token_id)
head = model.cls.predictions
words = model.bert.embeddings.word_embeddings.weight  # (vocab, hidden)
with torch.no_grad():
    hidden_states = model.bert(**inputs).last_hidden_state  # (1, seq, hidden)
    transformed = head.transform.LayerNorm(F.gelu(head.transform.dense(hidden_states)))
    by_hand = F.linear(transformed, words, head.bias)  # (1, seq, vocab) = transformed @ wordsᵀ + bias
    assert torch.equal(by_hand, model(**inputs).prediction_logits)
print("最好的猜测：", tokenizer.convert_ids_to_tokens(by_hand[0, blank].argmax().item()))

# %% [markdown] en="c18c11e5"
# ## 权重绑定：一个矩阵，两种用途
#
# ![自下而上，从 id 到词的分数：词嵌入矩阵 E 两端都用，一端查出一行，另一端算 h Eᵀ + 偏置；偏置不参与前一种用途](../../docs/zh/figures/tied_decoder.svg)
#
# 第一级把词变成向量；最后一级问一个向量与每个词有多相配。两处用的是*同一个*矩阵，这叫权重绑定（weight tying），也叫参数共享。
#
# **你猜猜看：** 如果解码器（decoder）另有自己的矩阵，这个 550 万参数的模型要多出多少个数？

# %% en="cebf3819"
assert head.decoder.weight is words  # 不是数值相等，而是同一个张量
print(f"{words.numel():,} 个数，只存一份；整个模型有 {model.num_parameters():,} 个")
with torch.no_grad():
    before = head.decoder.weight[5, 0].item()
    words[5, 0] += 1.0  # 在一端改动……
    assert head.decoder.weight[5, 0].item() == before + 1.0  # ……另一端也变了
    words[5, 0] = before

# %% [markdown] en="5fed94a9"
# 这样省内存；也意味着训练的每一步都会移动*所有*词的向量：一个词即使没有出现在批次里，也仍然是一个可能的答案，并由此学到自己不是正确的那一个。
#
# 绑定的矩阵的梯度（gradient），与它两种用途各自的梯度，**你猜**是什么关系？

# %% en="24f00506"
target = tokenizer.vocab["月"]


def loss_with(decoder_weight: torch.Tensor) -> torch.Tensor:
    """最后一级使用这个矩阵时，空位处的 −log p(月)。"""
    hidden = model.bert(**inputs).last_hidden_state[:, blank]
    scores = F.linear(head.transform(hidden), decoder_weight, head.bias)
    return F.cross_entropy(scores, torch.tensor([target]))


(tied,) = torch.autograd.grad(loss_with(words), words)
own = words.detach().clone().requires_grad_()  # 解码器自己的矩阵，数值相同
as_input, as_output = torch.autograd.grad(loss_with(own), (words, own))
assert torch.allclose(tied, as_input + as_output, atol=1e-6)
rows_in, rows_out = ((gradient.abs().sum(-1) > 0).sum().item() for gradient in (as_input, as_output))
print(f"作输入时移动 {rows_in} 行，作输出时移动 {rows_out:,} 行；绑定之后，两者相加")

# %% [markdown] en="d0ef9041"
# ## 解码器自己的偏置
#
# 嵌入没有偏置（bias），解码器却有：每个词一个数，与文本无关。它有两个名字，`bias` 和 `decoder.bias`，但只是一个张量；文件里存的可能是其中任何一个名字。
#
# **你猜猜看：** 哪些词的偏置高？

# %% en="ff17cd53"
assert head.bias is head.decoder.bias
bias = head.bias.detach()  # (vocab)
ranked = bias.argsort(descending=True).tolist()
print("最高：", ", ".join(tokenizer.convert_ids_to_tokens(ranked[:12])))
print("最低：", ", ".join(tokenizer.convert_ids_to_tokens(ranked[-12:])))
assert set(tokenizer.convert_ids_to_tokens(ranked[-3:])) == {"[UNK]", "[SEP]", "[MASK]"}

# %% [markdown] en="b6d062f1"
# 常见的字偏置高：逗号、“人”、“不”、“山”，诗里处处都是。罕见的字偏置低，最低的是 `[CLS]`、`[UNK]`、`[MASK]` 和 `[SEP]`，它们从来不是答案。模型还没看任何一个字，就已经知道每个字出现得有多频繁。
#
# 下图把最好的几个猜测拆开来看：分数就是点积加上偏置。

# %% en="46c94f29"
best = by_hand[0, blank].topk(8).indices
products = by_hand[0, blank, best] - bias[best]
figure = new_figure(width=7.5, height=3.6)
left, right = figure.subplots(1, 2)
names = tokenizer.convert_ids_to_tokens(best.tolist())
left.barh(names, products, color="lightsteelblue", label="点积")
left.plot(products + bias[best], names, "o", color="black", label="+ 偏置 = 分数")
left.invert_yaxis()
left.set_title("海上生明[MASK]，天涯共此时。")
left.set_xlabel("分数")
left.legend(fontsize=8, loc="lower right")
right.hist(bias, bins=60)
right.set_yscale("log")
right.set_title("所有词的偏置")
figure.suptitle("附带模型的分数由什么组成")
right.set_xlabel("偏置")
right.set_ylabel("词数")
show(
    figure,
    "06-scores",
    "左边，最好的八个猜测，条形是点积，“月”居首，圆点是加上偏置后的分数，都离条形末端很近。"
    "右边，全部偏置的直方图：一座峰略低于 0，"
    "另一座在 −1.7 附近，多是少见的字；−4 和 −5 处孤零零的四个是特殊词元。",
)

# %% [markdown] en="74cac07c"
# ## 小结
#
# - 池化层取位置 0，做一次全连接和 tanh；下一句的分数由它得来，第 0 列表示“接在后面”。
# - 预测变换为每个位置作好准备；解码器把它与每个词的嵌入相比。
# - 解码器与嵌入是同一个张量，梯度是两种用途之和；偏置是解码器自己的。
# - 分数还没有经过 softmax：那是损失函数的事（第 8 章）。
#
# **代码：**[`minibert/model/pooler.py`](../../minibert/model/pooler.py)、[`minibert/heads/prediction.py`](../../minibert/heads/prediction.py)；绑定本身是 [`minibert/model/base.py`](../../minibert/model/base.py) 里的 `tie_weights`。
#
# **练习：**[`exercises/06_heads.py`](exercises/06_heads.py)：池化层、预测变换、词的分数，以及数绑定的参数。用 `minibert check 6` 检查。
#
# **下一章：**[7 · 打开检查点](07_checkpoint.py)
