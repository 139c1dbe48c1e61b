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

# %% [markdown] en="7aaa6c4f"
# # 7 · 打开别人发布的检查点：读入、绑定、新增、剩余
#
# 检查点（checkpoint）是一个文件夹，里面有一串带名字的张量。打开它，就是把文件里的名字与模型里的名字对起来。每个名字有四种命运；一个库如果不说明是哪一种，你就只能猜。我们先逐字节地手工读一个文件，再让库用几种方式打开它。

# %% en="ceeef7e1"
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

logging.basicConfig(stream=sys.stdout, format="WARNING %(message)s", force=True)  # 库的警告会显示在这里
folder = bundled_checkpoints()["shici-4l-256h"]

# %% [markdown] en="b2993b58"
# ## 四个文件

# %% en="3e561d54"
for path in sorted(folder.iterdir()):
    print(f"{path.name:24} {path.stat().st_size:>11,} 字节")

# %% [markdown] en="0caadb0a"
# `config.json` 说明网络怎样搭建，`model.safetensors` 是里面的数；`vocab.txt` 和 `tokenizer_config.json` 属于分词器。（README 是给你看的。）
#
# ## 逐字节看这个文件
#
# safetensors 文件以一个 8 字节的数开头：文件头的长度。文件头是 JSON：每个名字对应的 dtype、形状，以及它的字节从哪里到哪里。后面就是这些字节。文件里没有任何可以执行的东西；较早的 `.bin` 文件由 `pickle` 写成，做不到这一点。

# %% en="e5fb2e9d"
with (folder / "model.safetensors").open("rb") as file:
    header_length = int.from_bytes(file.read(8), "little")
    header = json.loads(file.read(header_length))
    numbers = file.read()
header.pop("__metadata__", None)
name = "bert.embeddings.LayerNorm.weight"
print(f"文件头 {header_length:,} 字节，{len(header)} 个张量，数值 {len(numbers):,} 字节")
print(name, header[name])

# %% [markdown] en="ef8fb9ae"
# **你猜猜看：** 形状是 (256)，dtype 是 float16。这个张量占多少字节？

# %% en="f386c2f6"
start, end = header[name]["data_offsets"]
by_hand = torch.frombuffer(bytearray(numbers[start:end]), dtype=torch.float16)
print(f"{end - start} 字节，前几个数 {by_hand[:3].tolist()}")

model = BertForPreTraining.from_pretrained("shici-4l-256h")
in_model = model.bert.embeddings.LayerNorm.weight
print("模型里：", in_model.dtype)
assert torch.equal(in_model, by_hand.float())

# %% [markdown] en="2c6c87a9"
# 文件里存的是半精度数，模型用 float32 计算。每个 float16 的数都是一个 float32 的数，所以读入时什么也不会丢。
#
# ## 字节都在哪里

# %% en="32b3a7ce"
stages: Counter[str] = Counter()
for name, entry in header.items():
    parts = name.removeprefix("bert.").split(".")
    stage = ".".join(parts[:3]) if parts[0] == "encoder" else ".".join(parts[:2]) if parts[0] == "cls" else parts[0]
    stages[stage] += entry["data_offsets"][1] - entry["data_offsets"][0]
assert sum(stages.values()) == len(numbers)

figure = new_figure(width=7, height=3.4)
panel = figure.subplots()
ordered = sorted(stages, key=lambda stage: (stage.startswith("cls"), stage))  # 任务头放最后，与网络里一样
panel.barh(ordered, [stages[stage] / 1e6 for stage in ordered])
panel.invert_yaxis()
panel.set_xlabel("百万字节")
panel.set_title("附带的 model.safetensors，逐级来看")
show(
    figure,
    "07-bytes",
    "条形图，单位百万字节：嵌入层四个多，四层各约一个半，池化层和任务头几乎看不见。",
)

# %% [markdown] en="0b8ed1da"
# ## 四种命运
#
# ![文件里的名字与模型里的名字并排：主体两边都有，被读入；decoder.weight 只在模型里，是绑定的；预训练的头只在文件里，剩余；分类器只在模型里，是新增的](../../docs/zh/figures/fates.svg)
#
# 把同一个文件装进三个模型。**你猜**各是什么情形：剩下什么，新增什么？记住每个模型有哪些部分：
#
# | | 主体 | 池化层 | 预测词 | 下一句 | 分类器 |
# |---|---|---|---|---|---|
# | 文件 | ✓ | ✓ | ✓ | ✓ | |
# | `BertForPreTraining` | ✓ | ✓ | ✓ | ✓ | |
# | `BertForMaskedLM` | ✓ | | ✓ | | |
# | `BertForSequenceClassification` | ✓ | ✓ | | | ✓ |

# %% en="1fbba608"
print(model.loading_report)
print()
print(BertForMaskedLM.from_pretrained("shici-4l-256h").loading_report)

# %% [markdown] en="1b4d6685"
# - **读入**（read）：两边都有。
# - **绑定**（tied）：只在模型里，但与某个已读入的张量是同一个。`decoder.weight` *就是*词嵌入，`decoder.bias` *就是* `cls.predictions.bias`。它们已经有数值了：若警告说它们是新的，就说错了。
# - **剩余**（left over）：只在文件里。这里无害，报告会说明原因。
# - **新增**（new）：只在模型里，没有人知道它的数值，所以是随机的：

# %% en="e7778cd6"
torch.manual_seed(0)
classifier = BertForSequenceClassification.from_pretrained("shici-4l-256h")
print()
print(classifier.loading_report)
assert [finding.name for finding in classifier.loading_report.new] == ["classifier.weight", "classifier.bias"]

# %% [markdown] en="44746670"
# 这一次有警告，而且理应有：这个模型现在的预测全是噪声，它必须先训练（第 12 章）。
#
# ## 名字也有历史
#
# 2018 年的文件把 LayerNorm 的权重和偏置叫做 `gamma` 和 `beta`，沿用 TensorFlow 的叫法。另一些文件只有主体，名字前面没有 `bert.`。我们来把自己的文件改成那样：只留主体，用旧名字。
#
# **你猜** `BertForMaskedLM` 打开它时会说什么？

# %% en="36c14993"
inputs = BertTokenizer.from_pretrained("shici-4l-256h")("床前明月[MASK]", return_tensors="pt")
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
print(f"\n读入 {len(report.read)} 个，例如 {renamed[0][0]} → {renamed[0][1]}")
print("新增：", [finding.name for finding in report.new])

# %% [markdown] en="30fae40d"
# 主体逐比特相等；任务头（head）不在文件里，警告也说了。`decoder.weight` 不在新增之列：它与词嵌入（embedding）绑定，而词嵌入读入了。
#
# ## 文件不对的时候
#
# 如果文件里的主体有缺口，**你猜猜看：** 得到一个半灵不灵的模型吗？

# %% en="cd7334a4"
with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as broken:
    partial = {name: tensor for name, tensor in aged.items() if not name.startswith("encoder.layer.2.")}
    save_file(partial, Path(broken) / "model.safetensors")
    shutil.copy(folder / "config.json", broken)
    try:
        BertModel.from_pretrained(broken)
        raise AssertionError("主体有缺口的文件被打开了")
    except CheckpointError as error:
        print(str(error).replace(broken, "该文件夹"))

# %% [markdown] en="a829a189"
# 缺一个任务头，是留给你的工作；主体缺一层，则是出了错，用随机数顶替只会掩盖它。所以拒绝打开。
#
# ## 小结
#
# - 检查点就是名字加张量；safetensors 是一个 JSON 文件头加字节。
# - 加载就是对名字：读入、绑定、新增、剩余。只有*新增*需要你做点什么。
# - 名字有历史：`gamma` 与 `beta`，有 `bert.` 与没有。一张拼写表认得它们全部。
# - `minibert inspect MODEL` 对任何检查点打印这份报告，不论是你自己的，还是 hub 上的。
#
# **代码：**[`minibert/checkpoints/names.py`](../../minibert/checkpoints/names.py) 名字的拼写，[`load.py`](../../minibert/checkpoints/load.py) 什么放到哪里以及报告，[`read.py`](../../minibert/checkpoints/read.py) 读文件。
#
# **练习：**[`exercises/07_checkpoint.py`](exercises/07_checkpoint.py)：旧名字、带与不带 `bert.` 的名字、报告。用 `minibert check 7` 检查。
#
# **下一章：**[8 · 预训练](08_pretraining.py)
