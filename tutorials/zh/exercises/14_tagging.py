"""第 14 章的练习，序列标注。用 `minibert check 14` 检查。"""


def labels_of_pieces(word_of: list[int | None], tags: list[int]) -> list[int]:
    """每个子词的标签：词的第一个子词上是这个词的标签，其余都是 −100。

    word_of：每个子词所属的词的编号，从 0 数起；[CLS] 和 [SEP] 是 None。一个词的子词总在一起。
    tags：每个词的标签 id。

    10 分钟，中等。
    """
    raise NotImplementedError


def tags_of_words(word_of: list[int | None], predicted: list[int], names: list[str]) -> list[str]:
    """每个词的标签名：在它的第一个子词上预测的那一个。

    word_of：同上；每个词都有子词。predicted：每个子词的标签 id。names：标签名，按 id 排列。

    10 分钟，中等。
    """
    raise NotImplementedError


def entities(tags: list[str]) -> list[tuple[str, int, int]]:
    """一个句子里的实体：(类型, 第一个词, 最后一个词之后)，依次排列。

    标签是 "O"、"B-类型" 和 "I-类型"。B 开始一个实体。I 若与前一个词的实体类型相同，就接续它，否则开始一个新的。

    20 分钟，难。
    """
    raise NotImplementedError


def entity_f1(predicted: list[list[tuple[str, int, int]]], true: list[list[tuple[str, int, int]]]) -> float:
    """2 · 正确 / (找到 + 实际有)，在所有句子上计数；除数为 0 时是 0.0。

    predicted、true：每个句子的实体，形式与 `entities` 给出的相同。一个实体，若它的句子的真实实体中有类型相同、
    词也相同的一个，就算正确。

    15 分钟，中等。
    """
    raise NotImplementedError


# en: module=092a0d3e labels_of_pieces=d2e07d0f tags_of_words=9f0e874f entities=1ddef8ea entity_f1=d2d7b668
