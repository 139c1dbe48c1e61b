"""Kill writers at random moments and look at what they left: `python -m tests.hostile.kills --count 200`.

A writer works in a fork of this process, which SIGKILL ends after a random part of the time that it needs. Models and tokenizers, in each
form that they are saved in, have to open as the old ones or the new ones; prepared text is whole or not there; a run that was killed again
and again has to end with the bits of one that was not. The next writer removes what a kill left.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random

import torch

import tests.forks  # noqa: F401  # a writer that is killed takes no lock along
from minibert import BertConfig, BertForPreTraining, BertTokenizer
from minibert.cli import main as minibert
from tests.unit.tiny_bert import same_weights, tiny
from tests.unit.training.small_run import SPECIAL, config_file, corpus, log_of, text

FORMS = ({}, {"max_shard_size": 30_000}, {"safe_serialization": False})
FORMS += ({"max_shard_size": 50_000, "safe_serialization": False},)
KILLS_OF_A_RUN = 11


def finished(work: Callable[[], object], seconds: float | None = None) -> bool:
    """Do `work` in a fork, in silence; whether it came to its end before it was killed, after so many seconds."""
    child = os.fork()
    if child == 0:
        failed = 1
        try:
            torch.set_num_threads(1)  # a fork has none of its parent's threads
            sys.stdout = sys.stderr = open(os.devnull, "w")  # noqa: SIM115  # as long as the process
            work()
            failed = 0
        finally:
            os._exit(failed)
    if seconds is not None:
        time.sleep(seconds)
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status not in (0, -signal.SIGKILL):
        raise AssertionError(f"a writer failed with {status}")
    return status == 0


def time_of(work: Callable[[], object]) -> float:
    """How many seconds it takes when it is not killed."""
    began = time.monotonic()
    finished(work)
    return time.monotonic() - began


def kill_saving(folder: Path, random: Random, count: int) -> str:
    """A model and a tokenizer saved over others, again and again, in all forms."""
    models = tiny(BertForPreTraining), tiny(BertForPreTraining, seed=1, hidden_act="relu")
    words = [*SPECIAL, "a", "b"], [*SPECIAL, "b", "a", "c"]
    tokenizers = [
        BertTokenizer({word: i for i, word in enumerate(each)}, do_lower_case=len(each) > 7) for each in words
    ]

    def save(number: int, **form: object) -> None:
        models[number].save_pretrained(folder, **form)
        tokenizers[number].save_pretrained(folder)

    def save_for_ever() -> None:
        forms = Random(random.random())
        while True:
            for number in (1, 0):
                save(number, **forms.choice(FORMS))

    save(0)
    opened = Counter[str]()
    for _ in range(count):
        assert not finished(save_for_ever, random.uniform(0.005, 0.15))
        model, tokenizer = BertForPreTraining.from_pretrained(folder), BertTokenizer.from_pretrained(folder)
        acts = [each.config.hidden_act for each in models if same_weights(model, each)]
        assert acts == [model.config.hidden_act], "weights and config are of two saves"
        ways = [each.do_lower_case for each in tokenizers if each.get_vocab() == tokenizer.get_vocab()]
        assert ways == [tokenizer.do_lower_case], "a tokenizer's files are of two saves"
        opened["the new" if acts == ["relu"] else "the old"] += 1
    save(0)
    files = sorted(path.name for path in folder.iterdir())
    small = ["special_tokens_map.json", "tokenizer_config.json", "vocab.txt"]
    assert files == ["config.json", "model.safetensors", *small], files
    return f"{opened['the old']} opened as the old, {opened['the new']} as the new"


def kill_preparing(folder: Path, random: Random, count: int) -> str:
    """`minibert data prepare`, which is started again after each kill."""
    texts = folder / "texts"
    texts.mkdir()
    for number in range(6):
        (texts / f"{number}.txt").write_text(text(number, sentences=300), encoding="utf-8")

    def prepare(out: str, processes: int = 1) -> None:
        options = ("--out", str(folder / out), "--processes", str(processes))
        minibert(["data", "prepare", str(texts), *options], standalone_mode=False)

    seconds, killed = time_of(lambda: prepare("whole")), folder / "killed"
    kills = there = 0
    while kills < count:
        several = random.random() < 0.1  # processes, which take seconds to start
        kills += not finished(
            lambda n=1 + several: prepare("killed", n), random.uniform(0, 1.3 * seconds + 2 * several)
        )
        if killed.exists():
            there += 1
            assert contents(killed) == contents(folder / "whole")
            shutil.rmtree(killed)
    assert finished(lambda: prepare("killed"))
    assert contents(killed) == contents(folder / "whole")
    left = {path.name for path in folder.iterdir()} - {"killed", "texts", "whole"}
    assert not left, left
    return f"the folder was whole {there} times, else not there"


def kill_a_run(*arguments: str) -> Callable[[Path, Random, int], str]:
    """`minibert ARGUMENTS --out …` started again after each kill, in a folder that has a corpus, a config, texts and a model."""

    def kill(folder: Path, random: Random, count: int) -> str:
        data = corpus(folder)
        config = config_file(folder, data, dropout=0.1)
        lines = (f"{text(n, sentences=1).strip()},{n % 2}\n" for n in range(40))
        (folder / "texts.csv").write_text("text,label\n" + "".join(lines))
        BertForPreTraining(BertConfig.from_pretrained(config)).save_pretrained(folder / "model")
        BertTokenizer.from_pretrained(data.folder).save_pretrained(folder / "model")

        def run(out: str) -> None:
            os.chdir(folder)
            minibert([*arguments, "--out", out], standalone_mode=False)

        seconds = time_of(lambda: run("whole"))
        kills = runs = 0
        while kills < count:
            out = f"killed-{runs}"
            for _ in range(min(KILLS_OF_A_RUN, count - kills)):
                done = finished(lambda out=out: run(out), random.uniform(0.05, 0.7) * seconds)
                kills += not done
                seconds *= 0.8 if done else 1  # the first was slow
            assert finished(lambda out=out: run(out))
            assert_same_run(folder / out, folder / "whole")
            runs += 1
        return f"{runs} runs ended with the bits of a whole one"

    return kill


def assert_same_run(killed: Path, whole: Path) -> None:
    """The same model, optimizer and log to the bit, and nothing hidden."""
    assert contents(killed / "model") == contents(whole / "model")
    assert log_of(killed) == log_of(whole)
    left = [path.name for path in killed.rglob(".*")]
    assert not left, left
    states = [max((run / "checkpoints").glob("*/training_state.pt")) for run in (killed, whole)]
    ours, theirs = (torch.load(path, weights_only=True) for path in states)
    assert repr(ours["optimizers"]) == repr(theirs["optimizers"])
    for a, b in zip(*(state["optimizers"][0]["state"].values() for state in (ours, theirs)), strict=True):
        assert all(torch.equal(a[name], b[name]) for name in ("exp_avg", "exp_avg_sq"))


def contents(folder: Path) -> dict[str, bytes]:
    """The bytes of each file in it."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


PRETRAIN = "pretrain --data corpus --config config.json --steps 20 --tokens-per-step 256 --phases 16:0.4,32:0.6"
PRETRAIN += " --warmup-steps 5 --evaluate-every 10 --save-every 5 --precision float32"
FINETUNE = (
    "finetune classify --model model --train texts.csv --eval texts.csv --epochs 3 --batch-size 4 --max-length 16"
)
FINETUNE += " --save-every 4"
KINDS: dict[str, Callable[[Path, Random, int], str]] = {
    "saving": kill_saving,
    "data prepare": kill_preparing,
    "pretrain": kill_a_run(*PRETRAIN.split()),
    "pretrain, plain, accumulated": kill_a_run(*PRETRAIN.split(), "--plain", "--accumulate", "2"),
    "finetune": kill_a_run(*FINETUNE.split()),
    "finetune, fast, accumulated": kill_a_run(*FINETUNE.split(), "--fast", "--accumulate", "2"),
}


def main(arguments: list[str] | None = None) -> int:
    """Kill each kind of writer, and report."""
    parser = argparse.ArgumentParser(prog="python -m tests.hostile.kills", description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=200, help="kills, over all kinds (default 200)")
    parser.add_argument("--seed", type=int, default=0, help="of the moments, which are still never quite the same")
    asked = parser.parse_args(arguments)
    logging.disable(logging.CRITICAL)
    for number, (kind, kill) in enumerate(KINDS.items()):
        count = asked.count * (number + 1) // len(KINDS) - asked.count * number // len(KINDS)
        with tempfile.TemporaryDirectory() as folder:
            found = kill(Path(folder), Random(f"{kind} {asked.seed}"), count)
        print(f"{kind}: {count} kills, {found}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
