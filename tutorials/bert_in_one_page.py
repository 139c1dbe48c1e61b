"""BERT in one page: text in, the missing word out; torch to multiply, safetensors, json and re to read.

    text → WordPiece → ids → embeddings → 4 × (attention, feed-forward) → transform → scores for every word

Run it:  python tutorials/bert_in_one_page.py        (then change the text in the last line, and run it again)

This is the arithmetic of `minibert.BertForMaskedLM` in evaluation, to the bit. What it leaves out is what a blank does
not need: dropout (off outside training), the pooler and next-sentence scores, and stripping accents (é → e).
The same in JavaScript, side by side: docs/one_page_twice.md.
Sources: Devlin et al. 2019 (BERT); Vaswani et al. 2017 (the encoder); Wu et al. 2016 (WordPiece).
"""

import json
import re

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor

HERE = re.sub(r"[^/\\]*$", "", __file__)
FOLDER = HERE + "../weights/novels-4l-256h"


# 1. Text becomes ids ------------------------------------------------------------------------------------------------


class WordPiece:
    """Cut text into pieces of a vocabulary: "unkindly" → un ##kind ##ly. A piece's id is its line in vocab.txt."""

    def __init__(self, folder: str = FOLDER):
        with open(f"{folder}/vocab.txt", encoding="utf-8") as file:
            self.pieces = [line.rstrip("\n") for line in file]
        self.ids = {piece: number for number, piece in enumerate(self.pieces)}

    def words(self, text: str) -> list[str]:
        """Lower-cased words and single punctuation marks; special tokens stay as they are."""
        found = re.findall(r"\[(?:PAD|UNK|CLS|SEP|MASK)\]|[^\W_]+|\S", text)
        return [word if word in self.ids else word.lower() for word in found]

    def split(self, word: str) -> list[str]:
        """The longest piece that begins the word, then the longest that goes on, to the end; or [UNK]."""
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
        """[CLS] pieces [SEP], as ids."""
        pieces = [piece for word in self.words(text) for piece in self.split(word)]
        return [self.ids[piece] for piece in ["[CLS]", *pieces, "[SEP]"]]


# 2. Ids become scores -----------------------------------------------------------------------------------------------


class Bert:
    """The network. Its weights are one dictionary, name → tensor, exactly as they lie in the checkpoint file."""

    def __init__(self, folder: str = FOLDER):
        with open(f"{folder}/config.json", encoding="utf-8") as file:
            config = json.load(file)
        self.layers = config["num_hidden_layers"]  # 4
        self.heads = config["num_attention_heads"]  # 4
        self.eps = config["layer_norm_eps"]
        # On disk a number takes 2 bytes (float16). Every one of them is also a float32, and that is what we compute in.
        self.weights = {name: tensor.float() for name, tensor in load_file(f"{folder}/model.safetensors").items()}

    # Two building blocks, each found in the dictionary by its name

    def linear(self, x: Tensor, name: str) -> Tensor:
        """x Wᵀ + b"""
        return F.linear(x, self.weights[f"{name}.weight"], self.weights[f"{name}.bias"])

    def norm(self, x: Tensor, name: str) -> Tensor:
        """(x − mean) / √(variance + ε) · scale + shift, over the last axis: each position by itself."""
        scale, shift = self.weights[f"{name}.weight"], self.weights[f"{name}.bias"]
        return F.layer_norm(x, scale.shape, scale, shift, self.eps)

    # The stages, in the order in which a token meets them

    def embed(self, ids: Tensor, segments: Tensor) -> Tensor:
        """What the word is + which sentence it is in + where it stands: (batch, seq) → (batch, seq, hidden)."""
        name = "bert.embeddings"
        places = torch.arange(ids.size(1))
        word = self.weights[f"{name}.word_embeddings.weight"][ids]  # (batch, seq, hidden)
        segment = self.weights[f"{name}.token_type_embeddings.weight"][segments]
        place = self.weights[f"{name}.position_embeddings.weight"][places]  # (seq, hidden)
        return self.norm(word + segment + place, f"{name}.LayerNorm")

    def attention(self, x: Tensor, mask: Tensor, name: str) -> Tensor:
        """softmax(Q Kᵀ / √d + mask) V in every head, the heads put side by side again."""
        batch, seq, hidden = x.shape

        def heads(y: Tensor) -> Tensor:
            return y.view(batch, seq, self.heads, hidden // self.heads).transpose(1, 2)  # (batch, heads, seq, d)

        query = heads(self.linear(x, f"{name}.query"))
        key = heads(self.linear(x, f"{name}.key"))
        value = heads(self.linear(x, f"{name}.value"))
        scores = query @ key.transpose(-1, -2) / query.size(-1) ** 0.5  # (batch, heads, seq, seq)
        looks = torch.softmax(scores + mask, dim=-1)  # each row adds up to 1
        return (looks @ value).transpose(1, 2).reshape(batch, seq, hidden)

    def layer(self, x: Tensor, mask: Tensor, name: str) -> Tensor:
        """Attention gathers, feed-forward thinks; each one's result is added to what went in, and normalised."""
        gathered = self.linear(self.attention(x, mask, f"{name}.attention.self"), f"{name}.attention.output.dense")
        x = self.norm(gathered + x, f"{name}.attention.output.LayerNorm")
        wide = F.gelu(self.linear(x, f"{name}.intermediate.dense"))  # (batch, seq, 4 · hidden)
        return self.norm(self.linear(wide, f"{name}.output.dense") + x, f"{name}.output.LayerNorm")

    def predict(self, x: Tensor) -> Tensor:
        """Compare each position with every word: the word embeddings, used backwards, and a bias of their own."""
        x = self.norm(F.gelu(self.linear(x, "cls.predictions.transform.dense")), "cls.predictions.transform.LayerNorm")
        words = self.weights["bert.embeddings.word_embeddings.weight"]  # (vocab, hidden)
        return F.linear(x, words, self.weights["cls.predictions.bias"])  # (batch, seq, vocab)

    def __call__(self, ids: Tensor, seen: Tensor | None = None, segments: Tensor | None = None) -> Tensor:
        """Scores (batch, seq, vocab) for ids (batch, seq). seen: 1 for a token, 0 for padding; segments: 0 or 1."""
        seen = torch.ones_like(ids) if seen is None else seen
        segments = torch.zeros_like(ids) if segments is None else segments
        mask = (1.0 - seen[:, None, None, :].float()) * -10000.0  # added to scores: nobody looks at padding
        x = self.embed(ids, segments)
        for number in range(self.layers):
            x = self.layer(x, mask, f"bert.encoder.layer.{number}")
        return self.predict(x)


# 3. A blank is filled -----------------------------------------------------------------------------------------------


def fill(text: str, tokenizer: WordPiece, bert: Bert, count: int = 5) -> list[tuple[str, float]]:
    """The likeliest pieces for the first [MASK] of a text, each with its probability."""
    ids = tokenizer.encode(text)
    blank = ids.index(tokenizer.ids["[MASK]"])
    with torch.no_grad():
        scores = bert(torch.tensor([ids]))  # (1, seq, vocab)
    best = torch.softmax(scores[0, blank], dim=-1).topk(count)
    return [(tokenizer.pieces[i], p) for i, p in zip(best.indices.tolist(), best.values.tolist(), strict=True)]


def main(text: str) -> None:
    """Print the guesses for a text with a [MASK] in it."""
    print(text)
    for piece, probability in fill(text, WordPiece(), Bert()):
        print(f"  {piece:12} {probability:6.1%}  {'█' * round(40 * probability)}")


if __name__ == "__main__":
    main("He shook his [MASK].")
