"""Pre-training: BERT learns to guess hidden words and whether one text follows another.

Sequences grow in phases. Short ones first: with long ones from the start a small model sits for millions of words at the loss of
counting words (`docs/pretraining.md`), and a step over short ones costs less.
Source: Devlin et al. 2019, §3.1 and appendix A.2 (there: 128, then 512).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..config import BertConfig
from ..data.corpus import HELD_OUT, TRAIN, PreparedData
from ..data.pretraining import PretrainingBatch, PretrainingBatches
from ..heads.pretraining import BertForPreTraining
from ..optim import AdamW, get_linear_schedule_with_warmup, no_decay_groups
from ..tokenization import BertTokenizer
from .evaluation import evaluate_pretraining
from .loop import LoopOptions, train
from .pretraining_loss import Counts, PretrainingLoss
from .run_log import RunLog
from .world import World, full_weights, take_up_weights

SHORTEST_PAIR = 32  # positions; shorter rows are one text, without a next-sentence question
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
    """How to pre-train. Everything here shapes the numbers, so a run cannot be resumed with another recipe.

    tokens_per_step: positions in a batch, over all processes. precision: "float32" or "bfloat16" (autocast).
    shard: spread the parameters over the processes, for a model too large for one.
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


class Pretraining:
    """The task: its batches, its losses, its figures (see `loop.Task`)."""

    decisive = "loss"

    def __init__(
        self, model: BertForPreTraining, tokenizer: BertTokenizer, data: PreparedData, recipe: Recipe, world: World
    ):
        self.model = model
        self.tokenizer = tokenizer
        self.recipe = recipe
        self.world = world
        self.losses = PretrainingLoss(model)
        self.sharded = recipe.shard and world.size > 1
        layers: Any = model.bert.encoder.layer
        self.module = world.wrap(self.losses, layers if self.sharded else ())
        self.precision = getattr(torch, recipe.precision)
        self.batches = PretrainingBatches.of(data.corpus(TRAIN), tokenizer, recipe.seed, recipe.whole_words)
        has_held_out = bool(data.manifest["parts"][HELD_OUT]["tokens"])
        self.held_out = PretrainingBatches.of(data.corpus(HELD_OUT if has_held_out else TRAIN), tokenizer, seed=0)
        self.unigram_entropy = data.unigram_entropy
        self.smoothed: float | None = None
        self.fell_through: int | None = None

    def backward(self, step: int) -> dict[str, float]:
        """The gradients of a step's batch, by parts if the recipe accumulates."""
        phase, rows, before = self.recipe.at(step)
        share = self.world.share(rows)
        batch = self.batches.batch(step, before, share, phase.length, phase.pairs).to(self.world.device)
        local = Counts.of(batch)
        words, pairs = self.world.sum(local.words, local.pairs)
        counts = Counts(int(words), int(pairs))
        parts = split(batch, self.recipe.accumulate)
        sums = [0.0] * 4
        for part in parts[:-1]:
            with self.world.without_averaging(self.module):
                sums = [a + b for a, b in zip(sums, self._backward_part(part, counts), strict=True)]
        sums = [a + b for a, b in zip(sums, self._backward_part(parts[-1], counts), strict=True)]
        return pretraining_figures(self.world.sum(*sums), counts, phase.length)

    def _backward_part(self, part: PretrainingBatch, counts: Counts) -> list[float]:
        with torch.autocast(self.world.device.type, self.precision, enabled=self.precision != torch.float32):
            losses = self.module(part)
        # Gradients are averaged over the processes, and the loss is to be their sum.
        (losses.mean(counts) * self.world.size).backward()
        return [float(value.detach()) for value in losses]

    def evaluate(self) -> dict[str, float]:
        """Figures on the held-out text: a quick look, a sixth of what `minibert eval` reads."""
        length = max(phase.length for phase in self.recipe.phases)
        rows = max(1, 8192 // length)
        return evaluate_pretraining(
            self.losses,
            self.held_out,
            self.world,
            number=10,
            rows=rows,
            length=length,
            precision=self.precision,
        )

    def describe(self, figures: dict[str, float]) -> str:
        """In a few words."""
        text = f"words {figures['words_loss']:.3f} nats, {figures['words_accuracy']:.1%} right"
        if "next_accuracy" in figures:
            text += f", next sentence {figures['next_accuracy']:.1%} right"
        return f"{text} (counting words: {self.unigram_entropy:.3f})"

    def notice(self, step: int, figures: dict[str, float], log: RunLog) -> None:
        """Say when the loss falls through that of counting words, and when it has not for long."""
        loss = figures["words_loss"]
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
                f"step {step}: no better than counting words yet ({self.smoothed:.3f} nats). docs/pretraining.md tells why "
                "this happens: long sequences from the start, dropout, a learning rate too high or too low."
            )

    def weights(self) -> dict[str, Tensor]:
        """The whole model's."""
        return full_weights(self.model) if self.sharded else self.model.state_dict()

    def save_model(self, folder: Path, weights: dict[str, Tensor]) -> None:
        """The checkpoint and its tokenizer."""
        self.model.save_pretrained(folder, state_dict=weights)
        self.tokenizer.save_pretrained(folder)

    def state(self) -> dict[str, Any]:
        """The smoothed loss and whether it fell through the unigram entropy."""
        return {"smoothed": self.smoothed, "fell_through": self.fell_through}

    def load(self, folder: Path, state: dict[str, Any]) -> None:
        """Take up the saved weights."""
        saved = BertForPreTraining.from_pretrained(folder)
        take_up_weights(self.model, saved.state_dict())
        self.smoothed, self.fell_through = state["smoothed"], state["fell_through"]


def split(batch: PretrainingBatch, parts: int) -> list[PretrainingBatch]:
    """A batch in at most so many parts, for accumulation."""
    rows = batch.input_ids.size(0)
    size = -(-rows // parts)
    return [batch.rows(slice(start, start + size)) for start in range(0, rows, size)]


def pretraining_figures(sums: list[float], counts: Counts, length: int) -> dict[str, float]:
    """What a step is logged with, from the sums over all processes."""
    words, following, words_right, following_right = sums
    figures = {
        "words_loss": words / max(counts.words, 1),
        "words_accuracy": words_right / max(counts.words, 1),
        "length": length,
    }
    figures["loss"] = figures["words_loss"]
    if counts.pairs:
        figures |= {"next_loss": following / counts.pairs, "next_accuracy": following_right / counts.pairs}
        figures["loss"] += figures["next_loss"]
    return figures


def pretrain(
    data: PreparedData, config: BertConfig, recipe: Recipe, out: Path, world: World, **how_often: int
) -> dict[str, float]:
    """Train a BERT from nothing, or go on with the run in `out`; return the figures of its best evaluation.

    how_often: `log_every`, `evaluate_every`, `save_every`, `keep` of `LoopOptions`.
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
    torch.manual_seed(recipe.seed)
    model = BertForPreTraining(config)
    model.set_attn_implementation(recipe.attention)
    if config.position_embedding_type != "absolute":  # the table is there, as in the reference, but nothing reads it
        model.bert.embeddings.position_embeddings.requires_grad_(False)
    torch.manual_seed(recipe.seed + 1 + world.rank)  # from here on dropout: its own in each process
    task = Pretraining(model, BertTokenizer.from_pretrained(data.folder), data, recipe, world)
    groups = no_decay_groups(model, recipe.weight_decay)
    optimizer = AdamW(groups, lr=recipe.lr, betas=(0.9, recipe.beta2), eps=1e-6)
    schedule = get_linear_schedule_with_warmup(optimizer, recipe.warmup_steps, recipe.steps)
    whole_recipe = {
        **asdict(recipe),
        "config": config.to_dict(),
        "corpus": [source["sha256"] for source in data.manifest["sources"]],
        "vocabulary": data.manifest["vocab_sha256"],
    }
    options = LoopOptions(recipe.steps, recipe.clip, **how_often)
    return train(task, optimizer, schedule, options, out, whole_recipe, world)
