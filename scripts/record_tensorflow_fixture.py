"""Record tests/fixtures/tensorflow: small checkpoints as Google's original BERT code saves them, by a real TensorFlow.

    python scripts/old_reference.py ENV && ENV/bin/pip install tensorflow-cpu safetensors
    ENV/bin/python scripts/record_tensorflow_fixture.py

The folders: pretraining (run_pretraining.py, with what its optimizer keeps), sharded (the same variables in two data
files), classifier and squad (after run_classifier.py and run_squad.py) and dtypes (one variable of each).

`expected.safetensors` beside each holds its tensors under PyTorch's names. They are laid out here by a table of their
own, and that of pretraining must equal what transformers 4.12.5 makes of the same files, or nothing is recorded.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import tensorflow.compat.v1 as tf
import torch
from safetensors.torch import load_file, save_file
from transformers import BertConfig, BertForPreTraining

FOLDER = Path(__file__).parents[1] / "tests" / "fixtures" / "tensorflow"
CONFIG = {
    "attention_probs_dropout_prob": 0.1,
    "hidden_act": "gelu",
    "hidden_dropout_prob": 0.1,
    "hidden_size": 8,
    "initializer_range": 0.02,
    "intermediate_size": 12,
    "max_position_embeddings": 16,
    "num_attention_heads": 2,
    "num_hidden_layers": 2,
    "type_vocab_size": 2,
    "vocab_size": 40,
}
HIDDEN, INTERMEDIATE, VOCABULARY = CONFIG["hidden_size"], CONFIG["intermediate_size"], CONFIG["vocab_size"]
LABELS = 3
DTYPES = (
    *(tf.float16, tf.bfloat16, tf.float32, tf.float64, tf.complex64, tf.complex128, tf.bool),
    *(tf.int8, tf.int16, tf.int32, tf.int64, tf.uint8, tf.uint16, tf.uint32, tf.uint64),
)


class Variable(NamedTuple):
    """Google's name, PyTorch's name, Google's shape, and whether PyTorch has the matrix the other way round."""

    google: str
    ours: str
    shape: tuple[int, ...]
    transposed: bool = False


def dense(google: str, ours: str, inputs: int, outputs: int) -> Iterator[Variable]:
    yield Variable(f"{google}/kernel", f"{ours}.weight", (inputs, outputs), transposed=True)
    yield Variable(f"{google}/bias", f"{ours}.bias", (outputs,))


def layer_norm(google: str, ours: str) -> Iterator[Variable]:
    yield Variable(f"{google}/LayerNorm/beta", f"{ours}.LayerNorm.bias", (HIDDEN,))
    yield Variable(f"{google}/LayerNorm/gamma", f"{ours}.LayerNorm.weight", (HIDDEN,))


def body() -> Iterator[Variable]:
    for kind, rows in (
        ("word", VOCABULARY),
        ("token_type", CONFIG["type_vocab_size"]),
        ("position", CONFIG["max_position_embeddings"]),
    ):
        name = f"{kind}_embeddings"
        yield Variable(f"bert/embeddings/{name}", f"bert.embeddings.{name}.weight", (rows, HIDDEN))
    yield from layer_norm("bert/embeddings", "bert.embeddings")
    for n in range(CONFIG["num_hidden_layers"]):
        google, ours = f"bert/encoder/layer_{n}", f"bert.encoder.layer.{n}"
        for part in ("query", "key", "value"):
            yield from dense(f"{google}/attention/self/{part}", f"{ours}.attention.self.{part}", HIDDEN, HIDDEN)
        yield from dense(f"{google}/attention/output/dense", f"{ours}.attention.output.dense", HIDDEN, HIDDEN)
        yield from layer_norm(f"{google}/attention/output", f"{ours}.attention.output")
        yield from dense(f"{google}/intermediate/dense", f"{ours}.intermediate.dense", HIDDEN, INTERMEDIATE)
        yield from dense(f"{google}/output/dense", f"{ours}.output.dense", INTERMEDIATE, HIDDEN)
        yield from layer_norm(f"{google}/output", f"{ours}.output")
    yield from dense("bert/pooler/dense", "bert.pooler.dense", HIDDEN, HIDDEN)


def pretraining_heads() -> Iterator[Variable]:
    google, ours = "cls/predictions/transform", "cls.predictions.transform"
    yield from dense(f"{google}/dense", f"{ours}.dense", HIDDEN, HIDDEN)
    yield from layer_norm(google, ours)
    yield Variable("cls/predictions/output_bias", "cls.predictions.bias", (VOCABULARY,))
    yield from output("cls/seq_relationship/", "cls.seq_relationship", 2)


def output(scope: str, ours: str, labels: int) -> Iterator[Variable]:
    yield Variable(f"{scope}output_weights", f"{ours}.weight", (labels, HIDDEN))
    yield Variable(f"{scope}output_bias", f"{ours}.bias", (labels,))


def record(name: str, variables: list[Variable], checkpoint: str = "bert_model.ckpt", shards: int = 1) -> None:
    """Write the checkpoint, its config and its expected tensors, with the two moments of each variable."""
    random = np.random.default_rng(0)
    values = {v.google: random.normal(size=v.shape).astype(np.float32) for v in variables}
    moments = {
        f"{google}/{moment}": random.random(value.shape, dtype=np.float32) * 0.01
        for google, value in values.items()
        for moment in ("adam_m", "adam_v")
    }
    save(name, checkpoint, {**values, **moments, "global_step": np.int64(20)}, shards)
    (FOLDER / name / "bert_config.json").write_text(json.dumps(CONFIG, indent=2) + "\n")
    expected = {v.ours: values[v.google].T if v.transposed else values[v.google] for v in variables}
    tensors = {ours: torch.from_numpy(value.copy(order="C")) for ours, value in expected.items()}
    save_file(tensors, FOLDER / name / "expected.safetensors")


def save(name: str, checkpoint: str, values: dict[str, np.ndarray | np.generic], shards: int = 1) -> None:
    """Let TensorFlow save variables of these values, each device's in a data file of its own."""
    folder = FOLDER / name
    folder.mkdir(parents=True, exist_ok=True)
    with tf.Graph().as_default(), tf.Session(config=tf.ConfigProto(device_count={"CPU": shards})) as session:
        for n, (google, value) in enumerate(values.items()):
            with tf.device(f"/cpu:{n % shards}"):
                tf.get_variable(google, initializer=value, use_resource=False)
        session.run(tf.global_variables_initializer())
        saver = tf.train.Saver(sharded=shards > 1)
        saver.save(session, str(folder / checkpoint), write_meta_graph=False, write_state=False)


def every_dtype() -> dict[str, np.ndarray]:
    """0 to 5 in two rows of three."""
    return {dtype.name: np.arange(6).reshape(2, 3).astype(dtype.as_numpy_dtype) for dtype in DTYPES}


def check_against_reference(name: str) -> None:
    """transformers 4.12.5 converts the same files to the same tensors, to the bit."""
    index = FOLDER / name / "bert_model.ckpt.index"
    model = BertForPreTraining.from_pretrained(str(index), from_tf=True, config=BertConfig(**CONFIG))
    expected = load_file(FOLDER / name / "expected.safetensors")
    expected["cls.predictions.decoder.weight"] = expected["bert.embeddings.word_embeddings.weight"]
    expected["cls.predictions.decoder.bias"] = expected["cls.predictions.bias"]
    converted = model.state_dict()
    converted.pop("bert.embeddings.position_ids")
    assert converted.keys() == expected.keys(), converted.keys() ^ expected.keys()  # noqa: S101  # a script for its author
    assert all(torch.equal(converted[ours], expected[ours]) for ours in expected)  # noqa: S101  # the same


def main() -> None:
    everything = [*body(), *pretraining_heads()]
    record("pretraining", everything)
    check_against_reference("pretraining")
    record("sharded", everything, "model.ckpt", shards=2)
    record("classifier", [*body(), *output("", "classifier", LABELS)], "model.ckpt")
    record("squad", [*body(), *output("cls/squad/", "qa_outputs", 2)], "model.ckpt")
    save("dtypes", "model.ckpt", every_dtype())


if __name__ == "__main__":
    main()
