"""Put a checkpoint's tensors into a model, and report on every one.

First a plan from names and shapes alone, so that nothing is read from a checkpoint that does not fit; then the
tensors, each made the parameter itself rather than copied into one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from .errors import CheckpointError
from .memory import allocate
from .names import BODY_PREFIX, NameMap, canonical, reason_left_over
from .reading import Weights
from .report import Finding, LoadingReport

# Parts of the body that a model may have and an older checkpoint may lack, because a config switched them on.
_ADDED_TO_THE_BODY = re.compile(r"crossattention\.|distance_embedding\.|(^|\.)pooler\.")
# Tensors the model makes itself: a checkpoint may hold them or not.
_MADE_HERE = re.compile(r"embeddings\.(position_ids|token_type_ids)$")


@dataclass
class LoadingPlan:
    """What will be read into which parameters, and the report on it.

    parameters: every name of every parameter and saved buffer, tied ones under each of their names.
    source: model name → checkpoint name, one for each distinct tensor. mapped: the names that, once read, still lie in
    the file's pages. duplicates: model name, the checkpoint's ignored name for it, the one used.
    """

    report: LoadingReport
    parameters: dict[str, Tensor]
    source: dict[str, str] = field(default_factory=dict)
    mapped: set[str] = field(default_factory=set)
    duplicates: list[tuple[str, str, str]] = field(default_factory=list)


def plan_loading(
    model: nn.Module, weights: Weights, checkpoint: str, ignore_mismatched_sizes: bool, allow_missing: bool
) -> LoadingPlan:
    """Lay the checkpoint beside the model, names and shapes only.

    Raises CheckpointError where shapes differ (unless ignored, and then those parameters are new) or where the body's
    own parameters are missing (unless allowed).
    """
    parameters: dict[str, Tensor] = dict(model.named_parameters(remove_duplicate=False))
    buffers = {name: buffer for name, buffer in model.named_buffers() if not _MADE_HERE.search(name)}
    if buffers:  # BERT has none, a student's own model may
        parameters |= {name: buffers[name] for name in model.state_dict() if name in buffers}
    names = NameMap.between(parameters, weights.names)
    plan = LoadingPlan(LoadingReport(checkpoint, type(model).__name__), parameters)
    _check_shapes(plan, names, weights, ignore_mismatched_sizes)

    for group in _tied_groups(parameters):
        held = [name for name in group if name in names.source]
        if not held:
            plan.report.new += [_new_finding(name, plan.report) for name in group[:1]]
        else:
            # The reference loads a module's names in order, so of two spellings of one tensor the last one counts.
            plan.source[held[-1]] = names.source[held[-1]]
            plan.duplicates += [(held[-1], names.source[name], names.source[held[-1]]) for name in held[:-1]]
        plan.report.tied += [Finding(name, f"the same tensor as {group[0]}") for name in group[1:]]
    plan.report.read = dict(plan.source)
    plan.report.left_over = [_left_over_finding(name, model) for name in names.left_over]
    _check_body(plan, allow_missing)
    return plan


def read_into(model: nn.Module, plan: LoadingPlan, weights: Weights, dtype: torch.dtype) -> None:
    """Make the checkpoint's tensors the model's parameters, floating ones as `dtype`.

    A tensor that already has the dtype is used as it lies in the file's pages, without a copy; others are converted as
    they are read.
    """
    stored = {name: weights.dtype(source) for name, source in plan.source.items()}
    to_convert = [name for name, kind in stored.items() if kind.is_floating_point and kind != dtype]
    converted = allocate({name: (plan.parameters[name].shape, dtype) for name in to_convert})
    by_identity: dict[int, list[str]] = {}
    for name, parameter in plan.parameters.items():
        by_identity.setdefault(id(parameter), []).append(name)
    modules = dict(model.named_modules(remove_duplicate=False))
    for name, source in plan.source.items():
        old = plan.parameters[name]
        if name in converted:
            tensor = converted[name]
            weights.read_into(source, tensor)
        else:
            tensor = weights.map(source)
            plan.mapped.add(name)
        new = nn.Parameter(tensor, requires_grad=old.requires_grad) if isinstance(old, nn.Parameter) else tensor
        for alias in by_identity[id(old)]:
            path, _, leaf = alias.rpartition(".")
            registered = modules[path]._parameters if leaf in modules[path]._parameters else modules[path]._buffers
            registered[leaf] = new
            plan.parameters[alias] = new
    tied = getattr(getattr(model, "config", None), "tie_word_embeddings", True)
    for name, ignored, used in plan.duplicates:
        # An untied checkpoint of today's library keeps a second bias that nothing reads.
        if tied and not torch.equal(weights.map(ignored), weights.map(used)):
            reason = f"the checkpoint's {ignored} differs from {used}, to which the config ties it; the latter is used"
            plan.report.tied.append(Finding(name, reason, needs_attention=True))


def _tied_groups(parameters: dict[str, Tensor]) -> list[list[str]]:
    """The names of each distinct tensor."""
    groups: dict[int, list[str]] = {}
    for name, parameter in parameters.items():
        groups.setdefault(id(parameter), []).append(name)
    return list(groups.values())


def _check_shapes(plan: LoadingPlan, names: NameMap, weights: Weights, ignore: bool) -> None:
    for name, source in names.source.items():
        expected, found = tuple(plan.parameters[name].shape), tuple(weights.shape(source))
        if expected != found:
            plan.report.mismatched.append((name, found, expected))
    if plan.report.mismatched and not ignore:
        shown = "\n".join(
            f"  {name}: the checkpoint has {found}, the model {expected}"
            for name, found, expected in plan.report.mismatched[:8]
        )
        raise CheckpointError(
            f"{len(plan.report.mismatched)} tensors of {plan.report.checkpoint} do not fit {plan.report.model}:\n{shown}\n"
            "Load with the checkpoint's own config, or pass ignore_mismatched_sizes=True to start those anew."
        )
    for name, _, _ in plan.report.mismatched:
        del names.source[name]


def _new_finding(name: str, report: LoadingReport) -> Finding:
    for mismatched, found, expected in report.mismatched:
        if mismatched == name:
            return Finding(name, f"the checkpoint's shape is {found}, the model's {expected}", needs_attention=True)
    return Finding(name, "the checkpoint has no such tensor", needs_attention=True)


def _left_over_finding(name: str, model: nn.Module) -> Finding:
    reason = reason_left_over(name)
    if reason is not None:
        return Finding(name, reason)
    layer = re.search(r"encoder\.layer\.(\d+)\.", canonical(name))
    layers = getattr(getattr(model, "config", None), "num_hidden_layers", None)
    if layer is not None and layers is not None and int(layer.group(1)) >= layers:
        return Finding(name, f"the config has only {layers} layers", needs_attention=True)
    return Finding(name, "no part of this model has such a name", needs_attention=True)


def _check_body(plan: LoadingPlan, allow_missing: bool) -> None:
    """A body with holes is no pre-trained model: say so instead of computing with random numbers."""
    has_head = any(name.startswith(BODY_PREFIX) for name in plan.parameters)
    missing = [
        finding.name
        for finding in plan.report.new
        if (finding.name.startswith(BODY_PREFIX) or not has_head) and not _ADDED_TO_THE_BODY.search(finding.name)
    ]
    mismatched = {name for name, _, _ in plan.report.mismatched}
    missing = [name for name in missing if name not in mismatched]
    if missing and not allow_missing:
        shown = ", ".join(missing[:4]) + (f" and {len(missing) - 4} more" if len(missing) > 4 else "")
        held = ", ".join(finding.name for finding in plan.report.left_over[:3])
        raise CheckpointError(
            f"{plan.report.checkpoint} lacks {len(missing)} parameters of the body of {plan.report.model}: {shown}. "
            + (f"It holds, unused: {held}, … " if held else "")
            + "Is it a BERT, and does its config match? Pass allow_missing=True to start the missing ones at random."
        )
