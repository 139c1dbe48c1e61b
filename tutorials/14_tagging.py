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
# # 14 · Token classification: a tag for every word
#
# Which words are a person, which a place? Now every word has a label of its own, so the linear layer stands over every vector, and not
# over the pooled one:
#
# $$
# \mathrm{logits}_i = W\, \mathrm{dropout}(h_i) + b \qquad W:\ (\mathrm{tags}, \mathrm{hidden})
# $$
#
# $$
# \mathrm{loss} = \frac{1}{n} \sum_i −\log\, \mathrm{softmax}(\mathrm{logits}_i)_{\mathrm{tag}_i} \qquad \text{over the } n \text{ pieces that count}
# $$
#
# Two things need care: people tag words, and the model reads pieces; and most words are nothing, which makes bad models look good.
#
# ![Four rows: the words Helen, Lund, left; their tags B-person, I-person, O; the pieces \[CLS\], helen, lu, ##nd, left; and the labels, −100 for \[CLS\] and for ##nd, which is no first piece](../docs/figures/tags.svg)

# %%
import logging
import sys

import torch

from course.figures import new_figure, show
from course.samples import sample
from minibert import (
    AdamW,
    BertForTokenClassification,
    BertTokenizer,
    get_linear_schedule_with_warmup,
    no_decay_groups,
)
from minibert.tasks import (
    BatchOrder,
    Report,
    TaggedSentence,
    collate,
    encode_tags,
    find_tags,
    read_tags,
    tags_of_words,
)
from minibert.tasks.metrics import accuracy, entities, entity_f1

logging.basicConfig(stream=sys.stdout, format="WARNING %(message)s", force=True)
tokenizer = BertTokenizer.from_pretrained("novels-4l-256h")

# %% [markdown]
# ## Entities as tags
#
# `entities.conll` has a word and its tag a line. An entity may have several words, and two may stand side by side, so a tag says more
# than a type: **B**-place begins a place, **I**-place goes on with it (*inside*), **O** is outside.
#
# **What do you expect:** how many tags do three types of entities need?

# %%
sentences, report = read_tags(sample("entities.conll"))
tags = find_tags(sentences)
print(f"{report.used} of {report.found} sentences can be used")
for word, tag in zip(sentences[0].words, sentences[0].tags, strict=True):
    print(f"  {word:10} {tag}")
print("entities (type, first word, after the last):", [tuple(entity) for entity in entities(sentences[0].tags)])
print(len(tags), "tags:", ", ".join(tags.names))

# %% [markdown]
# ## From words to pieces
#
# *Lindqvist* is not in the vocabulary, and is cut into pieces (chapter 2). The tokenizer can say which word each piece comes from.
# **What do you expect:** which piece gets the word's tag?

# %%
encoding = tokenizer(list(sentences[0].words), is_split_into_words=True)
pieces = tokenizer.convert_ids_to_tokens(encoding["input_ids"])
word_of = encoding.word_ids()  # for each piece the number of its word; None for [CLS] and [SEP]
labels = []
for place, word in enumerate(word_of):
    begins_a_word = word is not None and word != word_of[place - 1]
    labels.append(tags.label2id[sentences[0].tags[word]] if begins_a_word else -100)
for piece, word, label in zip(pieces, word_of, labels, strict=True):
    print(f"  {piece:10} word {word!s:5} label {label:4} {'' if label == -100 else tags.names[label]}")

windows = encode_tags(sentences, tokenizer, tags, max_length=64, report=report)
assert windows[0].row["input_ids"] == encoding["input_ids"]
assert windows[0].row["labels"] == labels

# %% [markdown]
# The first, and no other: −100 stands at the rest (chapter 8), and at `[CLS]` and `[SEP]`. So every word counts once, however many
# pieces it has. When the model is asked, the first piece's tag is the word's, and what it says of the others is not looked at. (*Tromsø* has
# a letter that the vocabulary lacks; it becomes `[UNK]`, and has its tag all the same: its neighbours may tell what it is.)
#
# ## The head, by hand
#
# **What do you expect:** over how many places is the mean taken in a batch of 4 sentences?

# %%
torch.manual_seed(0)
model = BertForTokenClassification.from_pretrained("novels-4l-256h", id2label=tags.id2label, label2id=tags.label2id)
rows = [window.row for window in windows]
batch = collate(rows[:4], tokenizer)
with torch.no_grad():
    states = model.bert(batch["input_ids"], batch["attention_mask"], batch["token_type_ids"]).last_hidden_state
    logits = states @ model.classifier.weight.T + model.classifier.bias  # (4, seq, tags); dropout is off
    counts = batch["labels"] != -100  # (4, seq)
    right = batch["labels"][counts]  # (words)
    loss = -torch.log_softmax(logits[counts], -1)[torch.arange(len(right)), right].mean()
    outputs = model(**batch)
assert torch.allclose(logits, outputs.logits, atol=1e-5)
assert torch.allclose(loss, outputs.loss, atol=1e-5)
assert int(counts.sum()) == sum(len(sentence.words) for sentence in sentences[:4])
print(
    tuple(states.shape),
    "→",
    tuple(logits.shape),
    f"; loss {loss:.3f} over {int(counts.sum())} words of {counts.numel()} places",
)

# %% [markdown]
# (The warning is right: W and b are new.) `collate` filled the shorter sentences up with −100.
#
# ## Why accuracy flatters
#
# How good is a tagger that says *O* to everything? **What do you expect** of its accuracy?

# %%
truth = [list(sentence.tags) for sentence in sentences]
nothing = [["O"] * len(tags_of_one) for tags_of_one in truth]


def word_accuracy(predicted: list[list[str]], truth: list[list[str]]) -> float:
    """The share of words whose tag is right."""
    return accuracy([tag for row in predicted for tag in row], [tag for row in truth for tag in row])


print(f"always O: accuracy {word_accuracy(nothing, truth):.0%}, entity F1 {entity_f1(nothing, truth).f1:.0%}")

# %% [markdown]
# And it found nothing. (In news texts about five words of six are O.) So entities are counted instead. An entity is right when its type,
# its first and its last word are right; there is no half of one.
#
# Of those it found, how many are right? Of those there are, how many did it find? And both in one number:
#
# $$
# \mathrm{precision} = \frac{\text{right}}{\text{found}} \qquad \mathrm{recall} = \frac{\text{right}}{\text{there are}} \qquad \mathrm{F1} = \frac{2 · \text{right}}{\text{found} + \text{there are}}
# $$
#
# **What do you expect** here? One tag of eight is wrong.

# %%
words = ["Doctor", "Pym", "sailed", "from", "New", "Lanark", "to", "Rome"]
true_tags = ["B-person", "I-person", "O", "O", "B-place", "I-place", "O", "B-place"]
said_tags = ["B-person", "I-person", "O", "O", "B-place", "O", "O", "B-place"]
true_ones, found_ones = set(entities(true_tags)), set(entities(said_tags))
right_ones = len(true_ones & found_ones)
by_hand = 2 * right_ones / (len(found_ones) + len(true_ones))
for name, ones in (("there are", true_ones), ("found", found_ones)):
    print(
        f"  {name:10}",
        "; ".join(" ".join(words[one.start : one.end]) for one in sorted(ones, key=lambda one: one.start)),
    )
print(f"accuracy {word_accuracy([said_tags], [true_tags]):.0%}, F1 {by_hand:.0%}")
assert by_hand == entity_f1([said_tags], [true_tags]).f1

# %% [markdown]
# *New* is not *New Lanark*: that is one wrong entity, and one missed.
#
# ## Teach it
#
# 23 sentences to learn from, and eight new ones to be measured on. Most of the new names do not occur among the old ones.

# %%
NEW = """
Helen/B-person Lund/I-person lives/O in/O Dover/B-place ./O
The/O train/O to/O Vienna/B-place was/O late/O ./O
Mr/B-person Harding/I-person wrote/O to/O the/O Northern/B-group Times/I-group ./O
Nobody/O in/O the/O kitchen/O spoke/O ./O
Then/O Captain/B-person Bell/I-person sailed/O from/O Cork/B-place to/O New/B-place York/I-place ./O
She/O works/O for/O Ashford/B-group Mills/I-group ./O
Peter/B-person met/O Clara/B-person Weiss/I-person in/O Rome/B-place ./O
The/O University/B-group of/I-group Oxford/I-group bought/O the/O house/O ./O
"""
new_sentences = [
    TaggedSentence(*map(tuple, zip(*(word.split("/") for word in line.split()), strict=True)))
    for line in NEW.strip().splitlines()
]
new_truth = [list(sentence.tags) for sentence in new_sentences]


def ask(asked: list[TaggedSentence]) -> list[list[str]]:
    """The model's tag for every word."""
    windows = encode_tags(asked, tokenizer, tags, 64, Report("asked", found=len(asked)))
    model.eval()
    with torch.no_grad():
        likeliest = model(**collate([window.row for window in windows], tokenizer)).logits.argmax(-1)  # (asked, seq)
    return tags_of_words(windows, likeliest.tolist(), asked, tags)


# %% [markdown]
# The loop is that of chapter 12, with a look at the new sentences after each epoch. **What do you expect** of accuracy and F1 on the
# way: which of them rises first?

# %%
EPOCHS = 15
order = BatchOrder([len(row["input_ids"]) for row in rows], batch_size=8, seed=0)
steps = EPOCHS * order.batches_per_epoch
optimizer = AdamW(no_decay_groups(model, weight_decay=0.01), lr=1e-3)
schedule = get_linear_schedule_with_warmup(optimizer, num_warmup_steps=steps // 10, num_training_steps=steps)
torch.manual_seed(0)
measured = []
for step in range(steps):
    if step % order.batches_per_epoch == 0:
        predicted = ask(new_sentences)
        measured.append((word_accuracy(predicted, new_truth), entity_f1(predicted, new_truth).f1))
    model.train()
    loss = model(**collate([rows[number] for number in order.batch(step)], tokenizer)).loss
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    schedule.step()
predicted = ask(new_sentences)
measured.append((word_accuracy(predicted, new_truth), entity_f1(predicted, new_truth).f1))

accuracies, f1s = zip(*measured, strict=True)
always_o = word_accuracy([["O"] * len(row) for row in new_truth], new_truth)
figure = new_figure(width=7, height=3.8)
panel = figure.subplots()
panel.plot(accuracies, marker="o", label="accuracy of words")
panel.plot(f1s, marker="o", label="F1 of entities")
panel.axhline(always_o, linestyle=":", color="gray")
panel.text(0, always_o - 0.06, "accuracy of “always O”", fontsize=9)
panel.set_ylim(0, 1.03)
panel.set_xlabel("epochs")
panel.set_title("The tagger on new sentences, after each epoch")
panel.legend(loc="lower right", bbox_to_anchor=(1, 0.06))
assert f1s[-1] > 0.2
show(
    figure,
    "14-scores",
    "Two lines over the epochs: the accuracy of words jumps to that of “always O” at once and rises later; the F1 "
    "of entities stays near 0 for the first epochs, wavers, and then rises.",
)

# %%
for epoch in (0, 2, 5, 10, 15):
    print(f"after {epoch:2} epochs: accuracy {accuracies[epoch]:.0%}, F1 {f1s[epoch]:.0%}")
seen = ask(sentences)
print(f"on what it learned from: accuracy {word_accuracy(seen, truth):.0%}, F1 {entity_f1(seen, truth).f1:.0%}")

# %% [markdown]
# After a few epochs it says O to nearly everything, and the accuracy is not bad at all. The entities come later.
#
# ## What it gets wrong
#
# **What do you expect:** which words are hard: names that it never saw, or words such as *Northern* and *Mills* that are mostly no names?

# %%
colors = {"person": "lightskyblue", "place": "palegreen", "group": "navajowhite"}
figure = new_figure(width=10.5, height=3.8)
panel = figure.subplots()
for line, (sentence, said, true) in enumerate(zip(new_sentences, predicted, new_truth, strict=True)):
    for column, (word, tag, true_tag) in enumerate(zip(sentence.words, said, true, strict=True)):
        prefix, _, kind = tag.partition("-")
        note = word if tag == "O" else f"{word}\n{prefix}-{kind}"
        if tag != true_tag:
            note += f"\n(is {true_tag})" if tag != "O" else f"\nO (is {true_tag})"
        edge = "red" if tag != true_tag else "none"
        box = {"facecolor": colors.get(kind, "white"), "edgecolor": edge, "pad": 2}
        panel.text(column, line, note, ha="center", va="center", fontsize=7, bbox=box)
panel.set_xlim(-0.5, 9.5)
panel.set_ylim(7.6, -0.6)
panel.axis("off")
panel.set_title("What the tagger says of new sentences; framed in red: wrong")
show(
    figure,
    "14-tags",
    "Eight new sentences, a word a box, coloured by the tag that the model says: most names are found; boxes "
    "framed in red are wrong, such as Vienna and the second words of long names.",
)

# %% [markdown]
# Names that stand where a name stands (*lives in …*, *met …*) are mostly found, though the model never saw them. Hard are long
# names of common words, and titles: for those the two dozen sentences have too few examples. And note where one word of a group is
# wrong: the whole entity is lost.
#
# ## When tags do not fit together
#
# Each word is tagged by itself, so the model may say *O, I-place* or *B-person, I-place*. **What do you expect:** are there entities in
# such a row?

# %%
for row in (["O", "I-place", "O"], ["B-person", "I-place", "I-place"], ["B-place", "B-place", "I-place"]):
    print(f"{row!s:38}", [tuple(entity) for entity in entities(row)])

# %% [markdown]
# There are: as the program that CoNLL's shared tasks count with, the library lets an **I** that has nothing of its own type before it begin
# an entity. Two programs that differ in this rule give different F1 for the same tags.
#
# ```bash
# minibert finetune tag --train train.conll --eval test.conll --out my-tagger
# minibert predict "Marta Lindqvist opened a bakery in Uppsala." --model my-tagger/model
# ```
#
# ## Summary
#
# - The linear layer stands over every vector; there is no pooler.
# - A word's tag belongs to its first piece; continuations and special tokens have −100.
# - Most words are O, so accuracy flatters. F1 counts whole entities: type, first and last word.
# - B begins, I goes on; what an I without a beginning means is a rule that one must know.
#
# **The code:** [`minibert/heads/token_classification.py`](../minibert/heads/token_classification.py) the head,
# [`minibert/tasks/tagging.py`](../minibert/tasks/tagging.py) the task: words to pieces and back, scores and answers,
# [`metrics.py`](../minibert/tasks/metrics.py) entities and F1.
#
# **Exercises:** [`exercises/14_tagging.py`](exercises/14_tagging.py): labels for pieces, tags for words, entities, F1. Check them with
# `minibert check 14`.
#
# **Next:** [15 · Question answering](15_question_answering.py)
