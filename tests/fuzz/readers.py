"""Every reader of foreign files and texts, with good files to spoil, and what has to hold when one is read all the same.

A reader may refuse: with a `CheckpointError`, or a ValueError of whole words (a codec's error is none). It may read. Everything
else is a finding: another exception, another answer than the file's, a hang, much memory, the end of the process.
"""

from __future__ import annotations

import json
import shutil
import struct
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from minibert import BertConfig, BertForSequenceClassification, BertTokenizer
from minibert.checkpoints.read import open_weights
from minibert.data.corpus import TRAIN, PreparedData
from minibert.data.prepare import prepare
from minibert.data.pretraining_batches import PretrainingBatches
from minibert.data.sentences import read_documents
from minibert.tasks import read_choices, read_classification, read_sentence_pairs, read_squad, read_tags
from minibert.tasks.classification import MULTI, REGRESSION
from minibert.training.pretraining import parse_phases
from minibert.training.run_files import RunCheckpoints, RunLog, read_log, results_table
from tests.unit.checkpoints.tensorflow_writer import write_checkpoint

PIECES = [
    "[PAD]",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    "[MASK]",
    *"abcdefgh",
    *(f"##{c}" for c in "abcdefgh"),
    ".",
    "the",
    "cat",
    "sat",
]
SIZES = {"vocab_size": len(PIECES), "hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2}
SIZES |= {"intermediate_size": 8, "max_position_embeddings": 16}
TEXTS = ["The cat sat.", "[CLS] a [MASK] xnew zz", "caf\u00e9 \u202e東京\u0301\u0301 \u200d", ""]


class WrongAnswerError(Exception):
    """A damaged file was read, and as something that it does not say."""


class Reader(NamedTuple):
    """write: makes a folder of good files. spoiled: which of them are spoiled. read: reads the folder, and checks the answer."""

    write: Callable[[Path], object]
    spoiled: tuple[str, ...]
    read: Callable[[Path], object]


# ------------------------------------------------------------------------------------------------------------- weights


def _model(folder: Path, **saving: object) -> None:
    torch.manual_seed(0)
    model = BertForSequenceClassification(BertConfig(**SIZES, id2label={0: "no", 1: "yes"}))
    model.save_pretrained(folder, **saving)


def _tensorflow(folder: Path) -> None:
    _model(folder)
    (folder / "model.safetensors").unlink()
    names = ("bert/embeddings/word_embeddings", "bert/pooler/dense/kernel", "bert/pooler/dense/bias", "global_step")
    tensors = [torch.arange(n * 8.0).view(n, 8) for n in (len(PIECES), 8)] + [torch.ones(8), torch.tensor(7)]
    write_checkpoint(folder, dict(zip(names, tensors, strict=True)))


def _stored(path: Path) -> dict[str, Tensor]:
    """The tensors of a weight file, read by other means than minibert's."""
    if path.suffix == ".bin":
        try:
            tensors, mapped = torch.load(path, weights_only=True), torch.load(path, weights_only=True, mmap=True)
        except Exception:  # PyTorch asks more of an archive: a version, a folder, names of devices
            return {}
        # Of some spoiled archives PyTorch's own tensors are whatever lay in memory.
        return {name: tensor for name, tensor in tensors.items() if tensor.equal(mapped[name])}
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    kinds = {"F32": "<f4", "F64": "<f8", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "i1", "U8": "u1"}
    found = {}
    for name, entry in json.loads(data[8 : 8 + length]).items():
        if name != "__metadata__" and entry["dtype"] in kinds:
            first, end = entry["data_offsets"]
            numbers = np.frombuffer(data[8 + length + first : 8 + length + end], kinds[entry["dtype"]])
            found[name] = torch.from_numpy(numbers.reshape(entry["shape"]).copy())
    return found


def _read_weights(folder: Path) -> None:
    with open_weights(folder) as weights:
        read = {name: tensor.read() for name, tensor in weights.items()}
        paths = {tensor.path for tensor in weights.values()}
    for path in paths:
        if path is not None and path.suffix != ".index":
            for name, tensor in _stored(path).items():
                if name in read and not torch.equal(read[name].nan_to_num(), tensor.nan_to_num()):
                    raise WrongAnswerError(f"{name} holds other numbers than {path.name}")
    partly = any(path is not None and path.suffix == ".index" for path in paths)
    model = BertForSequenceClassification.from_pretrained(folder, allow_missing=partly)
    if not all(torch.isfinite(parameter).all() for parameter in model.parameters()):
        raise WrongAnswerError("a model was opened whose weights are no numbers")


def _read_config(folder: Path) -> None:
    config = BertConfig.from_pretrained(folder)
    assert BertConfig.from_dict(json.loads(config.to_json_string(use_diff=False))).to_dict() == config.to_dict()
    repr(config)
    model = BertForSequenceClassification.from_pretrained(folder)
    model(torch.tensor([[2, 5, 3]]))


# ----------------------------------------------------------------------------------------------------------- tokenizers


def _tokenizer(folder: Path) -> None:
    (folder / "vocab.txt").write_text("\n".join(PIECES) + "\n", encoding="utf-8")
    tokenizer = BertTokenizer(folder / "vocab.txt", never_split=["zz"], additional_special_tokens=["[X]"])
    tokenizer.add_tokens(["xnew"])
    tokenizer.add_special_tokens({"additional_special_tokens": ["[X]"]})
    tokenizer.save_pretrained(folder)


def _whole_tokenizer(folder: Path) -> None:
    parts = {"SpecialToken": lambda token, kind: {"SpecialToken": {"id": token, "type_id": kind}}}
    special = parts["SpecialToken"]
    single = [special("[CLS]", 0), {"Sequence": {"id": "A", "type_id": 0}}, special("[SEP]", 0)]
    pair = [*single, {"Sequence": {"id": "B", "type_id": 1}}, special("[SEP]", 1)]
    whole = {
        "truncation": {"direction": "Right", "max_length": 16, "strategy": "LongestFirst", "stride": 0},
        "padding": {
            "strategy": "BatchLongest",
            "direction": "Right",
            "pad_id": 0,
            "pad_type_id": 0,
            "pad_token": "[PAD]",
        },
        "added_tokens": [{"id": len(PIECES), "content": "xnew", "special": False, "normalized": True}],
        "normalizer": {"type": "BertNormalizer", "lowercase": True, "strip_accents": None, "clean_text": True},
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": {"type": "TemplateProcessing", "single": single, "pair": pair},
        "model": {"type": "WordPiece", "unk_token": "[UNK]", "vocab": {piece: n for n, piece in enumerate(PIECES)}},
    }
    (folder / "tokenizer.json").write_text(json.dumps(whole), encoding="utf-8")
    (folder / "config.json").write_text(json.dumps({"model_type": "bert"}), encoding="utf-8")


def _read_tokenizer(folder: Path) -> None:
    tokenizer = BertTokenizer.from_pretrained(folder)
    ids = [_used(tokenizer, text) for text in TEXTS]
    tokenizer(TEXTS, padding=tokenizer.pad_token is not None, truncation=True)
    with tempfile.TemporaryDirectory() as again:
        tokenizer.save_pretrained(again)
        if sorted(tokenizer.vocab.values()) == list(range(len(tokenizer.vocab))):
            opened = BertTokenizer.from_pretrained(again)
            if [_used(opened, text) for text in TEXTS] != ids:
                raise WrongAnswerError("saved and opened again, the tokenizer gives other ids")


def _used(tokenizer: BertTokenizer, text: str) -> list[int]:
    encoding = tokenizer(text, verbose=False)
    tokenizer.decode(encoding["input_ids"], skip_special_tokens=True)
    encoding.word_ids()
    return encoding["input_ids"]


def _read_text(folder: Path) -> None:
    """A text is cut into the same ids however it is asked for, and offsets lie inside it."""
    text = (folder / "text.txt").read_bytes().decode("utf-8", errors="surrogateescape")
    tokenizer = BertTokenizer.from_pretrained(folder)
    encoding = tokenizer(text, return_offsets_mapping=True, verbose=False)
    if tokenizer.convert_tokens_to_ids(tokenizer.tokenize(text)) != encoding["input_ids"][1:-1]:
        raise WrongAnswerError("tokenize and __call__ disagree")
    if not all(0 <= begin <= end <= len(text) for begin, end in encoding["offset_mapping"]):
        raise WrongAnswerError("an offset lies outside the text")
    tokenizer.decode(encoding["input_ids"])


# ------------------------------------------------------------------------------------------------------- files of tasks

TASK_FILES = {
    "texts.csv": "text,label\nthe cat,yes\n\"a, b\",no\nsat,yes\n",
    "texts.tsv": "text\tlabel\nthe cat\t1\nsat\t0\n",
    "texts.jsonl": '{"text": "a", "label": ["x"], "score": 1}\n{"text": "b", "label": ["y", "x"], "score": 2}\n',
    "texts.json": '[{"text": "a", "label": "x"}, {"text": "b", "label": "y"}]',
    "choices.csv": ",context,ending0,ending1,label\n0,the cat,sat,ran,0\n1,a dog,sat,ran,1\n",
    "choices.jsonl": '{"sent1": "the", "ending0": "a", "ending1": "b", "label": 1}\n',
    "tags.conll": "-DOCSTART- -X- O O\n\nthe DT O\ncat NN B-X\n\nsat VB O\n",
    "tags.conllu": "# text = the cat\n1\tthe\tthe\tDET\tDT\t_\t2\tdet\t_\t_\n2\tcat\tcat\tNOUN\tNN\t_\t0\troot\t_\t_\n\n",
    "tags.csv": "Sentence #,Word,POS,Tag\nSentence: 1,the,DT,O\n,cat,NN,B-X\nSentence: 2,sat,VB,O\n",
    "tags.jsonl": '{"words": ["the", "cat"], "ner": ["O", "B-X"]}\n{"tokens": ["a"], "ner_tags": [1]}\n',
    "squad.json": json.dumps({"data": [{"title": "t", "paragraphs": [{"context": "the cat sat", "qas": [
        {"id": "1", "question": "who?", "answers": [{"text": "cat", "answer_start": 4}], "is_impossible": False},
        {"id": "2", "question": "when?", "answers": [], "is_impossible": True}]}]}]}),
    "plain.txt": "The cat sat. It sat.\nA cat.\n\nThe end. Of it.\n",
}  # fmt: skip


def _write_tasks(folder: Path) -> None:
    for name, content in TASK_FILES.items():
        (folder / name).write_text(content, encoding="utf-8")


def _read_tasks(folder: Path) -> None:
    """The file that was spoiled is the newest."""
    path = max(folder.iterdir(), key=lambda path: path.stat().st_mtime_ns)
    kinds = {"texts": (read_classification, *_OTHER_LABELS), "choices": (read_choices,), "tags": (read_tags,)}
    kinds |= {"squad": (read_squad,), "plain": (lambda path: read_sentence_pairs(path, seed=0),)}
    refusals = []
    for read in kinds[path.stem]:
        try:
            str(read(path).report)
        except ValueError as error:
            refusals.append(error)
    for error in refusals:
        raise error


_OTHER_LABELS = (lambda path: read_classification(path, REGRESSION), lambda path: read_classification(path, MULTI))


# ------------------------------------------------------------------------------------------------------------- corpora


def _write_corpus(folder: Path) -> None:
    _tokenizer(folder)
    (folder / "text.txt").write_text(TASK_FILES["plain.txt"] * 3, encoding="utf-8")


def _prepare(folder: Path) -> None:
    list(read_documents(folder / "text.txt", False))
    shutil.rmtree(folder / "corpus", ignore_errors=True)
    prepare([folder / "text.txt"], folder / "corpus", BertTokenizer.from_pretrained(folder), held_out=0)
    _read_prepared(folder)


def _write_prepared(folder: Path) -> None:
    _write_corpus(folder)
    _prepare(folder)


def _read_prepared(folder: Path) -> None:
    data = PreparedData.open(folder / "corpus")
    data.unigram_entropy.is_integer()
    tokenizer = BertTokenizer.from_pretrained(data.folder)
    rows = PretrainingBatches(data.corpus(TRAIN), tokenizer, seed=0)
    for pairs in (False, True):
        batch = rows.batch(1, 0, range(4), length=12, pairs=pairs)
        if int(batch["input_ids"].max()) >= len(tokenizer):
            raise WrongAnswerError("a batch has ids that the tokenizer does not know")


# ---------------------------------------------------------------------------------------------------------------- runs


def _write_run(folder: Path) -> None:
    lines = [{"step": step, "loss": 0.5, "evaluation_loss": 0.25} for step in (1, 2, 3)]
    (folder / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    step = folder / "checkpoints" / "step-00000003"
    step.mkdir(parents=True)
    torch.save({"step": 3, "optimizer": {"state": {0: torch.ones(3)}}, "best": None}, step / "training_state.pt")


def _read_run(folder: Path) -> None:
    RunLog(folder / "log.jsonl", 10, 2, quiet=False).bar.close()
    results_table(read_log(folder / "log.jsonl"), 1)
    checkpoints = RunCheckpoints(folder / "checkpoints")
    checkpoints.load(checkpoints.newest() or 3)


def _read_phases(folder: Path) -> None:
    parse_phases((folder / "phases.txt").read_bytes().decode("utf-8", errors="replace"))


READERS = {
    "safetensors": Reader(_model, ("model.safetensors",), _read_weights),
    "bin": Reader(lambda folder: _model(folder, safe_serialization=False), ("pytorch_model.bin",), _read_weights),
    "shards": Reader(
        lambda folder: _model(folder, max_shard_size=1500), ("model.safetensors.index.json",), _read_weights
    ),
    "tensorflow": Reader(
        _tensorflow, ("model.ckpt.index", "model.ckpt.index", "model.ckpt.data-00000-of-00001"), _read_weights
    ),
    "config": Reader(_model, ("config.json",), _read_config),
    "tokenizer": Reader(
        _tokenizer,
        ("vocab.txt", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"),
        _read_tokenizer,
    ),
    "tokenizer.json": Reader(_whole_tokenizer, ("tokenizer.json",), _read_tokenizer),
    "text": Reader(_write_corpus, ("text.txt",), _read_text),
    "tasks": Reader(_write_tasks, tuple(TASK_FILES), _read_tasks),
    "prepare": Reader(_write_corpus, ("text.txt",), _prepare),
    "prepared": Reader(
        _write_prepared,
        tuple(
            f"corpus/{name}"
            for name in (
                "manifest.json",
                "vocab.txt",
                *(f"train/{n}.bin" for n in ("tokens", "sentences", "documents")),
            )
        ),
        _read_prepared,
    ),
    "run": Reader(_write_run, ("log.jsonl", "log.jsonl", "checkpoints/step-00000003/training_state.pt"), _read_run),
    "phases": Reader(
        lambda folder: (folder / "phases.txt").write_text("16:0.2,64:0.4,128:0.4"), ("phases.txt",), _read_phases
    ),
}
