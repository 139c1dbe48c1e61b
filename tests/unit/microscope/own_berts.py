"""BERTs in which no name is minibert's: queries, keys and values from one matrix, and functions in place of modules.

Each mistake is one method that is written wrongly: the same mistakes as in `students.py`, in another coding.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Block(nn.Module):
    """Right, and in small steps for others to break."""

    heads, d = 4, 8

    def __init__(self) -> None:
        super().__init__()
        self.qkv, self.mix = nn.Linear(32, 96), nn.Linear(32, 32)
        self.norm1, self.norm2 = nn.LayerNorm(32, eps=1e-12), nn.LayerNorm(32, eps=1e-12)
        self.up, self.down, self.drop = nn.Linear(32, 37), nn.Linear(37, 32), nn.Dropout(0.1)

    def three(self, x: Tensor) -> tuple[Tensor, ...]:
        return self.qkv(x).chunk(3, dim=-1)

    def split(self, x: Tensor) -> Tensor:
        return x.reshape(len(x), -1, self.heads, self.d).transpose(1, 2)

    def scores(self, q: Tensor, k: Tensor) -> Tensor:
        return torch.einsum("bhqd,bhkd->bhqk", q, k) * self.d**-0.5

    def weights(self, scores: Tensor, mask: Tensor) -> Tensor:
        return self.drop(F.softmax(scores + mask, dim=-1))

    def join(self, context: Tensor) -> Tensor:
        return torch.cat(list(context.unbind(1)), dim=-1)

    def attend(self, x: Tensor, mask: Tensor) -> Tensor:
        q, k, v = map(self.split, self.three(x))
        return self.mix(self.join(self.weights(self.scores(q, k), mask) @ v))

    def first(self, x: Tensor, mask: Tensor) -> Tensor:
        return self.norm1(x + self.drop(self.attend(x, mask)))

    def act(self, x: Tensor) -> Tensor:
        return x * 0.5 * (1 + torch.erf(x / math.sqrt(2)))

    def second(self, a: Tensor) -> Tensor:
        return self.norm2(a + self.drop(self.down(self.act(self.up(a)))))

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        return self.second(self.first(x, mask))


class Mine(nn.Module):
    """A whole model for pretraining."""

    block: type = Block

    def __init__(self) -> None:
        super().__init__()
        self.tok, self.seg, self.pos = nn.Embedding(99, 32), nn.Embedding(2, 32), nn.Embedding(24, 32)
        self.norm, self.drop = nn.LayerNorm(32, eps=1e-12), nn.Dropout(0.1)
        self.blocks = nn.ModuleList(self.block() for _ in range(2))
        self.pool, self.nsp, self.mlm = nn.Linear(32, 32), nn.Linear(32, 2), nn.Linear(32, 32)
        self.mlm_norm, self.mlm_bias = nn.LayerNorm(32, eps=1e-12), nn.Parameter(torch.zeros(99))

    def positions(self, ids: Tensor) -> Tensor:
        return torch.arange(ids.size(1))

    def embed(self, ids: Tensor, segments: Tensor) -> Tensor:
        return self.drop(self.norm(self.tok(ids) + self.seg(segments) + self.pos(self.positions(ids))))

    def mask(self, mask: Tensor) -> Tensor:
        return (mask[:, None, None, :] == 0) * -10000.0

    def encode(self, x: Tensor, mask: Tensor) -> Tensor:
        for block in self.blocks:
            x = block(x, mask)
        return x

    def pooled(self, x: Tensor) -> Tensor:
        return self.pool(x[:, 0]).tanh()

    def transform(self, x: Tensor) -> Tensor:
        return self.mlm_norm(F.gelu(self.mlm(x)))

    def words(self, x: Tensor) -> Tensor:
        return F.linear(self.transform(x), self.tok.weight, self.mlm_bias)

    def follows(self, x: Tensor) -> Tensor:
        return self.nsp(self.pooled(x))

    def loss(self, words: Tensor, labels: Tensor) -> Tensor:
        return F.cross_entropy(words.flatten(0, 1), labels.flatten())

    def next_loss(self, follows: Tensor, label: Tensor) -> Tensor:
        return F.cross_entropy(follows, label)

    def forward(
        self, input_ids: Any, attention_mask: Any, token_type_ids: Any, labels: Any, next_sentence_label: Any
    ) -> dict[str, Tensor]:
        x = self.encode(self.embed(input_ids, token_type_ids), self.mask(attention_mask))
        words, follows = self.words(x), self.follows(x)
        loss = self.loss(words, labels) + self.next_loss(follows, next_sentence_label)
        return {"loss": loss, "prediction_logits": words, "seq_relationship_logits": follows}


@dataclass(frozen=True, eq=False)
class Own:
    """One method of the block or of the model that is another, the stage to be blamed and the mistake to be named."""

    name: str
    methods: dict[str, Any]
    stage: str
    says: str

    def __str__(self) -> str:
        return self.name

    def make(self) -> nn.Module:
        of_block = {name: f for name, f in self.methods.items() if hasattr(Block, name)}
        of_model = {name: f for name, f in self.methods.items() if name not in of_block}
        block = type("Block", (Block,), of_block)
        return type("Mine", (Mine,), {**of_model, "block": block})().eval()


LAYER = "bert.encoder.layer.0"
PIECES = {  # of a block
    "k q": ({"scores": lambda _, q, k: k @ q.mT / 8**0.5}, "queries and keys are exchanged"),
    "q v k": (
        {"three": lambda m, x: (lambda q, k, v: (q, v, k))(*m.qkv(x).chunk(3, -1))},
        "keys and values are exchanged",
    ),
    "view for split": ({"split": lambda _, x: x.reshape(len(x), 4, -1, 8)}, "the heads are split by a view"),
    "interleaved": ({"split": lambda _, x: x.reshape(len(x), -1, 8, 4).permute(0, 3, 1, 2)}, "split as (d, heads)"),
    "view for join": ({"join": lambda _, x: x.reshape(len(x), x.size(2), 32)}, "the heads are joined by a view"),
    "√hidden": ({"scores": lambda _, q, k: q @ k.mT / 32**0.5}, "divided by √hidden"),
    "no scale": ({"scores": lambda _, q, k: q @ k.mT}, "not divided by √d"),
    "d": ({"scores": lambda _, q, k: q @ k.mT / 8}, "divided by d, not √d"),
    "8 heads": ({"heads": 8, "d": 4}, "the number of heads is 8"),
    "softmax of queries": ({"weights": lambda _, s, m: (s + m).softmax(-2)}, "the softmax runs over the queries"),
    "softmax of heads": ({"weights": lambda _, s, m: (s + m).softmax(1)}, "the softmax runs over the heads"),
    "no softmax": ({"weights": lambda _, s, m: torch.sigmoid(s + m)}, "a sigmoid stands for the softmax"),
    "mask ignored": ({"weights": lambda _, s, _m: s.softmax(-1)}, "the mask is forgotten"),
    "mask added late": ({"weights": lambda _, s, m: s.softmax(-1) + m}, "the mask is added after the softmax"),
    "mask multiplied late": (
        {"weights": lambda _, s, m: s.softmax(-1) * (m == 0)},
        "the mask is multiplied in after the softmax",
    ),
    "scores set to 0": ({"weights": lambda _, s, m: (s * (m == 0)).softmax(-1)}, "a score of 0 hides nothing"),
    "no residual": (
        {"first": lambda m, x, mask: m.norm1(m.drop(m.attend(x, mask)))},
        "the residual is left out (attention.output)",
    ),
    "no second residual": (
        {"second": lambda m, a: m.norm2(m.down(m.act(m.up(a))))},
        "the residual is left out (output)",
    ),
    "norm of the branch": (
        {"first": lambda m, x, mask: x + m.norm1(m.attend(x, mask))},
        "LayerNorm comes before the residual is added (attention.output)",
    ),
    "no norm": ({"second": lambda m, a: a + m.down(m.act(m.up(a)))}, "LayerNorm is missing (output)"),
    "one norm": ({"second": lambda m, a: m.norm1(a + m.down(m.act(m.up(a))))}, "attention's LayerNorm serves"),
    "pre-norm": (
        {
            "first": lambda m, x, mask: x + m.drop(m.attend(m.norm1(x), mask)),
            "second": lambda m, a: a + m.drop(m.down(m.act(m.up(m.norm2(a))))),
        },
        "LayerNorm comes first (pre-norm)",
    ),
    "wrong residual": (
        {"forward": lambda m, x, mask: m.norm2(x + m.down(m.act(m.up(m.first(x, mask)))))},
        "the feed-forward network adds the layer's input",
    ),
    "relu": ({"act": lambda _, x: x.clamp(min=0)}, "gelu is relu"),
    "gelu by tanh": (
        {"act": lambda _, x: 0.5 * x * (1 + torch.tanh((2 / math.pi) ** 0.5 * (x + 0.044715 * x**3)))},
        "gelu is its approximation by tanh",
    ),
    "gelu by σ": ({"act": lambda _, x: x * torch.sigmoid(1.702 * x)}, "gelu is its approximation by σ"),
    "no gelu": ({"act": lambda _, x: x}, "gelu is left out"),
    "late gelu": ({"second": lambda m, a: m.norm2(a + m.act(m.down(m.up(a))))}, "follows the second dense layer"),
    "value not cut": ({"attend": lambda m, x, mask: Block.attend(m, x, mask).detach()}, "cut off"),
    "residual by .data": (
        {"first": lambda m, x, mask: m.norm1(x.data + m.drop(m.attend(x, mask)))},
        "goes back to hidden_states",
    ),
    "dropout of scores": (
        {"weights": lambda m, s, mask: m.drop(s).add(mask).softmax(-1)},
        "the scores, before the softmax",
    ),
    "dropout after norm": (
        {"second": lambda m, a: m.drop(m.norm2(a + m.down(m.act(m.up(a)))))},
        "output.LayerNorm gives",
    ),
    "always dropped": ({"weights": lambda _, s, m: F.dropout((s + m).softmax(-1), 0.1)}, "b differs from itself"),
    "adds in place": ({"first": lambda m, x, mask: m.norm1(x.add_(m.attend(x, mask)))}, "in place"),
}
WHOLE = {  # of the model; the stage is its own forward
    "positions from 1": ({"positions": lambda _, ids: torch.arange(1, ids.size(1) + 1)}, "the positions begin at 1"),
    "positions backwards": ({"positions": lambda _, ids: torch.arange(ids.size(1)).flip(0)}, "run backwards"),
    "no segments": (
        {"embed": lambda m, ids, _: m.norm(m.tok(ids) + m.pos(m.positions(ids)))},
        "segments are not added",
    ),
    "segments exchanged": ({"embed": lambda m, ids, s: Mine.embed(m, ids, 1 - s)}, "the segments are exchanged"),
    "no positions": ({"embed": lambda m, ids, s: m.norm(m.tok(ids) + m.seg(s))}, "the positions are not added"),
    "√hidden words": (
        {"embed": lambda m, ids, s: m.norm(m.tok(ids) * 32**0.5 + m.seg(s) + m.pos(m.positions(ids)))},
        "the words are multiplied by √hidden",
    ),
    "mask inverted": ({"mask": lambda _, mask: mask[:, None, None, :] * -10000.0}, "the mask is inverted"),
    "mask as it is": ({"mask": lambda _, mask: mask[:, None, None, :].float()}, "1 and 0 is added as it is"),
    "mask of -1": ({"mask": lambda _, mask: mask[:, None, None, :] - 1.0}, "the mask is −1"),
    "mask of queries": ({"mask": lambda _, mask: (mask[:, None, :, None] - 1) * 1e4}, "hides queries"),
    "no mask": ({"mask": lambda *_: torch.zeros(())}, "the mask is forgotten"),
    "a layer too few": ({"encode": lambda m, x, mask: m.blocks[0](x, mask)}, "the last layer is left out"),
    "reversed": ({"encode": lambda m, x, mask: m.blocks[0](m.blocks[1](x, mask), mask)}, "in reversed order"),
    "one layer twice": (
        {"encode": lambda m, x, mask: m.blocks[0](m.blocks[0](x, mask), mask)},
        "every layer is the first",
    ),
    "last word": ({"pooled": lambda m, x: m.pool(x[:, -1]).tanh()}, "the last word, not [CLS]"),
    "mean": ({"pooled": lambda m, x: m.pool(x.mean(1)).tanh()}, "the mean of all words, not [CLS]"),
    "no tanh": ({"pooled": lambda m, x: m.pool(x[:, 0])}, "tanh is left out"),
    "no pooler": ({"pooled": lambda _, x: x[:, 0]}, "[CLS] is handed on as it is"),
    "no transform": ({"transform": lambda _, x: x}, "the transform is left out"),
    "transform without norm": ({"transform": lambda m, x: F.gelu(m.mlm(x))}, "LayerNorm is missing"),
    "transform without gelu": ({"transform": lambda m, x: m.mlm_norm(m.mlm(x))}, "gelu is left out"),
    "norm before gelu": ({"transform": lambda m, x: F.gelu(m.mlm_norm(m.mlm(x)))}, "LayerNorm comes before gelu"),
    "no decoder bias": (
        {"words": lambda m, x: m.transform(x) @ m.tok.weight.T},
        "the bias of cls.predictions.decoder is left out",
    ),
    "decoder by view": (
        {"words": lambda m, x: m.transform(x) @ m.tok.weight.view(32, 99) + m.mlm_bias},
        "turned by a view, not transposed",
    ),
    "labels shifted": (
        {"loss": lambda _, words, labels: F.cross_entropy(words[:, :-1].flatten(0, 1), labels[:, 1:].flatten())},
        "the labels are shifted, as a decoder's are",
    ),
    "−100 counted": (
        {"loss": lambda _, words, labels: F.cross_entropy(words.flatten(0, 1), labels.clamp(min=0).flatten())},
        "labels of −100 count as 0",
    ),
    "next labels exchanged": ({"next_loss": lambda _, s, y: F.cross_entropy(s, 1 - y)}, "labels are exchanged"),
    "softmax twice": ({"next_loss": lambda _, s, y: F.cross_entropy(s.softmax(-1), y)}, "a softmax comes before"),
    "no next loss": ({"next_loss": lambda *_: 0.0}, "the next-sentence loss is left out"),
    "columns exchanged": ({"follows": lambda m, x: m.nsp(m.pooled(x)).flip(-1)}, "two scores of the next sentence"),
    "embeddings without gradient": ({"embed": torch.no_grad()(Mine.embed)}, "cut off from the graph"),
}
OWN = [
    # Of gradients that are cut off in both layers, the last layer's is the first on the way back.
    *(
        Own(
            name, methods, LAYER.replace("0", "1") if says in ("cut off", "goes back to hidden_states") else LAYER, says
        )
        for name, (methods, says) in PIECES.items()
    ),
    *(Own(name, methods, "", says) for name, (methods, says) in WHOLE.items()),
]
