"""One vector for a text: how the vectors of its tokens are pooled, a BERT that does it, and lines found by their vectors."""

from .line_index import Found, LineIndex
from .pooling import POOLINGS, pool
from .sentence_encoder import SentenceEncoder

__all__ = ["POOLINGS", "Found", "LineIndex", "SentenceEncoder", "pool"]
