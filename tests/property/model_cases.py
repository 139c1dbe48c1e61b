"""Random small BERTs and random input for them, for the laws that hold for every one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from hypothesis import settings, strategies as st
from torch import Tensor

import minibert
from minibert import BertConfig, BertPreTrainedModel
from minibert.config import ATTENTION_IMPLEMENTATIONS, POSITION_EMBEDDING_TYPES
from minibert.model.activations import ACT2FN

CLOSE = 1e-5
"""Two ways to the same number may round differently, by no more than this."""

VOCABULARY, SEGMENTS, POSITIONS = 19, 3, 12

# The same examples in every run: a test that fails once fails always.
reproducibly = settings(max_examples=40, deadline=None, derandomize=True)


@dataclass(frozen=True)
class Case:
    """A config's fields and a seed for everything random."""

    fields: dict[str, Any]
    seed: int

    def generator(self) -> torch.Generator:
        """Random numbers that belong to this case."""
        return torch.Generator().manual_seed(self.seed)

    def model(self, class_name: str = "BertModel", **changes: Any) -> Any:
        """A model whose parameters all differ from each other, in evaluation mode.

        The same parameters whatever `changes` say, as long as they change no shape.
        """
        model: BertPreTrainedModel = getattr(minibert, class_name)(BertConfig(**{**self.fields, **changes}))
        generator = self.generator()
        for parameter in model.parameters():
            scale, shift = (0.3, 0.0) if parameter.dim() == 2 else (0.2, 0.5)
            parameter.data = torch.randn(parameter.shape, generator=generator) * scale + shift
        return model.eval()

    def ids(self, batch: int, seq: int) -> Tensor:
        """(batch, seq) random words."""
        return torch.randint(0, VOCABULARY, (batch, seq), generator=self.generator())

    def segments(self, batch: int, seq: int) -> Tensor:
        """(batch, seq) random segments."""
        return torch.randint(0, SEGMENTS, (batch, seq), generator=self.generator())

    def mask(self, batch: int, seq: int) -> Tensor:
        """(batch, seq) of 1 and 0, gaps included, at least one 1 in a row."""
        mask = (torch.rand(batch, seq, generator=self.generator()) < 0.7).long()
        mask[:, 0] = 1
        return mask

    def inputs(self, batch: int, seq: int) -> dict[str, Tensor]:
        """Words, segments and a mask."""
        return {
            "input_ids": self.ids(batch, seq),
            "token_type_ids": self.segments(batch, seq),
            "attention_mask": self.mask(batch, seq),
        }


@st.composite
def cases(
    draw: st.DrawFn,
    paths: tuple[str, ...] = ATTENTION_IMPLEMENTATIONS,
    positions: tuple[str, ...] = POSITION_EMBEDDING_TYPES,
    min_layers: int = 0,
    min_heads: int = 1,
    **fixed: Any,
) -> Case:
    """Configs over heads, layers, sizes, activations, kinds of position and attention paths."""
    heads = draw(st.integers(min_heads, 4), label="heads")
    fields = {
        "vocab_size": VOCABULARY,
        "type_vocab_size": SEGMENTS,
        "max_position_embeddings": POSITIONS,
        "num_attention_heads": heads,
        "hidden_size": heads * draw(st.sampled_from([6, 8, 11]), label="head size"),
        "num_hidden_layers": draw(st.integers(min_layers, 3), label="layers"),
        "intermediate_size": draw(st.integers(1, 20), label="intermediate"),
        "hidden_act": draw(st.sampled_from(sorted(ACT2FN)), label="activation"),
        "position_embedding_type": draw(st.sampled_from(positions), label="positions"),
        "attn_implementation": draw(st.sampled_from(paths), label="path"),
        "hidden_dropout_prob": 0.0,
        "attention_probs_dropout_prob": 0.0,
        **fixed,
    }
    return Case(fields, draw(st.integers(0, 1000), label="seed"))


batches = st.integers(1, 4)
lengths = st.integers(1, POSITIONS)


def close(found: Tensor, expected: Tensor) -> bool:
    """The same shape, finite, and nowhere further apart than `CLOSE`."""
    assert found.shape == expected.shape
    assert torch.isfinite(found).all()
    return found.numel() == 0 or float((found - expected).detach().abs().max()) <= CLOSE
