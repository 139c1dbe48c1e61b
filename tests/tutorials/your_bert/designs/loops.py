"""Attention of functions as loops over sentences, heads and queries: the equation, and nothing else."""


def attend(config, weights, x, mask, training=True):
    d = x.shape[-1] // config.num_attention_heads
    query, key, value = (linear(x, weights, f"self.{name}") for name in ("query", "key", "value"))
    sentences = []
    for sentence in range(len(x)):
        heads = []
        for head in range(config.num_attention_heads):
            own = slice(head * d, (head + 1) * d)
            rows = []
            for place in range(x.shape[1]):
                scores = []
                for other in range(x.shape[1]):
                    score = (query[sentence, place, own] * key[sentence, other, own]).sum() / math.sqrt(d)
                    scores.append(score if mask[sentence, other] else score - 10000.0)
                looks = torch.stack(scores).softmax(0)
                looks = F.dropout(looks, config.attention_probs_dropout_prob, training)
                rows.append(sum(look * value[sentence, other, own] for other, look in enumerate(looks)))
            heads.append(torch.stack(rows))
        sentences.append(torch.cat(heads, dim=-1))
    return linear(torch.stack(sentences), weights, "output.dense")
