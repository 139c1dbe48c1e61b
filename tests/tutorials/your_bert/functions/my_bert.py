"""A finished BERT of plain functions: weights are a dictionary, and every stage takes those whose names begin with its own."""

import json
import math
import unicodedata
from pathlib import Path
from types import SimpleNamespace

import torch
import torch.nn.functional as F
from safetensors.torch import load_file

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


# ------------------------------------------------------------------------------------------------------------- 1 WordPiece


def is_mark(char):
    code = ord(char)
    in_ascii = 33 <= code <= 47 or 58 <= code <= 64 or 91 <= code <= 96 or 123 <= code <= 126
    return in_ascii or unicodedata.category(char).startswith("P")


def is_ideograph(char):
    code = ord(char)
    blocks = (
        (0x4E00, 0x9FFF),
        (0x3400, 0x4DBF),
        (0x20000, 0x2A6DF),
        (0x2A700, 0x2CEAF),
        (0xF900, 0xFAFF),
        (0x2F800, 0x2FA1F),
    )
    return any(low <= code <= high for low, high in blocks)


def clean(text):
    kept = []
    for char in text:
        if char in "\t\n\r" or unicodedata.category(char) == "Zs":
            kept.append(" ")
        elif char != "\ufffd" and char != "\0" and not unicodedata.category(char).startswith("C"):
            kept.append(f" {char} " if is_ideograph(char) else char)
    return "".join(kept)


def strip_accents(word):
    return "".join(char for char in unicodedata.normalize("NFD", word) if unicodedata.category(char) != "Mn")


def around_specials(text):
    """The text in pieces, special tokens by themselves."""
    parts = [text]
    for special in SPECIAL:
        cut = []
        for part in parts:
            if part in SPECIAL:
                cut.append(part)
                continue
            for number, between in enumerate(part.split(special)):
                if number:
                    cut.append(special)
                cut.append(between)
        parts = cut
    return parts


def words_of(text):
    words = []
    for part in around_specials(text):
        if part in SPECIAL:
            words.append(part)
            continue
        for word in clean(part).split():
            lowered = strip_accents(word.lower())
            words += "".join(f" {char} " if is_mark(char) else char for char in lowered).split()
    return words


def pieces_of(word, ids):
    if word in SPECIAL:
        return [word]
    if len(word) > 100:
        return ["[UNK]"]
    found, start = [], 0
    while start < len(word):
        end = len(word)
        while end > start:
            piece = word[start:end] if start == 0 else "##" + word[start:end]
            if piece in ids:
                break
            end -= 1
        if end == start:
            return ["[UNK]"]
        found.append(piece)
        start = end
    return found


def encode(ids, text, second=None):
    def of(text):
        return [ids[piece] for word in words_of(text) for piece in pieces_of(word, ids)]

    first = [ids["[CLS]"], *of(text), ids["[SEP]"]]
    after = [] if second is None else [*of(second), ids["[SEP]"]]
    return first + after, [0] * len(first) + [1] * len(after)


# ------------------------------------------------------------------------------------------------------------ 2 embeddings


def linear(x, weights, name):
    return x @ weights[name + ".weight"].T + weights[name + ".bias"]


def norm(x, weights, name, eps):
    mean = x.mean(dim=-1, keepdim=True)
    variance = ((x - mean) ** 2).mean(dim=-1, keepdim=True)
    return (x - mean) / torch.sqrt(variance + eps) * weights[name + ".weight"] + weights[name + ".bias"]


def embed(config, weights, ids, segments, training=True):
    places = torch.arange(ids.shape[1])
    total = weights["word_embeddings.weight"][ids]
    total = total + weights["token_type_embeddings.weight"][segments]
    total = total + weights["position_embeddings.weight"][places]
    total = norm(total, weights, "LayerNorm", config.layer_norm_eps)
    return F.dropout(total, config.hidden_dropout_prob, training)


# ------------------------------------------------------------------------------------------------------------- 3 attention


def inside(weights, prefix):
    return {name[len(prefix) :]: tensor for name, tensor in weights.items() if name.startswith(prefix)}


def split(x, heads):
    batch, seq, hidden = x.shape
    return x.reshape(batch, seq, heads, hidden // heads).transpose(1, 2)


def attend(config, weights, x, mask, training=True):
    heads = config.num_attention_heads
    query = split(linear(x, weights, "self.query"), heads)
    key = split(linear(x, weights, "self.key"), heads)
    value = split(linear(x, weights, "self.value"), heads)
    scores = query @ key.transpose(-1, -2) / math.sqrt(query.shape[-1])
    scores = scores + (1.0 - mask[:, None, None, :].float()) * -10000.0
    looks = F.dropout(torch.softmax(scores, dim=-1), config.attention_probs_dropout_prob, training)
    context = (looks @ value).transpose(1, 2)
    return linear(context.reshape(x.shape), weights, "output.dense")


# ----------------------------------------------------------------------------------------------------- 4 a layer, 5 the stack


def gelu(x):
    return x * 0.5 * (1.0 + torch.erf(x / math.sqrt(2.0)))


def layer(config, weights, x, mask, training=True):
    gathered = attend(config, inside(weights, "attention."), x, mask, training)
    gathered = F.dropout(gathered, config.hidden_dropout_prob, training)
    x = norm(gathered + x, weights, "attention.output.LayerNorm", config.layer_norm_eps)
    wide = gelu(linear(x, weights, "intermediate.dense"))
    back = F.dropout(linear(wide, weights, "output.dense"), config.hidden_dropout_prob, training)
    return norm(back + x, weights, "output.LayerNorm", config.layer_norm_eps)


def bert(config, weights, ids, segments, mask, training=True):
    x = embed(config, inside(weights, "embeddings."), ids, segments, training)
    for number in range(config.num_hidden_layers):
        x = layer(config, inside(weights, f"encoder.layer.{number}."), x, mask, training)
    return x


# ------------------------------------------------------------------------------------------- 6 pooler, 7 words, 8 the losses


def pool(weights, hidden):
    return torch.tanh(linear(hidden[:, 0], weights, "dense"))


def word_scores(config, weights, table, hidden):
    x = gelu(linear(hidden, weights, "transform.dense"))
    x = norm(x, weights, "transform.LayerNorm", config.layer_norm_eps)
    return x @ table.T + weights["bias"]


def cross_entropy(scores, labels):
    chosen = labels != -100
    logs = scores[chosen] - torch.logsumexp(scores[chosen], dim=-1, keepdim=True)
    picked = logs.gather(-1, labels[chosen][:, None])
    return -picked.sum() / chosen.sum()


def both_scores(config, weights, hidden):
    table = weights["bert.embeddings.word_embeddings.weight"]
    words = word_scores(config, inside(weights, "cls.predictions."), table, hidden)
    pooled = pool(inside(weights, "bert.pooler."), hidden)
    return words, linear(pooled, weights, "cls.seq_relationship")


def pretraining_loss(config, weights, ids, segments, mask, labels, follows, training=True):
    hidden = bert(config, inside(weights, "bert."), ids, segments, mask, training)
    words, next_scores = both_scores(config, weights, hidden)
    return cross_entropy(words, labels) + cross_entropy(next_scores, follows)


# ------------------------------------------------------------------------------------------------------------ 9 checkpoints


def open_checkpoint(folder):
    config = SimpleNamespace(**json.loads((Path(folder) / "config.json").read_text()))
    weights = {}
    for name, tensor in load_file(Path(folder) / "model.safetensors").items():
        name = name.replace("LayerNorm.gamma", "LayerNorm.weight").replace("LayerNorm.beta", "LayerNorm.bias")
        if not name.startswith(("bert.", "cls.")):
            name = "bert." + name
        weights[name] = tensor.float() if tensor.is_floating_point() else tensor
    return config, weights


def run_checkpoint(config, weights, ids, segments, mask):
    hidden = bert(config, inside(weights, "bert."), ids, segments, mask, training=False)
    if "cls.predictions.bias" not in weights:
        return hidden, None, None
    words, follows = both_scores(config, weights, hidden)
    return hidden, words, follows


# ----------------------------------------------------------------------------------------------------------------- 10 AdamW


class AdamW:
    def __init__(self, weights, lr, decay):
        self.weights, self.lr, self.decay = weights, lr, decay
        self.m = {name: torch.zeros_like(tensor) for name, tensor in weights.items()}
        self.v = {name: torch.zeros_like(tensor) for name, tensor in weights.items()}
        self.steps = 0

    @torch.no_grad()
    def step(self):
        self.steps += 1
        size = self.lr * math.sqrt(1 - 0.999**self.steps) / (1 - 0.9**self.steps)
        for name, weight in self.weights.items():
            if weight.grad is None:
                continue
            self.m[name] = 0.9 * self.m[name] + 0.1 * weight.grad
            self.v[name] = 0.999 * self.v[name] + 0.001 * weight.grad**2
            weight -= size * self.m[name] / (self.v[name].sqrt() + 1e-6)
            if "bias" not in name and "LayerNorm" not in name:
                weight -= self.lr * self.decay * weight


def factor(step, warmup, total):
    if step < warmup:
        return step / warmup
    if step >= total:
        return 0.0
    return (total - step) / (total - warmup)


# ------------------------------------------------------------------------------------------------- 11 a head, 12 training


def classify(config, weights, ids, segments, mask, training=True):
    hidden = bert(config, inside(weights, "bert."), ids, segments, mask, training)
    pooled = pool(inside(weights, "bert.pooler."), hidden)
    return linear(F.dropout(pooled, config.hidden_dropout_prob, training), weights, "classifier")


def clip(weights, most=1.0):
    gradients = [tensor.grad for tensor in weights.values() if tensor.grad is not None]
    length = torch.sqrt(sum((gradient**2).sum() for gradient in gradients))
    if length > most:
        for gradient in gradients:
            gradient *= most / length


def train(config, weights, batches, lr, decay, warmup):
    mine = {name: tensor.clone().requires_grad_() for name, tensor in weights.items()}
    optimizer = AdamW(mine, lr, decay)
    losses = []
    for step, (ids, segments, mask, labels) in enumerate(batches):
        for tensor in mine.values():
            tensor.grad = None
        loss = cross_entropy(classify(config, mine, ids, segments, mask), labels)
        loss.backward()
        clip(mine)
        optimizer.lr = lr * factor(step, warmup, len(batches))
        optimizer.step()
        losses.append(loss.item())
    return losses, mine
