"""A BERT small enough for a test, and a batch to give it."""

from __future__ import annotations

from typing import Any, TypeVar

import torch
from torch import Tensor

from minibert import BertConfig, BertPreTrainedModel

BUNDLED = "novels-4l-256h"
SIZES = {
    "vocab_size": 99,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 37,
    "max_position_embeddings": 24,
}

Model = TypeVar("Model", bound=BertPreTrainedModel)


def tiny_config(**overrides: Any) -> BertConfig:
    """Two layers of four heads, 32 wide, 99 words, 24 positions."""
    return BertConfig(**{**SIZES, **overrides})


def tiny(model_class: type[Model], seed: int = 0, **overrides: Any) -> Model:
    """A fresh model of `tiny_config`, with the weights of a seed, in evaluation mode."""
    torch.manual_seed(seed)
    return model_class(tiny_config(**overrides)).eval()


def token_ids(batch: int = 2, seq: int = 7) -> Tensor:
    """(batch, seq) ids of the tiny vocabulary, none of them padding."""
    return torch.randint(1, SIZES["vocab_size"], (batch, seq), generator=torch.Generator().manual_seed(1))


def text_batch() -> dict[str, Tensor]:
    """Two rows of seven tokens in two segments, the second row padded after four."""
    mask, segments = torch.ones(2, 7, dtype=torch.long), torch.zeros(2, 7, dtype=torch.long)
    mask[1, 4:] = 0
    segments[:, 3:] = 1
    return {"input_ids": token_ids(), "attention_mask": mask, "token_type_ids": segments}


def same_weights(first: torch.nn.Module, second: torch.nn.Module) -> bool:
    """Whether two models hold the same tensors under the same names, to the bit."""
    a, b = first.state_dict(), second.state_dict()
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)
