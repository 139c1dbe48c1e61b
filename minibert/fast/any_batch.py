"""The same answer in any batch, which is not faster: 0.7 to 2 times a padded batch's time, `generate` 3 to 5 times (docs/parity.md).

A matrix product adds in another order when it has other rows, more padding or more threads, so the last bits of a text change with what
else is in its batch. Here every text runs alone: without its padding, on one thread, by the plain forward. To the bit it gets

    model(its own tokens).logits                     whatever stands beside it

    with same_in_any_batch(model):
        model(**batch)                               and model.generate(…), every prompt alone

A text reaches from the first token that the mask shows to the last; a hole between them stays in it. Around it the result is 0, and the
start and end logits are −∞. What depends on the batch all the same is refused: a loss, which is a mean over it; dropout; positions that
count the padding; words drawn for several prompts; products whose way is chosen by measured time. No reference class: ours.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from types import MethodType
from typing import Any

import torch
from torch import Tensor

from ..encoder_decoder import EncoderDecoderModel
from ..generation.generate import Generation, mask_of
from ..generation.scores import end_tokens
from ..model.pretrained import BertPreTrainedModel
from .text_by_text import (
    OF_ENCODER,
    arguments_of,
    check_model,
    forward,
    inputs_of,
    is_alone,
    one_thread,
    plain,
    span_of,
)


@contextmanager
def same_in_any_batch(model: BertPreTrainedModel) -> Iterator[None]:
    """Within, a text's outputs and generated ids depend on nothing but the text. On the CPU; measured in float32.

    A model called with what depends on the batch all the same raises ValueError.
    """
    pair = isinstance(model, EncoderDecoderModel)
    models: list[Any] = [model.encoder, model.decoder, model.decoder.bert] if pair else [model, model.base_model]  # type: ignore[union-attr]
    with ExitStack() as changes:
        for part in dict.fromkeys(models):
            for name, function in (("forward", forward), ("generate", generate)):
                found = getattr(vars(part).get(name), "__func__", vars(part).get(name))
                if found not in (None, function):
                    raise ValueError(
                        f"{type(part).__name__}.{name} has been replaced already: leave the other way first."
                    )
                if found is None and (name == "forward" or isinstance(part, Generation)):
                    setattr(part, name, MethodType(function, part))
                    changes.callback(delattr, part, name)
        yield


def generate(model: Any, *args: Any, **named: Any) -> Any:
    """As `Generation.generate`: a prompt goes on as it would alone, without its padding."""
    if is_alone():
        return type(model).generate(model, *args, **named)
    given = arguments_of(Generation.generate, model, *args, **named)
    era_options = given.pop("era_options", {})
    given |= era_options
    check_model(model)
    if given.pop("fast", False):
        raise ValueError("fast=True chooses how to multiply by measured time: leave it out within same_in_any_batch.")
    setting = lambda name: given.get(name, getattr(model.config, name))  # noqa: E731
    ids, pad, ends = given.pop("input_ids", None), setting("pad_token_id"), setting("eos_token_id")
    mask = given.pop("attention_mask", None)
    if mask is None and isinstance(ids, Tensor):
        mask = mask_of(ids, pad, ends)
    several = isinstance(ids, Tensor) and ids.dim() == 2 and ids.size(0) > 1
    if several:
        check_several(given, era_options, draws=setting("do_sample"))
    if not isinstance(ids, Tensor) or mask.shape != ids.shape or (not several and bool(mask.all())):
        with one_thread():
            return plain(model, "generate", ids, **given, **({} if mask is None else {"attention_mask": mask}))
    relative = model.config.position_embedding_type != "absolute"
    if not bool(mask.all()) and not (bool(mask[:, -1].all()) and (relative or given.get("positions_from_mask"))):
        raise ValueError(
            "Padded prompts go on otherwise than alone: pad on the left, and give positions_from_mask=True."
        )
    longest = given.pop("max_length", None)
    if longest is None and "max_new_tokens" not in given:
        longest = model.config.max_length
    fewest, fill = setting("min_length"), (*([] if pad is None else [pad]), *end_tokens(ends), 0)[0]
    read = {"attention_mask": mask, **{name: given.pop(name) for name in OF_ENCODER if name in given}}
    states = read.get("encoder_hidden_states")
    sizes = {"new": ids.size(1), "keys": ids.size(1), "encoder": 0 if states is None else states.size(1)}
    rows: list[Tensor] = []
    for i in range(ids.size(0)):
        span = span_of(i, read, sizes, counted=False)
        prompt = inputs_of({"input_ids": ids, **read}, (), span)
        start = span.new.start  # lengths count a prompt's padding, which is not there alone
        lengths = {"min_length": max(fewest - start, 0), **({} if longest is None else {"max_length": longest - start})}
        with one_thread():
            output = plain(model, "generate", **{**given, **prompt, **lengths})
        if not isinstance(output, Tensor):
            raise ValueError("return_dict_in_generate: ask for one prompt at a time within same_in_any_batch.")
        rows += [torch.cat([ids[i, :start], text]) for text in output]
    whole = rows[0].new_full((len(rows), max(row.size(0) for row in rows)), fill)
    for text, row in zip(whole, rows, strict=True):
        text[: row.size(0)] = row
    return whole


def check_several(given: dict[str, Any], era_options: dict[str, Any], *, draws: bool) -> None:
    """Raises ValueError for options of `generate` whose meaning depends on which prompts stand beside each other."""
    if draws:
        raise ValueError(
            "Words that are drawn depend on who draws first: with do_sample, generate one prompt at a time."
        )
    if "on_tokens" in given:
        raise ValueError("on_tokens is called with the words of all prompts: generate one prompt at a time.")
    for name, value in era_options.items():
        if value is not None and not isinstance(value, (bool, int, float)):
            raise ValueError(f"{name} may look at the whole batch: generate one prompt at a time.")
