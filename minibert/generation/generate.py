"""`generate`: read the prompt, then choose one word after the other, each by a forward of the model.

    scores of word t + 1 = model(word t, keys and values of the words before)[last position]

Reference: `GenerationMixin.generate`.
"""

import dataclasses
import warnings
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from ..config import BertConfig
from ..model.pretrained import BertPreTrainedModel
from .search import NextWord, SearchOptions, beam_search, token_by_token

OPTIONS = [field.name for field in dataclasses.fields(SearchOptions) if field.name != "generator"]


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
        eos_token_id: int | None = None,
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
    ) -> Tensor:
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
        fast: with a cache, run each new word through `minibert.fast.one_token` instead of the model's own forward.

        Returns (batch · num_return_sequences, length) ids, prompt included, padded after their end.
        Raises ValueError where the options do not fit each other, the prompt or the model.
        """
        config = self.config
        if not config.is_decoder:
            raise ValueError("generate needs a model that reads from left to right: load it with is_decoder=True.")
        bos_token_id = config.bos_token_id if bos_token_id is None else bos_token_id
        if input_ids is None:
            if bos_token_id is None:
                raise ValueError("Without a prompt the text starts from bos_token_id: give one of the two.")
            input_ids = torch.full((1, 1), bos_token_id, device=self.device)
        if input_ids.dim() != 2:
            raise ValueError(f"input_ids has shape {tuple(input_ids.shape)}; it must be (batch, prompt).")
        if max_new_tokens is not None and max_length is not None:
            warnings.warn("Both max_length and max_new_tokens are given: max_length counts.", stacklevel=2)
        elif max_new_tokens is not None:
            max_length = input_ids.size(1) + max_new_tokens
        given = locals()
        settings = {name: getattr(config, name) if given[name] is None else given[name] for name in OPTIONS}
        if attention_mask is None:
            attention_mask = mask_of(input_ids, settings["pad_token_id"], settings["eos_token_id"])
        if settings["pad_token_id"] is None:
            settings["pad_token_id"] = settings["eos_token_id"] or 0  # without an end there is nothing to pad
        options = SearchOptions(**settings, generator=generator)
        check_options(options, config, prompt_length=input_ids.size(1))

        # A prompt takes a row for each beam, and when words are drawn, for each text asked for.
        copies = options.num_beams * (options.num_return_sequences if options.do_sample else 1)
        encoder = {"encoder_hidden_states": encoder_hidden_states, "encoder_attention_mask": encoder_attention_mask}
        next_word = NextWord(
            self,
            attention_mask=attention_mask.repeat_interleave(copies, dim=0),
            encoder={name: t.repeat_interleave(copies, dim=0) for name, t in encoder.items() if t is not None},
            use_cache=config.use_cache if use_cache is None else use_cache,
        )
        if fast:
            from ..fast.one_token import FastNextWord

            next_word = FastNextWord(next_word, max_length=options.max_length)
        input_ids = input_ids.repeat_interleave(copies, dim=0)
        if options.num_beams == 1:
            return token_by_token(next_word, input_ids, options, on_tokens=on_tokens)
        return beam_search(next_word, input_ids, options)


def mask_of(input_ids: Tensor, pad_token_id: int | None, eos_token_id: int | None) -> Tensor:
    """0 where a prompt is padded, 1 elsewhere; padding that is also the end token cannot be told from an end."""
    if pad_token_id is None or pad_token_id == eos_token_id:
        return torch.ones_like(input_ids)
    return (input_ids != pad_token_id).long()


def check_options(options: SearchOptions, config: BertConfig, prompt_length: int) -> None:
    """Raises ValueError for an option out of its range, naming it."""
    positions, length = config.max_position_embeddings, options.max_length
    if prompt_length >= length:
        raise ValueError(f"The prompt has {prompt_length} tokens and max_length is {length}: nothing left to generate.")
    if length > positions:
        raise ValueError(f"max_length is {length}, but this model knows {positions} positions.")
    least = {"num_beams": 1, "num_return_sequences": 1, "min_length": 0, "top_k": 0, "no_repeat_ngram_size": 0}
    for name, number in least.items():
        if getattr(options, name) < number:
            raise ValueError(f"{name} is {getattr(options, name)}; it must be at least {number}.")
    for name in ("temperature", "repetition_penalty"):
        if not getattr(options, name) > 0:
            raise ValueError(f"{name} is {getattr(options, name)}; it must be above 0.")
    if not 0 < options.top_p <= 1:
        raise ValueError(f"top_p is {options.top_p}; it must be above 0 and at most 1, which turns it off.")
    texts, beams = options.num_return_sequences, options.num_beams
    if not options.do_sample and texts > beams:
        raise ValueError(f"num_return_sequences is {texts}, but a search with num_beams = {beams} finds fewer.")
    for word in options.bad_words_ids or ():
        if not word or any(not 0 <= piece < config.vocab_size for piece in word):
            raise ValueError(f"bad_words_ids holds {list(word)}; a word is a list of ids below {config.vocab_size}.")
