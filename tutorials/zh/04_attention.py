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

# %% [markdown] en="f6af1c37"
# # 4 · 自注意力：先手算，再融合
#
# 注意力（attention）是一个词了解另一个词的途径。每个位置提一个问题（它的*查询*，query），每个位置举一块牌子（它的*键*，key）；牌子与问题越相合，从那个位置取来的*值*（value）就越多。
#
# $$
# Q = X W_q \qquad K = X W_k \qquad V = X W_v
# $$
#
# $$
# \mathrm{attention}(Q, K, V) = \mathrm{softmax}\Bigl(\frac{Q K^\top}{\sqrt{d}} + \mathrm{mask}\Bigr)\, V
# $$
#
# ![x 投影成 Q、K、V，各自切成多个头；Q Kᵀ 除以 √d，加上掩码，softmax 沿着键这一轴；所得的概率对 V 加权求和，各头再拼接起来，每一步都写着形状](../../docs/zh/figures/attention.svg)

# %% en="46d4b414"
import math

import torch

from course.figures import new_figure, show
from minibert import BertModel, BertTokenizer

tokenizer = BertTokenizer.from_pretrained("shici-4l-256h")
model = BertModel.from_pretrained("shici-4l-256h")

# %% [markdown] en="d8a4b782"
# ## 三个词，各两个数
#
# 小到可以用纸笔来算。三个位置，向量的宽度 d = 2：

# %% en="007d0444"
query = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])  # (seq, d)
key = torch.tensor([[2.0, 0.0], [0.0, 2.0], [0.0, 0.0]])
value = torch.tensor([[10.0, 0.0], [0.0, 10.0], [5.0, 5.0]])

# %% [markdown] en="47a718ef"
# **你猜猜看：** 位置 0 最关注哪个位置？位置 2 的查询与前两个键同样相合，它会怎样分配注意力？

# %% en="70630b57"
scores = query @ key.T / math.sqrt(2)  # (seq, seq)：行 = 谁在问，列 = 问谁
probabilities = torch.softmax(scores, dim=-1)  # 每行的和是 1
context = probabilities @ value  # (seq, d)：各个值的加权平均
print("scores\n", scores)
print("probabilities\n", probabilities)
print("context\n", context)

by_pencil = math.exp(2 / math.sqrt(2)) / (math.exp(2 / math.sqrt(2)) + 1 + 1)
assert math.isclose(probabilities[0, 0].item(), by_pencil, rel_tol=1e-6)

# %% [markdown] en="4ac77ccd"
# 第一行要的是第一个坐标，得到的也主要是第一个值。但没有哪个值被原样照搬：注意力总是在混合。
#
# ## 为什么要除以 √d？
#
# 两个随机向量的点积是 d 项之和，它的标准差与 √d 成正比。**你猜**当 d 是 256 而不做这个除法时，10 个分数的 softmax 会是什么样子？

# %% en="78b74298"
torch.manual_seed(0)
for d in (4, 64, 256):
    q, keys = torch.randn(2000, 1, d), torch.randn(2000, d, 10)
    products = (q @ keys).squeeze(1)  # (2000, 10)
    largest = torch.softmax(products, -1).max(-1).values.mean()
    largest_scaled = torch.softmax(products / math.sqrt(d), -1).max(-1).values.mean()
    print(f"d = {d:3}：标准差 {products.std():5.1f}，最大概率 {largest:.2f}，除以 √d 后 {largest_scaled:.2f}")

# %% [markdown] en="110c88d0"
# 不做除法，一个键就把注意力全拿走了；而一处是 1、其余是 0 的 softmax 几乎传不回梯度（gradient）：模型就学不会去看别处了。
#
# ## 多个头
#
# 一次只问一个问题太少了。BERT 把一个位置的 256 个数切成 4 个头，每个头 d = 64，各自做注意力，再把结果并排放好。
#
# 切分的办法是：先 `view` 成 (batch, seq, 4, 64)，然后用 `transpose` 换成 (batch, 4, seq, 64)。
#
# **你猜**如果一步就 `view` 成 (batch, 4, seq, 64)，会出什么问题？位置 0 和位置 1 各占一行：

# %% en="7dd634a3"
rows = torch.tensor([[[1, 1, 1, 1], [2, 2, 2, 2]]])  # (batch 1, seq 2, hidden 4)：位置 0 全是 1，位置 1 全是 2
print("先 view 再 transpose：", rows.view(1, 2, 2, 2).transpose(1, 2).tolist())
print("一步 view：          ", rows.view(1, 2, 2, 2).tolist())

# %% [markdown] en="0808d161"
# 把两者都当作 (batch, head, seq, d) 来读：一步到位的写法里，头 0 装了两次位置 0，位置 1 一次也没有。形状一样，也不报错，各头却把位置弄混了。这是经典的错误。
#
# ## 手工计算这一层
#
# 现在用第一层真正的权重，算一个带填充的批次（batch）。

# %% en="5676bd75"
attention = model.encoder.layer[0].attention.self
inputs = tokenizer(["床前明月光，疑是地上霜。", "独坐幽篁里。"], padding=True, return_tensors="pt")
with torch.no_grad():
    hidden_states = model.embeddings(inputs["input_ids"])  # (batch, seq, hidden)
batch, seq, hidden = hidden_states.shape
heads, d = attention.num_attention_heads, attention.attention_head_size
print(f"batch {batch}，seq {seq}，hidden {hidden} = {heads} 个头 × {d}")

# %% [markdown] en="50d884ef"
# 掩码（mask）给出时，1 表示词元（token），0 表示填充。它要*加*到分数上，所以必须变成 0 和一个很大的负数。**你猜**为什么是 −10000，而不是 −∞？

# %% en="4bb2de2b"
mask = (1.0 - inputs["attention_mask"][:, None, None, :].float()) * -10000.0  # (batch, 1, 1, keys)
print(mask[1].flatten().tolist())
print("全部遮住，−∞：    ", torch.softmax(torch.full((3,), -math.inf), -1).tolist())
print("全部遮住，−10000：", torch.softmax(torch.full((3,), -10000.0), -1).tolist())


# %% [markdown] en="fbbd30da"
# 如果某一行什么都不能看（比如用来凑满批次的空行），它就会变成 NaN，并污染后面算出的每一个数。


# %% en="fdc33b42"
def split_heads(x: torch.Tensor) -> torch.Tensor:
    """(batch, seq, heads · d) → (batch, heads, seq, d)"""
    return x.view(batch, seq, heads, d).transpose(1, 2)


with torch.no_grad():
    query = split_heads(attention.query(hidden_states))
    key = split_heads(attention.key(hidden_states))
    value = split_heads(attention.value(hidden_states))
    scores = query @ key.transpose(-1, -2) / math.sqrt(d)  # (batch, heads, seq, keys)
    probabilities = torch.softmax(scores + mask, dim=-1)
    context = (probabilities @ value).transpose(1, 2).reshape(batch, seq, hidden)  # 各头重新并排

    by_library, its_probabilities, _ = attention(hidden_states, mask, output_attentions=True)
assert torch.equal(probabilities, its_probabilities)
assert torch.equal(context, by_library)
print("与 BertSelfAttention 逐比特相等")
print("分给填充的注意力：", probabilities[1, :, :, inputs["attention_mask"][1] == 0].max().item())

# %% [markdown] en="62775562"
# ## 各个头在看什么
#
# 没有人告诉这 16 个头该做什么。**你猜**它们会怎样？注意找两种习惯：看相邻的字，和看 `[CLS]` 或 `[SEP]`（一个头找不到想要的东西时，总得看向某处）。这两句诗是对仗的：“白日”对“黄河”，“依山尽”对“入海流”。有没有哪个头看得出来？

# %% en="85a4ec06"
text = "白日依山尽，黄河入海流。"
inputs = tokenizer(text, return_tensors="pt")
tokens = tokenizer.convert_ids_to_tokens(inputs["input_ids"][0])
with torch.no_grad():
    looks = model(**inputs, output_attentions=True).attentions  # 每层一个 (batch, heads, seq, keys)
looks = torch.stack(looks)[:, 0]  # (layers, heads, seq, keys)

figure = new_figure(width=11, height=11.5)
panels = figure.subplots(4, 4)
for layer in range(4):
    for head in range(4):
        panel = panels[layer, head]
        image = panel.imshow(looks[layer, head], vmin=0, vmax=1, cmap="Blues")
        panel.set_title(f"第 {layer} 层，头 {head}", fontsize=9)
        panel.set_xticks(range(len(tokens)), tokens if layer == 3 else [], rotation=90, fontsize=8)
        panel.set_yticks(range(len(tokens)), tokens if head == 0 else [], fontsize=8)
figure.suptitle("附带模型的每个头在看什么")
figure.supylabel("提问的子词（查询）")
figure.supxlabel("被问的子词（键）")
figure.colorbar(image, ax=panels, shrink=0.5, label="注意力权重；每行之和为 1")

previous = looks.diagonal(offset=-1, dim1=-2, dim2=-1).mean(-1)  # (layers, heads)：平均有多少注意力给了前一个子词
following = looks.diagonal(offset=1, dim1=-2, dim2=-1).mean(-1)
for name, habit in (("前一个子词", previous), ("后一个子词", following)):
    layer, head = divmod(int(habit.argmax()), 4)
    print(f"{name}：看得最多的是第 {layer} 层的头 {head}，占它注意力的 {habit.max():.0%}")
show(
    figure,
    "04-heads",
    "十六个方阵，每层一行：第 0 层头 1 在对角线右边一格、第 2 层头 0 在左边一格有一条清晰的线，分别对着后一个和前一个字；"
    "第 1 层头 1 有两段斜线，连着上下句里位置相同的字；许多头里颜色最深的一列是 [CLS]。",
)

# %% [markdown] en="6eee5a82"
# 最分明的两个头，做的正是你靠次序区分词语时会做的事：看前一个字，看后一个字。还有许多注意力停在 `[CLS]` 上，最上面一层尤其如此。
#
# 再看第 1 层的头 1：“白”看“黄”，“日”看“河”，“依”看“入”，“山”看“海”，反过来也一样，连逗号也看着句号。没有人讲过什么叫对仗；只是遮住一个字以后，另一句里与它相对的那个字最能说明它是什么。（换成别的五言联，这个头还是这样；英文的小说里没有对仗，那个模型也就用不着这样的头。）
#
# ## 同一件事，融合起来做
#
# 手工计算时，(seq × keys) 的概率矩阵要放在内存里，每个头一份。PyTorch 的 `scaled_dot_product_attention` 则分块计算，从不把整个矩阵存下来。**你猜**结果逐比特相同吗？

# %% en="d5cf15e7"
inputs = tokenizer(["床前明月光，疑是地上霜。", "独坐幽篁里。"], padding=True, return_tensors="pt")
with torch.no_grad():
    written_out = model(**inputs).last_hidden_state
    model.set_attn_implementation("sdpa")
    fused = model(**inputs).last_hidden_state
    model.set_attn_implementation("eager")
real = inputs["attention_mask"].bool()
difference = (written_out - fused)[real].abs().max().item()
print(f"四层之后的最大差别：{difference:.1e}")
assert difference < 1e-5

# %% [markdown] en="d0def45a"
# 并不相同：换一个次序求和，舍入就不一样。这点差别平时无关紧要，但要证明逐比特相等就不行了；所以这里默认用 `"eager"`，也就是你读得懂的那一种。用 `"sdpa"` 就没有概率可看了；要看概率（`output_attentions=True`）时，那一次调用会改走逐步写出的算法。
#
# ## 小结
#
# - 分数是查询与键的点积，除以 √d；沿*键*做 softmax 得到权重；再按权重混合各个值。
# - 切分多头要 view **加** transpose；拼接要 transpose 加 reshape。
# - 掩码是加上去的：0 或 −10000，取有限的数，以免哪一行变成 NaN。
# - eager 注意力样样看得见；融合的注意力省内存、省时间，在舍入范围内一致。
#
# **代码：**[`minibert/model/attention.py`](../../minibert/model/attention.py)：其中 `eager_attention` 就是用十行写出的这一章。[`minibert/model/masks.py`](../../minibert/model/masks.py) 制作掩码。`minibert attention "你的诗句" --model shici-4l-256h --layer 1 --head 1` 画出一个头。
#
# **练习：**[`exercises/04_attention.py`](exercises/04_attention.py)：切分多头、掩码、注意力、拼接多头。用 `minibert check 4` 检查。
#
# **下一章：**[5 · 编码器](05_encoder.py)
