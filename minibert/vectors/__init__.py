"""One vector for a text: how the vectors of its tokens are pooled, a BERT that does it, and lines searched by their vectors."""


from .pooling import POOLINGS, pool


__all__ = ["POOLINGS", "Found", "Index", "SentenceEncoder", "pool"]
