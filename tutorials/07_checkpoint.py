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
# # 7 · Opening a published checkpoint: what is read, tied, new, left over
#
# A checkpoint is a folder with a list of named tensors in it. Opening one means laying its names beside the model's names. Each
# name has one of four fates, and a library that does not say which leaves you guessing. We read a file by hand, byte for byte,
# and then let the library open it in several ways.

# %%
import json
import logging
import shutil
import sys
import tempfile
from collections import Counter
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from course.figures import new_figure, show
from minibert import BertForMaskedLM, BertForPreTraining, BertForSequenceClassification, BertModel, BertTokenizer
from minibert.checkpoints import CheckpointError, bundled_checkpoints

logging.basicConfig(
    stream=sys.stdout, format="WARNING %(message)s", force=True
)  # what the library warns of is seen here
folder = bundled_checkpoints()["novels-4l-256h"]

# %% [markdown]
# ## Four files

# %%
for path in sorted(folder.iterdir()):
    print(f"{path.name:24} {path.stat().st_size:>11,} bytes")

# %% [markdown]
# `config.json` says how to build the network, `model.safetensors` what stands in it; `vocab.txt` and `tokenizer_config.json` are the
# tokenizer. (The README is for you.)
#
# ## The file, byte for byte
#
# A safetensors file begins with a number of 8 bytes: the length of a header. The header is JSON: for every name the dtype, the
# shape, and from where to where its bytes lie. Then come the bytes. Nothing in it can be run, which the older `.bin` files, made
# by `pickle`, cannot promise.

# %%
with (folder / "model.safetensors").open("rb") as file:
    header_length = int.from_bytes(file.read(8), "little")
    header = json.loads(file.read(header_length))
    numbers = file.read()
header.pop("__metadata__", None)
name = "bert.embeddings.LayerNorm.weight"
print(f"header of {header_length:,} bytes, {len(header)} tensors, {len(numbers):,} bytes of numbers")
print(name, header[name])

# %% [markdown]
# **What do you expect:** the shape is (256), the dtype float16. How many bytes does this tensor take?

# %%
start, end = header[name]["data_offsets"]
by_hand = torch.frombuffer(bytearray(numbers[start:end]), dtype=torch.float16)
print(f"{end - start} bytes, the first numbers {by_hand[:3].tolist()}")

model = BertForPreTraining.from_pretrained("novels-4l-256h")
in_model = model.bert.embeddings.LayerNorm.weight
print("in the model:", in_model.dtype)
assert torch.equal(in_model, by_hand.float())

# %% [markdown]
# The file stores halves, the model computes in float32. Every float16 number is also a float32 number, so nothing is lost on
# the way in.
#
# ## Where the bytes are

# %%
stages: Counter[str] = Counter()
for name, entry in header.items():
    parts = name.removeprefix("bert.").split(".")
    stage = ".".join(parts[:3]) if parts[0] == "encoder" else ".".join(parts[:2]) if parts[0] == "cls" else parts[0]
    stages[stage] += entry["data_offsets"][1] - entry["data_offsets"][0]
assert sum(stages.values()) == len(numbers)

figure = new_figure(width=7, height=3.4)
panel = figure.subplots()
ordered = sorted(stages, key=lambda stage: (stage.startswith("cls"), stage))  # the heads last, as in the network
panel.barh(ordered, [stages[stage] / 1e6 for stage in ordered])
panel.invert_yaxis()
panel.set_xlabel("million bytes")
panel.set_title("The bundled model.safetensors, stage by stage")
show(
    figure,
    "07-bytes",
    "Bars of million bytes: the embeddings have more than four, each of the four layers about one and a half, and "
    "pooler and heads next to nothing.",
)

# %% [markdown]
# ## Four fates
#
# ![Names in a file beside names in a model: the body is in both and is read; decoder.weight is only in the model, and tied; the head of pre-training is only in the file, and left over; the classifier is only in the model, and new](../docs/figures/fates.svg)
#
# The same file into three models. **What do you expect** in each case: what is left over, and what is new? Remember which parts
# each model has:
#
# | | body | pooler | masked words | next sentence | classifier |
# |---|---|---|---|---|---|
# | the file | ✓ | ✓ | ✓ | ✓ | |
# | `BertForPreTraining` | ✓ | ✓ | ✓ | ✓ | |
# | `BertForMaskedLM` | ✓ | | ✓ | | |
# | `BertForSequenceClassification` | ✓ | ✓ | | | ✓ |

# %%
print(model.loading_report)
print()
print(BertForMaskedLM.from_pretrained("novels-4l-256h").loading_report)

# %% [markdown]
# - **read**: in both.
# - **tied**: only in the model, but the same tensor as one that was read. `decoder.weight` *is* the word embeddings, and
#   `decoder.bias` *is* `cls.predictions.bias`. They have their numbers: a warning that they are new would be wrong.
# - **left over**: only in the file. Harmless here, and the report says why.
# - **new**: only in the model, and nobody knows its numbers. They are random:

# %%
torch.manual_seed(0)
classifier = BertForSequenceClassification.from_pretrained("novels-4l-256h")
print()
print(classifier.loading_report)
assert [finding.name for finding in classifier.loading_report.new] == ["classifier.weight", "classifier.bias"]

# %% [markdown]
# This time there was a warning, and rightly: what this model predicts now is noise. It has to be trained (chapter 12).
#
# ## Names have a history
#
# Files from 2018 call LayerNorm's weight and bias `gamma` and `beta`, as TensorFlow did. Others hold the body alone, without
# `bert.` in front. Let us make such a file of ours: the body, with the old names.
#
# **What do you expect** `BertForMaskedLM` to say when it opens it?

# %%
inputs = BertTokenizer.from_pretrained("novels-4l-256h")("He shook his [MASK].", return_tensors="pt")
with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as old:
    aged = {}
    for name, tensor in load_file(folder / "model.safetensors").items():
        if name.startswith("bert."):
            name = name.removeprefix("bert.")
            name = name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta")
            aged[name] = tensor.clone()
    save_file(aged, Path(old) / "model.safetensors")
    shutil.copy(folder / "config.json", old)

    body = BertModel.from_pretrained(old)
    report = BertForMaskedLM.from_pretrained(old).loading_report
with torch.no_grad():
    assert torch.equal(body(**inputs).last_hidden_state, model.bert(**inputs).last_hidden_state)
renamed = [(source, name) for name, source in report.read.items() if "gamma" in source]
print(f"\n{len(report.read)} read, such as {renamed[0][0]} → {renamed[0][1]}")
print("new:", [finding.name for finding in report.new])

# %% [markdown]
# The body is equal to the bit; the head was not in the file, and the warning says so. `decoder.weight` is not among the new ones:
# it is tied to the word embeddings, and those were read.
#
# ## When the file is the wrong one
#
# **What do you expect** of a file whose body has holes: a model that half works?

# %%
with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as broken:
    partial = {name: tensor for name, tensor in aged.items() if not name.startswith("encoder.layer.2.")}
    save_file(partial, Path(broken) / "model.safetensors")
    shutil.copy(folder / "config.json", broken)
    try:
        BertModel.from_pretrained(broken)
        raise AssertionError("a body with holes was opened")
    except CheckpointError as error:
        print(str(error).replace(broken, "the folder"))

# %% [markdown]
# A missing head is work for you; a missing layer in the body is a mistake, and computing with random numbers in its place would
# hide it. So it is refused.
#
# ## Summary
#
# - A checkpoint is names with tensors; safetensors is a JSON header and bytes.
# - Loading lays names beside names: read, tied, new, left over. Only *new* asks something of you.
# - Names have a history: `gamma` and `beta`, with `bert.` and without. One table of spellings knows them.
# - `minibert inspect MODEL` prints this report for any checkpoint, yours or one on the hub.
#
# **The code:** [`minibert/checkpoints/names.py`](../minibert/checkpoints/names.py) the spellings,
# [`load.py`](../minibert/checkpoints/load.py) what goes where, and the account, [`read.py`](../minibert/checkpoints/read.py) the files.
#
# **Exercises:** [`exercises/07_checkpoint.py`](exercises/07_checkpoint.py): old names, names with and without `bert.`, the account.
# Check them with `minibert check 7`.
#
# **Next:** [8 · Pre-training](08_pretraining.py)
