"""The training loop, for pre-training and for every task.

    for each step:  gradients of a batch → clip → optimizer → schedule;  now and then: log, evaluate, save

What is trained is a `Trainable`; how a batch is made and what its loss is, only that knows. The loop goes on from the newest
checkpoint if there is one, and reaches the bits it would have reached without the interruption.
"""

from __future__ import annotations

import math
import signal
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.distributed.tensor import DTensor
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from ..model import BertPreTrainedModel
from ..tokenization import BertTokenizer
from .distributed import Processes, full_weights, load_full_weights
from .run_files import RunCheckpoints, RunLog


class Trainable(ABC):
    """What is trained: a model, its batches, and what becomes of a batch. module: the model with its loss, as `wrap` gave it."""

    model: BertPreTrainedModel
    tokenizer: BertTokenizer
    module: nn.Module
    sharded: bool = False  # whether parameters are spread over the processes
    selection_metric: (
        str  # the metric of `evaluate` that selects the best checkpoint: the highest, but of "loss" the lowest
    )

    @abstractmethod
    def batches(self, first: int) -> Iterable[Any]:
        """This process's rows of the batches of all steps from number `first` on; steps count from 1."""

    @abstractmethod
    def backward(self, step: int, batch: Any) -> dict[str, float]:
        """Leave the gradients of a step's batch in the parameters; return metrics, `loss` among them."""

    @abstractmethod
    def evaluate(self) -> dict[str, float]:
        """Metrics on text that is not trained on, `loss` among them."""

    def describe(self, metrics: dict[str, float]) -> str:
        """Metrics of `backward` or `evaluate` in a few words."""
        return ", ".join(f"{name.replace('_', ' ')} {value:.3f}" for name, value in metrics.items())

    def notice(self, step: int, metrics: dict[str, float], log: RunLog) -> None:  # noqa: B027
        """Called after every step with its metrics, to log or print what is worth it: here, nothing."""

    def state(self) -> dict[str, Any]:
        """What must be saved besides the parameters: here, nothing."""
        return {}

    def save_model(self, folder: Path, weights: dict[str, Tensor]) -> None:
        """Write the model with these weights, and its tokenizer."""
        self.model.save_pretrained(folder, state_dict=weights)
        self.tokenizer.save_pretrained(folder)

    def load(self, folder: Path, state: dict[str, Any]) -> None:  # noqa: ARG002
        """Load the parameters and the state that were saved."""
        load_full_weights(self.model, type(self.model).from_pretrained(folder).state_dict())


@dataclass(frozen=True)
class LoopOptions:
    """How long and how often.

    steps: of the optimizer, in all. clip: the largest norm of the gradient, 0 for none. patience: evaluations without a better one
    after which training stops, 0 for never.
    """

    steps: int
    clip: float = 1.0
    log_every: int = 10
    evaluate_every: int = 500
    save_every: int = 500
    keep: int = 2
    patience: int = 0

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            least = 0 if name in ("clip", "patience") else 1
            if not value >= least:
                raise ValueError(f"{name} is {value}; it must be at least {least}.")

    def out_of_patience(self, step: int, best_step: int | None) -> bool:
        """Whether evaluations up to a step have not been better for long enough."""
        return self.patience > 0 and (step - (best_step or 0)) // self.evaluate_every >= self.patience


class NotFiniteError(ValueError):
    """The loss or a gradient became infinite or NaN."""


def train(
    trained: Trainable,
    optimizer: Optimizer,
    schedule: LRScheduler,
    options: LoopOptions,
    out: Path,
    recipe: dict[str, Any],
    processes: Processes,
) -> dict[str, float]:
    """Train, from the newest checkpoint in `out` or from the start; return the metrics of the best evaluation.

    recipe: what makes the run what it is; a checkpoint of another recipe is refused. Raises ValueError for that,
    `NotFiniteError`, and OSError where a checkpoint cannot be written. SIGINT and SIGTERM save a checkpoint and stop.
    """
    checkpoints = RunCheckpoints(out / "checkpoints", options.keep)
    best: dict[str, Any] = {"step": None, "loss": math.inf}
    first = checkpoints.newest() or 0
    if first:
        state = checkpoints.load(first)
        check_same_recipe(recipe, state["recipe"], out)
        trained.load(checkpoints.path(first), state["task"])
        load_optimizer(optimizer, state["optimizers"], trained.sharded, processes=processes)
        schedule.load_state_dict(state["schedule"])
        if processes.rank < len(state["random_states"]):
            set_random_state(processes.device, state["random_states"][processes.rank])
        best = state["best"]
    if processes.leads:
        out.mkdir(parents=True, exist_ok=True)
        checkpoints.remove_unfinished()
    log = RunLog(out / "log.jsonl", options.steps, first, quiet=not processes.leads)
    if first:
        log.say(f"Going on from step {first}.")

    def save(step: int) -> None:
        random_states = processes.gather(random_state(processes.device))
        weights = full_weights(trained.model)
        optimizers = processes.gather(optimizer.state_dict()) if trained.sharded else [optimizer.state_dict()]
        if processes.leads:
            state = {
                "step": step,
                "recipe": recipe,
                "optimizers": optimizers,  # of each process, if they hold shards; else one for all
                "schedule": schedule.state_dict(),
                "random_states": random_states,
                "best": best,
                "task": trained.state(),
            }
            checkpoints.save(step, state, lambda folder: trained.save_model(folder, weights), best=best["step"])
        processes.wait()

    parameters = [parameter for parameter in trained.module.parameters() if parameter.requires_grad]
    steps = range(first + 1, options.steps + 1)
    if first and options.out_of_patience(first, best["step"]):
        steps = range(0)
    started = time.perf_counter()
    with stop_signals() as stopping:
        for step, batch in zip(steps, trained.batches(first + 1), strict=False):
            trained.module.train()
            metrics = trained.backward(step, batch)
            norm = clip(parameters, options.clip)
            check_finite(step, metrics["loss"], norm, last_good=checkpoints.newest())
            optimizer.step()
            rate = schedule.get_last_lr()[0]
            schedule.step()
            optimizer.zero_grad()
            trained.notice(step, metrics, log)
            if step % options.log_every == 0 or step == options.steps:
                seconds = round(time.perf_counter() - started, 1)
                log.write(step, **metrics, rate=rate, norm=norm, seconds=seconds)
                log.show(step, trained.describe(metrics))
            last = step == options.steps
            if step % options.evaluate_every == 0 or last:
                metrics = trained.evaluate()
                log.write(step, **{f"evaluation_{name}": value for name, value in metrics.items()})
                log.say(f"step {step}: {trained.describe(metrics)}")
                if better(metrics, best, trained.selection_metric):
                    best = {"step": step, **metrics}
                elif not last and options.out_of_patience(step, best["step"]):
                    log.say(f"Stopped at step {step}: no better for {options.patience} evaluations.")
                    last = True
            asked_to_stop = bool(processes.sum(float(stopping.is_set()))[0])
            if step % options.save_every == 0 or best["step"] == step or last or asked_to_stop:
                save(step)
            if asked_to_stop and not last:
                log.say(f"Stopped at step {step}. The same command goes on from here.")
            if asked_to_stop or last:
                break
    log.close()
    return best


def check_same_recipe(recipe: dict[str, Any], saved: dict[str, Any], out: Path) -> None:
    """Raises ValueError if a run was made with another recipe. What its version of minibert did not save is not compared."""
    changed = [name for name in recipe if recipe[name] != saved.get(name, recipe[name])]
    if changed:
        was = ", ".join(f"{name}={saved[name]!r}" for name in changed)
        now = ", ".join(f"{name}={recipe[name]!r}" for name in changed)
        raise ValueError(
            f"'{out}' holds another run: it has {was}, this one {now}. Give the same options to go on "
            "with it, or another folder to start afresh."
        )


def load_optimizer(optimizer: Optimizer, saved: list[Any], sharded: bool, *, processes: Processes) -> None:
    """Load the state that was saved for all processes, or for each its own. Raises ValueError for another number of these."""
    if sharded and len(saved) != processes.size:
        raise ValueError(
            f"The run was spread over {len(saved)} processes, and now there are {processes.size}. Start as many."
        )
    optimizer.load_state_dict(saved[processes.rank if sharded else 0])


def better(metrics: dict[str, float], best: dict[str, Any], selection_metric: str) -> bool:
    """Whether an evaluation is better than the best so far; of two equal in the selection metric, the lower loss is."""
    if selection_metric == "loss" or metrics[selection_metric] == best.get(selection_metric):
        return bool(metrics["loss"] < best["loss"])
    return bool(metrics[selection_metric] > best.get(selection_metric, -math.inf))


def random_state(device: torch.device) -> list[torch.Tensor]:
    """The states of the generators that dropout draws from: the CPU's, and the GPU's if we compute there."""
    states = [torch.get_rng_state()]
    return [*states, torch.cuda.get_rng_state(device)] if device.type == "cuda" else states


def set_random_state(device: torch.device, states: list[torch.Tensor]) -> None:
    """Put the generators into these states."""
    torch.set_rng_state(states[0])
    if device.type == "cuda" and len(states) > 1:
        torch.cuda.set_rng_state(states[1], device)


def clip(parameters: list[nn.Parameter], largest: float) -> float:
    """Shrink the gradient to a norm of at most `largest`, 0 for any; return the norm it had. Source: Pascanu et al. 2013.

    The bits of `torch.nn.utils.clip_grad_norm_`, which multiplies a gradient that is small enough by 1.
    """
    norm = nn.utils.get_total_norm([parameter.grad for parameter in parameters if parameter.grad is not None])
    size = float(norm.full_tensor() if isinstance(norm, DTensor) else norm)
    if largest > 0 and not size < 0.999 * largest:  # close to the limit, PyTorch's own rounding decides
        nn.utils.clip_grads_with_norm_(parameters, largest, norm)
    return size


def check_finite(step: int, loss: float, norm: float, *, last_good: int | None) -> None:
    """Raises NotFiniteError before a bad gradient reaches the parameters."""
    if math.isfinite(loss) and math.isfinite(norm):
        return
    what = f"The loss of step {step} is {loss}" if not math.isfinite(loss) else f"The gradient of step {step} is {norm}"
    kept = f" The checkpoint of step {last_good} is intact." if last_good else ""
    raise NotFiniteError(f"{what}. Try a lower learning rate, a longer warm-up, or float32.{kept}")


@contextmanager
def stop_signals() -> Iterator[threading.Event]:
    """An event that SIGINT or SIGTERM sets, so that a run ends between two steps. A second one ends it at once."""
    asked = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield asked
        return
    before: dict[int, Any] = {}

    def ask(number: int, _frame: Any) -> None:
        asked.set()
        signal.signal(number, before[number])

    for number in (int(signal.SIGINT), int(signal.SIGTERM)):
        before[number] = signal.signal(number, ask)
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
