"""Two finished runs laid beside each other: every stage that both have, and how far apart it is."""

from __future__ import annotations

from .difference import Difference, difference, largest
from .lockstep import Run, gradients
from .matching import Prefixes, pair_inputs, pair_live, pair_outputs

Key = tuple[str, int]
"""The common path of a stage, and which call of it."""


class MatchedRuns:
    """What a and b computed.

    stages_a, stages_b: the finished stages of each. keys: those of both, in the order in which a's ended. inputs, outputs: the
    largest difference of each, None where nothing can be compared. gradients: for each stage those of its own parameters.
    repeated: (path, parameter) of second names of a tied one, whose gradient is whole only where its first name stands.
    """

    def __init__(self, a: Run, b: Run, prefixes: Prefixes):
        self.a, self.b, self.prefixes = a, b, prefixes
        self.stages_a = {(p, s.call): s for s in a.trace.finished if (p := prefixes.inside_a(s.path)) is not None}
        self.stages_b = {(p, s.call): s for s in b.trace.finished if (p := prefixes.inside_b(s.path)) is not None}
        self.keys = [key for key in self.stages_a if key in self.stages_b]
        self.inputs: dict[Key, Difference | None] = {}
        self.outputs: dict[Key, Difference | None] = {}
        self.gradients: dict[str, dict[str, Difference]] = {}
        self.repeated: set[tuple[str, str]] = set()
        for key in self.keys:
            x, y = self.stages_a[key], self.stages_b[key]
            self.inputs[key] = largest(difference(p, q, "mask" in n) for n, p, q in pair_inputs(x.inputs, y.inputs))
            self.outputs[key] = largest(difference(p, q) for _, p, q in pair_outputs(x.outputs, y.outputs))

    def compare_gradients(self) -> None:
        """Of every parameter that both have; where the models return nothing in common, of none."""
        pairs = [(x, y) for x, y in pair_live(self.a.outputs, self.b.outputs) if x.requires_grad and y.requires_grad]
        if not pairs:
            return
        ours = gradients(self.a.model, [x for x, _ in pairs])
        theirs = {self.prefixes.inside_b(n): g for n, g in gradients(self.b.model, [y for _, y in pairs]).items()}
        paths = {path for path, _ in self.keys}
        seen: set[int] = set()
        for name, gradient in ours.items():
            common = self.prefixes.inside_a(name)
            if common is None or common not in theirs:
                continue
            path = common.rpartition(".")[0]
            while path and path not in paths:  # a parameter of a module that is never called by itself
                path = path.rpartition(".")[0]
            own = common.removeprefix(f"{path}.")
            self.gradients.setdefault(path, {})[own] = difference(gradient, theirs[common])
            if id(gradient) in seen:
                self.repeated.add((path, own))
            seen.add(id(gradient))

    def in_order_of_calls(self) -> list[tuple[Key, int]]:
        """The keys as a's stages began, outer ones before those inside them, and how many of them stand around each."""
        ordered: list[tuple[Key, int]] = []
        around: list[bool] = []  # of the stages that stand open, whether both have them
        for stage in self.a.trace.stages:
            del around[stage.depth :]
            path = self.prefixes.inside_a(stage.path)
            in_both = path is not None and (path, stage.call) in self.outputs
            if path is not None and in_both:
                ordered.append(((path, stage.call), sum(around)))
            around.append(in_both)
        return ordered
