"""`generate` for a pair: the encoder reads once, the decoder writes.

Reference: `GenerationMixin.generate` for encoder-decoder models.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ..generation.generate import mask_of
from ..heads.causal_lm import BertLMHeadModel
from ..model.bert import BertModel
from .config import EncoderDecoderConfig

# Options that the pair's config has an opinion on, for calls that say nothing.
_SETTLED_BY_THE_PAIR = (
    "max_length",
    "min_length",
    "do_sample",
    "early_stopping",
    "num_beams",
    "temperature",
    "top_k",
    "top_p",
    "repetition_penalty",
    "bad_words_ids",
    "length_penalty",
    "no_repeat_ngram_size",
    "num_return_sequences",
    "pad_token_id",
    "eos_token_id",
)


class PairGeneration:
    """Gives a pair its `generate`."""

    config: EncoderDecoderConfig
    encoder: BertModel
    decoder: BertLMHeadModel

    @torch.no_grad()
    def generate(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        encoder_outputs: Any = None,
        decoder_input_ids: Tensor | None = None,
        decoder_start_token_id: int | None = None,
        **options: Any,
    ) -> Tensor:
        """Read a text and write another: (batch · num_return_sequences, length) ids, the start token first.

        input_ids, attention_mask, token_type_ids: (batch, encoder seq), what the encoder reads; or encoder_outputs, what it
        returned. decoder_input_ids: (batch, prompt), how the answer begins; by default with `decoder_start_token_id`,
        else the config's, else its `bos_token_id`. options: those of `BertLMHeadModel.generate`.
        Raises ValueError where there is nothing to read or to start from.
        """
        for name in _SETTLED_BY_THE_PAIR:
            if options.get(name) is None and not (name == "max_length" and options.get("max_new_tokens") is not None):
                options[name] = getattr(self.config, name)
        if encoder_outputs is None:
            if input_ids is None:
                raise ValueError("There is nothing to read: give input_ids, or encoder_outputs.")
            if attention_mask is None:
                attention_mask = mask_of(input_ids, options["pad_token_id"], options["eos_token_id"])
            encoder_outputs = self.encoder(input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids)
        hidden_states = encoder_outputs[0]  # (batch, encoder seq, hidden)
        if decoder_input_ids is None:
            start = self._start_token(decoder_start_token_id)
            decoder_input_ids = torch.full((hidden_states.size(0), 1), start, device=hidden_states.device)
        return self.decoder.generate(
            decoder_input_ids,
            attention_mask=torch.ones_like(decoder_input_ids),
            encoder_hidden_states=hidden_states,
            encoder_attention_mask=attention_mask,
            **options,
        )

    def _start_token(self, given: int | None) -> int:
        decoder = self.decoder.config
        candidates = (
            given,
            self.config.decoder_start_token_id,
            decoder.decoder_start_token_id,
            self.config.bos_token_id,
            decoder.bos_token_id,
        )
        for token in candidates:
            if token is not None:
                return token
        raise ValueError("The answer needs a first token: give decoder_start_token_id, such as tokenizer.cls_token_id.")
