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
# # 8 · Pre-training: hidden words, next sentences, −100 and the sum of two losses
#
# BERT learned from plain text, without anybody's labels. Two riddles were made out of the text itself: *which words were hidden?*
# and *does the second part follow the first?* This chapter makes the riddles, and the loss that scores the answers.

# %%
import math

import numpy as np
import torch
import torch.nn.functional as F

from course.figures import new_figure, show
from minibert import BertForPreTraining, BertTokenizer
from minibert.data.masking import Vocabulary, mask

tokenizer = BertTokenizer.from_pretrained("novels-4l-256h")
model = BertForPreTraining.from_pretrained("novels-4l-256h")
vocabulary = Vocabulary.of(tokenizer)

# %% [markdown]
# ## Hide some words
#
# Of every text, 15% of the pieces are chosen to be guessed (the *mask ratio*). Most of them become `[MASK]`, but not all:
#
# | of the chosen | become | the model reads |
# |--:|---|---|
# | 80% | `[MASK]` | a blank |
# | 10% | a random word | something wrong |
# | 10% | themselves | the right word |
#
# **What do you expect:** why not `[MASK]` for all of them? (When the model is used later, how many `[MASK]`s will it see?)

# %%
text = (
    "The old gentleman took off his hat, and bowed. She looked at him with some astonishment, for she had never seen "
    "him before, and then she held out her hand and smiled."
)
ids = np.array(tokenizer(text)["input_ids"])  # (seq)
read, labels = mask(ids, vocabulary, np.random.default_rng(3))
print(f"{(labels != -100).sum()} of {len(ids)} pieces are to be guessed")
for place in np.flatnonzero(labels != -100):
    asked, seen = (tokenizer.convert_ids_to_tokens(int(row[place])) for row in (labels, read))
    print(f"  place {place:2}: reads {seen:8} and should say {asked}")

# %% [markdown]
# After pre-training there are no blanks in real texts. A model that had to think about blanks only would have no reason to make
# good vectors for the words it can see. Since any word may be wrong, it must check them all.
#
# And why 15%? The more is hidden, the more questions a text asks, and the less is left to answer them from. The
# [quiz](../docs/quiz.md#4-can-more-than-15-be-hidden) hides 5, 15, 40 and 80%.
#
# The riddle is drawn anew each time. Twelve draws of the same text:

# %%
noise = np.random.default_rng(0)
draws = [mask(ids, vocabulary, noise) for _ in range(12)]
fates = np.zeros((12, len(ids)))
for row, (read, labels) in enumerate(draws):
    chosen = labels != -100
    fates[row, chosen & (read == tokenizer.mask_token_id)] = 1
    fates[row, chosen & (read != tokenizer.mask_token_id) & (read != ids)] = 2
    fates[row, chosen & (read == ids)] = 3

figure = new_figure(width=10, height=4)
panel = figure.subplots()
colors = ["whitesmoke", "tab:blue", "tab:red", "tab:green"]
for fate, name in enumerate(("seen as it is", "[MASK]", "a random word", "chosen, but left")):
    rows, places = np.nonzero(fates == fate)
    panel.scatter(places, rows, marker="s", s=60, color=colors[fate], edgecolor="lightgray", linewidth=0.5, label=name)
panel.set_xticks(range(len(ids)), tokenizer.convert_ids_to_tokens(ids.tolist()), rotation=90, fontsize=8)
panel.set_yticks(range(12), range(1, 13))
panel.invert_yaxis()
panel.set_ylabel("draw")
figure.suptitle("Twelve draws: which pieces are asked, and what is read in their place")
panel.legend(ncols=4, loc="lower center", bbox_to_anchor=(0.5, 1.0), frameon=False)
show(
    figure,
    "08-draws",
    "Twelve rows of coloured squares over the words of one text: in each row a few other places are chosen; most "
    "of them are [MASK], some a random word, some left as they were; [CLS] and [SEP] never.",
)

# %% [markdown]
# `[CLS]` and `[SEP]` are never chosen. **What do you expect** of the shares in 2,000 draws?

# %%
noise = np.random.default_rng(1)
counts = {"[MASK]": 0, "random": 0, "left": 0}
for _ in range(2000):
    read, labels = mask(ids, vocabulary, noise)
    chosen = labels != -100
    counts["[MASK]"] += int((read[chosen] == tokenizer.mask_token_id).sum())
    counts["left"] += int((read[chosen] == ids[chosen]).sum())
    counts["random"] += int(((read[chosen] != ids[chosen]) & (read[chosen] != tokenizer.mask_token_id)).sum())
total = sum(counts.values())
print({name: f"{count / total:.1%}" for name, count in counts.items()})
assert abs(counts["[MASK]"] / total - 0.8) < 0.02

# %% [markdown]
# ## Why −100?
#
# ![Three rows over a sentence: the text; what is read, with \[MASK\] in place of head; the labels, −100 everywhere but at that place, which is the only one that cross-entropy counts](../docs/figures/labels.svg)
#
# The model gives scores at every place, and only some places are asked. Labels must say so. −100 is a number that can be no
# word's id, and PyTorch's `cross_entropy` skips it. It means *no question here*, and nothing else.
#
# **What do you expect:** over how many places is the mean taken?

# %%
read, labels = mask(ids, vocabulary, np.random.default_rng(3))
inputs, targets = torch.tensor(read)[None], torch.tensor(labels)[None]  # (1, seq) each
scores = model(inputs).prediction_logits  # (1, seq, vocab)

surprises = [
    -torch.log_softmax(scores[0, place], -1)[targets[0, place]] for place in range(len(ids)) if labels[place] != -100
]
by_hand = torch.stack(surprises).mean()
by_library = F.cross_entropy(scores.view(-1, len(tokenizer)), targets.view(-1))
print(f"{len(surprises)} surprises, mean {by_hand.item():.4f}")
assert torch.allclose(by_hand, by_library, atol=1e-5)

# %% [markdown]
# A place that is not asked has no say: its scores get no gradient at all.

# %%
(gradient,) = torch.autograd.grad(by_library, scores)  # (1, seq, vocab)
silent = gradient[0].abs().sum(-1) == 0  # (seq)
assert torch.equal(silent, targets[0] == -100)
print(f"{int(silent.sum())} of {len(ids)} places without a gradient")

# %% [markdown]
# (The vectors at those places do learn: attention carries the gradient from the asked places to all that they looked at.)
#
# ## Which fate is the hardest?
#
# **What do you expect:** is the loss greatest at a blank, at a wrong word, or at a word that was left?

# %%
noise = np.random.default_rng(2)
batch = [mask(ids, vocabulary, noise) for _ in range(200)]
with torch.no_grad():
    scores = model(torch.tensor(np.stack([read for read, _ in batch]))).prediction_logits  # (200, seq, vocab)
targets = torch.tensor(np.stack([labels for _, labels in batch]))
losses = F.cross_entropy(scores.flatten(0, 1), targets.flatten(), reduction="none").view(targets.shape).numpy()
read = np.stack([read for read, _ in batch])
asked = targets.numpy() != -100
costs = {}
for name, fate in (
    ("[MASK]", asked & (read == tokenizer.mask_token_id)),
    ("a random word", asked & (read != tokenizer.mask_token_id) & (read != ids)),
    ("left as it was", asked & (read == ids)),
):
    costs[name] = losses[fate].mean()
    print(f"{name:15} {fate.sum():4} times, mean loss {costs[name]:.2f}")
assert costs["left as it was"] < costs["[MASK]"] < costs["a random word"]
print(
    f"to compare: guessing blindly among {len(tokenizer):,} words costs log {len(tokenizer)} = {math.log(len(tokenizer)):.2f}"
)

# %% [markdown]
# A wrong word misleads, so it costs most; a word that was left can mostly be believed. The model has learned how often to
# trust what it reads.
#
# ## The second riddle: what follows?
#
# Half of the pairs are neighbours from one text, the other half a text with sentences from elsewhere. The label is 0 for *follows*
# and 1 for *random*, and the score comes from `[CLS]` (chapter 6).
#
# ## Two losses, one sum
#
# **What do you expect:** how does BERT weigh the two riddles against each other?

# %%
first = "He knocked at the [MASK], and waited."
pairs = tokenizer(
    [first, first], ["Nobody answered.", "Potatoes are planted in early spring."], padding=True, return_tensors="pt"
)
labels = torch.where(pairs["input_ids"] == tokenizer.mask_token_id, tokenizer.vocab["door"], -100)  # (2, seq)
random_one = torch.tensor([0, 1])  # (2): the first pair follows, the second is random
with torch.no_grad():
    outputs = model(**pairs, labels=labels, next_sentence_label=random_one)
    words = F.cross_entropy(outputs.prediction_logits.view(-1, len(tokenizer)), labels.view(-1))
    following = F.cross_entropy(outputs.seq_relationship_logits, random_one)
print(f"{words.item():.3f} for the words + {following.item():.3f} for the sentences = {outputs.loss.item():.3f}")
assert torch.equal(words + following, outputs.loss)

# %% [markdown]
# Not at all: the two are added as they are. The word riddle is the harder one and makes up most of the sum. With only one of the
# two labels there is no loss:

# %%
assert model(**pairs, labels=labels).loss is None

# %% [markdown]
# (`BertForMaskedLM` and `BertForNextSentencePrediction` have one riddle each, and a loss for it.)
#
# ## Summary
#
# - 15% of the pieces are asked; of these 80% become `[MASK]`, 10% a random word, 10% stay.
# - A label is the word's id where it is asked and −100 elsewhere; `cross_entropy` skips −100 and takes the mean over the rest.
# - The next-sentence label is 0 for *follows*, 1 for *random*.
# - The loss of pre-training is the sum of both, unweighted, when both labels are there.
#
# **The code:** [`minibert/data/masking.py`](../minibert/data/masking.py) hides words, [`pairs.py`](../minibert/data/pairs.py) makes pairs, and
# [`minibert/heads/pretraining.py`](../minibert/heads/pretraining.py) adds the losses. [`docs/pretraining.md`](../docs/pretraining.md) tells how to
# pre-train a model of your own.
#
# **Exercises:** [`exercises/08_pretraining.py`](exercises/08_pretraining.py): labels, hiding, the loss with −100, the sum. Check them
# with `minibert check 8`.
#
# **Next:** [9 · AdamW](09_adamw.py)
