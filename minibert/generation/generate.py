"""`generate`: read the prompt, then choose one word after the other, each by a forward of the model.

    scores of word t + 1 = model(word t, keys and values of the words before)[last position]

Reference: `GenerationMixin.generate`.
"""

import dataclasses
import operator
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import torch
from torch import Tensor

from ..config import BertConfig, is_whole_number
from ..config_files import SHARED_DEFAULTS
from ..model.checks import no_tensor
from ..model.pretrained import BertPreTrainedModel
from .scores import end_tokens
from .search import NextWord, SearchOptions, beam_search, token_by_token

OPTIONS = [field.name for field in dataclasses.fields(SearchOptions) if field.name != "generator"]
ERA_OPTIONS = ["return_dict_in_generate", "remove_invalid_values", "forced_bos_token_id", "forced_eos_token_id"]
ERA_OPTIONS += ["encoder_no_repeat_ngram_size", "num_beam_groups", "diversity_penalty"]  # that a config may set


class Generation(BertPreTrainedModel):
    """Gives a language model its `generate`."""

    @torch.no_grad()
    def generate(
        self,
        input_ids: Tensor | None = None,
        max_length: int | None = None,
        min_length: int | None = None,
        do_sample: bool | None = None,
        early_stopping: bool | None = None,
        num_beams: int | None = None,
        temperature: float | None = None,
        top_k: int | None = None,
        top_p: float | None = None,
        repetition_penalty: float | None = None,
        bad_words_ids: Sequence[Sequence[int]] | None = None,
        bos_token_id: int | None = None,
        pad_token_id: int | None = None,
        eos_token_id: int | Sequence[int] | None = None,
        length_penalty: float | None = None,
        no_repeat_ngram_size: int | None = None,
        num_return_sequences: int | None = None,
        max_new_tokens: int | None = None,
        use_cache: bool | None = None,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,  # a tokenizer gives them; a decoder has one segment
        encoder_hidden_states: Tensor | None = None,
        encoder_attention_mask: Tensor | None = None,
        generator: torch.Generator | None = None,
        on_tokens: Callable[[Tensor], None] | None = None,
        fast: bool = False,
        positions_from_mask: bool = False,
        **era_options: Any,
    ) -> Any:
        """Continue a prompt.

        input_ids: (batch, prompt) int64; without, the text starts from `bos_token_id`. attention_mask: (batch, prompt),
        by default 0 where there is padding. Every option that is None is what the config says.
        max_length: of prompt and answer together; max_new_tokens: of the answer. min_length: no end before it.
        do_sample: draw words with `temperature`, among the `top_k` and the `top_p`; otherwise search, greedily or with
        `num_beams`. num_return_sequences: texts for each prompt. length_penalty, early_stopping: of beam search.
        repetition_penalty, no_repeat_ngram_size, bad_words_ids: words that become unlikely or must not come.
        encoder_hidden_states: (batch, encoder seq, hidden) for a model with cross-attention, with their mask.
        generator: of the random numbers. on_tokens: called with the words of each step (not by beam search).
        use_cache: keep keys and values, so that each forward reads one word; without, it reads the whole text again.
        fast: with a cache, run words through `minibert.fast.one_token` instead of the model's own forward.
        eos_token_id: what ends a text, one token or a list of them. positions_from_mask: padding on the left has no
        positions, so that a prompt goes on as it would alone, as in today's library; by default it has, as in 4.12.5.
        era_options: what else 4.12.5 takes, such as `output_scores`: see `compat/era_generate.py`.

        Returns (batch · num_return_sequences, length) ids, prompt included, padded after their end.
        Raises ValueError where the options do not fit each other, the prompt or the model.
        """
        config = self.config
        if not config.is_decoder:
            both_ways = "This model reads in both directions, and its scores are of words that it sees, not of the next"
            warnings.warn(f"{both_ways}: load it with is_decoder=True, or train it as a decoder.", stacklevel=3)
        bos_token_id = config.bos_token_id if bos_token_id is None else bos_token_id
        if input_ids is None:
            if bos_token_id is None:
                raise ValueError("Without a prompt the text starts from bos_token_id: give one of the two.")
            input_ids = torch.full((1, 1), bos_token_id, device=self.device)
        if not isinstance(input_ids, Tensor):
            raise ValueError(no_tensor("input_ids", input_ids))
        if input_ids.dim() != 2:
            raise ValueError(f"input_ids has shape {tuple(input_ids.shape)}; it must be (batch, prompt).")
        if max_new_tokens is not None and max_length is not None:
            warnings.warn("Both max_length and max_new_tokens are given: max_length counts.", stacklevel=3)
        elif max_new_tokens is not None:
            max_length = input_ids.size(1) + max_new_tokens
        given = locals()
        settings = {name: getattr(config, name) if given[name] is None else given[name] for name in OPTIONS}
        if attention_mask is None:
            attention_mask = mask_of(input_ids, settings["pad_token_id"], settings["eos_token_id"])
        if len(attention_mask) == 1:  # for every prompt
            attention_mask = attention_mask.expand(len(input_ids), -1)
        if attention_mask.shape != input_ids.shape:
            found, wanted = tuple(attention_mask.shape), tuple(input_ids.shape)
            raise ValueError(f"attention_mask has shape {found}; it must be (batch, prompt) as input_ids: {wanted}.")
        check_padding(attention_mask, config, positions_from_mask)
        if settings["pad_token_id"] is None:
            settings["pad_token_id"] = (*end_tokens(settings["eos_token_id"]), 0)[0]  # without an end nothing is padded
        settings["max_length"] = whole(settings["max_length"])
        options = SearchOptions(**settings, generator=generator)
        check_options(options, config, prompts=input_ids.shape)
        if len(input_ids) == 0:
            raise ValueError("There is no prompt: input_ids has no row.")

        # A prompt takes a row for each beam, and when words are drawn, for each text asked for.
        copies = options.num_beams * (options.num_return_sequences if options.do_sample else 1)
        encoder = {"encoder_hidden_states": encoder_hidden_states, "encoder_attention_mask": encoder_attention_mask}
        next_word = NextWord(
            self,
            attention_mask=attention_mask.repeat_interleave(copies, dim=0),
            encoder={name: t.repeat_interleave(copies, dim=0) for name, t in encoder.items() if t is not None},
            use_cache=config.is_decoder and (config.use_cache if use_cache is None else use_cache),
        )
        next_word.positions_from_mask = positions_from_mask
        input_ids = input_ids.repeat_interleave(copies, dim=0)
        if era_options or any(getattr(config, name) != SHARED_DEFAULTS[name] for name in ERA_OPTIONS):
            from ..compat.era_generate import generate_as_asked

            output = generate_as_asked(next_word, input_ids, options, era_options=era_options, on_tokens=on_tokens)
            if output is not None:  # more was asked for than the searches here do
                return output
        if fast:
            from ..fast.one_token import FastNextWord

            next_word = FastNextWord(next_word, max_length=options.max_length)
        if options.num_beams == 1:
            return token_by_token(next_word, input_ids, options, on_tokens=on_tokens)
        return beam_search(next_word, input_ids, options)


def mask_of(input_ids: Tensor, pad_token_id: int | None, eos_token_id: Any) -> Tensor:
    """0 where a prompt is padded, 1 elsewhere; padding that is also the end token cannot be told from an end."""
    if pad_token_id is None or pad_token_id in end_tokens(eos_token_id):
        return torch.ones_like(input_ids)
    return (input_ids != pad_token_id).long()


def check_padding(attention_mask: Tensor, config: BertConfig, positions_from_mask: bool) -> None:
    """Warn of prompts that will not go on as they would alone. Raises ValueError where counting words cannot help."""
    counts = positions_from_mask or config.position_embedding_type != "absolute"  # relative ones count words anyway
    if bool(attention_mask.all()) or (counts and bool(attention_mask[:, -1].all())):
        return
    if positions_from_mask:
        raise ValueError("positions_from_mask is for prompts padded on the left, but one ends in padding (mask 0).")
    found = "Padded prompts go on otherwise than they would alone, as in transformers 4.12.5"
    warnings.warn(f"{found}: pad them on the left, and give positions_from_mask=True.", stacklevel=4)


def whole(length: Any) -> Any:
    """A whole number in any writing, such as 5.0 or a tensor, as an int; other values as they are."""
    if isinstance(length, bool):
        return length
    with suppress(TypeError):
        return operator.index(int(length) if isinstance(length, float) and length.is_integer() else length)
    return length


def check_options(options: SearchOptions, config: BertConfig, *, prompts: torch.Size) -> None:
    """Raises ValueError for an option out of its range, naming it. prompts: (batch, length)."""
    (rows, prompt_length), positions, length = prompts, config.max_position_embeddings, options.max_length
    if not is_whole_number(length):
        raise ValueError(f"max_length is {length!r}; it must be a whole number, and so must max_new_tokens.")
    if prompt_length >= length:
        raise ValueError(f"The prompt has {prompt_length} tokens and max_length is {length}: nothing left to generate.")
    if length > positions:
        raise ValueError(f"max_length is {length}, but this model knows {positions} positions.")
    least = {"num_beams": 1, "num_return_sequences": 1, "min_length": 0, "top_k": 0, "no_repeat_ngram_size": 0}
    for name, number in least.items():
        value = getattr(options, name)
        if not is_whole_number(value) or value < number:
            kind = "" if is_whole_number(value) else "a whole number, "
            raise ValueError(f"{name} is {value}; it must be {kind}at least {number}.")
    for name in ("temperature", "repetition_penalty"):
        if not getattr(options, name) > 0:
            raise ValueError(f"{name} is {getattr(options, name)}; it must be above 0.")
    if not 0 < options.top_p <= 1:
        raise ValueError(f"top_p is {options.top_p}; it must be above 0 and at most 1, which turns it off.")
    texts, beams = options.num_return_sequences, options.num_beams
    if not options.do_sample and texts > beams:
        raise ValueError(f"num_return_sequences is {texts}, but a search with num_beams = {beams} finds fewer.")
    words, ends = config.vocab_size, options.ends
    for word in options.bad_words_ids or ():
        if not isinstance(word, (list, tuple)) or not word or any(piece not in range(words) for piece in word):
            raise ValueError(f"bad_words_ids holds {word}; a word is a list of ids below {words}.")
    if any(end not in range(words) for end in ends) or len(ends) == words:
        raise ValueError(
            f"eos_token_id is {options.eos_token_id}; it must be among the ids below {words}, and not all."
        )
    if ends and rows * texts > 1 and options.pad_token_id not in range(words):
        raise ValueError(f"pad_token_id is {options.pad_token_id}; it must be among the ids below {words}.")
    if options.no_repeat_ngram_size == 1 and not ends and length - prompt_length > words:
        most = f"no_repeat_ngram_size=1 lets each of the {words} words come once"
        raise ValueError(f"{most}, but max_length asks for {length - prompt_length}: shorten it, or give eos_token_id.")
