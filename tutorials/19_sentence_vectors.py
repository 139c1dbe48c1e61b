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
# # 19 · Sentence vectors
#
# BERT gives a vector to each token. Who wants to find sentences by their meaning wants one vector a sentence, so that sentences
# which belong together have vectors in like directions. This chapter makes such vectors in three ways, sees that a BERT that was only
# pre-trained is bad at it, and teaches it *by contrast*: no labels are needed, just sentences that stand next to each other.

# %%
import random

import torch
import torch.nn.functional as F
from torch import Tensor

from course.figures import new_figure, show
from course.samples import sample
from minibert import AdamW, BertModel, BertTokenizer
from minibert.vectors import LineIndex, SentenceEncoder, pool

tokenizer = BertTokenizer.from_pretrained("novels-4l-256h")
model = BertModel.from_pretrained("novels-4l-256h", add_pooling_layer=False)

# %% [markdown]
# ## From many vectors to one
#
# The last layer gives h: (batch, seq, hidden). A mask m of 1 and 0 says which tokens are real. Three ways to pool:
#
# $$
# v_{\mathrm{mean}} = \frac{\sum_t m_t\, h_t}{\sum_t m_t} \qquad v_{\mathrm{cls}} = h_1 \qquad v_{\mathrm{max}, j} = \max_{t:\, m_t = 1} h_{t j}
# $$
#
# In a batch the shorter sentences are padded, and the network gives padding vectors, too. **What do you expect** if the mask is
# forgotten: how far is the vector of "Yes." from what it is alone, under each of the three?

# %%
texts = ["Yes.", "She looked at the sea for a long while, and then she turned, and walked slowly back to the house."]
batch = tokenizer(texts, padding=True, return_tensors="pt")
mask = batch["attention_mask"]  # (2, seq)
with torch.no_grad():
    states = model(**batch).last_hidden_state  # (2, seq, hidden)
    alone = model(**tokenizer(texts[:1], return_tensors="pt")).last_hidden_state  # (1, 4, hidden)

real = mask[..., None]  # (2, seq, 1)
by_hand = {
    "mean": (states * real).sum(1) / real.sum(1),
    "cls": states[:, 0],
    "max": states.masked_fill(real == 0, -torch.inf).amax(1),
}
forgotten = {"mean": states.mean(1), "cls": states[:, 0], "max": states.amax(1)}
for mode, vectors in by_hand.items():
    assert torch.allclose(vectors, pool(states, mask, mode), atol=1e-5)
    expected = pool(alone, torch.ones(1, alone.shape[1]), mode)
    right, wrong = ((found[:1] - expected).norm() / expected.norm() for found in (vectors, forgotten[mode]))
    print(f"{mode:4}  with the mask {right:.6f} away, without {wrong:.2f}")
    assert right < 1e-4

# %% [markdown]
# Only [CLS] does not care, since it always stands first. The other two give another vector in each batch, and no error: the most frequent
# mistake with sentence vectors. A sentence that is masked everywhere, as an empty row of a batch may be, divides 0 by 0; the library's
# `pool` gives it the vector 0.
#
# ## What is alike?
#
# Two vectors are compared by the cosine of their angle: the product of the two, each brought to length 1. **What do you expect** of
# these pairs: which is the most alike for BERT?


# %%
def vectors_of(texts: list[str]) -> Tensor:
    """(texts, hidden): the mean of the real tokens' vectors, brought to length 1."""
    batch = tokenizer(list(texts), padding=True, return_tensors="pt")
    return F.normalize(pool(model(**batch).last_hidden_state, batch["attention_mask"]), dim=-1)


asked = "Anna came to the mill before it was dark."
others = [
    "Thomas came to the castle before it was dark.",
    "In the mill there was nothing but a ring.",
    "The price of corn had fallen again.",
]
with torch.no_grad():
    before = vectors_of([asked]) @ vectors_of(others).T  # (1, 3)
for cosine, other in zip(before[0].tolist(), others, strict=True):
    print(f"{cosine:.3f}  {other}")
assert before.argmax() == 0

# %% [markdown]
# All cosines are high, and the one of the same *form* is the highest, though it is of another person in another place. Nobody ever told
# BERT what "alike" is to mean: predicting hidden words asks for the kind of word and of sentence. So it has to be told.
#
# ## By contrast
#
# A text tells it for nothing: a sentence and the next one belong together. Take a batch of such pairs $(a_i, b_i)$. Each $a_i$ is to
# find its own $b_i$ among all of the batch; the others' are the wrong answers, and cost nothing, for they are there anyway:
#
# $$
# \mathrm{loss} = \frac{1}{n} \sum_i -\log \frac{e^{\cos(a_i, b_i) / τ}}{\sum_j e^{\cos(a_i, b_j) / τ}}
# $$
#
# ![A table of nine cosines: three sentences beside, their next sentences above; the diagonal is the right answer of each row](../docs/figures/contrast.svg)
#
# It is the cross-entropy of chapter 12, with a class for each sentence of the batch. A cosine is at most 1, and a softmax over numbers
# between −1 and 1 is nearly flat; so they are divided by a *temperature* τ, here 0.05.
#
# **What do you expect** the loss to be when all vectors are the same? And the least that it can be, for 32 pairs with τ = 1?


# %%
def contrast_loss(firsts: Tensor, seconds: Tensor, temperature: float = 0.05) -> Tensor:
    """firsts, seconds: (batch, hidden), each of length 1; row i belongs to row i."""
    scores = firsts @ seconds.T / temperature  # (batch, batch)
    return F.cross_entropy(scores, torch.arange(len(firsts)))


same = torch.ones(32, 256) / 16
opposite = torch.eye(32, 256)  # as far apart as 32 vectors that are not alike
print(f"all the same {contrast_loss(same, same):.2f}, log 32 is {torch.tensor(32.0).log():.2f}")
for temperature in (1.0, 0.05):
    print(f"all found, τ = {temperature}: {contrast_loss(opposite, opposite, temperature):.4f}")

# %% [markdown]
# With τ = 1 even perfect vectors are blamed, and the gradient never rests. With a small τ the loss looks at the nearest wrong ones only.
#
# ## Little novels
#
# The bundled model has read novels; here are very small ones, which a rule writes: each has its hero, a friend, a place and a thing, and
# its sentences have the same twelve forms as those of all others. What belongs together is told by the names alone. **Held out** are whole
# novels, whose people, places and things are in none that is learned from.

# %%
FORMS = [
    "{hero} came to the {place} before it was dark.",
    "In the {place} there was nothing but a {thing}.",
    "{friend} had sold the {thing} for a shilling.",
    "Now {hero} asked {friend} to be quiet.",
    "{friend} went away from the {place} that night.",
    "The {place} was empty when they found the {thing}.",
    "With the {thing} in one hand {hero} waited until morning.",
    "Nobody believed that {hero} would marry {friend}.",
    "“I have lost my {thing},” said {friend}.",
    "“I shall never see the {place} again,” said {hero}.",
    "{friend} wept, and {hero} looked out of the window.",
    "They say that the {thing} is still in the {place}.",
]
NAMES = [
    "Anna",
    "Thomas",
    "Lucy",
    "Henry",
    "Clara",
    "Robert",
    "Mary",
    "Walter",
    "Jane",
    "Edmund",
    "Alice",
    "Peter",
    "Rose",
    "Philip",
    "Helen",
    "George",
    "Kate",
    "Arthur",
    "Emma",
    "Francis",
    "Grace",
    "Hugh",
    "Ruth",
    "Martin",
    "Agnes",
    "Frank",
    "Margaret",
    "Charles",
    "Laura",
    "Edward",
    "Susan",
    "Stephen",
]
PLACES = [
    "mill",
    "harbour",
    "castle",
    "forest",
    "village",
    "garden",
    "church",
    "tower",
    "island",
    "farm",
    "river",
    "palace",
    "cave",
    "inn",
    "school",
    "bridge",
    "valley",
    "prison",
    "cottage",
    "orchard",
]
THINGS = [
    "letter",
    "ring",
    "sword",
    "lamp",
    "book",
    "horse",
    "boat",
    "key",
    "picture",
    "crown",
    "bell",
    "coat",
    "knife",
    "violin",
    "clock",
    "purse",
    "map",
    "chair",
    "basket",
    "pistol",
]


def stories(count: int, part: slice, seed: int) -> list[tuple[str, str]]:
    """Pairs of neighbours from so many novels, four of each. part: of the names, places and things."""
    chance = random.Random(seed)
    names, places, things = NAMES[part], PLACES[part], THINGS[part]
    pairs = []
    for _ in range(count):
        hero, friend = chance.sample(names, 2)
        words = {"hero": hero, "friend": friend, "place": chance.choice(places), "thing": chance.choice(things)}
        sentences = [form.format(**words) for form in chance.sample(FORMS, 8)]
        pairs += zip(sentences[::2], sentences[1::2], strict=True)
    return pairs


learned, held_out = stories(200, slice(0, 10), seed=0), stories(25, slice(10, 32), seed=1)
print(len(learned), "pairs to learn from,", len(held_out), "held out")
for first, second in held_out[:4]:
    print(f"  {first} → {second}")

# %% [markdown]
# How good are vectors at finding the next sentence? Each first sentence ranks all 100 second ones by their cosine. The *mean reciprocal
# rank* is the mean of 1 / rank of the right one: 1 where it always comes first. **What do you expect** of a guesser, who finds it at any
# rank with the same chance?


# %%
def scores_of(pairs: list[tuple[str, str]]) -> Tensor:
    """(pairs, pairs): the cosine of each first sentence with each second one."""
    firsts, seconds = zip(*pairs, strict=True)
    with torch.no_grad():
        return vectors_of(firsts) @ vectors_of(seconds).T


def mean_reciprocal_rank(scores: Tensor) -> float:
    """The right one of question i is candidate i."""
    ranks = 1 + (scores > scores.diagonal()[:, None]).sum(1)
    return float((1 / ranks).mean())


guessed = sum(1 / rank for rank in range(1, 101)) / 100
untuned = scores_of(held_out)
print(f"a guesser {guessed:.3f}, the untuned model {mean_reciprocal_rank(untuned):.3f}")

# %% [markdown]
# The untuned model is no better than a guesser: what it finds most alike has the form of the question, and the next sentence never has. Now
# teach it, for twenty-five steps of 32 pairs. No dropout, no schedule, no labels.

# %%
chance = random.Random(0)
optimizer = AdamW(model.parameters(), lr=2e-4)
losses = []
for _ in range(25):
    firsts, seconds = zip(*chance.sample(learned, 32), strict=True)
    loss = contrast_loss(vectors_of(firsts), vectors_of(seconds))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    losses.append(loss.item())
tuned = scores_of(held_out)
print(f"loss {losses[0]:.2f} → {sum(losses[-5:]) / 5:.2f}")
print(f"mean reciprocal rank {mean_reciprocal_rank(untuned):.3f} → {mean_reciprocal_rank(tuned):.3f}")
assert mean_reciprocal_rank(tuned) >= 2 * mean_reciprocal_rank(untuned)

# %% [markdown]
# **What do you expect** to see in the cosines of six held-out novels, before and after? The right ones are on the diagonal; the four pairs
# of a novel are neighbours.

# %%
figure = new_figure(width=9.5, height=4.2)
for panel, name, scores in zip(figure.subplots(1, 2), ("before", "after"), (untuned, tuned), strict=True):
    panel.imshow(scores[:24, :24], cmap="Blues")
    panel.set_title(name)
    panel.set_xlabel("second sentences, four of each novel")
    panel.set_xticks(range(0, 24, 4))
    panel.set_yticks(range(0, 24, 4))
panel.set_yticklabels([])
figure.axes[0].set_ylabel("first sentences")
figure.suptitle("The cosines of 24 first and second sentences of six novels that were held out")
show(
    figure,
    "19-cosines",
    "Two squares of cells. Before, dark and light cells are spread over all of the square. After, dark cells make blocks of four by four along "
    "the diagonal: sentences of one novel.",
)

# %% [markdown]
# Blocks along the diagonal: the sentences of a novel have found each other, though none of these names, places and things was in the
# training. What was learned is not who Anna is, but *that names count and forms do not*. Which of the four of a novel is the next
# one nothing tells, so the rank cannot become 1.

# %%
with torch.no_grad():
    after = vectors_of([asked]) @ vectors_of(others).T  # (1, 3)
for now, then, other in zip(after[0].tolist(), before[0].tolist(), others, strict=True):
    print(f"{then:.3f} → {now:.3f}  {other}")
assert after[0, 1] > after[0, 0]

# %% [markdown]
# The ring in Anna's mill is now nearer than Thomas. The price of corn is near as well: nothing in the training pushed such a sentence away.
#
# ## Real novels
#
# `python -m benchmarks.sentence_vectors NOVELS` does the same on real ones: 94 novels to learn from, four held out, the next sentence
# to be found among 1,000. There nothing is repeated by a rule, and the next sentence often has no word of the first: it is much harder, and takes three
# quarters of an hour for a seed. One thing is added: the second sentences are read as BERT's sentence B (`token_type_ids` of 1). What follows a sentence is not what leads to it, and
# a model that reads both alike cannot tell. [The results](../docs/results.md#sentence-vectors): 0.057 untuned, 0.119 taught.
#
# ## Use them
#
# A whole model with its pooling is a `SentenceEncoder`; it also opens folders of sentence-transformers, whose models were taught by contrast on
# a billion pairs. A `LineIndex` finds the lines of a file. In a shell: `minibert search "a morning at the mill" --in FILE`.

# %%
encoder = SentenceEncoder.open("novels-4l-256h")
index = LineIndex.of_file(sample("sentences.txt"), encoder)
for line, score, text in index.search("The wheel of the mill turned.", top_k=3):
    print(f"{score:.3f}  line {line}: {text}")

# %% [markdown]
# ## Summary
#
# - One vector for a sentence: the mean of its tokens, [CLS], or the maximum; padding is left out by the mask, or the batch changes the vector.
# - A pre-trained BERT's vectors are alike where sentences have the same form. What is to be alike has to be taught.
# - By contrast: each sentence finds its partner among those of the batch. The wrong answers are the other pairs'.
# - The temperature decides how much the nearest wrong ones count.
# - Measure on what was held out whole, by rank, and beside the untuned model.
#
# **The code:** [`minibert/vectors/pooling.py`](../minibert/vectors/pooling.py),
# [`minibert/vectors/sentence_encoder.py`](../minibert/vectors/sentence_encoder.py),
# [`minibert/vectors/line_index.py`](../minibert/vectors/line_index.py). More: [`docs/sentence_vectors.md`](../docs/sentence_vectors.md).
#
# **Exercises:** [`exercises/19_sentence_vectors.py`](exercises/19_sentence_vectors.py): two poolings, the loss, the mean reciprocal
# rank. Check them with `minibert check 19`.
#
# **Where to go from here.** This is the end of the course; you have seen all of BERT. Some ways on:
#
# - Pre-train one on a text of your own: [`docs/pretraining.md`](../docs/pretraining.md). Fine-tune it: [`docs/finetuning.md`](../docs/finetuning.md).
# - Read the library from the bottom up, beginning with [`minibert/model/embeddings.py`](../minibert/model/embeddings.py). Each file
#   names the section of the paper it comes from.
# - Write a layer anew, in your own way, and let `compare` of [chapter 17](17_equivalence.py) be the judge.
# - Change the network: another order of LayerNorm, rotary positions, no next-sentence riddle. Train both, and see.
