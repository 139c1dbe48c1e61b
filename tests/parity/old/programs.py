"""Programs that run unchanged on minibert and on the old reference, transformers 4.12.5.

Each takes the library (a module with BertConfig, the models, AdamW …), sets its own seed, and returns tensors by name.
What the two libraries return must be equal to the bit. This file imports neither.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor

Program = Callable[[Any], dict[str, Tensor]]

TINY = {
    "vocab_size": 99,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 37,
    "max_position_embeddings": 24,
}
BATCH, SEQ = 3, 9


def build(library: Any, class_name: str, **overrides: Any) -> Any:
    """A model with the weights of seed 0."""
    torch.manual_seed(0)
    return getattr(library, class_name)(library.BertConfig(**{**TINY, **overrides}))


def text_batch() -> dict[str, Tensor]:
    """Ids, segments and a mask with rows of different lengths."""
    generator = torch.Generator().manual_seed(1)
    mask = torch.ones(BATCH, SEQ, dtype=torch.long)
    mask[1, 6:] = 0
    mask[2, 1:] = 0
    return {
        "input_ids": torch.randint(1, TINY["vocab_size"], (BATCH, SEQ), generator=generator),
        "token_type_ids": torch.randint(0, 2, (BATCH, SEQ), generator=generator),
        "attention_mask": mask,
    }


def word_labels() -> Tensor:
    """Labels for about half of the words, −100 for the rest."""
    generator = torch.Generator().manual_seed(2)
    labels = torch.randint(0, TINY["vocab_size"], (BATCH, SEQ), generator=generator)
    labels[torch.rand(BATCH, SEQ, generator=generator) < 0.5] = -100
    labels[0, 0] = 7  # at least one counts
    return labels


def labels_for(class_name: str) -> dict[str, Tensor]:
    """Labels of the kind that the class takes; none for the bare model."""
    sentence = torch.tensor([0, 1, 0])
    return {
        "BertModel": {},
        "BertForPreTraining": {"labels": word_labels(), "next_sentence_label": sentence},
        "BertForMaskedLM": {"labels": word_labels()},
    }[class_name]


def flatten(name: str, value: Any) -> Iterator[tuple[str, Tensor]]:
    """Every tensor inside nested tuples, with its place as its name."""
    if isinstance(value, Tensor):
        yield name, value.detach().clone()
    elif value is not None:
        for i, item in enumerate(value):
            yield from flatten(f"{name}.{i}", item)


def named(outputs: Any) -> dict[str, Tensor]:
    """The tensors of an output object by key, or of a tuple by position."""
    items = outputs.items() if hasattr(outputs, "items") else ((str(i), v) for i, v in enumerate(outputs))
    return {name: tensor for key, value in items for name, tensor in flatten(str(key), value)}


def gradients(model: Any) -> dict[str, Tensor]:
    """Every parameter's gradient."""
    return {f"grad {n}": p.grad.clone() for n, p in model.named_parameters() if p.grad is not None}


def initial_weights(class_name: str, **overrides: Any) -> Program:
    """The weights a seed gives, and the state the random generator is left in."""

    def program(library: Any) -> dict[str, Tensor]:
        model = build(library, class_name, **overrides)
        return {**model.state_dict(), "next random numbers": torch.rand(4)}

    return program


def forward_backward(class_name: str, training: bool, **overrides: Any) -> Program:
    """Outputs with all hidden states and attentions, as object and as tuple, the loss, and every gradient."""

    def program(library: Any) -> dict[str, Tensor]:
        model = build(library, class_name, **overrides).train(training)
        inputs = {**text_batch(), **labels_for(class_name)}
        torch.manual_seed(3)
        outputs = model(**inputs, output_hidden_states=True, output_attentions=True)
        loss = outputs["loss"] if "loss" in outputs else outputs[0].square().sum() + outputs[1].sum()
        loss.backward()
        torch.manual_seed(3)
        as_tuple = model(**inputs, output_hidden_states=True, output_attentions=True, return_dict=False)
        results = {f"tuple {key}": value for key, value in named(as_tuple).items()}
        return {**named(outputs), **results, **gradients(model)}

    return program


def without_optional_inputs(class_name: str) -> Program:
    """Ids alone: no mask, no segments, no labels."""

    def program(library: Any) -> dict[str, Tensor]:
        return named(build(library, class_name).eval()(text_batch()["input_ids"]))

    return program


def inputs_embeds(class_name: str) -> Program:
    """Word vectors in place of ids, and positions counted backwards."""

    def program(library: Any) -> dict[str, Tensor]:
        model = build(library, class_name).eval()
        vectors = torch.randn(BATCH, SEQ, TINY["hidden_size"], generator=torch.Generator().manual_seed(4))
        positions = torch.arange(SEQ - 1, -1, -1).expand(BATCH, SEQ)
        return named(model(inputs_embeds=vectors, position_ids=positions))

    return program


def three_dimensional_mask(class_name: str) -> Program:
    """A mask of its own for every query, one row of which hides everything."""

    def program(library: Any) -> dict[str, Tensor]:
        mask = (torch.rand(BATCH, SEQ, SEQ, generator=torch.Generator().manual_seed(5)) < 0.7).long()
        mask[0, 0] = 0
        return named(build(library, class_name).eval()(text_batch()["input_ids"], attention_mask=mask))

    return program


def all_programs() -> dict[str, Program]:
    """Every program by name."""
    programs: dict[str, Program] = {}
    classes = ["BertModel", "BertForPreTraining", "BertForMaskedLM"]
    for class_name in classes:
        programs[f"{class_name}: initial weights"] = initial_weights(class_name)
        programs[f"{class_name}: untied initial weights"] = initial_weights(class_name, tie_word_embeddings=False)
        programs[f"{class_name}: ids alone"] = without_optional_inputs(class_name)
        programs[f"{class_name}: inputs_embeds"] = inputs_embeds(class_name)
        programs[f"{class_name}: 3-D mask"] = three_dimensional_mask(class_name)
        for act, training in itertools.product(["gelu", "relu", "gelu_new", "silu"], [False, True]):
            name = f"{class_name}: {act}, {'train' if training else 'eval'}"
            programs[name] = forward_backward(class_name, training, hidden_act=act)
    return programs
