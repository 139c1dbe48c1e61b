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
# # 16 · BERT as a decoder: masks, cache, beams
#
# BERT reads in both directions and fills blanks. A *decoder* reads from left to right and goes on writing. The layers are the same;
# one triangle of zeros and ones makes the difference. This chapter puts it in, teaches a small decoder to write, and chooses its
# words in three ways.

# %%
import logging
import math
import random
import sys
import time

import torch
import torch.nn.functional as F

from course.figures import new_figure, show
from minibert import (
    AdamW,
    BertConfig,
    BertLMHeadModel,
    BertModel,
    BertTokenizer,
    get_linear_schedule_with_warmup,
)
from minibert.model.masks import causal_mask

logging.basicConfig(stream=sys.stdout, format="WARNING %(message)s", force=True)
tokenizer = BertTokenizer.from_pretrained("novels-4l-256h")
bundled = BertLMHeadModel.from_pretrained("novels-4l-256h", is_decoder=True).eval()

# %% [markdown]
# ## The triangle
#
# To write, the model must say at each place which word comes *next*. If a place could see the next word, there would be nothing to
# say. So place *i* may look at places 0 to *i*, and at no later one:

# %%
print(causal_mask(1, 5, 5, like=torch.ones(1))[0].int())

# %% [markdown]
# From there on it is the mask of chapter 4: (1 − mask) × −10000, added to the scores before the softmax. The same weights, with the
# triangle and without:

# %%
reader = BertModel.from_pretrained("novels-4l-256h", add_pooling_layer=False).eval()  # both directions
text = "he opened the door and looked out"
ids = tokenizer(text, return_tensors="pt")["input_ids"][:, :-1]  # without [SEP]: the text is to go on
pieces = tokenizer.convert_ids_to_tokens(ids[0].tolist())
with torch.no_grad():
    both_ways = reader(ids, output_attentions=True).attentions[0][0].mean(0)  # (seq, seq): the mean over the heads
    left_only = bundled.bert(ids, output_attentions=True).attentions[0][0].mean(0)
figure = new_figure(width=9, height=4.4)
for panel, weights, name in zip(
    figure.subplots(1, 2, sharey=True), (both_ways, left_only), ("both directions", "left to right"), strict=True
):
    image = panel.imshow(weights, cmap="Blues", vmin=0, vmax=0.6)
    panel.set_xticks(range(len(pieces)), pieces, rotation=90)
    panel.set_yticks(range(len(pieces)), pieces)
    panel.set_xlabel("the piece that is asked")
    panel.set_title(name)
figure.axes[0].set_ylabel("the piece that asks")
figure.colorbar(image, ax=figure.axes, label="attention weight")
figure.suptitle("Layer 0 of the bundled model, the mean over its heads")
assert torch.equal(left_only, left_only.tril())
show(
    figure,
    "16-triangle",
    "Two squares of attention weights: in both directions there is colour on both sides of the diagonal; from "
    "left to right everything above the diagonal is empty.",
)

# %% [markdown]
# **What do you expect:** when the last word is changed, which places get another vector, with the triangle and without?

# %%
other = ids.clone()
other[0, -1] = tokenizer.vocab["in"]
with torch.no_grad():
    for name, model in (("both directions", reader), ("left to right", bundled.bert)):
        moved = (model(ids).last_hidden_state - model(other).last_hidden_state)[0].abs().amax(-1)  # (seq)
        print(f"{name:16}", "  ".join(f"{piece} {far:.2f}" for piece, far in zip(pieces, moved, strict=True)))
assert (moved[:-1] == 0).all()

# %% [markdown]
# This is why a model that reads both ways cannot write. Each new word would change all vectors before it; and in training, every place
# could look the answer up.
#
# The bundled weights learned that way. **What do you expect** them to say at each place, when only the triangle is new?

# %%
with torch.no_grad():
    said = bundled(ids).logits[0].argmax(-1)
print("reads", pieces)
print("says ", tokenizer.convert_ids_to_tokens(said.tolist()))
print("goes on:", tokenizer.decode(bundled.generate(ids, max_new_tokens=10)[0]))

# %% [markdown]
# Mostly the word that stands at the place: that was the riddle of chapter 8. Nobody ever asked it what comes next. It takes training
# to make a decoder, and not only a mask.
#
# ## A small language
#
# 2,000 sentences of a language that we make up, so that we know its probabilities. After *she opened the* comes *door* in 35 of 100
# cases, always followed by *quietly*; *old* in 50 of 100, followed by one of five things; *shop* in 15 of 100. In other sentences
# *anna* has to be *she* and *tom* has to be *he*, some words later.

# %%
draw = random.Random(1)


def sentence() -> str:
    """One sentence of the language."""
    if draw.random() < 0.5:
        rest = draw.choices(["door quietly", "old", "shop"], [0.35, 0.5, 0.15])[0]
        thing = draw.choice(["box", "letter", "window", "book", "gate"])
        return f"{draw.choice(['she', 'he'])} opened the {rest + ' ' + thing if rest == 'old' else rest} ."
    name, who, whose = draw.choice([("anna", "she", "her"), ("tom", "he", "his")])
    if draw.random() < 0.5:
        return f"{name} said that {who} had lost {whose} {draw.choice(['book', 'bag', 'letter'])} ."
    return f"{name} went to the {draw.choice(['shop', 'gate'])} because {who} needed a {draw.choice(['book', 'bag', 'box'])} ."


sentences = [sentence().split() for _ in range(2000)]
PAD, START, END = 0, 1, 2
words = ["[PAD]", "[START]", "[END]", *sorted({word for one in sentences for word in one})]
number = {word: i for i, word in enumerate(words)}
longest = max(map(len, sentences)) + 2
rows = torch.tensor(
    [[START, *(number[word] for word in one), END] + [PAD] * (longest - 2 - len(one)) for one in sentences]
)
for one in sentences[:4]:
    print(" ".join(one))
print(f"{len(words)} words; rows {tuple(rows.shape)}")


def ids_of(text: str) -> torch.Tensor:
    return torch.tensor([[START, *(number[word] for word in text.split())]])


def text_of(ids: torch.Tensor) -> str:
    return " ".join(words[i] for i in ids.tolist() if i > END)


# %% [markdown]
# ## Shifted labels
#
# The labels are the text itself. The scores at place *i* are compared with the word at place *i* + 1, and `BertLMHeadModel` does the
# shifting. **What do you expect:** how many questions does a text of 10 words ask?

# %%
torch.manual_seed(0)
config = BertConfig(
    vocab_size=len(words),
    hidden_size=64,
    num_hidden_layers=2,
    num_attention_heads=4,
    intermediate_size=128,
    max_position_embeddings=32,
    hidden_dropout_prob=0.0,
    attention_probs_dropout_prob=0.0,
    is_decoder=True,
    pad_token_id=PAD,
    bos_token_id=START,
    eos_token_id=END,
)
decoder = BertLMHeadModel(config)
text = rows[:1, :10]
with torch.no_grad():
    outputs = decoder(text, labels=text)
    by_hand = F.cross_entropy(outputs.logits[0, :-1], text[0, 1:])
assert torch.allclose(by_hand, outputs.loss, atol=1e-6)
print(
    f"{text.size(1)} words, {len(text[0, 1:])} questions, loss {by_hand.item():.2f} (log {len(words)} = {math.log(len(words)):.2f})"
)

# %% [markdown]
# Nine: nothing follows the last. And all of them are asked at once, thanks to the triangle: one forward is training for every place.
#
# ## Training
#
# **What do you expect** of the loss at the end? Can it get to 0?

# %%
steps = 240
optimizer = AdamW(decoder.parameters(), lr=5e-3)
schedule = get_linear_schedule_with_warmup(optimizer, 20, steps)
decoder.train()
for step in range(steps):
    batch = rows[torch.randint(len(rows), (48,))]
    outputs = decoder(batch, attention_mask=(batch != PAD).long(), labels=batch.masked_fill(batch == PAD, -100))
    outputs.loss.backward()
    optimizer.step()
    schedule.step()
    optimizer.zero_grad()
    if step % 60 == 59:
        print(f"step {step + 1:3}: loss {outputs.loss.item():.3f}")
decoder.eval()
with torch.no_grad():
    after_the = decoder(ids_of("she opened the")).logits[0, -1].softmax(-1)  # (vocab)
    after_anna = decoder(ids_of("anna said that")).logits[0, -1].softmax(-1)
print("she opened the …", {word: round(after_the[number[word]].item(), 2) for word in ("old", "door", "shop")})
print("anna said that …", {word: round(after_anna[number[word]].item(), 2) for word in ("she", "he")})
assert after_anna[number["she"]] > 0.9

# %% [markdown]
# It stays above 0: the language itself is a lottery, and a perfect model would give the probabilities it was drawn with. It found
# them, nearly.
#
# ## Greedy: always the likeliest word
#
# Take the likeliest word, append it, ask again. **What do you expect** after *she opened the*: the likeliest sentence?


# %%
def greedy(ids: torch.Tensor, length: int = 14) -> torch.Tensor:
    """Go on until the end token: (1, length)."""
    with torch.no_grad():
        while ids.size(1) < length and ids[0, -1] != END:
            best = decoder(ids).logits[:, -1].argmax(-1)  # (1)
            ids = torch.cat([ids, best[:, None]], dim=1)
    return ids


def log_probability(ids: torch.Tensor, after: int) -> float:
    """Σ log p(word | words before) over the words from place `after` on."""
    with torch.no_grad():
        logs = decoder(ids).logits[0, :-1].log_softmax(-1)  # (seq − 1, vocab)
    return logs.gather(1, ids[0, 1:, None])[after - 1 :].sum().item()


prompt = ids_of("she opened the")
by_greedy = greedy(prompt)
assert torch.equal(by_greedy, decoder.generate(prompt, max_length=14))
by_beams = decoder.generate(prompt, max_length=14, num_beams=3)
for name, ids in (("greedy", by_greedy), ("3 beams", by_beams)):
    print(f"{name:8} {text_of(ids[0]):32} probability {math.exp(log_probability(ids, prompt.size(1))):.2f}")

# %% [markdown]
# Greedy takes *old*, the likeliest word, and then has to share its half among five things. *Beam search* keeps the few likeliest texts so
# far, extends them all, and keeps the few likeliest again: *door* was second, and won in the end. Here is what it saw:

# %%
figure = new_figure(width=9, height=4.6)
panel = figure.subplots()
leaves = 0


def branch(ids: torch.Tensor, probability: float) -> float:
    """Draw what can follow, from left to right; return the height at which this text stands."""
    global leaves
    depth = ids.size(1) - prompt.size(1)
    if ids[0, -1] == number["."]:
        leaves += 1
        panel.text(
            depth + 0.15, -leaves, f"{probability:.2f}", va="center", weight="bold" if probability > 0.2 else None
        )
        return -float(leaves)
    with torch.no_grad():
        following = decoder(ids).logits[0, -1].softmax(-1)  # (vocab)
    likely = [word for word in following.argsort(descending=True).tolist() if following[word] > 0.04]
    heights = [
        branch(torch.cat([ids, torch.tensor([[word]])], 1), probability * following[word].item()) for word in likely
    ]
    here = sum(heights) / len(heights)
    for word, height in zip(likely, heights, strict=True):
        panel.plot(
            [depth, depth + 1], [here, height], color="tab:blue", linewidth=1 + 8 * following[word].item(), alpha=0.4
        )
        panel.text(
            depth + 0.55,
            here + 0.55 * (height - here),
            f"{words[word]} {following[word]:.2f}",
            ha="center",
            va="center",
            fontsize=9,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1},
        )
    return here


top = branch(prompt, 1.0)
panel.text(-0.08, top, "she opened the", ha="right", va="center")
panel.set_xlim(-0.9, 3.6)
panel.set_axis_off()
panel.set_title("The small decoder: the probability of each word, and of each whole sentence")
show(
    figure,
    "16-tree",
    "A tree from “she opened the” to the right: old, door and shop; old, the thickest branch, splits into five "
    "things of about 0.1 each, while door, then quietly, ends at 0.32, the largest number.",
)

# %% [markdown]
# A search for the likeliest text is right where there is one good answer, as in translation. For stories it is dull.
#
# ## Sampling: draw the words
#
# **What do you expect** in 1,000 drawn sentences: how often *old*, *door*, *shop*? And with the scores divided by a temperature T first?

# %%
generator = torch.Generator().manual_seed(0)
drawn = decoder.generate(prompt, max_length=14, do_sample=True, top_k=0, num_return_sequences=1000, generator=generator)
for text in drawn[:4]:
    print(text_of(text))
scores = after_the.log()
figure = new_figure(width=7, height=3.4)
panel = figure.subplots()
shown = ["old", "door", "shop"]
for shift, temperature in enumerate((0.3, 1.0, 3.0)):
    shares = (scores / temperature).softmax(-1)[[number[word] for word in shown]]
    panel.bar([place + 0.2 * (shift - 1.5) for place in range(3)], shares, width=0.18, label=f"T = {temperature:g}")
counts = [(drawn[:, prompt.size(1)] == number[word]).float().mean().item() for word in shown]
panel.bar(
    [place + 0.3 for place in range(3)], counts, width=0.18, color="lightgray", edgecolor="gray", label="drawn at T = 1"
)
panel.set_xticks(range(3), shown)
panel.set_ylabel("probability")
panel.legend()
panel.set_title("she opened the …: what the small decoder says next")
assert all(abs(count - after_the[number[word]].item()) < 0.06 for word, count in zip(shown, counts, strict=True))
show(
    figure,
    "16-temperature",
    "Groups of bars for old, door and shop: with T = 0.3 old has nearly everything, with T = 3 the three are "
    "nearly alike, and the grey bars, drawn at T = 1, are as high as those of T = 1.",
)

# %% [markdown]
# A low temperature sharpens, and ends in greedy search; a high one flattens, and lets nonsense in (at T = 3 the three bars no longer
# add up to 1: the rest went to words that never stand here). So one cuts the tail off first: *top k* keeps the k likeliest words, *top p*
# the fewest words that have p of the probability together.
#
# ## The cache
#
# For each new word the loop above reads the whole text again. **What do you expect:** which of the vectors inside could be kept?
#
# No place looks ahead, so the keys and values of earlier places never change. Only the newest word has to go through the layers, if
# its query finds the older keys and values in memory.
#
# ![A triangle of squares, a row for each query and a column for each key: the rows of earlier words are done, their keys and values are kept, and the newest word computes the last row only](../docs/figures/cache.svg)

# %%
ids = by_greedy
with torch.no_grad():
    whole = decoder(ids, use_cache=True)
    first = decoder(ids[:, :-1], use_cache=True)
    newest = decoder(ids[:, -1:], past_key_values=first.past_key_values)  # one word, and the memory of the others
    old_keys, new_keys = first.past_key_values[0][0], newest.past_key_values[0][0]
print("keys of layer 0:", tuple(old_keys.shape), "→", tuple(new_keys.shape), "(batch, heads, words, head size)")
apart = (whole.logits[:, -1] - newest.logits[:, -1]).abs().max().item()
print(f"largest difference of the scores: {apart:.1e}")
assert torch.equal(new_keys[:, :, :-1], old_keys)
assert apart < 1e-4

# %% [markdown]
# Equal up to rounding: the same numbers are added in another order (chapter 17 has more about that). How much work is saved? Count the
# multiplications for the bundled model's size, writing a text word by word:
#
# $$
# \text{a layer, for one word:} \quad 4 h^2 + 2 h · \mathrm{intermediate} + 2 h · \text{keys that its query meets}
# $$
#
# $$
# \text{the word head:} \quad h^2 + h · \mathrm{vocabulary}
# $$

# %%
h, intermediate, layers, vocabulary = 256, 1024, 4, 8192
for_a_word = layers * (4 * h * h + 2 * h * intermediate) + h * h + h * vocabulary


def multiplications(length: int, cached: bool) -> int:
    """To write a text of this length, a word at a time. (Without a cache every word is scored again, as the forward does.)"""
    if cached:
        return sum(for_a_word + layers * 2 * h * so_far for so_far in range(1, length + 1))
    return sum(so_far * (for_a_word + layers * 2 * h * so_far) for so_far in range(1, length + 1))


lengths = range(1, 129)
figure = new_figure(width=7, height=3.6)
panel = figure.subplots()
panel.plot(lengths, [multiplications(n, False) / 1e9 for n in lengths], label="reading all again")
panel.plot(lengths, [multiplications(n, True) / 1e9 for n in lengths], label="with a cache")
panel.set_xlabel("words written")
panel.set_ylabel("10⁹ multiplications")
panel.set_title("What it takes to write a text, for the bundled model's size")
panel.legend()
ratio = multiplications(64, False) / multiplications(64, True)
print(f"64 words: {ratio:.0f} times the multiplications without a cache")
assert abs(ratio - 64 / 2) < 2
show(
    figure,
    "16-cache",
    "Two curves of multiplications over the words written: reading all again bends upwards more and more; with a "
    "cache the curve is a nearly flat straight line.",
)

# %% [markdown]
# About half as many times as there are words. **What do you expect** of the clock: the same factor?

# %%
start = torch.tensor([[tokenizer.cls_token_id]])
seconds: dict[bool, list[float]] = {True: [], False: []}
for _ in range(3):
    for use_cache in (True, False):
        began = time.perf_counter()
        bundled.generate(start, max_length=64, use_cache=use_cache)
        seconds[use_cache].append(time.perf_counter() - began)
print(f"64 words take {min(seconds[False]) / min(seconds[True]):.1f} times as long without a cache")

# %% [markdown]
# Less. `generate` scores only the last word of what it reads, and many words at once use a processor better than one word does: for
# one word, most of the time goes into fetching the weights from memory. (The ratio differs between machines.)
#
# ## Cross-attention
#
# A decoder that translates, or sums up, also reads another text. With `add_cross_attention=True` each layer has a second attention: its
# **queries** come from the decoder, its **keys and values** from the vectors of an encoder. There is no triangle: the other text is
# there as a whole. **What do you expect** of the shape of its weights, for 3 words written and 5 words read?

# %%
torch.manual_seed(0)
config.add_cross_attention = True
writer = BertLMHeadModel(config).eval()
encoder = BertModel(BertConfig(**{**config.to_dict(), "is_decoder": False, "add_cross_attention": False})).eval()
written, read = ids_of("she opened"), ids_of("tom went to the")
with torch.no_grad():
    states = encoder(read).last_hidden_state  # (1, 5, hidden)
    outputs = writer(written, encoder_hidden_states=states, output_attentions=True)
    elsewhere = writer(written, encoder_hidden_states=states.flip(1))
    other_text = writer(written, encoder_hidden_states=encoder(ids_of("anna had lost her")).last_hidden_state)
print("cross-attention:", tuple(outputs.cross_attentions[0].shape), "(batch, heads, written, read)")
print(f"another text read moves the scores by {(outputs.logits - other_text.logits).abs().max():.3f},")
print(f"the same vectors in another order by  {(outputs.logits - elsewhere.logits).abs().max():.1e}")

# %% [markdown]
# The order of the vectors does not matter to attention; the encoder has written the places into them (chapter 3). `EncoderDecoderModel`
# joins two BERTs in this way.
#
# ## Summary
#
# - A triangle in the mask makes a reader into a writer: no place sees a later one. It takes training, too.
# - The labels are the text, shifted by one; every place is a question, all asked in one forward.
# - Greedy takes the likeliest word, beams look for the likeliest text, sampling draws.
# - Keys and values of earlier words never change. Kept, n words take about 2/n of the multiplications.
# - Cross-attention: queries from the writer, keys and values from the reader.
#
# **The code:** [`minibert/model/masks.py`](../minibert/model/masks.py) the triangle, [`minibert/heads/causal_lm.py`](../minibert/heads/causal_lm.py)
# the shift, [`minibert/generation/search.py`](../minibert/generation/search.py) greedy search, sampling and beams,
# [`scores.py`](../minibert/generation/scores.py) the rules that change scores.
# [`docs/generation.md`](../docs/generation.md) has all options.
#
# **Exercises:** [`exercises/16_decoder.py`](exercises/16_decoder.py): the mask over a cache, the shifted loss, greedy search, top p. Check
# them with `minibert check 16`.
#
# **Next:** [17 · Proving equivalence](17_equivalence.py)
