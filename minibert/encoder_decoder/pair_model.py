"""Two BERTs, one that reads and one that writes.

    encoder: x_1 … x_n → h_1 … h_n                    BertModel
    decoder: y_0 … y_t, h → scores of y_{t+1}         BertLMHeadModel with cross-attention over h
    loss = mean over t of −log softmax(scores at t)[y_{t+1}]

With `tie_encoder_decoder` both use the same weights, but for the cross-attention, which only the decoder has, and the
pooler, which only the encoder has. Source: Rothe et al. 2020, §2. Reference class: `EncoderDecoderModel`.
"""

from __future__ import annotations

import logging
import os
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..checkpoints import (
    LoadingReport,
    locate_weights,
    open_weights,
    plan_loading,
    read_into_parameters,
    save_weights,
)
from ..config_files import folder_for_saving
from ..heads.causal_lm import BertLMHeadModel
from ..model.bert import BertModel
from ..model.checks import check_labels, input_shape
from ..outputs import BaseModelOutputWithPoolingAndCrossAttentions as BaseModelOutput
from ..outputs import PastKeyValues, Seq2SeqLMOutput
from .pair_config import PAIR_DEFAULTS, EncoderDecoderConfig
from .pair_generate import PairGeneration

logger = logging.getLogger("minibert")


class EncoderDecoderModel(PairGeneration):
    """A BERT that reads a text, and a BERT that writes another while attending to it.

    config: of the pair, for two sides with fresh weights. encoder, decoder: in place of a config, two models; their
    configs, not copies, become the pair's. Both: the models with the config's settings for the pair.
    Raises ValueError where the two do not fit each other.
    """

    config_class = EncoderDecoderConfig
    base_model_prefix = "encoder_decoder"
    loading_report: LoadingReport | None = None
    """What `from_pretrained` did with every tensor; None for a model that was not loaded."""

    def __init__(
        self,
        config: EncoderDecoderConfig | None = None,
        encoder: BertModel | None = None,
        decoder: BertLMHeadModel | None = None,
    ):
        super().__init__()
        if config is None:
            if encoder is None or decoder is None:
                raise ValueError("EncoderDecoderModel needs a config, or an encoder and a decoder.")
            config = EncoderDecoderConfig(encoder=encoder.config, decoder=decoder.config)
        if not isinstance(config, EncoderDecoderConfig):
            raise ValueError(f"EncoderDecoderModel takes an EncoderDecoderConfig, not {type(config).__name__}.")
        self.config = config
        self.encoder = BertModel(config.encoder) if encoder is None else encoder
        self.decoder = BertLMHeadModel(config.decoder) if decoder is None else decoder
        config.encoder, config.decoder = self.encoder.config, self.decoder.config
        config.validate()
        self.tie_weights()

    def tie_weights(self) -> None:
        """With `tie_encoder_decoder`, make the decoder's weights the encoder's too, stage by stage.

        Raises ValueError where the decoder has a stage that the encoder lacks, or one of another shape.
        """
        if not self.config.tie_encoder_decoder:
            return
        encoder_stages = dict(self.encoder.named_modules())
        for name, stage in self.decoder.bert.named_modules():
            if "crossattention" in name or not isinstance(getattr(stage, "weight", None), nn.Parameter):
                continue
            twin = encoder_stages.get(name)
            if twin is None or twin.weight.shape != stage.weight.shape:
                found = "has none" if twin is None else f"has {tuple(twin.weight.shape)}"
                raise ValueError(
                    f"tie_encoder_decoder: {name} of the decoder has a weight {tuple(stage.weight.shape)}, the encoder "
                    f"{found}. Tied sides have the same sizes; the encoder may have more layers."
                )
            twin.weight = stage.weight
            if hasattr(stage, "bias"):
                twin.bias = stage.bias

    @classmethod
    def from_encoder_decoder_pretrained(
        cls,
        encoder_pretrained_model_name_or_path: str | os.PathLike[str] | None = None,
        decoder_pretrained_model_name_or_path: str | os.PathLike[str] | None = None,
        *model_args: Any,
        **settings: Any,
    ) -> EncoderDecoderModel:
        """A pair from two BERT checkpoints, which may be the same; the cross-attention is new and must be trained.

        settings: arguments of the encoder's `from_pretrained` with `encoder_` before their names, of the decoder's with
        `decoder_`, and fields of the pair's config. `encoder_model`, `decoder_model`: use this model.
        """
        # A field of every config that happens to begin so, such as `decoder_start_token_id`, is the pair's.
        of_pair = {
            n: v for n, v in settings.items() if n in PAIR_DEFAULTS or not n.startswith(("encoder_", "decoder_"))
        }
        sides: dict[str, Any] = {}
        for side, model_class, name in (
            ("encoder", BertModel, encoder_pretrained_model_name_or_path),
            ("decoder", BertLMHeadModel, decoder_pretrained_model_name_or_path),
        ):
            prefix, writes = f"{side}_", side == "decoder"
            own = {n.removeprefix(prefix): v for n, v in settings.items() if n.startswith(prefix) and n not in of_pair}
            sides[side] = own.pop("model", None)
            if sides[side] is not None:
                continue
            if name is None:
                raise ValueError(f"from_encoder_decoder_pretrained needs the name of the {side}, or {side}_model=….")
            if "config" not in own:
                own |= {"is_decoder": writes, "add_cross_attention": writes}
            # The encoder's numbers are drawn, too, so that a seed gives the decoder's cross-attention the reference's weights.
            own.setdefault("draw_as_reference", not writes)
            sides[side] = model_class.from_pretrained(name, *(() if writes else model_args), **own)
        config = EncoderDecoderConfig(encoder=sides["encoder"].config, decoder=sides["decoder"].config, **of_pair)
        return cls(config, **sides).eval()

    @classmethod
    def from_pretrained(
        cls,
        pretrained_model_name_or_path: str | os.PathLike[str],
        *,
        config: EncoderDecoderConfig | None = None,
        torch_dtype: torch.dtype | None = None,
        output_loading_info: bool = False,
        **others: Any,
    ) -> Any:
        """Open a pair that was saved: a folder or a hub id.

        torch_dtype: of the parameters, default torch's default. With `output_loading_info` returns (model, the
        reference's dict). others: cache_dir, force_download, local_files_only, token, revision, as for any hub download;
        and fields of the pair's config to change. What the checkpoint lacks is new, and a warning says so.
        Raises CheckpointError (an OSError) where files are missing, broken or do not fit, or hold NaN or infinity.
        """
        hub_options = ("cache_dir", "force_download", "local_files_only", "token", "revision")
        hub = {name: others.pop(name) for name in hub_options if name in others}
        if config is None:
            config = EncoderDecoderConfig.from_pretrained(pretrained_model_name_or_path, **hub, **others)
        dtype = torch_dtype or torch.get_default_dtype()
        model = cls(config).to(dtype)
        with open_weights(locate_weights(pretrained_model_name_or_path, **hub)) as weights:
            plan = plan_loading(model, weights, str(pretrained_model_name_or_path))
            read_into_parameters(plan, weights, dtype)
        model.loading_report = plan.report
        if plan.report.needs_attention:
            logger.warning(plan.report.warning())
        return (model.eval(), plan.report.loading_info()) if output_loading_info else model.eval()

    def save_pretrained(
        self,
        save_directory: str | os.PathLike[str],
        max_shard_size: int | str | None = None,
        safe_serialization: bool = True,
    ) -> None:
        """Write `config.json` and `model.safetensors`; arguments as those of `BertModel.save_pretrained`.

        Weights that both sides share are written for each: today's reference no longer ties them and needs both.
        """
        folder = folder_for_saving(save_directory)
        self.config.architectures = [type(self).__name__]
        self.config.torch_dtype = str(self.dtype).removeprefix("torch.")
        tensors = {f"encoder.{name}": tensor for name, tensor in self.encoder.tensors_to_save().items()}
        if self.config.tie_encoder_decoder:
            tensors = {name: tensor.clone() for name, tensor in tensors.items()}
        tensors |= {f"decoder.{name}": tensor for name, tensor in self.decoder.tensors_to_save().items()}
        save_weights(tensors, folder, max_shard_size=max_shard_size, safe_serialization=safe_serialization)
        self.config.save_pretrained(folder)

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
        decoder_shape = input_shape(decoder_input_ids, decoder_inputs_embeds)
        if labels is not None:
            check_labels("labels", labels, decoder_shape, num_classes=self.decoder.config.vocab_size)

        returned = {
            "output_attentions": output_attentions,
            "output_hidden_states": output_hidden_states,
            "return_dict": return_dict,
        }
        if encoder_outputs is None:
            encoder_outputs = self.encoder(
                input_ids,
                attention_mask=attention_mask,
                token_type_ids=token_type_ids,
                position_ids=position_ids,
                head_mask=head_mask,
                inputs_embeds=inputs_embeds,
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
            **returned,
        )
        logits = decoder_outputs[0]  # (batch, seq, vocab)

        loss = None
        if labels is not None:
            # The decoder's input was moved, so position t is already asked for label t: nothing is shifted here.
            loss = F.cross_entropy(logits.reshape(-1, self.decoder.config.vocab_size), labels.view(-1))

        if not return_dict:
            encoded = encoder_outputs if isinstance(encoder_outputs, tuple) else encoder_outputs.to_tuple()
            return (*(() if loss is None else (loss,)), *decoder_outputs, *encoded)
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

    @property
    def device(self) -> torch.device:
        """The device of the parameters."""
        return self.encoder.device

    @property
    def dtype(self) -> torch.dtype:
        """The parameters' dtype."""
        return self.encoder.dtype
