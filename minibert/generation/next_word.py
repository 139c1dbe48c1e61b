"""The model as a function from the ids so far to the scores of the next word, remembering what it has read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ..outputs import PastKeyValues
from .step import OneWordStep, can_step

if TYPE_CHECKING:
    from ..heads.causal_lm import BertLMHeadModel


class NextWord:
    """Scores of the next word; with a cache each call reads only the newest word.

    attention_mask: (rows, prompt). encoder: `encoder_hidden_states` and `encoder_attention_mask` for cross-attention.
    fast: read the newest word by `OneWordStep`, which has room for `max_length` words, instead of calling the model.
    """

    def __init__(
        self,
        model: BertLMHeadModel,
        attention_mask: Tensor,
        encoder: dict[str, Tensor],
        use_cache: bool,
        fast: bool,
        max_length: int,
    ):
        self.model = model
        self.attention_mask = attention_mask
        self.encoder = encoder
        self.use_cache = use_cache
        self.steps = use_cache and fast and can_step(model)
        self.max_length = max_length
        self.past: PastKeyValues | None = None
        self.step: OneWordStep | None = None

    def __call__(self, input_ids: Tensor) -> Tensor:
        """(rows, length) ids so far → (rows, vocab) scores."""
        if self.step is not None:
            return self.step(input_ids[:, -1])
        scores = self.call_model(input_ids)
        if self.steps and self.past is not None:
            encoder_mask = self.encoder.get("encoder_attention_mask")
            self.step = OneWordStep(self.model, self.past, self.attention_mask[:, :-1], encoder_mask, self.max_length)
            self.past = None
        return scores

    def call_model(self, input_ids: Tensor) -> Tensor:
        """The same by the model's own forward, on all ids or, over a cache, on the newest."""
        inputs = self.model.prepare_inputs_for_generation(input_ids, past=self.past, attention_mask=self.attention_mask)
        outputs = self.model(**inputs, **self.encoder, use_cache=self.use_cache, return_dict=True)
        self.past = outputs.past_key_values
        # The word that will be chosen is text, whatever it is.
        ones = self.attention_mask.new_ones(self.attention_mask.size(0), 1)
        self.attention_mask = torch.cat([self.attention_mask, ones], dim=1)
        return outputs.logits[:, -1, :]

    def reorder(self, rows: Tensor) -> None:
        """Go on from these rows: beams that live on, and beams that are copied."""
        if self.step is not None:
            self.step.reorder(rows)
        elif self.past is not None:
            self.past = self.model._reorder_cache(self.past, rows)
