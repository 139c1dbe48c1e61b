"""Mistakes that learners make in chapter 4."""

PLANTED = [
    (
        "split_heads",
        "x.view(batch, seq, heads, hidden // heads).transpose(1, 2)",
        "x.view(batch, heads, seq, -1)",
        "mixed",
    ),
    ("split_heads", ".transpose(1, 2)", "", "(batch, seq, heads, d)"),
    (
        "split_heads",
        "x.view(batch, seq, heads, hidden // heads).transpose(1, 2)",
        "x.view(batch, seq, -1, heads).permute(0, 3, 1, 2)",
        "every heads-th",
    ),
    ("additive_mask", "1.0 - mask[:, None, None, :].float()", "mask[:, None, None, :].float()", "wrong way round"),
    ("additive_mask", "-10000.0", "10000.0", "The sign"),
    ("additive_mask", "[:, None, None, :]", "", "axes in the middle"),
    ("attention", " / math.sqrt(query.size(-1))", "", "scale is missing"),
    ("attention", "math.sqrt(query.size(-1))", "query.size(-1)", "by its root"),
    ("attention", "scores + mask, dim=-1", "scores + mask, dim=-2", "wrong axis"),
    ("attention", "scores + mask", "scores", "mask is not added"),
    ("attention", "math.sqrt(query.size(-1))", "math.sqrt(query.size(-2))", "another length"),
    ("join_heads", ".transpose(1, 2)", "", "mixes positions"),
    ("join_heads", ".reshape(batch, seq, heads * d)", "", "not yet side by side"),
]

WRITTEN = [
    (
        "join_heads",
        """
        batch, heads, seq, d = x.shape
        return x.transpose(1, 2).view(batch, seq, heads * d)
        """,
        "`view` cannot put numbers side by side",
    ),
    ("join_heads", "return x.flatten(1, 2)", ""),
    (
        "join_heads",
        """
        batch, heads, seq, d = x.shape
        return x.transpose(2, 3).reshape(batch, seq, heads * d)
        """,
        "d and seq are swapped",
    ),
    (
        "attention",
        "return torch.nn.functional.scaled_dot_product_attention(query, key, value, mask)",
        "It calls scaled_dot_product_attention",
    ),
    ("attention", "return torch._C._nn.scaled_dot_product_attention(query, key, value, mask)", "scaled_dot_product"),
    ("attention", "return torch.ops.aten.scaled_dot_product_attention(query, key, value, mask)", "scaled_dot_product"),
    (
        "attention",
        """
        scores = (query @ key.transpose(-1, -2) / math.sqrt(query.size(-1)) + mask).exp()
        return scores / scores.sum(-1, keepdim=True) @ value
        """,
        "Take the largest score",
    ),
    (
        "attention",
        """
        query /= math.sqrt(query.size(-1))
        return torch.softmax(query @ key.transpose(-1, -2) + mask, -1) @ value
        """,
        "`query` itself was changed",
    ),
    (
        "attention",
        """
        mask += query @ key.transpose(-1, -2)[:, :1, :, :].sum() * 0 if False else 0
        mask *= 2
        return torch.softmax(query @ key.transpose(-1, -2) / math.sqrt(query.size(-1)) + mask / 2, -1) @ value
        """,
        "`mask` itself was changed",
    ),
    (
        "attention",
        "return torch.softmax((query @ key.transpose(-1, -2) + mask) / math.sqrt(query.size(-1)), -1) @ value",
        "divided too",
    ),
    (
        "attention",
        "return (torch.softmax(query @ key.transpose(-1, -2) / math.sqrt(query.size(-1)), -1) + mask) @ value",
        "after the softmax",
    ),
    (
        "attention",
        "return torch.softmax(torch.softmax(query @ key.transpose(-1, -2) / math.sqrt(query.size(-1)) + mask, -1), -1) @ value",
        "taken twice",
    ),
    (
        "additive_mask",
        """
        mask[mask == 0] = -10000
        mask[mask == 1] = 0
        return mask[:, None, None, :].float()
        """,
        "`mask` itself was changed",
    ),
    ("additive_mask", "return torch.where(mask == 1, 0.0, -math.inf)[:, None, None, :]", "−∞ instead"),
    ("split_heads", "return x.unflatten(-1, (-1, heads)).permute(0, 3, 1, 2)", "every heads-th"),
]

RIGHT = [
    ("split_heads", "return x.unflatten(-1, (heads, -1)).movedim(2, 1)"),
    ("split_heads", "return torch.stack(x.chunk(heads, -1), 1)"),
    (
        "split_heads",
        "return torch.stack([x[..., h * (x.size(-1) // heads) : (h + 1) * (x.size(-1) // heads)] for h in range(heads)], 1)",
    ),
    ("additive_mask", "return torch.where(mask == 1, 0.0, -10000.0)[:, None, None, :]"),
    ("additive_mask", "return (mask[:, None, None].double() - 1) * 10000"),
    (
        "additive_mask",
        """
        hidden = torch.zeros(mask.size(0), 1, 1, mask.size(1))
        return hidden.masked_fill(mask[:, None, None, :] == 0, -10000.0)
        """,
    ),
    (
        "attention",
        """
        scores = torch.einsum('bhqd,bhkd->bhqk', query, key) / query.size(-1) ** 0.5 + mask
        return torch.einsum('bhqk,bhkd->bhqd', scores.softmax(-1), value)
        """,
    ),
    (
        "attention",
        """
        scores = query @ key.mT / math.sqrt(query.size(-1)) + mask
        weights = (scores - scores.amax(-1, keepdim=True)).exp()
        return weights / weights.sum(-1, keepdim=True) @ value
        """,
    ),
    (
        "attention",
        """
        out = torch.zeros_like(query)
        for b in range(query.size(0)):
            for h in range(query.size(1)):
                for q in range(query.size(2)):
                    scores = key[b, h] @ query[b, h, q] / math.sqrt(query.size(-1)) + mask[b, 0, 0]
                    out[b, h, q] = torch.softmax(scores, 0) @ value[b, h]
        return out
        """,
    ),
    (
        "attention",
        "return torch.vmap(lambda q, k, v, m: torch.softmax(q @ k.transpose(-1, -2) / math.sqrt(q.size(-1)) + m, -1) @ v)(query, key, value, mask)",
    ),
    ("join_heads", "return x.permute(0, 2, 1, 3).flatten(2)"),
    ("join_heads", "return x.transpose(1, 2).contiguous().view(x.size(0), x.size(2), -1)"),
    ("join_heads", "return torch.cat(x.unbind(1), -1)"),
]
