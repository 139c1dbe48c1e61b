"""Shapes without numbers."""

from __future__ import annotations

import pytest

from tests.beside.page import run


def test_a_large_model_has_its_shapes_without_its_memory(capsys: pytest.CaptureFixture[str]) -> None:
    names = run("FakeTensorMode")
    assert capsys.readouterr().out == "torch.Size([64, 512, 1024]) 25\n"
    assert sum(each.numel() for each in names["outputs"].hidden_states) == 25 * 64 * 512 * 1024
