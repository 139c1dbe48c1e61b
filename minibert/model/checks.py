"""Checks of what a model is called with: wrong input gets an error that names it, before any arithmetic.

Each raises ValueError. They read the smallest and the largest id, which costs microseconds, and nothing while a graph is being
captured, where the values are not known.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

from ..config import BertConfig
from ..outputs import PastKeyValues

IGNORED = -100
"""The label of what does not count: `cross_entropy` leaves it out."""

_INTEGERS = (torch.int64, torch.int32)  # what an embedding table can be read with


def check_inputs(
    model: Any,
    *,
    input_ids: Tensor | None,
    attention_mask: Tensor | None,
    token_type_ids: Tensor | None,
    position_ids: Tensor | None,
    head_mask: Tensor | None,
    inputs_embeds: Tensor | None,
    encoder_hidden_states: Tensor | None,
    encoder_attention_mask: Tensor | None,
    past_key_values: PastKeyValues | None,
) -> None:
    """Everything that `BertModel.forward` (of `model`) is given, checked against its tables, its config and each other.

    The tables themselves say how many ids they have: one may have been replaced since the config was made.
    """
    config, embeddings = model.config, model.embeddings
    words = getattr(getattr(embeddings, "word_embeddings", None), "num_embeddings", config.vocab_size)
    segments = getattr(getattr(embeddings, "token_type_embeddings", None), "num_embeddings", config.type_vocab_size)
    positions = config.max_position_embeddings
    if config.position_embedding_type == "absolute":
        positions = getattr(getattr(embeddings, "position_embeddings", None), "num_embeddings", positions)
    tensors = {
        "input_ids": input_ids,
        "attention_mask": attention_mask,
        "token_type_ids": token_type_ids,
        "position_ids": position_ids,
        "head_mask": head_mask,
        "inputs_embeds": inputs_embeds,
        "encoder_hidden_states": encoder_hidden_states,
        "encoder_attention_mask": encoder_attention_mask,
    }
    for name, value in tensors.items():
        if value is not None and not isinstance(value, Tensor):
            raise ValueError(f"{name} is a {type(value).__name__}; it must be a tensor: torch.tensor({name}).")
    shape = input_shape(input_ids, inputs_embeds)
    read = not values_unknown(inputs_embeds if input_ids is None else input_ids)
    if input_ids is not None:
        if len(shape) != 2:
            raise ValueError(
                f"input_ids has shape {shape}; it must be (batch, seq). For one sentence use input_ids[None]."
            )
        check_ids("input_ids", input_ids, shape, size=words, table="the vocabulary", read=read)
    if inputs_embeds is not None:
        if len(shape) != 2 or inputs_embeds.size(-1) != config.hidden_size:
            raise ValueError(
                f"inputs_embeds has shape {tuple(inputs_embeds.shape)}; it must be (batch, seq, {config.hidden_size})."
            )
        _check_dtype("inputs_embeds", inputs_embeds, model.dtype)
    batch_size, seq_length = shape
    key_length = seq_length
    if past_key_values is not None:
        _check_past(config, past_key_values, batch_size, with_encoder=encoder_hidden_states is not None)
    if past_key_values:
        key_length += past_key_values[0][0].size(2)

    if seq_length == 0:
        raise ValueError("The sequence is empty. Give at least one token, such as [CLS].")
    absolute_positions_given = config.position_embedding_type == "absolute" and position_ids is not None
    counted = getattr(embeddings, "position_ids", None)  # the positions of a caller who gives none
    known = positions if counted is None else min(positions, counted.size(-1))
    if key_length > known and not absolute_positions_given:
        raise ValueError(
            f"The sequence has {key_length} tokens, but this model knows {known} positions "
            "(config.max_position_embeddings). Truncate the text: tokenizer(…, truncation=True)."
        )
    chunk = config.chunk_size_feed_forward
    if chunk > 0 and seq_length % chunk != 0:
        raise ValueError(
            f"The sequence has {seq_length} positions, no multiple of chunk_size_feed_forward = {chunk}. "
            "Pad the sequence or choose a chunk that divides it."
        )
    if token_type_ids is not None:
        check_ids("token_type_ids", token_type_ids, shape, size=segments, table="the segment table", read=read)
    if position_ids is not None:
        check_ids("position_ids", position_ids, shape, size=positions, table="the position table", read=read)
    if attention_mask is not None:
        _check_mask("attention_mask", attention_mask, (batch_size, seq_length, key_length))
    if head_mask is not None:
        _check_head_mask(config, head_mask, (batch_size, seq_length, key_length))
    if encoder_hidden_states is not None:
        _check_encoder(config, encoder_hidden_states, batch_size)
        _check_dtype("encoder_hidden_states", encoder_hidden_states, model.dtype)
        if encoder_attention_mask is not None:
            shape = (batch_size, seq_length, encoder_hidden_states.size(1))
            _check_mask("encoder_attention_mask", encoder_attention_mask, shape)


def check_ids(name: str, ids: Tensor, shape: tuple[int, ...], *, size: int, table: str, read: bool) -> None:
    """`ids` must be whole numbers in [0, size), of this shape; one row, (1, seq) or (seq,), serves every row.

    table: what they are looked up in, for the message. read: whether the values can be read, see `values_unknown`.
    """
    if ids.dtype not in _INTEGERS:
        raise ValueError(f"{name} has dtype {ids.dtype}. Ids are whole numbers: use torch.long.")
    if ids.shape not in (shape, (1, *shape[1:]), shape[1:]):
        raise ValueError(f"{name} has shape {tuple(ids.shape)}; the input has {shape}. They must be equal.")
    if not read or ids.numel() == 0:
        return
    low, high = torch.aminmax(ids)
    if low < 0 or high >= size:
        wrong = int(low) if low < 0 else int(high)
        position = (ids == wrong).nonzero()[0].tolist()
        raise ValueError(f"{name}{position} is {wrong}, but {table} has {size} entries: 0 to {size - 1}.")


def values_unknown(tensor: Tensor | None) -> bool:
    """Whether a tensor's values cannot be read: a graph is being captured, a transform of `torch.func` is at work, or there
    are none, as in a tensor that only has a shape.
    """
    return (
        torch.compiler.is_compiling()
        or torch.jit.is_tracing()  # type: ignore[attr-defined]
        or torch._C._functorch.maybe_current_level() is not None
        or tensor is None
        or tensor.is_meta
        or type(tensor) not in (Tensor, nn.Parameter)
    )


def input_shape(input_ids: Tensor | None, inputs_embeds: Tensor | None) -> tuple[int, ...]:
    """The shape of the ids, or the shape they would have had: (batch, seq), or with choices (batch, choices, seq).

    Raises ValueError unless exactly one of the two is given.
    """
    if input_ids is not None and inputs_embeds is None:
        return tuple(input_ids.shape)
    if inputs_embeds is not None and input_ids is None:
        return tuple(inputs_embeds.shape[:-1])
    raise ValueError("Give either input_ids or inputs_embeds, and not both.")


def check_labels(name: str, labels: Tensor, shape: tuple[int, ...], *, num_classes: int | None) -> None:
    """Class labels must be int64, as many as `shape` has positions, in [0, num_classes) or −100: not counted.

    num_classes None allows any number.
    """
    if labels.dtype != torch.long:
        raise ValueError(f"{name} has dtype {labels.dtype}. Class labels are whole numbers: use torch.long.")
    _check_number_of_labels(name, labels, shape)
    if num_classes is None or values_unknown(labels):
        return
    wrong = (labels != IGNORED) & ((labels < 0) | (labels >= num_classes))
    if wrong.any():
        position = wrong.nonzero()[0].tolist()
        raise ValueError(
            f"{name}{position} is {int(labels[tuple(position)])}; labels run from 0 to {num_classes - 1}, "
            f"and {IGNORED} means: not counted."
        )


def check_targets(name: str, targets: Tensor, shape: tuple[int, ...]) -> None:
    """Targets of a regression, or of yes-or-no decisions, must be real numbers, as many as `shape` has positions."""
    if not targets.is_floating_point():
        raise ValueError(f"{name} has dtype {targets.dtype}. These targets are real numbers: use {name}.float().")
    _check_number_of_labels(name, targets, shape)


def _check_number_of_labels(name: str, labels: Tensor, shape: tuple[int, ...]) -> None:
    if labels.numel() != math.prod(shape):
        raise ValueError(f"{name} has shape {tuple(labels.shape)}; it must be {shape}, one label for each prediction.")


def _check_mask(name: str, mask: Tensor, sizes: tuple[int, int, int]) -> None:
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


def _check_past(config: BertConfig, past_key_values: PastKeyValues, batch_size: int, *, with_encoder: bool) -> None:
    if len(past_key_values) != config.num_hidden_layers:
        raise ValueError(
            f"past_key_values has {len(past_key_values)} layers, the model {config.num_hidden_layers}. "
            "Give back what this model returned."
        )
    length = past_key_values[0][0].size(2) if past_key_values else 0
    for i, layer in enumerate(past_key_values):
        if len(layer) != 4 and (with_encoder or len(layer) != 2):
            raise ValueError(f"past_key_values[{i}] has {len(layer)} tensors; it must have 2, or 4 with an encoder.")
        heads = config.num_attention_heads - len(config.pruned_heads.get(i, ()))
        expected = (batch_size, heads, length, config.hidden_size // config.num_attention_heads)
        for tensor in layer[:2]:
            if tensor.shape != expected:
                raise ValueError(
                    f"past_key_values[{i}] holds a tensor of shape {tuple(tensor.shape)}; it must be "
                    f"{expected}, the same length in every layer."
                )


def _check_encoder(config: BertConfig, encoder_hidden_states: Tensor, batch_size: int) -> None:
    if not config.add_cross_attention:
        raise ValueError(
            "encoder_hidden_states were given, but this model has no cross-attention. "
            "Build it with is_decoder=True and add_cross_attention=True."
        )
    shape = tuple(encoder_hidden_states.shape)
    if len(shape) != 3 or shape[0] != batch_size or shape[2] != config.hidden_size:
        raise ValueError(
            f"encoder_hidden_states has shape {shape}; it must be ({batch_size}, encoder seq, {config.hidden_size})."
        )
    if config.position_embedding_type != "absolute" and shape[1] > config.max_position_embeddings:
        raise ValueError(
            f"encoder_hidden_states has {shape[1]} positions, but relative distances are known up to "
            f"{config.max_position_embeddings} (config.max_position_embeddings)."
        )
