"""Which stage is at fault: the innermost whose outputs differ although its inputs agree. No reference class: ours.

Inner stages end before those around them, so it is the first to end of all whose outputs diverge and whose inputs do not.
Where all outputs agree, gradients may still diverge. They come from the outputs, so the last stage is asked first.
The gradient of a tied parameter is whole only at the earliest position of its use, and is asked for there.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import takewhile
from typing import TypeGuard

from torch import Tensor

from .distance import Distance, distance, largest, short
from .equations import Source, source
from .pairing import pair_inputs, pair_outputs
from .probes import Recording, Softmax
from .trace import Stage, TensorFacts

Key = tuple[str, int]  # the path and the call of a stage


@dataclass
class StageDistance:
    """How far apart the inputs, outputs and gradients of a stage are that both models have; None: nothing to compare.

    depth: how many such stages are around it. class_name: in a. gradients: of its own parameters.
    """

    path: str
    call: int
    depth: int
    class_name: str
    inputs: Distance | None = None
    outputs: Distance | None = None
    gradients: Distance | None = None

    def diverges(self, tolerance: float) -> bool:
        """Whether its outputs or gradients are further apart than the tolerance."""
        return any(apart.beyond(tolerance) for apart in (self.outputs, self.gradients) if apart is not None)


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
        going = "All outputs agree. Going backward, " if self.backward else ""
        lines = [f"{going}{self.name} is the first stage that diverges, by {self.apart}."]
        if not self.backward and self.inputs is not None:
            fed = ", ".join(f"{name} from {stage}" for name, stage in self.fed_by.items())
            grown = f"differ by {self.inputs}: less, but this may be rounding that grew."
            agree = grown if self.inputs.absolute else "agree to the bit: the cause is in this stage."
            lines.append(f"Its inputs{f' ({fed})' if fed else ''} {agree}")
        if self.inside is not None:
            lines.append(f"The first to diverge inside it: {self.inside}.")
        if self.parameters:
            differences = ", ".join(f"{name} by {short(d.absolute)}" for name, d in self.parameters.items())
            lines.append(f"Its parameters differ: {differences}.")
        if self.settings is not None:
            lines.append(f"Its settings differ: {self.settings[0]} in a, {self.settings[1]} in b.")
        lines.append(f"Its forward: {self.code[0] or 'in no file'} in a, {self.code[1] or 'in no file'} in b.")
        return "\n".join(lines)


class PairedStages:
    """The stages that two runs have in common.

    stages_a, stages_b: what each model ran to its end, by path and call, in the order of the ends. rows: those of both,
    in the order in which a's began. gradients: for each path those of its own parameters, each with its name and whether
    it is that of a tied parameter that has come before.
    """

    def __init__(self, a: Recording, b: Recording):
        self.a, self.b = a, b
        self.stages_a, self.stages_b = ({stage.key: stage for stage in run.trace.finished} for run in (a, b))
        self.rows: dict[Key, StageDistance] = {}
        self.gradients: dict[str, list[tuple[str, Distance, bool]]] = {}
        around: list[bool] = []  # of the stages that are running, whether both models have them
        for stage in a.trace.stages:
            del around[stage.depth :]
            if other := self.stages_b.get(stage.key):
                inputs = pair_inputs(_tensors(stage.inputs), _tensors(other.inputs))
                outputs = pair_outputs(_tensors(stage.outputs), _tensors(other.outputs))
                row = StageDistance(*stage.key, depth=sum(around), class_name=type(stage.module).__name__)
                row.inputs = largest(distance(x, y, is_mask="mask" in name) for name, x, y in inputs)
                row.outputs = largest(distance(x, y) for _, x, y in outputs)
                self.rows[stage.key] = row
            around.append(other is not None)

    def compare_gradients(self, a: Mapping[str, Tensor], b: Mapping[str, Tensor]) -> None:
        """Fill in the gradients, given each model's by parameter name."""
        paths = {path for path, _ in self.rows}
        seen: set[int] = set()
        for name in [name for name in a if name in b]:
            path = name.rpartition(".")[0]
            while path and path not in paths:  # a parameter of a module that is never called by itself
                path = path.rpartition(".")[0]
            found = name.removeprefix(f"{path}."), distance(a[name], b[name]), id(a[name]) in seen
            self.gradients.setdefault(path, []).append(found)
            seen.add(id(a[name]))
        for row in self.rows.values():
            row.gradients = largest(apart for _, apart, _ in self.gradients.get(row.path, ()))

    def first_divergence(self, tolerance: float) -> Divergence | None:
        """The first stage further apart than the tolerance, or None. A tolerance of 0 asks for equal bits."""
        paired = [key for key in self.stages_a if key in self.rows]
        for key in paired:
            row = self.rows[key]
            if _exceeds(row.outputs, tolerance) and not _exceeds(row.inputs, tolerance):
                return self._divergence(key, row.outputs, self._first_inside(key, tolerance))
        for key in reversed(paired):
            for name, apart, repeated in self.gradients.get(key[0], ()):
                if _exceeds(apart, tolerance) and not repeated:
                    return self._divergence(key, apart, f"the gradient of {name}", backward=True)
        return None

    def _divergence(self, key: Key, apart: Distance, inside: str | None, backward: bool = False) -> Divergence:
        a, b = self.stages_a[key], self.stages_b[key]
        # The outermost stage that made an input is the last to end with it.
        made_by = {id(facts): stage.path for stage in self.a.trace.finished for facts in stage.outputs.values()}
        fed_by = {name: made_by[id(facts)] for name, facts in a.inputs.items() if id(facts) in made_by}
        ours, theirs = (dict(stage.module.named_parameters(recurse=False)) for stage in (a, b))
        parameters = {name: distance(ours[name], theirs[name]) for name in ours if name in theirs}
        says_a, says_b = (stage.module.extra_repr().split(", ") for stage in (a, b))  # such as "eps=1e-12"
        only_a, only_b = [s for s in says_a if s not in says_b], [s for s in says_b if s not in says_a]
        return Divergence(
            path=a.path,
            backward=backward,
            inputs=self.rows[key].inputs,
            apart=apart,
            fed_by={} if backward else fed_by,
            inside=inside,
            parameters={name: apart for name, apart in parameters.items() if apart.absolute > 0},
            settings=(", ".join(only_a), ", ".join(only_b)) if only_a and only_b else None,
            code=(source(a.module), source(b.module)),
        )

    def _first_inside(self, key: Key, tolerance: float) -> str | None:
        """What diverges first: scores or probabilities of a softmax, or what the stage hands to one inside it."""
        stages, softmaxes_a = self._inside(self.a, self.stages_a[key])
        _, softmaxes_b = self._inside(self.b, self.stages_b[key])
        steps: list[tuple[float, str, Distance | None]] = []  # with how many stages of a had begun before
        for x, y in zip(softmaxes_a, softmaxes_b, strict=False):
            steps.append((x.begun, "the scores before softmax", distance(x.scores, y.scores, is_mask=True)))
            steps.append((x.begun, "the probabilities after softmax", distance(x.probabilities, y.probabilities)))
        for stage in stages:
            if stage.key in self.rows:
                name = f"what it hands to {stage.path.removeprefix(f'{key[0]}.')}"
                steps.append((self.a.trace.stages.index(stage) + 0.5, name, self.rows[stage.key].inputs))
        steps.sort(key=lambda step: step[0])
        return next((name for _, name, apart in steps if _exceeds(apart, tolerance)), None)

    def _inside(self, run: Recording, stage: Stage) -> tuple[list[Stage], list[Softmax]]:
        """The stages that ran inside one; the softmaxes of its own code and of those inside that the other model lacks."""
        after = run.trace.stages[run.trace.stages.index(stage) + 1 :]
        inner = list(takewhile(lambda each: each.depth > stage.depth, after))
        own = [stage, *(each for each in inner if each.key not in self.rows)]
        return inner, [softmax for softmax in run.softmaxes if softmax.stage in own]


def _exceeds(apart: Distance | None, tolerance: float) -> TypeGuard[Distance]:
    return apart is not None and apart.absolute > tolerance


def _tensors(facts: Mapping[str, TensorFacts]) -> dict[str, Tensor]:
    return {name: fact.tensor for name, fact in facts.items() if fact.tensor is not None}
