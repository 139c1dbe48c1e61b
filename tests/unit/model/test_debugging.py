"""Stepping in from `model(**inputs)`: few frames, all of them minibert's or PyTorch's."""

import gc
import sys
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
import torch

from minibert import BertForMaskedLM, BertForPreTraining, BertModel
from tests.unit.tiny_bert import BUNDLED, text_batch, tiny


class SoftmaxReached(Exception):  # noqa: N818  it is a signal, not an error
    """Ends the walk."""


def walk_to_the_softmax(
    model: torch.nn.Module, monkeypatch: pytest.MonkeyPatch
) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """(module, function) of every Python function entered on the way, and of the frames open at the end."""
    entered: list[tuple[str, str]] = []
    opened: list[tuple[str, str]] = []

    def on_call(frame: FrameType, event: str, _argument: Any) -> None:
        if event == "call" and frame.f_code is not stop_here.__code__:
            entered.append((frame.f_globals["__name__"], frame.f_code.co_name))

    def stop_here(*_args: Any, **_kwargs: Any) -> None:
        sys.settrace(None)
        frame = sys._getframe(1)
        while frame.f_globals["__name__"] != __name__:
            opened.append((frame.f_globals["__name__"], frame.f_code.co_name))
            frame = frame.f_back
        raise SoftmaxReached

    monkeypatch.setattr(torch, "softmax", stop_here)
    inputs = text_batch()
    tracer = sys.gettrace()
    gc.disable()  # what it calls (hypothesis counts its time) is not on the way
    sys.settrace(on_call)
    try:
        model(**inputs)
    except SoftmaxReached:
        return entered, opened[::-1]
    finally:
        sys.settrace(tracer)
        gc.enable()
    pytest.fail("the forward never reached torch.softmax")


MODELS = [BertModel, BertForMaskedLM, BertForPreTraining]


@pytest.mark.parametrize("model_class", MODELS)
def test_the_softmax_is_at_most_seven_functions_of_ours_away(
    model_class: type[BertModel], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, opened = walk_to_the_softmax(tiny(model_class), monkeypatch)
    ours = [function for module, function in opened if module.split(".")[0] == "minibert"]
    assert len(ours) <= 7
    assert ours[-1] == "eager_attention"


@pytest.mark.parametrize("model_class", MODELS)
def test_a_debugger_meets_only_frames_of_minibert_and_torch(
    model_class: type[BertModel], monkeypatch: pytest.MonkeyPatch
) -> None:
    entered, opened = walk_to_the_softmax(tiny(model_class), monkeypatch)
    assert {module.split(".")[0] for module, _ in entered} == {"minibert", "torch"}
    assert {module.split(".")[0] for module, _ in opened} == {"minibert", "torch"}


@pytest.mark.parametrize("model_class", MODELS)
def test_at_most_twenty_functions_of_ours_are_entered_before_the_softmax(
    model_class: type[BertModel], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = model_class.from_pretrained(BUNDLED)
    walks = []
    for _ in ("the first forward", "the second"):
        entered, _opened = walk_to_the_softmax(model, monkeypatch)
        walks.append([(module, function) for module, function in entered if module.startswith("minibert")])
    assert walks[0] == walks[1]
    assert len(walks[0]) <= 20
    assert all(module.startswith(("minibert.model.", "minibert.heads.")) for module, _ in walks[0])
    assert [function for _, function in walks[0]].count("check_inputs") == 1


def test_the_first_forward_of_a_loaded_model_too_meets_only_minibert_and_torch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    BertModel.from_pretrained(BUNDLED).save_pretrained(tmp_path)  # float32, and large enough for huge pages
    entered, _ = walk_to_the_softmax(BertModel.from_pretrained(tmp_path), monkeypatch)
    assert {module.split(".")[0] for module, _ in entered} == {"minibert", "torch"}
