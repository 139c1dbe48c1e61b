"""Attention of functions whose weights are split by heads before anything is computed, and PyTorch's fused product."""


def attend(config, weights, x, mask, training=True):
    heads, hidden = config.num_attention_heads, x.shape[-1]
    into = [weights[f"self.{name}.weight"].view(heads, -1, hidden) for name in ("query", "key", "value")]
    shifts = [weights[f"self.{name}.bias"].view(heads, 1, -1) for name in ("query", "key", "value")]
    back = weights["output.dense.weight"].T.reshape(heads, -1, hidden)
    q, k, v = (x[:, None] @ each.mT + shift for each, shift in zip(into, shifts, strict=True))
    seen = (mask == 1)[:, None, None, :]
    rate = config.attention_probs_dropout_prob if training else 0.0
    context = F.scaled_dot_product_attention(q, k, v, attn_mask=seen, dropout_p=rate)
    return (context @ back).sum(1) + weights["output.dense.bias"]
