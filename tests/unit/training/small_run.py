"""A corpus and a recipe small enough to train on in a test, and the same run as a process of its own."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from minibert.data.corpus import PreparedData
from minibert.data.prepare import prepare
from minibert.optim import AdamW
from minibert.tokenization import BertTokenizer
from tests.forks import minibert

WORDS = [f"{a}{b}" for a in ("ba", "do", "fi", "gu", "ka", "le") for b in ("n", "r", "s", "t", "l", "m")]
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
SIZES = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "max_position_embeddings": 32,
}


def text(seed: int, sentences: int = 120) -> str:
    """Sentences in which each word makes the next one likely, so that there is something to learn."""
    noise = np.random.default_rng(seed)
    lines = []
    for _ in range(sentences):
        place, words = int(noise.integers(len(WORDS))), []
        for _ in range(int(noise.integers(3, 9))):
            words.append(WORDS[place])
            place = (place * 5 + 1 + int(noise.integers(2))) % len(WORDS)
        lines.append(" ".join(words).capitalize() + ".")
    return " ".join(lines) + "\n"


def tokenizer(folder: Path) -> BertTokenizer:
    """A tokenizer that knows the words; every second one as two pieces."""
    pieces = [word if i % 2 else word[:2] for i, word in enumerate(WORDS)]
    pieces += [f"##{word[2:]}" for i, word in enumerate(WORDS) if i % 2 == 0]
    path = folder / "vocab.txt"
    path.write_text("\n".join([*SPECIAL, ".", *dict.fromkeys(pieces)]) + "\n", encoding="utf-8")
    return BertTokenizer(str(path))


def corpus(folder: Path, files: int = 5, held_out: int = 3) -> PreparedData:
    """Some files of text, prepared in `folder/corpus`."""
    for i in range(files):
        (folder / f"text-{i}.txt").write_text(text(i), encoding="utf-8")
    prepare(sorted(folder.glob("text-*.txt")), folder / "corpus", tokenizer(folder), held_out=held_out)
    return PreparedData.open(folder / "corpus")


def config_file(folder: Path, data: PreparedData, dropout: float = 0.0) -> Path:
    """The config of a tiny model."""
    dropouts = {"hidden_dropout_prob": dropout, "attention_probs_dropout_prob": dropout}
    path = folder / "config.json"
    path.write_text(json.dumps({"vocab_size": data.manifest["vocab_size"], **SIZES, **dropouts}), encoding="utf-8")
    return path


def options(folder: Path, out: str, *more: str) -> list[str]:
    """What follows `minibert` in `minibert pretrain` on what `corpus` and `config_file` made."""
    return [
        *("pretrain", "--data", str(folder / "corpus"), "--config", str(folder / "config.json")),
        *("--out", str(folder / out), "--steps", "30", "--tokens-per-step", "256", "--phases", "16:0.4,32:0.6"),
        *("--warmup-steps", "5", "--evaluate-every", "15", "--save-every", "5", "--precision", "float32", *more),
    ]


def command(folder: Path, out: str, *more: str) -> list[str]:
    """What follows `python` in the same."""
    return ["-m", "minibert", *options(folder, out, *more)]


def start(words: list[str], launcher: tuple[str, ...] = ()) -> subprocess.Popen[str]:
    """Run it in a process of its own, with one thread."""
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "PYTHONUNBUFFERED": "1",
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    return subprocess.Popen(
        [sys.executable, *launcher, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment,
    )


def dying(words: list[str], what: str, when: int) -> Callable[[], object]:
    """The command line, killed by itself at a call of this number: of "step", the optimizer's, or "flush", with a checkpoint half written."""
    return partial(_dying, words, what, when)


def _dying(words: list[str], what: str, when: int) -> None:
    calls = itertools.count(1)
    owner, name = (AdamW, "step") if what == "step" else (os, "fsync")
    function = getattr(owner, name)

    def until_then(*arguments: object, **named: object) -> object:
        if next(calls) == when:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*arguments, **named)

    setattr(owner, name, until_then)
    minibert(words)()


def wait_for(run: subprocess.Popen[str], text: str) -> str:
    """Read what a run says until a line has this text in it; return that line."""
    assert run.stdout is not None
    said = []
    for line in run.stdout:
        said.append(line)
        if text in line:
            return line
    raise AssertionError(f"The run ended without saying {text!r}: {''.join(said)}")


def log_of(folder: Path) -> list[dict]:
    """The lines of a run's log, without its times."""
    lines = [json.loads(line) for line in (folder / "log.jsonl").read_text(encoding="utf-8").splitlines()]
    return [{name: value for name, value in line.items() if name != "seconds"} for line in lines]
