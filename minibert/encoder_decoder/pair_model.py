"""Two BERTs, one that reads and one that writes.

    encoder: x_1 … x_n → h_1 … h_n                    BertModel
    decoder: y_0 … y_t, h → scores of y_{t+1}         BertLMHeadModel with cross-attention over h
    loss = mean over t of −log softmax(scores at t)[y_{t+1}]

With `tie_encoder_decoder` both use the same weights, but for the cross-attention, which only the decoder has, and the
pooler, which only the encoder has. Source: Rothe et al. 2020, §2. Reference class: `EncoderDecoderModel`.
"""

import os
from collections.abc import Mapping
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from ..heads.causal_lm import BertLMHeadModel
from ..model.bert import BertModel
from ..model.checks import check_labels, input_shape
from ..outputs import BaseModelOutputWithPoolingAndCrossAttentions as BaseModelOutput, PastKeyValues, Seq2SeqLMOutput
from .pair_config import EncoderDecoderConfig, settings_by_side
from .pair_generate import PairGeneration


class EncoderDecoderModel(PairGeneration):
    """A BERT that reads a text, and a BERT that writes another while attending to it.

    config: of the pair, for two sides with fresh weights. encoder, decoder: in place of a config, two models; their
    configs, not copies, become the pair's. Both: the models with the config's settings for the pair.
    attn_implementation: of both sides, None as their configs say. Raises ValueError where the two do not fit each other.
    """

    config_class = EncoderDecoderConfig
    base_model_prefix = "encoder_decoder"

    def __init__(
        self,
        config: EncoderDecoderConfig | None = None,
        encoder: BertModel | None = None,
        decoder: BertLMHeadModel | None = None,
        *,
        attn_implementation: str | None = None,
    ):
        if config is None:
            if encoder is None or decoder is None:
                raise ValueError("EncoderDecoderModel needs a config, or an encoder and a decoder.")
            config = EncoderDecoderConfig(encoder=encoder.config, decoder=decoder.config)
        super().__init__(config)  # type: ignore[arg-type]
        self.encoder = BertModel(config.encoder) if encoder is None else encoder
        self.decoder = BertLMHeadModel(config.decoder) if decoder is None else decoder
        config.encoder, config.decoder = self.encoder.config, self.decoder.config
        config.validate()
        self.tie_weights()
        if attn_implementation is not None:
            self.set_attn_implementation(attn_implementation)

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        decoder_input_ids: Tensor | None = None,
        decoder_attention_mask: Tensor | None = None,
        encoder_outputs: BaseModelOutput | tuple[Any, ...] | None = None,
        past_key_values: PastKeyValues | None = None,
        inputs_embeds: Tensor | None = None,
        decoder_inputs_embeds: Tensor | None = None,
        labels: Tensor | None = None,
        use_cache: bool | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        *,
        token_type_ids: Tensor | None = None,
        position_ids: Tensor | None = None,
        head_mask: Tensor | None = None,
        decoder_token_type_ids: Tensor | None = None,
        decoder_position_ids: Tensor | None = None,
        decoder_head_mask: Tensor | None = None,
    ) -> Seq2SeqLMOutput | tuple[Any, ...]:
        """Read with the encoder, then score the next word at every position of the decoder's text.

        input_ids, attention_mask, …: (batch, encoder seq), as in `BertModel.forward`.
        decoder_input_ids, decoder_attention_mask, …: (batch, seq), the same for the decoder.
        labels: (batch, seq), the text to write, −100 to leave a word out. Without decoder_input_ids the decoder reads
        the labels moved one to the right, `decoder_start_token_id` first, so that it is asked for the next word.
        encoder_outputs: what the encoder returned before, or a tuple (last_hidden_state, hidden_states, attentions);
        then it does not run again. past_key_values: what an earlier call returned, to go on word by word.
        """
        return_dict = self.config.use_return_dict if return_dict is None else return_dict
        if decoder_input_ids is None and decoder_inputs_embeds is None:
            if labels is None:
                raise ValueError("Nothing for the decoder: give decoder_input_ids, decoder_inputs_embeds or labels.")
            decoder_input_ids = self.prepare_decoder_input_ids_from_labels(labels)
        words = self.decoder.config.vocab_size
        if labels is not None:
            check_labels("labels", labels, input_shape(decoder_input_ids, decoder_inputs_embeds), num_classes=words)

        returned = {"output_attentions": output_attentions, "output_hidden_states": output_hidden_states}
        if encoder_outputs is None:
            encoder_outputs = self.encoder(
                input_ids,
                attention_mask=attention_mask,
                token_type_ids=token_type_ids,
                position_ids=position_ids,
                head_mask=head_mask,
                inputs_embeds=inputs_embeds,
                return_dict=True,
                **returned,
            )
        decoder_outputs = self.decoder(
            decoder_input_ids,
            attention_mask=decoder_attention_mask,
            token_type_ids=decoder_token_type_ids,
            position_ids=decoder_position_ids,
            head_mask=decoder_head_mask,
            inputs_embeds=decoder_inputs_embeds,
            encoder_hidden_states=encoder_outputs[0],  # (batch, encoder seq, hidden)
            encoder_attention_mask=attention_mask,
            past_key_values=past_key_values,
            use_cache=use_cache,
            return_dict=True,
            **returned,
        )
        logits = decoder_outputs.logits  # (batch, seq, vocab)

        loss = None
        if labels is not None:
            # The decoder's input was moved, so position t is already asked for label t: nothing is shifted here.
            loss = F.cross_entropy(logits.reshape(-1, words), labels.reshape(-1))

        if not return_dict:
            encoded = encoder_outputs if isinstance(encoder_outputs, tuple) else encoder_outputs.to_tuple()
            return (*(() if loss is None else (loss,)), *decoder_outputs.to_tuple(), *encoded)
        if isinstance(encoder_outputs, tuple):
            last, hidden_states, attentions, *_ = (*encoder_outputs, None, None)
            encoder_outputs = BaseModelOutput(last, hidden_states=hidden_states, attentions=attentions)
        return Seq2SeqLMOutput(
            loss=loss,
            logits=logits,
            past_key_values=decoder_outputs.past_key_values,
            decoder_hidden_states=decoder_outputs.hidden_states,
            decoder_attentions=decoder_outputs.attentions,
            cross_attentions=decoder_outputs.cross_attentions,
            encoder_last_hidden_state=encoder_outputs.last_hidden_state,
            encoder_hidden_states=encoder_outputs.hidden_states,
            encoder_attentions=encoder_outputs.attentions,
        )

    def prepare_decoder_input_ids_from_labels(self, labels: Tensor) -> Tensor:
        """The labels moved one to the right: the start token first, padding where a label does not count."""
        start, padding = self.config.decoder_start_token_id, self.config.pad_token_id
        if start is None or padding is None:
            needed = f"config.decoder_start_token_id (it is {start}) and config.pad_token_id (it is {padding})"
            raise ValueError(f"Labels need {needed}: set them to the tokenizer's cls_token_id and pad_token_id.")
        if labels.dim() != 2:
            raise ValueError(f"labels has shape {tuple(labels.shape)}; it must be (batch, seq).")
        moved = F.pad(labels[:, :-1], (1, 0), value=start)
        return moved.masked_fill(moved == -100, padding)

    def tie_weights(self) -> None:
        """With `tie_encoder_decoder`, make the decoder's weights the encoder's. Raises ValueError for other sizes."""
        if not self.config.tie_encoder_decoder:
            return
        of_encoder = dict(self.encoder.named_parameters())
        for name, weight in self.decoder.bert.named_parameters():
            if "crossattention" in name:
                continue
            found = tuple(of_encoder[name].shape) if name in of_encoder else "none"
            if found != weight.shape:
                own = f"{name} of the decoder is a weight {tuple(weight.shape)}"
                raise ValueError(f"tie_encoder_decoder: {own}, the encoder has {found}; they must have one shape.")
            stage, _, attribute = name.rpartition(".")
            setattr(self.encoder.get_submodule(stage), attribute, weight)

    @classmethod
    def from_encoder_decoder_pretrained(
        cls,
        encoder_pretrained_model_name_or_path: str | os.PathLike[str] | None = None,
        decoder_pretrained_model_name_or_path: str | os.PathLike[str] | None = None,
        *model_args: Any,
        **settings: Any,
    ) -> "EncoderDecoderModel":
        """A pair from two BERT checkpoints, which may be the same; the cross-attention is new and must be trained.

        settings: arguments of the encoder's `from_pretrained` with `encoder_` before their names, of the decoder's with
        `decoder_`, and fields of the pair's config. `encoder_model`, `decoder_model`: use this model.
        """
        own = settings_by_side(settings)
        sides = {side: own[side].pop("model", None) for side in ("encoder", "decoder")}
        names = (encoder_pretrained_model_name_or_path, decoder_pretrained_model_name_or_path)
        classes: tuple[Any, Any] = (BertModel, BertLMHeadModel)
        for side, model_class, name in zip(sides, classes, names, strict=True):
            if sides[side] is not None:
                continue
            if name is None:
                raise ValueError(f"from_encoder_decoder_pretrained needs the name of the {side}, or {side}_model=….")
            writes = side == "decoder"
            # The encoder's numbers are drawn too, so that a seed gives the cross-attention the reference's weights.
            options = {"draw_as_reference": not writes, **own[side]}
            if "config" not in options:
                options |= {"is_decoder": writes, "add_cross_attention": writes}
            sides[side] = model_class.from_pretrained(name, *(() if writes else model_args), **options)
        config = EncoderDecoderConfig(**{side: model.config for side, model in sides.items()}, **own["pair"])
        return cls(config, **sides).eval()

    def set_attn_implementation(self, attn_implementation: str) -> None:
        """Choose how both sides attend: see `BertModel.set_attn_implementation`."""
        for side in (self.encoder, self.decoder):
            side.set_attn_implementation(attn_implementation)

    def init_weights(self) -> None:
        """Draw fresh weights for both sides, and tie what is tied."""
        self.encoder.init_weights()
        self.decoder.init_weights()
        self.tie_weights()

    def _init_weights(self, module: nn.Module) -> None:
        of_encoder = any(module is stage for stage in self.encoder.modules())
        (self.encoder if of_encoder else self.decoder)._init_weights(module)

    def tensors_to_save(self, state_dict: Mapping[str, Tensor] | None = None) -> dict[str, Tensor]:
        """Both sides as files hold them, each whole: today's reference ties nothing between them."""
        state_dict = self.state_dict() if state_dict is None else state_dict
        tensors: dict[str, Tensor] = {}
        for prefix, side in (("encoder.", self.encoder), ("decoder.", self.decoder)):
            own = {name.removeprefix(prefix): t for name, t in state_dict.items() if name.startswith(prefix)}
            tensors |= {prefix + name: tensor for name, tensor in side.tensors_to_save(own).items()}
        return super().tensors_to_save(tensors)

    def get_encoder(self) -> BertModel:
        """The side that reads."""
        return self.encoder

    def get_decoder(self) -> BertLMHeadModel:
        """The side that writes."""
        return self.decoder

    def get_input_embeddings(self) -> nn.Embedding:
        """The encoder's word embeddings."""
        return self.encoder.get_input_embeddings()

    def get_output_embeddings(self) -> nn.Linear:
        """The decoder's word predictor."""
        return self.decoder.get_output_embeddings()

    def resize_token_embeddings(self, new_num_tokens: int | None = None) -> nn.Embedding:
        """Always raises NotImplementedError: each side has a vocabulary of its own."""
        raise NotImplementedError("Two vocabularies: call model.encoder.resize_token_embeddings(n) or the decoder's.")
