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

WITHIN = 5e-5  # of the largest number: how the two libraries round differs between processors


def random_inputs(rng: np.random.Generator, vocab_size: int, positions: int) -> dict[str, np.ndarray[Any, Any]]:
    """A batch of any shape and any mask, one with holes too, but for the first token, which every text has."""
    shape = int(rng.integers(1, 5)), int(rng.integers(2, positions + 1))
    mask = (rng.random(shape) < rng.random()).astype(np.int64)
    mask[:, 0] = 1
    ids, segments = rng.integers(0, vocab_size, shape), rng.integers(0, 2, shape)
    return {"input_ids": ids, "token_type_ids": segments, "attention_mask": mask}


def farthest(session: Any, model: Any, inputs: dict[str, np.ndarray[Any, Any]], names: list[str]) -> float:
    """The largest difference of any number; of an output with numbers above 1, as a share of the largest."""
    with torch.no_grad():
        outputs = model(**{name: torch.from_numpy(column) for name, column in inputs.items()})
    pairs = zip(session.run(names, inputs), (outputs[name].numpy() for name in names), strict=True)
    return max(float(np.abs(a - b).max() / max(1.0, np.abs(b).max())) for a, b in pairs)


def test_the_program_of_the_page_gives_the_models_numbers_for_two_hundred_shapes_and_masks() -> None:
    names = run("ONNX")
    session, model, outputs, rng = names["session"], names["model"], names["names"], np.random.default_rng(0)
    size, positions = model.config.vocab_size, model.config.max_position_embeddings
    shapes = [random_inputs(rng, size, 64) for _ in range(200)]
    longest = {name: np.ones((1, positions), dtype=np.int64) for name in shapes[0]}
    assert max(farthest(session, model, inputs, outputs) for inputs in [*shapes, longest]) < WITHIN
    hidden = shapes[0] | {"attention_mask": np.zeros_like(shapes[0]["attention_mask"])}
    assert farthest(session, model, hidden, outputs) < 1e-2


@pytest.mark.parametrize(
    ("class_name", "outputs"),
    [
        ("BertForMaskedLM", ["logits"]),
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
    named: dict[str, Any] = {"input_names": list(inputs), "output_names": outputs}
    torch.onnx.export(model, (), "model.onnx", kwargs=inputs, dynamic_shapes=dict.fromkeys(inputs, sides), **named)
    session, rng = onnxruntime.InferenceSession("model.onnx"), np.random.default_rng(0)
    assert max(farthest(session, model, random_inputs(rng, 99, 64), outputs) for _ in range(20)) < WITHIN
