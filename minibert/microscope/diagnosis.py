"""Name the mistake: which wrong formula gives the student's numbers? No reference class: ours.

The stage at fault is computed anew by the right model with what it took, and with one of its formulas (of `mistakes.py` and the files
beside it) in place of the right one. A mistake is named only where the result is the student's within a few units in the last
place and the right formula's is not; where several give the same numbers, all of them are named.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from math import inf
from typing import Any

import torch
from torch import Tensor, nn

from .attention_mistakes import ATTENTION, Formula, Hypotheses
from .distance import distance
from .divergence import PairedStages, tensors
from .head_mistakes import LAYER_NORM, LINEAR, POOLER, PREDICTIONS, PRETRAINING_HEADS, TRANSFORM, losses
from .mistakes import ADD_NORM, ATTENTION_BLOCK, EMBEDDINGS, ENCODER, INTERMEDIATE, LAYER
from .probes import kind_of
from .recording import Inputs, call, run
from .trace import Stage, named_tensors, parameter_names
from .verdict import Divergence

MISTAKES: dict[str, Hypotheses] = {
    "BertEmbeddings": EMBEDDINGS,
    "BertSelfAttention": ATTENTION,
    "BertSelfOutput": ADD_NORM,
    "BertAttention": ATTENTION_BLOCK,
    "BertIntermediate": INTERMEDIATE,
    "BertOutput": ADD_NORM,
    "BertLayer": LAYER,
    "BertEncoder": ENCODER,
    "BertPooler": POOLER,
    "BertPredictionHeadTransform": TRANSFORM,
    "BertLMPredictionHead": PREDICTIONS,
    "BertPreTrainingHeads": PRETRAINING_HEADS,
    "LayerNorm": LAYER_NORM,
    "Linear": LINEAR,
}
MOST = 3  # where more mistakes than these have one and the same result, none is named
ROUNDING = 5e-7  # four units in the last place of the largest number, in float32: results this near are the same
Outcome = dict[str, Tensor] | Exception


def name_mistake(
    a: nn.Module, inputs: Inputs, stages: PairedStages, fault: Divergence, tolerance: float
) -> tuple[str, ...]:
    """The sentences that complete "It is what you get if …"; none where no formula gives b's numbers, or too many do."""
    key = fault.path, fault.call
    stage, other = stages.stages_a[key], stages.stages_b[key]
    apart = {x: y for x, y, d in stages.links[key][1] if y and d.beyond(tolerance)}
    ours, theirs = tensors(stage.outputs), tensors(other.outputs)
    if not apart:
        return ()
    name = max(apart, key=lambda each: ours[each].numel())
    right, wrong = ours[name], theirs[apart[name]]

    def how_far(outcome: Outcome) -> float:
        given = None if isinstance(outcome, Exception) else outcome.get(name)
        if given is None or not near(wrong, given):
            return inf
        left = distance(wrong, given)
        return left.relative if 8 * left.absolute < distance(wrong, right).absolute else inf

    if name.rpartition(".")[2] == "loss":
        causal = any("LMHead" in each.__name__ for each in type(stage.module).__mro__)
        try:
            values = losses(causal, tensors(stage.inputs), ours)
        except (KeyError, IndexError, RuntimeError, ValueError):
            return ()  # a loss of another kind, such as that of answers in a text
        return few((how_far({name: loss}), sentence) for sentence, loss in values.items() if sentence)
    return few(causes(Rerun(a, inputs, stage), stages, tolerance=tolerance, how_far=how_far))


def name_error(a: nn.Module, inputs: Inputs, stages: PairedStages) -> tuple[str, ...]:
    """The same for the exception that b raised: the formulas that raise it too."""
    stopped, error = stages.b.trace.stopped_in, stages.b.error
    if error is None or stopped is None or stopped.key not in stages.stages_a:
        return ()
    rerun = Rerun(a, inputs, stages.stages_a[stopped.key])
    raises = lambda outcome: 0.0 if repr(outcome) == repr(error) else inf  # noqa: E731
    return few(causes(rerun, stages, tolerance=0.0, how_far=raises))


def few(found: Iterable[tuple[float, str]]) -> tuple[str, ...]:
    """Those that come as near as any, each once; or none where they are too many to tell anything."""
    every = [(apart, sentence) for apart, sentence in found if apart < inf]
    nearest = min((apart for apart, _ in every), default=0.0)
    kept = list(dict.fromkeys(sentence for apart, sentence in every if apart <= max(8 * nearest, ROUNDING)))
    return tuple(kept) if len(kept) <= MOST else ()


def near(x: Tensor, y: Tensor) -> bool:
    """Whether two tensors differ by rounding alone: a hundred units in the last place of the largest number."""
    apart = distance(x, y)
    return apart.absolute == 0 or apart.relative <= 100 * torch.finfo(x.dtype).eps


class Rerun:
    """One stage of the right model, in evaluation mode, to be computed again with some of its formulas exchanged."""

    def __init__(self, model: nn.Module, inputs: Inputs, stage: Stage):
        self.stage = stage
        calls: list[tuple[Any, Any]] = []

        def note(_module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
            calls.append((args, kwargs))

        hook = stage.module.register_forward_pre_hook(note, with_kwargs=True)
        with torch.no_grad():
            call(model, inputs)
        hook.remove()
        self.args, self.kwargs = calls[min(stage.call, len(calls) - 1)]  # one module may have several paths

    @torch.no_grad()
    def __call__(self, formulas: Mapping[nn.Module, Formula]) -> Outcome:
        """What the stage gives, or the exception that it raises."""
        try:
            with exchanged(formulas):
                return named_tensors(run(self.stage.module, self.args, self.kwargs))
        except Exception as error:
            return error


@contextmanager
def exchanged(formulas: Mapping[nn.Module, Formula]) -> Iterator[None]:
    """Within, modules compute by other formulas. What a module gives beside its first tensor stays."""
    for module, formula in formulas.items():
        module.forward = partial(_exchanged, module, module.forward, formula=formula)
    try:
        yield
    finally:
        for module in formulas:
            del module.forward


def _exchanged(module: nn.Module, forward: Any, *args: Any, formula: Formula, **kwargs: Any) -> Any:
    if kwargs or len(args) > 2:
        names = parameter_names(type(module).forward)
        named = dict(zip(names, args, strict=False)) | kwargs
        args, kwargs = (), {name: x for name, x in named.items() if x is not None}
    new, given = formula(module, *args, **kwargs), forward(*args, **kwargs)
    if isinstance(new, Tensor) and isinstance(given, tuple):
        return new, *given[1:]
    if isinstance(new, Tensor) and isinstance(given, dict):
        given[next(iter(given))] = new
        return given
    return new


def causes(
    rerun: Rerun, stages: PairedStages, tolerance: float, how_far: Callable[[Outcome], float]
) -> Iterator[tuple[float, str]]:
    """Try every mistake at every kind of module in the stage, and those of several kinds at all of them."""
    kinds: dict[str, list[nn.Module]] = {}
    rows = [row for (path, call), row in stages.rows.items() if call == 0 and row.outputs and path != rerun.stage.path]
    right_ones = [row.path for row in rows if row.outputs and not row.outputs.beyond(tolerance)]
    for path, module in rerun.stage.module.named_modules():
        whole = f"{rerun.stage.path}.{path}".strip(".")
        if not path or not any(f"{whole}.".startswith(f"{each}.") for each in right_ones):
            kinds.setdefault(kind_of(path) if path else "", []).append(module)
    right = rerun({})
    tries: dict[tuple[str, int], dict[str, dict[nn.Module, Formula]]] = {}  # sentence → kind → formulas
    for kind, modules in kinds.items():
        known = next((cls.__name__ for cls in type(modules[0]).__mro__ if cls.__name__ in MISTAKES), "")
        if not known:
            continue
        (_, formula), *wrong = MISTAKES[known]
        if not alike(right, rerun(dict.fromkeys(modules, formula))):
            continue
        sentences = [sentence.format(kind or kind_of(rerun.stage.path)) for sentence, _ in wrong]
        for i, (sentence, (_, formula)) in enumerate(zip(sentences, wrong, strict=True)):
            places = tries.setdefault((sentence, sentences[:i].count(sentence)), {})
            places[kind] = dict.fromkeys(modules, formula)
    for (sentence, _), places in tries.items():
        if len(places) > 1:
            places["everywhere"] = {module: f for formulas in places.values() for module, f in formulas.items()}
        for kind, formulas in places.items():
            yield how_far(rerun(formulas)), f"{sentence} ({kind})" if kind and len(places) > 1 else sentence


def alike(right: Outcome, other: Outcome) -> bool:
    """Whether a formula is the one that this module has."""
    if isinstance(right, Exception) or isinstance(other, Exception):
        return False
    return all(name in other and near(x, other[name]) for name, x in right.items())
