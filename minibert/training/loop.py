"""The training loop, for pre-training and for every task.

    for each step:  gradients of a batch → clip → optimizer → schedule;  now and then: log, evaluate, save

What is trained is a `Trainable`; how a batch is made and what its loss is, only that knows. The loop goes on from the newest
checkpoint if there is one, and reaches the bits it would have reached without the interruption.
"""

import math
import signal
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.distributed.tensor import DTensor

from ..fast.linear_layers import FASTER
from ..model import BertPreTrainedModel
from ..optim import AdamW, SchedulerType, get_scheduler, no_decay_groups
from ..tokenization import BertTokenizer
from .distributed import Processes, full_weights, load_full_weights
from .recipe import check_whole, plain
from .run_files import RunCheckpoints, RunLog, keep_best, saved_state


class Trainable(ABC):
    """A model, its batches, and what becomes of a batch."""

    model: BertPreTrainedModel
    tokenizer: BertTokenizer
    recipe: Any  # a `TrainingRecipe`
    processes: Processes
    module: nn.Module  # the model with its loss, as `Processes.wrap` gave it
    sharded: bool = False  # whether parameters are spread over the processes
    selection_metric: str  # the score of `evaluate` by which the best checkpoint is chosen: see `better`
    state: dict[str, Any]  # what is saved besides the parameters

    def prepare(self, loss: nn.Module | None = None) -> None:
        """Set the model's attention, and wrap it, or the module that computes its loss, for the processes."""
        self.state = {}
        self.model.set_attn_implementation(self.recipe.attention)
        if self.model.config.position_embedding_type != "absolute":
            # The table is there, as in the reference, but nothing reads it.
            self.model.base_model.embeddings.position_embeddings.requires_grad_(False)
        layers: Any = self.model.base_model.encoder.layer
        self.module = self.processes.wrap(loss or self.model, layers if self.sharded else ())
        self.precision = getattr(torch, self.recipe.precision)

    @abstractmethod
    def batches(self, first: int) -> Iterable[Any]:
        """This process's rows of the batches of all steps from number `first` on; steps count from 1."""

    def parts(self, batch: dict[str, Tensor]) -> list[dict[str, Tensor]]:
        """This process's rows of a batch in `accumulate` parts, on its device; fewer, where there are fewer rows."""
        whole, parts = [column.to(self.processes.device) for column in batch.values()], self.recipe.accumulate
        if self.sharded:  # the processes lend each other layers in every part: all must have as many
            parts = min(parts, *self.processes.gather(len(whole[0])))
        columns = [column.tensor_split(parts) if self.sharded else column.chunk(parts) for column in whole]
        return [dict(zip(batch, part, strict=True)) for part in zip(*columns, strict=True)]

    @abstractmethod
    def backward(self, step: int, batch: Any) -> dict[str, float]:
        """Leave the gradients of a step's batch in the parameters; return metrics, `loss` among them."""

    def clip(self, parameters: list[nn.Parameter]) -> float:
        """Shrink the gradients of a step as the recipe says, and return the norm they had."""
        return clip(parameters, self.recipe.clip)

    @abstractmethod
    def evaluate(self) -> dict[str, float]:
        """Metrics on text that is not trained on, `loss` among them."""

    def describe(self, metrics: dict[str, float]) -> str:
        return ", ".join(f"{name.replace('_', ' ')} {value:.3f}" for name, value in metrics.items())

    def notice(self, step: int, metrics: dict[str, float], log: RunLog) -> None:  # noqa: B027
        """Called after every step with its metrics, to log or print what is worth it: here, nothing."""

    def save_model(self, folder: Path, weights: dict[str, Tensor]) -> None:
        """Write the model with these weights, and its tokenizer."""
        self.model.save_pretrained(folder, state_dict=weights)
        self.tokenizer.save_pretrained(folder)


@dataclass(frozen=True)
class LoopOptions:
    """How long and how often. patience: evaluations without a better one after which training stops, 0 for never."""

    steps: int
    log_every: int = 10
    evaluate_every: int = 500
    save_every: int = 500
    keep: int = 2
    patience: int = 0

    def __post_init__(self) -> None:
        check_whole(0, patience=self.patience)
        check_whole(1, **{name: value for name, value in asdict(self).items() if name != "patience"})

    def out_of_patience(self, step: int, best_step: int | None) -> bool:
        """Whether evaluations up to a step have not been better for long enough."""
        return self.patience > 0 and (step - (best_step or 0)) // self.evaluate_every >= self.patience


class NotFiniteError(ValueError):
    """The loss or a gradient became infinite or NaN."""


def train(
    trained: Trainable, options: LoopOptions, out: Path, *, identity: dict[str, Any], warmup_steps: int, **adamw: Any
) -> dict[str, float]:
    """Train, from the newest checkpoint in `out` or from the start; return the metrics of the best evaluation.

    AdamW's learning rate goes up in a line and down in a line; adamw: its arguments that are not in every recipe. identity: what makes
    the run, beside the recipe; a checkpoint of another run is refused. Raises ValueError for that, `NotFiniteError`, and OSError where a checkpoint cannot be written. SIGINT and SIGTERM save a checkpoint and stop; `stopped_by` is then the signal's number.
    """
    processes, recipe = trained.processes, plain({**asdict(trained.recipe), **identity})
    optimizer = AdamW(no_decay_groups(trained.model, recipe["weight_decay"]), lr=recipe["lr"], **adamw)
    schedule = get_scheduler(recipe["schedule"], optimizer, warmup_steps, num_training_steps=options.steps)
    checkpoints = RunCheckpoints(out / "checkpoints", options.keep)
    best: dict[str, Any] = {"step": None, "loss": math.inf}
    first = 0
    if state := saved_state(out, recipe):
        first = state["step"]
        load_full_weights(trained.model, type(trained.model).from_pretrained(checkpoints.path(first)).state_dict())
        optimizers = state["optimizers"]  # of each process, where parameters are spread over them, else one for all
        if trained.sharded and len(optimizers) != processes.size:
            raise ValueError(
                f"The run was spread over {len(optimizers)} processes; start as many, not {processes.size}"
            )
        optimizer.load_state_dict(optimizers[processes.rank if trained.sharded else 0])
        schedule.load_state_dict(state["schedule"])
        if processes.rank < len(state["random_states"]):
            on_cpu, *on_gpu = state["random_states"][processes.rank]
            torch.set_rng_state(on_cpu)
            if on_gpu and processes.device.type == "cuda":
                torch.cuda.set_rng_state(on_gpu[0], processes.device)
        trained.state, best = state["task"], state["best"]
        FASTER.update(state.get("faster", {}))  # measured again, another way might win by a hair, and round otherwise
    if processes.leads:
        out.mkdir(parents=True, exist_ok=True)
        checkpoints.remove_unfinished()
    log = RunLog(out / "log.jsonl", options.steps, first, quiet=not processes.leads)
    if first:
        log.say(f"Going on from step {first}.")
    if warmup_steps >= options.steps and recipe["schedule"] != SchedulerType.CONSTANT:
        highest = f"{recipe['lr'] * (options.steps - 1) / warmup_steps:.3g}, not {recipe['lr']:.3g}"
        log.say(
            f"The warm-up of {warmup_steps} steps outlasts the run of {options.steps}: the highest learning rate is {highest}."
        )

    parameters = [parameter for parameter in trained.module.parameters() if parameter.requires_grad]
    ended = first > 0 and options.out_of_patience(first, best["step"])
    steps = range(first + 1, first if ended else options.steps + 1)
    started = time.perf_counter()
    with stop_signals() as stopping:
        for step, batch in zip(steps, trained.batches(first + 1), strict=False):
            trained.module.train()
            metrics = trained.backward(step, batch)
            norm = trained.clip(parameters)
            check_finite(f"The loss of step {step}", metrics["loss"], checkpoints)
            check_finite(f"The gradient of step {step}", norm, checkpoints)
            optimizer.step()
            rate = schedule.get_last_lr()[0]
            schedule.step()
            optimizer.zero_grad()
            trained.notice(step, metrics, log)
            last = step == options.steps
            if step % options.log_every == 0 or last:
                seconds = round(time.perf_counter() - started, 1)
                log.write(step, **metrics, rate=rate, norm=norm, seconds=seconds)
                log.show(step, trained.describe(metrics))
            if step % options.evaluate_every == 0 or last:
                metrics = processes.gather(trained.evaluate())[0]  # every process decides by the same numbers
                log.write(step, **{f"evaluation_{name}": value for name, value in metrics.items()})
                log.say(f"step {step}: {trained.describe(metrics)}")
                if better(metrics, best, trained.selection_metric):
                    best = {"step": step, **metrics}
                elif not last and options.out_of_patience(step, best["step"]):
                    log.say(f"Stopped at step {step}: no better for {options.patience} evaluations.")
                    last = True
            asked_to_stop = bool(processes.sum(len(stopping))[0])
            if step % options.save_every == 0 or best["step"] == step or last or asked_to_stop:
                weights, own = full_weights(trained.model), optimizer.state_dict()
                state = {"step": step, "recipe": recipe, "best": best, "task": trained.state, "faster": FASTER}
                state["schedule"] = schedule.state_dict()
                state["optimizers"] = processes.gather(own) if trained.sharded else [own]
                state["random_states"] = processes.gather(random_state(processes.device))
                if processes.leads:
                    save_model = partial(trained.save_model, weights=weights)
                    checkpoints.save(step, state, save_model, best=best["step"])
                processes.wait()
            if asked_to_stop and not last:
                log.say(f"Stopped at step {step}. The same command goes on from here.")
                best = {**best, "stopped_by": (stopping or [int(signal.SIGTERM)])[0]}
            if asked_to_stop or last:
                break
    log.close()
    if processes.leads and best["step"] is not None:
        keep_best(out, best["step"])
    return best


def better(metrics: dict[str, float], best: dict[str, Any], selection_metric: str) -> bool:
    """Whether an evaluation is better than the best so far: of loss and perplexity the lowest is, of all else the highest.

    Of two that are equal in the selection metric, the lower loss is.
    """
    sign = -1 if selection_metric in ("loss", "perplexity") else 1
    old = sign * best[selection_metric] if selection_metric in best else -math.inf
    return (sign * metrics[selection_metric], -metrics["loss"]) > (old, -best["loss"])


def random_state(device: torch.device) -> list[Tensor]:
    """The states of the generators that dropout draws from: the CPU's, and the GPU's if we compute there."""
    return [torch.get_rng_state(), *([torch.cuda.get_rng_state(device)] if device.type == "cuda" else [])]


def clip(parameters: list[nn.Parameter], largest: float) -> float:
    """Shrink the gradient to a norm of at most `largest`, 0 for any; return the norm it had. Source: Pascanu et al. 2013.

    The bits of `torch.nn.utils.clip_grad_norm_`, which multiplies a gradient that is small enough by 1.
    """
    norm = nn.utils.get_total_norm([parameter.grad for parameter in parameters if parameter.grad is not None])
    size = float(norm.full_tensor() if isinstance(norm, DTensor) else norm)
    if largest > 0 and not size < 0.999 * largest:  # close to the limit, PyTorch's own rounding decides
        nn.utils.clip_grads_with_norm_(parameters, largest, norm)
    return size


def check_finite(what: str, value: float, checkpoints: RunCheckpoints | None = None) -> None:
    """Raises NotFiniteError: of a step, before a bad gradient reaches the parameters."""
    if not math.isfinite(value):
        good = checkpoints.newest() if checkpoints else None
        kept = f" The checkpoint of step {good} is intact." if good else ""
        raise NotFiniteError(f"{what} is {value}. Try a lower learning rate, a longer warm-up, or float32.{kept}")


@contextmanager
def stop_signals() -> Iterator[list[int]]:
    """The numbers of SIGINT or SIGTERM that arrived, so that a run ends between two steps. A second one ends it at once."""
    asked: list[int] = []
    here = threading.current_thread() is threading.main_thread()  # the only one that may handle signals
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM) if here}

    def ask(number: int, _frame: Any) -> None:
        asked.append(number)
        signal.signal(number, before[signal.Signals(number)])

    try:
        for number in before:
            signal.signal(number, ask)
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
