"""A finished BERT of modules: one product for query, key and value, and names of its own for everything."""

import json
import os
import re
import unicodedata

import torch
from safetensors import safe_open
from torch import nn
from torch.nn import functional

# ---------------------------------------------------------------------------------------------------------------- the text


class Tokenizer:
    KEPT = re.compile(r"(\[PAD\]|\[UNK\]|\[CLS\]|\[SEP\]|\[MASK\])")
    IDEOGRAPH = re.compile(
        "([\u4e00-\u9fff\u3400-\u4dbf\uf900-\ufaff\U00020000-\U0002a6df\U0002a700-\U0002ceaf\U0002f800-\U0002fa1f])"
    )

    def __init__(self, vocabulary):
        self.number_of = dict(zip(vocabulary, range(len(vocabulary))))

    def prepare(self, text):
        text = re.sub(r"[\t\n\r]", " ", text)
        text = "".join(
            " " if unicodedata.category(c) == "Zs" else c
            for c in text
            if unicodedata.category(c)[0] != "C" and c != "\ufffd"
        )
        text = self.IDEOGRAPH.sub(r" \1 ", text).lower()
        text = "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.category(c) == "Mn")
        return re.sub(
            r"([!-/:-@\[-`{-~])", r" \1 ", "".join(f" {c} " if unicodedata.category(c)[0] == "P" else c for c in text)
        )

    def pieces(self, word):
        rest, done = word, []
        if len(word) > 100:
            return ["[UNK]"]
        while rest:
            begin = "##" if done else ""
            for size in range(len(rest), 0, -1):
                if begin + rest[:size] in self.number_of:
                    done.append(begin + rest[:size])
                    rest = rest[size:]
                    break
            else:
                return ["[UNK]"]
        return done

    def numbers(self, text):
        found = []
        for part in self.KEPT.split(text):
            if self.KEPT.fullmatch(part):
                found.append(self.number_of[part])
            else:
                found.extend(
                    self.number_of[piece] for word in self.prepare(part).split() for piece in self.pieces(word)
                )
        return found

    def __call__(self, text, second=None):
        cls, sep = self.number_of["[CLS]"], self.number_of["[SEP]"]
        ids = [cls] + self.numbers(text) + [sep]
        segments = [0] * len(ids)
        if second is not None:
            more = self.numbers(second) + [sep]
            ids, segments = ids + more, segments + [1] * len(more)
        return ids, segments


# ------------------------------------------------------------------------------------------------------------- the network


class Embeddings(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.words = nn.Embedding(config.vocab_size, config.hidden_size)
        self.places = nn.Embedding(config.max_position_embeddings, config.hidden_size)
        self.kinds = nn.Embedding(config.type_vocab_size, config.hidden_size)
        self.norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.drop = nn.Dropout(config.hidden_dropout_prob)

    def forward(self, ids, segments):
        where = torch.arange(ids.size(1)).unsqueeze(0)
        return self.drop(self.norm(self.words(ids) + self.kinds(segments) + self.places(where)))


class Attention(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.heads = config.num_attention_heads
        self.width = config.hidden_size // config.num_attention_heads
        self.qkv = nn.Linear(config.hidden_size, 3 * config.hidden_size)
        self.out = nn.Linear(config.hidden_size, config.hidden_size)
        self.drop = nn.Dropout(config.attention_probs_dropout_prob)

    def forward(self, x, hidden_tokens):
        batch, seq, _ = x.size()
        q, k, v = self.qkv(x).view(batch, seq, 3, self.heads, self.width).permute(2, 0, 3, 1, 4)
        scores = (q * self.width**-0.5) @ k.mT
        scores = scores.masked_fill(hidden_tokens[:, None, None, :], -1e9)
        looked = self.drop(scores.softmax(-1)) @ v
        return self.out(looked.permute(0, 2, 1, 3).flatten(2))


class Layer(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.attention = Attention(config)
        self.norm1 = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.wide = nn.Linear(config.hidden_size, config.intermediate_size)
        self.narrow = nn.Linear(config.intermediate_size, config.hidden_size)
        self.norm2 = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.drop = nn.Dropout(config.hidden_dropout_prob)

    def forward(self, x, hidden_tokens):
        x = self.norm1(x + self.drop(self.attention(x, hidden_tokens)))
        return self.norm2(x + self.drop(self.narrow(functional.gelu(self.wide(x)))))


class Bert(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.embeddings = Embeddings(config)
        self.layers = nn.ModuleList(Layer(config) for _ in range(config.num_hidden_layers))

    def forward(self, ids, segments, mask):
        x = self.embeddings(ids, segments)
        for layer in self.layers:
            x = layer(x, mask == 0)
        return x


class Pooler(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.hidden_size)

    def forward(self, x):
        return self.dense(x[:, 0, :]).tanh()


class WordHead(nn.Module):
    def __init__(self, config, table):
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.hidden_size)
        self.norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.decoder = nn.Linear(config.hidden_size, config.vocab_size)
        if table is not None:
            self.decoder.weight = table

    def forward(self, x):
        return self.decoder(self.norm(functional.gelu(self.dense(x))))


class Pretrained(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.bert = Bert(config)
        self.pooler = Pooler(config)
        self.head = WordHead(config, self.bert.embeddings.words.weight)
        self.follows = nn.Linear(config.hidden_size, 2)

    def forward(self, ids, segments, mask):
        x = self.bert(ids, segments, mask)
        return x, self.head(x), self.follows(self.pooler(x))


class PretrainingLoss(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.model = Pretrained(config)

    def forward(self, ids, segments, mask, labels, next_labels):
        _, words, follows = self.model(ids, segments, mask)
        word_loss = functional.cross_entropy(words.transpose(1, 2), labels, ignore_index=-100)
        return word_loss + functional.cross_entropy(follows, next_labels)


class Classifier(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.bert = Bert(config)
        self.pooler = Pooler(config)
        self.drop = nn.Dropout(config.hidden_dropout_prob)
        self.out = nn.Linear(config.hidden_size, config.num_labels)

    def forward(self, ids, segments, mask):
        return self.out(self.drop(self.pooler(self.bert(ids, segments, mask))))


class ClassifierLoss(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.model = Classifier(config)

    def forward(self, ids, segments, mask, labels):
        scores = self.model(ids, segments, mask)
        return scores, functional.cross_entropy(scores, labels)


# -------------------------------------------------------------------------------------------------------------- their names


def attention_names(w):
    return {
        "qkv.weight": torch.cat([w["self.query.weight"], w["self.key.weight"], w["self.value.weight"]]),
        "qkv.bias": torch.cat([w["self.query.bias"], w["self.key.bias"], w["self.value.bias"]]),
        "out.weight": w["output.dense.weight"],
        "out.bias": w["output.dense.bias"],
    }


RENAMED = {
    "embeddings": {"words": "word_embeddings", "places": "position_embeddings", "kinds": "token_type_embeddings", "norm": "LayerNorm"},
    "layer": {"norm1": "attention.output.LayerNorm", "wide": "intermediate.dense", "narrow": "output.dense", "norm2": "output.LayerNorm"},
    "head": {"dense": "transform.dense", "norm": "transform.LayerNorm"},
}  # fmt: skip


def renamed(part, w):
    both = ((mine, theirs, end) for mine, theirs in RENAMED[part].items() for end in ("weight", "bias"))
    return {f"{mine}.{end}": w[f"{theirs}.{end}"] for mine, theirs, end in both if f"{theirs}.{end}" in w}


def below(w, prefix):
    return {name[len(prefix) :]: w[name] for name in w if name.startswith(prefix)}


def above(prefix, w):
    return {prefix + name: tensor for name, tensor in w.items()}


def layer_names(w):
    return {**above("attention.", attention_names(below(w, "attention."))), **renamed("layer", w)}


def bert_names(w):
    names = above("embeddings.", renamed("embeddings", below(w, "embeddings.")))
    number = 0
    while f"encoder.layer.{number}.output.dense.weight" in w:
        names.update(above(f"layers.{number}.", layer_names(below(w, f"encoder.layer.{number}."))))
        number += 1
    return names


def head_names(w):
    return {**renamed("head", w), "decoder.bias": w["bias"]}


def pretrained_names(w):
    names = {**above("bert.", bert_names(below(w, "bert."))), **above("pooler.", below(w, "bert.pooler."))}
    names.update(above("head.", head_names(below(w, "cls.predictions."))))
    names.update(above("follows.", below(w, "cls.seq_relationship.")))
    return names


def classifier_names(w):
    names = {**above("bert.", bert_names(below(w, "bert."))), **above("pooler.", below(w, "bert.pooler."))}
    return {**names, **above("out.", below(w, "classifier."))}


# ------------------------------------------------------------------------------------------------------------ checkpoints


class Sizes:
    def __init__(self, folder):
        with open(os.path.join(folder, "config.json")) as file:
            self.__dict__.update(json.load(file))


def from_folder(folder):
    config, tensors = Sizes(folder), {}
    with safe_open(os.path.join(folder, "model.safetensors"), "pt") as file:
        for name in file.keys():
            new = re.sub("gamma$", "weight", re.sub("beta$", "bias", name))
            tensors[new if re.match(r"(bert|cls)\.", new) else "bert." + new] = file.get_tensor(name).to(torch.float32)
    if "cls.predictions.bias" in tensors:
        model = Pretrained(config)
        model.load_state_dict(pretrained_names(tensors), strict=False)
        return model.eval()
    model = Bert(config)
    model.load_state_dict(bert_names(below(tensors, "bert.")))
    return model.eval()


# ------------------------------------------------------------------------------------------------------------- training


class Adam(torch.optim.Optimizer):
    def __init__(self, groups, lr):
        super().__init__(groups, {"lr": lr, "decay": 0.0})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                state["t"] = state.get("t", 0) + 1
                m = state.setdefault("m", torch.zeros_like(p))
                v = state.setdefault("v", torch.zeros_like(p))
                m.mul_(0.9).add_(p.grad, alpha=0.1)
                v.mul_(0.999).addcmul_(p.grad, p.grad, value=0.001)
                rate = group["lr"] * (1 - 0.999 ** state["t"]) ** 0.5 / (1 - 0.9 ** state["t"])
                p.mul_(1 - group["lr"] * group["decay"])
                p.addcdiv_(m, v.sqrt() + 1e-6, value=-rate)


def in_groups(named, decay):
    spared = [tensor for name, tensor in named if name.endswith("bias") or "norm" in name.lower()]
    rest = [tensor for name, tensor in named if not (name.endswith("bias") or "norm" in name.lower())]
    return [{"params": spared}, {"params": rest, "decay": decay}]


def rate_factor(step, warmup, total):
    rising = step / max(1, warmup)
    falling = max(0.0, (total - step) / max(1, total - warmup))
    return rising if step < warmup else falling


def fit(model, batches, lr, decay, warmup):
    model.train()
    adam = Adam(in_groups(list(model.named_parameters()), decay), lr)
    plan = torch.optim.lr_scheduler.LambdaLR(adam, lambda step: rate_factor(step, warmup, len(batches)))
    history = []
    for ids, segments, mask, labels in batches:
        adam.zero_grad()
        loss = functional.cross_entropy(model(ids, segments, mask), labels)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), max_norm=1.0)
        adam.step()
        plan.step()
        history.append(loss.item())
    model.eval()
    return history
