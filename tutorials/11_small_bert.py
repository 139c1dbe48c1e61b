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
# # 11 · Pre-train a small BERT yourself
#
# All parts are there: the model (chapters 3 to 6), the riddle (8), the optimizer (9), the schedule (10). Now a BERT learns a language
# from nothing, in less than half a minute. A real language takes much longer, so this one is small, and we know its grammar by heart. That has
# a great advantage: we can work out how well *anybody* could do, and compare.

# %%
import itertools
import math
from collections import Counter
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from course.figures import new_figure, show
from minibert import (
    AdamW,
    BertConfig,
    BertForMaskedLM,
    BertTokenizer,
    get_linear_schedule_with_warmup,
    no_decay_groups,
)
from minibert.data.masking import Vocabulary, mask
from minibert.training.pretraining import Recipe

# %% [markdown]
# ## A language
#
# Its sentences speak of four topics. Each topic has people, things to do, things, and places. And there is agreement: *this cook
# boils*, but *these cooks boil*.
#
#     this old cook boils the soup near the stove .
#     these cooks boil the soup and they taste the sauce .
#     └ who ──────┘ └ does what ┘  └ and where, or what else ┘

# %%
TOPICS = {
    "sea": ("sailor pilot captain", "mend row paint", "net boat sail", "harbour beach pier"),
    "kitchen": ("cook baker waiter", "boil taste salt", "soup egg sauce", "stove table pantry"),
    "garden": ("gardener farmer neighbour", "plant dig pick", "rose pear carrot", "fence gate pond"),
    "school": ("teacher pupil clerk", "read write learn", "letter book poem", "board desk window"),
}
ADJECTIVES = ("old", "young", "tall", "quiet")


def all_sentences() -> dict[tuple[str, ...], float]:
    """Every sentence of the language, and how likely it is. Every choice that the grammar leaves open is a fair one."""
    sentences = {}
    for (people, verbs, things, places), plural in itertools.product(TOPICS.values(), (False, True)):
        this, he = ("these", "they") if plural else ("this", "he")
        who = [person + "s" * plural for person in people.split()]
        does = [verb + "s" * (not plural) for verb in verbs.split()]
        what = [(verb, "the", thing) for verb in does for thing in things.split()]
        begins = [((this, person), 1 / 6) for person in who]
        begins += [((this, adjective, person), 1 / 24) for adjective in ADJECTIVES for person in who]
        ends = [(("near", "the", place, "."), 1 / 6) for place in places.split()]
        ends += [(("and", he, *more, "."), 1 / 18) for more in what]
        for (begin, p_begin), more, (end, p_end) in itertools.product(begins, what, ends):
            sentences[begin + more + end] = p_begin * p_end / 9 / 8  # 9 pairs of verb and thing, 4 topics × 2 numbers
    return sentences


language = all_sentences()
words = sorted({word for sentence in language for word in sentence})
print(f"{len(language):,} sentences of {len(words)} words; their probabilities sum to {sum(language.values()):.6f}")

# %% [markdown]
# A vocabulary is a list. Nothing needs to be cut into pieces here: every word is one.

# %%
special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
tokenizer = BertTokenizer({word: number for number, word in enumerate(special + words)})
vocabulary = Vocabulary.of(tokenizer)
chances = np.array(list(language.values()))
ids = np.array(tokenizer([" ".join(sentence) for sentence in language], padding=True)["input_ids"])  # (sentences, seq)
print("ids:", ids.shape, "such as", tokenizer.decode(ids[5000].tolist()))

# %% [markdown]
# One sentence in ten is kept from the model, to be asked about later.

# %%
noise = np.random.default_rng(0)
held_out = noise.random(len(ids)) < 0.1


def draw(count: int, those: np.ndarray) -> np.ndarray:
    """`count` sentences out of `those`, each as often as the grammar makes it: (count, seq) ids."""
    return ids[noise.choice(len(ids), size=count, p=chances * those / (chances * those).sum())]


def blanks(sentences: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The riddles to measure with: 15% of the words asked, all of them as [MASK]."""
    labels = np.stack([mask(sentence, vocabulary, noise)[1] for sentence in sentences])
    return np.where(labels != -100, tokenizer.mask_token_id, sentences), labels


test_read, test_labels = blanks(draw(400, held_out))
asked = test_labels != -100
print(tokenizer.decode(test_read[0].tolist()))
print(f"{asked.sum()} words to guess in 400 sentences")

# %% [markdown]
# ## Three lines to compare with
#
# Before anything is trained: what is a good loss? **What do you expect** of a guesser who knows nothing; of one who knows how often
# each word occurs, and does not look at the sentence; of a reader who knows the whole grammar?
#
# The first: all words are alike, so a guess costs log(number of words). The second pays the entropy of word counts, the *unigram
# entropy*:
#
# $$
# H = −\sum_{\mathrm{word}} p(\mathrm{word}) \log\, p(\mathrm{word})
# $$

# %%
counts: Counter[str] = Counter()
for sentence, chance in language.items():
    for word in sentence:
        counts[word] += chance
total = sum(counts.values())
blind = math.log(len(words))
counting = -sum(count / total * math.log(count / total) for count in counts.values())
print(f"guess blindly: {blind:.2f} nats a word; count words: {counting:.2f}")

# %% [markdown]
# A BERT can be that second guesser. Its decoder has a bias for each word (chapter 6): set the bias to log p(word), everything else
# to 0, and the loss is H, up to chance in which words are asked. So a loss near H shows *no understanding at all*.

# %%
bias = torch.full((len(tokenizer),), -1e4)
for word in words:
    bias[tokenizer.vocab[word]] = math.log(counts[word] / total)
targets = torch.tensor(test_labels[asked])  # (asked)
loss = F.cross_entropy(bias.expand(len(targets), -1), targets)
print(f"a bias and nothing else: {loss:.2f}")
assert abs(loss.item() - counting) < 0.2

# %% [markdown]
# The third, the reader who knows the grammar, goes through all sentences that fit what can be seen. The more likely a sentence,
# the more it counts.


# %%
def reader(read: np.ndarray) -> np.ndarray:
    """(seq) ids with blanks → (sentences) the probability of each, after seeing this."""
    fits = ((ids == read) | ((read == tokenizer.mask_token_id) & (ids >= len(special)))).all(axis=1)
    return chances * fits / (chances * fits).sum()


surprises = [
    -math.log(reader(read)[ids[:, place] == label[place]].sum())
    for read, label in zip(test_read, test_labels, strict=True)
    for place in np.flatnonzero(label != -100)
]
best = float(np.mean(surprises))
print(f"know the grammar: {best:.2f}. Between {math.exp(best):.1f} words, all as likely, one would be as unsure.")

# %% [markdown]
# No model can go below this line for long: that the cook boils *an egg* and not *the soup* is chance.
#
# ## A small BERT
#
# Two layers of 64 numbers, otherwise as BERT is. Without dropout, since no sentence will be seen often enough to be learned
# by heart. Fresh weights are random, with a standard deviation of 0.1 (BERT-base has 0.02; why not here, we shall see).
# **What do you expect:** what is the loss before the first step?


# %%
def fresh_model(initializer_range: float) -> BertForMaskedLM:
    """A model that knows nothing."""
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=256,
        max_position_embeddings=ids.shape[1],
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        initializer_range=initializer_range,
    )
    return BertForMaskedLM(config)


def scores_of(model: BertForMaskedLM, read: np.ndarray) -> torch.Tensor:
    """(batch, seq) ids → (batch, seq, vocab) scores."""
    seen = torch.tensor(read)
    with torch.no_grad():
        return model(seen, attention_mask=(seen != tokenizer.pad_token_id).long()).logits


def fill(model: BertForMaskedLM, text: str) -> str:
    """The three likeliest words for a blank, with their probabilities."""
    read = np.array(tokenizer(text)["input_ids"])
    place = int(np.flatnonzero(read == tokenizer.mask_token_id)[0])
    probabilities = scores_of(model, read[None])[0, place].softmax(-1)
    best_three = probabilities.topk(3)
    found = zip(tokenizer.convert_ids_to_tokens(best_three.indices.tolist()), best_three.values.tolist(), strict=True)
    return ", ".join(f"{word} {share:.0%}" for word, share in found)


riddles = [
    "this old cook [MASK] the soup near the stove .",
    "these pilots row the boat and [MASK] paint the sail .",
    "[MASK] quiet clerk learns the letter near the desk .",
    "these young [MASK] dig the rose near the pond .",
]
model = fresh_model(0.1)
print(f"{sum(parameter.numel() for parameter in model.parameters()):,} parameters")
before = F.cross_entropy(scores_of(model, test_read)[torch.tensor(asked)], targets).item()
print(f"loss before the first step: {before:.2f}")
assert before > blind
for riddle in riddles:
    print(f"  {riddle:58} {fill(model, riddle)}")

# %% [markdown]
# A fresh model is even worse than the blind guesser: it has opinions, all of them wrong.
#
# ## Train
#
# A step: draw sentences, hide words as chapter 8 does (some become a wrong word, some stay), score, go back, clip the gradient,
# step, tell the schedule. (Where a batch does not fit the memory, several small ones are scored and gone back from before one step: *gradient accumulation*.) The rate grows over a tenth of the steps and falls in a line. Every 20 steps we ask how good the model is at
# the blanks in sentences that it never learns from.
#
# **What do you expect** to be learned first: which *kind* of word stands where, which *topic*, or which *number* (this cook
# boils, these cooks boil)?
#
# To see what is learned, every word gets its kind, its topic and its number, as far as it has them.

# %%
features = {word: (word, "", "") for word in [*special, *words]}  # the, near, and: each a kind of its own
features |= dict.fromkeys(ADJECTIVES, ("adjective", "", ""))
features |= {
    "this": ("this", "", "one"),
    "these": ("this", "", "many"),
    "he": ("he", "", "one"),
    "they": ("he", "", "many"),
}
for topic, (people, verbs, things, places) in TOPICS.items():
    for person in people.split():
        features |= {person: ("person", topic, "one"), person + "s": ("person", topic, "many")}
    for verb in verbs.split():
        features |= {verb + "s": ("verb", topic, "one"), verb: ("verb", topic, "many")}
    for kind, names in (("thing", things), ("place", places)):
        features |= dict.fromkeys(names.split(), (kind, topic, ""))
assert len(features) == len(tokenizer)
kinds, topics, numbers = (np.array([features[piece][i] for piece in special + words]) for i in range(3))


def skills(scores: torch.Tensor) -> dict[str, float]:
    """(asked, vocab) scores → how much of the probability is on words of the right kind; and of that, how much on the
    right topic and the right number, where there is one.
    """
    probabilities = scores.softmax(-1).numpy()
    right = targets.numpy()
    same_kind = kinds == kinds[right][:, None]  # (asked, vocab)
    of_kind = (probabilities * same_kind).sum(-1)
    found = {"kind": float(of_kind.mean())}
    for name, feature in (("topic", topics), ("number", numbers)):
        same = same_kind & (feature == feature[right][:, None])
        has_one = feature[right] != ""
        found[name] = float(((probabilities * same).sum(-1) / of_kind)[has_one].mean())
    return found


# %% [markdown]
# And now the loop. There is nothing in it that the last chapters did not show.
#
# ![A ring of seven boxes: draw sentences, hide words, BERT scores every word, the loss over the hidden words, the gradient clipped, a step of AdamW, the schedule’s next rate, and back to the beginning](../docs/figures/training.svg)

# %%
STEPS, BATCH, RATE = 300, 64, 6e-3
Curve = list[tuple[int, float, dict[str, float]]]  # step, loss, skills


def train(model: BertForMaskedLM, until: int = STEPS) -> Curve:
    """Train the model, at most until some step; return what it was worth on the way."""
    optimizer = AdamW(no_decay_groups(model, weight_decay=0.01), lr=RATE)
    schedule = get_linear_schedule_with_warmup(optimizer, num_warmup_steps=STEPS // 10, num_training_steps=STEPS)
    curve = []
    for step in range(until + 1):
        if step % 20 == 0:
            scores = scores_of(model, test_read)[torch.tensor(asked)]  # (asked, vocab)
            curve.append((step, F.cross_entropy(scores, targets).item(), skills(scores)))
        rows = [mask(sentence, vocabulary, noise) for sentence in draw(BATCH, ~held_out)]
        read = torch.tensor(np.stack([row for row, _ in rows]))  # (batch, seq)
        labels = torch.tensor(np.stack([row for _, row in rows]))  # (batch, seq), −100 where nothing is asked
        loss = model(read, attention_mask=(read != tokenizer.pad_token_id).long(), labels=labels).loss
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
    return curve


curve = train(model)
fell_through = next(step for step, loss, _ in curve if loss < counting)
print(f"step {fell_through}: better than counting words. Step {STEPS}: {curve[-1][1]:.2f}; the reader has {best:.2f}")
assert curve[-1][1] < 0.9

# %% [markdown]
# One more line to compare with: what has someone who knows which kind of word stands where, and no more?

# %%
kind_counts: Counter[str] = Counter()
for word, count in counts.items():
    kind_counts[features[word][0]] += count
ordered = float(
    np.mean([-math.log(counts[w] / kind_counts[features[w][0]]) for w in np.array(special + words)[targets]])
)
print(f"someone who knows which kind of word stands where, and no more, would have {ordered:.2f}")

figure = new_figure(width=10, height=4)
left, right = figure.subplots(1, 2)
lines = {"guess blindly": blind, "count words (H)": counting, "know the kinds": ordered, "know the grammar": best}


def draw_losses(panel: Any, curves: dict[str, Curve]) -> None:
    """The losses of curves, and the lines to compare them with."""
    for name, points in curves.items():
        panel.plot([step for step, _, _ in points], [loss for _, loss, _ in points], label=name)
    for name, value in lines.items():
        panel.axhline(value, linestyle=":", color="gray")
        below = name == "know the grammar"  # the curve ends just above
        panel.text(STEPS, value - 0.25 if below else value + 0.06, name, ha="right", fontsize=9)
    panel.set_ylim(0, 5.3)
    panel.set_ylabel("loss on held-out blanks, nats a word")
    panel.set_xlabel("step")


draw_losses(left, {"loss": curve})
for name in ("kind", "topic", "number"):
    right.plot([step for step, _, _ in curve], [found[name] for _, _, found in curve], label=f"the right {name}")
right.set_ylim(0, 1.03)
right.set_ylabel("probability")
right.set_xlabel("step")
right.legend(loc="lower right")
figure.suptitle("What the small model has learned, step by step")
show(
    figure,
    "11-curve",
    "Left, the loss falls through the lines of blind guessing, counted words and known kinds, and ends just above "
    "that of the known grammar. Right, the probability of the right kind rises first, then the right number, and "
    "last, after a flat stretch, the right topic.",
)

# %% [markdown]
# The curve falls through H at once. The kinds of words depend on places and neighbours, and come first. Number and topic begin at
# chance, ½ and ¼, and stay there until attention has found the words that give them away; the topic takes longest, for it may be told by
# a word anywhere in the sentence. In the end the model is close to the reader who knows the grammar.
#
# ## Fill the blanks again
#
# **What do you expect** of the four riddles now? Which of them have one right answer?

# %%
for riddle in riddles:
    print(f"  {riddle:58} {fill(model, riddle)}")
assert fill(model, riddles[1]).startswith("they")

# %% [markdown]
# In the first, three verbs are equally right, and the model shares its faith among them. Here it is beside the reader who knows all
# sentences:

# %%
riddle = np.array(tokenizer(riddles[0], padding="max_length", max_length=ids.shape[1])["input_ids"])
place = int(np.flatnonzero(riddle == tokenizer.mask_token_id)[0])
model_says = scores_of(model, riddle[None])[0, place].softmax(-1)
reader_says = np.bincount(ids[:, place], weights=reader(riddle), minlength=len(tokenizer))
for word in ("boils", "tastes", "salts", "boil", "rows", "soup"):
    number = tokenizer.vocab[word]
    print(f"  {word:8} model {model_says[number]:6.1%}, reader {reader_says[number]:6.1%}")

# %% [markdown]
# ## What the word vectors have become
#
# The model was never told of kinds and topics. **What do you expect** of its word embeddings: which words lie near each other? Here
# are the two directions in which the vectors of the topic words differ most.

# %%
places_of = [tokenizer.vocab[word] for word in words if features[word][1]]
vectors = model.bert.embeddings.word_embeddings.weight.detach()[places_of]
centred = vectors - vectors.mean(0)
_, _, directions = torch.linalg.svd(centred, full_matrices=False)
flat = (centred @ directions[:2].T).numpy()  # (topic words, 2)
figure = new_figure(width=8, height=5)
panel = figure.subplots()
colors = dict(zip(TOPICS, ("tab:blue", "tab:red", "tab:green", "tab:purple"), strict=True))
markers = {"person": "o", "verb": "^", "thing": "s", "place": "D"}
for kind, topic, number in sorted({features[word] for word in words if features[word][1]}):
    those = (topics[places_of] == topic) & (kinds[places_of] == kind) & (numbers[places_of] == number)
    inside = "none" if number == "many" else colors[topic]
    panel.scatter(*flat[those].T, edgecolor=colors[topic], facecolor=inside, marker=markers[kind], s=40)
for topic, color in colors.items():
    panel.scatter([], [], color=color, marker="s", s=60, label=topic)
for kind, marker in markers.items():
    panel.scatter([], [], color="gray", marker=marker, label=kind)
panel.scatter([], [], edgecolor="gray", facecolor="none", marker="o", label="many (cooks, boil)")
of_topic_words = [word for word in words if features[word][1]]
for word in ("cook", "cooks", "boil", "boils", "soup", "stove", "sailor", "sailors", "row", "rows", "rose", "board"):
    panel.annotate(word, flat[of_topic_words.index(word)], xytext=(5, 4), textcoords="offset points", fontsize=8)
panel.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
panel.set_title("Words of four topics in the small model's word embeddings")
panel.set_xlabel("the direction in which they differ most")
panel.set_ylabel("the direction in which they differ next")
show(
    figure,
    "11-words",
    "The topic words as points in a plane: words of one kind and topic stand together, and the hollow points of "
    "plurals and their verbs lie apart from the filled ones, cooks above cook, and boil to the left of boils.",
)

# %% [markdown]
# Words of one kind and one topic lie near each other, and *cook* has gone another way than *cooks*. All of it came from filling
# blanks. (Two directions of 64 cannot show everything.)
#
# ## A flat stretch
#
# Once more, with a single change: the fresh weights are five times smaller, 0.02 as in BERT-base. **What do you expect** of the
# first 200 steps? Smaller weights are quickly made larger, are they not?

# %%
small_start = train(fresh_model(0.02), until=200)
figure = new_figure(width=7, height=4)
panel = figure.subplots()
draw_losses(panel, {"fresh weights of 0.1": curve, "fresh weights of 0.02": small_start})
panel.legend(loc="upper right", bbox_to_anchor=(1.0, 0.68))
panel.set_title("The small model twice, from larger and from smaller fresh weights")
assert small_start[6][1] > curve[6][1]  # at step 120
show(
    figure,
    "11-flat",
    "Two loss curves: the model with fresh weights of 0.1 goes on falling; the one with 0.02 falls as fast to the "
    "line of known kinds, and then lies along it.",
)

# %% [markdown]
# The second model learns the kinds as fast, and then lies flat along that line: its attention scores begin so small that every
# place gets the same weight, and as long as all places look alike, none looks useful. (A dot product of 64 numbers needs larger
# weights than one of 768; 1/√64 is 0.125.) How long such a stretch lasts is hard to foresee: with other fresh weights it is another.
#
# ## On real text
#
# The same happens with real text, only slower, and there the flat stretch lies higher. With 8,192 pieces H is 6.4 on the novels that
# the bundled model read. Every model finds that level within a few hundred steps, through the decoder's bias alone. Then attention has
# to find out where to look, and the more places there are, the longer that takes: with rows of 64 or 128 pieces from the start a small
# model sat near 6.0 for over 17 million pieces; beginning with 16, it was at 4.8 after 2.2 million.
#
# So the library's recipe begins with short rows. **What do you expect:** how many rows has a batch of 8,192 pieces at the beginning,
# and at the end?

# %%
recipe = Recipe()
for step in (1, 400, 401, 801, 1401, 2000):
    phase, rows, _ = recipe.at(step)
    print(f"step {step:5} of {recipe.steps}: {rows} rows of {phase.length} pieces")
    assert rows == recipe.tokens_per_step // phase.length

# %% [markdown]
# One more thing it does: of each row 85% of the places have nothing to guess, yet scoring the whole vocabulary there is the largest
# product of a small BERT. So it scores the asked places only. **What do you expect** of the loss then?

# %%
with torch.no_grad():
    seen, labels = torch.tensor(test_read), torch.tensor(test_labels)
    padding_mask = (seen != tokenizer.pad_token_id).long()
    everywhere = model(seen, attention_mask=padding_mask, labels=labels).loss
    states = model.bert(seen, attention_mask=padding_mask).last_hidden_state  # (batch, seq, hidden)
    asked_only = F.cross_entropy(model.cls(states[labels != -100]), labels[labels != -100])
print(
    f"all places scored: {everywhere:.4f}; {int((labels != -100).sum())} of {labels.numel()} scored: {asked_only:.4f}"
)
assert torch.allclose(everywhere, asked_only, atol=1e-5)

# %% [markdown]
# A model of your own text takes three commands, and a fourth asks it. The folder `texts/` holds plain text files, a book or an article each:
#
# ```bash
# minibert vocab train texts/*.txt --size 8192 --out vocabulary
# minibert data prepare texts/ --tokenizer vocabulary --out corpus
# minibert pretrain --data corpus --out my-bert
# minibert fill-mask "He shook his [MASK]." --model my-bert/model
# ```
#
# It works out H first, draws it into `curve.png`, and says when the loss falls through it. If that line does not come,
# [`docs/pretraining.md`](../docs/pretraining.md) names the causes, and what to do.
#
# ## Summary
#
# - Compare a loss with log(words), with the entropy of word counts, and, where one can, with the best possible reader.
# - A loss at the entropy of word counts means that the model only counts.
# - Skills come one after the other. A flat stretch can be a skill that is not found yet.
# - Short rows first: there are fewer places among which attention has to find the right one.
#
# **The code:** [`minibert/training/pretraining.py`](../minibert/training/pretraining.py) the recipe and its phases,
# [`pretraining_loss.py`](../minibert/training/pretraining_loss.py) the loss of hidden words,
# [`loop.py`](../minibert/training/loop.py) the loop, and [`minibert/data/prepare.py`](../minibert/data/prepare.py) text into ids and H.
#
# **Exercises:** [`exercises/11_small_bert.py`](exercises/11_small_bert.py): the entropy, the reader, the fall through the line, the
# phases. Check them with `minibert check 11`.
#
# **Next:** [12 · One label, a number, many labels](12_classification.py)
