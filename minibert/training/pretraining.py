"""Pre-training: train BERT to predict hidden words and whether one text follows another.

Sequences grow in phases. Short ones first: with long ones from the start a small model stays for millions of words at the loss of
counting words (`docs/pretraining.md`), and a step over short ones costs less.
Source: Devlin et al. 2019, §3.1 and appendix A.2 (there: 128, then 512).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import DataLoader

from ..config import BertConfig
from ..data.corpus import HELD_OUT, TRAIN, PreparedData
from ..data.pretraining_batches import PretrainingBatch, PretrainingBatches, RowKey
from ..heads.pretraining import BertForPreTraining
from ..optim import AdamW, get_linear_schedule_with_warmup, no_decay_groups
from ..tokenization import BertTokenizer
from .distributed import Processes, without_averaging
from .loop import LoopOptions, Trainable, train
from .pretraining_loss import Counts, PretrainingLoss, evaluate_pretraining, read_at_labels
from .run_files import RunLog

SHORTEST_PAIR = 32  # positions; shorter rows are one text, without a next-sentence label
PATIENCE = 300  # steps before a loss that stands still is worth a warning
SMOOTHING = 0.95  # of the loss that is compared with the unigram entropy


@dataclass(frozen=True)
class Phase:
    """A share of the steps, with rows of `length` positions."""

    length: int
    share: float

    @property
    def pairs(self) -> bool:
        """Whether rows hold two segments."""
        return self.length >= SHORTEST_PAIR


DEFAULT_PHASES = (Phase(16, 0.2), Phase(32, 0.2), Phase(64, 0.3), Phase(128, 0.3))


def parse_phases(text: str) -> tuple[Phase, ...]:
    """ "16:0.2,128:0.8" → two phases. Raises ValueError for anything else."""
    try:
        phases = tuple(Phase(int(length), float(share)) for length, share in (p.split(":") for p in text.split(",")))
    except ValueError as error:
        raise ValueError(
            f"Cannot read the phases '{text}'. Write LENGTH:SHARE,…, such as 16:0.2,64:0.4,128:0.4."
        ) from error
    total = sum(phase.share for phase in phases)
    if abs(total - 1) > 1e-6 or any(phase.length < 4 or phase.share <= 0 for phase in phases):
        raise ValueError(
            f"The phases '{text}' need lengths of at least 4 and shares above 0 that sum to 1, not {total:g}."
        )
    return phases


@dataclass(frozen=True)
class Recipe:
    """How to pre-train. A run cannot be resumed with another recipe.

    tokens_per_step: positions in a batch, over all processes. accumulate: pieces in which a batch is computed. precision: the
    floating-point type of matrix products, "float32" or "bfloat16" (autocast). shard: spread the parameters over the processes, for a
    model too large for one. fast: the last layer only where it is read (`fast/last_layer.py`), and AdamW in blocks: the same
    equations, up to rounding.
    """

    steps: int = 2000
    tokens_per_step: int = 8192
    phases: tuple[Phase, ...] = DEFAULT_PHASES
    lr: float = 1.5e-3
    warmup_steps: int = 100
    weight_decay: float = 0.01
    beta2: float = 0.98
    clip: float = 1.0
    accumulate: int = 1
    whole_words: bool = False
    precision: str = "float32"
    attention: str = "eager"
    shard: bool = False
    fast: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("steps", "tokens_per_step", "accumulate"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be at least 1.")
        longest = max(phase.length for phase in self.phases)
        if self.tokens_per_step < longest:
            raise ValueError(f"tokens_per_step is {self.tokens_per_step}: not one row of {longest} positions.")
        if self.precision not in ("float32", "bfloat16"):
            raise ValueError(f"precision is {self.precision!r}; choose float32 or bfloat16.")

    def at(self, step: int) -> tuple[Phase, int, int]:
        """The phase of a step (from 1), its rows, and how many rows of the phase came before."""
        end = 0.0
        for phase in self.phases:
            start, end = end, end + phase.share
            if step <= round(end * self.steps):
                break
        rows = self.tokens_per_step // phase.length
        return phase, rows, (step - 1 - round(start * self.steps)) * rows


@dataclass(frozen=True)
class PhaseSampler:
    """The batch sampler of a run: for each step from `first` on, the keys of the rows that one process computes."""

    recipe: Recipe
    first: int
    processes: Processes

    def __iter__(self) -> Iterator[list[RowKey]]:
        for step in range(self.first, self.recipe.steps + 1):
            phase, rows, before = self.recipe.at(step)
            share = self.processes.share(rows)
            yield PretrainingBatches.keys(step, before, share, length=phase.length, pairs=phase.pairs)


@dataclass(eq=False)
class Pretraining(Trainable):
    """The batches, losses and metrics of a run."""

    model: BertForPreTraining
    tokenizer: BertTokenizer
    data: PreparedData
    recipe: Recipe
    processes: Processes
    selection_metric = "loss"

    def __post_init__(self) -> None:
        self.losses = PretrainingLoss(self.model)
        self.sharded = self.recipe.shard and self.processes.size > 1
        layers: Any = self.model.bert.encoder.layer
        self.module = self.processes.wrap(self.losses, layers if self.sharded else ())
        self.precision = getattr(torch, self.recipe.precision)
        seed, whole_words = self.recipe.seed, self.recipe.whole_words
        self.rows = PretrainingBatches(self.data.corpus(TRAIN), self.tokenizer, seed, whole_words=whole_words)
        has_held_out = bool(self.data.manifest["parts"][HELD_OUT]["tokens"])
        held_out = self.data.corpus(HELD_OUT if has_held_out else TRAIN)
        self.held_out = PretrainingBatches(held_out, self.tokenizer, seed=0)
        self.unigram_entropy = self.data.unigram_entropy
        self.smoothed: float | None = None
        self.fell_through: int | None = None  # the step at which the loss fell below the unigram entropy

    def batches(self, first: int) -> DataLoader[PretrainingBatch]:
        return self.rows.loader(PhaseSampler(self.recipe, first, self.processes))

    def backward(self, step: int, batch: PretrainingBatch) -> dict[str, float]:
        """The gradients of a step's batch, computed in pieces if the recipe accumulates."""
        batch = batch.to(self.processes.device)
        local = Counts.of(batch)
        words, pairs = self.processes.sum(local.words, local.pairs)
        counts = Counts(int(words), int(pairs))
        *first_pieces, last = split(batch, self.recipe.accumulate)
        sums = [0.0] * 4
        for piece in first_pieces:
            with without_averaging(self.module):
                sums = [a + b for a, b in zip(sums, self._backward_piece(piece, counts), strict=True)]
        sums = [a + b for a, b in zip(sums, self._backward_piece(last, counts), strict=True)]
        return pretraining_metrics(self.processes.sum(*sums), counts, self.recipe.at(step)[0].length)

    def _backward_piece(self, piece: PretrainingBatch, counts: Counts) -> list[float]:
        with read_at_labels(self.model, piece) if self.recipe.fast else nullcontext(piece) as read:
            with self.processes.autocast(self.precision):
                losses = self.module(read)
            # Gradients are averaged over the processes, and the loss is to be their sum.
            (losses.mean(counts) * self.processes.size).backward()
        return [float(value.detach()) for value in losses]

    def evaluate(self) -> dict[str, float]:
        """Metrics on the held-out text, on a sixth of what `minibert eval` reads."""
        length = max(phase.length for phase in self.recipe.phases)
        return evaluate_pretraining(
            self.losses,
            self.held_out,
            self.processes,
            number=10,
            rows=max(1, 8192 // length),
            length=length,
            precision=self.precision,
            fast=self.recipe.fast,
        )

    def describe(self, metrics: dict[str, float]) -> str:
        text = f"words {metrics['words_loss']:.3f} nats, {metrics['words_accuracy']:.1%} right"
        if "next_accuracy" in metrics:
            text += f", next sentence {metrics['next_accuracy']:.1%} right"
        return f"{text} (counting words: {self.unigram_entropy:.3f})"

    def notice(self, step: int, metrics: dict[str, float], log: RunLog) -> None:
        """Print when the loss falls below that of counting words, and when it has not for long."""
        loss = metrics["words_loss"]
        self.smoothed = loss if self.smoothed is None else SMOOTHING * self.smoothed + (1 - SMOOTHING) * loss
        if step == 1:
            log.write(0, unigram_entropy=self.unigram_entropy)
            log.say(f"A model that only counts words needs {self.unigram_entropy:.3f} nats a word.")
        if self.fell_through is None and self.smoothed < self.unigram_entropy:
            self.fell_through = step
            log.write(step, fell_through=self.unigram_entropy)
            log.say(f"step {step}: better than counting words ({self.smoothed:.3f} < {self.unigram_entropy:.3f} nats).")
        if self.fell_through is None and step == max(PATIENCE, self.recipe.steps // 2):
            log.say(
                f"step {step}: no better than counting words yet ({self.smoothed:.3f} nats). docs/pretraining.md lists the causes: "
                "long sequences from the start, dropout, a learning rate too high or too low."
            )

    def state(self) -> dict[str, Any]:
        return {"smoothed": self.smoothed, "fell_through": self.fell_through}

    def load(self, folder: Path, state: dict[str, Any]) -> None:
        super().load(folder, state)
        self.smoothed, self.fell_through = state["smoothed"], state["fell_through"]


def split(batch: PretrainingBatch, pieces: int) -> list[PretrainingBatch]:
    """A batch in at most so many pieces, for accumulation."""
    rows = batch.input_ids.size(0)
    size = -(-rows // pieces)
    return [batch.rows(slice(start, start + size)) for start in range(0, rows, size)]


def pretraining_metrics(sums: list[float], counts: Counts, length: int) -> dict[str, float]:
    """What a step is logged with, from the sums over all processes."""
    words, following, words_right, following_right = sums
    words_loss, words_accuracy = words / max(counts.words, 1), words_right / max(counts.words, 1)
    metrics = {"words_loss": words_loss, "words_accuracy": words_accuracy, "length": length, "loss": words_loss}
    if counts.pairs:
        metrics |= {"next_loss": following / counts.pairs, "next_accuracy": following_right / counts.pairs}
        metrics["loss"] += metrics["next_loss"]
    return metrics


def pretrain(
    data: PreparedData,
    config: BertConfig,
    recipe: Recipe,
    out: Path,
    processes: Processes | None = None,
    **how_often: int,
) -> dict[str, float]:
    """Train a BERT from nothing, or go on with the run in `out`; return the metrics of its best evaluation.

    processes: None for this one alone. how_often: `log_every`, `evaluate_every`, `save_every`, `keep` of `LoopOptions`.
    """
    if config.vocab_size != data.manifest["vocab_size"]:
        raise ValueError(
            f"The config has vocab_size {config.vocab_size}, the prepared text {data.manifest['vocab_size']}."
        )
    longest = max(phase.length for phase in recipe.phases)
    if longest > config.max_position_embeddings:
        raise ValueError(
            f"Rows of {longest} positions do not fit {config.max_position_embeddings} (max_position_embeddings)."
        )
    processes = processes or Processes.alone()
    torch.manual_seed(recipe.seed)
    model = BertForPreTraining(config)
    model.set_attn_implementation(recipe.attention)
    if config.position_embedding_type != "absolute":  # the table is there, as in the reference, but nothing reads it
        model.bert.embeddings.position_embeddings.requires_grad_(False)
    torch.manual_seed(recipe.seed + 1 + processes.rank)  # from here on dropout: its own in each process
    tokenizer = BertTokenizer.from_pretrained(data.folder)
    trained = Pretraining(model, tokenizer, data, recipe=recipe, processes=processes)
    optimizer = AdamW(
        no_decay_groups(model, recipe.weight_decay),
        lr=recipe.lr,
        betas=(0.9, recipe.beta2),
        eps=1e-6,
        implementation="blocked" if recipe.fast else "plain",
    )
    schedule = get_linear_schedule_with_warmup(optimizer, recipe.warmup_steps, recipe.steps)
    identity = {
        "config": config.to_dict(),
        "corpus": [source["sha256"] for source in data.manifest["sources"]],
        "vocabulary": data.manifest["vocab_sha256"],
    }
    options = LoopOptions(recipe.steps, recipe.clip, **how_often)
    whole = {**asdict(recipe), **identity}
    return train(trained, optimizer, schedule, options=options, out=out, recipe=whole, processes=processes)
