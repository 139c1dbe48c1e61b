"""Pre-training: train BERT to predict hidden words and whether one text follows another.

Sequences grow in phases. Short ones first: with long ones from the start a small model stays for millions of words at the loss of
counting words (`docs/pretraining.md`), and a step over short ones costs less.
Source: Devlin et al. 2019, §3.1 and appendix A.2 (there: 128, then 512).
"""

import time
from collections import Counter
from contextlib import AbstractContextManager, nullcontext
from dataclasses import astuple, dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.utils.data import DataLoader

from ..checkpoints.files import first_line
from ..config import BertConfig, is_whole_number
from ..data.corpus import HELD_OUT, TRAIN, PreparedData
from ..data.pretraining_batches import PretrainingBatches, RowKey
from ..fast.last_layer import last_layer_at_labels
from ..fast.training_steps import training
from ..heads.pretraining import BertForPreTraining
from ..optim import AdamW
from ..tasks.task_files import PathName
from ..tokenization import BertTokenizer
from .distributed import Processes, averaging
from .loop import LoopOptions, Trainable, train
from .pretraining_loss import PretrainingLoss, count_labels, evaluate_pretraining, pretraining_metrics
from .recipe import TrainingRecipe, check_at_least, check_whole, plain
from .run_files import RunLog, alone_in

SHORTEST_PAIR = 32  # positions; shorter rows are one text, without a next-sentence label
PATIENCE = 300  # steps before a loss that stands still is worth a warning
SMOOTHING = 0.95  # of the loss that is compared with the unigram entropy
WRITTEN_BY_SAVING = ("architectures", "torch_dtype", "dtype", "transformers_version", "name_or_path")
CAUSES = "Causes: long sequences from the start, dropout, a learning rate too high or too low (docs/pretraining.md)."


@dataclass(frozen=True)
class Phase:
    """A share of the steps, with rows of `length` positions."""

    length: int
    share: float

    @property
    def pairs(self) -> bool:
        return self.length >= SHORTEST_PAIR


PHASES = "lengths of at least 4, and shares above 0 that sum to 1"
DEFAULT_PHASES = (Phase(16, 0.2), Phase(32, 0.2), Phase(64, 0.3), Phase(128, 0.3))


def parse_phases(text: str) -> tuple[Phase, ...]:
    """ "16:0.2,128:0.8" → two phases. Raises ValueError for anything else."""
    try:
        phases = tuple(Phase(int(length), float(share)) for length, share in (p.split(":") for p in text.split(",")))
    except ValueError:
        phases = ()
    if not _fill_a_run(phases):
        raise ValueError(f"The phases '{text}' must be LENGTH:SHARE,…, such as 16:0.2,64:0.4,128:0.4: {PHASES}.")
    return phases


def _fill_a_run(phases: tuple[Phase, ...]) -> bool:
    lengths, shares = [phase.length for phase in phases], [phase.share for phase in phases]
    if not (all(map(is_whole_number, lengths)) and all(isinstance(share, (int, float)) for share in shares)):
        return False
    return min(lengths, default=0) >= 4 and min(shares) > 0 and abs(sum(shares) - 1) <= 1e-6  # of NaN, nothing is true


@dataclass(frozen=True, kw_only=True)
class Recipe(TrainingRecipe):
    """How to pre-train.

    tokens_per_step: positions in a batch, over all processes. shard: spread the parameters over the processes, for a model too large
    for one. fast: the steps of `minibert.fast.training_steps`, and AdamW in one pass.
    """

    steps: int = 2000
    tokens_per_step: int = 8192
    phases: tuple[Phase, ...] = DEFAULT_PHASES
    lr: float = 1.5e-3
    warmup_steps: int = 100
    beta2: float = 0.98
    whole_words: bool = False
    shard: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        check_whole(1, steps=self.steps, tokens_per_step=self.tokens_per_step)
        check_whole(0, warmup_steps=self.warmup_steps)
        check_at_least(0, lr=self.lr, beta2=self.beta2)
        several = self.phases if isinstance(self.phases, tuple) else (self.phases,)
        phases = tuple(Phase(*plain(astuple(phase))) for phase in several if isinstance(phase, Phase))
        if len(phases) < len(several) or not _fill_a_run(phases):
            raise ValueError(f"phases is {self.phases}; it must be a Phase or several: {PHASES}.")
        object.__setattr__(self, "phases", phases)
        if self.tokens_per_step < self.longest:
            raise ValueError(f"tokens_per_step is {self.tokens_per_step}: not one row of {self.longest} positions.")

    @property
    def longest(self) -> int:
        return max(phase.length for phase in self.phases)

    def at(self, step: int) -> tuple[Phase, int, int]:
        """The phase of a step (from 1), its rows, and how many rows of this length came before."""
        end, steps = 0.0, Counter[int]()  # steps: of each length, before this phase
        for phase in self.phases:
            start, end = end, end + phase.share
            if step <= round(end * self.steps):
                break
            steps[phase.length] += round(end * self.steps) - round(start * self.steps)
        rows = self.tokens_per_step // phase.length
        return phase, rows, (step - 1 - round(start * self.steps) + steps[phase.length]) * rows


@dataclass(eq=False)
class Pretraining(Trainable):
    """The batches, losses and metrics of a run. state: the smoothed loss, and the step at which it fell below the unigram entropy."""

    model: BertForPreTraining
    tokenizer: BertTokenizer
    data: PreparedData
    recipe: Recipe
    processes: Processes
    selection_metric = "loss"

    def __post_init__(self) -> None:
        recipe = self.recipe
        self.losses = PretrainingLoss(self.model)
        self.sharded = recipe.shard and self.processes.size > 1
        self.prepare(self.losses)
        self.state = {"smoothed": None, "fell_through": None}
        train = self.data.corpus(TRAIN)
        held_out = self.data.corpus(HELD_OUT) if self.data.manifest["parts"][HELD_OUT]["tokens"] else train
        self.rows = PretrainingBatches(train, self.tokenizer, recipe.seed, whole_words=recipe.whole_words)
        self.held_out = PretrainingBatches(held_out, self.tokenizer, seed=0)

    def batches(self, first: int) -> DataLoader[dict[str, Tensor]]:
        return self.rows.loader(map(self.keys, range(first, self.recipe.steps + 1)))

    def keys(self, step: int) -> list[RowKey]:
        """The keys of the rows of a step that this process computes."""
        phase, rows, before = self.recipe.at(step)
        return self.rows.keys(step, before, self.processes.share(rows), length=phase.length, pairs=phase.pairs)

    def backward(self, step: int, batch: dict[str, Tensor]) -> dict[str, float]:
        counts = self.processes.sum(*count_labels(batch))
        parts, sums = self.parts(batch), [0.0] * 4
        for part in parts:
            fast: AbstractContextManager[None] = training(self.model) if self.recipe.fast else nullcontext()
            read = last_layer_at_labels(self.model.bert, part) if self.recipe.fast else nullcontext(part)
            with averaging(self.module, part is parts[-1]), fast, read as inputs:
                with self.processes.autocast(self.precision):
                    losses = self.module(**inputs)
                # Gradients are averaged over the processes, and the loss is to be their sum.
                (losses.mean(*counts) * self.processes.size).backward()
            sums = [total + float(loss.detach()) for total, loss in zip(sums, losses, strict=True)]
        metrics = pretraining_metrics(self.processes.sum(*sums), *counts)
        return {"length": self.recipe.at(step)[0].length, **metrics}

    def evaluate(self) -> dict[str, float]:
        """Metrics on the held-out text, on a sixth of what `minibert eval` reads."""
        length, fast = self.recipe.longest, self.recipe.fast
        rows = max(self.processes.size, 8192 // length)  # one for each process at least
        with self.processes.autocast(self.precision):
            return evaluate_pretraining(
                self.losses,
                self.held_out,
                self.processes,
                number=10,
                rows=rows,
                length=length,
                fast=fast,
                pairs=any(phase.pairs for phase in self.recipe.phases),
            )

    def describe(self, metrics: dict[str, float]) -> str:
        text = f"words {metrics['words_loss']:.3f} nats, {metrics['words_accuracy']:.1%} right"
        if "next_accuracy" in metrics:
            text += f", next sentence {metrics['next_accuracy']:.1%} right"
        return f"{text} (counting words: {self.data.unigram_entropy:.3f})"

    def notice(self, step: int, metrics: dict[str, float], log: RunLog) -> None:
        """Print when the loss falls below that of counting words, and when it has not for long."""
        loss, state, counting = metrics["words_loss"], self.state, self.data.unigram_entropy
        state["smoothed"] = smoothed = loss if step == 1 else SMOOTHING * state["smoothed"] + (1 - SMOOTHING) * loss
        if step == 1:
            log.write(0, unigram_entropy=counting)
            log.say(f"A model that only counts words needs {counting:.3f} nats a word.")
            if not self.data.manifest["parts"][HELD_OUT]["tokens"]:
                log.say("Nothing is held out: the model is measured, and the best one chosen, on its training text.")
        if state["fell_through"] is None and smoothed < counting:
            state["fell_through"] = step
            log.write(step, fell_through=counting)
            log.say(f"step {step}: better than counting words ({smoothed:.3f} < {counting:.3f} nats).")
        if state["fell_through"] is None and step == max(PATIENCE, self.recipe.steps // 2):
            log.say(f"step {step}: no better than counting words yet ({smoothed:.3f} nats). {CAUSES}")


def steps_in(minutes: float, data: PreparedData, config: BertConfig, recipe: Recipe, processes: Processes) -> int:
    """How many steps of a recipe take about so many minutes: one of each phase is timed, on a model that is then thrown away."""
    tokenizer = BertTokenizer.from_pretrained(data.folder)
    trained = Pretraining(BertForPreTraining(config), tokenizer, data, recipe=recipe, processes=processes)
    optimizer = AdamW(trained.model.parameters(), implementation="fused" if recipe.fast else "plain")
    seconds = end = 0.0
    for phase in recipe.phases:
        end += phase.share
        last = round(end * recipe.steps)  # step of the phase
        batch = trained.rows.collate([trained.rows[key] for key in trained.keys(last)])
        for _ in range(2):  # the first warms up
            started = time.perf_counter()
            trained.backward(last, batch)
            optimizer.step()
            taken = time.perf_counter() - started
        seconds += phase.share * taken
    return max(1, int(processes.gather(60 * minutes / seconds)[0]))


def pretrain(
    data: PreparedData,
    config: BertConfig,
    recipe: Recipe,
    out: PathName,
    processes: Processes | None = None,
    **often: int,
) -> dict[str, float]:
    """Train a BERT from nothing, or go on with the run in `out`; return the metrics of its best evaluation.

    processes: None for this one alone. often: `log_every`, `evaluate_every`, `save_every`, `keep` of `LoopOptions`.
    """
    if config.vocab_size != data.manifest["vocab_size"]:
        raise ValueError(f"The config has vocab_size {config.vocab_size}, the text {data.manifest['vocab_size']}.")
    if recipe.longest > (limit := config.max_position_embeddings):
        raise ValueError(f"Rows of {recipe.longest} positions do not fit {limit} (max_position_embeddings).")
    processes, out = processes or Processes.alone(), Path(out)
    if (rows := recipe.tokens_per_step // recipe.longest) < processes.size:
        few = f"tokens_per_step is {recipe.tokens_per_step}: {rows} rows of {recipe.longest} positions"
        raise ValueError(f"{few} for {processes.size} processes, each of which needs one.")
    torch.manual_seed(recipe.seed)
    try:
        model = BertForPreTraining(config)
    except RuntimeError as error:  # PyTorch's allocator
        raise ValueError(f"There is no memory for a model of the config's sizes ({first_line(error)}).") from error
    torch.manual_seed(recipe.seed + 1 + processes.rank)  # from here on dropout: its own in each process
    tokenizer = BertTokenizer.from_pretrained(data.folder)
    trained = Pretraining(model, tokenizer, data, recipe=recipe, processes=processes)
    corpus = [source["sha256"] for source in data.manifest["sources"]]
    made = {name: value for name, value in config.to_dict().items() if name not in WRITTEN_BY_SAVING}
    identity = {"config": made, "corpus": corpus, "vocabulary": data.manifest["vocab_sha256"]}
    identity["prepared"] = {key: data.manifest.get(key) for key in ("parts", "held_out_by", "one_sentence_per_line")}
    options = LoopOptions(recipe.steps, **often)
    adamw = {"betas": (0.9, recipe.beta2), "eps": 1e-6, "implementation": "fused" if recipe.fast else "plain"}
    with alone_in(out, processes.leads):
        return train(trained, options, out, identity=identity, warmup_steps=recipe.warmup_steps, **adamw)
