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
# # 1 · BERT in one page
#
# [`bert_in_one_page.py`](bert_in_one_page.py) is a whole BERT: about 150 lines, comments included. Print it and lay it beside
# this chapter. We fill in a blank with it, look inside while it thinks, and then prove that it is no toy: its numbers are
# the library's numbers, bit for bit.

# %%
import torch

from bert_in_one_page import Bert, WordPiece, fill
from course.figures import new_figure, show
from minibert import BertForMaskedLM, BertTokenizer

tokenizer = WordPiece()
bert = Bert()

# %% [markdown]
# The weights come with the project. They were trained for a few hours on old novels, so the model knows about hats
# and carriages, and nothing about computers.
#
# This is the way that a sentence takes, from its letters to an answer:
#
# ![The text becomes ids, the ids become vectors in the embeddings, the encoder’s layers rewrite the vectors by attention and feed-forward, and at the end a head reads either every vector or, through the pooler, one](../docs/figures/path.svg)
#
# ## Fill in a blank
#
# **What do you expect?** Say a word aloud before you run the cell: *He shook his …*

# %%
for piece, probability in fill("He shook his [MASK].", tokenizer, bert):
    print(f"{piece:12} {probability:6.1%}")

# %% [markdown]
# One word stands out. The model never saw a rule about shaking heads; it saw many sentences in which a word was hidden, and
# had to guess.
#
# **What do you expect** when only the words around the blank change?

# %%
for text in (
    "She opened the [MASK] and went out.",
    "The church [MASK] rang.",
    "She wrote him a long [MASK].",
    "He drew his [MASK] and fought.",
    "The ship sailed across the [MASK].",
):
    guesses = ", ".join(f"{piece} {probability:.0%}" for piece, probability in fill(text, tokenizer, bert, count=3))
    print(f"{text:42} {guesses}")

# %% [markdown]
# Mostly it is right, and where it knows little it says so: over the ship it spreads its bets, and the best of them is small.
#
# ## What goes in
#
# The network sees no letters. A text becomes pieces, each piece a number: its line in `vocab.txt`. `[CLS]` opens every
# input, `[SEP]` closes it. Chapter 2 is about this step.

# %%
ids = tokenizer.encode("He shook his [MASK].")
print(ids)
print([tokenizer.pieces[i] for i in ids])

# %% [markdown]
# ## What comes out
#
# **What do you expect?** There are 7 pieces, and 8,192 words to choose from. Which shape have the scores, if the model
# guesses at *every* place and not only at the blank?

# %%
with torch.no_grad():
    scores = bert(torch.tensor([ids]))
print(tuple(scores.shape), "= (batch, seq, vocab)")
assert scores.shape == (1, len(ids), len(tokenizer.pieces))

# %% [markdown]
# A row of scores for each place. Where a word can be seen, the likeliest guess is mostly the word itself:

# %%
for place, row in enumerate(scores[0]):
    print(f"{tokenizer.pieces[ids[place]]:8} → {tokenizer.pieces[row.argmax()]}")

# %% [markdown]
# ## Look inside: an answer in the making
#
# The network has four layers, and each one rewrites the vector at every place. Nothing stops us from asking for an answer
# early. We take the vectors after each layer, and hand them to the last stage, `predict`, at once.
#
# **What do you expect** of a guess right after the embeddings, before any place has seen another?


# %%
def guesses_by_depth(text: str, word: str) -> tuple[list[str], list[float]]:
    """The likeliest word for the blank after 0, 1, … layers, and the probability of one word there."""
    ids = tokenizer.encode(text)
    blank = ids.index(tokenizer.ids["[MASK]"])
    nothing_hidden = torch.zeros(1, 1, 1, len(ids))  # the mask that is added to scores: 0 lets everyone be seen
    best, probabilities = [], []
    with torch.no_grad():
        x = bert.embed(torch.tensor([ids]), torch.zeros(1, len(ids), dtype=torch.long))  # (1, seq, hidden)
        for number in range(bert.layers + 1):
            if number > 0:
                x = bert.layer(x, nothing_hidden, f"bert.encoder.layer.{number - 1}")
            distribution = torch.softmax(bert.predict(x)[0, blank], dim=-1)  # (vocab)
            best.append(tokenizer.pieces[distribution.argmax()])
            probabilities.append(distribution[tokenizer.ids[word]].item())
    return best, probabilities


asked = {
    "He shook his [MASK].": "head",
    "The church [MASK] rang.": "bell",
    "She opened the [MASK] and went out.": "door",
    "I beg your [MASK], sir.": "pardon",
}
figure = new_figure(width=7, height=4)
panel = figure.subplots()
for text, word in asked.items():
    best, probabilities = guesses_by_depth(text, word)
    print(f"{text:34} {' → '.join(best)}")
    panel.plot(probabilities, marker="o", label=f"{word}: {text}")
panel.set_xticks(range(bert.layers + 1), ["embeddings", *(f"layer {n}" for n in range(bert.layers))])
panel.set_ylabel("probability at the blank")
panel.set_title("The answer appears on the way up, in the bundled model")
panel.legend()
show(
    figure,
    "01-depth",
    "Four lines, one for each text: the probability of the right word is near 0 after the embeddings and after "
    "layer 0, and rises above one half by layer 3; “pardon” rises first, “bell” last.",
)

# %% [markdown]
# After the embeddings, the blank knows only that it is a blank, and where: it guesses at the likes of a comma, whatever the text.
# With each layer it has gathered more from the words around it. (`predict` was trained on the last layer's vectors only,
# so what it makes of the earlier ones is a rough view.) Chapters 3 to 6 walk through these stages one by one.
#
# ## Which words are easy?
#
# Hide each word of a sentence in turn, and see how probable the model finds the word that stood there. **What do you
# expect:** are names, little words or endings the hardest?

# %%
sentence = "The old man took off his hat and bowed to Elizabeth."
ids = tokenizer.encode(sentence)
with torch.no_grad():
    batch = torch.tensor([ids] * len(ids))  # one copy for each place
    batch.fill_diagonal_(tokenizer.ids["[MASK]"])  # in copy i, place i is hidden
    rows = torch.softmax(bert(batch), dim=-1)  # (seq, seq, vocab)
found = [rows[place, place, ids[place]].item() for place in range(1, len(ids) - 1)]  # without [CLS] and [SEP]

figure = new_figure(width=8, height=3.2)
panel = figure.subplots()
panel.bar(range(len(found)), found)
panel.set_xticks(range(len(found)), [tokenizer.pieces[i] for i in ids[1:-1]])
panel.set_ylabel("probability of the word, hidden")
panel.set_ylim(0, 1)
panel.set_title("How probable the bundled model finds each word when it is hidden")
show(
    figure,
    "01-hidden-words",
    "A bar for each word of the sentence: “the”, “his” and “and” are nearly certain, “old”, “man” and “took” are "
    "at about a third, “bowed” and “elizabeth” are close to 0.",
)

# %% [markdown]
# Grammar pins little words down; a name could be any name. The average of −log p over the hidden words is most of the loss that
# trained this model (chapter 8 has the rest), and you will write it in the exercises.
#
# ## Is this really BERT?
#
# The library has a class for each stage, checks its input and can do much more. **What do you expect:** are its scores near
# those of the page, or equal?

# %%
library = BertForMaskedLM.from_pretrained("novels-4l-256h")
library_tokenizer = BertTokenizer.from_pretrained("novels-4l-256h")
for text in (*asked, sentence):
    inputs = library_tokenizer(text, return_tensors="pt")
    assert inputs["input_ids"].tolist() == [tokenizer.encode(text)]
    with torch.no_grad():
        assert torch.equal(library(**inputs).logits, bert(inputs["input_ids"]))
print("equal, to the last bit")

# %% [markdown]
# Both take the float16 numbers of the file, turn them into float32, and do the same operations in the same order. That
# order matters: (a + b) + c and a + (b + c) round differently.
#
# ## Summary
#
# - Text → pieces → ids → embeddings → four layers → scores for every word at every place.
# - The model guesses everywhere; we read the guess where we put the blank.
# - Each layer adds something to every place; the answer grows on the way up.
# - One page of PyTorch equals the library to the bit.
#
# **The code:** [`bert_in_one_page.py`](bert_in_one_page.py) beside
# [`minibert/model/bert.py`](../minibert/model/bert.py) and [`minibert/heads/masked_lm.py`](../minibert/heads/masked_lm.py).
#
# **Exercises:** [`exercises/01_one_page.py`](exercises/01_one_page.py): find the blanks, rank the words, measure surprise and
# perplexity. Check them with `minibert check 1`.
#
# **Next:** [2 · WordPiece](02_wordpiece.py)
