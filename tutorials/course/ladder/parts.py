"""The twelve parts of the ladder, in order, and which earlier ones each stands on."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Part:
    """One part. adapters: the functions of adapters.py that give it; stands_on: the parts whose fault can show in it."""

    name: str
    title: str
    minutes: int
    adapters: tuple[str, ...]
    stands_on: tuple[str, ...] = ()


PARTS = (
    Part("wordpiece", "WordPiece", 40, ("wordpiece",)),
    Part("embeddings", "Embeddings", 20, ("embeddings",)),
    Part("attention", "Self-attention", 45, ("attention",)),
    Part("layer", "One layer", 25, ("layer",), ("attention",)),
    Part("bert", "The stack", 20, ("bert",), ("embeddings", "attention", "layer")),
    Part("pooler", "The pooler", 10, ("pooler",)),
    Part("predictions", "Transform and tied decoder", 20, ("predictions",)),
    Part(
        "pretraining",
        "The two losses",
        25,
        ("pretraining",),
        ("embeddings", "attention", "layer", "bert", "pooler", "predictions"),
    ),
    Part(
        "load",
        "Opening a checkpoint",
        40,
        ("load",),
        ("embeddings", "attention", "layer", "bert", "pooler", "predictions"),
    ),
    Part("optimizer", "AdamW and its schedule", 40, ("optimizer", "schedule")),
    Part(
        "classifier", "A head of your own", 20, ("classifier",), ("embeddings", "attention", "layer", "bert", "pooler")
    ),
    Part(
        "train",
        "Training",
        30,
        ("train",),
        ("embeddings", "attention", "layer", "bert", "pooler", "classifier", "optimizer"),
    ),
)
NUMBER = {part.name: number for number, part in enumerate(PARTS, start=1)}


def find_part(name: str) -> Part:
    """A part by its name."""
    return PARTS[NUMBER[name] - 1]


def titled(name: str) -> str:
    """ "3. Self-attention" for "attention"."""
    return f"{NUMBER[name]}. {find_part(name).title}"
