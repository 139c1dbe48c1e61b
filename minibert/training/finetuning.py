"""Fine-tuning: train a pre-trained model for a task, from two files of examples to the best checkpoint.

    trained, best = finetune(Classification(), "novels-4l-256h", "train.csv", "test.csv", out="run")

A step is one call of the model and the head's own loss, so its bits are those of a loop written out over the reference.
"""

import hashlib
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.data import DataLoader

from ..checkpoints import LoadingReport
from ..compat.moved import moved_name
from ..config import BertConfig
from ..fast.packing import packed_if_padded
from ..fast.training_steps import training
from ..fast.word_gradient import WordGradient
from ..model import BertPreTrainedModel
from ..model.checks import IGNORED
from ..tasks import BatchOrder, Encoded, Examples, Labels, Task, batch_loader
from ..tasks.class_weights import class_weights
from ..tasks.given_rows import GivenRows, as_files
from ..tasks.task import SETTINGS
from ..tasks.task_files import PathName, hold_out
from ..tokenization import BertTokenizer
from .distributed import Processes, averaging
from .finetuning_recipe import FineTuningRecipe
from .frozen import freeze
from .loop import LoopOptions, Trainable, check_finite, train
from .prediction import TaskModel, row_length
from .remarks import remarks
from .run_files import alone_in, read_log, results_table, saved_state

logger = logging.getLogger("minibert")


@dataclass(eq=False)
class FineTuning(TaskModel, Trainable):
    """The batches, losses and metrics of a task. train, evaluation: the examples as rows."""

    train: Encoded
    evaluation: Encoded
    recipe: FineTuningRecipe

    def __post_init__(self) -> None:
        self.prepare()
        recipe, lengths, given = self.recipe, self.train.lengths, self.recipe.class_weights
        self.selection_metric = recipe.select or self.task.selection_metric
        self.fast = recipe.fast
        self.word_gradient = WordGradient(self.model.base_model.embeddings.word_embeddings)
        weights = None if given is None else class_weights(given, self.task.labels, self.train.rows)
        self.weights = None if weights is None else weights.to(self.processes.device)  # (classes,)
        grouped: dict[str, Any] = {"group_by_length": recipe.group_by_length, "choices": self.train.choices}
        self.order = BatchOrder(lengths, recipe.batch_size, recipe.seed, **grouped)

    @property
    def steps(self) -> int:
        return (self.recipe.epochs or 0) * self.order.batches_per_epoch

    def batches(self, first: int) -> DataLoader[dict[str, Tensor]]:
        return batch_loader(self.train, map(self.keys, range(first, self.steps + 1)), self.tokenizer)

    def keys(self, step: int) -> list[tuple[int, tuple[int, ...]]]:
        """The keys, (number, seed), of the rows of a step that this process computes.

        In a last batch smaller than the number of processes some have no row: they compute one that counts for nothing, because the
        others wait for their gradients.
        """
        numbers = self.order.batch(step - 1)
        mine = [numbers[index] for index in self.processes.share(len(numbers))] or numbers[:1]
        return [(number, (self.recipe.seed, step, number)) for number in mine]

    def batch(self, step: int) -> dict[str, Tensor]:
        """This process's rows of a step's batch, to look at."""
        return next(iter(self.batches(step)))

    def weight(self, batch: dict[str, Tensor]) -> float:
        """What the mean loss of a batch is divided by: the number of its labels, or the sum of their classes' weights."""
        if self.weights is None:
            return self.task.label_count(batch)
        return float(self.weights[batch["labels"][batch["labels"] != IGNORED]].sum())

    def share(self, step: int, batch: dict[str, Tensor]) -> float:
        """This process's share of the labels, by weight, that the whole batch of a step has."""
        has_rows = bool(self.processes.share(len(self.order.batch(step - 1))))
        count = self.weight(batch) if has_rows else 0
        [total] = self.processes.sum(count)
        return count / total

    def loss(self, batch: dict[str, Tensor]) -> Tensor:
        """The mean loss of the rows of a batch: the head's own, or weighted by class."""
        if self.weights is not None:
            inputs = {name: column for name, column in batch.items() if name != "labels"}
            logits = self.module(**inputs, return_dict=True).logits
            labels = batch["labels"].flatten()
            return F.cross_entropy(logits.flatten(0, -2), labels, weight=self.weights, ignore_index=IGNORED)
        return self.module(**batch, return_dict=True).loss

    @contextmanager
    def step_in_less_time(self, batch: dict[str, Tensor]) -> Iterator[None]:
        """For the forward and backward pass of a batch, if the recipe asks for it."""
        if not self.fast:
            yield
            return
        # Several processes average whole gradients: a table of which only some rows are new is for one.
        kept = self.word_gradient.kept() if self.processes.size == 1 else nullcontext()
        # What reads [CLS] alone saves more by its last layer than by its padding, which is little in batches of one length.
        rows = packed_if_padded(self.model, batch if self.task.reads == "labelled positions" else {})
        with training(self.model), kept, rows:
            yield

    def backward(self, step: int, batch: dict[str, Tensor]) -> dict[str, float]:
        of_batch, weight = self.share(step, batch), self.weight(batch)
        parts, mean = self.parts(batch), 0.0
        for part in parts:
            share = of_batch * (self.weight(part) / weight)
            with averaging(self.module, part is parts[-1]), self.step_in_less_time(part):
                with self.processes.autocast(self.precision):
                    loss = self.loss(part)
                # Gradients are averaged over the processes, and the loss is to be their mean by labels. Of one process and part both factors are 1.
                (loss * (share * self.processes.size)).backward()
            mean += float(loss.detach()) * share
        [whole] = self.processes.sum(mean)
        return {"loss": whole}

    def clip(self, parameters: list[nn.Parameter]) -> float:
        with self.word_gradient.without_zeros(parameters) as few:
            return super().clip(few)

    def evaluate(self) -> dict[str, float]:
        """The loss and the scores on the evaluation examples. Raises NotFiniteError where there is no such loss."""
        kept, loss = self.outputs(self.evaluation, 2 * self.recipe.batch_size)
        check_finite("The loss on the evaluation examples", loss)
        return {"loss": loss, **self.task.score(self.evaluation, kept, loss)}


def finetune(
    task: Task,
    model_name: str,
    train_file: PathName | GivenRows,
    evaluation_file: PathName | GivenRows | None = None,
    recipe: FineTuningRecipe | None = None,
    out: PathName = "run",
    processes: Processes | None = None,
    *,
    say: Callable[[str], None] = print,
    save_every: int = 0,
    adamw: str = "plain",
) -> tuple[FineTuning, dict[str, float]]:
    """Train a model for a task, or go on with the run in `out`; return what was trained and the metrics of its best evaluation.
    The best model is then in `out/model`.

    model_name: a folder, a bundled name or a hub id. train_file: or rows, dictionaries or a `Dataset` (`given_rows.py`).
    evaluation_file: the same, or None to hold out a share of the training file (`recipe.eval_share`).
    processes: None for this one alone. say: is called with what became of the examples, and with the results. save_every: steps, 0 for once an epoch. adamw: AdamW's `implementation`; "blocked" gives the same bits sooner. Raises
    ValueError, naming file and location, where a file is broken or does not fit the other.
    """
    processes, out, recipe = processes or Processes.alone(), Path(out), recipe or FineTuningRecipe()
    if not isinstance(task, Task):
        raise ValueError(f"task is {task!r}; it must be one of minibert.tasks, such as Classification().")
    with as_files(train_file, evaluation_file) as files:
        examples = task.read(files[0])
        task = task.adapted_to(examples)
        held_out = hold_out(examples, recipe.eval_share, recipe.seed) if len(files) == 1 else None
        examples, evaluation = held_out or (examples, task.read(files[1]))
        hashes = [hashlib.sha256(file.read_bytes()).hexdigest() for file in files]
    chosen: list[str] = []
    config = BertConfig.from_pretrained(model_name)
    recipe = recipe.completed(config.hidden_size, len(examples.items), chosen.append)
    identity = {"task": {"name": task.name, **task.identity()}, "model": os.fspath(model_name), "files": hashes}
    decodes = task.config_fields()["is_decoder"]
    identity["direction"] = "left to right" if decodes else "both"
    state = saved_state(out, {**asdict(recipe), **identity})  # another run is refused before all work
    if state and config.is_decoder and not decodes and "direction" not in state["recipe"]:
        raise ValueError(f"'{out}' was begun by an older minibert, which trained the decoder as one: choose another.")
    options: dict[str, Any] = {"recipe": recipe, "processes": processes, "say": say, "begun": state is not None}
    trained = open_task(task, model_name, examples, evaluation=evaluation, **options)
    for each in chosen:
        say(each)
    best = train_task(trained, out, identity, save_every=save_every, adamw=adamw)
    if processes.leads and best["step"] is not None:
        say(results_table(read_log(out / "log.jsonl"), int(best["step"])))
        say(f"The best model, of step {best['step']}, is in {out / 'model'}.")
    return trained, best


def open_task(
    task: Task,
    model_name: str,
    examples: Examples,
    evaluation: Examples,
    recipe: FineTuningRecipe,
    processes: Processes,
    say: Callable[[str], None],
    begun: bool = False,
) -> FineTuning:
    """The model, the examples as rows. `recipe.seed` gives a new head and then dropout, the numbers that it gives in the reference too.
    A checkpoint's head is kept where it knows the labels of the training file, and keeps their numbers. begun: the run goes on, with the
    weights of its own checkpoint."""
    tokenizer = BertTokenizer.from_pretrained(model_name)
    config = BertConfig.from_pretrained(model_name)
    task, unfit = task.continuing(config)
    if recipe.select not in (None, *(scores := task.metrics)):
        raise ValueError(f"select is {recipe.select!r}; the task {task.name!r} has the scores {', '.join(scores)}.")
    length = row_length(task, config.max_position_embeddings, recipe.max_length)
    settings = {SETTINGS: {"task": task.name, "max_length": length, **task.settings()}}
    if config.is_decoder and not task.config_fields()["is_decoder"]:
        say("The checkpoint is a decoder's, which reads from left to right; for this task it reads in both directions.")
    torch.manual_seed(recipe.seed)
    level = logger.level
    logger.setLevel(logging.ERROR)  # what is new is said below
    try:
        model: BertPreTrainedModel = task.model_class.from_pretrained(
            model_name,
            draw_as_reference=True,
            ignore_mismatched_sizes=True,  # the head of another task, with another number of labels, starts anew
            task_specific_params=(getattr(config, "task_specific_params", None) or {}) | settings,
            **task.config_fields(),
        )
    finally:
        logger.setLevel(level)
    frozen = freeze(model, recipe.freeze)  # what it does not know is refused before the files are tokenized
    rows = task.encode(examples, tokenizer, length, training=True)
    examples.report.require_some()
    scored = task.encode(evaluation, tokenizer, length)
    say(str(examples.report))
    say(str(evaluation.report))
    say(f"The best model is chosen by {recipe.select or task.selection_metric} on '{evaluation.report.source}'.")
    new = say_what_is_new(model, unfit, (lambda _: None) if begun else say, labels=task.labels)
    if frozen:
        sizes = [sum(parameter.numel() for parameter in each) for each in (set(frozen.values()), model.parameters())]
        say(f"Frozen: {recipe.freeze}, {sizes[0]:,} of {sizes[1]:,} parameters.")
    if not begun and (stuck := sorted(frozen.keys() & set(new))):
        say(f"Newly initialised and frozen, so they stay as they were drawn at random: {', '.join(stuck)}.")
    for remark in remarks(rows, scored, recipe):
        say(remark)
    if processes.size > 1:
        torch.manual_seed(recipe.seed + 1 + processes.rank)  # dropout: its own in each process
    trained = FineTuning(
        model.float(), tokenizer, task, processes=processes, train=rows, evaluation=scored, recipe=recipe
    )
    if trained.weights is not None:
        weights = zip(task.labels.names, trained.weights.tolist(), strict=True)
        say(f"Weights of the classes: {', '.join(f'{name} {weight:.3g}' for name, weight in weights)}.")
    return trained


def say_what_is_new(model: BertPreTrainedModel, unfit: str, say: Callable[[str], None], labels: Labels) -> list[str]:
    """Start a head anew that was read and does not fit, and say what is new and what is kept; return the names of what is new.

    unfit: why it does not fit, "" if it does.
    """
    report = model.loading_report or LoadingReport("", "")
    new = [finding.name for finding in report.new]
    was_read = [name for name in report.read if name.startswith("classifier.")]
    if unfit and was_read:
        model._init_weights(model.get_submodule("classifier"))
        new += was_read
    if unfit and (was_read or any(name.startswith("classifier.") for name, *_ in report.mismatched)):
        say(f"The head of '{report.checkpoint}' is not kept: {unfit}.")
    elif was_read and len(labels) > 1:
        say(f"The head of '{report.checkpoint}' is kept, and the order of its labels: {labels}.")
    if new:
        say(f"Newly initialised, to be trained: {', '.join(new)}.")
    return new


def train_task(
    trained: FineTuning, out: Path, identity: dict[str, Any], save_every: int = 0, adamw: str = "plain"
) -> dict[str, float]:
    """Train, or go on with the run in `out`; return the metrics of the best evaluation."""
    recipe, epoch = trained.recipe, trained.order.batches_per_epoch
    warmup_steps, adamw = round(recipe.warmup * trained.steps), "fused" if recipe.fast else adamw
    usual = epoch * -(-trained.steps // epoch // 20)  # at most 20 times
    often = {"evaluate_every": recipe.evaluate_every or usual, "save_every": save_every or usual}
    options = LoopOptions(trained.steps, log_every=min(10, epoch), **often, keep=1, patience=recipe.patience)
    with alone_in(out, trained.processes.leads):
        return train(trained, options, out, identity=identity, warmup_steps=warmup_steps, implementation=adamw)


__getattr__ = partial(moved_name, __name__)  # the tasks, which this module had in earlier versions
