"""One optimizer step over BERT-base's parameters: 199 tensors, 109,482,240 numbers, float32, CPU, the machine's threads.

    python -m benchmarks.optimizer [PYTHON]       PYTHON: one that has transformers 4.12.5, to time the reference's own class

Each optimizer lives in a process of its own, because the speed of a step depends on what its process has allocated
before; the processes take turns, step by step. Each of minibert's three implementations is compared with the reference's
loop and with PyTorch's two fast ones. Without PYTHON there is no reference; "plain" is the same sequence of operations.
"""

from __future__ import annotations

import subprocess
import sys

import torch

from .harness import HEADER, Row, compare, race

TASK = "one AdamW step, BERT-base's parameters"
PLAIN = "plain"
OURS = (PLAIN, "blocked", "fused")
TORCH = ("torch foreach", "torch fused")
REFERENCE = "transformers 4.12.5"
HYPER_PARAMETERS = {"lr": 5e-5, "weight_decay": 0.01}


def rows(rounds: int = 30, reference_python: str | None = None) -> list[Row]:
    """minibert's three implementations against the reference's loop, PyTorch's two fast paths, and the plain update."""
    pythons = dict.fromkeys((*OURS, *TORCH), sys.executable)
    if reference_python is not None:
        pythons[REFERENCE] = reference_python
    workers = {name: Worker(python, name) for name, python in pythons.items()}
    try:
        times = race({name: worker.step for name, worker in workers.items()}, rounds, warm_up=3)
    finally:
        for worker in workers.values():
            worker.process.kill()
    others = [PLAIN, *(name for name in times if name not in OURS)]
    pairs = [(ours, other) for ours in OURS for other in others if ours != other]
    return [compare(f"{TASK}, {ours}", times, ours, other) for ours, other in pairs]


class Worker:
    """A process that holds one optimizer and takes a step for every line it is sent."""

    def __init__(self, python: str, name: str) -> None:
        command = [python, "-m", "benchmarks.optimizer", "--worker", name]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
        self.wait()  # until its parameters are there

    def step(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write("step\n")
        self.wait()

    def wait(self) -> None:
        assert self.process.stdout is not None
        if self.process.stdout.readline() != "done\n":
            raise SystemExit(f"The benchmark's process {self.process.args} ended early.")


def work(name: str) -> None:
    """What a worker's process runs."""
    noise = torch.Generator().manual_seed(0)
    params = [torch.nn.Parameter(torch.randn(shape, generator=noise) * 0.02) for shape in bert_base_shapes()]
    for param in params:
        param.grad = torch.randn(param.shape, generator=noise) * 1e-3
    optimizer = make_optimizer(name, params)
    print("done", flush=True)
    for _ in sys.stdin:
        optimizer.step()
        print("done", flush=True)


def make_optimizer(name: str, params: list[torch.nn.Parameter]) -> torch.optim.Optimizer:
    if name == REFERENCE:
        from transformers import AdamW

        return AdamW(params, **HYPER_PARAMETERS)
    if name in OURS:
        from minibert.optim import AdamW

        return AdamW(params, implementation=name, **HYPER_PARAMETERS)
    return torch.optim.AdamW(params, **{name.removeprefix("torch "): True}, **HYPER_PARAMETERS)


def bert_base_shapes() -> list[tuple[int, ...]]:
    """The shapes of BertModel's parameters, in order."""
    vector, matrix = (768,), (768, 768)
    embeddings = [(30522, 768), (512, 768), (2, 768), vector, vector]
    attention = [matrix, vector] * 4 + [vector, vector]
    feed_forward = [(3072, 768), (3072,), (768, 3072), vector, vector, vector]
    return embeddings + (attention + feed_forward) * 12 + [matrix, vector]


def main() -> None:
    if sys.argv[1:2] == ["--worker"]:
        work(sys.argv[2])
        return
    print(HEADER)
    for row in rows(reference_python=sys.argv[1] if sys.argv[1:] else None):
        print(row)


if __name__ == "__main__":
    main()
