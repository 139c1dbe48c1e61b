"""Text from a decoder, word by word over a cache.

Read `generate.py` for the call and the loop's view of the model, `search.py` for greedy search, sampling and beam search,
`scores.py` for the rules that change the scores of the next word.
"""

from .generate import Generation

__all__ = ["Generation"]
