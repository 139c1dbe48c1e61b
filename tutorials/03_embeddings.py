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
# # 3 · Embeddings: ids become vectors
#
# The first stage of the network. An id says *which* word; a vector can say what it is like.
#
# $$
# \mathrm{embeddings} = \mathrm{LayerNorm}(\mathrm{word}[\mathit{id}] + \mathrm{segment}[\mathit{type}] + \mathrm{position}[\mathit{place}])
# $$
#
# Ids of shape (batch, seq) go in, vectors of shape (batch, seq, hidden) come out.
#
# ![For each of five tokens three boxes are added, the word’s vector, the segment’s and the position’s; LayerNorm and dropout follow](../docs/figures/embeddings.svg)

# %%
import torch

from course.figures import new_figure, show
from minibert import BertModel, BertTokenizer

tokenizer = BertTokenizer.from_pretrained("novels-4l-256h")
model = BertModel.from_pretrained("novels-4l-256h")
stage = model.embeddings

# %% [markdown]
# ## Three tables
#
# **What do you expect:** the vocabulary has 8,192 pieces, a vector 256 numbers. How large are the other two tables?

# %%
for name, parameter in stage.named_parameters():
    print(f"{name:30} {tuple(parameter.shape)!s:14} {parameter.numel():>9,}")
share = stage.word_embeddings.weight.numel() / model.num_parameters()
print(f"The word table alone is {share:.0%} of the model.")

# %% [markdown]
# Looking up a row is all an embedding does. It equals multiplying by a row of zeros with a single one in it, without the
# multiplying.

# %%
word = tokenizer.vocab["night"]
one_hot = torch.zeros(len(tokenizer.vocab))
one_hot[word] = 1.0
assert torch.equal(stage.word_embeddings(torch.tensor(word)), stage.word_embeddings.weight[word])
assert torch.equal(one_hot @ stage.word_embeddings.weight, stage.word_embeddings.weight[word])

# %% [markdown]
# ## The sum, by hand
#
# Why a sum, and not the three vectors side by side? Side by side, the network would be three times as wide. A sum in 256
# dimensions loses little: there is room for the three to point in directions of their own.

# %%
inputs = tokenizer("He stood up.", "He left.", return_tensors="pt")
ids, segments = inputs["input_ids"], inputs["token_type_ids"]  # (1, seq) each
places = torch.arange(ids.size(1))  # (seq): 0, 1, 2, …
print(tokenizer.convert_ids_to_tokens(ids[0]))

with torch.no_grad():
    total = stage.word_embeddings.weight[ids]  # (1, seq, hidden)
    total = total + stage.token_type_embeddings.weight[segments]
    total = total + stage.position_embeddings.weight[places]
print(tuple(total.shape))

# %% [markdown]
# ## LayerNorm, by hand
#
# Each vector by itself: take its mean away, divide by its standard deviation, then scale and shift every coordinate by
# learned numbers. ε keeps the division finite.
#
# **What do you expect:** over which axis does the mean run? (batch, seq or hidden?)

# %%
norm = stage.LayerNorm
with torch.no_grad():
    mean = total.mean(dim=-1, keepdim=True)  # (1, seq, 1)
    variance = (total - mean).square().mean(dim=-1, keepdim=True)  # divided by n, not by n − 1
    by_hand = (total - mean) / torch.sqrt(variance + norm.eps) * norm.weight + norm.bias
    by_library = stage(ids, segments)
difference = (by_hand - by_library).abs().max().item()
print(f"largest difference from the library: {difference:.1e}")
assert difference < 1e-5

# %% [markdown]
# Over hidden: a position is normalised without a look at its neighbours or at the rest of the batch, so padding cannot
# disturb it. (*BatchNorm* would take the mean over all words of a batch instead: the [quiz](../docs/quiz.md#layernorm-and-batchnorm) compares them.) The difference is float32's rounding: PyTorch's kernel adds up in another order. With PyTorch's own `layer_norm`
# nothing is left of it:

# %%
with torch.no_grad():
    assert torch.equal(norm(total), by_library)

# %% [markdown]
# ## What the word table has learned
#
# Nobody told the model what a word means; it had to guess hidden words. **What do you expect:** which words lie nearest to
# *mother*, by the angle between their vectors?

# %%
directions = torch.nn.functional.normalize(stage.word_embeddings.weight.detach(), dim=-1)  # each of length 1
for word in ("mother", "london", "walked", "three", "horse", "##ing"):
    cosines = directions @ directions[tokenizer.vocab[word]]  # (vocab)
    nearest = cosines.topk(6).indices.tolist()[1:]  # the first is the word itself
    print(f"{word:8} {', '.join(tokenizer.convert_ids_to_tokens(nearest))}")

# %% [markdown]
# Words that can stand in the same places have come to lie together.
#
# ## What the position table has learned
#
# Each position's vector is learned too: nothing says that 7 lies between 6 and 8. **What do you expect** of the angles
# between positions? And of positions 128 to 255, which this checkpoint's training never reached?

# %%
positions = torch.nn.functional.normalize(stage.position_embeddings.weight.detach(), dim=-1)
similarity = positions @ positions.T  # (256, 256)
figure = new_figure(width=9, height=3.8)
left, right = figure.subplots(1, 2)
image = left.imshow(similarity, vmin=-1, vmax=1, cmap="RdBu_r")
left.set_title("cosine between two positions")
left.set_xlabel("position")
left.set_ylabel("position")
figure.colorbar(image, ax=left, label="cosine")
for name, those in (("between 0 and 127", slice(0, 128)), ("between 128 and 255", slice(128, 256))):
    block = similarity[those, those]
    right.plot(range(1, 31), [block.diagonal(apart).mean().item() for apart in range(1, 31)], marker=".", label=name)
right.set_title("near each other, alike? (the mean)")
right.set_xlabel("distance")
right.margins(y=0.35)
right.legend(loc="upper right")
figure.suptitle("The position embeddings of the bundled model")
near = torch.stack([similarity[place, place + 1] for place in range(1, 127)]).mean().item()
untrained = torch.stack([similarity[place, place + 1] for place in range(129, 255)]).mean().item()
print(f"neighbours among 1 to 127: {near:.2f}; among 129 to 255: {untrained:.2f}")
assert near > untrained + 0.2
show(
    figure,
    "03-positions",
    "Left, a square of cosines between positions: a dark diagonal with a pattern of stripes beside it up to "
    "position 127, and nothing but the diagonal beyond. Right, two curves over the distance: among the trained "
    "positions the cosine falls from 0.5 in waves, among the others it is 0 all along.",
)

# %% [markdown]
# Where it was trained, the table has discovered that places are in a row. From 128 on it is still the noise it began with: a
# text of more than 128 pieces falls off the trained part, and the tokenizer's `model_max_length` says so.
#
# ## Does order matter?
#
# Without positions, the network could not tell *dog bites man* from *man bites dog*: attention sees a bag of vectors. Try it:
# give every token position 0.

# %%
one, other = tokenizer(["dog bites man", "man bites dog"], return_tensors="pt")["input_ids"]
nowhere = torch.zeros(1, len(one), dtype=torch.long)
with torch.no_grad():
    with_positions = [model(ids[None]).last_hidden_state[0, 2] for ids in (one, other)]  # the vector of "bites"
    without = [model(ids[None], position_ids=nowhere).last_hidden_state[0, 2] for ids in (one, other)]
print(f"with positions, the vectors of 'bites' are {torch.dist(*with_positions):.2f} apart")
print(f"without,        they are {torch.dist(*without):.6f} apart")
assert torch.dist(*without) < 1e-4 < torch.dist(*with_positions)

# %% [markdown]
# ## Summary
#
# - An embedding is a table; looking up is picking rows.
# - Word, segment and position vectors are added, then LayerNorm brings every vector to one scale.
# - LayerNorm runs over hidden, one position at a time, and divides by n.
# - Positions are learned; beyond the trained ones there is noise.
#
# **The code:** [`minibert/model/embeddings.py`](../minibert/model/embeddings.py), one class of forty lines.
#
# **Exercises:** [`exercises/03_embeddings.py`](exercises/03_embeddings.py): the sum, LayerNorm, the nearest words. Check them
# with `minibert check 3`.
#
# **Next:** [4 · Self-attention](04_attention.py)
