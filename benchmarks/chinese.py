"""The tables of the benchmarks in Chinese, for docs/zh/performance.md: `make bench` writes both pages. Names of code stay as they are."""

from __future__ import annotations

import re

HEADERS = {
    "| matrix products, ": "| 矩阵乘法，",
    " | as `F.linear` does it | by oneDNN |": " | `F.linear` 的做法 | 用 oneDNN |",
    "| task | plain | fast |": "| 任务 | 朴素 | 快速 |",
    " | fast, against the faster of these | quartiles | of the matrix rate |": " | 快速，与其中较快的相比 | 四分位数 | 占矩阵乘法速度的 |",
    "| task | against | minibert | other | speed-up | quartiles |": "| 任务 | 与谁相比 | minibert | 对方 | 加速比 | 四分位数 |",
}
PHRASES = {  # of tasks and of what they are compared with
    r"^pre-training step\b": "预训练的一步",
    r"^fine-tuning step\b": "微调的一步",
    r"\bin a loop of one's own\b": "在自己的循环里",
    r"\blayers compiled\b": "各层已编译",
    r"^from_pretrained and a first forward\b": "from_pretrained 和第一次前向",
    r" forward\b": " 前向",
    r"^generate (\d+) tokens": r"生成 \1 个词元",
    r"\bgreedy\b": "贪心",
    r"\b(\d+) beams": r"\1 个束",
    r"\bbehind (\d+) words": r"接在 \1 个词之后",
    r"^(\d+) texts": r"\1 段文本",
    r"\bentities in tweets\b": "推文里的实体",
    r"\btweets\b": "推文",
    r"\ba novel's paragraphs\b": "小说的段落",
    r"\b(\d+%) text\b": r"文本占 \1",
    r"\bkinds of questions\b": "问题的种类",
    r"\b(\d+) layers × ": r"\1 层 × ",
    r"\bvocabulary (?=\d)": "词表 ",
    r"^one AdamW step, BERT-base's parameters": "AdamW 走一步，BERT-base 的参数",
    r"\buntouched weights unread\b": "没有用到的权重不读",
    r"\bplain\b": "朴素",
    r"\bfast\b(?!=)": "快速",
    r", ": "，",
}
MACHINE = {r": (?=\S)": "：", r"(\d+) threads": r"\1 个线程", r", ": "，", r"\.$": "。"}


def phrase(words: str) -> str:
    """A task, or what it is compared with."""
    if words.startswith(("from ", "import ")):  # a line of Python
        return words
    for english, chinese in PHRASES.items():
        words = re.sub(english, chinese, words)
    return words


def in_chinese(table: str) -> str:
    """A table as it is written in English, its header with it."""
    header, line, *rows = table.split("\n")
    for english, chinese in HEADERS.items():
        header = header.replace(english, chinese)
    compared = 3 if "| 与谁相比 |" in header else 2  # the cells that hold words: up to this one
    cells = [row.split(" | ") for row in rows]
    words = [[phrase(cell.removeprefix("| ")) for cell in row[: compared - 1]] + row[compared - 1 :] for row in cells]
    return "\n".join([header, line, *(f"| {' | '.join(row)}" for row in words)])


def machine_in_chinese(measured_on: str) -> str:
    """The line below the tables."""
    for english, chinese in MACHINE.items():
        measured_on = re.sub(english, chinese, measured_on)
    return measured_on
