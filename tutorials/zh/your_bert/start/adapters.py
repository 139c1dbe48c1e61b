"""我把各样东西叫作什么：评分程序与我的 BERT 之间只有这几行。每写好一个部分，就在这里填一个函数。

config   有各种大小：vocab_size、hidden_size、num_attention_heads、num_hidden_layers、intermediate_size、max_position_embeddings、
         type_vocab_size、num_labels、layer_norm_eps、hidden_dropout_prob、attention_probs_dropout_prob。
weights  是字典，名字 → 张量，名字就是 README.md 为这个部分列出的。要用这些张量本身来计算，梯度才能到达它们；绝不要就地改动它们。

ids、segments、mask 和 labels 是 int64 的张量：ids 是 (batch, seq)；segments 是 0、1、…；mask 对词元是 1，对填充是 0。
x 和 hidden 是 float32，(batch, seq, hidden_size)。各部分按训练来建立：dropout 开着，用 config 里的概率，另有说明的除外。
"""

import torch

import my_bert


def inside(weights, prefix):
    """名字以 `prefix` 开头的权重，去掉这个开头：inside(weights, "encoder.layer.0.") 就是第 0 层的。"""
    return {name[len(prefix) :]: tensor for name, tensor in weights.items() if name.startswith(prefix)}


def fill(module, tensors):
    """把我的模块变成用这些张量计算的函数：{我给参数起的名字: 张量}。用于由 nn.Module 组成的 BERT。

    一个张量可以由几个拼成：{"qkv.weight": torch.cat([weights["self.query.weight"], …])}；梯度能够穿过。
    """
    mine = dict(module.named_parameters())
    for name, parameter in mine.items():
        if name not in tensors:
            raise ValueError(f"My {type(module).__name__} has a parameter {name}, and fill was given no tensor for it.")
        if tensors[name].shape != parameter.shape:
            raise ValueError(
                f"My {name} has the shape {tuple(parameter.shape)}, its tensor {tuple(tensors[name].shape)}."
            )
    if unknown := sorted(set(tensors) - set(mine)):
        raise ValueError(f"My {type(module).__name__} has no parameter {unknown[0]}; it has {', '.join(mine)}.")
    return lambda *inputs: torch.func.functional_call(module, tensors, inputs)


def wordpiece(vocabulary):
    """vocabulary：一列子词；子词的 id 是它的位置。给出函数 encode(text, second=None) → (ids, segments)。

    两者都是整数列表：[CLS] text [SEP]，有第二段文本时，再接 second [SEP]。
    """
    raise NotImplementedError


def embeddings(config, weights):
    """给出函数 (ids, segments) → (batch, seq, hidden_size)。"""
    raise NotImplementedError


def attention(config, weights):
    """给出函数 (x, mask) → (batch, seq, hidden_size)：所有的头和输出投影；没有残差连接，没有层归一化。"""
    raise NotImplementedError


def layer(config, weights):
    """给出函数 (x, mask) → (batch, seq, hidden_size)。"""
    raise NotImplementedError


def bert(config, weights):
    """给出函数 (ids, segments, mask) → 最后一层的隐藏状态，(batch, seq, hidden_size)。"""
    raise NotImplementedError


def pooler(config, weights):
    """给出函数 (hidden) → (batch, hidden_size)。"""
    raise NotImplementedError


def predictions(config, weights):
    """给出函数 (hidden) → 每个词的分数，(batch, seq, vocab_size)。"""
    raise NotImplementedError


def pretraining(config, weights):
    """给出函数 (ids, segments, mask, labels, next_labels) → 损失，一个数。

    labels：(batch, seq)，没有遮住的地方是 −100。next_labels：(batch,)，0 表示第二段接着第一段。
    """
    raise NotImplementedError


def load(folder):
    """打开检查点的文件夹。给出函数 (ids, segments, mask) → (隐藏状态, 词的分数, 下一句的分数)。

    (batch, seq, hidden_size)、(batch, seq, vocab_size)、(batch, 2)；文件里没有任务头时，后两个是 None。dropout 关着。
    """
    raise NotImplementedError


def optimizer(weights, lr, weight_decay):
    """给出一个东西，它的 step() 按 .grad 就地更新这些张量。.grad 是 None 的保持不变。"""
    raise NotImplementedError


def schedule(step, warmup, total):
    """`total` 步里第 step 步（从 0 数起）的学习率系数，其中 `warmup` 步是预热。"""
    raise NotImplementedError


def classifier(config, weights):
    """给出函数 (ids, segments, mask, labels) → (分数 (batch, num_labels), 损失)。labels：(batch,)。"""
    raise NotImplementedError


def train(config, weights, batches, lr, weight_decay, warmup):
    """训练用这些权重的分类器的副本，依次对每个批次 (ids, segments, mask, labels) 走一步。

    给出（损失，一列数；训练好的分类器的函数 (ids, segments, mask) → 分数，没有 dropout）。
    """
    raise NotImplementedError


# en: module=0c6b6dcb inside=56b588e6 fill=902cfdae wordpiece=be10f2f1 embeddings=6dc68d11 attention=11d547fa layer=997b0354 bert=6d0635f4 pooler=97306587 predictions=12295e8a pretraining=30273dee load=aa174fda optimizer=f71ef835 schedule=b09751a0 classifier=121318d3 train=07a999d2
