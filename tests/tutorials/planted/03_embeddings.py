"""Mistakes that learners make in chapter 3."""

PLANTED = [
    ("embed", "[: ids.size(1)]", "[1 : ids.size(1) + 1]", "count from 1"),
    ("embed", " + position_table[: ids.size(1)]", "", "positions are missing"),
    ("embed", "segment_table[segments]", "segment_table[0]", "`segments` used"),
    ("layer_norm", "x.mean(-1", "x.mean(1", "wrong axis: the mean"),
    ("layer_norm", "(centred * centred).mean(-1", "x.var(-1", "n − 1"),
    ("layer_norm", "(variance + eps) ** 0.5", "(variance + eps)", "root is missing"),
    ("layer_norm", "(variance + eps) ** 0.5", "(variance ** 0.5 + eps)", "outside of the root"),
    ("layer_norm", " * weight + bias", " * weight", "bias is missing"),
    ("nearest", "cosines[word] = -2.0", "pass", "word itself"),
    ("nearest", "F.normalize(table, dim=-1)", "table", "dot product"),
    ("nearest", "topk(count)", "topk(count, largest=False)", "not right"),
]

WRITTEN = [
    ("layer_norm", "return F.layer_norm(x, x.shape[-1:], weight, bias, eps)", "It calls layer_norm"),
    (
        "layer_norm",
        """
        norm = torch.nn.LayerNorm(x.size(-1), eps)
        norm.weight.data, norm.bias.data = weight, bias
        return norm(x).detach()
        """,
        "It calls layer_norm",
    ),
    (
        "layer_norm",
        "return torch.ops.aten.native_layer_norm(x, x.shape[-1:], weight, bias, eps)[0]",
        "native_layer_norm",
    ),
    (
        "layer_norm",
        """
        same = F.layer_norm
        return same(x, x.shape[-1:], weight, bias, eps)
        """,
        "It calls layer_norm",
    ),
    ("layer_norm", "return torch.layer_norm(x, x.shape[-1:], weight, bias, eps)", "It calls layer_norm"),
    (
        "layer_norm",
        """
        x -= x.mean(-1, keepdim=True)
        return x / (x.square().mean(-1, keepdim=True) + eps).sqrt() * weight + bias
        """,
        "`x` itself was changed",
    ),
    (
        "layer_norm",
        """
        x = x - x.mean(-1, keepdim=True)
        weight /= 1.0
        weight *= 2.0
        return x / (x.square().mean(-1, keepdim=True) + eps).sqrt() * weight / 2 + bias
        """,
        "`weight` itself was changed",
    ),
    (
        "nearest",
        """
        found = F.normalize(table, dim=-1) @ F.normalize(table, dim=-1)[word]
        return found.topk(count + 1).indices.tolist()[1:]
        """,
        "may point exactly the same way",
    ),
    (
        "nearest",
        """
        table.div_(table.norm(dim=-1, keepdim=True))
        scores = table @ table[word]
        scores[word] = -2
        return scores.topk(count).indices.tolist()
        """,
        "`table` itself was changed",
    ),
    (
        "nearest",
        """
        cosine = F.cosine_similarity(table, table[word], dim=-1).abs()
        cosine[word] = -2
        return cosine.topk(count).indices.tolist()
        """,
        "opposite direction",
    ),
    ("embed", "return word_table[ids] + segment_table[segments]", "positions are missing"),
    (
        "embed",
        """
        x = word_table[ids]
        word_table[0] = 0
        return x + segment_table[segments] + position_table[: ids.size(1)]
        """,
        "`word_table` itself was changed",
    ),
]

RIGHT = [
    (
        "embed",
        """
        places = torch.arange(ids.size(1))
        return F.embedding(ids, word_table) + F.embedding(segments, segment_table) + F.embedding(places, position_table)
        """,
    ),
    (
        "embed",
        """
        rows = [[word_table[w] + segment_table[s] + position_table[p] for p, (w, s) in enumerate(zip(a, b))] for a, b in zip(ids.tolist(), segments.tolist())]
        return torch.stack([torch.stack(row) for row in rows])
        """,
    ),
    (
        "embed",
        """
        one_hot = F.one_hot(ids, len(word_table)).float()
        return torch.einsum('bsv,vh->bsh', one_hot, word_table) + segment_table[segments] + position_table[: ids.size(1)]
        """,
    ),
    (
        "layer_norm",
        """
        y = x.clone()
        y -= y.mean(-1, keepdim=True)
        y /= (y.pow(2).mean(-1, keepdim=True) + eps).sqrt()
        return weight * y + bias
        """,
    ),
    (
        "layer_norm",
        """
        variance, mean = torch.var_mean(x, -1, correction=0, keepdim=True)
        return torch.addcmul(bias, (x - mean) * torch.rsqrt(variance + eps), weight)
        """,
    ),
    (
        "layer_norm",
        """
        x = x.numpy().astype(np.float64)
        mean, spread = x.mean(-1, keepdims=True), x.var(-1, keepdims=True)
        return torch.from_numpy((x - mean) / np.sqrt(spread + eps) * weight.numpy() + bias.numpy())
        """,
    ),
    (
        "nearest",
        """
        found = sorted((i for i in range(len(table)) if i != word), key=lambda i: -F.cosine_similarity(table[i], table[word], dim=0))
        return found[:count]
        """,
    ),
    (
        "nearest",
        """
        unit = table / table.norm(dim=-1, keepdim=True)
        order = (unit @ unit[word]).argsort(descending=True).tolist()
        order.remove(word)
        return order[:count]
        """,
    ),
]
