"""A tiny BERT as sentence-transformers keeps it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from minibert import BertModel, BertTokenizer
from tests.unit.tiny_bert import BUNDLED, tiny

Maker = Callable[..., Path]
LIBRARY = "sentence_transformers.models."


def write(path: Path, content: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny BERT with the bundled vocabulary and 24 positions."""
    folder = tmp_path_factory.mktemp("checkpoint")
    tiny(BertModel, vocab_size=8192).save_pretrained(folder)
    BertTokenizer.from_pretrained(BUNDLED).save_pretrained(folder)
    return folder


@pytest.fixture
def sentence_folder(checkpoint: Path, tmp_path: Path) -> Maker:
    """Makes a folder of sentence-transformers around the checkpoint: its modules' names, and the contents of their files."""

    def make(
        modules: tuple[str, ...] = ("Transformer", "Pooling", "Normalize"),
        pooling: dict[str, Any] | None = None,
        text: dict[str, Any] | None = None,
        prompts: dict[str, Any] | None = None,
        body: str = "",
    ) -> Path:
        folder = tmp_path / "sentences"
        paths = [body, *(f"{n}_{module}" for n, module in enumerate(modules[1:], start=1))]
        listed = [
            {"idx": n, "name": str(n), "path": path, "type": module if "." in module else LIBRARY + module}
            for n, (module, path) in enumerate(zip(modules, paths, strict=True))
        ]
        write(folder / "modules.json", listed)
        for file in checkpoint.iterdir():
            (folder / body).mkdir(exist_ok=True)
            (folder / body / file.name).write_bytes(file.read_bytes())
        if text is not None:
            write(folder / body / "sentence_bert_config.json", text)
        write(folder / "1_Pooling" / "config.json", {"pooling_mode": "mean"} if pooling is None else pooling)
        if prompts is not None:
            write(folder / "config_sentence_transformers.json", prompts)
        return folder

    return make
