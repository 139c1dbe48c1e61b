"""Run two models side by side, and name the first stage where they diverge. No reference class: ours.

print(compare(reference, mine, inputs, copy_weights=True))
"""

import re
from dataclasses import dataclass

import torch
from torch import nn

from ..terminal import outline, table
from .distance import short
from .divergence import Divergence, PairedStages, StageDistance
from .pairing import common_parts, copy_parameters, differently_tied, pair_outputs
from .probes import Inputs, gradients, record


def compare(
    a: nn.Module,
    b: nn.Module,
    inputs: Inputs,
    copy_weights: bool = False,
    backward: bool = True,
    tolerance: float = 1e-5,
) -> "Comparison":
    """How far apart b is from a, stage by stage, forward and backward; the two may be of different libraries.

    a: the one to trust. inputs: what both are called with, as a mapping, a tuple or one tensor. Dropout is off.
    copy_weights: first write a's parameters into b's of the same names, for good. backward: compare gradients too.
    tolerance: what counts as agreement, see `Distance.beyond`. To tell a small fault from rounding, give both models in
    float64 (`model.double()`) and a tolerance of 1e-9. Where b raises, the stages until then are compared.
    Raises what a raises, and ValueError where no names are common or parameters to copy have another shape.
    """
    part_a, part_b = common_parts(a, b)
    if copy_weights:
        copy_parameters(part_a, part_b)
    with torch.set_grad_enabled(backward):
        run_a, run_b = record(a, part_a, inputs), record(b, part_b, inputs, may_fail=True)
    pairs = PairedStages(run_a, run_b)
    if not pairs.rows and run_b.stopped is None:
        raise ValueError("No stage of b has the name of one of a, so none can be compared. Name b's modules as a's.")
    outputs = [(x, y) for _, x, y in pair_outputs(run_a.outputs, run_b.outputs) if x.shape == y.shape]
    trained = [(x, y) for x, y in outputs if x.requires_grad and y.requires_grad]
    if backward and trained:
        pairs.compare_gradients(gradients(part_a, [x for x, _ in trained]), gradients(part_b, [y for _, y in trained]))
    rows = list(pairs.rows.values())
    return Comparison(
        rows=rows,
        tolerance=tolerance,
        fault=pairs.first_divergence(tolerance) if any(row.diverges(tolerance) for row in rows) else None,
        first_bits=pairs.first_divergence(0.0),
        only_in_a=[path for path, call in pairs.stages_a if path and (path, call) not in pairs.rows],
        only_in_b=[path for path, call in pairs.stages_b if path and (path, call) not in pairs.rows],
        untied=differently_tied(part_a, part_b),
        stopped=run_b.stopped,
    )


@dataclass(frozen=True)
class Comparison:
    """Two models, stage by stage, in the order of a's calls.

    fault: the first stage beyond the tolerance. first_bits: the first that differs at all. only_in_a, only_in_b: stages
    that ran in one model alone. untied: parameters that are one in one model and two in the other. stopped: where and
    why b raised an exception.
    """

    rows: list[StageDistance]
    tolerance: float
    fault: Divergence | None
    first_bits: Divergence | None
    only_in_a: list[str]
    only_in_b: list[str]
    untied: list[str]
    stopped: str | None

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
        """Whether b ran to its end and nothing is beyond the tolerance."""
        return self.stopped is None and not any(row.diverges(self.tolerance) for row in self.rows)

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
            gradient = "–" if row.gradients is None else short(row.gradients.absolute)
            mark = "◀ first" if is_first else "diverges" if row.diverges(self.tolerance) else ""
            cells.append((name, *numbers, gradient, mark))
        stages = table(("stage", "absolute", "relative", "ulp", "gradient", ""), cells, right=(1, 2, 3, 4))
        return f"{stages}\n\n{self.summary()}"

    def summary(self) -> str:
        """What was found, in sentences."""
        lines = [] if self.first is None else [str(self.first)]
        early, every = self.first_bits, f"All {len(self.rows)} stages agree"
        if self.fault is not None:
            if early is not None and early.path != self.fault.path:
                lines.append(f"The first bits to differ are earlier, in {early.name}, by {early.apart}.")
        elif any(row.diverges(self.tolerance) for row in self.rows):
            lines = ["They diverge in a stage that only one of them has: all others that do have other inputs."]
        elif early is None:
            lines = [f"{every} to the bit."]
        else:
            lines.insert(0, f"{every} within {short(self.tolerance)}; the first bits differ here:")
        if self.stopped is not None:
            lines.append(f"b stopped in {self.stopped}")
        lines += self.untied
        for model, paths in (("a", self.only_in_a), ("b", self.only_in_b)):
            if paths:
                alike = dict.fromkeys(re.sub(r"(?<=\.)\d+(?=\.|$)", "*", path) for path in paths)
                lines.append(f"Not compared, since only {model} ran it: {', '.join(alike)}.")
        return "\n".join(lines)
