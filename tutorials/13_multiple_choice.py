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
# # 13 · Multiple choice: one score each, and a softmax over the choices
#
# *The fisherman feels a tug on the line. He …* Which ending fits? The endings are different for every question, so they cannot be
# columns of a linear layer, as labels are (chapter 12). Instead each ending is read together with its context, and gets one number:
#
# $$
# \mathrm{score} = w · \mathrm{dropout}(\mathrm{pooled}) + b \qquad w:\ (\mathrm{hidden})
# $$
#
# $$
# p(\mathrm{choice}) = \frac{e^{\text{its score}}}{\sum_{\text{choices of the question}} e^{\text{score}}}
# $$
#
# The model is as simple as that. What needs care is the shape.
#
# ![Two questions with two choices each, (batch 2, choices 2, seq), become four rows, (4, seq); each row gets a score; the scores go back to (2, 2), and a softmax runs over the choices of each question](../docs/figures/choices.svg)

# %%
import logging
import math
import sys

import torch

from course.figures import new_figure, show
from course.samples import sample
from minibert import (
    AdamW,
    BertForMultipleChoice,
    BertTokenizer,
    get_linear_schedule_with_warmup,
    no_decay_groups,
)
from minibert.tasks import BatchOrder, ChoiceExample, Report, collate, encode_choices, read_choices

logging.basicConfig(stream=sys.stdout, format="WARNING %(message)s", force=True)
torch.manual_seed(0)
tokenizer = BertTokenizer.from_pretrained("novels-4l-256h")
model = BertForMultipleChoice.from_pretrained("novels-4l-256h")

# %% [markdown]
# (The warning is right: w and b are new.)
#
# ## A question is several pairs
#
# `endings.csv` has 16 questions with four endings each, in the columns that SWAG has. **What do you expect:** how many texts does the
# model read for one question, and which part of them is segment 1?

# %%
questions, report = read_choices(sample("endings.csv"))
rows = encode_choices(questions, tokenizer, max_length=64, report=report)
question = questions[2]
print(
    f"{report.used} of {report.found} questions can be used. The right ending of this one is number {question.label}:"
)
for ids, segments in zip(rows[2]["input_ids"], rows[2]["token_type_ids"], strict=True):
    print(f"  {tokenizer.decode(ids)}   {''.join(map(str, segments))}")
by_hand = [tokenizer(question.context, f"{question.beginning} {ending}")["input_ids"] for ending in question.endings]
assert by_hand == rows[2]["input_ids"]

# %% [markdown]
# The context is repeated in each. The beginning of the next sentence (*He*) belongs to the ending: both are segment 1.
#
# ## (batch, choices, seq), and flat
#
# A batch of questions has three dimensions, but BERT reads (batch, seq). So the first two are laid one behind the other, and the scores
# are taken apart again at the end. **What do you expect:** which row of the flat batch is choice 1 of question 2?

# %%
batch = collate(rows[:3], tokenizer)
questions_in_batch, choices, length = batch["input_ids"].shape


def flat(ids: torch.Tensor) -> torch.Tensor:
    """(batch, choices, seq) → (batch · choices, seq), the choices of one question next to each other."""
    return ids.reshape(-1, ids.shape[-1])


with torch.no_grad():
    pooled = model.bert(
        flat(batch["input_ids"]), flat(batch["attention_mask"]), flat(batch["token_type_ids"])
    ).pooler_output  # (batch · choices, hidden)
    scores = pooled @ model.classifier.weight.T + model.classifier.bias  # (batch · choices, 1); dropout is off
    logits = scores.view(questions_in_batch, choices)  # (batch, choices)
    outputs = model(**batch)
assert torch.allclose(logits, outputs.logits, atol=1e-6)
assert torch.equal(flat(batch["input_ids"])[2 * choices + 1], batch["input_ids"][2, 1])
print(tuple(batch["input_ids"].shape), "→", tuple(flat(batch["input_ids"]).shape), "→", tuple(pooled.shape), end=" ")
print("→", tuple(scores.shape), "→", tuple(logits.shape))

# %% [markdown]
# Row 2 · 4 + 1. Going back needs the same order: `view(batch, choices)`. The other way round, `view(choices, batch).T`, has the right
# shape too, raises no error, and mixes the questions. **What do you expect** of a loss that compares endings of different questions?

# %%
mixed = scores.view(choices, questions_in_batch).T
print("which flat row is where, right:\n", torch.arange(12).view(3, 4))
print("and mixed:\n", torch.arange(12).view(4, 3).T)
assert mixed.shape == logits.shape
assert not torch.allclose(mixed, logits)

# %% [markdown]
# It can still be minimised, and the model learns nonsense. When shapes fit by chance, only a test of *which number is where* helps.
#
# ## Softmax over the choices
#
# **What do you expect** of a fresh model: what is the loss with four choices?

# %%
labels = batch["labels"]  # (batch)
probabilities = logits.softmax(dim=-1)  # (batch, choices)
loss = -probabilities[torch.arange(questions_in_batch), labels].log().mean()
assert torch.allclose(loss, outputs.loss, atol=1e-6)
print(f"loss {loss:.3f}; guessing blindly costs log 4 = {math.log(4):.3f}")

# %% [markdown]
# Only differences count: add 5 to all four scores, and the softmax is the same. Now look at b, which is added to all of them alike.
# **What do you expect** of its gradient?

# %%
assert torch.allclose((logits + 5).softmax(-1), probabilities, atol=1e-6)
gradients = torch.autograd.grad(model(**batch).loss, [model.classifier.weight, model.classifier.bias])
print(f"gradient of w: up to {gradients[0].abs().max():.3f}; of b: {gradients[1].abs().item():.0e}")
assert gradients[1].abs().item() < 1e-6

# %% [markdown]
# Rounding, and otherwise 0: b can never learn anything. It is there because a linear layer has one, and in the published models too.
#
# Nothing in the model knows how many choices there are, or in which order. Two of the endings, swapped, have the same scores, swapped:

# %%
two = {name: column[:1, [3, 2]] for name, column in batch.items() if name != "labels"}
with torch.no_grad():
    assert torch.allclose(model(**two).logits, outputs.logits[:1, [3, 2]], atol=1e-5)
print("a model for four endings reads two")

# %% [markdown]
# ## Teach it
#
# First, questions that it will not learn from:

# %%
unseen = [
    ("The boy lights the candle.", "The flame", "flickers in the draught.", "sings a song.", "drinks the milk."),
    ("The farmer opens the gate.", "The cows", "walk into the field.", "write a letter.", "play the violin."),
    ("A girl drops her glass.", "It", "breaks on the stone floor.", "asks for more sugar.", "marries the king."),
    ("The teacher rings the bell.", "The children", "run out to play.", "melt slowly.", "rust in the garden."),
    (
        "The postman knocks at the door.",
        "A woman",
        "opens it and takes the letter.",
        "grows in the woods.",
        "boils over.",
    ),
    ("It begins to snow.", "The hills", "turn white.", "count the money.", "put on their hats."),
    ("The barber takes his scissors.", "He", "cuts the old man's hair.", "flows into the sea.", "ripens in the sun."),
    ("The ship strikes a rock.", "The sailors", "climb into the boats.", "bloom in May.", "are baked in an oven."),
]
new_questions = [ChoiceExample(context, begin, tuple(endings), label=0) for context, begin, *endings in unseen]


def ask(model: BertForMultipleChoice, asked: list[ChoiceExample]) -> torch.Tensor:
    """(questions, choices) probabilities."""
    rows = encode_choices(asked, tokenizer, 64, Report("asked", found=len(asked)))
    with torch.no_grad():
        return model(**collate(rows, tokenizer)).logits.softmax(-1)


def share_right(probabilities: torch.Tensor, asked: list[ChoiceExample]) -> float:
    """How many of the likeliest choices are right."""
    return (probabilities.argmax(-1) == torch.tensor([question.label for question in asked])).float().mean().item()


before = ask(model, new_questions)

# %% [markdown]
# Here the right ending always stands first. **What do you expect:** does that help the model? (Look at the cell with the swapped
# endings.)
#
# The loop is that of chapter 12. Each step reads 4 questions, that is 16 texts.

# %%
order = BatchOrder([max(map(len, row["input_ids"])) for row in rows], batch_size=4, seed=0)
steps = 8 * order.batches_per_epoch
optimizer = AdamW(no_decay_groups(model, weight_decay=0.01), lr=1e-3)
schedule = get_linear_schedule_with_warmup(optimizer, num_warmup_steps=steps // 10, num_training_steps=steps)
torch.manual_seed(0)
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
for epoch in range(8):
    print(f"epoch {epoch + 1}: loss {sum(losses[4 * epoch : 4 * epoch + 4]) / 4:.2f}")

# %% [markdown]
# **What do you expect** of the new questions? By chance, a third would be right.

# %%
after = ask(model, new_questions)
figure = new_figure(width=10, height=4)
panels = figure.subplots(1, 2, sharey=True)
for panel, name, probabilities in zip(panels, ("before", "after"), (before, after), strict=True):
    panel.imshow(probabilities, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for line, row in enumerate(probabilities.tolist()):
        for column, share in enumerate(row):
            color = "white" if share > 0.5 else "black"
            panel.text(column, line, f"{share:.0%}", ha="center", va="center", color=color, fontsize=9)
    panel.set_xticks(range(3), ["the right one", "wrong", "wrong"])
    panel.set_title(f"{name} fine-tuning: {probabilities[:, 0].mean():.0%} for the right one")
figure.suptitle("How probable the model finds each ending of eight new questions")
panels[0].set_yticks(range(8), [f"{question.context} {question.beginning} …" for question in new_questions], fontsize=8)
show(
    figure,
    "13-choices",
    "Two tables of eight questions and three endings with percentages. Before fine-tuning every cell is near a "
    "third; after it the column of the right ending is mostly dark, and two questions are wrong.",
)

# %%
print(f"seen: {share_right(ask(model, questions), questions):.0%} right")
for question, shares in zip(new_questions, after.tolist(), strict=True):
    chosen = max(range(3), key=shares.__getitem__)
    print(
        f"  {'✓' if chosen == 0 else '✗'} {shares[chosen]:4.0%}  {question.context} {question.beginning} {question.endings[chosen]}"
    )

# %% [markdown]
# ## Does it look at the context at all?
#
# A model may learn which endings sound right, whatever comes before. Test it: give every question the context and the beginning
# of another one. A reader would be lost. **What do you expect** of the model, on the questions that it learned from?

# %%
for name, asked in (("learned from", questions), ("new", new_questions)):
    shifted = [
        ChoiceExample(other.context, other.beginning, question.endings, question.label)
        for question, other in zip(asked, [*asked[1:], asked[0]], strict=True)
    ]
    right, lost = share_right(ask(model, asked), asked), share_right(ask(model, shifted), shifted)
    print(f"{name:12}: {right:.0%} right with their own context, {lost:.0%} with another one")


# %% [markdown]
# There it is: the context is not read. The model knows by heart which of 64 endings were right, and finds them under any context. On
# new questions it does better than chance, and just as well where the context is a wrong one: flames that sing and hills with hats sound
# silly by themselves. Neither a loss near 0 nor a share of right answers tells you that; the test with another context does.
#
# It is no fault of the head. SWAG has 73,000 questions to train on, with wrong endings that were chosen so that they do *not* sound
# wrong by themselves; BERT-base reaches 81.6% there (Devlin et al. 2019, table 4). The commands are the same:
#
# ```bash
# minibert finetune choose --train train.csv --eval val.csv --out my-endings
# minibert predict "The lid is lifted." --choice "Steam rises." --choice "It barks." --model my-endings/model
# ```
#
# ## Summary
#
# - Each choice is a text pair of its own; a batch is (batch, choices, seq), and BERT reads (batch · choices, seq).
# - One score a text; back to (batch, choices) in the same order; softmax and loss run over the choices.
# - Only differences of scores count, so the head's bias never learns. Number and order of the choices do not matter.
# - Ask whether a model needs its context: give it another one.
#
# **The code:** [`minibert/heads/multiple_choice.py`](../minibert/heads/multiple_choice.py) the head,
# [`minibert/tasks/multiple_choice.py`](../minibert/tasks/multiple_choice.py) the task: questions into pairs, scores and answers, and
# [`task_batches.py`](../minibert/tasks/task_batches.py) three dimensions, padded.
#
# **Exercises:** [`exercises/13_multiple_choice.py`](exercises/13_multiple_choice.py): the pairs, flat and back, the loss. Check them
# with `minibert check 13`.
#
# **Next:** [14 · Token classification](14_tagging.py)
