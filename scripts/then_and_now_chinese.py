"""The table of docs/then_and_now.md in Chinese, for docs/zh/then_and_now.md. scripts/then_and_now.py writes both.

Titles of programs that are code alone stay as they are; errors stay English, as everywhere.
"""

import re

TITLE = re.compile(r"^\| \[(.+)\]\((\S+)\)(?= \|)", re.MULTILINE)
PATHS = {"](../tests/": "](../../tests/"}
SECTIONS = {
    "The tokenizer": "分词器",
    "BasicTokenizer and WordpieceTokenizer": "BasicTokenizer 与 WordpieceTokenizer",
    "`BertModel.forward`, argument by argument": "`BertModel.forward`，逐个参数",
    "`BertModel` and its stages": "`BertModel` 及其各级",
    "Heads and losses": "任务头与损失",
    "Optimizer and schedules": "优化器与学习率调度",
    "Whole programs": "完整的程序",
}
TITLES = {
    "`load_vocab(file)`: token → number": "`load_vocab(file)`：词元 → 编号",
    "`tokenizer(text, pair)`: ids, segments, mask": "`tokenizer(text, pair)`：id、句段、掩码",
    "`attention_mask=…`, (batch, seq) and (batch, seq, seq)": "`attention_mask=…`，(batch, seq) 和 (batch, seq, seq)",
    "`head_mask=…`: a head switched off, in one layer and in all": "`head_mask=…`：关掉一个头，在一层里，在所有层里",
    "`inputs_embeds=…` in place of ids": "用 `inputs_embeds=…` 代替 id",
    "`encoder_hidden_states=…`, `encoder_attention_mask=…`, of a decoder": "解码器的 `encoder_hidden_states=…`、`encoder_attention_mask=…`",
    "`use_cache=True`, `past_key_values=…`: a tuple of (key, value) for each layer": "`use_cache=True`、`past_key_values=…`：每层一个 (key, value) 元组",
    "`return_dict=False`: a tuple; or an object with names": "`return_dict=False`：元组；否则是带名字的对象",
    "`BertModel(config, add_pooling_layer=False)` and its parts": "`BertModel(config, add_pooling_layer=False)` 及其各部分",
    "`BertEmbeddings`: three tables and a sum, by hand": "`BertEmbeddings`：三张表和一个和，手工计算",
    "`model.encoder(vectors)`, layer by layer by hand": "`model.encoder(vectors)`，手工逐层计算",
    "`gradient_checkpointing_enable()`: computed twice, the same gradients": "`gradient_checkpointing_enable()`：算两遍，梯度相同",
    "`BertConfig(gradient_checkpointing=True)`, as 4.4 spelled it": "`BertConfig(gradient_checkpointing=True)`，4.4 的写法",
    "`model.prune_heads({layer: heads})`, `all_head_size` and the config after it": "`model.prune_heads({layer: heads})`，以及之后的 `all_head_size` 和 config",
    "`BertSelfAttention`: query, key, value, `transpose_for_scores` and the formula by hand": "`BertSelfAttention`：查询、键、值、`transpose_for_scores`，公式手工计算",
    "`BertSelfOutput`: dense, dropout, residual connection, LayerNorm": "`BertSelfOutput`：全连接、dropout、残差连接、层归一化",
    "`apply_chunking_to_forward(function, chunk_size, axis, x)`, from `modeling_utils`": "`modeling_utils` 里的 `apply_chunking_to_forward(function, chunk_size, axis, x)`",
    "`BertPooler`: the first token, dense, tanh": "`BertPooler`：第一个词元、全连接、tanh",
    "37 dropouts, 25 LayerNorms and 109,482,240 parameters of BERT-base, counted": "数一数 BERT-base：37 个 dropout、25 个层归一化、109,482,240 个参数",
    "`from ….modeling_bert import *`, and `BertForPreTraining` typed anew from its parts": "`from ….modeling_bert import *`，然后用各部分重新写出 `BertForPreTraining`",
    "`tie_weights()`, `get_output_embeddings()`; `torchscript=True` copies in place of tying": "`tie_weights()`、`get_output_embeddings()`；`torchscript=True` 复制而不绑定",
    "`BertLMHeadModel.generate(…)` with beams, `prepare_inputs_for_generation`, `_reorder_cache`": "用束搜索的 `BertLMHeadModel.generate(…)`、`prepare_inputs_for_generation`、`_reorder_cache`",
    "`AdamW` with `no_decay` groups, ten steps": "`AdamW`，带 `no_decay` 参数组，走十步",
    "A checkpoint read from left to right": "从左到右读的检查点",
    "Fine-tuning: weight decay for all but biases and LayerNorm, and a rate that rises, then falls": "微调：除偏置和 LayerNorm 外都有权重衰减，学习率先升后降",
    "Names of people, places and organisations, token by token": "逐个词元找出人名、地名和机构名",
    "Does the second sentence follow the first?": "第二句是不是接着第一句？",
    "Do two sentences say the same?": "两个句子说的是不是一回事？",
    "A word for the mask, and whether one sentence follows the other: the pair of logits of pre-training": "掩码处填什么词，一句是否接着另一句：预训练的两种 logits",
    "The words of a text that answer a question": "文本中回答问题的那几个词",
}
HEADS = {
    "| | 4.12.5 | newest | minibert |": "| | 4.12.5 | 最新版 | minibert |",
    "| the same to the bit | within 10⁻⁵ | another result | an error |": "| 逐比特相同 | 10⁻⁵ 以内 | 结果不同 | 出错 |",
}
CELLS = {
    r"\| of (\d+) (?=\|)": r"| 共 \1 个 ",
    r"(?<=\| )runs(?= \|)": "能运行",
    r"(?<=\| )equal(?= \|)": "相同",
    r"(?<=\| )(\S+) apart(?= \|)": r"相差 \1",
    r"(?<=\| )another result: (\d+) values for (\d+)(?= \|)": r"结果不同：\1 个值，应为 \2 个",
    r"(?<=\| )another result: (\(.*?\)) for (\(.*?\))(?= \|)": r"结果不同：\1，应为 \2",
    r"(?<=\| )another result: (\S+) apart(?= \|)": r"结果不同：相差 \1",
    r"(?<=\| )another result(?= \|)": "结果不同",
}


def chinese_title(title: str) -> str:
    """Of a program. Raises KeyError, with a message, where it has English words that are not translated."""
    if title not in TITLES and re.search(r"[a-z]{2,}", re.sub(r"`[^`]*`", "", title)):
        raise KeyError(f"TITLES in scripts/then_and_now_chinese.py has no Chinese for {title!r}. Add it.")
    return TITLES.get(title, re.sub(r"`, (?=`)", "`、", title))


def in_chinese(table: str) -> str:
    """The part of the page between its marks, as scripts/then_and_now.py writes it in English."""
    table = re.sub(r"(?<=^### ).+$", lambda heading: SECTIONS[heading[0]], table, flags=re.MULTILINE)
    table = TITLE.sub(lambda row: f"| [{chinese_title(row[1])}]({row[2]})", table)
    for english, chinese in {**HEADS, **PATHS}.items():
        table = table.replace(english, chinese)
    for english, chinese in CELLS.items():
        table = re.sub(english, chinese, table)
    return table
