"""Put a checkpoint's tensors into a model, and report on every one.

First a plan from names and shapes alone, so that nothing is read from a checkpoint that does not fit. Then each tensor
is read into memory of its own, checked, and made the parameter's data. After that the file may go.
"""

import math
import re
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from ..visible import visible
from .files import CheckpointError
from .names import WORD_DECODER, WORD_EMBEDDINGS, body_prefix, canonical, match_names, reason_left_over
from .read import StoredTensor, Weights, empty_tensors

_SLACK = 10_000_000  # numbers beyond twice a checkpoint's that a new head and the like may need
# Stages of the body that a model may have and an older checkpoint may lack, because a config switched them on.
_ADDED_TO_THE_BODY = re.compile(r"crossattention\.|distance_embedding\.|(^|\.)pooler\.")
# Tensors the model makes itself: a checkpoint may hold them or not.
_MADE_HERE = re.compile(r"embeddings\.(position_ids|token_type_ids)$")


class MisfitError(CheckpointError, RuntimeError):
    """Tensors of a checkpoint have another shape than the model's; a RuntimeError too, as the reference raises."""


@dataclass(frozen=True)
class Finding:
    """One tensor that was not simply read: its name, the reason, and whether the user should act on it."""

    name: str
    reason: str
    needs_attention: bool = False


@dataclass
class LoadingReport:
    """The result of loading `checkpoint` into a `model` class: what became of every tensor of both.

    read: model name → the checkpoint's name for it. tied: parameters that are the same tensor as another.
    new: parameters that the checkpoint has no values for. left_over: the checkpoint's tensors that the model lacks.
    mismatched: name, the checkpoint's shape, the model's.
    duplicates: the checkpoint's second name for a tensor that the model ties → the key of `read` that is used instead.
    files: the files that hold the tensors; none for a state dict.
    """

    checkpoint: str
    model: str
    read: dict[str, str] = field(default_factory=dict)
    tied: list[Finding] = field(default_factory=list)
    new: list[Finding] = field(default_factory=list)
    left_over: list[Finding] = field(default_factory=list)
    mismatched: list[tuple[str, tuple[int, ...], tuple[int, ...]]] = field(default_factory=list)
    duplicates: dict[str, str] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)

    @property
    def attention(self) -> list[Finding]:
        """The findings that the user should act on."""
        return [finding for finding in (*self.tied, *self.new, *self.left_over) if finding.needs_attention]

    @property
    def needs_attention(self) -> bool:
        """Whether there are any."""
        return bool(self.attention)

    def absent(self) -> list[str]:
        """The new parameters that the checkpoint does not hold in any shape."""
        mismatched = {name for name, _, _ in self.mismatched}
        return [finding.name for finding in self.new if finding.name not in mismatched]

    def warning(self) -> str:
        """The findings that need attention, as a message: which tensors, why, and so what to do."""
        advice = ["Train the new parameters before you use what they predict."] if self.new else []
        place = visible(self.checkpoint) + ", where the shapes did not match" * bool(self.mismatched)
        return "\n".join([f"{self.model} from {place}:", *self._lines(only_attention=True), *advice])

    def __str__(self) -> str:
        place = f" of {_first_four(self.files)}" if self.files else ""
        lines = [f"{self.model} from {visible(self.checkpoint)}", f"  read: {len(self.read)} tensors{place}"]
        renamed = [f"{source} → {name}" for name, source in self.read.items() if name != source]
        if renamed:
            lines.append(f"    {len(renamed)} under another name, such as {renamed[0]}")
        return "\n".join(lines + self._lines())

    def _lines(self, only_attention: bool = False) -> list[str]:
        """A line for each group and reason, naming the first few tensors it is true of."""
        names: dict[tuple[str, str], list[str]] = {}
        for title, group in (("tied", self.tied), ("newly initialised", self.new), ("left over", self.left_over)):
            for finding in group:
                if finding.needs_attention or not only_attention:
                    names.setdefault((title, finding.reason), []).append(finding.name)
        return [f"  {title}: {_first_four(named)}: {reason}" for (title, reason), named in names.items()]


def _first_four(names: list[str]) -> str:
    return ", ".join(map(visible, names[:4])) + (f" and {len(names) - 4} more" if len(names) > 4 else "")


def check_sizes(config: Any, weights: Weights, *, allow_missing: bool) -> None:
    """Raises CheckpointError where a config asks for far more than a checkpoint holds, before memory is taken for it."""
    held = sum(math.prod(tensor.shape) for tensor in weights.values())
    for one in (config.encoder, config.decoder) if hasattr(config, "encoder") else (config,):  # of a pair both
        width, layers = one.hidden_size, one.num_hidden_layers
        rows = one.vocab_size + one.max_position_embeddings + one.type_vocab_size + one.num_labels
        asked = width * (rows + layers * (4 * width + 2 * one.intermediate_size))
        if not allow_missing and (layers > len(weights) + 100 or asked > 2 * held + _SLACK):
            wrong = f"asks for {layers:,} layers and {asked:,} numbers; its weights are {len(weights):,} tensors of {held:,}"
            raise CheckpointError(
                f"{config.name_or_path}: the config {wrong}. They do not belong together; allow_missing=True makes what is missing anew"
            )


def plan_loading(
    model: nn.Module, weights: Weights, checkpoint: str, *, ignore_mismatched_sizes: bool, allow_missing: bool
) -> LoadingReport:
    """Lay the checkpoint beside the model, names and shapes only. checkpoint: its name, for messages.

    Raises MisfitError where shapes differ (unless ignored, and then those parameters are new), CheckpointError where the body's
    own parameters are missing (unless allowed).
    """
    named = model.state_dict(keep_vars=True).items()  # with the saved buffers, which a student's own model may have
    parameters = {name: t for name, t in named if isinstance(t, Tensor) and not _MADE_HERE.search(name)}
    usual_prefix = f"{getattr(model, 'base_model_prefix', 'bert')}."
    source, left_over = match_names(parameters, weights, usual_prefix)
    config, body = getattr(model, "config", None), body_prefix(parameters, usual_prefix)
    words = source.get(body + WORD_EMBEDDINGS) if getattr(config, "torchscript", False) else None
    if words and WORD_DECODER in parameters and getattr(config, "tie_word_embeddings", True):
        source.setdefault(WORD_DECODER, words)  # a copy of them, where the file holds them once
    report = LoadingReport(checkpoint, type(model).__name__)
    report.files = list(dict.fromkeys(tensor.path.name for tensor in weights.values() if tensor.path))
    shapes = {name: (tuple(weights[source[name]].shape), tuple(parameters[name].shape)) for name in source}
    report.mismatched = [(name, found, own) for name, (found, own) in shapes.items() if found != own]
    why_new = {name: f"the checkpoint has {found}, the model {own}" for name, found, own in report.mismatched}
    if why_new and not ignore_mismatched_sizes:
        misfits = [f"{len(why_new)} tensors of {checkpoint} do not fit {report.model}:"]
        misfits += [f"  {name}: {reason}" for name, reason in why_new.items()][:8]
        advice = "Load with the checkpoint's own config, or pass ignore_mismatched_sizes=True to start those anew."
        raise MisfitError("\n".join([*misfits, advice]))
    groups: dict[int, list[str]] = {}  # the names of each distinct tensor
    for name, parameter in parameters.items():
        groups.setdefault(id(parameter), []).append(name)
    for first, *others in groups.values():
        held = [name for name in (first, *others) if name in source and name not in why_new]
        if held:
            # The reference loads a module's names in order, so of two spellings of one tensor the last one counts.
            report.read[held[-1]] = source[held[-1]]
            # An untied file may hold a second bias, which nothing reads.
            if getattr(config, "tie_word_embeddings", True):
                report.duplicates |= {source[name]: held[-1] for name in held[:-1]}
        else:
            reason = why_new.get(first, "the checkpoint has no such tensor")
            report.new.append(Finding(first, reason, needs_attention=True))
        report.tied += [Finding(name, f"the same tensor as {first}") for name in others]
    report.left_over = [_left_over(name, config, report.read) for name in left_over]

    # A body with holes is no pre-trained model: say so instead of computing with random numbers.
    stages = (f"{body}embeddings.", f"{body}encoder.") if body + WORD_EMBEDDINGS in parameters else (body,)
    missing = [name for name in report.absent() if name.startswith(stages) and not _ADDED_TO_THE_BODY.search(name)]
    if missing and not allow_missing:
        hole = f"lacks {len(missing)} parameters of the body of {report.model}: {_first_four(missing)}"
        unused = f" It holds, unused: {', '.join(left_over[:3])}, …" if left_over else ""
        advice = "Is it a BERT, and does its config match? Pass allow_missing=True to start the missing ones at random."
        raise CheckpointError(f"{checkpoint} {hole}.{unused} {advice}")
    return report


def _left_over(name: str, config: object, read: dict[str, str]) -> Finding:
    spelled, layers = canonical(name), getattr(config, "num_hidden_layers", None)
    if twin := read.keys() & {spelled.removeprefix("bert."), f"bert.{spelled}"}:
        return Finding(name, f"perhaps another name of {twin.pop()}, which was read already", needs_attention=True)
    if reason := reason_left_over(name):
        return Finding(name, reason)
    layer = re.search(r"encoder\.layer\.(\d+)\.", spelled)
    beyond = layer is not None and layers is not None and int(layer[1]) >= layers
    reason = f"the config has only {layers} layers" if beyond else "this model has no tensor of such a name"
    return Finding(name, reason, needs_attention=True)


def read_into_parameters(model: nn.Module, weights: Weights, report: LoadingReport, *, dtype: torch.dtype) -> None:
    """Read what `plan_loading` planned, floating numbers as `dtype`, into new memory that becomes the parameters' data.

    Raises CheckpointError where a tensor holds NaN or infinity, or no floating numbers; then no parameter has changed.
    """
    parameters = model.state_dict(keep_vars=True)
    stored = {name: weights[source] for name, source in report.read.items()}
    memory = empty_tensors({n: (t.shape, dtype if t.dtype.is_floating_point else t.dtype) for n, t in stored.items()})
    for name, tensor in stored.items():
        origin = f"{report.read[name]} of {tensor.path or report.checkpoint}"
        if parameters[name].is_floating_point() and not tensor.dtype.is_floating_point:
            advice = "Was it compressed by another program? Get it in float32, float16 or bfloat16."
            raise CheckpointError(f"{origin} holds {tensor.dtype}, not floating numbers. {advice}")
        tensor.read_into(memory[name])
        if memory[name].is_floating_point():
            _check_finite(memory[name], tensor, origin)
    for name, read in memory.items():
        parameters[name].data = read.to(parameters[name].device)
    for ignored, name in report.duplicates.items():
        if not torch.equal(weights[ignored].read().to(dtype), memory[name]):
            tie = f"differs from {report.read[name]}, to which the config ties it; the latter is used"
            report.tied.append(Finding(name, f"the checkpoint's {ignored} {tie}", needs_attention=True))


def _check_finite(read: Tensor, stored: StoredTensor, origin: str) -> None:
    # One pass is enough in the usual case: a sum is finite unless a term is not, or the terms are enormous.
    if torch.isfinite(read.sum(dtype=torch.float32)):
        return
    # In float64, since float8 has no such test.
    wrong, in_file = (int((~torch.isfinite(tensor.double())).sum()) for tensor in (read, stored.read()))
    if in_file:
        advice = "The training that wrote it went wrong: use an earlier checkpoint."
        raise CheckpointError(f"{origin} holds {in_file} values that are NaN or infinite. {advice}")
    if wrong:
        advice = f"Load it with dtype={stored.dtype}."
        raise CheckpointError(f"{origin} holds {wrong} values that are too large for {read.dtype}. {advice}")
