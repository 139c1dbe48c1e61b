"""What two models drop out in training, and at which rates, told by what is dropped. No reference class: ours.

Both run in training mode with dropout noted and left out, so that they still compute the same.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from .distance import MASKED, distance
from .divergence import tensors as tensors_of
from .pairing import link_outputs, listed
from .probes import kind_of
from .recording import Drop, Inputs, Recording, record

Part = tuple[nn.Module, nn.Module]  # a model, and the part of it whose stages are looked at


def training_differences(
    a: Part, b: Part, inputs: Inputs, names: Mapping[str, str], *, seen: tuple[Recording, Recording], diverging: bool
) -> dict[str, list[str]]:
    """Each sentence about dropout with the stages that it is true of. Where outputs differ, nothing can be told.

    seen: both in evaluation mode; a's tensors tell what is dropped. diverging: whether a stage inside differs, so that what is dropped may too.
    """
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        run_a, run_b = record(*a, inputs, names={}, training=True), record(*b, inputs, names=names, training=True)
    if run_b.random:
        drawn = dict.fromkeys(stage.path for stage, _ in run_b.random)
        return {f"b draws random numbers with {run_b.random[0][1]}, so its dropout is not compared": list(drawn)}
    links = link_outputs(run_a.outputs, run_b.outputs)
    before = link_outputs(seen[0].outputs, seen[1].outputs)
    if run_a.stopped or run_b.stopped or not links or any(apart.beyond(1e-4) for *_, apart in before):
        return {}
    if any(apart.beyond(1e-4) for *_, apart in links):
        return {"b computes something else than in evaluation mode, even if nothing is dropped": [""]}
    found: dict[str, list[str]] = {}
    missing, left = list[Drop](), list(run_b.drops)
    for x in run_a.drops:
        y = next((each for each in left if _same([x], [each])), None)
        left = [each for each in left if each is not y]
        if y is None:
            missing.append(x)
        elif x.p != y.p:
            found.setdefault(f"the rate of dropout is {x.p} in a and {y.p} in b", []).append(x.stage.path)
    if _same(missing, left) and len({x.p for x in missing + left}) == 1:
        return found  # in one piece there, and in several here
    for x in left:
        here = [each for each in missing if _around(each) == _around(x)]
        missing = [each for each in missing if _around(each) != _around(x)]
        if diverging and any(_alike(each, x) for each in here):
            continue
        what = "dropout stands in another place in b than in a" if here else f"b drops out (p = {x.p}) what a does not"
        what += f" ({name})" if (name := _what(x, seen[0])) else ""
        found.setdefault(what, []).append(_around(x) if here else x.stage.path)
    for x in missing:
        never = "" if run_b.drops else ", which never drops out"
        named = f" ({name})" if (name := _what(x, seen[0])) and not never else ""
        found.setdefault(f"a drops out (p = {x.p}) what b does not{never}{named}", []).append(x.stage.path)
    return found


def _what(drop: Drop, run: Recording) -> str:
    """What is dropped: in a, it is the result of a stage or stands before or after a softmax."""
    dropped, tensors = drop.tensor, dict[str, list[Tensor]]()
    if dropped is None:
        return ""
    for softmax in run.softmaxes:
        if softmax.scores.shape == dropped.shape:  # before or after the mask is added
            scores = softmax.scores.where(softmax.scores > MASKED, dropped)
            tensors.setdefault("the scores, before the softmax", []).append(scores)
        tensors.setdefault("the probabilities, after the softmax", []).append(softmax.probabilities)
    for stage in run.trace.finished:
        tensors.setdefault(f"what {kind_of(stage.path) or 'the model'} gives", []).extend(
            tensors_of(stage.outputs).values()
        )
    for stage in run.trace.finished:
        tensors.setdefault(f"what {kind_of(stage.path) or 'the model'} takes", []).extend(
            tensors_of(stage.inputs).values()
        )
    same = [name for name, every in tensors.items() if any(_same([drop], [drop._replace(tensor=x)]) for x in every)]
    return same[0] if same else ""


def _around(drop: Drop) -> str:
    return drop.stage.path.rpartition(".")[0] if drop.stage.path.endswith("dropout") else drop.stage.path


def _alike(x: Drop, y: Drop) -> bool:
    """Whether as many numbers are dropped at the same rate."""
    shapes = [None if each.tensor is None else each.tensor.shape for each in (x, y)]
    return x.p == y.p and shapes[0] == shapes[1]


def _same(x: list[Drop], y: list[Drop]) -> bool:
    """Whether the same numbers are dropped, in any order."""
    numbers = [[drop.tensor for drop in drops if drop.tensor is not None] for drops in (x, y)]
    if not all(numbers):
        return len(x) == len(y) > 0 and x[0].p == y[0].p  # nobody can look
    first, second = (torch.cat([tensor.flatten() for tensor in tensors]) for tensors in numbers)
    if first.shape != second.shape:
        return False
    return not (distance(first, second).beyond(1e-4) and distance(first.sort()[0], second.sort()[0]).beyond(1e-4))


def evaluation_randomness(a: Recording, b: Recording) -> list[str]:
    """A sentence where b is random although it is in evaluation mode, and a is not."""
    calls = [(drop.stage, "dropout with training=True") for drop in b.drops if not a.drops]
    calls += b.random if not a.random else []
    where = listed(stage.path for stage, _ in calls) or "the model itself"
    says = "b differs from itself on the same input, in evaluation mode too"
    return [f"{says}: it calls {calls[0][1]} in {where}."] if calls else []
