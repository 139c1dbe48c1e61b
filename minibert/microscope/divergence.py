"""Which stage is at fault: the innermost whose outputs differ although its inputs agree. No reference class: ours.

Inner stages end before those around them, so it is the first to end of all whose outputs diverge and whose inputs do not.
A stage whose outputs differ inside one whose outputs agree is not at fault: that one is written in another way.
Where all outputs agree, gradients may still diverge. They come from the outputs, so the last stage is asked first: at fault is
the innermost that takes the same gradient from what follows and hands on another, to its inputs or to its parameters.
The gradient of a tied parameter is whole only at the earliest position of its use, and is asked for there.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import Any, TypeGuard

from torch import Tensor

from .distance import MASKED, Distance, distance, infinite, largest
from .equations import source
from .pairing import Links, link_inputs, link_outputs
from .parameters import Pair
from .recording import Gradients, Key, Recording, Softmax
from .trace import Stage, TensorFacts, parameter_names
from .verdict import Divergence

CUT_OFF = "what it returns is cut off from the graph"


@dataclass
class StageDistance:
    """How far apart the inputs, outputs and gradients of a stage are that both models have; None: nothing to compare.

    depth: how many such stages are around it. class_name: in a. gradients: of its own parameters. excused: its outputs
    differ inside a stage whose outputs agree.
    """

    path: str
    call: int
    depth: int
    class_name: str
    inputs: Distance | None = None
    outputs: Distance | None = None
    gradients: Distance | None = None
    excused: bool = False

    def diverges(self, tolerance: float) -> bool:
        """Whether its outputs or gradients are further apart than the tolerance."""
        outputs = None if self.excused else self.outputs
        return _exceeds(outputs, tolerance) or _exceeds(self.gradients, tolerance)


class PairedStages:
    """The stages that two runs have in common.

    stages_a, stages_b: what each model ran to its end, by path and call, in the order of the ends. rows: those of both,
    in the order in which a's began. links: of each row's inputs and outputs. gradients: for each path those of its own
    parameters, each with its name and whether it is that of a tied parameter that has come before.
    """

    def __init__(self, a: Recording, b: Recording, tolerance: float):
        self.a, self.b = a, b
        self.stages_a, self.stages_b = ({stage.key: stage for stage in run.trace.finished} for run in (a, b))
        self.rows: dict[Key, StageDistance] = {}
        self.links: dict[Key, tuple[Links, Links]] = {}
        self.gradients: dict[str, list[tuple[str, Distance, bool]]] = {}
        self.flows: tuple[Gradients, Gradients] | None = None
        self.names: dict[str, str] = {}
        around: list[StageDistance | None] = []  # the rows of the stages that are running; None for those that b lacks
        for stage in a.trace.stages:
            del around[stage.depth :]
            row = None
            if other := self.stages_b.get(stage.key):
                row = self._row(stage, other, depth=sum(outer is not None for outer in around))
                outer = [
                    each.outputs for each in around if each and each.outputs and not each.outputs.beyond(tolerance)
                ]
                if row.outputs and row.outputs.beyond(tolerance):
                    row.excused = any(row.outputs.absolute > 100 * apart.absolute for apart in outer)
                self.rows[stage.key] = row
            around.append(row)

    def _row(self, stage: Stage, other: Stage, depth: int) -> StageDistance:
        """How far apart one stage is in the two runs. Masks that hide the same from every softmax inside agree."""
        names_a, names_b = (parameter_names(type(each.module).forward) for each in (stage, other))
        same = set(names_a) == set(names_b)
        inputs = link_inputs(tensors(stage.inputs), tensors(other.inputs), same_names=same, hidden=self.b.hidden)
        if any("mask" in name and apart.absolute for name, _, apart in inputs) and self._hide_the_same(stage, other):
            inputs = [(name, m, Distance() if "mask" in name else apart) for name, m, apart in inputs]
        outputs = link_outputs(tensors(stage.outputs), tensors(other.outputs))
        self.links[stage.key] = inputs, outputs
        row = StageDistance(*stage.key, depth=depth, class_name=type(stage.module).__name__)
        row.inputs, row.outputs = (largest(apart for *_, apart in links) for links in (inputs, outputs))
        return row

    def _hide_the_same(self, stage: Stage, other: Stage) -> bool:
        hidden_a, hidden_b = (
            [x.scores < MASKED for x in run.softmaxes if x.stage in (each, *_after(run, each))]
            for run, each in ((self.a, stage), (self.b, other))
        )
        pairs = list(zip(hidden_a, hidden_b, strict=False))
        return len(hidden_a) == len(hidden_b) > 0 and all(distance(x, y, is_mask=True).absolute == 0 for x, y in pairs)

    def compare_gradients(self, a: Gradients, b: Gradients, pairs: list[Pair]) -> None:
        """Fill in the gradients of parameters; what flows through the stages is kept."""
        self.flows = a, b
        self.names = {pair.a: pair.b for pair in pairs}
        paths = {path for path, _ in self.rows}
        seen: set[tuple[int, int]] = set()
        for pair in [pair for pair in pairs if pair.a in a.parameters and pair.b in b.parameters]:
            path = pair.a.rpartition(".")[0]
            while path and path not in paths:  # a parameter of a module that is never called by itself
                path = path.rpartition(".")[0]
            part = id(a.parameters[pair.a]), pair.rows_a.start or 0
            apart = distance(*pair.of(a.parameters, b.parameters))
            self.gradients.setdefault(path, []).append((pair.a.removeprefix(f"{path}."), apart, part in seen))
            seen.add(part)
        for row in self.rows.values():
            row.gradients = largest(apart for _, apart, _ in self.gradients.get(row.path, ()))

    def written_by_b(self) -> list[tuple[str, str]]:
        """The innermost stages that change an input in place in b and not in a, each with a sentence."""
        in_a, found = {stage.key for stage, _ in self.a.written}, dict[Stage, str]()
        for stage, name in self.b.written:
            if stage.key in self.rows and stage.key not in in_a and found.keys().isdisjoint(_after(self.b, stage)):
                found[stage] = f"{stage.path or 'The model itself'} writes to its input {name} in place in b."
        return [(stage.path, note) for stage, note in found.items()]

    def told(self, path: str, sentence: str, names: Mapping[str, str]) -> Divergence | None:
        """A stage at fault, or the one around it that both models have, whose numbers do not show it. names: b's, in a."""
        while path and (path, 0) not in self.rows:
            path = path.rpartition(".")[0]
            path = names.get(path, path)
        return replace(self._divergence((path, 0), Distance()), told=sentence) if (path, 0) in self.rows else None

    def first_divergence(self, tolerance: float) -> Divergence | None:
        """The first stage further apart than the tolerance, or None. A tolerance of 0 asks for equal bits."""
        paired = [key for key in self.stages_a if key in self.rows]
        for key in paired:
            row = self.rows[key]
            if _exceeds(row.outputs, tolerance) and not row.excused and not _exceeds(row.inputs, tolerance):
                inside, argument = self._first_inside(key, tolerance)
                output = next((name for name, _, apart in self.links[key][1] if apart.beyond(tolerance)), "")
                return self._divergence(key, row.outputs, inside, argument=argument, output=output)
        for stage in reversed(self.a.trace.stages):
            if found := self._cut_in(stage, tolerance):
                around = [
                    each for each in self.a.trace.stages if each.key in self.rows and stage in _after(self.a, each)
                ]
                if found[0] == CUT_OFF and around and type(stage.module).__module__.startswith("torch."):
                    inner = stage.path.removeprefix(
                        f"{around[-1].path}."
                    )  # PyTorch's cut nothing: it is the code around
                    found = f"what {inner} returns is cut off from the graph", *found[1:]
                    stage = around[-1]
                return self._divergence(stage.key, found[1], found[0], backward=True, argument=found[2])
        return None

    def _cut_in(self, stage: Stage, tolerance: float) -> tuple[str, Distance, str] | None:
        """The gradient that a stage hands on differently, to a parameter or an input, although it is given the same; and how."""
        if (comes := self._coming_back(stage, tolerance)) is None:
            return None
        a, b = (flows.taken.get(stage.key, {}) for flows in self.flows or ())
        links = [(name, other) for name, other, _ in self.links[stage.key][0] if name in a]
        uncut = all(other in b for _, other in links)  # or else it is given what is cut off from the graph already
        if not comes:
            around = [each for each in self.a.trace.stages if stage in _after(self.a, each)]
            if uncut and all(self._coming_back(each, tolerance) is not False for each in around):
                return CUT_OFF, infinite("no gradient in b"), ""
            return None
        for name, apart, repeated in self.gradients.get(stage.path, ()):
            if _exceeds(apart, tolerance) and not repeated:
                parameter = self.names[f"{stage.path}.{name}".strip(".")]
                unused = self.flows and not self.flows[1].parameters[parameter].any()
                return (
                    f"the gradient of {name}",
                    apart,
                    "0 in b: unused, or cut off by detach() or .data" * bool(unused),
                )
        for name, other in links if uncut else ():
            if _exceeds(apart := distance(a[name], b[other]), tolerance):
                after = [each for each in reversed(_after(self.a, stage)) if each.key in self.rows]
                inner = [each for each in after if self._coming_back(each, tolerance) is None]
                to = inner[0].path.removeprefix(f"{stage.path}.") if inner else name
                back = [*self.flows[1].given.get(inner[0].key, {}).values()][:1] if inner and self.flows else [b[other]]
                cut = ", which is 0 in b, as after detach() or .data" if back and not back[0].any() else ""
                return f"the gradient that goes back to {to}{cut}", apart, ""
        return None

    def _coming_back(self, stage: Stage, tolerance: float) -> bool | None:
        """None where the gradients of a stage's first output differ, or it is not in both; else whether b's has any."""
        if self.flows is None or stage.key not in self.rows:
            return None
        a, b = (flows.given.get(stage.key, {}) for flows in self.flows)
        links = [(name, other) for name, other, _ in self.links[stage.key][1][:1] if name in a]
        if any(other in b and _exceeds(distance(a[name], b[other]), tolerance) for name, other in links):
            return None
        return all(other in b for _, other in links)

    def _divergence(
        self, key: Key, apart: Distance, inside: str | None = None, backward: bool = False, **more: Any
    ) -> Divergence:
        """All that is to be said of a stage at fault."""
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
            call=a.call,
            backward=backward,
            inputs=self.rows[key].inputs,
            apart=apart,
            fed_by={} if backward else fed_by,
            inside=inside,
            parameters={name: apart for name, apart in parameters.items() if apart.absolute > 0},
            settings=(", ".join(only_a), ", ".join(only_b)) if any(only_a) and any(only_b) else None,
            code=(source(a.module), source(b.module)),
            **more,
        )

    def _first_inside(self, key: Key, tolerance: float) -> tuple[str | None, str]:
        """What diverges first: scores or probabilities of a softmax, or what it hands to a stage, and as which argument."""
        stages, softmaxes_a = self._inside(self.a, self.stages_a[key])
        _, softmaxes_b = self._inside(self.b, self.stages_b[key])
        steps: list[tuple[float, str, str, Distance | None]] = []  # with how many stages of a had begun before
        for x, y in zip(softmaxes_a, softmaxes_b, strict=False):
            scores, probabilities = _shaped(y.scores, x.scores), _shaped(y.probabilities, x.probabilities)
            apart = distance(x.scores, scores, is_mask=True), distance(x.probabilities, probabilities)
            steps.append((x.begun, "the scores before softmax", apart[0].why, apart[0]))
            steps.append((x.begun, "the probabilities after softmax", apart[1].why, apart[1]))
        for stage in stages:
            if stage.key in self.rows:
                name, (links, _) = f"what it hands to {stage.path.removeprefix(f'{key[0]}.')}", self.links[stage.key]
                begun = self.a.trace.stages.index(stage) + 0.5
                steps += [
                    (begun, name, f"{each}: {d.why}" if d.why else each if len(links) > 1 else "", d)
                    for each, _, d in links
                ]
        steps.sort(key=lambda step: step[0])
        diverging = [(name, which) for _, name, which, apart in steps if _exceeds(apart, tolerance)]
        return diverging[0] if diverging else (None, steps[-1][1] if steps else "")

    def _inside(self, run: Recording, stage: Stage) -> tuple[list[Stage], list[Softmax]]:
        """The stages that ran inside one; the softmaxes of its own code and of those inside that the other model lacks."""
        inner = _after(run, stage)
        own = [stage, *(each for each in inner if each.key not in self.rows)]
        return inner, [softmax for softmax in run.softmaxes if softmax.stage in own]


def _exceeds(apart: Distance | None, tolerance: float) -> TypeGuard[Distance]:
    return apart is not None and apart.beyond(tolerance)


def _after(run: Recording, stage: Stage) -> list[Stage]:
    """The stages that ran inside one."""
    after = run.trace.stages[run.trace.stages.index(stage) + 1 :]
    return list(takewhile(lambda each: each.depth > stage.depth, after))


def _shaped(y: Tensor, x: Tensor) -> Tensor:
    """y in x's shape, where batch and heads are one axis in one of them."""
    return y.reshape(x.shape) if y.numel() == x.numel() and y.shape[-2:] == x.shape[-2:] else y


def tensors(facts: Mapping[str, TensorFacts]) -> dict[str, Tensor]:
    """What a trace has kept, by name."""
    return {name: fact.tensor for name, fact in facts.items() if fact.tensor is not None}
