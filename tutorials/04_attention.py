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
# # 4 · Self-attention, by hand and then fused
#
# Attention is how one word learns of another. Every position asks a question (its *query*), every position holds up a label
# (its *key*), and where question and label agree, the position's *value* is taken along.
#
# $$
# Q = X W_q \qquad K = X W_k \qquad V = X W_v
# $$
#
# $$
# \mathrm{attention}(Q, K, V) = \mathrm{softmax}\Bigl(\frac{Q K^\top}{\sqrt{d}} + \mathrm{mask}\Bigr)\, V
# $$
#
# ![x is projected to Q, K and V, each is split into heads; Q Kᵀ is divided by √d, the mask is added, the softmax runs over the keys; the probabilities mix V, and the heads are joined, with the shape written at every step](../docs/figures/attention.svg)

# %%
import math

import torch

from course.figures import new_figure, show
from minibert import BertModel, BertTokenizer

tokenizer = BertTokenizer.from_pretrained("novels-4l-256h")
model = BertModel.from_pretrained("novels-4l-256h")

# %% [markdown]
# ## Three words, two numbers each
#
# Small enough for pencil and paper. Three positions, vectors of width d = 2:

# %%
query = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])  # (seq, d)
key = torch.tensor([[2.0, 0.0], [0.0, 2.0], [0.0, 0.0]])
value = torch.tensor([[10.0, 0.0], [0.0, 10.0], [5.0, 5.0]])

# %% [markdown]
# **What do you expect:** at which position does position 0 look hardest? And how will position 2, whose query agrees with the
# first two keys alike, divide its attention?

# %%
scores = query @ key.T / math.sqrt(2)  # (seq, seq): row = who asks, column = who is asked
probabilities = torch.softmax(scores, dim=-1)  # every row adds up to 1
context = probabilities @ value  # (seq, d): a weighted mean of the values
print("scores\n", scores)
print("probabilities\n", probabilities)
print("context\n", context)

by_pencil = math.exp(2 / math.sqrt(2)) / (math.exp(2 / math.sqrt(2)) + 1 + 1)
assert math.isclose(probabilities[0, 0].item(), by_pencil, rel_tol=1e-6)

# %% [markdown]
# The first row asked for the first coordinate, and got mostly the first value. Nothing was copied whole: attention mixes.
#
# ## Why divide by √d?
#
# A dot product of two random vectors is a sum of d terms; its spread grows with √d. **What do you expect** of a softmax over
# 10 scores when d is 256, without the division?

# %%
torch.manual_seed(0)
for d in (4, 64, 256):
    q, keys = torch.randn(2000, 1, d), torch.randn(2000, d, 10)
    products = (q @ keys).squeeze(1)  # (2000, 10)
    largest = torch.softmax(products, -1).max(-1).values.mean()
    largest_scaled = torch.softmax(products / math.sqrt(d), -1).max(-1).values.mean()
    print(
        f"d = {d:3}: spread {products.std():5.1f}, largest probability {largest:.2f}, divided by √d {largest_scaled:.2f}"
    )

# %% [markdown]
# Without the division one key takes everything, and a softmax that is 1 somewhere and 0 elsewhere passes hardly any gradient:
# the model could not learn to look elsewhere.
#
# ## Several heads
#
# One question at a time is little. BERT cuts the 256 numbers of a position into 4 heads of d = 64, lets each attend by itself,
# and puts the results side by side.
#
#     (batch, seq, 256) → view (batch, seq, 4, 64) → transpose (batch, 4, seq, 64)
#
# **What do you expect** to go wrong if we view as (batch, 4, seq, 64) at once? Position 0 and position 1 stand in rows:

# %%
rows = torch.tensor([[[1, 1, 1, 1], [2, 2, 2, 2]]])  # (batch 1, seq 2, hidden 4): position 0 is all 1, position 1 all 2
print("view, then transpose:", rows.view(1, 2, 2, 2).transpose(1, 2).tolist())
print("view at once:        ", rows.view(1, 2, 2, 2).tolist())

# %% [markdown]
# Read both as (batch, head, seq, d): at once, head 0 holds position 0 twice, and position 1 not at all. The shapes are the
# same, no error is raised, and the heads mix up the positions. It is a classic.
#
# ## The layer, by hand
#
# Now with the first layer's real weights, on a batch with padding.

# %%
attention = model.encoder.layer[0].attention.self
inputs = tokenizer(["The captain lost his ship.", "She laughed."], padding=True, return_tensors="pt")
with torch.no_grad():
    hidden_states = model.embeddings(inputs["input_ids"])  # (batch, seq, hidden)
batch, seq, hidden = hidden_states.shape
heads, d = attention.num_attention_heads, attention.attention_head_size
print(f"batch {batch}, seq {seq}, hidden {hidden} = {heads} heads × {d}")

# %% [markdown]
# The mask comes as 1 for a token and 0 for padding. It is *added* to the scores, so it must become 0 and something very
# negative. **What do you expect:** why −10000, and not −∞?

# %%
mask = (1.0 - inputs["attention_mask"][:, None, None, :].float()) * -10000.0  # (batch, 1, 1, keys)
print(mask[1].flatten().tolist())
print("all hidden, −∞:    ", torch.softmax(torch.full((3,), -math.inf), -1).tolist())
print("all hidden, −10000:", torch.softmax(torch.full((3,), -10000.0), -1).tolist())


# %% [markdown]
# A row that may see nothing (say, an unused row that fills up a batch) would become NaN and spoil every number after it.


# %%
def split_heads(x: torch.Tensor) -> torch.Tensor:
    """(batch, seq, heads · d) → (batch, heads, seq, d)"""
    return x.view(batch, seq, heads, d).transpose(1, 2)


with torch.no_grad():
    query = split_heads(attention.query(hidden_states))
    key = split_heads(attention.key(hidden_states))
    value = split_heads(attention.value(hidden_states))
    scores = query @ key.transpose(-1, -2) / math.sqrt(d)  # (batch, heads, seq, keys)
    probabilities = torch.softmax(scores + mask, dim=-1)
    context = (probabilities @ value).transpose(1, 2).reshape(batch, seq, hidden)  # heads side by side again

    by_library, its_probabilities, _ = attention(hidden_states, mask, output_attentions=True)
assert torch.equal(probabilities, its_probabilities)
assert torch.equal(context, by_library)
print("equal to BertSelfAttention, to the bit")
print("attention paid to padding:", probabilities[1, :, :, inputs["attention_mask"][1] == 0].max().item())

# %% [markdown]
# ## What the heads look at
#
# **What do you expect** of 16 heads that nobody told what to do? Look for two habits: at a neighbour, and at `[CLS]` or `[SEP]`
# (a head that finds nothing it asks for has to look somewhere).

# %%
text = "The old man took off his hat, and she laughed."
inputs = tokenizer(text, return_tensors="pt")
tokens = tokenizer.convert_ids_to_tokens(inputs["input_ids"][0])
with torch.no_grad():
    looks = model(**inputs, output_attentions=True).attentions  # for each layer (batch, heads, seq, keys)
looks = torch.stack(looks)[:, 0]  # (layers, heads, seq, keys)

figure = new_figure(width=11, height=11.5)
panels = figure.subplots(4, 4)
for layer in range(4):
    for head in range(4):
        panel = panels[layer, head]
        image = panel.imshow(looks[layer, head], vmin=0, vmax=1, cmap="Blues")
        panel.set_title(f"layer {layer}, head {head}", fontsize=9)
        panel.set_xticks(range(len(tokens)), tokens if layer == 3 else [], rotation=90, fontsize=8)
        panel.set_yticks(range(len(tokens)), tokens if head == 0 else [], fontsize=8)
figure.suptitle("What each head of the bundled model looks at")
figure.supylabel("the piece that asks (its query)")
figure.supxlabel("the piece that is asked (its key)")
figure.colorbar(image, ax=panels, shrink=0.5, label="attention weight; the weights of a row add up to 1")

previous = looks.diagonal(offset=-1, dim1=-2, dim2=-1).mean(-1)  # (layers, heads): the mean look at the piece before
following = looks.diagonal(offset=1, dim1=-2, dim2=-1).mean(-1)
for name, habit in (("the piece before", previous), ("the piece after", following)):
    layer, head = divmod(int(habit.argmax()), 4)
    print(f"{name}: most of all layer {layer}, head {head}, with {habit.max():.0%} of its attention")
show(
    figure,
    "04-heads",
    "Sixteen squares, a row for each layer: in layer 0 two heads have a sharp line beside the diagonal, at the "
    "piece before and the piece after; in the upper layers the darkest columns are those of [CLS] and [SEP].",
)

# %% [markdown]
# The two sharpest heads do what you would do to tell words apart by their order: look at the piece before and the piece
# after. Higher up, much of the attention rests on `[CLS]` and `[SEP]`.
#
# ## The same thing, fused
#
# By hand, the (seq × keys) matrix of probabilities lies in memory, once for each head. PyTorch's `scaled_dot_product_attention`
# walks over it in blocks and never holds it whole. **What do you expect:** equal bits?

# %%
inputs = tokenizer(["The captain lost his ship.", "She laughed."], padding=True, return_tensors="pt")
with torch.no_grad():
    written_out = model(**inputs).last_hidden_state
    model.set_attn_implementation("sdpa")
    fused = model(**inputs).last_hidden_state
    model.set_attn_implementation("eager")
real = inputs["attention_mask"].bool()
difference = (written_out - fused)[real].abs().max().item()
print(f"largest difference after four layers: {difference:.1e}")
assert difference < 1e-5

# %% [markdown]
# Not equal bits: sums in another order round differently. Near enough for everything but a proof, which is why the default
# here is `"eager"`, the one you can read. With `"sdpa"` there are no probabilities to look at; asking for them
# (`output_attentions=True`) takes the written-out way for that call.
#
# ## Summary
#
# - Scores are dot products of queries and keys, divided by √d; a softmax over the *keys* makes weights; values are mixed by them.
# - Split heads by view **and** transpose; join them by transpose and reshape.
# - The mask is added: 0 or −10000, finite so that no row becomes NaN.
# - Eager attention shows everything; fused attention saves memory and time and agrees up to rounding.
#
# **The code:** [`minibert/model/attention.py`](../minibert/model/attention.py): `eager_attention` is this chapter in ten lines.
# [`minibert/model/masks.py`](../minibert/model/masks.py) makes the mask. `minibert attention "your text" --layer 0 --head 1` draws a head.
#
# **Exercises:** [`exercises/04_attention.py`](exercises/04_attention.py): heads apart, the mask, attention, heads together. Check
# them with `minibert check 4`.
#
# **Next:** [5 · The encoder](05_encoder.py)
