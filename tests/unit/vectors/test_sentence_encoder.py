"""A sentence encoder: one vector a text, whatever batch it is in; and what folders of sentence-transformers say."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from minibert import BertModel, BertTokenizer
from minibert.checkpoints import CheckpointError
from minibert.vectors import POOLINGS, SentenceEncoder, pool
from tests.unit.tiny_bert import BUNDLED
from tests.unit.vectors.conftest import Maker

TEXTS = ["He shook his head.", "Yes.", "She looked at the sea for a long while, and then she turned.", ""]


@pytest.mark.parametrize("pooling", POOLINGS)
def test_a_vector_is_the_pooled_output_of_the_model(checkpoint: Path, pooling: str) -> None:
    found = SentenceEncoder.open(checkpoint, pooling).encode(TEXTS)
    model, tokenizer = BertModel.from_pretrained(checkpoint), BertTokenizer.from_pretrained(checkpoint)
    batch = tokenizer(TEXTS, padding=True, return_tensors="pt")
    with torch.no_grad():
        expected = pool(model(**batch).last_hidden_state, batch["attention_mask"], pooling)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected.numpy(), atol=1e-6)


@pytest.mark.parametrize("fast", [False, True])
def test_the_batch_that_a_text_is_in_never_changes_its_vector(fast: bool) -> None:
    encoder = SentenceEncoder.open(BUNDLED, fast=fast)
    together = encoder.encode(TEXTS, batch_size=4)
    alone = encoder.encode(TEXTS, batch_size=1)
    backwards = encoder.encode(TEXTS[::-1], batch_size=3)[::-1]
    np.testing.assert_allclose(together, alone, atol=1e-5)
    np.testing.assert_allclose(together, backwards, atol=1e-5)


def test_the_fast_way_gives_the_same_vectors() -> None:
    plain, fast = (SentenceEncoder.open(BUNDLED, fast=fast).encode(TEXTS) for fast in (False, True))
    np.testing.assert_allclose(plain, fast, atol=1e-5)


def test_no_text_has_no_vector(checkpoint: Path) -> None:
    assert SentenceEncoder.open(checkpoint).encode([]).shape == (0, 32)


def test_a_text_that_is_cut_is_warned_of(checkpoint: Path, caplog: pytest.LogCaptureFixture) -> None:
    encoder = SentenceEncoder.open(checkpoint)
    with caplog.at_level(logging.WARNING, logger="minibert"):
        long, short = encoder.encode(["the " * 30, "the " * 22])
    assert "text cut to 24 pieces (text 1)" in caplog.text
    assert np.array_equal(long, short)


# ----------------------------------------------------------------------------------- a folder of sentence-transformers


def test_a_folder_says_the_pooling_the_length_and_that_vectors_have_length_1(sentence_folder: Maker) -> None:
    folder = sentence_folder(
        pooling={"pooling_mode_cls_token": True}, text={"max_seq_length": 9, "do_lower_case": False}
    )
    encoder = SentenceEncoder.open(folder)
    assert (encoder.settings.poolings, encoder.max_length) == (("cls",), 9)
    vectors = encoder.encode(TEXTS)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-6)
    cut = SentenceEncoder.open(folder).encode(["the " * 7, "the " * 9])
    # Two rows of one batch, each of which a processor may round in its own way.
    np.testing.assert_allclose(cut[0], cut[1], rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("config", "poolings"),
    [
        (
            {"word_embedding_dimension": 32, "pooling_mode_mean_tokens": True, "pooling_mode_max_tokens": False},
            ("mean",),
        ),
        ({"pooling_mode_max_tokens": True, "pooling_mode_cls_token": True}, ("cls", "max")),
        ({"pooling_mode_lasttoken": True, "include_prompt": True}, ("lasttoken",)),
        ({"pooling_mode": "weightedmean", "embedding_dimension": 32}, ("weightedmean",)),
        ({"pooling_mode": ["max", "cls"]}, ("max", "cls")),
        ({"word_embedding_dimension": 32}, ("mean",)),
    ],
)
def test_modes_are_read_as_old_and_new_versions_write_them(
    sentence_folder: Maker, checkpoint: Path, config: dict[str, Any], poolings: tuple[str, ...]
) -> None:
    encoder = SentenceEncoder.open(sentence_folder(modules=("Transformer", "Pooling"), pooling=config))
    assert encoder.settings.poolings == poolings
    each = [SentenceEncoder.open(checkpoint, mode).encode(TEXTS) for mode in poolings]
    found = encoder.encode(TEXTS)
    assert found.shape == (len(TEXTS), encoder.dim)
    np.testing.assert_allclose(found, np.concatenate(each, axis=1), atol=1e-6)


def test_the_newest_names_of_modules_are_known(sentence_folder: Maker) -> None:
    names = "base.modules.transformer.Transformer", "sentence_transformer.modules.pooling.Pooling"
    folder = sentence_folder(modules=tuple(f"sentence_transformers.{name}" for name in names))
    listed = [
        {"path": path, "type": each["type"]}
        for path, each in zip(["", "1_Pooling"], json.loads((folder / "modules.json").read_text()), strict=True)
    ]
    (folder / "modules.json").write_text(json.dumps(listed))
    (folder / "1_Pooling").mkdir(exist_ok=True)
    (folder / "1_Pooling" / "config.json").write_text('{"pooling_mode": "cls"}')
    assert SentenceEncoder.open(folder).settings.poolings == ("cls",)


def test_the_checkpoint_may_be_in_a_folder_of_its_own(sentence_folder: Maker, checkpoint: Path) -> None:
    folder = sentence_folder(modules=("Transformer", "Pooling"), body="0_BERT", text={"max_seq_length": 11})
    encoder = SentenceEncoder.open(folder)
    assert encoder.max_length == 11
    np.testing.assert_allclose(encoder.encode(TEXTS[:2]), SentenceEncoder.open(checkpoint).encode(TEXTS[:2]), atol=1e-6)


def test_a_pooling_that_is_asked_for_takes_the_place_of_the_folders(sentence_folder: Maker) -> None:
    assert SentenceEncoder.open(sentence_folder(), "max").settings.poolings == ("max",)


def test_a_default_prompt_comes_before_every_text(sentence_folder: Maker, checkpoint: Path) -> None:
    prompts = {"prompts": {"query": "find ", "document": ""}, "default_prompt_name": "query"}
    encoder = SentenceEncoder.open(sentence_folder(modules=("Transformer", "Pooling"), prompts=prompts))
    np.testing.assert_allclose(
        encoder.encode(["the sea"]), SentenceEncoder.open(checkpoint).encode(["find the sea"]), atol=1e-6
    )


def test_lower_case_is_the_folders_wish_or_the_tokenizers(sentence_folder: Maker) -> None:
    folder = sentence_folder(text={"do_lower_case": True})
    BertTokenizer.from_pretrained(BUNDLED, do_lower_case=False).save_pretrained(folder)
    upper, lower = SentenceEncoder.open(folder).encode(["THE SEA", "the sea"])
    assert np.array_equal(upper, lower)


@pytest.mark.parametrize(
    ("made", "said"),
    [
        ({"modules": ("Transformer", "Pooling", "Dense")}, r"lists .*Dense \('2_Dense'\)"),
        ({"modules": ("Transformer", "Normalize")}, r"lists Transformer \(''\), Normalize"),
        ({"modules": ("Transformer", "my_code.Pooling")}, r"my_code\.Pooling"),
        ({"pooling": {"pooling_mode": "sum"}}, "pooling_mode is .*sum.*known are cls, max"),
        ({"pooling": {"pooling_mode_median_tokens": True}}, "pooling_mode_median_tokens is True, which is not known"),
        ({"text": {"max_seq_length": 0}}, "max_seq_length should be a whole number of at least 3, and is 0"),
        ({"text": {"max_seq_length": "256"}}, "max_seq_length should be a whole number"),
        ({"text": {"transformer_task": "fill-mask"}}, "transformer_task is 'fill-mask', which is not known here"),
        ({"text": {"model_args": {"torch_dtype": "float16"}}}, "model_args is .*float16"),
        (
            {
                "pooling": {"pooling_mode": "mean", "include_prompt": False},
                "prompts": {"prompts": {"q": "find "}, "default_prompt_name": "q"},
            },
            "include_prompt is false",
        ),
        ({"prompts": {"prompts": {"q": "find "}, "default_prompt_name": "p"}}, "default_prompt_name is 'p', which"),
    ],
)
def test_what_is_not_known_is_refused_by_name(sentence_folder: Maker, made: dict[str, Any], said: str) -> None:
    with pytest.raises(CheckpointError, match=said):
        SentenceEncoder.open(sentence_folder(**made))


@pytest.mark.parametrize(
    "content",
    ["{}", "[1]", '[{"type": "sentence_transformers.models.Transformer"}]', "[", '[{"type": "x", "path": "../.."}]'],
)
def test_damaged_modules_are_refused(sentence_folder: Maker, content: str) -> None:
    folder = sentence_folder()
    (folder / "modules.json").write_text(content)
    with pytest.raises(CheckpointError, match=r"modules\.json"):
        SentenceEncoder.open(folder)


def test_an_unknown_pooling_is_refused_before_anything_is_loaded() -> None:
    with pytest.raises(ValueError, match="pooling is 'median'; choose one of cls"):
        SentenceEncoder.open("no-such-model", "median")


# ----------------------------------------------------------------------------------------------------- the fingerprint


def test_the_fingerprint_is_the_models_and_its_settings(checkpoint: Path, tmp_path: Path) -> None:
    first = SentenceEncoder.open(checkpoint).fingerprint()
    copied = tmp_path / "moved"
    copied.mkdir()
    for file in checkpoint.iterdir():
        (copied / file.name).write_bytes(file.read_bytes())
    assert SentenceEncoder.open(copied, fast=True).fingerprint() == first
    other = SentenceEncoder.open(checkpoint)
    with torch.no_grad():
        other.model.embeddings.word_embeddings.weight[77, 3] += 1e-3
    changed = [SentenceEncoder.open(checkpoint, "cls"), SentenceEncoder.open(checkpoint), other]
    changed[1].max_length = 20
    assert len({first, *(each.fingerprint() for each in changed)}) == 4


def test_a_prompt_is_in_lower_case_too_where_texts_are(sentence_folder: Maker, checkpoint: Path) -> None:
    prompts = {"prompts": {"query": "Find The "}, "default_prompt_name": "query"}
    made = {"modules": ("Transformer", "Pooling"), "text": {"do_lower_case": True}, "prompts": prompts}
    folder = sentence_folder(**made)
    BertTokenizer.from_pretrained(BUNDLED, do_lower_case=False).save_pretrained(folder)
    expected = SentenceEncoder.open(checkpoint).encode(["find the sea"])
    np.testing.assert_allclose(SentenceEncoder.open(folder).encode(["SEA"]), expected, atol=1e-6)


def test_a_text_is_no_list_of_its_letters(checkpoint: Path) -> None:
    with pytest.raises(ValueError, match=r"Give a list of texts, also for one: encode\(\[text\]\)"):
        SentenceEncoder.open(checkpoint).encode("sea")
