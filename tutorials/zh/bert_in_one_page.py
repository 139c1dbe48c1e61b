"""一页纸的 BERT：读入文本，给出缺少的词；乘法用 torch，读文件用 safetensors、json 和 re。

    文本 → WordPiece → id → 嵌入层 → 4 ×（注意力，前馈网络）→ 预测变换 → 每个词的分数

运行：  python tutorials/zh/bert_in_one_page.py        （然后改一改最后一行的文本，再运行一次）

这就是 `minibert.BertForMaskedLM` 在评估时的运算，逐比特相同。省去的是填空用不着的东西：
dropout（训练之外是关闭的）、池化层与下一句的分数，以及去重音符号（é → e）。
同样的程序用 JavaScript 写一遍，两相对照：docs/one_page_twice.md。
来源：Devlin 等 2019（BERT）；Vaswani 等 2017（编码器）；Wu 等 2016（WordPiece）。
"""

import json
import re

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor

HERE = re.sub(r"[^/\\]*$", "", __file__)
FOLDER = HERE + "../../weights/shici-4l-256h"


# 1. 文本变成 id -----------------------------------------------------------------------------------------------------


class WordPiece:
    """把文本切成词表里的子词："unkindly" → un ##kind ##ly。子词的 id 就是它在 vocab.txt 里的行号。"""

    def __init__(self, folder: str = FOLDER):
        with open(f"{folder}/vocab.txt", encoding="utf-8") as file:
            self.pieces = [line.rstrip("\n") for line in file]
        self.ids = {piece: number for number, piece in enumerate(self.pieces)}

    def words(self, text: str) -> list[str]:
        """小写的单词、单个的汉字和标点；特殊词元保持原样。"""
        found = re.findall(r"\[(?:PAD|UNK|CLS|SEP|MASK)\]|[\u4e00-\u9fff]|[^\W_\u4e00-\u9fff]+|\S", text)
        return [word if word in self.ids else word.lower() for word in found]

    def split(self, word: str) -> list[str]:
        """先取能作词头的最长的子词，再取能接下去的最长的，直到词尾；否则是 [UNK]。"""
        pieces, start = [], 0
        while start < len(word):
            prefix = "##" if start > 0 else ""
            ends = [end for end in range(len(word), start, -1) if prefix + word[start:end] in self.ids]
            if not ends or len(word) > 100:
                return ["[UNK]"]
            pieces.append(prefix + word[start : ends[0]])
            start = ends[0]
        return pieces

    def encode(self, text: str) -> list[int]:
        """[CLS] 子词 [SEP]，变成 id。"""
        pieces = [piece for word in self.words(text) for piece in self.split(word)]
        return [self.ids[piece] for piece in ["[CLS]", *pieces, "[SEP]"]]


# 2. id 变成分数 -----------------------------------------------------------------------------------------------------


class Bert:
    """网络本身。权重是一个字典，名字 → 张量，与检查点文件里的完全一样。"""

    def __init__(self, folder: str = FOLDER):
        with open(f"{folder}/config.json", encoding="utf-8") as file:
            config = json.load(file)
        self.layers = config["num_hidden_layers"]  # 4
        self.heads = config["num_attention_heads"]  # 4
        self.eps = config["layer_norm_eps"]
        # 在磁盘上一个数占 2 字节（float16）。每个这样的数也都是 float32，计算就用 float32。
        self.weights = {name: tensor.float() for name, tensor in load_file(f"{folder}/model.safetensors").items()}

    # 两块积木，按名字从字典里取权重

    def linear(self, x: Tensor, name: str) -> Tensor:
        """x Wᵀ + b"""
        return F.linear(x, self.weights[f"{name}.weight"], self.weights[f"{name}.bias"])

    def norm(self, x: Tensor, name: str) -> Tensor:
        """(x − 平均) / √(方差 + ε) · 缩放 + 平移，沿最后一轴：每个位置各算各的。"""
        scale, shift = self.weights[f"{name}.weight"], self.weights[f"{name}.bias"]
        return F.layer_norm(x, scale.shape, scale, shift, self.eps)

    # 各级，按词元经过的次序

    def embed(self, ids: Tensor, segments: Tensor) -> Tensor:
        """是哪个词 + 在哪个句段 + 站在哪里：(batch, seq) → (batch, seq, hidden)。"""
        name = "bert.embeddings"
        places = torch.arange(ids.size(1))
        word = self.weights[f"{name}.word_embeddings.weight"][ids]  # (batch, seq, hidden)
        segment = self.weights[f"{name}.token_type_embeddings.weight"][segments]
        place = self.weights[f"{name}.position_embeddings.weight"][places]  # (seq, hidden)
        return self.norm(word + segment + place, f"{name}.LayerNorm")

    def attention(self, x: Tensor, mask: Tensor, name: str) -> Tensor:
        """每个头里算 softmax(Q Kᵀ / √d + mask) V，各头再并排拼起来。"""
        batch, seq, hidden = x.shape

        def heads(y: Tensor) -> Tensor:
            return y.view(batch, seq, self.heads, hidden // self.heads).transpose(1, 2)  # (batch, heads, seq, d)

        query = heads(self.linear(x, f"{name}.query"))
        key = heads(self.linear(x, f"{name}.key"))
        value = heads(self.linear(x, f"{name}.value"))
        scores = query @ key.transpose(-1, -2) / query.size(-1) ** 0.5  # (batch, heads, seq, seq)
        looks = torch.softmax(scores + mask, dim=-1)  # 每行的和是 1
        return (looks @ value).transpose(1, 2).reshape(batch, seq, hidden)

    def layer(self, x: Tensor, mask: Tensor, name: str) -> Tensor:
        """注意力收集，前馈网络思考；各自的结果都与输入相加，再归一化。"""
        gathered = self.linear(self.attention(x, mask, f"{name}.attention.self"), f"{name}.attention.output.dense")
        x = self.norm(gathered + x, f"{name}.attention.output.LayerNorm")
        wide = F.gelu(self.linear(x, f"{name}.intermediate.dense"))  # (batch, seq, 4 · hidden)
        return self.norm(self.linear(wide, f"{name}.output.dense") + x, f"{name}.output.LayerNorm")

    def predict(self, x: Tensor) -> Tensor:
        """把每个位置与每个词相比：反过来使用词嵌入，另加一个自己的偏置。"""
        x = self.norm(F.gelu(self.linear(x, "cls.predictions.transform.dense")), "cls.predictions.transform.LayerNorm")
        words = self.weights["bert.embeddings.word_embeddings.weight"]  # (vocab, hidden)
        return F.linear(x, words, self.weights["cls.predictions.bias"])  # (batch, seq, vocab)

    def __call__(self, ids: Tensor, seen: Tensor | None = None, segments: Tensor | None = None) -> Tensor:
        """由 id (batch, seq) 得分数 (batch, seq, vocab)。seen：词元为 1，填充为 0；segments：0 或 1。"""
        seen = torch.ones_like(ids) if seen is None else seen
        segments = torch.zeros_like(ids) if segments is None else segments
        mask = (1.0 - seen[:, None, None, :].float()) * -10000.0  # 加到分数上：谁也不看填充
        x = self.embed(ids, segments)
        for number in range(self.layers):
            x = self.layer(x, mask, f"bert.encoder.layer.{number}")
        return self.predict(x)


# 3. 填空 ------------------------------------------------------------------------------------------------------------


def fill(text: str, tokenizer: WordPiece, bert: Bert, count: int = 5) -> list[tuple[str, float]]:
    """文本中第一个 [MASK] 处最可能的子词，以及各自的概率。"""
    ids = tokenizer.encode(text)
    blank = ids.index(tokenizer.ids["[MASK]"])
    with torch.no_grad():
        scores = bert(torch.tensor([ids]))  # (1, seq, vocab)
    best = torch.softmax(scores[0, blank], dim=-1).topk(count)
    return [(tokenizer.pieces[i], p) for i, p in zip(best.indices.tolist(), best.values.tolist(), strict=True)]


def main(text: str) -> None:
    """打印对含 [MASK] 的文本的猜测。"""
    print(text)
    for piece, probability in fill(text, WordPiece(), Bert()):
        print(f"  {piece:12} {probability:6.1%}  {'█' * round(40 * probability)}")


if __name__ == "__main__":
    main("劝君更尽一杯[MASK]，西出阳关无故人。")


# en: module=540d4767 WordPiece=066d2415 Bert=c99f93f3 fill=c6ebec97 main=ecf282b4
