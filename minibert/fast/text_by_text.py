"""The forward of `any_batch.py`: every text of a batch by itself, and what comes out as the rows of a batch.

    (batch, seq)  — a text, without its padding: (1, length) —  the plain forward  — all of them →  (batch, seq, …)

No reference class: ours.
"""

import inspect
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from ..heads.causal_lm import positions_to_keep
from ..model.checks import check_inputs, input_shape, no_tensor, values_unknown
from .linear_layers import own_forward

LOSSES = ("labels", "next_sentence_label", "start_positions", "end_positions")
OF_TOKENS = ("input_ids", "token_type_ids", "position_ids", "inputs_embeds")
OF_ENCODER = ("encoder_hidden_states", "encoder_attention_mask")
TOKENS = {1: "new"}
# Which dimensions of an output run over a text's new tokens, over all its keys, and over the encoder's positions.
PLACES: dict[str, dict[int, str]] = {
    **dict.fromkeys(("last_hidden_state", "hidden_states", "word scores", "prediction_logits"), TOKENS),
    "start_logits": TOKENS,
    "end_logits": TOKENS,
    "scores": {},
    "pooler_output": {},
    "seq_relationship_logits": {},
    "attentions": {2: "new", 3: "keys"},
    "cross_attentions": {2: "new", 3: "encoder"},
    "keys": {2: "keys"},
    "encoder keys": {2: "encoder"},
}

_alone: ContextVar[bool] = ContextVar("alone", default=False)
_turn = threading.RLock()  # the number of threads belongs to the process


def is_alone() -> bool:
    """Whether what runs now is one text already."""
    return _alone.get()


@contextmanager
def one_thread() -> Iterator[None]:
    """Within, products use one thread, and nobody else is here."""
    with _turn:
        before = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            yield
        finally:
            torch.set_num_threads(before)


def plain(model: Any, name: str, /, *args: Any, **named: Any) -> Any:
    """A method of the model as its class has it, for what is one text: its parts run plainly too."""
    token = _alone.set(True)
    try:
        return getattr(type(model), name)(model, *args, **named)
    finally:
        _alone.reset(token)


class Span(NamedTuple):
    """One text of a batch: its row, its new tokens, its keys (cached ones first), and the encoder's positions that it sees."""

    row: slice
    new: slice
    keys: slice
    encoder: slice


def forward(model: Any, *args: Any, **named: Any) -> Any:
    """As the forward of the model's class."""
    if _alone.get():
        return type(model).forward(model, *args, **named)
    given = arguments_of(type(model).forward, model, *args, **named)
    check_model(model)
    for name in LOSSES:
        if given.pop(name, None) is not None:
            raise ValueError(f"{name}: a loss is a mean over the batch. Leave it out, and compute it from the logits.")
    config, shape = model.config, input_shape(given.get("input_ids"), given.get("inputs_embeds"))
    as_object = given.pop("return_dict", config.return_dict and not config.torchscript)
    kept = positions_to_keep(given.pop("logits_to_keep", 0))
    encoder, past = given.get("encoder_hidden_states"), given.pop("past_key_values", None) or ()
    cached = past[0][0].size(2) if past else 0
    sizes = {"new": shape[-1], "keys": cached + shape[-1], "encoder": 0 if encoder is None else encoder.size(1)}
    with one_thread():
        if len(shape) == 3:  # questions with choices: the body takes out the padding of each choice
            spans = [Span(slice(i, i + 1), *[slice(None)] * 3) for i in range(shape[0])]
            outputs = [type(model).forward(model, **inputs_of(given, (), span), return_dict=True) for span in spans]
        else:
            inputs = {name: given.get(name) for name in (*OF_TOKENS, *OF_ENCODER, "attention_mask", "head_mask")}
            check_inputs(model.base_model, past_key_values=past or None, **inputs)
            counted = config.position_embedding_type == "absolute"
            spans = [span_of(row, given, sizes, counted=counted) for row in range(shape[0])]
            outputs = [plain(model, "forward", **inputs_of(given, past, span), return_dict=True) for span in spans]
    if not outputs:
        raise ValueError("The batch has no text.")
    output = outputs[0]
    for name in list(output):
        output[name] = put_together(name, [of_one[name] for of_one in outputs], spans, sizes=sizes)
    if "logits" in output:
        output.logits = output.logits[:, kept]
    if as_object:
        return output
    no_pooler = getattr(model, "pooler", model) is None
    return (output[0], None, *output[1:]) if no_pooler else output.to_tuple()


def arguments_of(function: Any, model: Any, /, *args: Any, **named: Any) -> dict[str, Any]:
    """What a method of the model is given, by name; what is None is left out."""
    given = inspect.signature(function).bind(model, *args, **named).arguments
    return {name: value for name, value in list(given.items())[1:] if value is not None}


def check_model(model: Any) -> None:
    """Raises ValueError where one text alone would not be computed in one way only."""
    if next(model.parameters()).device.type != "cpu":
        raise ValueError("same_in_any_batch is for the CPU: on other devices it has not been measured.")
    if model.config.chunk_size_feed_forward > 0:
        raise ValueError(
            "chunk_size_feed_forward needs padding to a multiple of it, which is left out here: set it to 0."
        )
    for name, module in model.named_modules():
        if isinstance(module, nn.Dropout) and module.training and module.p > 0:
            raise ValueError("Dropout is drawn for a batch as a whole: call model.eval() first.")
        if own_forward(module):
            raise ValueError(f"{name} multiplies in the way that was measured to be faster: leave fast.linear first.")


def span_of(row: int, given: dict[str, Any], sizes: dict[str, int], *, counted: bool) -> Span:
    """Where the text of a row is. counted: whether positions that nobody gives are counted, from the row's first."""
    total, past = sizes["keys"], sizes["keys"] - sizes["new"]
    start, stop, mask = 0, total, given.get("attention_mask")
    if mask is not None:
        shown = of_row(mask, row) != 0  # (keys,) or (new, keys)
        if shown.dim() == 2:  # padding sees nothing, and is seen by nothing
            shown = shown.any(0) | torch.cat([shown.new_zeros(past), shown.any(1)])
        start, stop = outermost(shown)
        stop = total if stop <= past else stop
    if start > 0 and counted and "position_ids" not in given:
        raise ValueError(
            f"Row {row} is padded on the left, and its positions would count the padding: give position_ids."
        )
    new, encoder = slice(max(start - past, 0), stop - past), slice(0, sizes["encoder"])
    if (mask := given.get("encoder_attention_mask")) is not None:
        shown = of_row(mask, row) != 0  # (encoder seq,) or (new, encoder seq)
        encoder = slice(*outermost(shown if shown.dim() == 1 else shown[new].any(0)))
    return Span(slice(row, row + 1), new, keys=slice(start, stop), encoder=encoder)


def of_row(value: Tensor, row: int) -> Tensor:
    """One row of a tensor, or the one that serves all."""
    if values_unknown(value):
        raise ValueError("same_in_any_batch must see the values of a mask: it cannot be traced or compiled.")
    return value[row if value.size(0) > 1 else 0]


def outermost(shown: Tensor) -> tuple[int, int]:
    """The first of (positions,) that is True, and one beyond the last; where none is, all."""
    found = shown.nonzero().flatten()
    return (int(found[0]), int(found[-1]) + 1) if found.numel() else (0, shown.numel())


def inputs_of(given: dict[str, Any], past: tuple[tuple[Tensor, ...], ...], span: Span) -> dict[str, Any]:
    """The arguments for one text. Vectors are copied: what a product gives can depend on where in memory they begin."""
    inputs = dict(given)
    for name, value in given.items():
        if name in (*OF_TOKENS, *OF_ENCODER, "attention_mask"):
            if not isinstance(value, Tensor):
                raise ValueError(no_tensor(name, value))
            value = value[None] if value.dim() == 1 else value
            value = value if value.size(0) == 1 else value[span.row]
            if span.new != slice(None):
                last = {"attention_mask": span.keys, **dict.fromkeys(OF_ENCODER, span.encoder)}.get(name, span.new)
                queries = name.endswith("attention_mask") and value.dim() == 3
                value = value[:, span.new, last] if queries else value[:, last]
            inputs[name] = value.clone()
        elif isinstance(value, Tensor) and (name != "head_mask" or value.dim() == 5):
            raise ValueError(
                f"{name} of shape {tuple(value.shape)}: same_in_any_batch does not know its rows. Leave it out."
            )
    if past:
        of_text = [(span.row, slice(None), slice(span.keys.start, past[0][0].size(2)))] * 2
        of_text += [(span.row, slice(None), span.encoder)] * 2
        inputs["past_key_values"] = tuple(
            tuple(
                kept[where].clone(memory_format=torch.contiguous_format)
                for kept, where in zip(layer, of_text, strict=False)
            )
            for layer in past
        )
    return inputs


def put_together(name: str, found: list[Any], spans: list[Span], *, sizes: dict[str, int]) -> Any:
    """One output of all texts from that of each: a tensor, one for each layer, or the keys and values of each layer."""
    if name == "past_key_values":
        names = ("keys", "keys", "encoder keys", "encoder keys")
        layers = [zip(names, zip(*layer, strict=True), strict=False) for layer in zip(*found, strict=True)]
        return tuple(tuple(placed(kind, list(parts), spans, sizes=sizes) for kind, parts in layer) for layer in layers)
    if isinstance(found[0], tuple):
        return tuple(placed(name, list(parts), spans, sizes=sizes) for parts in zip(*found, strict=True))
    if name == "logits":
        name = "word scores" if found[0].dim() == 3 else "scores"
    return placed(name, found, spans, sizes=sizes)


def placed(name: str, parts: list[Tensor], spans: list[Span], *, sizes: dict[str, int]) -> Tensor:
    """Texts' tensors as rows of one, each where its text is."""
    if name not in PLACES:
        raise ValueError(f"same_in_any_batch does not know the output {name!r}, nor how to put it together.")
    rows = []
    for part, span in zip(parts, spans, strict=True):
        shape, where = list(part.shape), [slice(None)] * part.dim()
        for dimension, kind in PLACES[name].items():
            shape[dimension], where[dimension] = sizes[kind], getattr(span, kind)
        rows.append(part.new_full(shape, -torch.inf if name in ("start_logits", "end_logits") else 0.0))
        rows[-1][tuple(where)] = part
    return torch.cat(rows)
