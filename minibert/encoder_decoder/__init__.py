"""A pair of BERTs: an encoder that reads a text and a decoder that writes another."""

from .pair_config import EncoderDecoderConfig
from .pair_model import EncoderDecoderModel

__all__ = ["EncoderDecoderConfig", "EncoderDecoderModel"]
