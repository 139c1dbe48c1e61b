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
# # 12 · One label, a number, many labels
#
# A pre-trained BERT knows words. *Fine-tuning* teaches it a task: is this review friendly? how much alike are these sentences? which
# topics has this text? All three have the same model: one linear layer over the pooled vector of `[CLS]` (chapter 6).
#
# $$
# \mathrm{logits} = W\, \mathrm{dropout}(\mathrm{pooled}) + b \qquad W:\ (\mathrm{labels}, \mathrm{hidden})
# $$
#
# What differs is the loss.
#
# ![A text goes through the encoder and the pooler, one linear layer gives the logits, and these are read in three ways: one class by a softmax, many labels by a σ each, or a number as it is, each with its own loss](../docs/figures/classification.svg)

# %%
import logging
import sys

import torch
import torch.nn.functional as F

from course.figures import new_figure, show
from course.samples import sample
from minibert import (
    AdamW,
    BertConfig,
    BertForSequenceClassification,
    BertTokenizer,
    get_linear_schedule_with_warmup,
    no_decay_groups,
)
from minibert.tasks import BatchOrder, Labels, collate, encode_texts, find_labels, read_classification
from minibert.tasks.metrics import accuracy, f1, pearson

logging.basicConfig(stream=sys.stdout, format="WARNING %(message)s", force=True)
tokenizer = BertTokenizer.from_pretrained("novels-4l-256h")

# %% [markdown]
# ## From a file to a batch
#
# `reviews.csv` has 24 short reviews, each *positive* or *negative*. Labels get numbers, for a model knows columns and not names.
# **What do you expect:** which of the two is 0?

# %%
reviews, report = read_classification(sample("reviews.csv"))
labels = find_labels(reviews)
rows = encode_texts(reviews, tokenizer, labels, max_length=64, report=report)
print(f"{report.used} of {report.found} examples can be used")
print("labels:", labels.label2id)
print(f"{reviews[1].text!r} is {reviews[1].label}: {rows[1]['labels']}")

# %% [markdown]
# They are numbered in alphabetical order, whatever the order in the file. A file that is shuffled has the same numbers. The names
# go into the model's config; their count is `num_labels`. So many rows has W, and so many columns have the logits.


# %%
def fresh_model(labels: Labels, problem_type: str) -> BertForSequenceClassification:
    """The pre-trained body, with a new linear layer."""
    torch.manual_seed(0)
    return BertForSequenceClassification.from_pretrained(
        "novels-4l-256h", id2label=labels.id2label, label2id=labels.label2id, problem_type=problem_type
    )


model = fresh_model(labels, "single_label_classification")
print("num_labels:", model.config.num_labels, "W:", tuple(model.classifier.weight.shape))
assert len(model.classifier.weight) == model.config.num_labels == len(labels)
logging.getLogger("minibert").setLevel(logging.ERROR)  # said once is enough

# %% [markdown]
# (The warning is right: W and b are random, and have to be learned.) The forward pass, by hand:

# %%
batch = collate(rows[:8], tokenizer)
with torch.no_grad():
    pooled = model.bert(
        batch["input_ids"], batch["attention_mask"], batch["token_type_ids"]
    ).pooler_output  # (8, hidden)
    logits = pooled @ model.classifier.weight.T + model.classifier.bias  # (8, labels); dropout is off
    outputs = model(**batch)
assert torch.allclose(logits, outputs.logits, atol=1e-6)
print("pooled", tuple(pooled.shape), "→ logits", tuple(logits.shape), "→ loss", f"{outputs.loss:.3f}")

# %% [markdown]
# ## Three kinds of labels, three losses
#
# | `problem_type` | labels | loss: the mean of |
# |---|---|---|
# | `single_label_classification` | one class: (batch,) whole numbers | $−\log\, \mathrm{softmax}(\mathrm{logits})_{\mathrm{label}}$ |
# | `multi_label_classification` | yes or no for each label: (batch, labels) of 0.0 and 1.0 | $−[y \log\, σ(\mathrm{logit}) + (1 − y) \log(1 − σ(\mathrm{logit}))]$ |
# | `regression` | a number: (batch,) | $(\mathrm{logit} − y)^2$ |
#
# **What do you expect:** which of the losses make the logits of one text compete with each other?

# %%
y_one = batch["labels"]  # (8)
one_by_hand = -torch.log_softmax(logits, -1)[torch.arange(8), y_one].mean()

y_many = F.one_hot(y_one, 2).float()  # (8, 2): the same, told as yes and no for both
yes = torch.sigmoid(logits)  # (8, 2): each between 0 and 1, on its own
many_by_hand = -(y_many * yes.log() + (1 - y_many) * (1 - yes).log()).mean()

y_number = torch.tensor([4.0, 1.0, 5.0, 0.5, 4.5, 0.0, 4.0, 2.0])  # (8): stars, say
number_by_hand = ((logits - y_number[:, None].expand(8, 2)) ** 2).mean()

for kind, targets, by_hand in (
    ("single_label_classification", y_one, one_by_hand),
    ("multi_label_classification", y_many, many_by_hand),
    ("regression", y_number[:, None].expand(8, 2), number_by_hand),
):
    model.config.problem_type = kind
    by_library = model.loss(logits, targets)
    print(f"{kind:28} {by_library:.4f}")
    assert torch.allclose(by_hand, by_library, atol=1e-6)
model.config.problem_type = "single_label_classification"

# %% [markdown]
# Only the first: softmax shares one unit of belief among the classes. σ asks of each label alone, so all of them may be right, or
# none.
#
# **When nobody says what kind it is**, the first labels decide, and the config remembers. **What do you expect** of whole numbers, of
# 0.0 and 1.0, and of a model with a single column?

# %%
tiny = {"vocab_size": 10, "hidden_size": 4, "num_hidden_layers": 1, "num_attention_heads": 1, "intermediate_size": 4}
ids = torch.tensor([[2, 5, 3], [2, 7, 3]])
for columns, targets in (
    (3, torch.tensor([2, 0])),
    (3, torch.tensor([[0.0, 1.0, 1.0], [0.0, 0.0, 0.0]])),
    (1, torch.tensor([0.5, 3.0])),
):
    guess = BertForSequenceClassification(BertConfig(**tiny, num_labels=columns))
    guess(ids, labels=targets)
    print(f"num_labels {columns}, labels of {targets.dtype}: {guess.config.problem_type}")

# %% [markdown]
# A trap: with `num_labels=1` the classes 0 and 1 would be numbers to be met. (The library refuses whole numbers there, and says why.)
# Two classes are two columns.
#
# ## Teach it
#
# One loop for all three tasks. It is that of chapter 11 with another batch: examples in a new order each epoch, texts of like length
# together. Dropout is on (`train()`), for these few examples are seen again and again.


# %%
def learn(model: BertForSequenceClassification, rows: list[dict], epochs: int) -> list[float]:
    """Fine-tune on all rows; return the loss of every step."""
    order = BatchOrder([len(row["input_ids"]) for row in rows], batch_size=8, seed=0)
    steps = epochs * order.batches_per_epoch
    optimizer = AdamW(no_decay_groups(model, weight_decay=0.01), lr=1e-3)
    schedule = get_linear_schedule_with_warmup(optimizer, num_warmup_steps=steps // 10, num_training_steps=steps)
    model.train()
    losses = []
    for step in range(steps):
        loss = model(**collate([rows[number] for number in order.batch(step)], tokenizer)).loss
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
    model.eval()
    return losses


def ask(model: BertForSequenceClassification, *texts: list[str]) -> torch.Tensor:
    """Texts, or two lists of them for pairs → (texts, labels) logits."""
    with torch.no_grad():
        return model(**tokenizer(*texts, padding=True, return_tensors="pt")).logits


def pooled_of(model: BertForSequenceClassification, texts: list[str]) -> torch.Tensor:
    """(texts, hidden): what the linear layer reads."""
    with torch.no_grad():
        return model.bert(**tokenizer(texts, padding=True, return_tensors="pt")).pooler_output


# %% [markdown]
# A model knows by heart what it was trained on. So here are reviews that it never saw:

# %%
unseen = {
    "A warm welcome, a soft bed, and breakfast in the garden.": "positive",
    "My daughter laughed from the first page to the last.": "positive",
    "Fresh fish, fair prices and a view of the sea.": "positive",
    "Strong, light and easy to clean.": "positive",
    "A beautiful story, well told.": "positive",
    "The soup was cold and the waiter rude.": "negative",
    "It stopped working after a week.": "negative",
    "The actors forgot their lines and I fell asleep.": "negative",
    "The stairs were dark and the bed was damp.": "negative",
    "They sent the wrong size and kept my money.": "negative",
}
seen_texts = [review.text for review in reviews]
before = pooled_of(model, [*seen_texts, *unseen])  # (34, hidden)
losses = learn(model, rows, epochs=10)
after = pooled_of(model, [*seen_texts, *unseen])
print(f"loss {losses[0]:.2f} at the first step, {sum(losses[-3:]) / 3:.2f} in the last epoch")

# %% [markdown]
# **What do you expect:** how many of the ten are right? By chance it would be five.

# %%
for name, texts, truths in (
    ("seen", seen_texts, [review.label for review in reviews]),
    ("unseen", list(unseen), list(unseen.values())),
):
    probabilities = ask(model, texts).softmax(-1)  # (texts, 2)
    said = [labels.names[column] for column in probabilities.argmax(-1).tolist()]
    print(f"{name}: {accuracy(said, truths):.0%} of {len(texts)} are right")
for text, truth, word, share in zip(unseen, unseen.values(), said, probabilities.max(-1).values.tolist(), strict=True):
    print(f"  {'✓' if word == truth else '✗'} {word} {share:4.0%}  {text}")
assert accuracy(said, list(unseen.values())) >= 0.6

# %% [markdown]
# Most are right, from two dozen examples: that is what pre-training is for. And see how sure it is of those that are wrong: a
# probability of a model that has seen little is not to be trusted.
#
# ## What happened to the vectors?
#
# **What do you expect** of the pooled vectors, before and after? Here they are in the two directions in which they differ most.

# %%
truths = [review.label for review in reviews] + list(unseen.values())
figure = new_figure(width=10, height=4.2)
for panel, name, vectors in zip(figure.subplots(1, 2), ("before", "after"), (before, after), strict=True):
    centred = vectors - vectors.mean(0)
    directions = torch.linalg.svd(centred, full_matrices=False).Vh[:2]  # (2, hidden)
    flat = centred @ directions.T  # (34, 2)
    for label, color in (("positive", "tab:green"), ("negative", "tab:red")):
        for group, places, inside in (("seen", range(24), color), ("unseen", range(24, 34), "none")):
            those = [place for place in places if truths[place] == label]
            panel.scatter(*flat[those].T, edgecolor=color, facecolor=inside, label=f"{label}, {group}")
    panel.set_title(f"{name} fine-tuning")
    panel.set_xticks([])
    panel.set_yticks([])
panel.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
figure.suptitle("The pooled vectors of 34 reviews, in the two directions in which they differ most")
show(
    figure,
    "12-pooled",
    "Two clouds of points. Before fine-tuning green and red points are mixed; after it nearly all red points are "
    "at one end and nearly all green ones at the other, those of unseen reviews too, with a few between.",
)

# %% [markdown]
# Before, the two kinds lie mixed: next-sentence prediction, which made these vectors, does not care who liked the soup. After, the whole
# model has changed so that one straight cut parts them. Not just W and b were learned; the body was too.
#
# ## A number
#
# `similarity.csv` has pairs of sentences and how much alike they are, from 0 to 5. One column, squared error. What is
# easy? A guesser who knows only the mean pays the *variance* of the labels. It is what the entropy of word counts was in chapter 11: a
# loss near it means that the texts are not read.
#
# **What do you expect** of 16 pairs: what will it have learned in 20 epochs?

# %%
pairs, report = read_classification(sample("similarity.csv"), "regression")
number = find_labels(pairs, "regression")
rows = encode_texts(pairs, tokenizer, number, max_length=64, report=report)
stars = torch.tensor([row["labels"] for row in rows])
variance = ((stars - stars.mean()) ** 2).mean()

similarity = fresh_model(number, "regression")
losses = learn(similarity, rows, epochs=20)
print(f"num_labels: {similarity.num_labels}; guess the mean: {variance:.2f}")
for epoch in (0, 4, 9, 14, 19):
    print(f"  epoch {epoch + 1:2}: {sum(losses[2 * epoch : 2 * epoch + 2]) / 2:5.2f}")

# %%
new_pairs = [
    ("A girl is reading a book.", "A girl reads a book.", 5.0),
    ("The old man is cooking dinner.", "An old man cooks a meal.", 4.5),
    ("They sold the house.", "They bought a house.", 3.0),
    ("He opened the window.", "She closed the door.", 2.0),
    ("The horse runs across the field.", "The horse sleeps in the stable.", 1.5),
    ("A child plays the piano.", "The price of corn rose.", 0.2),
]
firsts, seconds, truths = (list(column) for column in zip(*new_pairs, strict=True))
said = ask(similarity, firsts, seconds)[:, 0]  # (pairs)
for first, second, truth, value in zip(firsts, seconds, truths, said.tolist(), strict=True):
    print(f"  {value:.1f} (I would say {truth})  {first} / {second}")
seen = ask(similarity, [pair.text for pair in pairs], [pair.text_pair for pair in pairs])[:, 0]
print(
    f"Pearson's correlation: {pearson(seen, stars):.2f} on the pairs it learned from, {pearson(said, truths):.2f} on these"
)

# %% [markdown]
# It learned the mean first, and then much of the sixteen pairs by heart. On the new ones it tells *alike* from *unrelated*, somewhat;
# that *sold* and *bought*, or *opened* and *closed*, make a difference it cannot know. (The correlation of six pairs is hardly
# more than an anecdote.) The public data set for this task has 5,749 pairs to train on. When a model fails, look first at what it was
# given.
#
# ## Many labels
#
# `topics.jsonl`: a text may be about food and music, or about nothing in the list. A label is given when its probability is above ½,
# which is where its logit is above 0. **What do you expect:** do the probabilities of a text sum to 1?

# %%
texts, report = read_classification(sample("topics.jsonl"), "multi_label_classification")
topics = find_labels(texts, "multi_label_classification")
rows = encode_texts(texts, tokenizer, topics, max_length=64, report=report)
print(topics.names)
print(texts[0].label, "→", rows[0]["labels"])
print(texts[7].label, "→", rows[7]["labels"])

topical = fresh_model(topics, "multi_label_classification")
losses = learn(topical, rows, epochs=20)
print(f"loss {losses[0]:.2f} → {sum(losses[-2:]) / 2:.2f}")

# %%
new_texts = [
    "Thunder was heard over the hills all night.",
    "Our train to the coast was cancelled.",
    "The orchestra sang while the soup was cooking.",
    "Snow stopped the race in the mountains.",
    "He put the keys into the drawer.",
]
shown = [texts[place].text for place in (0, 3, 8, 14)] + new_texts
probabilities = torch.sigmoid(ask(topical, shown))  # (texts, labels)
figure = new_figure(width=9.5, height=4)
panel = figure.subplots()
image = panel.imshow(probabilities, cmap="Blues", vmin=0, vmax=1, aspect="auto")
for line, row in enumerate(probabilities.tolist()):
    for column, share in enumerate(row):
        panel.text(column, line, f"{share:.0%}", ha="center", va="center", color="white" if share > 0.5 else "black")
panel.axhline(3.5, color="black")
panel.set_xticks(range(len(topics)), topics.names)
panel.set_yticks(range(len(shown)), shown, fontsize=8)
figure.suptitle("How probable the model finds each topic; above the line: texts it learned from")
show(
    figure,
    "12-topics",
    "A table of nine texts and five topics with a percentage in each cell: the four texts above the line have "
    "high numbers at their own topics, and the five below at most of theirs, with some mistakes.",
)

# %% [markdown]
# The rows do not sum to 1, and need not: each label is a question of its own. Most of what is given to the new texts is right, and
# much is missing. That soup is food it could not know: there is none in the sixteen texts.
#
# One more trap. Most texts have few of the labels, so a model that always says *no* is right in
# most cells. Hence the score is F1 of the labels, which counts the right *yes*. **What do you expect** of always *no*?

# %%
truth = torch.tensor([row["labels"] for row in rows]) > 0  # (16, 5)
never = torch.zeros_like(truth)
given = ask(topical, [text.text for text in texts]) > 0
for name, answer in (("always no", never), ("the model, on what it learned from", given)):
    print(f"{name}: {(answer == truth).float().mean():.0%} of cells, micro F1 {f1(answer, truth, 'micro'):.2f}")

# %% [markdown]
# ## The same with one command
#
# ```bash
# minibert finetune classify --train train.csv --eval test.csv --out my-classifier
# minibert finetune classify --labels number --train train.csv --eval test.csv --out my-scores
# minibert finetune classify --labels multi --train train.jsonl --eval test.jsonl --out my-topics
# minibert predict "A quiet place with good bread." --model my-classifier/model
# ```
#
# (The rate here, 10⁻³, suits the small bundled model. For BERT-base the custom is 2 to 5 · 10⁻⁵, and 3 epochs.)
#
# ## Summary
#
# - One head for three tasks: a linear layer over the pooled vector; `num_labels` is the number of rows of W, and of columns of the logits.
# - `problem_type` picks the loss: softmax for one class, σ for each of many, squared error for a number.
# - Nobody said it? Then the first labels decide, and `num_labels=1` means a number.
# - Fine-tuning changes the body too: the pooled vectors part.
# - Measure on what was not learned from, and beside a guesser who does not read.
#
# **The code:** [`minibert/heads/sequence_classification.py`](../minibert/heads/sequence_classification.py) the head and its losses,
# [`minibert/tasks/classification.py`](../minibert/tasks/classification.py) the task: files into rows, scores and answers,
# [`task_batches.py`](../minibert/tasks/task_batches.py) rows into batches, [`metrics.py`](../minibert/tasks/metrics.py) the scores.
# [`docs/finetuning.md`](../docs/finetuning.md) has the recipes.
#
# **Exercises:** [`exercises/12_classification.py`](exercises/12_classification.py): the kind of problem, yes and no, its loss,
# the correlation. Check them with `minibert check 12`.
#
# **Next:** [13 · Multiple choice](13_multiple_choice.py)
