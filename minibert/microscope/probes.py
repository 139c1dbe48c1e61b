"""The numbers inside a model, which `plots.py` and `explore.py` draw and `compare.py` compares. No reference class: ours.

Source of the logit lens: nostalgebraist 2020, "interpreting GPT: the logit lens".
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from ..heads.prediction import BertWordPredictor
from ..model.pretrained import BertPreTrainedModel
from ..tokenization import BertTokenizer
from .trace import Stage, Trace, named_tensors, trace

Inputs = Mapping[str, Any] | tuple[Any, ...] | Tensor  # by name, by position, or the one tensor a model takes


@contextmanager
def evaluation_mode(model: nn.Module) -> Iterator[None]:
    """Dropout is off in the block; afterwards every module is in the mode it was in."""
    training = [module for module in model.modules() if module.training]
    model.eval()
    try:
        yield
    finally:
        for module in training:
            module.training = True


@torch.no_grad()
def run_text(model: BertPreTrainedModel, tokenizer: BertTokenizer, text: str) -> tuple[list[str], Any]:
    """The pieces of a text, and the body's output with all hidden states and attention weights; dropout is off."""
    inputs = tokenizer(text, return_tensors="pt")
    with evaluation_mode(model):
        outputs = model.base_model(**inputs, output_attentions=True, output_hidden_states=True)
    return tokenizer.convert_ids_to_tokens(inputs["input_ids"][0].tolist()), outputs


def attention_maps(model: BertPreTrainedModel, tokenizer: BertTokenizer, text: str) -> tuple[list[str], list[Tensor]]:
    """The pieces of a text, and of each layer the attention weights of all heads, (heads, seq, seq)."""
    pieces, outputs = run_text(model, tokenizer, text)
    return pieces, [layer[0] for layer in outputs.attentions]


def residual_norms(model: BertPreTrainedModel, tokenizer: BertTokenizer, text: str) -> tuple[list[str], Tensor]:
    """The pieces of a text, and the length of each one's vector after the embeddings and each layer: (layers + 1, seq)."""
    pieces, outputs = run_text(model, tokenizer, text)
    return pieces, torch.stack(outputs.hidden_states)[:, 0].norm(dim=-1)


def lens(model: BertWordPredictor, tokenizer: BertTokenizer, text: str) -> tuple[list[str], list[list[str]], Tensor]:
    """The pieces, and after the embeddings and each layer the word that the head predicts there, with its probability.

    Words: (layers + 1) rows of seq; probabilities: (layers + 1, seq). Raises ValueError for a model that predicts no words.
    """
    if not isinstance(model, BertWordPredictor):
        raise ValueError(f"{type(model).__name__} predicts no words. Open the checkpoint as BertForMaskedLM.")
    pieces, outputs = run_text(model, tokenizer, text)
    probabilities, ids = likeliest_words(model, torch.stack(outputs.hidden_states)[:, 0], count=1)
    return pieces, [tokenizer.convert_ids_to_tokens(row) for row in ids[..., 0].tolist()], probabilities[..., 0]


@torch.no_grad()
def likeliest_words(model: BertWordPredictor, states: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Read hidden states (…, hidden) as if they were the last layer's: probabilities and ids of words, (…, count) each."""
    best = model.cls.predictions(states).softmax(dim=-1).topk(count)
    return best.values, best.indices


@torch.no_grad()
def position_similarity(model: BertPreTrainedModel) -> Tensor:
    """The cosine between the embeddings of each two positions: (positions, positions)."""
    table: Any = model.base_model.embeddings.position_embeddings.weight
    unit = torch.nn.functional.normalize(table, dim=-1)
    return unit @ unit.T


def parameter_values(model: nn.Module) -> dict[str, Tensor]:
    """All numbers of the model by kind of parameter, such as "attention.self.query.weight", over all layers."""
    kinds: dict[str, list[Tensor]] = {}
    for name, parameter in model.named_parameters():
        kinds.setdefault(kind_of(name), []).append(parameter.detach().flatten())
    return {kind: torch.cat(values) for kind, values in kinds.items()}


def kind_of(name: str) -> str:
    """A parameter's name after the number of its layer; outside of layers, its last three words."""
    own = re.split(r"(?:^|\.)\d+\.", name)[-1]
    return own if own != name else ".".join(name.split(".")[-3:])


def gradient_flow(model: nn.Module) -> dict[str, float]:
    """The root mean square of each parameter's gradient, in the network's order. Raises ValueError before `backward()`."""
    flow = {n: float(p.grad.pow(2).mean().sqrt()) for n, p in model.named_parameters() if p.grad is not None}
    if not flow:
        raise ValueError("There are no gradients yet: call backward() on a loss first.")
    return flow


def text_gradients(model: BertWordPredictor, tokenizer: BertTokenizer, text: str) -> dict[str, float]:
    """The gradient flow where the loss is that of predicting every token of a text; the gradients stay in the model."""
    inputs = tokenizer(text, return_tensors="pt")
    log_probabilities = model(**inputs)[0].log_softmax(dim=-1)  # (1, seq, vocab)
    log_probabilities.gather(-1, inputs["input_ids"][..., None]).mean().neg().backward()
    return gradient_flow(model)


class Softmax(NamedTuple):
    """One call of a softmax in the stage `stage`, when so many stages had begun."""

    stage: Stage
    begun: int
    scores: Tensor
    probabilities: Tensor


class Recording(TorchFunctionMode):
    """All that one forward does: its stages with their tensors, and every call of softmax, in order.

    outputs: what the model returned, still part of the graph. stopped: where and why it raised an exception, if it did.
    """

    trace: Trace
    stopped: str | None = None

    def __init__(self) -> None:
        super().__init__()
        self.outputs: dict[str, Tensor] = {}
        self.softmaxes: list[Softmax] = []

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None) -> Any:
        output = func(*args, **(kwargs or {}))
        stage = self.trace.current
        if stage is not None and getattr(func, "__name__", "") == "softmax":  # torch's, F's or a Tensor's
            copies = {"scores": _copy(args[0] if args else (kwargs or {})["input"]), "probabilities": _copy(output)}
            self.softmaxes.append(Softmax(stage, len(self.trace.stages), **copies))
        return output


def record(model: nn.Module, part: nn.Module, inputs: Inputs, may_fail: bool = False) -> Recording:
    """Run a model on copies of the inputs and watch the stages of a part of it. may_fail: note an exception."""
    recording = Recording()
    by_name = inputs if isinstance(inputs, Mapping) else {}
    by_position = () if isinstance(inputs, Mapping) else inputs if isinstance(inputs, tuple) else (inputs,)
    try:
        with evaluation_mode(model), trace(part, keep_tensors=True) as recording.trace, recording:
            outputs = model(*map(_copy, by_position), **{name: _copy(value) for name, value in by_name.items()})
        recording.outputs = named_tensors(outputs)
    except Exception as error:
        if not may_fail:
            raise
        stage = recording.trace.stopped_in
        where = stage.path if stage and stage.path else "its forward"
        recording.stopped = f"{where}: {type(error).__name__}: {error}"
    return recording


def _copy(value: Any) -> Any:
    return value.detach().clone() if isinstance(value, Tensor) else value


def gradients(model: nn.Module, outputs: list[Tensor]) -> dict[str, Tensor]:
    """The gradient of every trainable parameter, a tied one under each of its names; 0 where there is none.

    The loss weighs every number of the outputs differently, so that no two mistakes cancel. `.grad` is left alone.
    """
    named = {n: p for n, p in model.named_parameters(remove_duplicate=False) if p.requires_grad}
    parameters = list(dict.fromkeys(named.values()))
    terms = []
    for x in outputs:
        weights = torch.linspace(-1, 1, x.numel(), dtype=x.dtype, device=x.device).view_as(x)
        terms.append((x * weights).sum() / x.numel() ** 0.5)  # so that gradients keep their size, however many outputs
    found = torch.autograd.grad(torch.stack(terms).sum(), parameters, allow_unused=True)
    by_parameter = {p: torch.zeros_like(p) if g is None else g for p, g in zip(parameters, found, strict=True)}
    return {name: by_parameter[parameter] for name, parameter in named.items()}
