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
# # 18 · Making it fast, and many machines
#
# First count, then measure, then change one thing, and prove that the numbers are still the same. In this order. This chapter asks where
# the work goes, leaves out what nobody reads, and at the end splits a batch between machines, by hand.
#
# Times differ from machine to machine, and from minute to minute on a busy one. So two ways are always run turn by turn, and what
# counts is their *ratio*.

# %%
import statistics
import time
from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from torch.autograd.profiler import profile
from torch.utils.flop_counter import FlopCounterMode

from course.figures import new_figure, show
from minibert import BertConfig, BertForMaskedLM, BertModel, BertTokenizer, fast
from minibert.data.masking import Vocabulary, mask
from minibert.fast.linear_layers import onednn_is_there, product
from minibert.training.distributed import multiplies_bfloat16

tokenizer = BertTokenizer.from_pretrained("novels-4l-256h")


def times_as_fast(new: Callable[[], object], old: Callable[[], object], rounds: int = 5) -> float:
    """How many times as fast `new` is: the median over rounds in which both run, one after the other."""
    ratios = []
    for number in range(rounds + 1):
        seconds = []
        for work in (old, new):
            began = time.perf_counter()
            work()
            seconds.append(time.perf_counter() - began)
        if number:  # the first round warms up
            ratios.append(seconds[0] / seconds[1])
    return statistics.median(ratios)


# %% [markdown]
# ## Where the work goes
#
# Nearly all of it is multiplying matrices. For n words, hidden size h, inner size i and v words in the vocabulary:
#
# | part | multiplications |
# |---|---|
# | query, key, value, output: four projections, in each layer | $4 n h^2$ |
# | feed-forward: up and down, in each layer | $2 n h i$ |
# | attention: scores, and the mean of the values, in each layer | $2 n^2 h$ |
# | the word head: transform, and a score for each word | $n (h^2 + h v)$ |
#
# **What do you expect:** which part is the largest in BERT-base (12 layers, h 768, i 3072, v 30,522)? And in our small model (4 layers,
# h 256, i 1024, v 8192)?


# %%
def multiplications(layers: int, h: int, i: int, v: int, n: int) -> dict[str, int]:
    """Those of one text of n words, by part."""
    return {
        "projections": layers * 4 * n * h * h,
        "feed-forward": layers * 2 * n * h * i,
        "attention": layers * 2 * n * n * h,
        "word head": n * (h * h + h * v),
    }


cases = {
    "BERT-base,\n128 words": multiplications(12, 768, 3072, 30522, 128),
    "BERT-base,\n512 words": multiplications(12, 768, 3072, 30522, 512),
    "ours,\n128 words": multiplications(4, 256, 1024, 8192, 128),
    "ours, vocabulary\n30,522, 128 words": multiplications(4, 256, 1024, 30522, 128),
}
figure = new_figure(width=8.5, height=4)
panel = figure.subplots()
left = np.zeros(len(cases))
for part in ("projections", "feed-forward", "attention", "word head"):
    shares = np.array([counts[part] / sum(counts.values()) for counts in cases.values()])
    panel.barh(range(len(cases)), shares, left=left, label=part)
    for row, share in enumerate(shares):
        if share > 0.04:
            panel.text(left[row] + share / 2, row, f"{share:.0%}", ha="center", va="center", color="white")
    left += shares
panel.set_yticks(range(len(cases)), cases)
panel.invert_yaxis()
panel.set_xticks([])
panel.set_xlim(0, 1)
panel.legend(ncols=4, loc="lower center", bbox_to_anchor=(0.45, 1.0), frameon=False)
figure.suptitle("Which part of a forward pass the multiplications are in")
show(
    figure,
    "18-where",
    "Four bars, cut into shares: in BERT-base the feed-forward network is about half; in the small model the word "
    "head is as large, and with 30,522 words it is more than two thirds; attention is thin everywhere.",
)

# %% [markdown]
# The n² of attention is famous, and small at 128 words. In BERT-base the feed-forward network is the largest part; in a small model it is
# the word head, and with a large vocabulary that is most of all. Is the count right? PyTorch counts, too (two operations for each
# multiplication, since it also adds):

# %%
model = BertForMaskedLM.from_pretrained("novels-4l-256h", attn_implementation="eager").eval()
ids = torch.randint(5, len(tokenizer), (1, 128), generator=torch.Generator().manual_seed(0))
with torch.no_grad(), FlopCounterMode(display=False) as counter:
    model(ids)
by_hand = sum(multiplications(4, 256, 1024, 8192, 128).values())
print(f"by hand {by_hand:,}, by PyTorch {counter.get_total_flops() // 2:,}")
assert counter.get_total_flops() == 2 * by_hand

# %% [markdown]
# ## Leave out what nobody reads
#
# In pre-training 15% of the places are asked. The other 85% are scored against the whole vocabulary, and the loss throws that away.
# **What do you expect** of the loss and of the gradients, when only the asked places go through the word head?

# %%
noise = np.random.default_rng(0)
texts = torch.randint(5, len(tokenizer), (8, 64), generator=torch.Generator().manual_seed(1)).numpy()
hidden_words = [mask(row, Vocabulary.of(tokenizer), noise) for row in texts]
read = torch.tensor(np.stack([row for row, _ in hidden_words]))  # (batch, seq)
labels = torch.tensor(np.stack([row for _, row in hidden_words]))  # (batch, seq)


def everywhere() -> torch.Tensor:
    """The loss as `BertForMaskedLM` computes it, and its gradients."""
    model.zero_grad()
    loss = model(read, labels=labels).loss
    loss.backward()
    return loss.detach()


def where_asked() -> torch.Tensor:
    """The same, of the asked places only."""
    model.zero_grad()
    states = model.bert(read).last_hidden_state  # (batch, seq, hidden)
    asked = labels != -100
    loss = F.cross_entropy(model.cls(states[asked]), labels[asked])  # scores: (asked, vocab)
    loss.backward()
    return loss.detach()


loss_everywhere = everywhere()
gradients = {name: parameter.grad.clone() for name, parameter in model.named_parameters() if parameter.grad is not None}
loss_where_asked = where_asked()
apart = max((parameter.grad - gradients[name]).abs().max().item() for name, parameter in model.named_parameters())
print(f"asked: {(labels != -100).sum().item()} of {labels.numel()} places")
print(f"loss {loss_everywhere.item():.6f} and {loss_where_asked.item():.6f}; gradients apart {apart:.0e}")
assert torch.allclose(loss_everywhere, loss_where_asked, atol=1e-4)
assert apart < 1e-4
print(f"a training step is {times_as_fast(where_asked, everywhere):.1f} times as fast")

# %% [markdown]
# The same numbers for a good part of the work less. `PretrainingLoss` does this, and lets the last layer answer only there, too.
#
# ## Leave out the padding
#
# ![A batch of three texts padded to eight places, 11 of 24 dashed for padding; below, the same texts packed into one row of 13, each attending to itself only](../docs/figures/packed.svg)
#
# Texts in a batch have different lengths; the short ones are padded. **What do you expect:** how much of the work below is padding?
#
# `attn_implementation="packed"` lays the real pieces of all texts end to end in one row. Everything but attention works on each
# piece by itself and does not notice; attention runs within each text.

# %%
lines = [
    "Yes.", "He shook his head, and said nothing.", "Nobody answered.", "The old man took off his hat.",
    "It was a dark and stormy night, and the rain fell upon the roof of the little church by the river, where "
    "nobody had lived since the old clerk went away and left the door open behind him.", "Come in!", "She smiled.", "No, sir.",
]  # fmt: skip
batch = tokenizer(lines, padding=True, return_tensors="pt")
print(f"{batch['attention_mask'].float().mean():.0%} of the batch is text")
packed = BertModel.from_pretrained("novels-4l-256h", attn_implementation="packed").eval()
eager = BertModel.from_pretrained("novels-4l-256h", attn_implementation="eager").eval()
text = batch["attention_mask"] == 1  # (batch, seq)
with torch.no_grad():
    apart = (packed(**batch).last_hidden_state - eager(**batch).last_hidden_state)[text].abs().max().item()
    ratio = times_as_fast(lambda: packed(**batch), lambda: eager(**batch))
print(f"real pieces are {apart:.0e} apart; packed is {ratio:.1f} times as fast")
assert apart < 1e-4

# %% [markdown]
# (Or sort the texts by length, so that those in a batch are alike. Both is best.)
#
# ## One processor, two speeds
#
# So far we have counted. A **profiler** times every operation of a pass. **What do you expect:** which one is at the top?

# %%
with torch.no_grad(), profile(use_kineto=False) as profiled:
    model(ids.expand(4, -1))
spent = sorted(profiled.key_averages(), key=lambda event: -event.self_cpu_time_total)
whole = sum(event.self_cpu_time_total for event in spent)
for event in spent[:4]:
    print(f"{event.key:50} {event.self_cpu_time_total / whole:4.0%}, called {event.count} times")

# %% [markdown]
# `addmm` is $b + x W^T$, the linear layers. Count and clock together give a *rate*: operations (a multiplication and an addition are two)
# in a second. PyTorch brings more than one library of matrix products. On a CPU it hands float32 to one of them, MKL, which Intel writes
# for its own processors, and bfloat16 to another, oneDNN. But oneDNN can multiply float32, too; PyTorch only does not ask it to.
# **What do you expect** of the rates: are they one number, the processor's?

# %%
x, wide = torch.randn(512, 768), torch.nn.Linear(768, 3072)
x_half, half = x.bfloat16(), wide.weight.detach().bfloat16()
work = {
    "float32, as PyTorch does it": lambda: wide(x),
    "float32, oneDNN": lambda: product(x, wide.weight, wide.bias),
    "bfloat16": lambda: F.linear(x_half, half),
}
if not onednn_is_there():
    del work["float32, oneDNN"]
shortest = dict.fromkeys(work, float("inf"))
with torch.no_grad():
    for _ in range(8):  # in turns; the shortest is the least disturbed
        for name, multiply in work.items():
            began = time.perf_counter()
            multiply()
            shortest[name] = min(shortest[name], time.perf_counter() - began)
for name, seconds in shortest.items():
    print(f"{name:28} {2 * 512 * 768 * 3072 / seconds / 1e9:6,.0f} thousand million operations a second")

# %% [markdown]
# On the processor where this was written (AMD, two cores) the second is about twice the first: the same cores, the same digits, the same
# equation, and the same PyTorch. On one of Intel's, and on an older one of AMD's, the two are alike, or the first is ahead. And bfloat16 is
# the fastest only where the processor has instructions for it; on one without AVX-512 it took six times as long as float32. Nobody could
# have told from the code; only a rate tells, beside another rate. `fast.linear` measures both, once, and takes the faster. **What do you expect** of the answers?

# %%
with torch.no_grad():
    plainly = model(read).logits
    with fast.linear(model):
        faster = model(read).logits
        apart = (faster - plainly).abs().max().item()


def through_the_faster() -> torch.Tensor:
    with fast.linear(model):
        return model(read).logits


with torch.no_grad():
    ratio = times_as_fast(through_the_faster, lambda: model(read).logits)
print(f"{apart:.0e} apart; {ratio:.1f} times as fast")
assert apart < 1e-4

# %% [markdown]
# Only the order of additions differs. How to find such a thing anywhere: (1) profile, to see which operation takes the time; (2) count
# what it has to do; (3) divide, to get its rate; (4) find the best rate that the same machine reaches on the same kind of work, by
# another library, another type, another shape. If yours is far below, the time is there to be had. If not, only less work helps, as in
# the two sections above.
#
# ## Eager and fused attention
#
# Eager attention writes down all the scores, n × n for each head, then the probabilities, and reads them again. Fused attention (*sdpa*)
# works through them in blocks that fit into the processor's fast memory. The multiplications are the same. **What do you expect:**
# for which n does it matter?

# %%


def untrained(attention: str) -> BertModel:
    """Two layers that know 1,024 positions; the weights do not matter here."""
    shape = {"hidden_size": 256, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 1024}
    return BertModel(BertConfig(**shape, max_position_embeddings=1024, attn_implementation=attention)).eval()


fused, written_down = untrained("sdpa"), untrained("eager")
ratios = []
lengths = (16, 64, 128, 256, 512, 1024)
with torch.no_grad():
    for n in lengths:
        ids = torch.randint(5, 30522, (1024 // n, n), generator=torch.Generator().manual_seed(0))
        ratios.append(times_as_fast(lambda ids=ids: fused(ids), lambda ids=ids: written_down(ids), rounds=3))
figure = new_figure(width=6.5, height=3.4)
panel = figure.subplots()
panel.plot(lengths, ratios, marker="o")
panel.axhline(1, color="gray", linestyle=":")
panel.set_xscale("log", base=2)
panel.set_xticks(lengths, lengths)
panel.set_ylim(0, max(2.0, *ratios) * 1.1)
panel.set_xlabel("words in a text (1,024 in each batch)")
panel.set_ylabel("times as fast as eager")
panel.set_title("sdpa beside eager: two layers, on this machine, just now")
print({n: round(ratio, 1) for n, ratio in zip(lengths, ratios, strict=True)})
show(
    figure,
    "18-sdpa",
    "A line over the length of a text: for short texts sdpa is about as fast as eager, and it gains as texts get "
    "longer.",
)

# %% [markdown]
# For short texts attention is too small a part to matter. For long ones writing the scores down costs more than the picture of the
# multiplications said: **memory** counts, too. On a GPU the difference is larger still.
#
# ## Fewer digits: bfloat16
#
# bfloat16 keeps float32's range with 8 binary digits in place of 24. Processors that have instructions for it multiply several times as
# fast. Autocast multiplies matrices in bfloat16 and keeps softmax, LayerNorm, the loss, and the weights in float32.
#
# **What do you expect:** how far is the loss off? And the answer?

# %%
blank = tokenizer("He shook his [MASK].", return_tensors="pt")
place = blank["input_ids"] == tokenizer.mask_token_id


def in_bfloat16() -> torch.Tensor:
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        return model(**blank).logits


def in_float32() -> torch.Tensor:
    with torch.no_grad():
        return model(**blank).logits


for name, scores in (("float32", in_float32()), ("bfloat16", in_bfloat16().float())):
    likeliest = scores[place].softmax(-1).max(-1)
    print(f"{name:9} {tokenizer.convert_ids_to_tokens(likeliest.indices.tolist())} {likeliest.values.item():.3f}")
with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
    loss = model(read, labels=labels).loss
print(f"loss {loss_everywhere.item():.3f} in float32, {loss.item():.3f} in bfloat16")
print("this processor has instructions for bfloat16:", multiplies_bfloat16(torch.device("cpu")))

# %% [markdown]
# Two or three digits are right, and for training that is enough: gradients are noisy anyway. Why must the weights stay in float32? **What
# do you expect** of 1 + 0.001, a thousand times, in each?

# %%
for dtype in (torch.float32, torch.bfloat16):
    weight = torch.ones((), dtype=dtype)
    for _ in range(1000):
        weight = weight + torch.tensor(0.001, dtype=dtype)
    print(f"{dtype!s:15} {weight.item():.3f}")
assert weight.item() == 1.0

# %% [markdown]
# The next bfloat16 after 1 is 1.0078: a step of 0.001 is lost, each time. (Chapter 17: floats are a grid.)
#
# ## A larger batch than fits
#
# Gradients add up. So a batch can be cut into parts; each part's gradient is added to the others', and then comes one step: *gradient
# accumulation*. **What do you expect:** is the gradient of a whole batch the mean of the gradients of its parts?

# %%
small, large = slice(0, 2), slice(2, 8)  # two rows, and six


def gradient_of(rows: slice, divide_by: int | None = None) -> torch.Tensor:
    """The gradient of the word vectors: of the mean loss over the asked places of these rows, or of their sum / divide_by."""
    asked = labels[rows] != -100
    states = model.bert(read[rows]).last_hidden_state
    losses = F.cross_entropy(model.cls(states[asked]), labels[rows][asked], reduction="none")
    loss = losses.mean() if divide_by is None else losses.sum() / divide_by
    model.zero_grad()
    loss.backward()
    gradient = model.bert.embeddings.word_embeddings.weight.grad
    assert gradient is not None
    return gradient.clone()


counts = [int((labels[rows] != -100).sum()) for rows in (small, large)]
whole = gradient_of(slice(0, 8))
mean_of_means = (gradient_of(small) + gradient_of(large)) / 2
shares = gradient_of(small, sum(counts)) + gradient_of(large, sum(counts))
print(f"asked places: {counts}")
print(
    f"mean of the parts' means: off by {(mean_of_means - whole).abs().max() / whole.abs().max():.0%} of the largest number"
)
print(f"sums, divided by the whole count: off by {(shares - whole).abs().max() / whole.abs().max():.0e}")
assert torch.allclose(shares, whole, atol=1e-5)

# %% [markdown]
# No: a part with few asked places would count as much as one with many. Each part's sum has to be divided by the count of the **whole**
# batch; then the parts' gradients add up to the whole one. Even rows of equal length differ here, since the number of hidden words is
# drawn.
#
# ## Many machines, by hand
#
# *Data parallel* training is the same cut, at the same time: each machine has all of the model and a part of the batch. Each computes the
# gradient of its part; then the gradients are averaged over the machines (*all-reduce*), and all take the same step. **What do you
# expect:** what must each divide by, if the machines' gradients are then *averaged* and not added?

# %%
machines = 2
on_each = [gradient_of(rows, sum(counts)) * machines for rows in (small, large)]  # times the number of machines …
averaged = torch.stack(on_each).mean(0)  # … because the average divides by it
weighted = sum(count / sum(counts) * gradient_of(rows) for count, rows in zip(counts, (small, large), strict=True))
for name, gradient in (("averaged", averaged), ("means, weighted by their counts", weighted)):
    print(f"{name:32} off by {(gradient - whole).abs().max() / whole.abs().max():.0e}")
    assert torch.allclose(gradient, whole, atol=1e-5)

# %% [markdown]
# Two ways to say the same. What is left is the order of additions. For this the machines only have to tell each other how many places
# they ask, one number each.
#
# What the tools do:
#
# - **DDP** (`DistributedDataParallel`) is the cell above: it averages the gradients while the backward pass still runs, layer by layer. All
#   processes must start from the same weights, and use different rows and different dropout.
# - **FSDP** is for a model that does not fit: each machine keeps a part of every parameter and of AdamW's averages, and borrows the rest
#   of a layer while it computes it. The numbers are the same; more is sent.
# - **torchrun** starts the processes. Here are two on one machine, with DDP and with FSDP:
#
# ```bash
# torchrun --nproc-per-node 2 -m minibert pretrain --data corpus --out my-bert
# torchrun --nproc-per-node 2 -m minibert pretrain --data corpus --out my-sharded-bert --shard
# ```
#
# **What do you expect** of ten machines: ten times as fast? (Which part of a step does not get shorter?) Sending the gradients takes the
# same time however small each part is; so machines help as long as their parts are large.
#
# ## Summary
#
# - Count first: in a small BERT the word head is the largest part; attention's n² matters for long texts.
# - Leave out what nobody reads: scores at places that are not asked, and padding. The numbers stay the same.
# - A processor has as many speeds as libraries: measure the rate beside the best that the same machine reaches.
# - Fused attention saves memory traffic, not multiplications. bfloat16 saves digits, and keeps the weights in float32.
# - Accumulated or spread over machines: divide by the count of the whole batch, and the gradient is that of the whole batch.
# - Measure in turns, as ratios, and prove the numbers equal after each change.
#
# **The code:** [`minibert/fast/packing.py`](../minibert/fast/packing.py), [`minibert/model/attention.py`](../minibert/model/attention.py),
# [`minibert/training/pretraining_loss.py`](../minibert/training/pretraining_loss.py),
# [`minibert/fast/last_layer.py`](../minibert/fast/last_layer.py), [`minibert/fast/linear_layers.py`](../minibert/fast/linear_layers.py) and
# [`minibert/training/distributed.py`](../minibert/training/distributed.py). Measured ratios: [`docs/performance.md`](../docs/performance.md).
#
# **Exercises:** [`exercises/18_speed.py`](exercises/18_speed.py): counting, packing, the loss where it is asked, a gradient from many
# machines. Check them with `minibert check 18`.
#
# **Next:** [19 · Sentence vectors](19_sentence_vectors.py)
