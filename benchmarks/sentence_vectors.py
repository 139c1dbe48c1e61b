"""Sentence vectors learned by contrast from novels: python -m benchmarks.sentence_vectors NOVELS [--seeds N …] [--steps N] [--keep FOLDER]

NOVELS: a folder of novels as .txt. A sentence and the next one are a pair; of a batch of pairs, each sentence is to find the other of its
pair among all. The first of a pair is read as BERT's sentence A and the second as its sentence B, so that a vector can say whether the text
goes on from it or leads to it. A batch is from four novels, as the question is. One novel in 25 is held out: 1,000 of their pairs, as many
from each, measure how high the next sentence ranks among the 1,000 second sentences, by cosine. Prints the mean reciprocal rank of the untuned
model under each pooling, and that of each seed after its training; a step takes about a third of a second of a processor. With --keep a run that was
stopped goes on from its last 200th step, by the same numbers.
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
from minibert.checkpoints.files import replacing
from minibert.data.prepare import is_held_out
from minibert.data.sentences import read_documents
from minibert.training.distributed import multiplies_bfloat16
from minibert.vectors import pool

MODEL, HELD_OUT_NOVEL, MEASURED, PIECES = "novels-4l-256h", 25, 1000, 64
NOVELS_OF_A_BATCH, PAIRS_OF_A_NOVEL = 4, 16
LEARNING_RATE, TEMPERATURE = 5e-4, 0.05
FIRST, SECOND = 0, 1  # BERT's segments: sentence A and sentence B
Pair = tuple[str, str]


def neighbours(novel: Path) -> list[Pair]:
    """Every sentence of five to forty words whose next one has as many, with it."""
    sentences = [sentence or "" for sentence in read_documents(novel)]
    readable = [5 <= len(sentence.split()) <= 40 for sentence in sentences]
    return [(sentences[n - 1], sentences[n]) for n in range(1, len(sentences)) if readable[n - 1] and readable[n]]


def measured_pairs(novels: Sequence[Path]) -> list[Pair]:
    """MEASURED pairs, as many of each novel; within one no first and no second sentence twice."""
    chosen = []
    for novel in novels:
        distinct = {second: first for first, second in dict(neighbours(novel)).items()}
        pairs = [(first, second) for second, first in distinct.items()]
        chosen += random.Random(novel.name).sample(pairs, MEASURED // len(novels))
    return chosen


def vectors(
    model: BertModel, tokenizer: BertTokenizer, texts: Sequence[str], kinds: Sequence[int], pooling: str = "mean"
) -> Tensor:
    """(texts, hidden), each of length 1. kinds: 0 for a sentence A, 1 for a sentence B. Learning, in bfloat16 where that is fast."""
    batch = tokenizer(list(texts), padding=True, truncation=True, max_length=PIECES, return_tensors="pt")
    batch["token_type_ids"] += torch.tensor(kinds)[:, None]
    learns = torch.is_grad_enabled() and multiplies_bfloat16(torch.device("cpu"))
    with torch.autocast("cpu", torch.bfloat16, enabled=learns), fast.packed(model), fast.linear(model):
        states = model(**batch).last_hidden_state  # (texts, seq, hidden)
    return F.normalize(pool(states, batch["attention_mask"], pooling), dim=-1)


@torch.no_grad()
def reciprocal_rank(
    model: BertModel, tokenizer: BertTokenizer, pairs: Sequence[Pair], second: int = SECOND, pooling: str = "mean"
) -> float:
    """The mean of 1 / rank of each pair's second sentence among all second ones, by its cosine with the first. second: what these are read as."""

    def read(texts: Sequence[str], kind: int) -> Tensor:
        parts = [texts[n : n + 100] for n in range(0, len(texts), 100)]
        return torch.cat([vectors(model, tokenizer, part, [kind] * len(part), pooling) for part in parts])

    firsts, seconds = zip(*pairs, strict=True)
    scores = read(firsts, FIRST) @ read(seconds, second).T  # (pairs, pairs): the diagonal is right
    return float((1 / (scores >= scores.diagonal()[:, None]).sum(1)).mean())


def contrast(firsts: Tensor, seconds: Tensor) -> Tensor:
    """The mean loss of each first sentence finding its second one among all, and of each second one finding its first.

    firsts, seconds: (batch, hidden), each vector of length 1.
    """
    scores, right = firsts @ seconds.T / TEMPERATURE, torch.arange(len(firsts))  # (batch, batch), (batch)
    return (F.cross_entropy(scores, right) + F.cross_entropy(scores.T, right)) / 2


def train(books: Sequence[list[Pair]], seed: int, steps: int, kept: Path | None) -> tuple[BertModel, BertTokenizer]:
    """The bundled model, taught by contrast, without dropout: it hardly sees a sentence twice.

    kept: a file that the run is written to now and then, and goes on from.
    """
    chance, done = random.Random(seed), 0
    tokenizer, model = BertTokenizer.from_pretrained(MODEL), BertModel.from_pretrained(MODEL, add_pooling_layer=False)
    optimizer = AdamW(no_decay_groups(model, weight_decay=0.01), lr=LEARNING_RATE, implementation="fused")
    schedule = get_linear_schedule_with_warmup(optimizer, num_warmup_steps=steps // 20, num_training_steps=steps)
    lengths, total = [len(book) for book in books], 0.0
    if kept and kept.exists():
        state = torch.load(kept)
        for part, its_state in zip((model, optimizer, schedule), state["parts"], strict=True):
            part.load_state_dict(its_state)
        chance.setstate(state["chance"])
        done = state["step"]
    for step in range(done + 1, steps + 1):
        chosen = chance.choices(books, lengths, k=NOVELS_OF_A_BATCH)
        pairs = [pair for book in chosen for pair in chance.sample(book, PAIRS_OF_A_NOVEL)]
        firsts, seconds = zip(*pairs, strict=True)
        kinds = [FIRST] * len(pairs) + [SECOND] * len(pairs)
        loss = contrast(*vectors(model, tokenizer, firsts + seconds, kinds).chunk(2))
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        total += loss.item()
        if step % 50 == 0:
            print(f"  seed {seed}, step {step}: loss {total / 50:.3f}", flush=True)
            total = 0.0
        if kept and step % 200 == 0:
            state = {"parts": [part.state_dict() for part in (model, optimizer, schedule)]}
            with replacing(kept) as draft:
                torch.save(state | {"chance": chance.getstate(), "step": step}, draft)
    return model, tokenizer


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sentence_vectors", description=__doc__)
    parser.add_argument("novels", type=Path)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--steps", type=int, default=8000)
    parser.add_argument("--out", type=Path, help="keep the model of the last seed in this folder")
    parser.add_argument("--keep", type=Path, help="write each seed's run to this folder, and go on from there")
    options = parser.parse_args()
    if options.keep:
        options.keep.mkdir(parents=True, exist_ok=True)
    files = sorted(options.novels.glob("*.txt"))
    held_out = [file for number, file in enumerate(files) if is_held_out(number, HELD_OUT_NOVEL)]
    measured = measured_pairs(held_out)
    tokenizer, model = BertTokenizer.from_pretrained(MODEL), BertModel.from_pretrained(MODEL, add_pooling_layer=False)
    for pooling in ("mean", "cls", "max"):
        for second in (FIRST, SECOND):
            rank = reciprocal_rank(model, tokenizer, measured, second, pooling)
            print(f"untuned, {pooling}, second sentences read as {'AB'[second]}: {rank:.4f}", flush=True)
    books = [neighbours(file) for file in files if file not in held_out]
    reached = []
    for seed in options.seeds:
        kept = options.keep / f"seed-{seed}-of-{options.steps}-steps.pt" if options.keep else None
        model, tokenizer = train(books, seed, options.steps, kept)
        reached.append(reciprocal_rank(model, tokenizer, measured))
        print(f"seed {seed}: {reached[-1]:.4f}", flush=True)
    print(f"{statistics.mean(reached):.4f} ± {statistics.pstdev(reached):.4f}")
    if options.out:
        model.save_pretrained(options.out)
        tokenizer.save_pretrained(options.out)


if __name__ == "__main__":
    main()
