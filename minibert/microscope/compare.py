"""Run two models side by side, and name the first stage where they diverge. No reference class: ours.

print(compare(reference, mine, inputs, copy_weights=True))
"""

from dataclasses import dataclass, field, replace

import torch
from torch import nn

from ..model.modes import evaluation_mode
from ..terminal import outline, table
from .diagnosis import name_error, name_mistake
from .distance import short
from .divergence import PairedStages, StageDistance
from .dropouts import evaluation_randomness, training_differences
from .pairing import common_parts, differently_tied, link_outputs, listed, other_order
from .parameters import copy_parameters, corresponding, module_names, named, parameter_notes, telling_weights, unpaired
from .recording import Inputs, gradients, record
from .verdict import Divergence, it_is


@torch.inference_mode(False)  # gradients are compared wherever it is called, also under torch.no_grad()
def compare(
    a: nn.Module,
    b: nn.Module,
    inputs: Inputs,
    copy_weights: bool = False,
    backward: bool = True,
    tolerance: float = 1e-5,
) -> "Comparison":
    """How far apart b is from a, stage by stage, forward and backward; the two may be of different libraries.

    a: the one to trust. inputs: what both are called with, as a mapping, a tuple or one tensor. Dropout is off; what is
    dropped in training is compared too. Weights that hide mistakes, such as biases of 0, are others while it runs.
    copy_weights: first write a's parameters into b's of the same names, or else of the same shapes and places, for good.
    backward: compare gradients too. tolerance: what counts as agreement, see `Distance.beyond`. To tell a small fault from
    rounding, give both models in float64 (`model.double()`) and a tolerance of 1e-9. Where b raises, the stages until then
    are compared. Raises what a raises, and ValueError where nothing is common or parameters to copy have another shape.
    """
    if not tolerance >= 0:  # nor is NaN
        raise ValueError(f"tolerance is {tolerance}; it must be at least 0.")
    part_a, part_b = common_parts(a, b)
    pairs = copy_parameters(part_a, part_b) if copy_weights else corresponding(part_a, part_b, by_shape=False)
    names = module_names(part_a, part_b, pairs)
    with telling_weights(part_a, part_b, pairs):
        with torch.set_grad_enabled(backward):
            run_a, run_b = record(a, part_a, inputs), record(b, part_b, inputs, names=names)
        stages = PairedStages(run_a, run_b, tolerance)
        if not stages.rows and run_b.stopped is None:
            raise ValueError(
                "No stage of b has the name of one of a, so none can be compared. Name b's modules as a's."
            )
        outputs = link_outputs(run_a.outputs, run_b.outputs)
        ends = [
            (run_a.outputs[x], run_b.outputs[y]) for x, y, apart in outputs if y and not apart.why.startswith("shape")
        ]
        ends = [(x, y) for x, y in ends if x.requires_grad and y.requires_grad]
        failed = None
        if ends:
            flows = gradients(part_a, [x for x, _ in ends], run_a)
            try:
                stages.compare_gradients(flows, gradients(part_b, [y for _, y in ends], run_b), pairs)
            except RuntimeError as error:  # something was written to that the backward pass needs
                failed = f"its backward pass: {str(error).split('. ')[0]}."
        rows, written = list(stages.rows.values()), stages.written_by_b()
        diverging = any(row.diverges(tolerance) for row in rows)
        training = training_differences(
            (a, part_a), (b, part_b), inputs, names=names, seen=(run_a, run_b), diverging=diverging
        )
        fault = stages.first_divergence(tolerance) if diverging else None
        first_bits = stages.first_divergence(0.0)
        with evaluation_mode(a):
            if fault is not None:
                mistakes = name_mistake(a, inputs, stages, fault=fault, tolerance=tolerance)
                key = fault.path, fault.call
                alone = unpaired(part_a, stages.stages_a[key].module, {pair.a for pair in pairs}) and unpaired(
                    part_b, stages.stages_b[key].module, {pair.b for pair in pairs}
                )
                inside = [pair for pair in pairs if f"{pair.a}.".startswith(f"{fault.path}." if fault.path else "")]
                guessed = any(pair.a != pair.b for pair in inside) and not mistakes and not alone
                fault = replace(fault, mistakes=mistakes, unpaired=alone and not mistakes, guessed=guessed)
            elif first_bits is not None:
                mistakes = name_mistake(a, inputs, stages, fault=first_bits, tolerance=0.0)
                first_bits = replace(first_bits, mistakes=mistakes)
            raised = name_error(a, inputs, stages)
    untrained = [
        path for what, paths in training.items() if "never" not in what and "random" not in what for path in paths
    ]
    missing = [name for name in run_a.outputs if name not in {name for name, *_ in outputs}]
    if fault is None and failed and written:
        fault = stages.told(written[0][0], f"{written[0][1]} All outputs agree, but there is no backward pass.", names)
    elif fault is None and untrained and run_b.stopped is None:
        fault = stages.told(
            untrained[0], f"{untrained[0] or 'The model'} is the first stage that diverges, in training only.", names
        )
    theirs = named(part_b)
    return Comparison(
        rows=rows,
        tolerance=tolerance,
        fault=fault,
        first_bits=first_bits,
        only_in_a=[path for path, call in stages.stages_a if path and (path, call) not in stages.rows],
        only_in_b=[path for path, call in stages.stages_b if path and (path, call) not in stages.rows],
        untied=differently_tied(named(part_a), {pair.a: theirs[pair.b] for pair in pairs if pair.whole}),
        stopped=run_b.stopped or failed,
        notes=[
            *([it_is(raised)] if raised and (fault is None or fault.mistakes != raised) else []),
            *evaluation_randomness(run_a, run_b),
            *[note for _, note in written if not failed],
            *[f"In training, {what}: in {listed(paths) or 'the model itself'}." for what, paths in training.items()],
            *parameter_notes(part_a, part_b, pairs, copied=copy_weights),
            *other_order(outputs, list(run_b.outputs)),
            *([f"Not compared, since only a returns it: {', '.join(missing)}."] if missing and run_b.outputs else []),
        ],
    )


@dataclass(frozen=True)
class Comparison:
    """Two models, stage by stage, in the order of a's calls.

    fault: the first stage beyond the tolerance. first_bits: the first that differs at all. only_in_a, only_in_b: stages
    that ran in one model alone. untied: parameters that are one in one model and two in the other. stopped: where and
    why b raised an exception.
    notes: what else was noticed, in sentences.
    """

    rows: list[StageDistance]
    tolerance: float
    fault: Divergence | None
    first_bits: Divergence | None
    only_in_a: list[str]
    only_in_b: list[str]
    untied: list[str]
    stopped: str | None
    notes: list[str] = field(default_factory=list)

    @property
    def first(self) -> Divergence | None:
        """Where the models diverge: beyond the tolerance, or else in the first bit; None for equal bits."""
        return self.fault or self.first_bits

    @property
    def largest(self) -> float:
        """The largest absolute difference of any output or gradient."""
        return max(
            (d.absolute for row in self.rows for d in (row.outputs, row.gradients) if d is not None), default=0.0
        )

    @property
    def agrees(self) -> bool:
        """Whether b ran to its end, nothing is beyond the tolerance, and it drops out the same in training, or never."""
        return self.stopped is None and self.fault is None and not self._diverging

    @property
    def _diverging(self) -> bool:
        return any(row.diverges(self.tolerance) for row in self.rows)

    def __getitem__(self, path: str) -> StageDistance:
        """The first call of the stage at a path. Raises KeyError where it did not run in both models."""
        for row in self.rows:
            if row.path == path:
                return row
        raise KeyError(f"{path!r} did not run in both models. See [row.path for row in comparison.rows].")

    def __str__(self) -> str:
        cells = []
        names = outline((row.path, row.depth, row.class_name) for row in self.rows)
        for name, row in zip(names, self.rows, strict=True):
            apart, is_first = row.outputs, self.first is not None and row.path == self.first.path
            numbers = ["–"] * 3 if apart is None else map(short, (apart.absolute, apart.relative, apart.ulp))
            if apart is not None and apart.why:
                numbers = [
                    "shape" if apart.why.startswith("shape") else "none" if "no tensor" in apart.why else "NaN",
                    "–",
                    "–",
                ]
            gradient = "–" if row.gradients is None else short(row.gradients.absolute)
            mark = (
                "◀ first"
                if is_first
                else "(elsewhere)"
                if row.excused
                else "diverges"
                if row.diverges(self.tolerance)
                else ""
            )
            cells.append((name, *numbers, gradient, mark))
        stages = table(("stage", "absolute", "relative", "ulp", "gradient", ""), cells, right=(1, 2, 3, 4))
        return f"{stages}\n\n{self.summary()}"

    def summary(self) -> str:
        """What was found, in sentences."""
        lines = [] if self.first is None else [str(self.first)]
        early, inside = self.first_bits, [row.path for row in self.rows if row.excused]
        every = f"{f'{len(self.rows) - len(inside)} of' if inside else 'All'} {len(self.rows)} stages agree"
        if self.fault is not None:
            if early is not None and (early.path != self.fault.path or self.fault.told):
                before = "" if self.fault.told else " earlier,"
                lines.append(f"The first bits to differ are{before} in {early.name}, by {early.apart}.")
                lines += [it_is(early.mistakes)] if early.mistakes else []
        elif self._diverging:
            only = "a stage that only one of them has" if self.only_in_a or self.only_in_b else "what no stage shows"
            lines = [f"They diverge in {only}: all others that do have other inputs."]
        elif early is None:
            lines = [f"{every} to the bit."]
        else:
            lines.insert(0, f"{every} within {short(self.tolerance)}; the first bits differ here:")
        if inside and self.fault is None:
            lines.append(f"Differing inside a stage whose result agrees: {listed(inside)}.")
        if self.stopped is not None:
            lines.append(f"b stopped in {self.stopped}")
        lines += self.untied + self.notes
        for model, paths in (("a", self.only_in_a), ("b", self.only_in_b)):
            if paths:
                lines.append(f"Not compared, since only {model} ran it: {listed(paths)}.")
        return "\n".join(lines)
