"""What a comparison of two models found, and how it is told."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from ..terminal import table
from .difference import Difference, figure
from .equations import Source
from .outline import outline


@dataclass(frozen=True)
class StageDifference:
    """One stage that both models have: how far apart what it takes, what it gives and its parameters' gradients are.

    None where there is nothing to compare. path: without a prefix that only one model has. depth: how many
    stages around it both have. class_name: in a.
    """

    path: str
    call: int
    depth: int
    class_name: str
    inputs: Difference | None
    outputs: Difference | None
    gradients: Difference | None

    def parts(self, tolerance: float) -> bool:
        """Whether what it gives, or a gradient, is beyond the tolerance."""
        return any(apart.beyond(tolerance) for apart in (self.outputs, self.gradients) if apart is not None)


@dataclass(frozen=True)
class Finding:
    """A stage that parts although what it takes agrees: the difference arises in it.

    backward: whether only gradients part. inputs: how far apart what it takes is. apart: what it gives, or the gradient.
    fed_by: the stage that made each input. inside: what parts first inside it. parameters: its own that differ already.
    settings: what differs in how its module describes itself. code: of its forward in a and in b.
    """

    path: str
    backward: bool
    inputs: Difference | None
    apart: Difference
    fed_by: dict[str, str] = field(default_factory=dict)
    inside: str | None = None
    parameters: dict[str, Difference] = field(default_factory=dict)
    settings: tuple[str, str] | None = None
    code: tuple[Source | None, Source | None] = (None, None)

    @property
    def name(self) -> str:
        return self.path or "the model's own forward"

    def __str__(self) -> str:
        if self.backward:
            lines = [f"All outputs agree. Going backward, {self.name} is the first to part, by {self.apart}."]
        else:
            lines = [f"{self.name} is the first to part, by {self.apart}."]
            if self.inputs is not None:
                fed = ", ".join(f"{name} from {stage}" for name, stage in self.fed_by.items())
                taken = f"What it takes{f' ({fed})' if fed else ''}"
                if self.inputs.absolute:
                    lines.append(f"{taken} is {self.inputs} apart: less, but this may be rounding that grew.")
                else:
                    lines.append(f"{taken} agrees to the bit, so it arises in here.")
        if self.inside is not None:
            lines.append(f"First to part inside it: {self.inside}.")
        if self.parameters:
            differences = ", ".join(f"{name} by {figure(d.absolute)}" for name, d in self.parameters.items())
            lines.append(f"Its parameters differ: {differences}.")
        if self.settings is not None:
            lines.append(f"Its settings differ: {self.settings[0]} in a, {self.settings[1]} in b.")
        lines.append(f"Its forward: {self.code[0] or 'in no file'} in a, {self.code[1] or 'in no file'} in b.")
        return "\n".join(lines)


@dataclass(frozen=True)
class Comparison:
    """Two models, stage by stage, in the order of a's calls.

    fault: the first stage beyond the tolerance. first_bits: the first that differs at all. only_in_a,
    only_in_b: stages that ran in one model alone. untied: parameters that are one in one model and two in the other.
    stopped: where and why b raised.
    """

    rows: list[StageDifference]
    tolerance: float
    fault: Finding | None
    first_bits: Finding | None
    only_in_a: list[str]
    only_in_b: list[str]
    untied: list[str]
    stopped: str | None

    @property
    def first(self) -> Finding | None:
        """Where the models part: beyond the tolerance, or where nothing is, in the first bit; None for equal bits."""
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
        return self.stopped is None and not any(row.parts(self.tolerance) for row in self.rows)

    def __getitem__(self, path: str) -> StageDifference:
        """The first call of the stage at a path. Raises KeyError where it did not run in both models."""
        for row in self.rows:
            if row.path == path:
                return row
        raise KeyError(f"{path!r} did not run in both models. See [row.path for row in comparison.rows].")

    def __str__(self) -> str:
        names = outline((row.path, row.depth, row.class_name) for row in self.rows)
        cells = [(name, *_figures(row), self._mark(row)) for name, row in zip(names, self.rows, strict=True)]
        header = ("stage", "absolute", "relative", "ulp", "gradient", "")
        lines = table(header, cells, right=(1, 2, 3, 4)).splitlines()
        return "\n".join([*(line.rstrip() for line in lines), "", self.summary()])

    def _mark(self, row: StageDifference) -> str:
        if self.first is not None and row.path == self.first.path:
            return "◀ first"
        return "parts" if row.parts(self.tolerance) else ""

    def summary(self) -> str:
        """What was found, in sentences."""
        lines = []
        if self.fault is not None:
            lines.append(str(self.fault))
            if self.first_bits is not None and self.first_bits.path != self.fault.path:
                early = self.first_bits
                lines.append(f"The first bits to differ are earlier, in {early.name}, by {early.apart}.")
        elif any(row.parts(self.tolerance) for row in self.rows):
            lines.append(
                "They part in a stage that only one of them has: all others that part are given something else."
            )
        elif self.first_bits is None:
            lines.append(f"All {len(self.rows)} stages agree to the bit.")
        else:
            lines.append(
                f"All {len(self.rows)} stages agree within {figure(self.tolerance)}; the first bits differ here:"
            )
            lines.append(str(self.first_bits))
        if self.stopped is not None:
            lines.append(f"b stopped in {self.stopped}")
        lines += self.untied
        for model, paths in (("a", self.only_in_a), ("b", self.only_in_b)):
            if paths:
                alike = dict.fromkeys(re.sub(r"(?<=\.)\d+(?=\.|$)", "*", path) for path in paths)
                lines.append(f"Not compared, since only {model} ran it: {', '.join(alike)}.")
        return "\n".join(lines)


def _figures(row: StageDifference) -> list[str]:
    """Absolute, relative and ulp of what a stage gives, and the absolute difference of its gradients."""
    apart = row.outputs
    figures = ["–"] * 3 if apart is None else [figure(apart.absolute), figure(apart.relative), figure(apart.ulp)]
    return [*figures, figure(row.gradients.absolute) if row.gradients is not None else "–"]
