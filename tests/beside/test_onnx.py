"""ONNX Runtime computes what the model computes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import minibert
from minibert import BertConfig
from tests.beside.page import run

onnxruntime = pytest.importorskip("onnxruntime")
pytest.importorskip("onnxscript")


def random_inputs(rng: np.random.Generator, vocab_size: int, positions: int) -> dict[str, np.ndarray[Any, Any]]:
    """A batch of any shape, and any mask, also one that hides tokens in the middle or a whole row."""
    shape = int(rng.integers(1, 9)), int(rng.integers(2, positions + 1))
    ids = rng.integers(0, vocab_size, shape)
    return {
        "input_ids": ids, "token_type_ids": rng.integers(0, 2, shape), "attention_mask": (rng.random(shape) < rng.random()).astype(np.int64)
    }  # fmt: skip


def farthest(session: Any, model: Any, inputs: dict[str, np.ndarray[Any, Any]], names: list[str]) -> float:
    """The largest difference, of what is as large as 10 a tenth of it."""
    with torch.no_grad():
        outputs = model(**{name: torch.from_numpy(column) for name, column in inputs.items()})
    pairs = zip(session.run(names, inputs), (outputs[name].numpy() for name in names), strict=True)
    return max(float((np.abs(a - b) / np.maximum(1, np.abs(b))).max()) for a, b in pairs)


def test_the_program_of_the_page_gives_the_models_numbers_for_two_hundred_shapes_and_masks() -> None:
    names = run("ONNX")
    config, rng = names["model"].config, np.random.default_rng(0)
    found = [
        farthest(names["session"], names["model"], random_inputs(rng, config.vocab_size, 96), ["logits"])
        for _ in range(200)
    ]
    longest = random_inputs(rng, config.vocab_size, 2) | {
        name: np.ones((1, config.max_position_embeddings), dtype=np.int64) for name in ("input_ids", "token_type_ids", "attention_mask")
    }
    assert max(*found, farthest(names["session"], names["model"], longest, ["logits"])) < 1e-5


@pytest.mark.parametrize(
    ("class_name", "outputs"),
    [
        ("BertModel", ["last_hidden_state", "pooler_output"]),
        ("BertForPreTraining", ["prediction_logits", "seq_relationship_logits"]),
        ("BertForQuestionAnswering", ["start_logits", "end_logits"]),
        ("BertForTokenClassification", ["logits"]),
        ("BertForSequenceClassification", ["logits"]),
    ],
)
def test_every_kind_of_model_is_exported(class_name: str, outputs: list[str]) -> None:
    torch.manual_seed(0)
    sizes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64}
    model = getattr(minibert, class_name)(BertConfig(vocab_size=99, max_position_embeddings=64, **sizes)).eval()
    inputs = {name: torch.ones(2, 7, dtype=torch.long) for name in ("input_ids", "token_type_ids", "attention_mask")}
    sides = {0: torch.export.Dim("batch"), 1: torch.export.Dim("length", min=2, max=64)}
    torch.onnx.export(
        model, (), "model.onnx", kwargs=inputs, dynamic_shapes=dict.fromkeys(inputs, sides), input_names=list(inputs), output_names=outputs
    )  # fmt: skip
    session, rng = onnxruntime.InferenceSession("model.onnx"), np.random.default_rng(0)
    assert max(farthest(session, model, random_inputs(rng, 99, 64), outputs) for _ in range(20)) < 1e-5
