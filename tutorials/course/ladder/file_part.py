"""Part 9, opening a checkpoint: folders with a config.json and a model.safetensors, as people publish them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

import minibert
from minibert import BertConfig
from minibert.checkpoints.find import bundled_checkpoints

from .cases import DROPPING, SIZES, Case, Kind, draw_inputs, draw_weights, inner_cases
from .dropping import dropout_noted
from .judge import CLOSE, Finding, call, distance, make_function, shape_mistake
from .reference import Weights, under

FOLDERS: tuple[tuple[str, str], ...] = (
    ("plain", "a checkpoint with both heads"),
    ("half", "a checkpoint of 2-byte numbers: compute in torch.float32"),
    ("old", "a checkpoint with the names of 2018: gamma and beta for LayerNorm's weight and bias"),
    ("extra", "a checkpoint that also holds the decoder's weight, its bias once more, and position_ids: they are nothing new"),
    ("bare", "a checkpoint of the network alone: names without `bert.`, and no heads"),
)  # fmt: skip
NAME = "novels-4l-256h"


def check_files(load: Callable[[str], Callable[..., Any]], folder: Path) -> Finding:
    """Write small checkpoints into `folder`, let the student open them, and the bundled one."""
    sizes: dict[str, Any] = {**SIZES, **DROPPING, "layer_norm_eps": 0.03125, "type_vocab_size": 3}
    sizes["num_hidden_layers"] = 11  # layer.1 and layer.10 begin alike
    config = BertConfig(**sizes)
    apart, bits = 0.0, True
    for number, (kind, said) in enumerate(FOLDERS):
        generator = torch.Generator().manual_seed(number)
        weights = draw_weights("pretraining", config, generator)
        write_checkpoint(folder / kind, kind, config, weights)
        inputs = draw_inputs("bert", config, Kind("", "", padding=1), generator)
        found = check_folder(load, folder / kind, inputs)
        if found.wrong:
            return Finding(f"{said}: {found.wrong}", found.apart)
        apart, bits = max(apart, found.apart), bits and found.bits
    found = check_folder(load, bundled(), bundled_inputs())
    wrong = f"the bundled {NAME}: {found.wrong}" if found.wrong else ""
    return Finding(wrong, max(apart, found.apart), bits=bits and found.bits)


def bundled() -> Path:
    """The folder of the bundled checkpoint."""
    return bundled_checkpoints()[NAME]


def bundled_inputs() -> tuple[Tensor, ...]:
    """Two sentences for the bundled checkpoint, padded: ids, segments, mask."""
    tokenizer = minibert.BertTokenizer.from_pretrained(bundled())
    texts, seconds = (
        ["He shook his [MASK].", "It was a fine [MASK] in spring,"],
        ["", "and nobody knew where the doctor had gone."],
    )
    found = tokenizer(texts, seconds, padding=True, return_tensors="pt")
    return found["input_ids"], found["token_type_ids"], found["attention_mask"]


def check_folder(load: Callable[[str], Callable[..., Any]], folder: Path, inputs: tuple[Tensor, ...]) -> Finding:
    """Compare what the student's opened checkpoint gives with what the library's gives."""
    expected = opened_by_the_library(folder)(*inputs)
    run = make_function(load, str(folder))
    with dropout_noted() as drops, torch.no_grad():
        given = call(run, *inputs)
    if wrong := shape_mistake(given, expected):
        return Finding(wrong)
    if drops:
        return Finding("Dropout is on: an opened checkpoint is there to be used, so switch it off, or call eval().")
    pairs = [(x, y) for x, y in zip(given, expected, strict=True) if y is not None]
    apart = max(distance(x, y) for x, y in pairs)
    for name, x, y in zip(("hidden states", "word scores", "next-sentence scores"), given, expected, strict=True):
        if y is not None and not (far := distance(x, y)) <= CLOSE:
            return Finding(f"the {name} are up to {far:.1g} away.", apart)
    return Finding("", apart, bits=all(torch.equal(x, y) for x, y in pairs))


def opened_by_the_library(folder: Path) -> Callable[..., tuple[Tensor | None, ...]]:
    """The library's checkpoint, as `load` of adapters.py describes it."""
    heads = any(name.startswith("cls.") for name in load_file(folder / "model.safetensors"))
    kind = minibert.BertForPreTraining if heads else minibert.BertModel
    model: Any = kind.from_pretrained(folder).eval()

    @torch.no_grad()
    def run(ids: Tensor, segments: Tensor, mask: Tensor) -> tuple[Tensor | None, ...]:
        named = {"attention_mask": mask, "token_type_ids": segments}
        if not heads:
            return model(ids, **named).last_hidden_state, None, None
        hidden = model.bert(ids, **named)
        return (hidden[0], *model.cls(hidden[0], hidden[1]))

    return run


def write_checkpoint(folder: Path, kind: str, config: BertConfig, weights: Weights) -> None:
    """A folder as `FOLDERS` describes it."""
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {name: tensor.clone() for name, tensor in weights.items()}
    if kind == "half":
        tensors = {name: tensor.half() for name, tensor in tensors.items()}
    if kind == "old":
        tensors = {_old(name): tensor for name, tensor in tensors.items()}
    if kind == "extra":
        tensors["cls.predictions.decoder.weight"] = tensors["bert.embeddings.word_embeddings.weight"].clone()
        tensors["cls.predictions.decoder.bias"] = tensors["cls.predictions.bias"].clone()
        tensors["bert.embeddings.position_ids"] = torch.arange(config.max_position_embeddings)[None]
    if kind == "bare":
        tensors = under(tensors, "bert.")
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    architecture = "BertModel" if kind == "bare" else "BertForPreTraining"
    (folder / "config.json").write_text(json.dumps({**config.to_dict(), "architectures": [architecture]}))


def _old(name: str) -> str:
    return name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta")


def inner_cases_of_files() -> Iterator[Case]:
    """What the earlier parts compute inside the bundled checkpoint."""
    folder = bundled()
    config = BertConfig.from_pretrained(folder)
    config.hidden_dropout_prob = config.attention_probs_dropout_prob = 0.0
    weights = {name: tensor.float() for name, tensor in load_file(folder / "model.safetensors").items()}
    ids, segments, mask = bundled_inputs()
    ids = ids.clamp(min=1)  # not [PAD], whose row the library leaves without a gradient
    inputs = (ids, segments, mask, torch.full_like(ids, 5), torch.tensor([0, 1]))
    yield from inner_cases(Case("pretraining", config, weights, inputs, f"the bundled {NAME}"))
