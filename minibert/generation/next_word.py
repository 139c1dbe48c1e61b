"""The model as a function from the ids so far to the scores of the next word, remembering what it has read."""

from __future__ import annotations

from typing import Any, Protocol

import torch
from torch import Tensor

from ..config import BertConfig
from ..outputs import PastKeyValues


class LanguageModel(Protocol):
    """What generation needs of a model: `BertLMHeadModel` has it."""

    config: BertConfig

    @property
    def device(self) -> torch.device: ...

    def prepare_inputs_for_generation(
        self, input_ids: Tensor, past: PastKeyValues | None = None, attention_mask: Tensor | None = None
    ) -> dict[str, Any]: ...

    def _reorder_cache(self, past: PastKeyValues, beam_idx: Tensor) -> PastKeyValues: ...

    def __call__(self, **inputs: Any) -> Any: ...


class NextWord:
    """Scores of the next word; with a cache each call reads only the newest word.

    attention_mask: (rows, prompt). encoder: `encoder_hidden_states` and `encoder_attention_mask` for cross-attention.
    """

    def __init__(self, model: LanguageModel, attention_mask: Tensor, encoder: dict[str, Tensor], use_cache: bool):
        self.model = model
        self.attention_mask = attention_mask
        self.encoder = encoder
        self.use_cache = use_cache
        self.past: PastKeyValues | None = None

    def __call__(self, input_ids: Tensor) -> Tensor:
        """(rows, length) ids so far → (rows, vocab) scores."""
        inputs = self.model.prepare_inputs_for_generation(input_ids, past=self.past, attention_mask=self.attention_mask)
        outputs = self.model(**inputs, **self.encoder, use_cache=self.use_cache, return_dict=True)
        self.past = outputs.past_key_values
        # The word that will be chosen is text, whatever it is.
        ones = self.attention_mask.new_ones(self.attention_mask.size(0), 1)
        self.attention_mask = torch.cat([self.attention_mask, ones], dim=1)
        return outputs.logits[:, -1, :]

    def reorder(self, rows: Tensor) -> None:
        """Go on from these rows: beams that live on, and beams that are copied."""
        if self.past is not None:
            self.past = self.model._reorder_cache(self.past, rows)
