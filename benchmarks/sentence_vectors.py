"""Sentence vectors learned by contrast from novels: python -m benchmarks.sentence_vectors NOVELS [--seeds N] [--steps N]

NOVELS: a folder of novels as .txt. Each sentence and the next one are a pair; of a batch of pairs each sentence is to find its own
next one among all. One novel in 25 is held out: a fixed 1,000 of their pairs, as many from each, measure how high the next sentence
ranks among the 1,000 second sentences, by cosine. Prints the untuned model's mean reciprocal rank under each pooling, then each seed's.
"""

from __future__ import annotations

import argparse
import random
import statistics
from collections.abc import Sequence
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from minibert import AdamW, BertModel, BertTokenizer, fast, get_linear_schedule_with_warmup, no_decay_groups
from minibert.data.prepare import is_held_out
from minibert.data.sentences import read_documents
from minibert.vectors.pooling import pool

MODEL, HELD_OUT_NOVEL, MEASURED, PIECES = "novels-4l-256h", 25, 1000, 64
BATCH, LEARNING_RATE, TEMPERATURE = 128, 3e-4, 0.05
Pair = tuple[str, str]


def neighbours(novel: Path) -> list[Pair]:
    """Every sentence of five to forty words whose next one has as many, with it."""
    sentences = [sentence or "" for sentence in read_documents(novel)]
    readable = [5 <= len(sentence.split()) <= 40 for sentence in sentences]
    return [pair for pair, *fit in zip(zip(sentences, sentences[1:]), readable, readable[1:]) if all(fit)]  # noqa: B905, RUF007


def split(novels: Path) -> tuple[list[Pair], list[Pair]]:
    """The pairs to learn from, and the MEASURED ones of novels that are held out: as many of each novel, no sentence twice."""
    files = sorted(novels.glob("*.txt"))
    held_out = [file for number, file in enumerate(files) if is_held_out(number, HELD_OUT_NOVEL)]
    learned = [pair for file in files if file not in held_out for pair in neighbours(file)]
    measured = []
    for file in held_out:
        pairs = list(dict(reversed(neighbours(file)[::2])).items())
        distinct = list({second: (first, second) for first, second in pairs}.values())
        measured += random.Random(file.name).sample(distinct, MEASURED // len(held_out))
    return learned, measured


def vectors(model: BertModel, tokenizer: BertTokenizer, texts: Sequence[str], pooling: str = "mean") -> Tensor:
    """(texts, hidden), each of length 1."""
    batch = tokenizer(list(texts), padding=True, truncation=True, max_length=PIECES, return_tensors="pt")
    with fast.packed(model), fast.linear(model):
        states = model(**batch).last_hidden_state  # (texts, seq, hidden)
    return F.normalize(pool(states, batch["attention_mask"], pooling), dim=-1)


@torch.no_grad()
def reciprocal_rank(model: BertModel, tokenizer: BertTokenizer, pairs: Sequence[Pair], pooling: str = "mean") -> float:
    """The mean of 1 / rank of each pair's second sentence among all second ones, by its cosine with the first."""
    firsts, seconds = (
        torch.cat([vectors(model, tokenizer, texts[n : n + 100], pooling) for n in range(0, len(texts), 100)])
        for texts in zip(*pairs, strict=True)
    )
    scores = firsts @ seconds.T  # (pairs, pairs): the diagonal is right
    ranks = (scores >= scores.diagonal()[:, None]).sum(1)
    return float((1 / ranks).mean())


def train(pairs: Sequence[Pair], seed: int, steps: int) -> tuple[BertModel, BertTokenizer]:
    """The bundled model, taught by contrast; it sees each pair at most once."""
    torch.manual_seed(seed)
    tokenizer, model = BertTokenizer.from_pretrained(MODEL), BertModel.from_pretrained(MODEL, add_pooling_layer=False)
    chosen = random.Random(seed).sample(pairs, steps * BATCH)
    optimizer = AdamW(no_decay_groups(model, weight_decay=0.01), lr=LEARNING_RATE)
    schedule = get_linear_schedule_with_warmup(optimizer, num_warmup_steps=steps // 10, num_training_steps=steps)
    for start in range(0, len(chosen), BATCH):
        firsts, seconds = zip(*chosen[start : start + BATCH], strict=True)
        a, b = vectors(model, tokenizer, firsts), vectors(model, tokenizer, seconds)  # (batch, hidden)
        loss = F.cross_entropy(a @ b.T / TEMPERATURE, torch.arange(BATCH))
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        if start // BATCH % 20 == 0:
            print(f"  step {start // BATCH}: loss {loss:.3f}", flush=True)
    return model.eval(), tokenizer


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sentence_vectors", description=__doc__)
    parser.add_argument("novels", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=400)
    options = parser.parse_args()
    learned, measured = split(options.novels)
    print(f"{len(learned):,} pairs to learn from, {len(measured):,} to measure on")
    tokenizer, model = BertTokenizer.from_pretrained(MODEL), BertModel.from_pretrained(MODEL, add_pooling_layer=False)
    for pooling in ("mean", "cls", "max"):
        print(f"untuned, {pooling}: {reciprocal_rank(model.eval(), tokenizer, measured, pooling):.4f}", flush=True)
    reached = []
    for seed in range(1, options.seeds + 1):
        reached.append(reciprocal_rank(*train(learned, seed, options.steps), measured))
        print(f"seed {seed}: {reached[-1]:.4f}", flush=True)
    print(f"{statistics.mean(reached):.4f} ± {statistics.pstdev(reached):.4f}")


if __name__ == "__main__":
    main()
