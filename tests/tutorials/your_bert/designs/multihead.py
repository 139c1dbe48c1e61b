"""Attention of modules by PyTorch's own nn.MultiheadAttention."""


class Attention(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.inner = nn.MultiheadAttention(
            config.hidden_size,
            config.num_attention_heads,
            dropout=config.attention_probs_dropout_prob,
            batch_first=True,
        )

    def forward(self, x, hidden_tokens):
        return self.inner(x, x, x, key_padding_mask=hidden_tokens, need_weights=False)[0]


def attention_names(w):
    return {
        "inner.in_proj_weight": torch.cat([w[f"self.{name}.weight"] for name in ("query", "key", "value")]),
        "inner.in_proj_bias": torch.cat([w[f"self.{name}.bias"] for name in ("query", "key", "value")]),
        "inner.out_proj.weight": w["output.dense.weight"],
        "inner.out_proj.bias": w["output.dense.bias"],
    }
