"""Text from a decoder, word by word over a cache: `generate.py` has the call, `search.py` the model as a function from
words to scores and the searches, `scores.py` the rules that change the scores of the next word."""

from .generate import Generation

__all__ = ["Generation"]
