"""EncoderDecoderConfig: the hyper-parameters of two BERTs that work together.

Reference class: `EncoderDecoderConfig`.
"""

import copy
from typing import Any

from ..config import BertConfig
from ..config_files import SHARED_DEFAULTS, ConfigFiles


class EncoderDecoderConfig(ConfigFiles):
    """The configs of both sides, and the fields of the pair.

    encoder, decoder: a BertConfig each, or the dictionary of one.
    others: fields that every config shares. Those with an effect on a pair are `tie_encoder_decoder`, the options of
    generation, and `decoder_start_token_id` and `pad_token_id`, which turn labels into the decoder's input; the rest is
    kept, saved and loaded. Raises ValueError where a side is missing.
    """

    model_type = "encoder-decoder"
    opens = "To make a pair of two BERTs use EncoderDecoderModel.from_encoder_decoder_pretrained."

    def __init__(
        self,
        *,
        encoder: BertConfig | dict[str, Any] | None = None,
        decoder: BertConfig | dict[str, Any] | None = None,
        pad_token_id: int | None = None,
        **others: Any,
    ):
        if encoder is None or decoder is None:
            raise ValueError(f"A pair has an encoder and a decoder: give the config of each. {self.opens}")
        super().__init__(**others)
        self.encoder: BertConfig = encoder if isinstance(encoder, BertConfig) else BertConfig.from_dict(encoder)
        self.decoder: BertConfig = decoder if isinstance(decoder, BertConfig) else BertConfig.from_dict(decoder)
        self.pad_token_id = pad_token_id
        self.is_encoder_decoder = True

    @classmethod
    def from_encoder_decoder_configs(
        cls, encoder_config: BertConfig, decoder_config: BertConfig, **others: Any
    ) -> "EncoderDecoderConfig":
        """The config of a pair, from copies of two configs; the second becomes a decoder with cross-attention."""
        decoder = copy.deepcopy(decoder_config)
        decoder.update({"is_decoder": True, "add_cross_attention": True})
        return cls(encoder=copy.deepcopy(encoder_config), decoder=decoder, **others)

    def first_token(self, start: int | None = None, bos: int | None = None) -> int:
        """What a text of the decoder starts from: as given, or the configs'. Raises ValueError where nothing is named."""
        tokens = (start, self.decoder_start_token_id, self.decoder.decoder_start_token_id, bos)
        for token in (*tokens, self.bos_token_id, self.decoder.bos_token_id):
            if token is not None:
                return token
        raise ValueError("The answer needs a first token: give decoder_start_token_id, such as tokenizer.cls_token_id.")

    def validate(self, together: bool = True) -> None:
        """Raises ValueError unless the decoder can attend to what the encoder returns."""
        if not together:
            return
        if not self.decoder.add_cross_attention:
            raise ValueError("The decoder of a pair needs is_decoder=True and add_cross_attention=True in its config.")
        width, own = self.encoder.hidden_size, self.decoder.hidden_size
        if width != own:
            raise ValueError(f"The encoder's hidden_size is {width}, the decoder's {own}: they must be equal.")

    def to_diff_dict(self) -> dict[str, Any]:
        """The fields that differ from their defaults, those of the sides too: what is saved."""
        return super().to_diff_dict() | {s: getattr(self, s).to_diff_dict() for s in ("encoder", "decoder")}


def settings_by_side(settings: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Those that begin with `encoder_` or `decoder_`, under "encoder" and "decoder" without it; the rest under "pair".

    A field of every config that happens to begin so, such as `decoder_start_token_id`, is the pair's.
    """
    found: dict[str, dict[str, Any]] = {"encoder": {}, "decoder": {}, "pair": {}}
    for name, value in settings.items():
        side, _, own_name = name.partition("_")
        is_pairs = name in SHARED_DEFAULTS or side not in ("encoder", "decoder")
        found["pair" if is_pairs else side][name if is_pairs else own_name] = value
    return found
