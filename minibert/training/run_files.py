"""A training run on disk.

    checkpoints/step-00000500/    model, tokenizer, and training_state.pt: optimizer, schedule, random states, best metrics
    log.jsonl                     a JSON object a line, each with its step
    model/, curve.png             at the end: the best checkpoint, and its loss over the steps

A checkpoint is written under a temporary name, flushed, and renamed: a run that is killed at any moment leaves the last good
one. The newest few are kept, and the best.
"""

import json
import re
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

from ..checkpoints import replacing, write_text_atomically
from ..checkpoints.changes import changing, lock
from ..checkpoints.save import write_pickle
from ..terminal import table
from ..visible import visible
from .recipe import plain

STATE = "training_state.pt"
SECONDS_BETWEEN_LINES = 30.0
EVALUATION = "evaluation_"  # begins the names of an evaluation's metrics in a log
_GOES_ON = "The same command goes on from the last checkpoint."
_NAME = re.compile(r"step-(\d{8})")


@dataclass(frozen=True)
class RunCheckpoints:
    """The checkpoints of a run in a folder. keep: how many of the newest stay, beside the best."""

    folder: Path
    keep: int = 2

    def steps(self) -> list[int]:
        """The steps of the checkpoints there are, the oldest first."""
        found = (_NAME.fullmatch(path.parent.name) for path in self.folder.glob(f"*/{STATE}"))
        return sorted(int(match.group(1)) for match in found if match)

    def path(self, step: int) -> Path:
        return self.folder / f"step-{step:08d}"

    def newest(self) -> int | None:
        """The step to go on from."""
        return max(self.steps(), default=None)

    def load(self, step: int) -> dict[str, Any]:
        """The training state of a step. Raises ValueError where the file cannot be read."""
        path = self.path(step) / STATE
        try:
            state = torch.load(path, map_location="cpu", weights_only=True)
            return {"step": state["step"], **state}
        except Exception as error:  # of any kind, whose words advise to read the file unsafely
            why = f"it is damaged, or none of a training: {type(error).__name__}"
            advice = "Remove its folder to go on from the one before."
            raise ValueError(f"'{path}' cannot be read ({why}). {advice}") from error

    def save(self, step: int, state: dict[str, Any], save_model: Callable[[Path], None], best: int | None) -> None:
        """Write a checkpoint, then remove those no longer kept. Raises OSError, the older ones untouched, where it fails."""
        try:
            with replacing(self.path(step)) as draft:
                draft.mkdir(parents=True)
                save_model(draft)
                write_pickle(state, draft / STATE)
                shutil.rmtree(self.path(step), ignore_errors=True)  # an unreadable one
        except (OSError, RuntimeError, ValueError) as error:  # torch and safetensors have their own for a full disk
            good = self.newest()
            kept = f"The last good checkpoint is step {good}." if good is not None else "There is no checkpoint yet."
            message = f"The checkpoint of step {step} could not be written to '{self.folder}': {error}. {kept}"
            raise OSError(message) from error
        for old in self.steps()[: -self.keep]:
            if old != best:
                shutil.rmtree(self.path(old), ignore_errors=True)

    def remove_unfinished(self) -> None:
        """Remove what a killed run left half-written: it has a hidden name."""
        for path in self.folder.glob(".*"):
            shutil.rmtree(path, ignore_errors=True)


def saved_state(out: Path, recipe: dict[str, Any]) -> dict[str, Any] | None:
    """The training state that a run in `out` goes on from; None where none was begun. Raises ValueError where `out` holds another
    run, or a model that is no run's and would be replaced."""
    checkpoints = RunCheckpoints(out / "checkpoints")
    if (out / "model").exists() and not checkpoints.folder.exists():
        raise ValueError(f"'{out / 'model'}' is there already and belongs to no run. Choose another folder: out=\"…\".")
    if (newest := checkpoints.newest()) is None:
        return None
    state = checkpoints.load(newest)
    check_same_recipe(recipe, state["recipe"], out)
    return state


def check_same_recipe(recipe: dict[str, Any], saved: dict[str, Any], out: Path) -> None:
    """Raises ValueError if a run was made with another recipe. What one of both has no value of is not compared."""
    was, now = _flat(saved), _flat(recipe)
    changed = [name for name in now if name in was and was[name] != now[name]]
    if changed:
        named = [name for name in changed if name != "files"]  # which are known by their hashes
        texts = (", ".join(f"{name}={each[name]!r}" for name in named) for each in (was, now))
        said = ["it has {}, this one {}".format(*texts)] if named else []
        said += ["its files to train and evaluate on are others, or were changed"] if named != changed else []
        way_out = "Give the same options to go on with it, or another folder to start afresh."
        raise ValueError(f"'{out}' holds another run: {'; '.join(said)}. {way_out}")


def _flat(recipe: dict[str, Any]) -> dict[str, Any]:
    """With "config.vocab_size" in the place of a "config" that has it."""
    pairs = {name: value if isinstance(value, dict) else {"": value} for name, value in plain(recipe).items()}
    return {f"{name}.{inner}".rstrip("."): value for name, values in pairs.items() for inner, value in values.items()}


class RunLog:
    """The log of a run: JSON lines, each with its `step`, in a file; a progress bar on a terminal, elsewhere a line now and then.

    A resumed run drops the lines of steps it will take again. quiet: neither write nor print, as all processes but one.
    """

    def __init__(self, path: Path, steps: int, first: int = 0, quiet: bool = False):
        self.path = path
        self.quiet = quiet
        if path.is_file() and not quiet:
            kept = [json.dumps(line) + "\n" for line in read_log(path) if 0 < first >= line["step"]]
            write_text_atomically(path, "".join(kept))
        self.steps, self.shown = steps, time.monotonic()
        self.bar = tqdm(total=steps, initial=first, unit=" steps", disable=True if quiet else None, leave=False)

    def write(self, step: int, **values: Any) -> None:
        if not self.quiet:
            try:
                with self.path.open("a", encoding="utf-8") as file:
                    file.write(json.dumps({"step": step, **values}) + "\n")
            except OSError as error:
                raise OSError(f"'{self.path}' cannot be written ({error.strerror or error}). {_GOES_ON}") from error

    def show(self, step: int, text: str) -> None:
        self.bar.set_postfix_str(text, refresh=False)
        self.bar.update(step - self.bar.n)
        if self.bar.disable and time.monotonic() - self.shown >= SECONDS_BETWEEN_LINES:
            self.shown = time.monotonic()
            self.say(f"step {step} of {self.steps}: {text}")

    def close(self) -> None:
        """Take the progress bar away."""
        self.bar.close()

    def say(self, text: str) -> None:
        if not self.quiet:
            tqdm.write(visible(text, keep="\n"))


@contextmanager
def alone_in(out: Path, leads: bool = True) -> Iterator[None]:
    """Keep other runs out of a folder; leads: whether this is the process that writes. Raises ValueError where one is at work."""
    with ExitStack() as held:
        try:
            if leads:
                held.enter_context(lock(out / ".running"))
                for left in out.glob(f".*.{'[0-9a-f]' * 8}.tmp*"):  # by a run that was killed while it wrote a file
                    left.unlink(missing_ok=True)
        except BlockingIOError as error:
            advice = 'Wait until it has ended, or choose another folder: out="…".'
            raise ValueError(f"Another run is at work in '{out}'. {advice}") from error
        yield


def read_log(path: Path) -> list[dict[str, Any]]:
    """The lines of a log. One that a kill, a full disk or an editor has damaged is left out: no object with a step."""
    lines = []
    for text in path.read_bytes().split(b"\n"):
        with suppress(ValueError, RecursionError):
            line = json.loads(text)
            lines += [line] if isinstance(line, dict) and type(line.get("step")) is int else []
    return lines


def results_table(log: list[dict[str, Any]], best_step: int) -> str:
    """A row for each evaluation in a run's log: its step, the loss, the scores; the best one is marked."""
    evaluations = [line for line in log if f"{EVALUATION}loss" in line]
    names = [name for name in evaluations[-1] if name.startswith(EVALUATION)] if evaluations else []
    header = ("step", *(name.removeprefix(EVALUATION).replace("_", " ") for name in names), "")
    marks = ["best" if line["step"] == best_step else "" for line in evaluations]
    rows = [
        (line["step"], *(_number(line.get(n)) for n in names), mark)
        for line, mark in zip(evaluations, marks, strict=True)
    ]
    return table(header, rows, right=range(len(header) - 1))


def _number(value: Any) -> str:
    return f"{value:.3f}" if isinstance(value, float) else "?"


def keep_best(out: Path, best_step: int) -> Path:
    """Copy the best checkpoint to `out/model`; return that folder."""
    model = out / "model"
    with changing(model, replaced=lambda name: (model / name).is_file()) as draft:
        best = RunCheckpoints(out / "checkpoints").path(best_step)
        shutil.copytree(best, draft, ignore=shutil.ignore_patterns(STATE), dirs_exist_ok=True)
    return model
