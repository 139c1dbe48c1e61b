"""Opening a trained checkpoint says what the user must know, and nothing else."""

from __future__ import annotations

import logging
import shutil
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from trained import BUNDLED, BUNDLED_NAME, MINILM

import minibert

BIAS, DECODER_BIAS = "cls.predictions.bias", "cls.predictions.decoder.bias"
WORDS, DECODER = "bert.embeddings.word_embeddings.weight", "cls.predictions.decoder.weight"


@pytest.fixture
def open_silently(
    capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> Callable[[Callable[[], Any]], Any]:
    """Run something that must not print, log at any level, or warn; its result."""

    def run(opening: Callable[[], Any]) -> Any:
        with warnings.catch_warnings(record=True) as warned, caplog.at_level(logging.DEBUG):
            warnings.simplefilter("always")
            result = opening()
        assert capfd.readouterr() == ("", "")
        assert caplog.records == []
        assert [str(warning.message) for warning in warned] == []
        return result

    return run


@pytest.fixture
def rewritten(tmp_path: Path) -> Callable[[Callable[[dict[str, Tensor]], None]], Path]:
    """A copy of the bundled checkpoint with its tensors changed by a function."""

    def make(change: Callable[[dict[str, Tensor]], None]) -> Path:
        tensors = load_file(BUNDLED / "model.safetensors")
        change(tensors)
        shutil.copy(BUNDLED / "config.json", tmp_path)
        save_file(tensors, tmp_path / "model.safetensors", metadata={"format": "pt"})
        return tmp_path

    return make


def test_the_bundled_weights_open_without_a_word(open_silently: Callable[..., Any]) -> None:
    model = open_silently(lambda: minibert.BertForPreTraining.from_pretrained(BUNDLED_NAME))
    assert not model.loading_report.needs_attention
    assert not model.loading_report.new
    assert not model.loading_report.left_over
    assert {finding.name for finding in model.loading_report.tied} == {DECODER, DECODER_BIAS}


def test_a_fresh_process_prints_nothing() -> None:
    program = f"import minibert; minibert.BertForPreTraining.from_pretrained({BUNDLED_NAME!r})"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")


def without_decoder_bias(tensors: dict[str, Tensor]) -> None:
    """What the bundled file and most of the era hold: the bias under the head's name alone."""
    assert BIAS in tensors
    tensors.pop(DECODER_BIAS, None)


def with_the_decoders_name_only(tensors: dict[str, Tensor]) -> None:
    """The bias as part of the decoder."""
    tensors[DECODER_BIAS] = tensors.pop(BIAS)


def with_every_duplicate(tensors: dict[str, Tensor]) -> None:
    """What a `pytorch_model.bin` of the era holds: each tied tensor twice, and the position counter."""
    tensors[DECODER_BIAS] = tensors[BIAS].clone()
    tensors[DECODER] = tensors[WORDS].clone()
    tensors["bert.embeddings.position_ids"] = torch.arange(256)[None]


@pytest.mark.parametrize("change", [without_decoder_bias, with_the_decoders_name_only, with_every_duplicate])
@pytest.mark.parametrize("class_name", ["BertForPreTraining", "BertForMaskedLM", "BertModel"])
def test_every_spelling_of_the_tied_decoder_opens_without_a_word(
    class_name: str,
    change: Callable[[dict[str, Tensor]], None],
    rewritten: Callable[..., Path],
    open_silently: Callable[..., Any],
) -> None:
    folder = rewritten(change)
    model = open_silently(lambda: getattr(minibert, class_name).from_pretrained(folder))
    assert not model.loading_report.needs_attention
    assert not model.loading_report.new
    if class_name != "BertModel":
        decoder = model.get_output_embeddings()
        assert decoder.weight is model.get_input_embeddings().weight
        assert decoder.bias is model.cls.predictions.bias
        stored = load_file(BUNDLED / "model.safetensors")[BIAS]
        assert stored.count_nonzero() > 1000
        assert torch.equal(decoder.bias, stored.float())


def test_minilm_opens_without_a_word(open_silently: Callable[..., Any]) -> None:
    model = open_silently(lambda: minibert.BertModel.from_pretrained(MINILM))
    assert not model.loading_report.needs_attention
    assert not model.loading_report.new


def test_minilm_has_no_masked_word_head_and_loading_says_so(caplog: pytest.LogCaptureFixture) -> None:
    model = minibert.BertForMaskedLM.from_pretrained(MINILM)
    report = model.loading_report
    assert report.needs_attention
    assert {finding.name for finding in report.new} == {
        BIAS,
        "cls.predictions.transform.dense.weight",
        "cls.predictions.transform.dense.bias",
        "cls.predictions.transform.LayerNorm.weight",
        "cls.predictions.transform.LayerNorm.bias",
    }
    assert all(finding.needs_attention for finding in report.new)
    assert not any(finding.needs_attention for finding in report.left_over)  # the pooler, which this class lacks
    (record,) = [record for record in caplog.records if record.name == "minibert"]
    assert record.levelno == logging.WARNING
    assert "newly initialised: cls.predictions." in record.getMessage()
    assert model.get_output_embeddings().weight is model.get_input_embeddings().weight
