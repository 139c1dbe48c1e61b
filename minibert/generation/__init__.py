"""Text from a decoder, word by word over a cache.

Read `token_by_token.py` (greedy search and sampling), then `beam.py`; `processors.py` has the rules on what may be said,
`next_word.py` the model and its cache, `options.py` and `generate.py` the call.
"""

from .generate import Generation

__all__ = ["Generation"]
