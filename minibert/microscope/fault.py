"""Which stage is at fault: the innermost that gives something else although it is given the same.

Inner stages end before those around them, so it is the first to end of all whose outputs part and whose inputs do not.
Where all outputs agree, gradients may still part. They come from the outputs, so the last stage is asked first.
The gradient of a tied parameter is whole only once it has come to the earliest place of its use, and is asked for there.
"""

from __future__ import annotations

from .comparison import Finding
from .difference import Difference, difference
from .equations import source
from .lockstep import Run, Softmax
from .matched import Key, MatchedRuns
from .parameters import different_parameters
from .trace import Stage


def find_fault(runs: MatchedRuns, tolerance: float) -> Finding | None:
    """The first stage further apart than the tolerance, or None. A tolerance of 0 asks for equal bits."""
    for key in runs.keys:
        if _parts(runs.outputs[key], tolerance) and not _parts(runs.inputs[key], tolerance):
            return _finding(runs, key, runs.outputs[key], _inside(runs, key, tolerance))
    for key in reversed(runs.keys):
        for name, apart in runs.gradients.get(key[0], {}).items():
            if _parts(apart, tolerance) and (key[0], name) not in runs.repeated:
                return _finding(runs, key, apart, f"the gradient of {name}", backward=True)
    return None


def _parts(found: Difference | None, tolerance: float) -> bool:
    return found is not None and found.absolute > tolerance


def _finding(
    runs: MatchedRuns, key: Key, apart: Difference | None, inside: str | None, backward: bool = False
) -> Finding:
    x, y = runs.stages_a[key], runs.stages_b[key]
    return Finding(
        path=key[0],
        backward=backward,
        inputs=runs.inputs[key],
        apart=apart or Difference(),
        fed_by={} if backward else _fed_by(runs, x),
        inside=inside,
        parameters=different_parameters(x.module, y.module),
        settings=_different_settings(x, y),
        code=(source(x.module), source(y.module)),
    )


def _different_settings(x: Stage, y: Stage) -> tuple[str, str] | None:
    """What each module says of itself that the other does not, such as "eps=1e-12" and "eps=1e-05"."""
    ours, theirs = x.module.extra_repr().split(", "), y.module.extra_repr().split(", ")
    only_ours, only_theirs = [s for s in ours if s not in theirs], [s for s in theirs if s not in ours]
    return (", ".join(only_ours), ", ".join(only_theirs)) if only_ours and only_theirs else None


def _fed_by(runs: MatchedRuns, stage: Stage) -> dict[str, str]:
    """Which stage of a made each input: the outermost of those whose output it is."""
    made = {id(facts): other.path for other in runs.a.trace.finished for facts in other.outputs.values()}
    return {name: made[id(facts)] for name, facts in stage.inputs.items() if id(facts) in made}


def _inside(runs: MatchedRuns, key: Key, tolerance: float) -> str | None:
    """What parts first inside a stage: scores or probabilities of a softmax, or what it hands to an inner stage."""
    x, y = runs.stages_a[key], runs.stages_b[key]
    steps: list[tuple[float, str, Difference | None]] = []  # with how many stages of a had begun before
    for ours, theirs in zip(_own_softmaxes(runs, runs.a, x), _own_softmaxes(runs, runs.b, y), strict=False):
        scores = difference(ours.scores, theirs.scores, is_mask=True)
        steps.append((ours.begun, "the scores before softmax", scores))
        steps.append(
            (ours.begun, "the probabilities after softmax", difference(ours.probabilities, theirs.probabilities))
        )
    for inner in _stages_inside(runs.a, x):
        common = runs.prefixes.inside_a(inner.path)
        if common is not None:
            name = f"what it hands to {inner.path.removeprefix(f'{x.path}.')}"
            place = runs.a.trace.stages.index(inner) + 0.5
            steps.append((place, name, runs.inputs.get((common, inner.call))))
    steps.sort(key=lambda step: step[0])
    return next((name for _, name, apart in steps if _parts(apart, tolerance)), None)


def _own_softmaxes(runs: MatchedRuns, run: Run, stage: Stage) -> list[Softmax]:
    """Those in a stage's code, and in that of stages inside it which the other model does not have."""
    inside, matched = runs.prefixes.inside_a, runs.stages_b
    if run is runs.b:
        inside, matched = runs.prefixes.inside_b, runs.stages_a
    places = [stage, *(s for s in _stages_inside(run, stage) if (inside(s.path), s.call) not in matched)]
    return [softmax for softmax in run.softmaxes if softmax.stage in places]


def _stages_inside(run: Run, stage: Stage) -> list[Stage]:
    """The stages that ran inside this one, in the order of their calls."""
    after = run.trace.stages[run.trace.stages.index(stage) + 1 :]
    end = next((i for i, other in enumerate(after) if other.depth <= stage.depth), len(after))
    return after[:end]
