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
# # 17 · Proving equivalence: bits, tolerances, and a planted bug
#
# "My model gives about the same numbers" is no proof: with a small mistake it does so too. This library claims more: the same seed
# gives the same **bits** as transformers 4.12.5. This chapter says what that means, how it is tested, and how to find the place where
# two models diverge. It needs one library only: we compare our own models with each other, and with figures that were recorded.

# %%
import math

import torch
from torch import Tensor

from course.figures import new_figure, show
from minibert import BertConfig, BertForMaskedLM, BertModel, BertTokenizer
from minibert.fast import same_in_any_batch
from minibert.microscope import compare
from minibert.model.attention import BertSelfAttention

tokenizer = BertTokenizer.from_pretrained("novels-4l-256h")
inputs = tokenizer(
    ["He shook his [MASK], and said nothing.", "The old [MASK] stood by the river."], padding=True, return_tensors="pt"
)

# %% [markdown]
# ## Floats are a grid
#
# A float32 has 24 binary digits, about 7 decimal ones. Between two neighbours there is nothing; the distance is a *unit in the last
# place* (ulp), and it grows with the number. **What do you expect:** how far is it from 1 to the next float, and from 100,000,000?

# %%
for number in (1.0, 1000.0, 100_000_000.0):
    x = torch.tensor(number)
    print(f"from {number:>13,.0f} to the next float: {(torch.nextafter(x, x + x) - x).item():.3g}")
large, one = torch.tensor(1e8), torch.tensor(1.0)
print("10⁸ + 1 − 10⁸ =", (large + one - large).item(), "   10⁸ − 10⁸ + 1 =", (large - large + one).item())

# %% [markdown]
# Every sum is rounded to the grid. So (a + b) + c and a + (b + c) may differ: the order of additions is a part of the result.
#
# **What do you expect** of 10,000 numbers, each added up in float32 in four orders?

# %%
numbers = torch.rand(10_000, generator=torch.Generator().manual_seed(0))
exact = math.fsum(numbers.tolist())


def one_by_one(numbers: Tensor) -> Tensor:
    total = torch.zeros(())
    for number in numbers:
        total = total + number
    return total


for name, total in (
    ("from left to right", one_by_one(numbers)),
    ("from right to left", one_by_one(numbers.flip(0))),
    ("small ones first", one_by_one(numbers.sort().values)),
    ("as torch.sum does it", numbers.sum()),
):
    print(f"{name:21} {total.item():.6f}   off by {abs(total.item() - exact):.1e}")

# %% [markdown]
# All are right to five digits or more. But they are not *equal*, and a network is thousands of such sums, each fed into the next.
#
# ## Equal to the bit
#
# Two programs give equal bits when they do the same operations in the same order. Then the difference is 0.0, and no tolerance is
# needed. **What do you expect** of the same weights, once with attention by hand (*eager*), again with it, and with the fused one
# (*sdpa*)?

# %%
eager = BertForMaskedLM.from_pretrained("novels-4l-256h", attn_implementation="eager").eval()
again = BertForMaskedLM.from_pretrained("novels-4l-256h", attn_implementation="eager").eval()
fused = BertForMaskedLM.from_pretrained("novels-4l-256h", attn_implementation="sdpa").eval()
with torch.no_grad():
    scores = eager(**inputs).logits
    for name, other in (("eager again", again), ("sdpa", fused)):
        print(f"{name:12} largest difference {(scores - other(**inputs).logits).abs().max().item():.1e}")
    assert torch.equal(scores, again(**inputs).logits)
print(f"(the scores reach {scores.abs().max().item():.0f})")

# %% [markdown]
# Fused attention is the same mathematics with other sums: different in the last digits. Neither is wrong. But if you *meant* to do the
# same operations, any difference at all is news: that is why a test for 0.0 sees more than one with a tolerance.
#
# ## The same text in another batch
#
# A text is scored alone, and then in a batch beside a longer one, padded to its length. The mask hides the padding: its probability is
# exactly 0, and 0 times anything adds nothing. **What do you expect** of the text's scores: the same bits?

# %%
texts = [
    "He shook his [MASK].",
    "The old [MASK] stood by the river, and nobody had spoken to him since the rain began.",
]
alone, batch = (tokenizer(chosen, padding=True, return_tensors="pt") for chosen in (texts[:1], texts))
length = alone["input_ids"].size(1)


def scores_of_the_first(batch: dict[str, Tensor]) -> Tensor:
    with torch.no_grad():
        return eager(**batch).logits[0, :length]


apart = (scores_of_the_first(alone) - scores_of_the_first(batch)).abs().max().item()
print(f"alone, and beside another: {apart:.1e}")
with same_in_any_batch(eager):
    apart = (scores_of_the_first(alone) - scores_of_the_first(batch)).abs().max().item()
print(f"with same_in_any_batch:    {apart:.1e}")
assert apart == 0.0

# %% [markdown]
# Nothing leaks from one text to the other; the *order of additions* is another. A library of matrix products cuts its work into blocks, and
# where it cuts depends on how many rows and columns there are: one token goes through other code than two hundred, and 8 keys are added up
# in other groups than 20, even if 12 of them count nothing. With two threads the rows are shared out in yet another way. So a text gets other last bits
# when its neighbours, its padding or the number of threads change, and a greedy `generate` can choose another word where two are that close.
#
# [`same_in_any_batch`](../minibert/fast/any_batch.py) takes all of that away in the plainest manner: each text runs alone, without its padding, on one thread. Then its
# bits are its own. What that costs, and 10,000 random batches that hold it to its word, is in [the parity report](../docs/parity.md#the-same-answer-in-any-batch).
#
# The processor decides, too. [A table](../docs/bits.md) shows which settings change the bits: wider instructions add more numbers
# at once, so they add in other groups; another version of PyTorch may have other kernels. In each of these settings minibert and
# transformers 4.12.5 were run side by side. That is what "equal to the bit" can mean: the same operations in the same order, **in the same setting**.
#
# ## The same draws
#
# Weights start from random numbers, and dropout draws more. A seed fixes the sequence of draws; who draws first gets the first ones.
# **What do you expect** when a program draws one number more, at the start?

# %%
tiny = BertConfig(
    vocab_size=99,
    hidden_size=32,
    num_hidden_layers=2,
    num_attention_heads=4,
    intermediate_size=37,
    max_position_embeddings=24,
)


def weights_after(seed: int, draws_before: int = 0) -> Tensor:
    torch.manual_seed(seed)
    torch.rand(draws_before)
    return BertModel(tiny).encoder.layer[0].attention.self.query.weight


print("same seed:        ", torch.equal(weights_after(0), weights_after(0)))
print("one draw more:    ", torch.equal(weights_after(0), weights_after(0, draws_before=1)))

# %% [markdown]
# So a re-implementation must draw the same numbers in the same order: create the layers in the reference's order, initialise in its
# order, and drop out in its order. A parity test therefore also compares what the generator gives *afterwards*:

# %%
after = []
for _ in range(2):
    torch.manual_seed(0)
    model = BertModel(tiny)
    model(torch.tensor([[1, 2, 3]]))  # dropout is on in a new model, and draws
    after.append(torch.rand(4))
assert torch.equal(*after)
print("next random numbers:", [round(number, 4) for number in after[0].tolist()])

# %% [markdown]
# ## Recorded figures
#
# Where the reference cannot be installed, figures stand in for it. The program below ran under transformers 4.12.5: seed 0, this
# config, these ids. It was recorded: the norm of the last hidden states, their first number and their last, and the same of the
# probabilities of attention in layer 1.

# %%
recorded = {"last_hidden_state": (29.393877, 0.97058129, 1.3067962), "attentions.1": (6.7824181, 0.11147346, 0.0)}
draw = torch.Generator().manual_seed(1)
mask = torch.ones(3, 9, dtype=torch.long)
mask[1, 6:] = 0
mask[2, 1:] = 0
ids = torch.randint(1, 99, (3, 9), generator=draw)
segments = torch.randint(0, 2, (3, 9), generator=draw)
torch.manual_seed(0)
model = BertModel(tiny).eval()
with torch.no_grad():
    outputs = model(ids, attention_mask=mask, token_type_ids=segments, output_attentions=True)
for name, tensor in (("last_hidden_state", outputs.last_hidden_state), ("attentions.1", outputs.attentions[1])):
    flat = tensor.double().flatten()
    found = (flat.norm().item(), flat[0].item(), flat[-1].item())
    for part, mine, theirs in zip(("norm", "first", "last"), found, recorded[name], strict=True):
        print(f"{name:18} {part:5} {mine:>12.8g}   recorded {theirs:>12.8g}   apart {abs(mine - theirs):.0e}")
        assert math.isclose(mine, theirs, rel_tol=1e-5, abs_tol=1e-5)

# %% [markdown]
# Figures are written with eight digits, so what is left is their rounding (and your processor's). The project has three kinds of
# parity tests:
#
# | test | against | agreement |
# |---|---|---|
# | `tests/parity/old` | transformers 4.12.5, run beside minibert on the same machine | 0.0 |
# | `tests/parity/recorded` | figures recorded from 4.12.5, as above | 10⁻⁶ of the largest number |
# | `tests/parity/live` | the newest transformers | 10⁻⁵ |
#
# ## How a difference grows
#
# Each layer adds its own rounding and passes on what it got. **What do you expect:** does the difference double with each layer, or
# stay about the same? Four pairs of models with the same weights: *sdpa* beside *eager*; float32 beside float64; bfloat16, which has
# 8 binary digits, beside float32; and one with a tiny mistake: in layer 1, LayerNorm has PyTorch's usual ε of 10⁻⁵ in place of
# BERT's 10⁻¹².

# %%
wrong_eps = BertForMaskedLM.from_pretrained("novels-4l-256h").eval()
wrong_eps.bert.encoder.layer[1].output.LayerNorm.eps = 1e-5
double = BertForMaskedLM.from_pretrained("novels-4l-256h").eval().double()
half = BertForMaskedLM.from_pretrained("novels-4l-256h").eval().bfloat16()


def states(model: BertForMaskedLM) -> list[Tensor]:
    """What comes out of the embeddings and of each layer, in float64."""
    with torch.no_grad():
        return [state.double() for state in model(**inputs, output_hidden_states=True).hidden_states]


def growth(a: BertForMaskedLM, b: BertForMaskedLM) -> list[float]:
    """The largest difference after the embeddings and after each layer."""
    return [(x - y).abs().max().item() for x, y in zip(states(a), states(b), strict=True)]


pairs = {
    "bfloat16 and float32": growth(eager, half),
    "ε 10⁻⁵ in layer 1": growth(eager, wrong_eps),
    "float32 and float64": growth(eager, double),
    "sdpa and eager": growth(eager, fused),
}
figure = new_figure(width=8, height=4)
panel = figure.subplots()
stages = ["embeddings", *(f"layer {number}" for number in range(4))]
for name, apart in pairs.items():
    print(f"{name:21}", "  ".join(f"{number:.0e}" if number else "0    " for number in apart))
    panel.plot(range(5), [number or math.nan for number in apart], marker="o", label=name)
panel.axhline(1e-5, color="gray", linestyle=":")
panel.text(-0.1, 1.2e-5, "tolerance", color="gray", va="bottom")
panel.set_yscale("log")
panel.set_xticks(range(5), stages)
panel.set_ylabel("largest difference")
panel.set_title("Rounding, and one mistake, on their way up the bundled model")
panel.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False)
show(
    figure,
    "17-growth",
    "Four lines over the stages on a logarithmic scale: bfloat16 lies near 0.1, the rounding of float64 and sdpa "
    "near a millionth and rising slowly; the wrong ε begins in layer 1, just above the tolerance.",
)

# %% [markdown]
# (Where there is no point, the difference is 0.) Rounding grows slowly: LayerNorm brings every vector back to the same size. The
# mistake begins where it was made, and comes out just at the usual tolerance, a few times above rounding. With other inputs it might
# pass. A tolerance has to stand **above rounding and below mistakes**; where the two come so close, compare in float64, whose rounding
# lies half a billion times lower.
#
# ## A planted bug
#
# ![Two models stage by stage: embeddings and layer 0 are equal to the bit, layer 1 has the bug and is the first that differs, layers 2 and 3 have inherited the difference](../docs/figures/divergence.svg)
#
# Somebody wrote self-attention anew, and made a mistake. Can you see it?


# %%
class MySelfAttention(BertSelfAttention):
    def forward(self, hidden_states: Tensor, attention_mask: Tensor | None = None, **_: object) -> tuple:
        query, key, value = (
            self.transpose_for_scores(project(hidden_states)) for project in (self.query, self.key, self.value)
        )
        scores = query @ key.transpose(-1, -2) / self.attention_head_size
        if attention_mask is not None:
            scores = scores + attention_mask
        context = scores.softmax(-1) @ value
        return context.permute(0, 2, 1, 3).flatten(2), None, (key, value)


def with_mine(layer: int) -> BertForMaskedLM:
    """The bundled model with MySelfAttention in one layer, and the same weights."""
    model = BertForMaskedLM.from_pretrained("novels-4l-256h").eval()
    attention = model.bert.encoder.layer[layer].attention
    mine = MySelfAttention(model.config)
    mine.load_state_dict(attention.self.state_dict())
    attention.self = mine
    return model.eval()


mine = with_mine(2)
with torch.no_grad():
    for name, model in (("right", eager), ("mine", mine)):
        best = model(**inputs).logits[inputs["input_ids"] == tokenizer.mask_token_id].argmax(-1)
        print(f"{name:6} fills the blanks with", tokenizer.convert_ids_to_tokens(best.tolist()))

# %% [markdown]
# It runs, and its answers are not even foolish. `compare` runs both, stage by stage. **What do you expect:** which stage is the first
# to diverge: query, scores, softmax, or the layer's output?

# %%
comparison = compare(eager, mine, dict(inputs), backward=False)
header, rule, *lines = str(comparison).splitlines()
print(header, rule, sep="\n")
for row, line in zip(comparison.rows, lines, strict=False):  # a line for each row, and then the summary
    if row.depth <= 1 or row.path.startswith("bert.encoder.layer.2"):
        print(line)
print(comparison.summary())
assert comparison.first is not None
assert comparison.first.path == "bert.encoder.layer.2.attention.self"
assert comparison.first.inside == "the scores before softmax"
assert comparison.first.mistakes == ("the scores are divided by d, not √d",)

# %% [markdown]
# Everything before agrees to the bit; query, key and value are right, the scores made of them are not. So look at the line with `scores =`:
# it divides by d, and should by √d. `compare` says so as well: it computed the stage with one classic mistake after the other in place of
# the right formula, and this one gives your numbers. It has not read your code. All later stages diverge too, but they are not to blame.
# The rule is: **the first stage that gives something else although it is given the same.**
#
# ## When the outputs agree
#
# A mistake can hide from every output. Here the decoder's bias is a copy of the bias beside it, and no longer the same parameter.
# **What do you expect** of a comparison forward, and of one backward?

# %%
copied = BertForMaskedLM.from_pretrained("novels-4l-256h").eval()
copied.cls.predictions.bias = torch.nn.Parameter(copied.cls.predictions.decoder.bias.detach().clone())
print("forward: ", compare(eager, copied, dict(inputs), backward=False).agrees)
comparison = compare(eager, copied, dict(inputs))
print("backward:", comparison.agrees)
print(comparison.summary())
assert not comparison.agrees

# %% [markdown]
# Outputs are equal now; after the first step of training they will not be. So parity tests compare gradients too, and 100 steps.
#
# ## A small mistake, in float64
#
# The wrong ε again. Beside float32's rounding its traces are small; in float64 they stand alone.

# %%
right64, wrong64 = double, BertForMaskedLM.from_pretrained("novels-4l-256h").eval().double()
wrong64.bert.encoder.layer[1].output.LayerNorm.eps = 1e-5
comparison = compare(right64, wrong64, dict(inputs), backward=False, tolerance=1e-9)
print(comparison.summary())
assert comparison.first is not None
assert comparison.first.path == "bert.encoder.layer.1.output.LayerNorm"

# %% [markdown]
# ## Does the test see anything?
#
# A test that passes proves something only if it would have failed. So plant a mistake, and see it fail. In each layer in turn:

# %%
for place in range(4):
    found = compare(eager, with_mine(place), dict(inputs), backward=False).first
    print(f"planted in layer {place}, found in {found.path if found else 'nothing'}")
    assert found is not None
    assert f"layer.{place}." in found.path

# %% [markdown]
# ## Summary
#
# - Floats are a grid; every sum is rounded, so the order of additions is a part of the result.
# - The same operations in the same order on the same draws give the same bits: the difference is 0.0.
# - Neighbours in a batch, padding, threads and the processor's instructions change the order, and with it the last bits.
# - A tolerance stands above rounding and below mistakes. In float64 there is more room between the two.
# - The stage at fault is the first that gives something else although it is given the same.
# - Compare outputs, gradients, and steps of training; and break the code once to see the test fail.
#
# **The code:** [`minibert/microscope/compare.py`](../minibert/microscope/compare.py), [`distance.py`](../minibert/microscope/distance.py),
# [`divergence.py`](../minibert/microscope/divergence.py). [`docs/microscope.md`](../docs/microscope.md) tells how to compare a module of your own;
# [`tests/parity/old/programs.py`](../tests/parity/old/programs.py) has the programs that both libraries run, and
# [`tests/unit/microscope/planted.py`](../tests/unit/microscope/planted.py) ten classic mistakes.
#
# **Exercises:** [`exercises/17_equivalence.py`](exercises/17_equivalence.py): how far apart, a sum in pairs, the stage at fault. Check
# them with `minibert check 17`.
#
# **Next:** [18 · Making it fast, and many machines](18_speed.py)
