"""What a page carries, and its modules asked without a browser."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from minibert import BertPreTrainedModel, BertTokenizer
from minibert.playground.stages import stages_of
from minibert.playground.writer import network_of, tokens_of, weights_of

HERE = Path(__file__).parent
needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="there is no node")
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefghij", *(f"##{letter}" for letter in "abcdefghij")]


def tiny_tokenizer(**settings: Any) -> BertTokenizer:
    """A vocabulary of 99 pieces: the special ones, letters, and numbers."""
    pieces = [*WORDS, *map(str, range(99 - len(WORDS)))]
    return BertTokenizer({piece: index for index, piece in enumerate(pieces)}, **settings)


def half(model: BertPreTrainedModel) -> BertPreTrainedModel:
    """The model with each number as a page holds it, in float16, which is computed with in float32."""
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(parameter.half().float())
    return model.eval()


def carried(model: BertPreTrainedModel | None, tokenizer: BertTokenizer | None) -> dict[str, Any]:
    """What a page would carry."""
    data: dict[str, Any] = {}
    if tokenizer is not None:
        data["tokens"] = tokens_of(tokenizer, len(tokenizer))
    if model is not None:
        numbers, data["weights"] = weights_of(model)
        data |= {
            "numbers": base64.b64encode(numbers).decode(),
            "network": network_of(model),
            "stages": stages_of(model),
        }
    return data


def ask(folder: Path, data: dict[str, Any], questions: list[Any]) -> list[Any]:
    """The answers of the page's modules, run by node."""
    path = folder / "data.json"
    path.write_text(json.dumps(data), encoding="utf-8")
    command = ["node", str(HERE / "ask.mjs"), str(path)]
    run = subprocess.run(command, input=json.dumps(questions), capture_output=True, text=True, encoding="utf-8")
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def tensor(matrix: dict[str, Any]) -> Tensor:
    """A matrix of an answer, (rows, columns)."""
    values = np.frombuffer(base64.b64decode(matrix["data"]), "<f4").reshape(matrix["rows"], matrix["columns"])
    return torch.from_numpy(values.copy())
