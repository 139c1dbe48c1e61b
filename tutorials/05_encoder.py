# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 5 · The encoder layer and the stack
#
# Attention gathers; then every position thinks by itself. Around both stands the same frame: add what came in, and normalise.
#
# $$
# a = \mathrm{LayerNorm}(x + \mathrm{attention}(x))
# $$
#
# $$
# y = \mathrm{LayerNorm}\bigl(a + W_2\, \mathrm{gelu}(W_1 a + b_1) + b_2\bigr)
# $$
#
# (batch, seq, hidden) goes in and comes out, so layers can be stacked: the next one reads what this one wrote.
#
# ![x goes through self-attention and a dense map, x itself is added, LayerNorm; then up to the intermediate width through gelu and down again, the input is added, LayerNorm, y](../docs/figures/layer.svg)

# %%
import math

import torch
import torch.nn.functional as F

from course.figures import new_figure, show
from minibert import BertModel, BertTokenizer

tokenizer = BertTokenizer.from_pretrained("novels-4l-256h")
model = BertModel.from_pretrained("novels-4l-256h")
layer = model.encoder.layer[0]

# %% [markdown]
# ## The second half: feed-forward
#
# Two linear maps with a bend between: from 256 numbers up to 1,024 and down again, the same for every position.
#
# **What do you expect** without the bend? (What is a linear map after a linear map?)

# %%
up, down = layer.intermediate.dense, layer.output.dense
x = torch.randn(5, 256, generator=torch.Generator().manual_seed(0))
with torch.no_grad():
    two_maps = down(up(x))
    one_map = x @ (down.weight @ up.weight).T + down.weight @ up.bias + down.bias
print(f"difference without the bend: {(two_maps - one_map).abs().max():.1e}")
assert torch.allclose(two_maps, one_map, atol=1e-4)

# %% [markdown]
# One map would do. The bend is *gelu*: x · Φ(x), Φ being the probability that a normal random number is below x. It lets large
# numbers through, stops very negative ones, and is smooth between.

# %%
grid = torch.linspace(-4, 4, 200)
by_hand = grid * 0.5 * (1 + torch.erf(grid / math.sqrt(2)))
assert torch.allclose(by_hand, F.gelu(grid), atol=1e-6)
figure = new_figure(width=6, height=3.4)
panel = figure.subplots()
panel.plot(grid, F.relu(grid), color="gray", linestyle=":", label="relu")
panel.plot(grid, by_hand, label="gelu")
panel.axvline(0, color="lightgray", linewidth=0.8, zorder=0)
panel.set_xlabel("x")
panel.legend()
panel.set_title("gelu dips below 0 and comes back")
show(
    figure,
    "05-gelu",
    "Two curves: relu is 0 up to 0 and then a straight line; gelu follows it, rounds its corner off, and dips a "
    "little below 0 on the left.",
)

# %% [markdown]
# ## The whole layer, by hand
#
# Attention as in chapter 4 (here the library's own, to keep this short), its output projection, and the frame twice.
#
# **What do you expect:** in which order come adding and normalising?

# %%
inputs = tokenizer("The captain lost his ship.", return_tensors="pt")
with torch.no_grad():
    hidden_states = model.embeddings(inputs["input_ids"])  # (1, seq, hidden)

    context, _, _ = layer.attention.self(hidden_states)  # (1, seq, hidden): the heads side by side
    gathered = layer.attention.output.dense(context)  # mix the heads
    attended = layer.attention.output.LayerNorm(gathered + hidden_states)  # add & norm

    wide = F.gelu(up(attended))  # (1, seq, intermediate)
    thought = down(wide)  # (1, seq, hidden)
    by_hand = layer.output.LayerNorm(thought + attended)  # add & norm

    by_library, *_ = layer(hidden_states)
assert torch.equal(by_hand, by_library)
print(
    "equal to BertLayer, to the bit; shapes:", tuple(context.shape), "→", tuple(wide.shape), "→", tuple(by_hand.shape)
)

# %% [markdown]
# The sum comes first, LayerNorm last: this is *post-norm*. (GPT-2 and most later models are *pre-norm*: they normalise what goes into each half,
# and leave the sum alone.)
#
# Why add what came in? Such a *residual connection*, or *skip connection*, lets a layer learn only what to *change*. And the gradient has a short way
# past every half: through the sum, and through nothing but a LayerNorm. The [quiz](../docs/quiz.md#9-what-do-residual-connections-do) trains small
# BERTs without them, and pre-norm ones.
#
# ## How much does each half change?
#
# **What do you expect:** which half moves the vectors more, gathering or thinking?

# %%
changes: dict[str, list[float]] = {"attention": [], "feed-forward": []}
with torch.no_grad():
    x = model.embeddings(inputs["input_ids"])
    for block in model.encoder.layer:
        gathered = block.attention.output.dense(block.attention.self(x)[0])
        attended = block.attention.output.LayerNorm(gathered + x)
        thought = block.output.dense(block.intermediate(attended))
        changes["attention"].append((gathered.norm(dim=-1) / x.norm(dim=-1)).mean().item())
        changes["feed-forward"].append((thought.norm(dim=-1) / attended.norm(dim=-1)).mean().item())
        x = block.output.LayerNorm(thought + attended)
    assert torch.equal(x, model(**inputs).last_hidden_state)
for half, shares in changes.items():
    print(f"{half:13}", "  ".join(f"layer {number}: {share:.2f}" for number, share in enumerate(shares)))
larger = [max(changes, key=lambda half: changes[half][number]) for number in range(4)]
assert larger == ["attention", "feed-forward", "feed-forward", "feed-forward"]

# %% [markdown]
# (Each number is the length of what is added, by the length of what it is added to.) In layer 0 gathering moves the vectors more, in the layers above it
# thinking does: first the neighbours have to be fetched.
#
# ## The stack makes words depend on their neighbours
#
# In the three texts below, *light* is piece 4: its embedding is the same in all. **What do you expect** of its vector after each
# layer, when one *light* is a lamp and the other weighs little? And when both are lamps?

# %%
text = "she lit the light in the hall"
alike = "he saw the light in the window"
other = "she was as light as a feather"


def states_of(text: str, word: str) -> torch.Tensor:
    """The word's vector after the embeddings and after every layer: (layers + 1, hidden)."""
    encoded = tokenizer(text, return_tensors="pt")
    place = encoded["input_ids"][0].tolist().index(tokenizer.vocab[word])
    with torch.no_grad():
        return torch.stack(model(**encoded, output_hidden_states=True).hidden_states)[:, 0, place]


same_sense = torch.cosine_similarity(states_of(text, "light"), states_of(alike, "light"), dim=-1)
two_senses = torch.cosine_similarity(states_of(text, "light"), states_of(other, "light"), dim=-1)
figure = new_figure(width=7, height=3.6)
panel = figure.subplots()
panel.plot(same_sense, marker="o", label=f"“{text}” and “{alike}”")
panel.plot(two_senses, marker="o", label=f"“{text}” and “{other}”")
panel.set_xticks(range(5), ["embeddings", *(f"layer {n}" for n in range(4))])
panel.set_ylim(0, 1.05)
panel.set_ylabel("cosine of the two vectors of “light”")
panel.set_title("Two meanings part from layer to layer of the bundled model")
panel.legend()
assert same_sense[-1] > two_senses[-1]
show(
    figure,
    "05-senses",
    "Two lines over the layers, both beginning at 1: that of two lamps stays above 0.9, that of a lamp and a "
    "feather falls to about 0.6.",
)

# %% [markdown]
# They begin alike. The first layer already sees the neighbours, and parts the two senses; the two lamps stay together. Such
# vectors are called *contextual*: they say what a word is here, and not what it is in the dictionary.
#
# ## Where the parameters are
#
# **What do you expect:** which part of a layer holds most of its numbers?

# %%
parts = {
    "query, key, value": sum(p.numel() for n, p in layer.named_parameters() if ".self." in n),
    "attention's output": sum(p.numel() for n, p in layer.named_parameters() if "attention.output.dense" in n),
    "feed-forward": sum(p.numel() for m in (up, down) for p in m.parameters()),
    "two LayerNorms": sum(p.numel() for n, p in layer.named_parameters() if "LayerNorm" in n),
}
whole = sum(parameter.numel() for parameter in layer.parameters())
for name, count in parts.items():
    print(f"{name:20} {count:>8,}  {count / whole:4.0%}")
assert sum(parts.values()) == whole == 12 * 256 * 256 + 13 * 256

# %% [markdown]
# Twelve squares of hidden × hidden, with intermediate = 4 · hidden: four for attention, eight for feed-forward. For BERT-base
# (hidden 768, 12 layers) that makes 85 of its 110 million.
#
# ## Summary
#
# - A layer is attention and a feed-forward network, each framed by add & norm, the sum first and LayerNorm last.
# - The bend, gelu, is what makes two linear maps more than one.
# - Layers have one shape in and out; stacked, they turn word vectors into vectors of words in context.
# - Two thirds of a layer's numbers are in the feed-forward network.
#
# **The code:** [`minibert/model/layer.py`](../minibert/model/layer.py), [`encoder.py`](../minibert/model/encoder.py), and
# [`activations.py`](../minibert/model/activations.py).
#
# **Exercises:** [`exercises/05_encoder.py`](exercises/05_encoder.py): gelu, feed-forward, add & norm, and counting. Check them with
# `minibert check 5`.
#
# **Next:** [6 · Pooler and prediction heads](06_heads.py)
