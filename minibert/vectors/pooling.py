"""One vector for a text from those of its tokens: v = Σ w_t h_t over the n real ones, [CLS] and [SEP] among them.

    mean                  w_t = 1 / n                          max   v_j = the largest h_tj, each dimension for itself
    cls                   w_t = 1 for the first, else 0
    lasttoken             w_t = 1 for the last, else 0
    mean_sqrt_len_tokens  w_t = 1 / √n
    weightedmean          w_t = t / (1 + 2 + … + n)            t = 1 … n counts the real tokens

h: (batch, seq, hidden). attention_mask: (batch, seq), 1 for real tokens and 0 for padding, on either side. v: (batch, hidden). What stands
at padding never counts, be it NaN. A row that is masked everywhere has n = 0: its vector is 0.

Source: Reimers & Gurevych 2019, §3; Muennighoff 2022 (weightedmean). Names and numbers: the class `Pooling` of sentence-transformers.
"""

import torch
from torch import Tensor

POOLINGS = (
    "cls",
    "max",
    "mean",
    "mean_sqrt_len_tokens",
    "weightedmean",
    "lasttoken",
)  # in the order of their dimensions


def check_pooling(mode: str) -> None:
    """Raises ValueError for what is none of POOLINGS."""
    if mode not in POOLINGS:
        raise ValueError(f"pooling is {mode!r}; choose one of {', '.join(POOLINGS)}.")


def pool(hidden_states: Tensor, attention_mask: Tensor, mode: str = "mean") -> Tensor:
    """(batch, seq, hidden) and (batch, seq) → (batch, hidden). mode: one of POOLINGS. Raises ValueError for another, or another shape."""
    check_pooling(mode)
    if attention_mask.shape != hidden_states.shape[:2]:
        shapes = f"{tuple(attention_mask.shape)}, the hidden states {tuple(hidden_states.shape)}"
        raise ValueError(f"attention_mask has the shape {shapes}; the first two numbers should be equal.")
    padding = (attention_mask == 0)[..., None]  # (batch, seq, 1)
    if mode == "max":
        largest = hidden_states.masked_fill(padding, -torch.inf).amax(dim=1)  # (batch, hidden)
        return largest.masked_fill(padding.all(dim=1), 0.0)
    mask = (attention_mask != 0).to(torch.promote_types(hidden_states.dtype, torch.float32))  # half ones cannot count
    place = mask.cumsum(dim=1) * mask  # (batch, seq): 1 … n, and 0 at padding
    n = mask.sum(dim=1, keepdim=True).clamp(min=1.0)  # (batch, 1)
    weights = {
        "mean": mask / n,
        "cls": (place == 1).to(mask),
        "lasttoken": (place == n).to(mask),
        "mean_sqrt_len_tokens": mask / n.sqrt(),
        "weightedmean": place / (n * (n + 1) / 2),
    }[mode]
    return (weights.to(hidden_states.dtype)[:, None] @ hidden_states.masked_fill(padding, 0.0))[:, 0]
