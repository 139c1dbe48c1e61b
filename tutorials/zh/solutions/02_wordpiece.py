"""第 2 章的练习，WordPiece。用 `minibert check 2` 检查。"""


def split_punctuation(text: str) -> list[str]:
    """在空格处切开文本，并让每个标点符号自成一词："don't!" → don ' t !

    标点是既非字母数字（`str.isalnum`）、又非空格的任何字符。文本只含 ASCII。

    10 分钟，容易。
    """
    words = [""]
    for letter in text:
        if letter.isalnum():
            words[-1] += letter
        else:
            words += [letter.strip(), ""]
    return [word for word in words if word]


def split_word(word: str, vocab: set[str]) -> list[str]:
    """把一个词切成词表里的子词，每次取放得下的最长的一个：unkindly → un ##kind ##ly

    不在词头的子词前面写 ##，在 `vocab` 里也是这样写的。切不到词尾的词变成 ["[UNK]"]，超过 100 个字符的词也一样。

    20 分钟，难。
    """
    if len(word) > 100:
        return ["[UNK]"]
    pieces = []
    start = 0
    while start < len(word):
        prefix = "##" if start > 0 else ""
        end = len(word)
        while end > start and prefix + word[start:end] not in vocab:
            end -= 1
        if end == start:
            return ["[UNK]"]
        pieces.append(prefix + word[start:end])
        start = end
    return pieces


def join_pieces(pieces: list[str]) -> str:
    """把子词变回文本：词与词之间一个空格，以 ## 开头的子词前面没有空格，并去掉它的 ##。

    5 分钟，容易。
    """
    return " ".join(pieces).replace(" ##", "")


def encode_pair(first: list[int], second: list[int], cls_id: int, sep_id: int) -> tuple[list[int], list[int]]:
    """把两段文本放进一个输入的 id 和句段：[CLS] first [SEP] second [SEP]。

    前一段文本连同它前后的 [CLS] 和 [SEP]，句段是 0；其余是 1。

    5 分钟，容易。
    """
    ids = [cls_id, *first, sep_id, *second, sep_id]
    segments = [0] * (len(first) + 2) + [1] * (len(second) + 1)
    return ids, segments


# en: module=386a383f split_punctuation=42ed4326 split_word=ee224a18 join_pieces=7f0dabd0 encode_pair=3d376ac7
