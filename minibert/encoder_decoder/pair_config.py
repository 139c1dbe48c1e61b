"""EncoderDecoderConfig: the hyper-parameters of two BERTs that work together.

Reference class: `EncoderDecoderConfig`.
"""

from __future__ import annotations

import copy
import json
import os
from typing import Any

from ..checkpoints import locate, read_json, write_text_atomically
from ..config import BertConfig
from ..config_files import SHARED_DEFAULTS, folder_for_saving

PAIR_DEFAULTS = {**SHARED_DEFAULTS, "pad_token_id": None}


class EncoderDecoderConfig:
    """The configs of both sides, and the fields of the pair.

    encoder, decoder: a BertConfig each, or the dictionary of one.
    others: fields that every config shares. Those with an effect on a pair are `tie_encoder_decoder`, the options of
    generation, and `decoder_start_token_id` and `pad_token_id`, which turn labels into the decoder's input; the rest is
    kept, saved and loaded.
    """

    model_type = "encoder-decoder"

    tie_encoder_decoder: bool
    decoder_start_token_id: int | None
    pad_token_id: int | None
    bos_token_id: int | None
    return_dict: bool
    torchscript: bool
    architectures: list[str] | None
    torch_dtype: str | None

    def __init__(self, *, encoder: BertConfig | dict[str, Any], decoder: BertConfig | dict[str, Any], **others: Any):
        self.encoder: BertConfig = encoder if isinstance(encoder, BertConfig) else BertConfig.from_dict(encoder)
        self.decoder: BertConfig = decoder if isinstance(decoder, BertConfig) else BertConfig.from_dict(decoder)
        for field, value in {**copy.deepcopy(PAIR_DEFAULTS), **others}.items():
            setattr(self, field, value)
        self.is_encoder_decoder = True

    @classmethod
    def from_encoder_decoder_configs(
        cls, encoder_config: BertConfig, decoder_config: BertConfig, **others: Any
    ) -> EncoderDecoderConfig:
        """The config of a pair, from copies of two configs; the second becomes a decoder with cross-attention."""
        decoder = copy.deepcopy(decoder_config)
        decoder.update({"is_decoder": True, "add_cross_attention": True})
        return cls(encoder=copy.deepcopy(encoder_config), decoder=decoder, **others)

    @property
    def use_return_dict(self) -> bool:
        """Whether a forward returns an output object rather than a tuple."""
        return self.return_dict and not self.torchscript

    @classmethod
    def from_pretrained(
        cls,
        pretrained_model_name_or_path: str | os.PathLike[str],
        *,
        cache_dir: str | os.PathLike[str] | None = None,
        force_download: bool = False,
        local_files_only: bool = False,
        token: str | bool | None = None,
        revision: str | None = None,
        **fields: Any,
    ) -> EncoderDecoderConfig:
        """Read `config.json` of a folder or a hub id; `fields` replace its values.

        Raises CheckpointError (an OSError) where nothing readable is found, ValueError for another kind of model.
        """
        folder = locate(
            pretrained_model_name_or_path,
            filenames=["config.json"],
            revision=revision,
            cache_dir=cache_dir,
            token=token,
            local_files_only=local_files_only,
            force_download=force_download,
        )
        values = read_json(folder / "config.json")
        model_type = values.pop("model_type", None)
        if model_type != cls.model_type or not isinstance(values.get("encoder"), dict) or "decoder" not in values:
            raise ValueError(
                f"{pretrained_model_name_or_path}: model_type is {model_type!r}, not {cls.model_type!r} with an encoder "
                "and a decoder. To make a pair of two BERTs use EncoderDecoderModel.from_encoder_decoder_pretrained."
            )
        return cls(**{**values, **fields})

    def validate(self) -> None:
        """Raises ValueError unless the decoder can attend to what the encoder returns."""
        if not self.decoder.add_cross_attention:
            raise ValueError(
                "The decoder of a pair needs is_decoder=True and add_cross_attention=True in its config before it is built; "
                "EncoderDecoderConfig.from_encoder_decoder_configs sets both."
            )
        if self.encoder.hidden_size != self.decoder.hidden_size:
            raise ValueError(
                f"The encoder's hidden_size is {self.encoder.hidden_size}, the decoder's {self.decoder.hidden_size}. The "
                "decoder attends to the encoder's states: they must be as wide as its own."
            )

    def to_dict(self) -> dict[str, Any]:
        """Every field, as plain values that JSON can hold."""
        values = {**copy.deepcopy(vars(self)), "model_type": self.model_type}
        return {**values, "encoder": self.encoder.to_dict(), "decoder": self.decoder.to_dict()}

    def to_json_string(self) -> str:
        """The JSON text of the fields that differ from their defaults, keys sorted: what is saved."""
        changed = {f: v for f, v in self.to_dict().items() if f not in PAIR_DEFAULTS or v != PAIR_DEFAULTS[f]}
        sides = {"encoder": self.encoder.to_diff_dict(), "decoder": self.decoder.to_diff_dict()}
        return json.dumps({**changed, **sides}, indent=2, sort_keys=True) + "\n"

    def save_pretrained(self, save_directory: str | os.PathLike[str]) -> None:
        """Write `config.json` into a folder, which is made where it does not exist."""
        write_text_atomically(folder_for_saving(save_directory) / "config.json", self.to_json_string())

    def __repr__(self) -> str:
        return f"{type(self).__name__} {self.to_json_string()}"
