"""A pair of BERTs: an encoder that reads a text and a decoder that writes another."""

from .config import EncoderDecoderConfig
from .model import EncoderDecoderModel

__all__ = ["EncoderDecoderConfig", "EncoderDecoderModel"]
