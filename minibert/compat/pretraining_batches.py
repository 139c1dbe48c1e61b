"""The batches of pre-training under their old names: `PretrainingBatches.of`, and `_place`, where a row begins."""

from typing import Any

import numpy as np

from ..data import pretraining_batches
from ..data.corpus import Corpus


class PretrainingBatches(pretraining_batches.PretrainingBatches):
    """As `minibert.data.pretraining_batches` has it, which programs of today import."""

    @classmethod
    def of(cls, corpus: Corpus, tokenizer: Any, seed: int, whole_words: bool = False) -> "PretrainingBatches":
        """The rows of a run; today the class is called."""
        return cls(corpus, tokenizer, seed, whole_words=whole_words)

    def _place(self, index: int, room: int, _noise: np.random.Generator) -> int:
        """Where row `index` of a run begins. _noise: no longer needed."""
        return self.first_token(index, room)
