"""Run two models side by side, and name the first stage where they part.

    print(compare(reference, mine, inputs, copy_weights=True))

The two may be of different libraries, and one may be half-finished: stages are matched by name (see `matching.py`).
No reference class: ours.
"""

from __future__ import annotations

from torch import nn

from .comparison import Comparison, StageDifference
from .difference import largest
from .fault import find_fault
from .lockstep import Inputs, Run, run
from .matched import MatchedRuns
from .matching import find_prefixes
from .parameters import copy_parameters, differently_tied


def compare(
    a: nn.Module,
    b: nn.Module,
    inputs: Inputs,
    copy_weights: bool = False,
    backward: bool = True,
    tolerance: float = 1e-5,
) -> Comparison:
    """How far apart b is from a, stage by stage, forward and backward.

    a: the one to trust. inputs: what both are called with, as a mapping, a tuple or one tensor. Dropout is off.
    copy_weights: first write a's parameters into b's of the same names, for good. backward: compare gradients too.
    tolerance: what counts as agreement, see `Difference.beyond`. To tell a small fault from rounding, give both models in
    float64 (`model.double()`) and a tolerance of 1e-9.

    Where b raises, the stages until then are compared. Raises what a raises, and ValueError where the two have no names
    in common or parameters to copy have another shape.
    """
    prefixes = find_prefixes([name for name, _ in a.named_modules()], [name for name, _ in b.named_modules()])
    if copy_weights:
        copy_parameters(a, b, prefixes)
    runs = MatchedRuns(run(a, inputs, backward, may_fail=False), run(b, inputs, backward, may_fail=True), prefixes)
    if not runs.keys and runs.b.error is None:
        raise ValueError(
            "No stage of b has the name of one of a, so none can be compared. Name b's modules as a's are."
        )
    if backward and runs.b.error is None:
        runs.compare_gradients()

    rows = []
    for (path, call), depth in runs.in_order_of_calls():
        stage = runs.stages_a[path, call]
        gradients = largest(runs.gradients.get(path, {}).values())
        given = runs.inputs[path, call], runs.outputs[path, call], gradients
        rows.append(StageDifference(path, call, depth, type(stage.module).__name__, *given))
    return Comparison(
        rows=rows,
        tolerance=tolerance,
        fault=find_fault(runs, tolerance) if any(row.parts(tolerance) for row in rows) else None,
        first_bits=find_fault(runs, 0.0),
        only_in_a=[key[0] for key in runs.stages_a if key[0] and key not in runs.stages_b],
        only_in_b=[key[0] for key in runs.stages_b if key[0] and key not in runs.stages_a],
        untied=differently_tied(a, b, prefixes),
        stopped=_stop_of(runs.b),
    )


def _stop_of(b: Run) -> str | None:
    """Where and why b stopped, if it did."""
    if b.error is None:
        return None
    place = b.stopped_in
    return f"{place.path if place and place.path else 'its forward'}: {type(b.error).__name__}: {b.error}"
