"""All that one forward does and that `compare.py` compares: stages, softmaxes, dropout, gradients. No reference class: ours."""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.overrides import TorchFunctionMode

from ..model.modes import evaluation_mode
from .distance import MASKED
from .trace import Stage, Trace, named_tensors, parameter_names, trace

Inputs = Mapping[str, Any] | tuple[Any, ...] | Tensor  # by name, by position, or the one tensor a model takes
RANDOM = {"rand", "rand_like", "randn", "randn_like", "randint", "bernoulli", "bernoulli_", "uniform_", "random_"}
ATTENTION = ("query", "key", "value", "attn_mask", "dropout_p", "is_causal")  # PyTorch's names for its arguments
Key = tuple[str, int]  # the path and the call of a stage


class Softmax(NamedTuple):
    """One call of a softmax in the stage `stage`, when so many stages had begun."""

    stage: Stage
    begun: int
    scores: Tensor
    probabilities: Tensor


class Drop(NamedTuple):
    """One call of dropout that is on, with the rate p; tensor: what is dropped, None where nobody can look."""

    stage: Stage
    p: float
    tensor: Tensor | None


class Recording(TorchFunctionMode):
    """Its stages with their tensors, and every call of softmax and of dropout, in order.

    outputs: what the model returned, still part of the graph. stopped, error: where and why it raised an exception, if it did.
    taken, given: of each stage the tensors with a gradient that went in and came out. written: which arguments it changed
    in place. random: which random numbers were drawn, and in which stage. hidden: masks by which scores were filled in.
    quiet: in training mode, dropout is noted and left out.
    """

    trace: Trace
    stopped: str | None = None
    error: Exception | None = None

    def __init__(self, quiet: bool = False) -> None:
        super().__init__()
        self.quiet = quiet
        self.outputs: dict[str, Tensor] = {}
        self.softmaxes: list[Softmax] = []
        self.drops: list[Drop] = []
        self.random: list[tuple[Stage, str]] = []
        self.hidden: list[Tensor] = []
        self.taken: dict[Key, dict[str, Tensor]] = {}
        self.given: dict[Key, dict[str, Tensor]] = {}
        self.written: list[tuple[Stage, str]] = []
        self._versions: dict[Key, list[tuple[str, Tensor, int]]] = {}

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None) -> Any:
        kwargs, name, stage = kwargs or {}, getattr(func, "__name__", ""), self.trace.current
        if stage is None:
            return func(*args, **kwargs)
        if name == "dropout":
            given = dict(zip(("input", "p", "training"), args, strict=False)) | kwargs
            if given.get("training", given.get("train", True)) and self._drops(
                stage, given.get("p", 0.5), given["input"]
            ):
                return given["input"].clone()
        if name == "scaled_dot_product_attention":
            given = dict(zip(ATTENTION, args, strict=False)) | kwargs
            with torch.no_grad():
                scores, probabilities = _inside_attention(**given)
            self.softmaxes.append(Softmax(stage, len(self.trace.stages), scores=scores, probabilities=probabilities))
            if self._drops(stage, given.get("dropout_p", 0.0), probabilities):
                args, kwargs = (), given | {"dropout_p": 0.0}
        if (
            name == "multi_head_attention_forward"
            and kwargs.get("training", True)
            and self._drops(stage, args[10], None)
        ):
            args = (*args[:10], 0.0, *args[11:])
        self.random += [(stage, name)] * (name in RANDOM)
        if name in ("masked_fill", "masked_fill_") and isinstance(args[-1], (int, float)) and args[-1] < MASKED:
            self.hidden.append(args[1])
        output = func(*args, **kwargs)
        if name == "softmax":  # torch's, F's or a Tensor's
            copies = {"scores": _copy(args[0] if args else kwargs["input"]), "probabilities": _copy(output)}
            self.softmaxes.append(Softmax(stage, len(self.trace.stages), **copies))
        return output

    def _drops(self, stage: Stage, p: float, tensor: Tensor | None) -> bool:
        """Note a dropout that is on; whether to leave it out."""
        if p > 0:
            self.drops.append(Drop(stage, p, _copy(tensor)))
        return p > 0 and self.quiet

    def begin(self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """After the trace's own hook: hand on an alias of each tensor, whose gradient is that of this stage's use alone."""
        stage, names = self.trace.current, parameter_names(type(module).forward)
        assert stage is not None  # noqa: S101  # for the type checker: a forward is under way
        given = {names[i] if i < len(names) else str(i): x for i, x in enumerate(args)} | kwargs
        tensors = {name: x for name, x in given.items() if isinstance(x, Tensor) and not x.is_inference()}
        self._versions[stage.key] = [(name, x, x._version) for name, x in tensors.items()]
        aliases = {name: self.trace.alias(x) for name, x in tensors.items() if x.requires_grad}
        self.taken[stage.key] = aliases
        values = [aliases.get(name, x) for name, x in given.items()]
        return tuple(values[: len(args)]), dict(zip(kwargs, values[len(args) :], strict=True))

    def end(self, _module: nn.Module, _args: tuple[Any, ...], output: Any) -> None:
        """After the trace's own hook."""
        stage = self.trace.finished[-1]
        self.given[stage.key] = {n: x for n, x in named_tensors(output).items() if x.requires_grad}
        self.written += [(stage, name) for name, x, version in self._versions[stage.key] if x._version != version]


def record(
    model: nn.Module, part: nn.Module, inputs: Inputs, names: Mapping[str, str] | None = None, training: bool = False
) -> Recording:
    """Run a model on copies of the inputs and watch the stages of a part of it. names: what else to call the stages.

    An exception is noted, where names are given.

    training: in training mode, with dropout left out and no tensor kept but what it would have dropped.
    """
    recording = Recording(quiet=training)
    hooks: list[Any] = []
    try:
        with evaluation_mode(model, training), trace(part, keep_tensors=not training) as recording.trace, recording:
            recording.trace.rename(names or {})
            for module in part.modules():
                hooks.append(module.register_forward_pre_hook(recording.begin, with_kwargs=True))
                hooks.append(module.register_forward_hook(recording.end))
            outputs = call(model, inputs)
        recording.outputs = named_tensors(outputs)
    except Exception as error:
        if names is None:
            raise
        stage = recording.trace.stopped_in
        where = stage.path if stage and stage.path else "its forward"
        recording.error = error
        recording.stopped = f"{where}: {type(error).__name__}: {error}"
    finally:
        for hook in hooks:
            hook.remove()
    return recording


def call(model: nn.Module, inputs: Inputs) -> Any:
    """What a model gives for copies of the inputs."""
    by_name = inputs if isinstance(inputs, Mapping) else {}
    by_position = () if isinstance(inputs, Mapping) else inputs if isinstance(inputs, tuple) else (inputs,)
    return run(model, tuple(map(_copy, by_position)), {name: _copy(value) for name, value in by_name.items()})


def run(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """What a module returns; meanwhile its buffers, such as running means, are copies, so that they stay what they were."""
    buffers = {name: _copy(buffer) for name, buffer in module.named_buffers()}
    return functional_call(module, buffers, args=args, kwargs=kwargs)


def _copy(value: Any) -> Any:
    return value.detach().clone() if isinstance(value, Tensor) else value


def _inside_attention(query: Tensor, key: Tensor, attn_mask: Any = None, **given: Any) -> tuple[Tensor, Tensor]:
    """Scores and probabilities of PyTorch's fused attention, which does not show them."""
    scale = given.get("scale")
    scores = query @ key.transpose(-1, -2) * (query.size(-1) ** -0.5 if scale is None else scale)
    if given.get("is_causal"):
        attn_mask = scores.new_ones(scores.shape[-2:], dtype=torch.bool).tril()
    if attn_mask is not None:
        scores = scores.masked_fill(~attn_mask, -math.inf) if attn_mask.dtype == torch.bool else scores + attn_mask
    return scores, scores.softmax(dim=-1)


class Gradients(NamedTuple):
    """Of every trainable parameter, a tied one under each of its names, and of what each stage took and gave: 0 where none."""

    parameters: dict[str, Tensor]
    taken: dict[Key, dict[str, Tensor]]
    given: dict[Key, dict[str, Tensor]]


def gradients(model: nn.Module, outputs: list[Tensor], recording: Recording) -> Gradients:
    """The loss weighs every number of the outputs differently, so that no two mistakes cancel. `.grad` is left alone."""
    named = {n: p for n, p in model.named_parameters(remove_duplicate=False) if p.requires_grad}
    flows = [x for stages in (recording.taken, recording.given) for found in stages.values() for x in found.values()]
    tensors = list(dict.fromkeys([*named.values(), *flows]))
    terms = []
    for x in outputs:
        x = torch.view_as_real(x.resolve_conj()) if x.is_complex() else x
        weights = torch.linspace(-1, 1, x.numel(), dtype=x.dtype, device=x.device).view_as(x)
        terms.append((x * weights).sum() / x.numel() ** 0.5)  # so that gradients keep their size, however many outputs
    found = torch.autograd.grad(torch.stack(terms).sum(), tensors, allow_unused=True)
    of = {x: torch.zeros_like(x) if g is None else g for x, g in zip(tensors, found, strict=True)}
    taken, given = (
        {key: {name: of[x] for name, x in inner.items()} for key, inner in stages.items()}
        for stages in (recording.taken, recording.given)
    )
    return Gradients({name: of[parameter] for name, parameter in named.items()}, taken, given)
