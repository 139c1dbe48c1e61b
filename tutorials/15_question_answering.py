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
# # 15 · Question answering: where does the answer start, and where does it end?
#
# A question and a text go in; the answer is a stretch of the text. So the model need not write anything: it gives every piece
# two scores, one for *the answer starts here*, one for *it ends here*.
#
# $$
# (\mathrm{start}_i, \mathrm{end}_i) = W h_i + b \qquad W:\ (2, \mathrm{hidden})
# $$
#
# $$
# \mathrm{loss} = \frac{−\log\, \mathrm{softmax}(\mathrm{start})_{\mathrm{first}} − \log\, \mathrm{softmax}(\mathrm{end})_{\mathrm{last}}}{2}
# $$
#
# ![A row of pieces with \[CLS\], a question and a text; below, a start score and an end score for each; the largest start and the largest end in the text, 6.1 and 5.7, make the best span, and those of \[CLS\] the score of no answer](../docs/figures/span.svg)
#
# The rest of this chapter is care: from characters to pieces and back, the best span, texts that are too long, and questions
# that the text does not answer.

# %%
import logging
import math
import sys
from collections import Counter

import torch

from course.figures import new_figure, show
from course.samples import sample
from minibert import AdamW, BertForQuestionAnswering, BertTokenizer, get_linear_schedule_with_warmup, no_decay_groups
from minibert.tasks import answers_to, encode_questions, read_squad
from minibert.tasks.metrics import answer_scores
from minibert.tasks.task_files import Report

logging.basicConfig(stream=sys.stdout, format="WARNING %(message)s", force=True)
torch.manual_seed(0)
tokenizer = BertTokenizer.from_pretrained("novels-4l-256h")
model = BertForQuestionAnswering.from_pretrained("novels-4l-256h")

# %% [markdown]
# (The warning is right: the linear layer is new, and knows nothing yet.)
#
# ## The file
#
# 24 questions about four short texts, in the format of SQuAD 2.0. An answer is given by its text and by the place of its first
# character. Some questions have none.

# %%
questions, report = read_squad(sample("questions.json"))
print(f"{report.used} of {report.found} questions can be used")
granite = questions[1]
print(f"\n{granite.context[:96]}…\n")
for question in (granite, questions[5]):
    print(question.question, "→", [(answer.text, answer.start) for answer in question.answers])

# %% [markdown]
# ## From characters to pieces
#
# The model knows pieces, not characters. The tokenizer can say of each piece which characters it stands for: its *offsets*.
#
# **What do you expect:** which positions hold *grey granite*? (First comes `[CLS]`, then the question, then `[SEP]`.)

# %%
encoded = tokenizer(granite.question, granite.context, return_offsets_mapping=True)
pieces = tokenizer.convert_ids_to_tokens(encoded["input_ids"])
in_context = [segment == 1 for segment in encoded["token_type_ids"]]
in_context[-1] = False  # the last [SEP] belongs to segment 1, and to no text
answer = granite.answers[0]
begin, end = answer.start, answer.start + len(answer.text)
held = [
    place
    for place, (first, last) in enumerate(encoded["offset_mapping"])
    if in_context[place] and first < end and last > begin  # the piece and the answer share a character
]
for place in range(held[0] - 1, held[-1] + 2):
    print(f"position {place}: {pieces[place]:8} characters {encoded['offset_mapping'][place]}")
first, last = held[0], held[-1]
assert granite.context[begin:end] == "grey granite"

# %% [markdown]
# The question's pieces have offsets too, but into the question: without `in_context` the two texts would be mixed up.
#
# ## Two scores, two losses, one mean
#
# **What do you expect** of the loss before any training? (The new layer's weights are tiny. How surprising is one place among so
# many, when all seem alike?)

# %%
inputs = {name: torch.tensor([encoded[name]]) for name in ("input_ids", "token_type_ids", "attention_mask")}
with torch.no_grad():
    outputs = model(**inputs, start_positions=torch.tensor([first]), end_positions=torch.tensor([last]))
    hidden_states = model.bert(**inputs).last_hidden_state  # (1, seq, hidden)
    start, end_ = model.qa_outputs(hidden_states).unbind(-1)  # (1, seq) each
    by_hand = (-start.log_softmax(-1)[0, first] - end_.log_softmax(-1)[0, last]) / 2
assert torch.equal(start, outputs.start_logits)
assert torch.allclose(by_hand, outputs.loss, atol=1e-6)
print(f"the layer has {sum(p.numel() for p in model.qa_outputs.parameters())} numbers; loss {outputs.loss.item():.2f}")
print(f"guessing blindly among {len(pieces)} positions: {math.log(len(pieces)):.2f}")

# %% [markdown]
# It is a classification after all: the classes are the positions. (So the number of classes changes with every text, and yet the
# layer has just two rows.)
#
# ## Training
#
# Five questions are put aside: one of each text, and one without an answer. The model learns from the other 19, twelve times over.
# Where there is no answer, start and end are 0, the place of `[CLS]`.

# %%
aside = {"q4", "q10", "q15", "q22", "q24"}
learned = [question for question in questions if question.id not in aside]
unseen = [question for question in questions if question.id in aside]


def rows_of(asked: list, max_length: int = 128, stride: int = 32, labelled: bool = False) -> list:
    """Rows for the model. All these texts fit into 128 pieces, so each question has one; windows come later."""
    return encode_questions(
        asked, tokenizer, Report("sample", found=len(asked)), max_length=max_length, stride=stride, labelled=labelled
    )


def batch_of(rows: list) -> dict[str, torch.Tensor]:
    """Rows side by side, padded with 0 to the longest."""
    longest = max(len(row.offsets) for row in rows)
    batch = {}
    for name, value in rows[0].row.items():
        is_list = isinstance(value, list)
        batch[name] = torch.tensor(
            [r.row[name] + [0] * (longest - len(r.offsets)) if is_list else r.row[name] for r in rows]
        )
    return batch


rows = rows_of(learned, labelled=True)
epochs, batch_size = 12, 8
steps = epochs * math.ceil(len(rows) / batch_size)
optimizer = AdamW(no_decay_groups(model, weight_decay=0.01), lr=1e-3)
schedule = get_linear_schedule_with_warmup(optimizer, steps // 10, steps)
model.train()
for epoch in range(epochs):
    losses = []
    order = torch.randperm(len(rows)).tolist()
    for at in range(0, len(rows), batch_size):
        loss = model(**batch_of([rows[number] for number in order[at : at + batch_size]])).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    if epoch % 3 == 2:
        print(f"epoch {epoch + 1:2}: loss {sum(losses) / len(losses):.2f}")
model = model.eval()

# %% [markdown]
# ## What it says now
#
# **What do you expect** for *Where is fish sold?*, whose answer has seven words: a start and an end that are sure, or a blur?

# %%
fish = questions[8]
(row,) = rows_of([fish])
with torch.no_grad():
    outputs = model(**batch_of([row]))
start, end_ = outputs.start_logits[0], outputs.end_logits[0]  # (seq) each
pieces = tokenizer.convert_ids_to_tokens(row.row["input_ids"])
figure = new_figure(width=12, height=4.2)
panel = figure.subplots()
panel.bar(range(len(pieces)), start.softmax(0), color="tab:blue", label="starts here")
panel.bar(range(len(pieces)), -end_.softmax(0), color="tab:orange", label="ends here")
panel.axhline(0, color="gray", linewidth=0.8)
panel.set_xticks(range(len(pieces)), pieces, rotation=90, fontsize=7)
panel.set_xlim(-1, len(pieces))
panel.set_ylim(-1, 1)
panel.set_yticks([-1, -0.5, 0, 0.5, 1], ["1", "½", "0", "½", "1"])
panel.set_ylabel("probability")
panel.set_title(f"{fish.question} Where the model lets the answer start, and end")
panel.legend()
show(
    figure,
    "15-start-and-end",
    "Bars over the pieces of question and text: upwards the probability that the answer starts there, downwards "
    "that it ends there. The tallest start and the tallest end stand a few pieces apart, at the place where fish "
    "is sold; small bars stand at [CLS] and at other answers.",
)

# %% [markdown]
# One start and one end stand out: where fish is sold. The small bars are the answers to other questions about this text, and at `[CLS]`
# the answer that there is none.
#
# ## The best span
#
# The likeliest start and the likeliest end, each taken by itself, need not fit together. A span is an answer only if
#
# - it starts no later than it ends,
# - both ends are in the context, not in the question,
# - it is not longer than an answer may be (30 pieces, say; a limit against spans from the first to the last sentence).
#
# **What do you expect:** with `seq` positions, how many pairs of start and end are there, and which part of the square below is
# left?


# %%
def span_scores(start: torch.Tensor, end: torch.Tensor, offsets: tuple) -> torch.Tensor:
    """start[i] + end[j] where i to j may be an answer, −∞ elsewhere: (start, end)."""
    places = torch.arange(len(offsets))
    in_context = torch.tensor([offset is not None for offset in offsets])  # (seq)
    length = places[None, :] - places[:, None] + 1  # (start, end): pieces from i to j
    allowed = in_context[:, None] & in_context[None, :] & (length >= 1) & (length <= 30)
    scores = start[: len(places), None] + end[None, : len(places)]  # padding may follow
    return scores.masked_fill(~allowed, -math.inf)


scores = span_scores(start, end_, row.offsets)
first, last = divmod(int(scores.argmax()), len(pieces))
(begin, _), (_, stop) = row.offsets[first], row.offsets[last]
print(f"{len(pieces) ** 2:,} pairs, {int(scores.isfinite().sum()):,} of them spans")
print(f"best: positions {first} to {last}, characters {begin} to {stop}: {fish.context[begin:stop]!r}")

figure = new_figure(width=6.4, height=5.4)
panel = figure.subplots()
image = panel.imshow(scores.masked_fill(scores.isinf(), math.nan), cmap="viridis")
panel.plot(last, first, "o", markersize=14, markerfacecolor="none", markeredgecolor="red")
panel.set_xlabel("ends at position")
panel.set_ylabel("starts at position")
panel.set_title("Every span that may be an answer")
figure.colorbar(image, ax=panel, label="start score + end score; ringed: the best")
show(
    figure,
    "15-spans",
    "A square of start and end positions in which only a slanted band is coloured, from the diagonal to 30 pieces "
    "to the right of it; bright rows and columns cross in it, and a red ring marks the brightest crossing.",
)

# %% [markdown]
# Rows are starts, columns are ends: at the crossings both agree. The answer is cut out of the text by its characters. Pieces glued together again would give *clock - maker* and lose capitals.
#
# The library does the same. **What do you expect:** how often do the two likeliest places, each by itself, make no span at all?


# %%
def ask(asked: list, **windows: int) -> tuple[list, torch.Tensor, torch.Tensor, list]:
    """Rows of the questions, their start and end scores, and the library's answers."""
    rows = rows_of(asked, **windows)
    with torch.no_grad():
        outputs = model(**batch_of(rows))
    start, end = outputs.start_logits, outputs.end_logits  # (rows, seq) each
    return rows, start, end, answers_to(asked, rows, start, end, allow_no_answer=True)


rows, starts, ends, predictions = ask(questions)
assert fish.context[begin:stop] == next(candidate.text for candidate in predictions[8].candidates if candidate.text)
impossible = 0
for row, start, end_ in zip(rows, starts, ends, strict=True):
    first, last = int(start[: len(row.offsets)].argmax()), int(end_[: len(row.offsets)].argmax())
    inside = row.offsets[first] is not None and row.offsets[last] is not None
    nowhere = first == last == 0  # both at [CLS]: it says that there is no answer
    impossible += not nowhere and not (inside and first <= last)
print(f"{impossible} of {len(rows)} questions: the likeliest start and the likeliest end make no span")

# %% [markdown]
# ## No answer
#
# Training put both labels of an unanswerable question on `[CLS]`. So `start[0] + end[0]` is the score of *no answer*, and it
# competes with the best span.

# %%
for number in (7, 11, 17):
    best_span = next(candidate for candidate in predictions[number].candidates if candidate.text)
    none = next(candidate for candidate in predictions[number].candidates if not candidate.text)
    print(questions[number].question)
    print(
        f"    best span {best_span.score:5.2f} {best_span.text!r}   none {none.score:5.2f}   says {predictions[number].text!r}"
    )

# %% [markdown]
# ## Long texts: windows
#
# BERT reads 512 pieces at most, and the bundled model learned from 128. A longer text is cut into windows that overlap. The question
# stands before each. **What do you expect:** why overlap? (Think of an answer at a cut.)
#
# Our texts are short, so let a window have 84 pieces, 16 of them shared with the one before.

# %%
rows, starts, ends, in_windows = ask(questions, max_length=84, stride=16)
print(granite.question)
for row, start, end_ in zip(rows, starts, ends, strict=True):
    if row.question == 1:
        offsets = [offset for offset in row.offsets if offset is not None]
        covered = granite.context[offsets[0][0] : offsets[-1][1]]
        scores = span_scores(start, end_, row.offsets)
        first, last = divmod(int(scores.argmax()), len(row.offsets))
        text = granite.context[row.offsets[first][0] : row.offsets[last][1]]
        print(f"  {covered[:24]}…{covered[-24:]}")
        print(f"      best span {scores.max():5.2f} {text!r}   none {start[0] + end_[0]:5.2f}")
print(f"→ {in_windows[1].text!r}")

# %% [markdown]
# The second window does not hold the answer. It was never taught to say so, but its best span is worse than the first window's, and
# the best span of all windows wins. (Scores are compared, not probabilities: those of each window add up to 1, whatever it holds.)
# In real training the windows without the answer are learned from too, with `[CLS]` as their label.
#
# *No answer* is claimed by a window for itself only, so the whole text has none when **every**
# window says so: the smallest of their scores counts.
#
# ## Two measures
#
# *Exact match* asks whether the answer is the true one; *F1* gives credit for a part of its words. Case, punctuation and articles
# do not count.
#
# With n words that are in both:
#
# $$
# \mathrm{precision} = \frac{n}{\text{predicted}} \qquad \mathrm{recall} = \frac{n}{\text{true}} \qquad \mathrm{F1} = \frac{2\, n}{\text{predicted} + \text{true}}
# $$
#
# **What do you expect:** which F1 has *the south side*, when the truth is *on the south side near the fountain*?

# %%
predicted, true = ["south", "side"], ["on", "south", "side", "near", "fountain"]  # without articles
n = (Counter(predicted) & Counter(true)).total()
print(f"precision {n / len(predicted):.2f}, recall {n / len(true):.2f}, F1 {2 * n / (len(predicted) + len(true)):.2f}")
scores_ = answer_scores({"": "the south side"}, {"": ["on the south side near the fountain"]})
assert math.isclose(scores_.f1, 2 * n / (len(predicted) + len(true)))

# %% [markdown]
# Now all questions. **What do you expect** of the 19 that it learned from, and of the five that it did not?

# %%
for name, asked in (("learned from", learned), ("never seen", unseen)):
    truths = {question.id: [answer.text for answer in question.answers] for question in asked}
    result = answer_scores({prediction.id: prediction.text for prediction in predictions}, truths)
    print(f"{name:13} {result.questions:2} questions: exact match {result.exact_match:.0%}, F1 {result.f1:.0%}")
    if asked is unseen:
        for question in asked:
            said = next(prediction.text for prediction in predictions if prediction.id == question.id)
            print(f"    {question.question:48} {truths[question.id]} but it says {said!r}")
    else:
        assert result.f1 > 0.5

# %% [markdown]
# It has learned the file, and not to answer questions: about a text that it knows it gives the answer to another question. That is
# what 19 examples can do. SQuAD has 100,000, and BERT-base trained on them has an F1 of 88. The code is the same.
#
# **Never measure on what was learned from.** The first line of the table looks like success.
#
# ## Summary
#
# - One linear layer gives each piece a start score and an end score; the loss is the mean of two cross-entropies over positions.
# - Offsets lead from characters to pieces for the labels, and back for the answer.
# - The best span is the best *allowed* pair: start before end, in the context, not too long.
# - No answer is `[CLS]`; in windows, all of them have to say so.
# - Exact match is all or nothing; F1 counts words.
#
# **The code:** [`minibert/heads/question_answering.py`](../minibert/heads/question_answering.py),
# [`minibert/tasks/squad.py`](../minibert/tasks/squad.py) from characters to pieces,
# [`question_answering.py`](../minibert/tasks/question_answering.py) back again, and
# [`metrics.py`](../minibert/tasks/metrics.py) the scores. `minibert finetune qa` trains on your own file:
# [`docs/finetuning.md`](../docs/finetuning.md).
#
# **Exercises:** [`exercises/15_question_answering.py`](exercises/15_question_answering.py): positions, windows, the best span, F1. Check
# them with `minibert check 15`.
#
# **Next:** [16 · BERT as a decoder](16_decoder.py)
