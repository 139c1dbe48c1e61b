"""`generate`: settle the options, repeat the prompt as often as needed, and search.

Reference: `GenerationMixin.generate`.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor

from .beam import beam_search
from .next_word import NextWord
from .options import GenerationOptions
from .token_by_token import token_by_token

if TYPE_CHECKING:
    from ..heads.causal_lm import BertLMHeadModel


class Generation:
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
        token_type_ids: Tensor | None = None,  # noqa: ARG002  # a tokenizer gives them; a decoder has one segment
        encoder_hidden_states: Tensor | None = None,
        encoder_attention_mask: Tensor | None = None,
        generator: torch.Generator | None = None,
        on_tokens: Callable[[Tensor], None] | None = None,
        fast: bool = True,
    ) -> Tensor:
        """Go on from a prompt.

        input_ids: (batch, prompt) int64; without, the text starts from `bos_token_id`. attention_mask: (batch, prompt), by
        default 0 where there is padding. Every option that is None is what the config says.
        max_length: of prompt and answer together; max_new_tokens: of the answer. min_length: no end before it.
        do_sample: draw words with `temperature`, among the `top_k` and the `top_p`; otherwise search, greedily or with
        `num_beams`. num_return_sequences: texts for each prompt. length_penalty, early_stopping: of beam search.
        repetition_penalty, no_repeat_ngram_size, bad_words_ids: what shall not be said.
        encoder_hidden_states: (batch, encoder seq, hidden) for a model with cross-attention, with their mask.
        generator: of the random numbers. on_tokens: called with the words of each step (not by beam search).
        fast: over a cache, read each new word as `step.py` does; False calls the model, to step through it. (Hooks on the
        model, replaced modules, autocast and active dropout do so too.)

        Returns (batch · num_return_sequences, length) ids, prompt included, padded after their end.
        Raises ValueError where the options do not fit each other, the prompt or the model.
        """
        model = cast("BertLMHeadModel", self)
        config = model.config
        if not config.is_decoder:
            raise ValueError(
                "generate needs a model that reads from left to right. Build or load it with is_decoder=True."
            )

        def settled(name: str, given: Any) -> Any:
            return getattr(config, name) if given is None else given

        bos_token_id = settled("bos_token_id", bos_token_id)
        pad_token_id = settled("pad_token_id", pad_token_id)
        eos_token_id = settled("eos_token_id", eos_token_id)
        if input_ids is None:
            if bos_token_id is None:
                raise ValueError("Without a prompt the text starts from bos_token_id: give one of the two.")
            input_ids = torch.full((1, 1), bos_token_id, device=model.device)
        if input_ids.dim() != 2:
            raise ValueError(f"input_ids has shape {tuple(input_ids.shape)}; it must be (batch, prompt).")
        if attention_mask is None:
            attention_mask = mask_of(input_ids, pad_token_id, eos_token_id)
        if max_new_tokens is not None:
            if max_length is not None:
                warnings.warn("Both max_length and max_new_tokens are given: max_length counts.", stacklevel=2)
            else:
                max_length = input_ids.size(1) + max_new_tokens
        options = GenerationOptions(
            prompt_length=input_ids.size(1),
            max_length=settled("max_length", max_length),
            max_positions=config.max_position_embeddings,
            vocab_size=config.vocab_size,
            min_length=settled("min_length", min_length),
            do_sample=settled("do_sample", do_sample),
            temperature=settled("temperature", temperature),
            top_k=settled("top_k", top_k),
            top_p=settled("top_p", top_p),
            num_beams=settled("num_beams", num_beams),
            num_return_sequences=settled("num_return_sequences", num_return_sequences),
            length_penalty=settled("length_penalty", length_penalty),
            early_stopping=settled("early_stopping", early_stopping),
            repetition_penalty=settled("repetition_penalty", repetition_penalty),
            no_repeat_ngram_size=settled("no_repeat_ngram_size", no_repeat_ngram_size),
            bad_words_ids=settled("bad_words_ids", bad_words_ids),
            pad_token_id=eos_token_id if pad_token_id is None else pad_token_id,
            eos_token_id=eos_token_id,
            generator=generator,
        )
        encoder = {"encoder_hidden_states": encoder_hidden_states, "encoder_attention_mask": encoder_attention_mask}
        copies = copies_of_each_prompt(options)
        next_word = NextWord(
            model,
            attention_mask.repeat_interleave(copies, dim=0),
            {name: value.repeat_interleave(copies, dim=0) for name, value in encoder.items() if value is not None},
            use_cache=config.use_cache if use_cache is None else use_cache,
            fast=fast,
            max_length=options.max_length,
        )
        input_ids = input_ids.repeat_interleave(copies, dim=0)
        if options.num_beams == 1:
            return token_by_token(next_word, input_ids, options, on_tokens)
        return beam_search(next_word, input_ids, options, kept=1 if options.do_sample else options.num_return_sequences)


def copies_of_each_prompt(options: GenerationOptions) -> int:
    """How many rows a prompt takes: one for each beam, and when words are drawn, for each text asked for."""
    return options.num_beams * (options.num_return_sequences if options.do_sample else 1)


def mask_of(input_ids: Tensor, pad_token_id: int | None, eos_token_id: int | None) -> Tensor:
    """0 where a prompt is padded, 1 elsewhere; padding that is also the end token cannot be told from an end."""
    if pad_token_id is None or pad_token_id == eos_token_id:
        return torch.ones_like(input_ids)
    return (input_ids != pad_token_id).long()
