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
# # 6 · Pooler, transform, and the tied decoder with its own bias
#
# The encoder leaves a vector at every place. Two small parts turn them into answers:
#
# *Does B follow A?*
#
# $$
# W' \tanh(W h_{\mathrm{[CLS]}} + b) + b'
# $$
#
# *Which word is here?* With E, the word embeddings, used backwards:
#
# $$
# E\, \mathrm{LayerNorm}(\mathrm{gelu}(W h + b)) + \mathrm{bias}
# $$
#
# ![Heads that read one vector, through the pooler: choices, classes, next sentence. Heads that read every vector: words, tags, answers](../docs/figures/heads.svg)

# %%
import torch
import torch.nn.functional as F

from course.figures import new_figure, show
from minibert import BertForPreTraining, BertTokenizer

tokenizer = BertTokenizer.from_pretrained("novels-4l-256h")
model = BertForPreTraining.from_pretrained("novels-4l-256h")

# %% [markdown]
# ## The pooler: one vector for the whole input
#
# **What do you expect:** of (batch, seq, hidden), what is left when one vector is to stand for a whole input?

# %%
inputs = tokenizer("He knocked at the door, and waited.", "Nobody answered.", return_tensors="pt")
with torch.no_grad():
    outputs = model.bert(**inputs)
    cls_vector = outputs.last_hidden_state[:, 0]  # (batch, hidden): position 0 is [CLS]
    pooled = torch.tanh(model.bert.pooler.dense(cls_vector))
assert torch.equal(pooled, outputs.pooler_output)
print(tuple(outputs.last_hidden_state.shape), "→", tuple(pooled.shape))

# %% [markdown]
# `[CLS]` is no word, so its place is free to collect what the whole input is about; pre-training made it do so, by asking
# whether the second text follows the first.
#
# ## Does B follow A?
#
# Two scores from the pooled vector. Column 0 means "it follows": the opposite of what most people guess, and a frequent
# source of upside-down results. **What do you expect** for these pairs?

# %%
opening = "He knocked at the door, and waited."
candidates = [
    '"Come in," said a voice.',
    "Nobody answered, and he knocked again.",
    "After a while he heard steps in the hall, and an old woman opened.",
    "The ships of the enemy lay at anchor in the bay, and their guns were silent.",
    "Potatoes are planted in early spring.",
]
batch = tokenizer([opening] * len(candidates), candidates, padding=True, return_tensors="pt")
with torch.no_grad():
    outputs = model.bert(**batch)
    scores = model.cls.seq_relationship(outputs.pooler_output)  # (batch, 2)
    assert torch.equal(scores, model(**batch).seq_relationship_logits)
follows = torch.softmax(scores, dim=-1)[:, 0]  # (batch)
for text, probability in zip(candidates, follows.tolist(), strict=True):
    print(f"{probability:5.0%}  {text}")

# %% [markdown]
# This model tells four pairs in five; it is sure of little, and you can fool it.
#
# ## Which word is here?
#
# Every place goes through the *transform* (dense, gelu, LayerNorm) and is then compared, by dot product, with the embedding
# of every word. By hand:

# %%
inputs = tokenizer("The church [MASK] rang.", return_tensors="pt")
blank = inputs["input_ids"][0].tolist().index(tokenizer.mask_token_id)
head = model.cls.predictions
words = model.bert.embeddings.word_embeddings.weight  # (vocab, hidden)
with torch.no_grad():
    hidden_states = model.bert(**inputs).last_hidden_state  # (1, seq, hidden)
    transformed = head.transform.LayerNorm(F.gelu(head.transform.dense(hidden_states)))
    by_hand = F.linear(transformed, words, head.bias)  # (1, seq, vocab) = transformed @ wordsᵀ + bias
    assert torch.equal(by_hand, model(**inputs).prediction_logits)
print("best guess:", tokenizer.convert_ids_to_tokens(by_hand[0, blank].argmax().item()))

# %% [markdown]
# ## Tied: one matrix, two uses
#
# ![From ids at the bottom to word scores at the top: the matrix E of word embeddings is used at both ends, for looking up a row and for h Eᵀ + bias, and the bias has no part in the first use](../docs/figures/tied_decoder.svg)
#
# The first stage turns a word into its vector; the last asks how well a vector fits each word. Both use *one* matrix.
#
# **What do you expect:** how many numbers would an own decoder matrix add to this model of 5.5 million?

# %%
assert head.decoder.weight is words  # not equal numbers: the same tensor
print(f"{words.numel():,} numbers, held once; the model has {model.num_parameters():,}")
with torch.no_grad():
    before = head.decoder.weight[5, 0].item()
    words[5, 0] += 1.0  # change it at one end …
    assert head.decoder.weight[5, 0].item() == before + 1.0  # … and it has changed at the other
    words[5, 0] = before

# %% [markdown]
# It saves memory, and it means that every step of training moves *all* word vectors: a word that stood nowhere in the batch
# still was a possible answer, and learns that it was not the right one.
#
# **What do you expect:** of the gradient of a tied matrix, and the gradients that its two uses would have by themselves?

# %%
target = tokenizer.vocab["bell"]


def loss_with(decoder_weight: torch.Tensor) -> torch.Tensor:
    """−log p(bell) at the blank, with this matrix in the last stage."""
    hidden = model.bert(**inputs).last_hidden_state[:, blank]
    scores = F.linear(head.transform(hidden), decoder_weight, head.bias)
    return F.cross_entropy(scores, torch.tensor([target]))


(tied,) = torch.autograd.grad(loss_with(words), words)
own = words.detach().clone().requires_grad_()  # a decoder matrix of its own, with the same numbers
as_input, as_output = torch.autograd.grad(loss_with(own), (words, own))
assert torch.allclose(tied, as_input + as_output, atol=1e-6)
rows_in, rows_out = ((gradient.abs().sum(-1) > 0).sum().item() for gradient in (as_input, as_output))
print(f"as input it moves {rows_in} rows, as output {rows_out:,}; tied, the two add up")

# %% [markdown]
# ## The decoder's own bias
#
# An embedding has no bias, but the decoder does: one number for each word, whatever the text. It goes by two names, `bias` and
# `decoder.bias`, and is one tensor; a file may hold it under either.
#
# **What do you expect:** for which words is it high?

# %%
assert head.bias is head.decoder.bias
bias = head.bias.detach()  # (vocab)
ranked = bias.argsort(descending=True).tolist()
print("highest:", ", ".join(tokenizer.convert_ids_to_tokens(ranked[:12])))
print("lowest: ", ", ".join(tokenizer.convert_ids_to_tokens(ranked[-12:])))
assert set(tokenizer.convert_ids_to_tokens(ranked[-3:])) == {"[CLS]", "[SEP]", "[MASK]"}

# %% [markdown]
# For pieces that are frequent: little words, marks, endings. It is low for stems that are rare, and lowest for `[CLS]`, `[SEP]` and `[MASK]`, which are never
# the answer. Before it looks at any word, the model knows how often each occurs.
#
# The picture takes the best guesses apart: a score is a dot product plus the bias.

# %%
best = by_hand[0, blank].topk(8).indices
products = by_hand[0, blank, best] - bias[best]
figure = new_figure(width=7.5, height=3.6)
left, right = figure.subplots(1, 2)
names = tokenizer.convert_ids_to_tokens(best.tolist())
left.barh(names, products, color="lightsteelblue", label="dot product")
left.plot(products + bias[best], names, "o", color="black", label="+ bias = score")
left.invert_yaxis()
left.set_title("The church [MASK] rang.")
left.set_xlabel("score")
left.legend(fontsize=8, loc="lower right")
right.hist(bias, bins=60)
right.set_yscale("log")
right.set_title("the bias of all words")
figure.suptitle("What the bundled model's scores are made of")
right.set_xlabel("bias")
right.set_ylabel("words")
show(
    figure,
    "06-scores",
    "Left, the eight best guesses as bars of their dot products, “bell” first, each with a point at the score "
    "with the bias, which lies close to the end of its bar. Right, a histogram of all biases: most words lie just "
    "below 0, a smaller hill near −3.",
)

# %% [markdown]
# ## Summary
#
# - The pooler takes position 0, a dense map and tanh; next-sentence scores come from it, column 0 for "follows".
# - The transform prepares every place; the decoder compares it with every word embedding.
# - Decoder and embeddings are one tensor, whose gradient is the sum of both uses; the bias is the decoder's own.
# - Scores are before the softmax: the loss takes care of that (chapter 8).
#
# **The code:** [`minibert/model/pooler.py`](../minibert/model/pooler.py), [`minibert/heads/prediction.py`](../minibert/heads/prediction.py);
# the tying itself is `tie_weights` in [`minibert/model/base.py`](../minibert/model/base.py).
#
# **Exercises:** [`exercises/06_heads.py`](exercises/06_heads.py): pooler, transform, word scores, and counting tied parameters. Check
# them with `minibert check 6`.
#
# **Next:** [7 · Opening a checkpoint](07_checkpoint.py)
