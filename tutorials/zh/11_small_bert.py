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

# %% [markdown] en="12683991"
# # 11 · 自己预训练一个小 BERT
#
# 零件都齐了：模型（第 3 到 6 章）、谜题（第 8 章）、优化器（第 9 章）、调度（第 10 章）。现在让一个 BERT 从零学会一种语言，不到半分钟。真正的语言要久得多，所以这种语言很小，它的语法我们一清二楚。这样有个很大的好处：我们能算出*任何人*最好能做到什么程度，并与之相比。

# %% en="75a2ae39"
import itertools
import math
from collections import Counter
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from course.figures import new_figure, show
from minibert import (
    AdamW,
    BertConfig,
    BertForMaskedLM,
    BertTokenizer,
    get_linear_schedule_with_warmup,
    no_decay_groups,
)
from minibert.data.masking import Vocabulary, mask
from minibert.training.pretraining import Recipe

# %% [markdown] en="78cce939"
# ## 一种语言
#
# 它的句子谈论四个主题。每个主题有人物、要做的事、东西和地点。还有一致关系：*this cook boils*（单数），但 *these cooks boil*（复数）。（这种语言用英文的词，因为中文没有单复数的一致，少了这一项可学的本领。）
#
#     this old cook boils the soup near the stove .
#     these cooks boil the soup and they taste the sauce .
#     └ 谁 ───────┘ └ 做什么 ────┘ └ 在哪里，或者还做什么 ┘

# %% en="2f32407b"
TOPICS = {
    "sea": ("sailor pilot captain", "mend row paint", "net boat sail", "harbour beach pier"),
    "kitchen": ("cook baker waiter", "boil taste salt", "soup egg sauce", "stove table pantry"),
    "garden": ("gardener farmer neighbour", "plant dig pick", "rose pear carrot", "fence gate pond"),
    "school": ("teacher pupil clerk", "read write learn", "letter book poem", "board desk window"),
}
ADJECTIVES = ("old", "young", "tall", "quiet")


def all_sentences() -> dict[tuple[str, ...], float]:
    """这种语言的全部句子，以及各有多大可能。语法没有规定的地方，各种选择机会均等。"""
    sentences = {}
    for (people, verbs, things, places), plural in itertools.product(TOPICS.values(), (False, True)):
        this, he = ("these", "they") if plural else ("this", "he")
        who = [person + "s" * plural for person in people.split()]
        does = [verb + "s" * (not plural) for verb in verbs.split()]
        what = [(verb, "the", thing) for verb in does for thing in things.split()]
        begins = [((this, person), 1 / 6) for person in who]
        begins += [((this, adjective, person), 1 / 24) for adjective in ADJECTIVES for person in who]
        ends = [(("near", "the", place, "."), 1 / 6) for place in places.split()]
        ends += [(("and", he, *more, "."), 1 / 18) for more in what]
        for (begin, p_begin), more, (end, p_end) in itertools.product(begins, what, ends):
            sentences[begin + more + end] = p_begin * p_end / 9 / 8  # 9 种动词与东西的搭配，4 个主题 × 单复数
    return sentences


language = all_sentences()
words = sorted({word for sentence in language for word in sentence})
print(f"{len(language):,} 个句子，{len(words)} 个词；概率之和为 {sum(language.values()):.6f}")

# %% [markdown] en="2fc16f4d"
# 词表（vocabulary）就是一个列表。这里不需要切成子词（piece）：每个词都是完整的一个。

# %% en="a4c84355"
special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
tokenizer = BertTokenizer({word: number for number, word in enumerate(special + words)})
vocabulary = Vocabulary.of(tokenizer)
chances = np.array(list(language.values()))
ids = np.array(tokenizer([" ".join(sentence) for sentence in language], padding=True)["input_ids"])  # (sentences, seq)
print("id：", ids.shape, "例如", tokenizer.decode(ids[5000].tolist()))

# %% [markdown] en="70d22924"
# 十个句子里留出一个不给模型看，以后用来考它。

# %% en="c4374a44"
noise = np.random.default_rng(0)
held_out = noise.random(len(ids)) < 0.1


def draw(count: int, those: np.ndarray) -> np.ndarray:
    """从 `those` 里抽 `count` 个句子，出现的频率与语法一致：(count, seq) 的 id。"""
    return ids[noise.choice(len(ids), size=count, p=chances * those / (chances * those).sum())]


def blanks(sentences: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """用来测量的谜题：问 15% 的词，全都换成 [MASK]。"""
    labels = np.stack([mask(sentence, vocabulary, noise)[1] for sentence in sentences])
    return np.where(labels != -100, tokenizer.mask_token_id, sentences), labels


test_read, test_labels = blanks(draw(400, held_out))
asked = test_labels != -100
print(tokenizer.decode(test_read[0].tolist()))
print(f"400 个句子里要猜 {asked.sum()} 个词")

# %% [markdown] en="0f73344d"
# ## 三条比较线
#
# 先别训练，想一想：怎样的损失（loss）才算好？**你猜**下面三种猜测者各是多少：什么都不知道的；只知道每个词出现得多频繁、不看句子的；懂得全部语法的读者。
#
# 第一种：所有词都一样，一次猜测的代价是 log(词数)。第二种付出的是词频的熵，也叫*一元熵*（unigram entropy）：
#
# $$
# H = −\sum_{\mathrm{word}} p(\mathrm{word}) \log\, p(\mathrm{word})
# $$

# %% en="adc56aa4"
counts: Counter[str] = Counter()
for sentence, chance in language.items():
    for word in sentence:
        counts[word] += chance
total = sum(counts.values())
blind = math.log(len(words))
counting = -sum(count / total * math.log(count / total) for count in counts.values())
print(f"盲猜：每词 {blind:.2f} nat；数词频：{counting:.2f}")

# %% [markdown] en="369c2ad3"
# BERT 可以充当第二种猜测者。它的解码器给每个词一个偏置（bias，第 6 章）：把偏置设为 log p(词)，其余全设为 0，损失就是 H，只差在抽到哪些词来问。所以损失在 H 附近，说明*完全没有理解*。

# %% en="9392723a"
bias = torch.full((len(tokenizer),), -1e4)
for word in words:
    bias[tokenizer.vocab[word]] = math.log(counts[word] / total)
targets = torch.tensor(test_labels[asked])  # (asked)
loss = F.cross_entropy(bias.expand(len(targets), -1), targets)
print(f"只有偏置：{loss:.2f}")
assert abs(loss.item() - counting) < 0.2

# %% [markdown] en="1e3faff4"
# 第三种，懂语法的读者，会把与所见相符的句子全部过一遍，越可能的句子分量越重。


# %% en="fef46bd9"
def reader(read: np.ndarray) -> np.ndarray:
    """(seq) 带空位的 id → (sentences) 看到这些之后，每个句子的概率。"""
    fits = ((ids == read) | ((read == tokenizer.mask_token_id) & (ids >= len(special)))).all(axis=1)
    return chances * fits / (chances * fits).sum()


surprises = [
    -math.log(reader(read)[ids[:, place] == label[place]].sum())
    for read, label in zip(test_read, test_labels, strict=True)
    for place in np.flatnonzero(label != -100)
]
best = float(np.mean(surprises))
print(f"懂语法：{best:.2f}。相当于在 {math.exp(best):.1f} 个同样可能的词里拿不定主意。")

# %% [markdown] en="edf7aae3"
# 没有哪个模型能长久低于这条线：厨师煮的是*鸡蛋*而不是*汤*，纯属偶然。
#
# ## 一个小 BERT
#
# 两层，每层 64 个数，其余与 BERT 相同。不用 dropout，因为没有哪个句子会见到足够多次以至于背下来。新权重是随机的，标准差 0.1（BERT-base 是 0.02；这里为什么不用，后面会看到）。**你猜猜看：** 走第一步之前，损失是多少？


# %% en="bd327d43"
def fresh_model(initializer_range: float) -> BertForMaskedLM:
    """一个什么都不知道的模型。"""
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=256,
        max_position_embeddings=ids.shape[1],
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        initializer_range=initializer_range,
    )
    return BertForMaskedLM(config)


def scores_of(model: BertForMaskedLM, read: np.ndarray) -> torch.Tensor:
    """(batch, seq) 的 id → (batch, seq, vocab) 的分数。"""
    seen = torch.tensor(read)
    with torch.no_grad():
        return model(seen, attention_mask=(seen != tokenizer.pad_token_id).long()).logits


def fill(model: BertForMaskedLM, text: str) -> str:
    """空位处最可能的三个词，以及它们的概率。"""
    read = np.array(tokenizer(text)["input_ids"])
    place = int(np.flatnonzero(read == tokenizer.mask_token_id)[0])
    probabilities = scores_of(model, read[None])[0, place].softmax(-1)
    best_three = probabilities.topk(3)
    found = zip(tokenizer.convert_ids_to_tokens(best_three.indices.tolist()), best_three.values.tolist(), strict=True)
    return ", ".join(f"{word} {share:.0%}" for word, share in found)


riddles = [
    "this old cook [MASK] the soup near the stove .",
    "these pilots row the boat and [MASK] paint the sail .",
    "[MASK] quiet clerk learns the letter near the desk .",
    "these young [MASK] dig the rose near the pond .",
]
model = fresh_model(0.1)
print(f"{sum(parameter.numel() for parameter in model.parameters()):,} 个参数")
before = F.cross_entropy(scores_of(model, test_read)[torch.tensor(asked)], targets).item()
print(f"第一步之前的损失：{before:.2f}")
assert before > blind
for riddle in riddles:
    print(f"  {riddle:58} {fill(model, riddle)}")

# %% [markdown] en="81c04659"
# 一个全新的模型比盲猜者还差：它有主见，而且全是错的。
#
# ## 训练
#
# 一步是：抽句子，按第 8 章的办法遮住词（有的变成错词，有的不动），打分，反向传播，裁剪梯度（gradient），走一步，告诉调度器。（如果内存放不下一个批次，就在走一步之前给几个小批次打分并反向传播：这叫*梯度累积*（gradient accumulation）。）学习率在前十分之一的步数里上升，然后沿直线下降。每 20 步，用模型从不学习的句子考一考它填空的本事。
#
# **你猜**最先学会的是什么：哪里该是哪一*类*词，哪个*主题*，还是*单复数*（this cook boils，these cooks boil）？
#
# 为了看清学到了什么，给每个词标上它的类型、主题和数，有什么标什么。

# %% en="7b322b06"
features = {word: (word, "", "") for word in [*special, *words]}  # the、near、and：各自成一类
features |= dict.fromkeys(ADJECTIVES, ("adjective", "", ""))
features |= {
    "this": ("this", "", "one"),
    "these": ("this", "", "many"),
    "he": ("he", "", "one"),
    "they": ("he", "", "many"),
}
for topic, (people, verbs, things, places) in TOPICS.items():
    for person in people.split():
        features |= {person: ("person", topic, "one"), person + "s": ("person", topic, "many")}
    for verb in verbs.split():
        features |= {verb + "s": ("verb", topic, "one"), verb: ("verb", topic, "many")}
    for kind, names in (("thing", things), ("place", places)):
        features |= dict.fromkeys(names.split(), (kind, topic, ""))
assert len(features) == len(tokenizer)
kinds, topics, numbers = (np.array([features[piece][i] for piece in special + words]) for i in range(3))


def skills(scores: torch.Tensor) -> dict[str, float]:
    """(asked, vocab) 的分数 → 概率有多少落在类型正确的词上；其中又有多少落在
    主题正确、单复数正确的词上（如果有的话）。
    """
    probabilities = scores.softmax(-1).numpy()
    right = targets.numpy()
    same_kind = kinds == kinds[right][:, None]  # (asked, vocab)
    of_kind = (probabilities * same_kind).sum(-1)
    found = {"类型": float(of_kind.mean())}
    for name, feature in (("主题", topics), ("单复数", numbers)):
        same = same_kind & (feature == feature[right][:, None])
        has_one = feature[right] != ""
        found[name] = float(((probabilities * same).sum(-1) / of_kind)[has_one].mean())
    return found


# %% [markdown] en="8f29c7be"
# 现在是循环。里面没有任何前面几章没讲过的东西。
#
# ![七个方框围成一圈：抽句子，遮住词，BERT 给每个词打分，对被遮住的词求损失，裁剪梯度，AdamW 走一步，调度器给出下一个学习率，再回到开头](../../docs/zh/figures/training.svg)

# %% en="d7f1123a"
STEPS, BATCH, RATE = 300, 64, 6e-3
Curve = list[tuple[int, float, dict[str, float]]]  # 步数、损失、各项本领


def train(model: BertForMaskedLM, until: int = STEPS) -> Curve:
    """训练模型，最多到某一步；返回途中各时刻的表现。"""
    optimizer = AdamW(no_decay_groups(model, weight_decay=0.01), lr=RATE)
    schedule = get_linear_schedule_with_warmup(optimizer, num_warmup_steps=STEPS // 10, num_training_steps=STEPS)
    curve = []
    for step in range(until + 1):
        if step % 20 == 0:
            scores = scores_of(model, test_read)[torch.tensor(asked)]  # (asked, vocab)
            curve.append((step, F.cross_entropy(scores, targets).item(), skills(scores)))
        rows = [mask(sentence, vocabulary, noise) for sentence in draw(BATCH, ~held_out)]
        read = torch.tensor(np.stack([row for row, _ in rows]))  # (batch, seq)
        labels = torch.tensor(np.stack([row for _, row in rows]))  # (batch, seq)，不提问的位置是 −100
        loss = model(read, attention_mask=(read != tokenizer.pad_token_id).long(), labels=labels).loss
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
    return curve


curve = train(model)
fell_through = next(step for step, loss, _ in curve if loss < counting)
print(f"第 {fell_through} 步：胜过数词频。第 {STEPS} 步：{curve[-1][1]:.2f}；读者是 {best:.2f}")
assert curve[-1][1] < 0.9

# %% [markdown] en="f2fb369e"
# 再加一条比较线：只知道哪里该是哪一类词、此外一无所知的人，损失是多少？

# %% en="7fd4b047"
kind_counts: Counter[str] = Counter()
for word, count in counts.items():
    kind_counts[features[word][0]] += count
ordered = float(
    np.mean([-math.log(counts[w] / kind_counts[features[w][0]]) for w in np.array(special + words)[targets]])
)
print(f"只知道哪里该是哪一类词的人：{ordered:.2f}")

figure = new_figure(width=10, height=4)
left, right = figure.subplots(1, 2)
lines = {"盲猜": blind, "数词频（H）": counting, "知道词类": ordered, "懂语法": best}


def draw_losses(panel: Any, curves: dict[str, Curve]) -> None:
    """各条损失曲线，以及用来比较的线。"""
    for name, points in curves.items():
        panel.plot([step for step, _, _ in points], [loss for _, loss, _ in points], label=name)
    for name, value in lines.items():
        panel.axhline(value, linestyle=":", color="gray")
        below = name == "懂语法"  # 曲线的终点就在它上面一点
        panel.text(STEPS, value - 0.25 if below else value + 0.06, name, ha="right", fontsize=9)
    panel.set_ylim(0, 5.3)
    panel.set_ylabel("留出句子上填空的损失，每词 nat")
    panel.set_xlabel("步")


draw_losses(left, {"损失": curve})
for name in ("类型", "主题", "单复数"):
    right.plot([step for step, _, _ in curve], [found[name] for _, _, found in curve], label=f"{name}正确")
right.set_ylim(0, 1.03)
right.set_ylabel("概率")
right.set_xlabel("步")
right.legend(loc="lower right")
figure.suptitle("小模型一步步学会了什么")
show(
    figure,
    "11-curve",
    "左边，损失依次穿过盲猜、数词频、知道词类三条线，终点就在懂语法那条线之上。"
    "右边，类型正确的概率最先上升，然后是单复数，"
    "最后，经过一段平地，才是主题。",
)

# %% [markdown] en="84359f0e"
# 曲线一下子就穿过了 H。词的类型取决于位置和邻居，最先学会。数和主题从碰运气的 ½ 和 ¼ 开始，一直停在那里，直到注意力（attention）找到能泄露它们的词；主题最慢，因为泄露它的词可能在句子的任何地方。最后，模型接近了懂语法的读者。
#
# ## 再填一次空
#
# 现在那四道谜题，**你猜会怎样？** 其中哪几道只有一个正确答案？

# %% en="5816ed29"
for riddle in riddles:
    print(f"  {riddle:58} {fill(model, riddle)}")
assert fill(model, riddles[1]).startswith("they")

# %% [markdown] en="50e779d3"
# 第一道里，三个动词同样正确，模型把信心分给了它们。下面把它放在见过全部句子的读者旁边：

# %% en="4d8d14cf"
riddle = np.array(tokenizer(riddles[0], padding="max_length", max_length=ids.shape[1])["input_ids"])
place = int(np.flatnonzero(riddle == tokenizer.mask_token_id)[0])
model_says = scores_of(model, riddle[None])[0, place].softmax(-1)
reader_says = np.bincount(ids[:, place], weights=reader(riddle), minlength=len(tokenizer))
for word in ("boils", "tastes", "salts", "boil", "rows", "soup"):
    number = tokenizer.vocab[word]
    print(f"  {word:8} 模型 {model_says[number]:6.1%}，读者 {reader_says[number]:6.1%}")

# %% [markdown] en="437ad718"
# ## 词向量变成了什么样
#
# 从来没有人告诉模型什么类型和主题。**你猜**它的词嵌入（embedding）会怎样：哪些词彼此靠近？下面画出主题词的向量差别最大的两个方向。

# %% en="88200a0f"
places_of = [tokenizer.vocab[word] for word in words if features[word][1]]
vectors = model.bert.embeddings.word_embeddings.weight.detach()[places_of]
centred = vectors - vectors.mean(0)
_, _, directions = torch.linalg.svd(centred, full_matrices=False)
flat = (centred @ directions[:2].T).numpy()  # (topic words, 2)
figure = new_figure(width=8, height=5)
panel = figure.subplots()
colors = dict(zip(TOPICS, ("tab:blue", "tab:red", "tab:green", "tab:purple"), strict=True))
markers = {"person": "o", "verb": "^", "thing": "s", "place": "D"}
for kind, topic, number in sorted({features[word] for word in words if features[word][1]}):
    those = (topics[places_of] == topic) & (kinds[places_of] == kind) & (numbers[places_of] == number)
    inside = "none" if number == "many" else colors[topic]
    panel.scatter(*flat[those].T, edgecolor=colors[topic], facecolor=inside, marker=markers[kind], s=40)
for topic, color in colors.items():
    panel.scatter([], [], color=color, marker="s", s=60, label=topic)
for kind, marker in markers.items():
    panel.scatter([], [], color="gray", marker=marker, label=kind)
panel.scatter([], [], edgecolor="gray", facecolor="none", marker="o", label="复数（cooks, boil）")
of_topic_words = [word for word in words if features[word][1]]
for word in ("cook", "cooks", "boil", "boils", "soup", "stove", "sailor", "sailors", "row", "rows", "rose", "board"):
    panel.annotate(word, flat[of_topic_words.index(word)], xytext=(5, 4), textcoords="offset points", fontsize=8)
panel.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
panel.set_title("小模型的词嵌入里四个主题的词")
panel.set_xlabel("差别最大的方向")
panel.set_ylabel("差别次大的方向")
show(
    figure,
    "11-words",
    "平面上的主题词：同类型、同主题的词聚在一起，复数及其动词的空心点与实心点分开，"
    "cooks 在 cook 上方，boil 在 boils 左边。",
)

# %% [markdown] en="c3cb64f8"
# 同一类型、同一主题的词彼此靠近，而 *cook* 与 *cooks* 走上了不同的方向。这一切都来自填空。（64 个方向里的两个，展示不了全部。）
#
# ## 一段平地
#
# 再来一次，只改一处：新权重缩小到五分之一，0.02，与 BERT-base 相同。前 200 步**你猜会怎样？** 小权重很快就会变大，不是吗？

# %% en="500ecbfc"
small_start = train(fresh_model(0.02), until=200)
figure = new_figure(width=7, height=4)
panel = figure.subplots()
draw_losses(panel, {"新权重 0.1": curve, "新权重 0.02": small_start})
panel.legend(loc="upper right", bbox_to_anchor=(1.0, 0.68))
panel.set_title("同一个小模型，分别从较大和较小的新权重出发")
assert small_start[6][1] > curve[6][1]  # 第 120 步
show(
    figure,
    "11-flat",
    "两条损失曲线：新权重 0.1 的模型持续下降；0.02 的同样快地降到知道词类那条线，然后沿着它停住不动。",
)

# %% [markdown] en="e7bf1ddf"
# 第二个模型学会词类一样快，随后就沿着那条线停住不动：它的注意力分数起初太小，每个位置得到的权重都一样；而只要所有位置看上去都一样，就没有哪个显得有用。（64 个数的点积，需要比 768 个数的更大的权重；1/√64 是 0.125。）这样的平台期有多长，很难预料：换一组新权重，长度就不同。
#
# ## 在真实的文本上
#
# 真实文本上的情形相同，只是更慢，而且平台期的位置更高。附带的英文模型读过的那些小说，8,192 个子词，H 是 6.4（古诗模型读过的那些诗，也是 8,192 个子词，H 是 6.74）。每个模型都在几百步内达到那个水平，只靠解码器的偏置。然后注意力必须找到该看哪里，位置越多，找得越久：从一开始就用 64 或 128 个子词的行，一个小模型在 6.0 附近停留了 1,700 多万个子词；而从 16 开始，220 万个之后就到了 4.8。
#
# 所以本库的做法是从短行开始。**你猜猜看：** 一个批次（batch）有 8,192 个子词，开头和结尾各有多少行？

# %% en="564f7dfd"
recipe = Recipe()
for step in (1, 400, 401, 801, 1401, 2000):
    phase, rows, _ = recipe.at(step)
    print(f"第 {step:5} 步，共 {recipe.steps} 步：{rows} 行，每行 {phase.length} 个子词")
    assert rows == recipe.tokens_per_step // phase.length

# %% [markdown] en="ac795053"
# 它还做了一件事：每行有 85% 的位置没有什么可猜，而在那里给整个词表打分，是小 BERT 最大的一笔乘法。所以只给要猜的位置打分。这样**你猜**损失会怎样？

# %% en="1d22552f"
with torch.no_grad():
    seen, labels = torch.tensor(test_read), torch.tensor(test_labels)
    padding_mask = (seen != tokenizer.pad_token_id).long()
    everywhere = model(seen, attention_mask=padding_mask, labels=labels).loss
    states = model.bert(seen, attention_mask=padding_mask).last_hidden_state  # (batch, seq, hidden)
    asked_only = F.cross_entropy(model.cls(states[labels != -100]), labels[labels != -100])
print(
    f"给所有位置打分：{everywhere:.4f}；{labels.numel()} 个位置里只给 {int((labels != -100).sum())} 个打分：{asked_only:.4f}"
)
assert torch.allclose(everywhere, asked_only, atol=1e-5)

# %% [markdown] en="9fe42ef6"
# 用自己的文本训练一个模型只要三条命令，第四条用来问它。文件夹 `texts/` 里放纯文本文件，一本书或一篇文章一个：
#
# ```bash
# minibert vocab train texts/*.txt --size 8192 --out vocabulary
# minibert data prepare texts/ --tokenizer vocabulary --out corpus
# minibert pretrain --data corpus --out my-bert
# minibert fill-mask "举头望明[MASK]，低头思故乡。" --model my-bert/model
# ```
#
# 它会先算出 H，画在 `curve.png` 里，并在损失穿过它时告诉你。如果迟迟穿不过去，[`docs/pretraining.md`](../../docs/zh/pretraining.md) 列出了原因和办法。
#
# ## 小结
#
# - 把损失与 log(词数)、与词频的熵相比；如果可能，还要与最好的读者相比。
# - 损失等于词频的熵，说明模型只会数数。
# - 本领是一样接一样学会的。损失停在平台期，可能就是某样本领还没学会。
# - 先用短行：注意力要在其中寻找的位置更少。
#
# **代码：**[`minibert/training/pretraining.py`](../../minibert/training/pretraining.py) 做法及其各阶段，[`pretraining_loss.py`](../../minibert/training/pretraining_loss.py) 被遮住的词的损失，[`loop.py`](../../minibert/training/loop.py) 循环，[`minibert/data/prepare.py`](../../minibert/data/prepare.py) 把文本变成 id 并算出 H。
#
# **练习：**[`exercises/11_small_bert.py`](exercises/11_small_bert.py)：熵、读者、穿过那条线、各阶段。用 `minibert check 11` 检查。
#
# **下一章：**[12 · 一个标签、一个数、多个标签](12_classification.py)
