"""Part 12, training: the losses of a few steps, and what the trained classifier says afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.func import functional_call
from torch.nn.utils import clip_grad_norm_

from minibert import BertConfig
from minibert.optim import AdamW, get_linear_schedule_with_warmup

from .cases import DROPPING, SIZES, Case, Kind, draw_inputs, draw_weights, inner_cases
from .dropping import dropout_noted
from .judge import Finding, call, distance, shape_mistake
from .optimizer_part import decayed
from .reference import MODULES, Weights

Batch = tuple[Tensor, ...]  # ids, segments, mask, labels
RATES: Mapping[str, Any] = {"lr": 0.01, "weight_decay": 0.1, "warmup": 2}
CLOSE = 1e-3  # of the loss: Adam's first steps make much of a small gradient's last digits


@dataclass(frozen=True)
class Run:
    """A short run: where it begins, the batches, and the rates."""

    config: BertConfig
    weights: Weights
    batches: Sequence[Batch]
    rates: Mapping[str, Any]
    said: str


def runs() -> list[Run]:
    """The runs that a student's loop is tried on, the simple one first."""
    quiet = {**SIZES, "num_hidden_layers": 1}
    found = []
    for said, sizes in (("a run without dropout", quiet), ("a run with dropout", {**quiet, **DROPPING})):
        config, generator = BertConfig(**sizes), torch.Generator().manual_seed(3)
        weights = draw_weights("classifier", config, generator)
        batches = [draw_inputs("classifier", config, Kind("", "", 4, padding=2), generator) for _ in range(7)]
        found.append(Run(config, weights, batches, RATES, said))
    return found


def check_training(train: Callable[..., Any]) -> Finding:
    """Compare the student's losses, step by step, and the scores of what they trained, with the library's."""
    apart, bits = 0.0, True
    for run in runs():
        found = check_run(train, run)
        if found.wrong:
            return Finding(f"{run.said}: {found.wrong}", found.apart)
        apart, bits = max(apart, found.apart), bits and found.bits
    return Finding("", apart, bits=bits)


def check_run(train: Callable[..., Any], run: Run) -> Finding:
    """One run."""
    losses, predict, drops = train_ours(run)
    given = {name: tensor.clone() for name, tensor in run.weights.items()}
    batches = [tuple(each.clone() for each in batch) for batch in run.batches]
    with dropout_noted() as own_drops:
        answer = call(train, run.config, given, batches, **run.rates)
    if not isinstance(answer, (tuple, list)) or len(answer) != 2 or not callable(answer[1]):
        return Finding("It should give two things: the list of losses, and a function (ids, segments, mask) → scores.")
    mine = [float(loss) for loss in answer[0]]
    if len(mine) != len(losses):
        return Finding(f"It gives {len(mine)} losses for {len(losses)} batches.")
    if any(not torch.equal(tensor, given[name]) for name, tensor in run.weights.items()):
        return Finding("It changes the weights that it was given; train a copy of them.")
    if drops and not own_drops:
        return Finding("Nothing is dropped out in training. Is the model in training mode?")
    far = [abs(x - y) / max(1.0, abs(y)) for x, y in zip(mine, losses, strict=True)]
    for step, each in enumerate(far):
        if not each <= CLOSE:
            return Finding(f"The loss of step {step}, counted from 0, is {mine[step]:.5g} and should be {losses[step]:.5g}. {LOOK[min(step, 3)]}", each)  # fmt: skip
    ids, segments, mask, _ = run.batches[0]
    with dropout_noted() as late, torch.no_grad():
        scores = call(answer[1], ids, segments, mask)
    if wrong := shape_mistake(scores, predict(ids, segments, mask)):
        return Finding(f"The trained model: {wrong}")
    if late:
        return Finding("The trained model still drops out when it predicts.")
    apart = distance(scores, predict(ids, segments, mask))
    if not apart <= 10 * CLOSE:
        return Finding(f"The losses are right, but not what the trained model says: up to {apart:.1g} away. Is the last step missing?")  # fmt: skip
    return Finding("", max(*far, apart), bits=mine == losses)


LOOK = (
    "That is before anything is learned: look at how the weights reach your classifier, and which batch comes first.",
    "The schedule's factor at step 0 is 0: nothing has moved yet, so this loss is that of the given weights.",
    "This loss shows the first step that moves anything. Look at the order: gradients zeroed, loss, backward, clipped to a norm of 1, the rate of this step, optimizer.",
    "Look at the order: gradients zeroed, loss, backward, clipped to a norm of 1, the rate of this step, optimizer.",
)


def train_ours(run: Run, random: bool = False) -> tuple[list[float], Callable[..., Tensor], Any]:
    """The library's run: the losses, what it predicts with, and what it dropped. random: with true dropout."""
    model = MODULES["classifier"](run.config).train()
    model.load_state_dict(dict(run.weights), strict=False)
    groups = [
        {"params": [tensor], "weight_decay": run.rates["weight_decay"] if decayed(name) else 0.0}
        for name, tensor in model.named_parameters()
    ]
    optimizer = AdamW(groups, lr=run.rates["lr"])
    schedule = get_linear_schedule_with_warmup(optimizer, run.rates["warmup"], len(run.batches))
    losses, drops = list[float](), None

    def steps() -> None:
        for batch in run.batches:
            optimizer.zero_grad()
            loss = model(*batch)[1]
            loss.backward()
            clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            losses.append(float(loss.detach()))

    if random:
        steps()
    else:
        with dropout_noted() as drops:
            steps()
    model.eval()

    @torch.no_grad()
    def predict(ids: Tensor, segments: Tensor, mask: Tensor) -> Tensor:
        return model(ids, segments, mask, torch.zeros(len(ids), dtype=torch.long))[0]

    return losses, predict, drops


def inner_cases_of_training() -> Iterator[Case]:
    """What the earlier parts compute in the first step of each run."""
    for run in runs():
        case = Case("classifier", run.config, run.weights, run.batches[0], run.said)
        yield from (*inner_cases(case), case)


def gradients_of_training() -> tuple[Weights, list[dict[str, Tensor]]]:
    """Weights and the gradients of every batch for them, for the student's optimizer."""
    run = runs()[0]
    module = MODULES["classifier"](run.config).train()
    weights = {name: tensor.clone().requires_grad_() for name, tensor in run.weights.items()}
    found = []
    for batch in run.batches:
        loss = functional_call(module, weights, batch)[1]
        found.append(dict(zip(weights, torch.autograd.grad(loss, list(weights.values())), strict=True)))
    return run.weights, found
