"""Attention of functions by einsum, the heads never moved in front of the positions."""


def attend(config, weights, x, mask, training=True):
    batch, seq, hidden = x.shape
    d = hidden // config.num_attention_heads
    parts = {
        name: linear(x, weights, f"self.{name}").view(batch, seq, config.num_attention_heads, d)
        for name in ("query", "key", "value")
    }
    scores = torch.einsum("bqhd,bkhd->bqhk", parts["query"], parts["key"]) * d**-0.5
    scores = scores.masked_fill(mask[:, None, None, :] == 0, -math.inf)
    looks = F.dropout(torch.softmax(scores, dim=3), config.attention_probs_dropout_prob, training)
    context = torch.einsum("bqhk,bkhd->bqhd", looks, parts["value"])
    out = weights["output.dense.weight"].view(hidden, config.num_attention_heads, d)
    return torch.einsum("bqhd,ohd->bqo", context, out) + weights["output.dense.bias"]
