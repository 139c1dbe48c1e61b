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

# %% [markdown] en="0f170359"
# # 2 · WordPiece：从字符到 id
#
# 网络只会把数相乘。这一章把文本变成数，再变回来，而且永远不会遇到写不出来的词。
#
# ![“A Rôle rewritten!” 先切成单词 a、role、rewritten 和 !，再切成 re、##writ、##ten 这样的子词，最后变成 \[CLS\] 与 \[SEP\] 之间的 id](../../docs/zh/figures/tokenizer.svg)

# %% en="19e6b5b1"
import re
from unicodedata import category, normalize

from course.figures import new_figure, show
from minibert import BertTokenizer, WordpieceTokenizer
from minibert.tokenization import explain

tokenizer = BertTokenizer.from_pretrained("novels-4l-256h")

# %% [markdown] en="c518c864"
# ## 为什么不用单词，也不用字母？
#
# 单词表永远列不全：人名、拼写错误、*unforeseeable*。字母是全的，但会让句子长出四倍，而注意力（attention）的开销与长度的平方成正比。WordPiece 居于两者之间：常见的词是一个子词（piece），少见的词由几个子词拼成。
#
# **你猜猜看：** 下面哪些词是一整个子词？

# %% en="26964d30"
for word in ("house", "kindly", "unkindly", "housekeeping", "unforeseeable", "Zyzzyva", "television"):
    print(f"{word:14} {tokenizer.tokenize(word)}")

# %% [markdown] en="40086b9a"
# `##` 表示这个子词接在一个词的后面。没有这个记号，谁也分不清 `un kind` 和 `un ##kind`。
#
# ## 前一半：文本 → 单词
#
# 在查子词之前，文本要先整理一遍。**你猜**下面这段会剩下什么？

# %% en="657fc8d3"
text = "Déjà vu,\t HE SAID…  don't!"
for step in explain(tokenizer, text):
    print(f"{step.name:15} {step.parts}")

# %% [markdown] en="32051c0a"
# （标点 … 变成了 `[UNK]`：这个词表里没有它。另外，*special tokens* 一行显示的已经是小写：库先把所有不是特殊词元（special token）的文字转成小写，好让 `[MASK]` 保持原样；到 *normalized* 一步又逐词转一次，那时已经没有什么可转了。）对不含特殊词元的文本，手工的做法是：
#
# 1. 去掉控制字符，把各种空白都变成普通空格。
# 2. 转成小写。
# 3. 把重音符号与字母拆开（Unicode 称为 NFD），再丢掉：é → e。附带的模型是*不区分大小写*（uncased）的；区分大小写的模型不做第 2、3 步。
# 4. 让每个标点符号自成一词。


# %% en="a458f5f4"
def words(text: str) -> list[str]:
    """小写的单词，以及单个的标点符号。"""
    text = re.sub(r"\s", " ", text).lower()
    text = "".join(letter for letter in normalize("NFD", text) if category(letter) != "Mn")
    return "".join(f" {letter} " if category(letter).startswith("P") else letter for letter in text).split()


print(words(text))
assert words(text) == tokenizer.basic_tokenizer.tokenize(text)

# %% [markdown] en="84edd836"
# ## 后一半：单词 → 子词
#
# 从左到右，贪心地切：取词表里能作这个词开头的最长的子词；再取能接下去的最长的一个。
#
# **你猜猜看：** 贪心总能切出最少的子词吗？


# %% en="901e8f5b"
def split_word(word: str, vocab: set[str]) -> list[str]:
    """总是先取最长的子词，直到词尾；词表拼不出这个词时是 [UNK]。"""
    pieces, start = [], 0
    while start < len(word):
        prefix = "##" if start else ""
        fitting = [end for end in range(start + 1, len(word) + 1) if prefix + word[start:end] in vocab]
        if not fitting:
            return ["[UNK]"]
        pieces.append(prefix + word[start : fitting[-1]])
        start = fitting[-1]
    return pieces


vocab = {"a", "ab", "abc", "##b", "##c", "##d", "##cde", "##e"}
print(split_word("abcde", vocab), "其实 ab + ##cde 就够了")
assert split_word("abcde", vocab) == WordpieceTokenizer(vocab, "[UNK]").tokenize("abcde")
for word in words("The unforeseeable housekeeper unhesitatingly said: nonsense!"):
    assert split_word(word, set(tokenizer.vocab)) == tokenizer.tokenize(word)

# %% [markdown] en="982ca0a0"
# 不能。但贪心很快，而且永远给出同一个答案，这更重要：模型必须遇到训练时见过的那些子词。
#
# 一个词里有一个字符不在词表里，**你猜会怎样？**

# %% en="d3a6469c"
print(tokenizer.tokenize("a smile ☺ and a ☺smile"))

# %% [markdown] en="bde529e1"
# 一个不认识的字符会让整个词变成 `[UNK]`。除此之外，WordPiece 放弃的只有超过 100 个字母的词。
#
# ## 没有空格的语言
#
# 以上都是英文。中文的词与词之间没有空格，BERT 的分词器（tokenizer）在切分之前，先给每个汉字两边各加一个空格，于是一个字自成一词。**你猜猜看：** 一联诗切成几个子词？遇到不认识的字符，代价又是多少？

# %% en="5ac93288"
verses = BertTokenizer.from_pretrained("shici-4l-256h")  # 附带的古诗模型所用的
for line in ("床前明月光，疑是地上霜。", "举头望☺明月"):
    print(verses.tokenize(line))
print(verses.decode(verses.encode("床前明月光"), skip_special_tokens=True))
longer = sum(piece.startswith("##") for piece in verses.vocab)
print(f"{len(verses.vocab):,} 个子词，其中 {longer} 个以 ## 开头")
assert verses.tokenize("床前明月光") == [*"床前明月光"]

# %% [markdown] en="24e79cd9"
# 一个字就是一个子词；没有什么要接在后面，所以没有一个以 `##` 开头。不认识的字符只赔上它自己，不会连累邻居。`decode` 会在字与字之间加上原文没有的空格。词表也小不下来：用到的字都得列进去（附带的词表是最常用的八千多个字；BERT 官方的中文模型有 21,128 个子词）。至于“明”与“月”合起来是一个词，分词器不管，留给注意力去发现。
#
# ## 子词 → id
#
# id 就是 `vocab.txt` 里的行号，从 0 数起。文本还要加上三个特殊词元：`[CLS]` 开头，`[SEP]` 结束一个句子，`[PAD]` 把一个批次（batch）补到同样长。一对句子还带有*句段*（segment），前一句是 0，后一句是 1。
#
# **你猜猜看：** 下面各行有多长？掩码（mask）在哪里是 0？

# %% en="e4585928"
batch = tokenizer([("He stood up.", "He left."), ("No.", "")], padding=True)
for ids, segments, mask in zip(batch["input_ids"], batch["token_type_ids"], batch["attention_mask"], strict=True):
    print(tokenizer.convert_ids_to_tokens(ids))
    print("  id     ", ids)
    print("  句段   ", segments)
    print("  掩码   ", mask)

first, second = (tokenizer.convert_tokens_to_ids(tokenizer.tokenize(part)) for part in ("He stood up.", "He left."))
cls, sep = tokenizer.cls_token_id, tokenizer.sep_token_id
assert batch["input_ids"][0] == [cls, *first, sep, *second, sep]
assert batch["token_type_ids"][0] == [0] * (len(first) + 2) + [1] * (len(second) + 1)

# %% [markdown] en="6d77f662"
# ## 再变回来
#
# **你猜猜看：** `decode` 会把 *Déjà vu,  HE SAID* 还原成什么？

# %% en="8a81aee0"
print(tokenizer.decode(tokenizer.encode("Déjà vu,  HE SAID"), skip_special_tokens=True))

# %% [markdown] en="a1e3b0de"
# 重音符号、大写和连续的空格都一去不返。如果需要，可以让分词器在 id 之外再记下每个子词在原文中的位置（`return_offsets_mapping=True`）；第 15 章要靠它从文本中剪出答案。
#
# ## 多少个子词才够？
#
# 词表（vocabulary）是靠合并学出来的：从单个字母开始，一次又一次地把相邻的两个子词合并成一个，最有用的一对先来。文件保留了这个次序：前 500 行，大致就是只要 500 个子词时训练会停下来的那个词表。
#
# **你猜猜看：** 词表有 500 个子词时，一个词要切成几个子词？8,192 个时呢？

# %% en="6c9a39bb"
sample = """The old gentleman looked at her with some astonishment, and then, taking off his spectacles, he wiped them
carefully upon his handkerchief. "I cannot pretend to understand it," said he; "nobody in the neighbourhood has been
seen upon that road since Tuesday, and yet the gate was unlocked this morning, and the housekeeper swears that she
heard footsteps in the passage." Margaret said nothing. Outside, the rain had begun to fall again."""
sample_words = [word for word in words(sample) if word.isalpha()]
in_order = list(tokenizer.vocab)  # 与 vocab.txt 里的次序相同
sizes = [200, 300, 500, 800, 1200, 2000, 3000, 5000, len(in_order)]
pieces_per_word = []
for size in sizes:
    cutter = WordpieceTokenizer(set(in_order[:size]), "[UNK]")
    cut = [cutter.tokenize(word) for word in sample_words]
    assert ["[UNK]"] not in cut  # 单个字母在文件里排在最前面
    pieces_per_word.append(sum(map(len, cut)) / len(cut))
for size, average in zip(sizes, pieces_per_word, strict=True):
    print(f"词表有 {size:6,} 个子词：平均每个单词 {average:.2f} 个子词")

figure = new_figure(width=7, height=3.6)
panel = figure.subplots()
panel.semilogx(sizes, pieces_per_word, marker="o")
panel.axhline(1.0, linestyle=":", color="gray")
panel.set_xticks(sizes, [f"{size:,}" for size in sizes], rotation=30)
panel.minorticks_off()
panel.set_xlabel("词表大小（虚线：每个单词就是一个子词）")
panel.set_ylabel("每个单词的子词数")
panel.set_title("每个单词切成几个子词，随词表大小而变（附带模型的词表）")
show(
    figure,
    "02-vocabulary-size",
    "一条下降的折线：词表有 200 个子词时，每个单词将近四个子词；起初降得很陡，后来渐缓，到 8,192 个时只比一个稍多。",
)

# %% [markdown] en="116ea1ee"
# 前一千个子词做了大部分工作。此后每增加一个子词，就是再增加一行 256 个要学的数，而可供学习的词越来越少见：BERT 停在 30,522。
#
# ## 小结
#
# - 文本先整理成单词和标点；每个单词再贪心地切成词表里最长的子词。
# - `##` 接在词的后面；`[UNK]` 代表拼不出来的词。中文一个字就是一个子词。
# - `[CLS]`、`[SEP]`、句段和注意力掩码告诉模型 id 本身没有说的事。
# - 词表靠合并相邻的子词学成；它的大小是在“输入短”与“表大”之间取舍。
#
# **代码，按阅读次序：**[`words.py`](../../minibert/tokenization/words.py) 文本 → 单词，[`wordpiece.py`](../../minibert/tokenization/wordpiece.py) 单词 → 子词，[`model_input.py`](../../minibert/tokenization/model_input.py) 特殊词元与句对，[`train_vocabulary.py`](../../minibert/tokenization/train_vocabulary.py) 学习词表。也可以试试 `minibert tokenize "你的诗句" --explain --model shici-4l-256h`。
#
# **练习：**[`exercises/02_wordpiece.py`](exercises/02_wordpiece.py)。用 `minibert check 2` 检查。
#
# **下一章：**[3 · 嵌入层](03_embeddings.py)
