"""Which stage is at fault: the innermost whose outputs differ although its inputs agree. No reference class: ours.

Inner stages end before those around them, so it is the first to end of all whose outputs diverge and whose inputs do not.
Where all outputs agree, gradients may still diverge. They come from the outputs, so the last stage is asked first.
The gradient of a tied parameter is whole only at the earliest position of its use, and is asked for there.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import takewhile
from typing import TypeGuard

from .distance import Distance, distance, short
from .equations import Source, source
from .pairing import PairedStages
from .probes import Recording, Softmax
from .trace import Stage


@dataclass(frozen=True)
class Divergence:
    """A stage whose outputs differ although its inputs agree: the difference arises in it.

    backward: whether only gradients differ. inputs: how far apart its inputs are; apart: its outputs, or the gradient.
    fed_by: the stage that made each input. inside: what diverges first inside it. parameters: its own that differ
    already. settings: what differs in how its module describes itself. code: of its forward in a and in b.
    """

    path: str
    backward: bool
    inputs: Distance | None
    apart: Distance
    fed_by: dict[str, str]
    inside: str | None
    parameters: dict[str, Distance]
    settings: tuple[str, str] | None
    code: tuple[Source | None, Source | None]

    @property
    def name(self) -> str:
        return self.path or "the model's own forward"

    def __str__(self) -> str:
        first = f"{self.name} is the first stage that diverges, by {self.apart}."
        lines = [f"All outputs agree. Going backward, {first}" if self.backward else first]
        if not self.backward and self.inputs is not None:
            fed = ", ".join(f"{name} from {stage}" for name, stage in self.fed_by.items())
            its_inputs = f"Its inputs{f' ({fed})' if fed else ''}"
            if self.inputs.absolute:
                lines.append(f"{its_inputs} differ by {self.inputs}: less, but this may be rounding that grew.")
            else:
                lines.append(f"{its_inputs} agree to the bit: the cause is in this stage.")
        if self.inside is not None:
            lines.append(f"The first to diverge inside it: {self.inside}.")
        if self.parameters:
            differences = ", ".join(f"{name} by {short(d.absolute)}" for name, d in self.parameters.items())
            lines.append(f"Its parameters differ: {differences}.")
        if self.settings is not None:
            lines.append(f"Its settings differ: {self.settings[0]} in a, {self.settings[1]} in b.")
        lines.append(f"Its forward: {self.code[0] or 'in no file'} in a, {self.code[1] or 'in no file'} in b.")
        return "\n".join(lines)


def find_divergence(pairs: PairedStages, tolerance: float) -> Divergence | None:
    """The first stage further apart than the tolerance, or None. A tolerance of 0 asks for equal bits."""
    paired = [key for key in pairs.stages_a if key in pairs.rows]
    for key in paired:
        row = pairs.rows[key]
        if _exceeds(row.outputs, tolerance) and not _exceeds(row.inputs, tolerance):
            return _divergence(pairs, key, row.outputs, inside=_first_inside(pairs, key, tolerance))
    for key in reversed(paired):
        for name, apart in pairs.gradients.get(key[0], {}).items():
            if _exceeds(apart, tolerance) and (key[0], name) not in pairs.repeated:
                return _divergence(pairs, key, apart, inside=f"the gradient of {name}", backward=True)
    return None


def _exceeds(apart: Distance | None, tolerance: float) -> TypeGuard[Distance]:
    return apart is not None and apart.absolute > tolerance


def _divergence(
    pairs: PairedStages, key: tuple[str, int], apart: Distance, inside: str | None, backward: bool = False
) -> Divergence:
    a, b = pairs.stages_a[key], pairs.stages_b[key]
    # The outermost stage that made an input is the last to end with it.
    made_by = {id(facts): stage.path for stage in pairs.a.trace.finished for facts in stage.outputs.values()}
    fed_by = {name: made_by[id(facts)] for name, facts in a.inputs.items() if id(facts) in made_by}
    ours, theirs = (dict(stage.module.named_parameters(recurse=False)) for stage in (a, b))
    parameters = {name: distance(ours[name], theirs[name]) for name in ours if name in theirs}
    says_a, says_b = (stage.module.extra_repr().split(", ") for stage in (a, b))  # such as "eps=1e-12"
    only_a, only_b = [s for s in says_a if s not in says_b], [s for s in says_b if s not in says_a]
    return Divergence(
        path=a.path,
        backward=backward,
        inputs=pairs.rows[key].inputs,
        apart=apart,
        fed_by={} if backward else fed_by,
        inside=inside,
        parameters={name: apart for name, apart in parameters.items() if apart.absolute > 0},
        settings=(", ".join(only_a), ", ".join(only_b)) if only_a and only_b else None,
        code=(source(a.module), source(b.module)),
    )


def _first_inside(pairs: PairedStages, key: tuple[str, int], tolerance: float) -> str | None:
    """What diverges first inside a stage: scores or probabilities of a softmax, or what it hands to an inner stage."""
    stages, softmaxes_a = _inside(pairs, pairs.a, pairs.stages_a[key])
    _, softmaxes_b = _inside(pairs, pairs.b, pairs.stages_b[key])
    steps: list[tuple[float, str, Distance | None]] = []  # with how many stages of a had begun before
    for x, y in zip(softmaxes_a, softmaxes_b, strict=False):
        steps.append((x.begun, "the scores before softmax", distance(x.scores, y.scores, is_mask=True)))
        steps.append((x.begun, "the probabilities after softmax", distance(x.probabilities, y.probabilities)))
    for stage in stages:
        if stage.key in pairs.rows:
            name = f"what it hands to {stage.path.removeprefix(f'{key[0]}.')}"
            steps.append((pairs.a.trace.stages.index(stage) + 0.5, name, pairs.rows[stage.key].inputs))
    steps.sort(key=lambda step: step[0])
    return next((name for _, name, apart in steps if _exceeds(apart, tolerance)), None)


def _inside(pairs: PairedStages, run: Recording, stage: Stage) -> tuple[list[Stage], list[Softmax]]:
    """The stages that ran inside one; the softmaxes of its own code and of those inside that the other model lacks."""
    after = run.trace.stages[run.trace.stages.index(stage) + 1 :]
    inner = list(takewhile(lambda each: each.depth > stage.depth, after))
    own = [stage, *(each for each in inner if each.key not in pairs.rows)]
    return inner, [softmax for softmax in run.softmaxes if softmax.stage in own]
