"""The decoder's input in a pair: the labels, moved by one, in training; in `generate`, the words written so far.

The encoder reads once for each text, then the decoder writes word by word.

Reference: `GenerationMixin.generate` for encoder-decoder models.
"""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..generation.generate import given_or_from_config, mask_of
from ..generation.search import SearchOptions
from ..heads.causal_lm import BertLMHeadModel
from ..model.bert import BertModel
from ..outputs import PastKeyValues
from .pair_config import EncoderDecoderConfig

# Options that the pair's config may set, for calls that leave them out.
OPTIONS = tuple(field.name for field in fields(SearchOptions) if field.name != "generator")


class PairGeneration(nn.Module):
    """Gives a pair the input of its decoder, and its `generate`."""

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
        counts_new_tokens = options.get("max_new_tokens") is not None
        names = [name for name in OPTIONS if not (name == "max_length" and counts_new_tokens)]
        options |= given_or_from_config({name: options.get(name) for name in names}, self.config)
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

    def prepare_decoder_input_ids_from_labels(self, labels: Tensor) -> Tensor:
        """The labels moved one to the right: the start token first, padding where a label does not count."""
        start, padding = self.config.decoder_start_token_id, self.config.pad_token_id
        if start is None or padding is None:
            raise ValueError(
                f"Labels need model.config.decoder_start_token_id (it is {start}) and model.config.pad_token_id "
                f"(it is {padding}): set them to the tokenizer's cls_token_id and pad_token_id."
            )
        if labels.dim() != 2:
            raise ValueError(f"labels has shape {tuple(labels.shape)}; it must be (batch, seq).")
        moved = F.pad(labels[:, :-1], (1, 0), value=start)
        return moved.masked_fill(moved == -100, padding)

    def prepare_inputs_for_generation(
        self,
        input_ids: Tensor,
        past: PastKeyValues | None = None,
        attention_mask: Tensor | None = None,
        use_cache: bool | None = None,
        encoder_outputs: Any = None,
        **model_kwargs: Any,  # noqa: ARG002  # what else the reference's caller passes along
    ) -> dict[str, Any]:
        """The arguments of the next forward; `input_ids` are the words written so far."""
        of_decoder = self.decoder.prepare_inputs_for_generation(input_ids, past=past)
        return {
            "attention_mask": attention_mask,
            "decoder_attention_mask": of_decoder["attention_mask"],
            "decoder_input_ids": of_decoder["input_ids"],
            "encoder_outputs": encoder_outputs,
            "past_key_values": of_decoder["past_key_values"],
            "use_cache": use_cache,
        }

    def _reorder_cache(self, past: PastKeyValues, beam_idx: Tensor) -> PastKeyValues:
        return self.decoder._reorder_cache(past, beam_idx)

    def _start_token(self, given: int | None) -> int:
        pair, decoder = self.config, self.decoder.config
        of_configs = (
            pair.decoder_start_token_id,
            decoder.decoder_start_token_id,
            pair.bos_token_id,
            decoder.bos_token_id,
        )
        for token in (given, *of_configs):
            if token is not None:
                return token
        raise ValueError("The answer needs a first token: give decoder_start_token_id, such as tokenizer.cls_token_id.")
