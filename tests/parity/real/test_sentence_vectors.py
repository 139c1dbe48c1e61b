"""Sentence vectors of all-MiniLM-L6-v2 are those of sentence-transformers within 1e-5.

Recorded from its version 6.2.0 by record_sentence_vectors.py; and side by side where the package is installed. Largest difference seen of a
vector of length 1: 3.5e-7, over 600 lines of novels, with and without fast=True.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from trained import MINILM, SENTENCES

from minibert.vectors import POOLINGS, SentenceEncoder

RECORDED = json.loads((Path(__file__).parent / "sentence_vectors.json").read_text(encoding="utf-8"))
CLOSE = 1e-5
every_mode = pytest.mark.parametrize("mode", POOLINGS)


@pytest.mark.parametrize("fast", [False, True])
def test_the_published_folder_gives_the_recorded_vectors(fast: bool) -> None:
    encoder = SentenceEncoder.open(MINILM, fast=fast)
    assert (encoder.settings.poolings, encoder.settings.normalize, encoder.max_length) == (("mean",), True, 256)
    found = encoder.encode(RECORDED["texts"], batch_size=5)
    np.testing.assert_allclose(found, RECORDED["published"], atol=CLOSE, rtol=0)


@every_mode
def test_every_mode_gives_the_recorded_numbers(mode: str) -> None:
    encoder = SentenceEncoder.open(MINILM, mode)
    encoder.settings = encoder.settings._replace(normalize=False)
    expected = np.array(RECORDED["modes"][mode])
    found = encoder.encode(RECORDED["texts"])[:, : expected.shape[1]]
    largest = float(np.abs(expected).max())  # the vectors are longer than 1 here
    np.testing.assert_allclose(found, expected, atol=CLOSE * max(1.0, largest), rtol=0)


# ------------------------------------------------------------------------------------------------------ side by side


@pytest.fixture(scope="module")
def library() -> Any:
    return pytest.importorskip("sentence_transformers", reason="sentence-transformers is not installed")


def compare(library: Any, folder: Path) -> None:
    texts = [*SENTENCES, *RECORDED["texts"]]
    expected = library.SentenceTransformer(str(folder), device="cpu").encode(texts)
    found = SentenceEncoder.open(folder).encode(texts)
    assert found.shape == expected.shape
    largest = max(1.0, float(np.abs(expected).max()))
    np.testing.assert_allclose(found, expected, atol=CLOSE * largest, rtol=0)


def test_the_published_folder_is_opened_alike(library: Any) -> None:
    compare(library, MINILM)


@pytest.mark.parametrize("modes", [*([mode] for mode in POOLINGS), ["max", "cls", "mean"]], ids="+".join)
def test_what_the_library_saves_is_opened_alike(library: Any, modes: list[str], tmp_path: Path) -> None:
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer

    body = Transformer(str(MINILM), max_seq_length=20)
    made = [body, Pooling(384, pooling_mode=modes), *([Normalize()] if "max" in modes else [])]
    model = library.SentenceTransformer(modules=made, device="cpu", prompts={"query": "find: "})
    model.default_prompt_name = "query" if "cls" in modes else None
    model.save(str(tmp_path / "saved"))
    compare(library, tmp_path / "saved")
    assert SentenceEncoder.open(tmp_path / "saved").max_length == 20
