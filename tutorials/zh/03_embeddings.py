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

# %% [markdown] en="fa8c6e9d"
# # 3 · 嵌入层：id 变成向量
#
# 网络的第一级。id 只说明是*哪一个*词；向量还可以说明它是什么样的词。
#
# $$
# \mathrm{embeddings} = \mathrm{LayerNorm}(\mathrm{word}[\mathit{id}] + \mathrm{segment}[\mathit{type}] + \mathrm{position}[\mathit{place}])
# $$
#
# 输入是形状为 (batch, seq) 的 id，输出是形状为 (batch, seq, hidden) 的向量。
#
# ![五个词元各有三个方框相加：词向量、句段向量、位置向量；之后是层归一化和 dropout](../../docs/zh/figures/embeddings.svg)

# %% en="8efdae4e"
import torch

from course.figures import new_figure, show
from minibert import BertModel, BertTokenizer

tokenizer = BertTokenizer.from_pretrained("shici-4l-256h")
model = BertModel.from_pretrained("shici-4l-256h")
stage = model.embeddings

# %% [markdown] en="bbe96493"
# ## 三张表
#
# **你猜猜看：** 词表有 8,192 个子词（piece），一个向量是 256 个数。另外两张表有多大？

# %% en="2fd7d852"
for name, parameter in stage.named_parameters():
    print(f"{name:30} {tuple(parameter.shape)!s:14} {parameter.numel():>9,}")
share = stage.word_embeddings.weight.numel() / model.num_parameters()
print(f"单是词的这张表就占模型的 {share:.0%}。")

# %% [markdown] en="0d186cbf"
# 嵌入（embedding）所做的不过是查出一行。它等于用一行“只有一个 1、其余全是 0”的数去乘这个矩阵，只是省掉了乘法。

# %% en="54e48115"
word = tokenizer.vocab["夜"]
one_hot = torch.zeros(len(tokenizer.vocab))
one_hot[word] = 1.0
assert torch.equal(stage.word_embeddings(torch.tensor(word)), stage.word_embeddings.weight[word])
assert torch.equal(one_hot @ stage.word_embeddings.weight, stage.word_embeddings.weight[word])

# %% [markdown] en="b1265243"
# ## 手工求和
#
# 为什么把三个向量相加，而不是并排放着？并排放着，网络就要宽三倍。在 256 维里相加损失很少：空间足够大，三者可以各指各的方向。

# %% en="510e5229"
inputs = tokenizer("床前明月光", "疑是地上霜", return_tensors="pt")
ids, segments = inputs["input_ids"], inputs["token_type_ids"]  # 各为 (1, seq)
places = torch.arange(ids.size(1))  # (seq): 0, 1, 2, …
print(tokenizer.convert_ids_to_tokens(ids[0]))

with torch.no_grad():
    total = stage.word_embeddings.weight[ids]  # (1, seq, hidden)
    total = total + stage.token_type_embeddings.weight[segments]
    total = total + stage.position_embeddings.weight[places]
print(tuple(total.shape))

# %% [markdown] en="51c1ff34"
# ## 手工做层归一化
#
# 层归一化（LayerNorm）对每个向量单独进行：减去平均值，除以标准差，再用学来的数对每个坐标缩放和平移。ε 保证除法不会出现无穷大。
#
# **你猜猜看：** 平均值是沿哪一轴求的？（batch、seq 还是 hidden？）

# %% en="b2f859d2"
norm = stage.LayerNorm
with torch.no_grad():
    mean = total.mean(dim=-1, keepdim=True)  # (1, seq, 1)
    variance = (total - mean).square().mean(dim=-1, keepdim=True)  # 除以 n，不是 n − 1
    by_hand = (total - mean) / torch.sqrt(variance + norm.eps) * norm.weight + norm.bias
    by_library = stage(ids, segments)
difference = (by_hand - by_library).abs().max().item()
print(f"与库的最大差别：{difference:.1e}")
assert difference < 1e-5

# %% [markdown] en="7a995f95"
# 沿 hidden：一个位置归一化时，既不看邻居，也不看批次（batch）里的其他文本，所以填充不会干扰它。（*批归一化*（BatchNorm）则是对一个批次里所有的词求平均：[问答](../../docs/zh/quiz.md#层归一化与批归一化)比较了两者。）那一点差别是 float32 的舍入：PyTorch 的算子按另一种次序相加。换成 PyTorch 自己的 `layer_norm`，差别就完全没有了：

# %% en="be4743e0"
with torch.no_grad():
    assert torch.equal(norm(total), by_library)

# %% [markdown] en="3509c3f1"
# ## 词表学到了什么
#
# 没有人告诉模型一个词是什么意思；它只是不得不去猜被遮住的词。**你猜**按向量之间的夹角来看，离“酒”最近的是哪些字？

# %% en="387ca646"
directions = torch.nn.functional.normalize(stage.word_embeddings.weight.detach(), dim=-1)  # 长度都是 1
for word in ("酒", "三", "白", "听", "东", "江"):
    cosines = directions @ directions[tokenizer.vocab[word]]  # (vocab)
    nearest = cosines.topk(6).indices.tolist()[1:]  # 第一个是这个词自己
    print(f"{word:8} {', '.join(tokenizer.convert_ids_to_tokens(nearest))}")

# %% [markdown] en="847cffe6"
# 能用在同样地方的字，已经彼此靠近了：数与数在一起，颜色与颜色在一起，方位与方位在一起。这也正是写对仗时要找的字。（“酒”旁边有“醉”“客”“菊”：它们不是同类，却常在同一句里。）
#
# ## 位置表学到了什么
#
# 每个位置的向量也是学来的：没有哪里规定 7 在 6 和 8 之间。**你猜**各位置之间的夹角是怎样的？位置 128 到 255 呢？这个检查点（checkpoint）的训练从未到过那里。

# %% en="f8591221"
positions = torch.nn.functional.normalize(stage.position_embeddings.weight.detach(), dim=-1)
similarity = positions @ positions.T  # (256, 256)
figure = new_figure(width=9, height=3.8)
left, right = figure.subplots(1, 2)
image = left.imshow(similarity, vmin=-1, vmax=1, cmap="RdBu_r")
left.set_title("两个位置之间的余弦")
left.set_xlabel("位置")
left.set_ylabel("位置")
figure.colorbar(image, ax=left, label="余弦")
for name, those in (("0 到 127 之间", slice(0, 128)), ("128 到 255 之间", slice(128, 256))):
    block = similarity[those, those]
    right.plot(range(1, 31), [block.diagonal(apart).mean().item() for apart in range(1, 31)], marker=".", label=name)
right.set_title("离得近就相像吗（平均值）")
right.set_xlabel("距离")
right.margins(y=0.35)
right.legend(loc="upper right")
figure.suptitle("附带模型的位置嵌入")
near = torch.stack([similarity[place, place + 1] for place in range(1, 127)]).mean().item()
untrained = torch.stack([similarity[place, place + 1] for place in range(129, 255)]).mean().item()
print(f"1 到 127 之间的相邻位置：{near:.2f}；129 到 255 之间：{untrained:.2f}")
assert near > untrained + 0.2
show(
    figure,
    "03-positions",
    "左边，位置之间余弦的方阵：到 127 为止，深色的对角线旁边布满平行的细条纹，再往后只剩对角线。右边，随距离变化的两条曲线："
    "训练到过的位置之间，余弦忽高忽低，在距离 12、16、24 处各有一个 0.2 上下的尖峰；其余的位置之间一直是 0。",
)

# %% [markdown] en="4b33529f"
# 在训练到过的地方，这张表不但发现了位置是排成一行的（相邻的更相像），还发现了诗的格律：五言一联连标点是 12 个字，七言一联是 16 个，而相隔 12、16、24 的位置格外相像：隔一联五言、一联七言或两联五言，正好是另一联里同样的地方。（英文版的模型读的是小说，那里的余弦只是随距离逐渐下降。）从 128 起，它仍是最初的噪声：超过 128 个子词的文本会掉出训练过的部分，分词器的 `model_max_length` 说的就是这件事。
#
# ## 次序有关系吗？
#
# 没有位置，网络就分不清“花映月”和“月映花”：在注意力（attention）看来，那只是一袋向量。试一试：让每个词元（token）的位置都是 0。

# %% en="70a07fd1"
one, other = tokenizer(["花映月", "月映花"], return_tensors="pt")["input_ids"]
nowhere = torch.zeros(1, len(one), dtype=torch.long)
with torch.no_grad():
    with_positions = [model(ids[None]).last_hidden_state[0, 2] for ids in (one, other)]  # “映”的向量
    without = [model(ids[None], position_ids=nowhere).last_hidden_state[0, 2] for ids in (one, other)]
print(f"有位置时，两个“映”的向量相距 {torch.dist(*with_positions):.2f}")
print(f"没有位置时，相距 {torch.dist(*without):.6f}")
assert torch.dist(*without) < 1e-4 < torch.dist(*with_positions)

# %% [markdown] en="381780a0"
# ## 小结
#
# - 嵌入是一张表；查表就是取出几行。
# - 词、句段（segment）、位置三个向量相加，再由层归一化把每个向量调到同一尺度。
# - 层归一化沿 hidden 进行，每次一个位置，方差除以 n。
# - 位置是学来的；超出训练过的范围就只有噪声。
#
# **代码：**[`minibert/model/embeddings.py`](../../minibert/model/embeddings.py)，一个四十行的类。
#
# **练习：**[`exercises/03_embeddings.py`](exercises/03_embeddings.py)：求和、层归一化、最近的词。用 `minibert check 3` 检查。
#
# **下一章：**[4 · 自注意力](04_attention.py)
