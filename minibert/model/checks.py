"""Checks of what a model is called with: wrong input gets an error that names it, before any arithmetic.

Each raises ValueError. They read the smallest and the largest id, which costs microseconds, and nothing while a graph is being
captured, where the values are not known.
"""

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from ..config import BertConfig
from ..outputs import PastKeyValues

IGNORED = -100
"""The label of what does not count: `cross_entropy` leaves it out."""

# The ids, what they are looked up in, and its name for a message.
_TABLES = (
    ("input_ids", "word_embeddings", "the vocabulary"),
    ("token_type_ids", "token_type_embeddings", "the segment table"),
    ("position_ids", "position_embeddings", "the position table"),
)


def check_inputs(model: Any, *, past_key_values: PastKeyValues | None, **inputs: Tensor | None) -> None:
    """Everything that `BertModel.forward` (of `model`) is given, checked against its tables, its config and each other.

    The tables themselves say how many ids they have: one may have been replaced since the config was made.
    """
    for name, value in inputs.items():
        if value is not None and not isinstance(value, Tensor):
            raise ValueError(no_tensor(name, value))
    config, embeddings = model.config, model.embeddings
    input_ids, inputs_embeds = inputs["input_ids"], inputs["inputs_embeds"]
    shape = input_shape(input_ids, inputs_embeds)
    if input_ids is not None and len(shape) != 2:
        raise ValueError(f"input_ids has shape {shape}; it must be (batch, seq). For one sentence use input_ids[None].")
    if inputs_embeds is not None:
        if len(shape) != 2 or inputs_embeds.size(-1) != config.hidden_size:
            given = tuple(inputs_embeds.shape)
            raise ValueError(f"inputs_embeds has shape {given}; it must be (batch, seq, {config.hidden_size}).")
        _check_dtype("inputs_embeds", inputs_embeds, model.dtype)
    batch_size, seq_length = shape
    encoder = inputs["encoder_hidden_states"]  # (batch, encoder seq, hidden)
    if encoder is not None:
        _check_encoder(config, encoder, batch_size)
        _check_dtype("encoder_hidden_states", encoder, model.dtype)
    key_length = seq_length
    if past_key_values is not None:
        past = past_key_values
        key_length += _check_past(config, past, batch_size=batch_size, encoder=encoder, dtype=model.dtype)

    if seq_length == 0:
        raise ValueError("The sequence is empty. Give at least one token, such as [CLS].")
    entries = [config.vocab_size, config.type_vocab_size, config.max_position_embeddings]
    for i, (_, stage, _) in enumerate(_TABLES):
        if stage != "position_embeddings" or config.position_embedding_type == "absolute":
            table = getattr(getattr(embeddings, stage, None), "weight", None)  # its rows, whoever put them there
            entries[i] = table.size(0) if isinstance(table, Tensor) else entries[i]
    counted = getattr(embeddings, "position_ids", None)  # the positions of a caller who gives none
    known = entries[-1] if counted is None else min(entries[-1], counted.size(-1))
    if key_length > known and (inputs["position_ids"] is None or config.position_embedding_type != "absolute"):
        raise ValueError(
            f"The sequence has {key_length} tokens, but this model knows {known} positions: use truncation=True."
        )
    chunk = config.chunk_size_feed_forward
    if chunk > 0 and seq_length % chunk != 0:
        raise ValueError(f"{seq_length} positions are no multiple of chunk_size_feed_forward = {chunk}: pad them.")
    _check_ids(inputs, shape, entries)
    sizes = (batch_size, seq_length, key_length)
    _check_mask("attention_mask", inputs["attention_mask"], sizes)
    if inputs["head_mask"] is not None:
        _check_head_mask(config, inputs["head_mask"], sizes)
    if encoder is not None:
        sizes = (batch_size, seq_length, encoder.size(1))
        _check_mask("encoder_attention_mask", inputs["encoder_attention_mask"], sizes)


def no_tensor(name: str, value: Any) -> str:
    """What to tell a caller who gave something else than a tensor."""
    if isinstance(value, Mapping):
        advice = "give its columns by name: model(**encoding)"
    elif name in ("input_ids", "token_type_ids", "attention_mask"):
        advice = 'the tokenizer makes tensors when asked: model(**tokenizer(text, return_tensors="pt"))'
    else:
        advice = f"use torch.tensor({name})"
    return f"{name} is of type {type(value).__name__}, and must be a tensor; {advice}."


def _check_ids(inputs: dict[str, Tensor | None], shape: tuple[int, ...], sizes: list[int]) -> None:
    """Ids are whole numbers in [0, size of their table), of this shape; one row, (1, seq) or (seq,), serves all rows."""
    for (name, _, table), size in zip(_TABLES, sizes, strict=True):
        ids = inputs[name]
        if ids is None:
            continue
        if ids.dtype not in (torch.int64, torch.int32):
            raise ValueError(f"{name} has dtype {ids.dtype}. Ids are whole numbers: use torch.long.")
        if ids.shape not in (shape, (1, *shape[1:]), shape[1:]):
            raise ValueError(f"{name} has shape {tuple(ids.shape)}; the input has {shape}. They must be equal.")
        if values_unknown(ids) or ids.numel() == 0:
            continue
        if ids.is_cuda:
            _check_without_waiting(
                (ids >= 0) & (ids < size), f"An id of {name} is not in 0 to {size - 1}: {table} has {size}."
            )
            continue
        low, high = torch.aminmax(ids)
        if low < 0 or high >= size:
            wrong = int(low) if low < 0 else int(high)
            position = (ids == wrong).nonzero()[0].tolist()
            raise ValueError(f"{name}{position} is {wrong}, but {table} has {size} entries: 0 to {size - 1}.")


def values_unknown(tensor: Tensor) -> bool:
    """Whether values cannot be read: a graph is captured, `torch.func` is at work, or the tensor only has a shape."""
    return (
        torch.compiler.is_compiling()
        or torch.jit.is_tracing()  # type: ignore[attr-defined]
        or torch._C._functorch.maybe_current_level() is not None
        or torch._C._get_dispatch_mode(torch._C._TorchDispatchModeKey.PROXY) is not None  # make_fx
        or tensor.is_meta
        or type(tensor) not in (Tensor, nn.Parameter)
    )


def _check_without_waiting(right: Tensor, message: str) -> None:
    """On a GPU the values are not there yet; to read one would stop the program until they are. The GPU itself ends with the message."""
    torch._assert_async(right.all(), message)


def input_shape(input_ids: Tensor | None, inputs_embeds: Tensor | None) -> tuple[int, ...]:
    """The shape of the ids, or the shape they would have had: (batch, seq), or with choices (batch, choices, seq).

    Raises ValueError unless exactly one of the two is given.
    """
    for name, value in (("input_ids", input_ids), ("inputs_embeds", inputs_embeds)):
        if value is not None and not isinstance(value, Tensor):
            raise ValueError(no_tensor(name, value))
    if input_ids is not None and inputs_embeds is None:
        return tuple(input_ids.shape)
    if inputs_embeds is not None and input_ids is None:
        return tuple(inputs_embeds.shape[:-1])
    raise ValueError("Give either input_ids or inputs_embeds, and not both.")


def check_labels(name: str, labels: Tensor, shape: tuple[int, ...], *, num_classes: int | None) -> None:
    """Class labels must be int64, as many as `shape` has positions, in [0, num_classes) or −100: not counted.

    num_classes None allows any number.
    """
    check_shape_of_labels(name, labels, shape)
    if labels.dtype != torch.long:
        raise ValueError(f"{name} has dtype {labels.dtype}. Class labels are whole numbers: use torch.long.")
    if num_classes is None or values_unknown(labels):
        return
    wrong = (labels != IGNORED) & ((labels < 0) | (labels >= num_classes))
    if labels.is_cuda:
        _check_without_waiting(~wrong, f"One of {name} is neither {IGNORED} nor in 0 to {num_classes - 1}.")
    elif wrong.any():
        position, found = wrong.nonzero()[0].tolist(), int(labels[wrong][0])
        known = f"labels run from 0 to {num_classes - 1}, and {IGNORED} means: not counted"
        raise ValueError(f"{name}{position} is {found}; {known}.")


def check_targets(name: str, targets: Tensor, shape: tuple[int, ...]) -> None:
    """Targets of a regression, or of yes-or-no decisions, must be real numbers, of `shape` but for sizes of 1, or flat."""
    check_shape_of_labels(name, targets, shape)
    if not targets.is_floating_point():
        raise ValueError(f"{name} has dtype {targets.dtype}. These targets are real numbers: use {name}.float().")


def check_shape_of_labels(name: str, labels: Tensor, shape: tuple[int, ...]) -> None:
    """`shape`, but for sizes of 1, or flat: as many in another shape, such as (seq, batch), would be read in a wrong order."""
    if not isinstance(labels, Tensor):
        raise ValueError(no_tensor(name, labels))
    given, wanted = ([size for size in sizes if size != 1] for sizes in (labels.shape, shape))
    if given not in (wanted, [math.prod(shape)]) or labels.numel() != math.prod(shape):
        raise ValueError(f"{name} has shape {tuple(labels.shape)}; it must be {shape}, one label for each prediction.")


def _check_mask(name: str, mask: Tensor | None, sizes: tuple[int, int, int]) -> None:
    if mask is None:
        return
    batch_size, seq_length, key_length = sizes
    allowed = {2: (key_length,), 3: (seq_length, key_length)}
    if mask.dim() not in allowed or mask.size(0) not in (1, batch_size) or mask.shape[1:] != allowed[mask.dim()]:
        raise ValueError(
            f"{name} has shape {tuple(mask.shape)}; it must be ({batch_size}, {key_length}) "
            f"or ({batch_size}, {seq_length}, {key_length}): (batch, keys) or (batch, queries, keys)."
        )


def _check_dtype(name: str, vectors: Tensor, dtype: torch.dtype) -> None:
    """Vectors must be of the model's dtype; under autocast PyTorch sees to that."""
    if vectors.dtype != dtype and not torch.is_autocast_enabled(vectors.device.type):
        raise ValueError(f"{name} has dtype {vectors.dtype}, the model {dtype}. Convert it: {name}.to(model.dtype).")


def _check_head_mask(config: BertConfig, head_mask: Tensor, sizes: tuple[int, int, int]) -> None:
    layers, heads = config.num_hidden_layers, config.num_attention_heads
    pruned = any(config.pruned_heads.values())  # then layers differ in their number of heads
    fits = head_mask.shape in ((heads,), (layers, heads))
    if head_mask.dim() == 5:
        batch_size, seq_length, key_length = sizes
        full = (batch_size, heads, seq_length, key_length)
        pairs = zip(head_mask.shape[1:], full, strict=True)
        fits = head_mask.size(0) == layers and all(size in (1, whole) for size, whole in pairs)
    if not fits and not (pruned and head_mask.dim() in (1, 2, 5)):
        raise ValueError(f"head_mask has shape {tuple(head_mask.shape)}; it must be ({heads},) or ({layers}, {heads}).")


def _check_past(
    config: BertConfig,
    past_key_values: PastKeyValues,
    *,
    batch_size: int,
    encoder: Tensor | None,
    dtype: torch.dtype,
) -> int:
    """Returns how many tokens it holds."""
    given, layers = len(past_key_values), config.num_hidden_layers
    if given != layers:
        raise ValueError(f"past_key_values has {given} layers, the model {layers}. Give back what this model returned.")
    length = past_key_values[0][0].size(2) if past_key_values else 0
    width = config.hidden_size_per_head
    for i, layer in enumerate(past_key_values):
        if len(layer) != 4 and (encoder is not None or len(layer) != 2):
            raise ValueError(f"past_key_values[{i}] has {len(layer)} tensors; it must have 2, or 4 with an encoder.")
        heads = config.num_attention_heads - len(config.pruned_heads.get(i, ()))
        own = (batch_size, heads, length, width), "the same length in every layer"
        fits = [own, own]
        if encoder is not None:  # whose keys and values no pruning cuts
            crossed = (batch_size, config.num_attention_heads, encoder.size(1), width), "as encoder_hidden_states is"
            fits += [crossed, crossed]
        for place, (tensor, (expected, why)) in enumerate(zip(layer, fits, strict=False)):
            if tensor.shape != expected:
                found = f"past_key_values[{i}] holds a tensor of shape {tuple(tensor.shape)}"
                raise ValueError(f"{found}; it must be {expected}, {why}.")
            narrow = tensor.is_floating_point() and torch.promote_types(tensor.dtype, dtype) == dtype
            if place > 1 or not narrow:  # the model's own are joined with new ones, in its dtype
                _check_dtype(f"past_key_values[{i}]", tensor, dtype)
    return length


def _check_encoder(config: BertConfig, encoder_hidden_states: Tensor, batch_size: int) -> None:
    if not config.add_cross_attention:
        raise ValueError(
            "encoder_hidden_states were given, but this model has no cross-attention. "
            "Build it with is_decoder=True and add_cross_attention=True."
        )
    shape, width, known = tuple(encoder_hidden_states.shape), config.hidden_size, config.max_position_embeddings
    if len(shape) != 3 or shape[0] != batch_size or shape[2] != width:
        raise ValueError(f"encoder_hidden_states has shape {shape}; it must be ({batch_size}, encoder seq, {width}).")
    if config.position_embedding_type != "absolute" and shape[1] > known:
        raise ValueError(
            f"encoder_hidden_states has {shape[1]} positions, but relative distances are known up to {known}."
        )
