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

# %% [markdown] en="6d92321a"
# # 16 · 用 BERT 作解码器：掩码、缓存、束搜索
#
# BERT 双向地读，用来填空。*解码器*（decoder）从左往右读，并接着往下写。两者的层完全相同，差别只在于一个由 0 和 1 组成的三角形。这一章把它放进去，教一个小解码器写句子，再用三种方式选词。

# %% en="4fc7d191"
import logging
import math
import random
import sys
import time

import torch
import torch.nn.functional as F

from course.figures import new_figure, show
from minibert import (
    AdamW,
    BertConfig,
    BertLMHeadModel,
    BertModel,
    BertTokenizer,
    get_linear_schedule_with_warmup,
)
from minibert.model.masks import causal_mask

logging.basicConfig(stream=sys.stdout, format="WARNING %(message)s", force=True)
tokenizer = BertTokenizer.from_pretrained("shici-4l-256h")
bundled = BertLMHeadModel.from_pretrained("shici-4l-256h", is_decoder=True).eval()

# %% [markdown] en="7e3ea9d4"
# ## 三角形
#
# 要续写文本，模型必须在每个位置预测*下一个*词。如果一个位置看得见下一个词，就没什么可预测的了。所以位置 *i* 只能看位置 0 到 *i*，后面的一概不能看：

# %% en="823bb334"
print(causal_mask(1, 5, 5, like=torch.ones(1))[0].int())

# %% [markdown] en="7afa2ce6"
# 此后它就是第 4 章的掩码（mask）：(1 − mask) × −10000，在 softmax 之前加到分数上。同样的权重，有三角形和没有三角形：

# %% en="65b4ba9a"
reader = BertModel.from_pretrained("shici-4l-256h", add_pooling_layer=False).eval()  # 双向
text = "床前明月光，疑是地上霜"
ids = tokenizer(text, return_tensors="pt")["input_ids"][:, :-1]  # 不要 [SEP]：文本还要接着写
pieces = tokenizer.convert_ids_to_tokens(ids[0].tolist())
with torch.no_grad():
    both_ways = reader(ids, output_attentions=True).attentions[0][0].mean(0)  # (seq, seq)：对各头求平均
    left_only = bundled.bert(ids, output_attentions=True).attentions[0][0].mean(0)
figure = new_figure(width=9, height=4.4)
for panel, weights, name in zip(
    figure.subplots(1, 2, sharey=True), (both_ways, left_only), ("双向", "从左往右"), strict=True
):
    image = panel.imshow(weights, cmap="Blues", vmin=0, vmax=0.6)
    panel.set_xticks(range(len(pieces)), pieces, rotation=90)
    panel.set_yticks(range(len(pieces)), pieces)
    panel.set_xlabel("被问的子词")
    panel.set_title(name)
figure.axes[0].set_ylabel("提问的子词")
figure.colorbar(image, ax=figure.axes, label="注意力权重")
figure.suptitle("附带模型的第 0 层，对各头求平均")
assert torch.equal(left_only, left_only.tril())
show(
    figure,
    "16-triangle",
    "两个注意力权重的方阵：双向时对角线两边都有颜色；从左往右时对角线以上全是空的。",
)

# %% [markdown] en="135dccb9"
# 改动最后一个词，**你猜猜看：** 有三角形时哪些位置的向量会变？没有时呢？

# %% en="864a7f54"
other = ids.clone()
other[0, -1] = tokenizer.vocab["花"]
with torch.no_grad():
    for name, model in (("双向", reader), ("从左往右", bundled.bert)):
        moved = (model(ids).last_hidden_state - model(other).last_hidden_state)[0].abs().amax(-1)  # (seq)
        print(f"{name:16}", "  ".join(f"{piece} {far:.2f}" for piece, far in zip(pieces, moved, strict=True)))
assert (moved[:-1] == 0).all()

# %% [markdown] en="c8a0a89e"
# 所以一个双向读的模型不会写作。每来一个新词，前面的向量全都会变；而在训练时，每个位置都可以偷看答案。
#
# 附带的权重正是双向地训练出来的。如果只加上三角形，**你猜**它在每个位置会给出什么词？

# %% en="cc4e1dc8"
with torch.no_grad():
    said = bundled(ids).logits[0].argmax(-1)
print("读到", pieces)
print("说出", tokenizer.convert_ids_to_tokens(said.tolist()))
print("接着写：", tokenizer.decode(bundled.generate(ids, max_new_tokens=10)[0]))

# %% [markdown] en="4e20697f"
# 多半就是那个位置上的词：那正是第 8 章的谜题。从来没有人问过它下一个是什么。要成为解码器，光有掩码不够，还得训练。
#
# ## 一种小语言
#
# 我们编造一种语言的 2,000 个句子，这样就知道它的各个概率。“她 打开 了”之后，100 次里有 35 次是“房门”，后面总跟着“走了”；50 次是“旧的”，后面跟五样东西之一；15 次是“电灯”。在另一些句子里，隔几个词之后，“小红”要对应“她”，“小明”要对应“他”。（词与词之间空一格，这样一切就是现成的词，不必再切。）

# %% en="461c2157"
draw = random.Random(1)


def sentence() -> str:
    """这种语言的一个句子。"""
    if draw.random() < 0.5:
        rest = draw.choices(["房门 走了", "旧的", "电灯"], [0.35, 0.5, 0.15])[0]
        thing = draw.choice(["箱子", "信封", "窗户", "书本", "柜子"])
        return f"{draw.choice(['她', '他'])} 打开 了 {rest + ' ' + thing if rest == '旧的' else rest} 。"
    name, who, whose = draw.choice([("小红", "她", "她的"), ("小明", "他", "他的")])
    if draw.random() < 0.5:
        return f"{name} 说 {who} 弄丢 了 {whose} {draw.choice(['书本', '书包', '信封'])} 。"
    return f"{name} 去 了 {draw.choice(['商店', '学校'])} 因为 {who} 要 买 {draw.choice(['书本', '书包', '箱子'])} 。"


sentences = [sentence().split() for _ in range(2000)]
PAD, START, END = 0, 1, 2
words = ["[PAD]", "[START]", "[END]", *sorted({word for one in sentences for word in one})]
number = {word: i for i, word in enumerate(words)}
longest = max(map(len, sentences)) + 2
rows = torch.tensor(
    [[START, *(number[word] for word in one), END] + [PAD] * (longest - 2 - len(one)) for one in sentences]
)
for one in sentences[:4]:
    print(" ".join(one))
print(f"{len(words)} 个词；rows 的形状 {tuple(rows.shape)}")


def ids_of(text: str) -> torch.Tensor:
    return torch.tensor([[START, *(number[word] for word in text.split())]])


def text_of(ids: torch.Tensor) -> str:
    return " ".join(words[i] for i in ids.tolist() if i > END)


# %% [markdown] en="b6a8c107"
# ## 错开的标签
#
# 标签（label）就是文本自己。位置 *i* 的分数要与位置 *i* + 1 的词相比，`BertLMHeadModel` 会自己错开。**你猜猜看：** 10 个词的文本提出多少个问题？

# %% en="6326c867"
torch.manual_seed(0)
config = BertConfig(
    vocab_size=len(words),
    hidden_size=64,
    num_hidden_layers=2,
    num_attention_heads=4,
    intermediate_size=128,
    max_position_embeddings=32,
    hidden_dropout_prob=0.0,
    attention_probs_dropout_prob=0.0,
    is_decoder=True,
    pad_token_id=PAD,
    bos_token_id=START,
    eos_token_id=END,
)
decoder = BertLMHeadModel(config)
text = rows[:1, :10]
with torch.no_grad():
    outputs = decoder(text, labels=text)
    by_hand = F.cross_entropy(outputs.logits[0, :-1], text[0, 1:])
assert torch.allclose(by_hand, outputs.loss, atol=1e-6)
print(
    f"{text.size(1)} 个词，{len(text[0, 1:])} 个问题，损失 {by_hand.item():.2f}（log {len(words)} = {math.log(len(words)):.2f}）"
)

# %% [markdown] en="c96f70f9"
# 九个：最后一个词后面没有词。借助三角形，这些问题是同时问的：一次前向传播就训练了每个位置。
#
# ## 训练
#
# **你猜**损失（loss）最后是多少？能到 0 吗？

# %% en="241cd382"
steps = 240
optimizer = AdamW(decoder.parameters(), lr=5e-3)
schedule = get_linear_schedule_with_warmup(optimizer, 20, steps)
decoder.train()
for step in range(steps):
    batch = rows[torch.randint(len(rows), (48,))]
    outputs = decoder(batch, attention_mask=(batch != PAD).long(), labels=batch.masked_fill(batch == PAD, -100))
    outputs.loss.backward()
    optimizer.step()
    schedule.step()
    optimizer.zero_grad()
    if step % 60 == 59:
        print(f"第 {step + 1:3} 步：损失 {outputs.loss.item():.3f}")
decoder.eval()
with torch.no_grad():
    after_the = decoder(ids_of("她 打开 了")).logits[0, -1].softmax(-1)  # (vocab)
    after_anna = decoder(ids_of("小红 说")).logits[0, -1].softmax(-1)
print("她 打开 了……", {word: round(after_the[number[word]].item(), 2) for word in ("旧的", "房门", "电灯")})
print("小红 说……", {word: round(after_anna[number[word]].item(), 2) for word in ("她", "他")})
assert after_anna[number["她"]] > 0.9

# %% [markdown] en="3fbb6e37"
# 损失停在 0 以上：这种语言的句子本来就是随机抽出来的，完美的模型也只能给出抽取时所用的概率。小解码器差不多学到了这些概率。
#
# ## 贪心：总取最可能的词
#
# 取最可能的词，接上去，再问。“她 打开 了”之后，**你猜**会得到最可能的句子吗？


# %% en="0892ef9e"
def greedy(ids: torch.Tensor, length: int = 14) -> torch.Tensor:
    """一直写到结束词元：(1, length)。"""
    with torch.no_grad():
        while ids.size(1) < length and ids[0, -1] != END:
            best = decoder(ids).logits[:, -1].argmax(-1)  # (1)
            ids = torch.cat([ids, best[:, None]], dim=1)
    return ids


def log_probability(ids: torch.Tensor, after: int) -> float:
    """从位置 `after` 起，各词的 Σ log p(词 | 前面的词)。"""
    with torch.no_grad():
        logs = decoder(ids).logits[0, :-1].log_softmax(-1)  # (seq − 1, vocab)
    return logs.gather(1, ids[0, 1:, None])[after - 1 :].sum().item()


prompt = ids_of("她 打开 了")
by_greedy = greedy(prompt)
assert torch.equal(by_greedy, decoder.generate(prompt, max_length=14))
by_beams = decoder.generate(prompt, max_length=14, num_beams=3)
for name, ids in (("贪心", by_greedy), ("束宽 3", by_beams)):
    print(f"{name:8} {text_of(ids[0]):32} 概率 {math.exp(log_probability(ids, prompt.size(1))):.2f}")

# %% [markdown] en="91e46c5f"
# 贪心取了最可能的词“旧的”，然后它那一半得由五样东西来分。*束搜索*（beam search）保留到目前为止最可能的几段文本，把它们全都延长，再保留最可能的几段：“房门”起初排第二，最后却赢了。下面是它看到的：

# %% en="c3c3df4c"
figure = new_figure(width=9, height=4.6)
panel = figure.subplots()
leaves = 0


def branch(ids: torch.Tensor, probability: float) -> float:
    """从左到右画出后面可能接什么；返回这段文本所在的高度。"""
    global leaves
    depth = ids.size(1) - prompt.size(1)
    if ids[0, -1] == number["。"]:
        leaves += 1
        panel.text(
            depth + 0.15, -leaves, f"{probability:.2f}", va="center", weight="bold" if probability > 0.2 else None
        )
        return -float(leaves)
    with torch.no_grad():
        following = decoder(ids).logits[0, -1].softmax(-1)  # (vocab)
    likely = [word for word in following.argsort(descending=True).tolist() if following[word] > 0.04]
    heights = [
        branch(torch.cat([ids, torch.tensor([[word]])], 1), probability * following[word].item()) for word in likely
    ]
    here = sum(heights) / len(heights)
    for word, height in zip(likely, heights, strict=True):
        panel.plot(
            [depth, depth + 1], [here, height], color="tab:blue", linewidth=1 + 8 * following[word].item(), alpha=0.4
        )
        panel.text(
            depth + 0.55,
            here + 0.55 * (height - here),
            f"{words[word]} {following[word]:.2f}",
            ha="center",
            va="center",
            fontsize=9,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1},
        )
    return here


top = branch(prompt, 1.0)
panel.text(-0.08, top, "她 打开 了", ha="right", va="center")
panel.set_xlim(-0.9, 3.6)
panel.set_axis_off()
panel.set_title("小解码器：每个词的概率，以及每个完整句子的概率")
show(
    figure,
    "16-tree",
    "从“她 打开 了”向右长出的树：旧的、房门、电灯；最粗的一枝“旧的”分成五样东西，"
    "各约 0.1；“房门”接“走了”，终点 0.33，是最大的数。",
)

# %% [markdown] en="7397b227"
# 只有一个好答案的时候，比如翻译，寻找最可能的文本是对的。用来写故事就很乏味。
#
# ## 抽样：让词自己抽出来
#
# 抽 1,000 个句子，**你猜**“旧的”“房门”“电灯”各出现多少次？如果先把分数除以温度（temperature）T 呢？

# %% en="bb1513f7"
generator = torch.Generator().manual_seed(0)
drawn = decoder.generate(prompt, max_length=14, do_sample=True, top_k=0, num_return_sequences=1000, generator=generator)
for text in drawn[:4]:
    print(text_of(text))
scores = after_the.log()
figure = new_figure(width=7, height=3.4)
panel = figure.subplots()
shown = ["旧的", "房门", "电灯"]
for shift, temperature in enumerate((0.3, 1.0, 3.0)):
    shares = (scores / temperature).softmax(-1)[[number[word] for word in shown]]
    panel.bar([place + 0.2 * (shift - 1.5) for place in range(3)], shares, width=0.18, label=f"T = {temperature:g}")
counts = [(drawn[:, prompt.size(1)] == number[word]).float().mean().item() for word in shown]
panel.bar(
    [place + 0.3 for place in range(3)], counts, width=0.18, color="lightgray", edgecolor="gray", label="T = 1 时抽出"
)
panel.set_xticks(range(3), shown)
panel.set_ylabel("概率")
panel.legend()
panel.set_title("“她 打开 了……”：小解码器接下来说什么")
assert all(abs(count - after_the[number[word]].item()) < 0.06 for word, count in zip(shown, counts, strict=True))
show(
    figure,
    "16-temperature",
    "“旧的”“房门”“电灯”三组柱子：T = 0.3 时“旧的”占了大部分，T = 3 时三者差不多高，"
    "灰色柱子是 T = 1 时抽出的，与 T = 1 的一样高。",
)

# %% [markdown] en="a7926a6e"
# 温度低则更尖，极限就是贪心；温度高则更平，会放进胡话（T = 3 时，三根柱子之和不到 1：其余的给了从不出现在这里的词）。所以先要砍掉尾巴：*top k* 保留最可能的 k 个词，*top p* 保留加起来概率达到 p 的最少的几个词。
#
# ## 缓存
#
# 上面的循环每生成一个新词，都把整段文本重读一遍。**你猜猜看：** 里面的哪些向量可以留着用？
#
# 没有位置往后看，所以前面各位置的键和值永远不变。只要最新的词的查询能在内存里找到旧的键和值，就只有这个词需要经过各层。
#
# ![方格排成的三角形，每行一个查询，每列一个键：前面各词的行已经算完，键和值保留着，最新的词只算最后一行](../../docs/zh/figures/cache.svg)

# %% en="b9ec0c7f"
ids = by_greedy
with torch.no_grad():
    whole = decoder(ids, use_cache=True)
    first = decoder(ids[:, :-1], use_cache=True)
    newest = decoder(ids[:, -1:], past_key_values=first.past_key_values)  # 一个词，加上对其他词的记忆
    old_keys, new_keys = first.past_key_values[0][0], newest.past_key_values[0][0]
print("第 0 层的键：", tuple(old_keys.shape), "→", tuple(new_keys.shape), "(batch, 头, 词, 头的宽度)")
apart = (whole.logits[:, -1] - newest.logits[:, -1]).abs().max().item()
print(f"分数的最大差别：{apart:.1e}")
assert torch.equal(new_keys[:, :, :-1], old_keys)
assert apart < 1e-4

# %% [markdown] en="81a16786"
# 在舍入范围内相等：同样的数按另一种次序相加（第 17 章有更多说明）。省了多少工作？按附带模型的大小，数一数逐词写出一段文本所需的乘法：
#
# $$
# \text{一层，一个词：} \quad 4 h^2 + 2 h · \mathrm{intermediate} + 2 h · \text{查询遇到的键数}
# $$
#
# $$
# \text{预测词的头：} \quad h^2 + h · \mathrm{vocabulary}
# $$

# %% en="0f0ce28e"
h, intermediate, layers, vocabulary = 256, 1024, 4, 8192
for_a_word = layers * (4 * h * h + 2 * h * intermediate) + h * h + h * vocabulary


def multiplications(length: int, cached: bool) -> int:
    """逐词写出这么长的文本。（没有缓存时，每个词都要重新打分，前向传播就是这样。）"""
    if cached:
        return sum(for_a_word + layers * 2 * h * so_far for so_far in range(1, length + 1))
    return sum(so_far * (for_a_word + layers * 2 * h * so_far) for so_far in range(1, length + 1))


lengths = range(1, 129)
figure = new_figure(width=7, height=3.6)
panel = figure.subplots()
panel.plot(lengths, [multiplications(n, False) / 1e9 for n in lengths], label="全部重读")
panel.plot(lengths, [multiplications(n, True) / 1e9 for n in lengths], label="用缓存")
panel.set_xlabel("写出的词数")
panel.set_ylabel("10⁹ 次乘法")
panel.set_title("写一段文本的代价，按附带模型的大小")
panel.legend()
ratio = multiplications(64, False) / multiplications(64, True)
print(f"64 个词：没有缓存时乘法是 {ratio:.0f} 倍")
assert abs(ratio - 64 / 2) < 2
show(
    figure,
    "16-cache",
    "乘法次数随写出的词数变化的两条曲线：全部重读的越来越向上弯；用缓存的几乎是一条平直的线。",
)

# %% [markdown] en="eff169d6"
# 倍数大约是词数的一半。换成实际用时，**你猜**也是这个倍数吗？

# %% en="c11c5ee6"
start = torch.tensor([[tokenizer.cls_token_id]])
seconds: dict[bool, list[float]] = {True: [], False: []}
for _ in range(3):
    for use_cache in (True, False):
        began = time.perf_counter()
        bundled.generate(start, max_length=64, use_cache=use_cache)
        seconds[use_cache].append(time.perf_counter() - began)
print(f"没有缓存时，64 个词的用时是 {min(seconds[False]) / min(seconds[True]):.1f} 倍")

# %% [markdown] en="6842e8af"
# 要少些。`generate` 只给它读到的最后一个词打分；而处理器一次算许多词，比一次算一个词利用得更充分：只算一个词时，时间大多花在从内存取权重上。（这个比值因机器而异。）
#
# ## 交叉注意力
#
# 做翻译或摘要的解码器还要读另一段文本。加上 `add_cross_attention=True`，每层就有第二个注意力（attention），叫交叉注意力（cross-attention）：**查询**来自解码器，**键和值**来自编码器的向量。这里没有三角形：另一段文本是完整摆在那里的。写了 3 个词、读了 5 个词，**你猜**它的权重是什么形状？

# %% en="dbc3599f"
torch.manual_seed(0)
config.add_cross_attention = True
writer = BertLMHeadModel(config).eval()
encoder = BertModel(BertConfig(**{**config.to_dict(), "is_decoder": False, "add_cross_attention": False})).eval()
written, read = ids_of("她 打开"), ids_of("小明 去 了 商店")
with torch.no_grad():
    states = encoder(read).last_hidden_state  # (1, 5, hidden)
    outputs = writer(written, encoder_hidden_states=states, output_attentions=True)
    elsewhere = writer(written, encoder_hidden_states=states.flip(1))
    other_text = writer(written, encoder_hidden_states=encoder(ids_of("小红 弄丢 了 她的")).last_hidden_state)
print("交叉注意力：", tuple(outputs.cross_attentions[0].shape), "(batch, 头, 写的, 读的)")
print(f"换一段要读的文本，分数变动 {(outputs.logits - other_text.logits).abs().max():.3f}，")
print(f"同样的向量换个次序，变动 {(outputs.logits - elsewhere.logits).abs().max():.1e}")

# %% [markdown] en="c0589832"
# 对注意力来说，向量的次序无关紧要；编码器已经把位置写进了向量里（第 3 章）。`EncoderDecoderModel` 就是这样把两个 BERT 连起来的。
#
# ## 小结
#
# - 在掩码里加一个三角形，只会读的模型就能写：任何位置都看不见后面的位置。当然，还需要训练。
# - 标签就是错开一位的文本；每个位置都是一个问题，一次前向全部问完。
# - 贪心取最可能的词，束搜索找最可能的文本，抽样则是抽签。
# - 前面各词的键和值永远不变。把它们留着，写 n 个词大约只需 2/n 的乘法。
# - 交叉注意力：查询来自写的一方（解码器），键和值来自读的一方（另一个 BERT）。
#
# **代码：**[`minibert/model/masks.py`](../../minibert/model/masks.py) 三角形，[`minibert/heads/causal_lm.py`](../../minibert/heads/causal_lm.py) 错开标签，[`minibert/generation/search.py`](../../minibert/generation/search.py) 贪心、抽样与束搜索，[`scores.py`](../../minibert/generation/scores.py) 改变分数的各条规则。全部选项见 [`docs/generation.md`](../../docs/zh/generation.md)。
#
# **练习：**[`exercises/16_decoder.py`](exercises/16_decoder.py)：带缓存的掩码、错开的损失、贪心搜索、top p。用 `minibert check 16` 检查。
#
# **下一章：**[17 · 证明等价](17_equivalence.py)
