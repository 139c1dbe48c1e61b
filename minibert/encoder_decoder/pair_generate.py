"""`generate` of a pair: the encoder reads the text once, and the decoder writes another word by word, attending to it.

Reference: `GenerationMixin.generate`, for a model whose config says `is_encoder_decoder`.
"""

from typing import Any

import torch
from torch import Tensor

from ..generation.generate import ERA_OPTIONS, OPTIONS, mask_of
from ..generation.scores import end_tokens
from ..heads.causal_lm import BertLMHeadModel
from ..model.bert import BertModel
from ..model.pretrained import BertPreTrainedModel
from ..outputs import PastKeyValues
from .pair_config import EncoderDecoderConfig


class PairGeneration(BertPreTrainedModel):
    """Gives a pair its `generate`."""

    config: EncoderDecoderConfig  # type: ignore[assignment]  # in place of a BertConfig
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
    ) -> Any:
        """Read a text once, then write another word by word: (batch · num_return_sequences, length) ids.

        input_ids, attention_mask, token_type_ids: (batch, encoder seq), what the encoder reads, by default the one token
        `bos_token_id`; or encoder_outputs, what it returned. decoder_input_ids: (batch, prompt), how the answer begins; by
        default with `decoder_start_token_id`, else the config's, else `bos_token_id`. options: of
        `BertLMHeadModel.generate`. Raises ValueError where there is nothing to read or to start from.
        """
        known = (*OPTIONS, *ERA_OPTIONS, "bos_token_id")
        of_config = {name: getattr(self.config, name) for name in known if options.get(name) is None}
        if options.get("max_new_tokens") is not None:
            of_config.pop("max_length", None)
        options |= of_config
        if encoder_outputs is None:
            if input_ids is None:
                if options["bos_token_id"] is None:
                    raise ValueError("There is nothing to read: give input_ids, or encoder_outputs, or bos_token_id.")
                input_ids = torch.full((1, 1), options["bos_token_id"], device=self.device)
            if attention_mask is None:
                attention_mask = mask_of(input_ids, options["pad_token_id"], options["eos_token_id"])
            returned = {name: options.get(name) for name in ("output_attentions", "output_hidden_states")}
            encoder_outputs = self.encoder(input_ids, attention_mask, token_type_ids, **returned)
        hidden_states = encoder_outputs[0]  # (batch, encoder seq, hidden)
        if decoder_input_ids is None:
            start = self.config.first_token(decoder_start_token_id, options["bos_token_id"])
            decoder_input_ids = torch.full((hidden_states.size(0), 1), start, device=hidden_states.device)
        options |= {"encoder_input_ids": input_ids} if options["encoder_no_repeat_ngram_size"] else {}
        # What the pair's config leaves open the decoder's own must not fill in, as in the reference.
        ends = end_tokens(options["eos_token_id"])
        padding = (*ends, 0)[0] if options["pad_token_id"] is None else options["pad_token_id"]
        words = options["bad_words_ids"] or []
        options |= {"eos_token_id": ends, "pad_token_id": padding, "bad_words_ids": words}
        output = self.decoder.generate(
            decoder_input_ids,
            attention_mask=torch.ones_like(decoder_input_ids),
            encoder_hidden_states=hidden_states,
            encoder_attention_mask=attention_mask,
            **options,
        )
        return output if isinstance(output, Tensor) else output.of_pair(encoder_outputs)

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
        given = {"attention_mask": attention_mask, "encoder_outputs": encoder_outputs, "use_cache": use_cache}
        of_decoder = {f"decoder_{name}": of_decoder[name] for name in ("input_ids", "attention_mask")}
        return {**given, **of_decoder, "past_key_values": past}

    _reorder_cache = BertLMHeadModel._reorder_cache
