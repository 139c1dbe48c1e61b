"""Masks: from 1 for "may be seen" and 0 for "may not" to numbers that attention adds or multiplies.

    additive = (1 − mask) × −10000

−10000 rather than −∞: in a row that may see nothing the softmax is then not 0/0. The same number is added to all its scores and
falls out again: it attends as if there were no mask. Source: Google's BERT code. Reference: `get_extended_attention_mask`, `invert_attention_mask` and `get_head_mask` of `ModuleUtilsMixin`.
"""

import torch
from torch import Tensor


def causal_mask(batch_size: int, seq_length: int, key_length: int, like: Tensor) -> Tensor:
    """(batch, seq, keys): position l sees every cached position and the new ones up to itself."""
    past = key_length - seq_length
    positions = torch.arange(key_length, device=like.device)
    allowed = positions[None, :] <= positions[past:, None]  # (seq, keys)
    return allowed.to(like.dtype).expand(batch_size, seq_length, key_length)


def extended_attention_mask(attention_mask: Tensor, seq_length: int, is_decoder: bool, dtype: torch.dtype) -> Tensor:
    """The additive mask of self-attention, broadcast to (batch, heads, seq, keys).

    attention_mask: (batch, keys), or (batch, seq, keys) to say for each query what it may see. A decoder's 2-D mask
    also hides the future.
    """
    if attention_mask.dim() == 3:
        mask = attention_mask[:, None, :, :]
    elif is_decoder:
        batch_size, key_length = attention_mask.shape
        causal = causal_mask(batch_size, seq_length, key_length, like=attention_mask)
        mask = causal[:, None, :, :] * attention_mask[:, None, None, :]
    else:
        mask = attention_mask[:, None, None, :]
    return (1.0 - mask.to(dtype)) * -10000.0


def encoder_extended_attention_mask(encoder_attention_mask: Tensor, dtype: torch.dtype) -> Tensor:
    """The additive mask of cross-attention, broadcast to (batch, heads, seq, encoder seq).

    Here the reference hides with −10⁹, except in float16, whose range ends at 65504.
    """
    mask = encoder_attention_mask if encoder_attention_mask.dim() == 3 else encoder_attention_mask[:, None, :]
    return (1.0 - mask[:, None].to(dtype)) * (-1e4 if dtype == torch.float16 else -1e9)


def head_mask_of_layers(head_mask: Tensor, num_hidden_layers: int, dtype: torch.dtype) -> Tensor:
    """(heads) or (layers, heads) → (layers, 1, heads, 1, 1); five dimensions are taken as they are.

    Raises ValueError for any other number of dimensions.
    """
    if head_mask.dim() == 1:
        head_mask = head_mask[None, None, :, None, None].expand(num_hidden_layers, -1, -1, -1, -1)
    elif head_mask.dim() == 2:
        head_mask = head_mask[:, None, :, None, None]
    if head_mask.dim() != 5:
        raise ValueError(f"head_mask has shape {tuple(head_mask.shape)}. Give (heads,) or (layers, heads).")
    return head_mask.to(dtype)
