"""Record what transformers 4.12.5's AdamW and schedules compute, as small figures for the default suite.

Run it where transformers 4.12.5 is installed: `python tests/parity/recorded/record_optim.py`. It writes `optim.json` beside itself.
"""

import json
import os
from pathlib import Path
from types import ModuleType

import torch

FIGURES = Path(__file__).with_name("optim.json")
STEPS_TO_RECORD = (0, 1, 50, 99, 100, 101, 400, 550, 900, 999, 1000, 1001, 1100)
WARM_UPS = ((0, 1000), (100, 1000), (999, 1000), (1500, 1000))


def record_schedules(lib: ModuleType) -> dict[str, list[float]]:
    """The learning rate at `STEPS_TO_RECORD`, for every schedule and several warm-ups."""
    figures = {}
    for warmup, total in WARM_UPS:
        made = {
            "constant": lambda optimizer: lib.get_constant_schedule(optimizer),
            "constant_with_warmup": lambda optimizer, w=warmup: lib.get_constant_schedule_with_warmup(optimizer, w),
            "linear": lambda optimizer, w=warmup, t=total: lib.get_linear_schedule_with_warmup(optimizer, w, t),
            "cosine": lambda optimizer, w=warmup, t=total: lib.get_cosine_schedule_with_warmup(optimizer, w, t),
            "cosine, 1.5 cycles": lambda optimizer, w=warmup, t=total: lib.get_cosine_schedule_with_warmup(
                optimizer, w, t, num_cycles=1.5
            ),
            "restarts, 3 cycles": lambda optimizer, w=warmup, t=total: (
                lib.get_cosine_with_hard_restarts_schedule_with_warmup(optimizer, w, t, num_cycles=3)
            ),
            "polynomial": lambda optimizer, w=warmup, t=total: lib.get_polynomial_decay_schedule_with_warmup(
                optimizer, w, t
            ),
            "polynomial, power 2": lambda optimizer, w=warmup, t=total: lib.get_polynomial_decay_schedule_with_warmup(
                optimizer, w, t, lr_end=1e-4, power=2.0
            ),
        }
        for name, make in made.items():
            optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1e-3)
            scheduler = make(optimizer)
            rates = []
            for _ in range(max(STEPS_TO_RECORD) + 1):
                rates.append(scheduler.get_last_lr()[0])
                optimizer.step()
                scheduler.step()
            figures[f"{name}, warm-up {warmup} of {total}"] = [rates[step] for step in STEPS_TO_RECORD]
    return figures


class Problem:
    """Least squares in two parameters, each in a group of its own; nothing random, so every machine starts alike."""

    def __init__(self, lib: ModuleType, dtype: torch.dtype, correct_bias: bool) -> None:
        self.matrix = torch.linspace(-1.0, 1.0, 12, dtype=dtype).reshape(4, 3)
        self.target = torch.tensor([1.0, -1.0, 0.5, 2.0], dtype=dtype)
        self.weight = torch.nn.Parameter(torch.tensor([0.3, -0.2, 0.1], dtype=dtype))
        self.bias = torch.nn.Parameter(torch.tensor(0.5, dtype=dtype))
        groups = [{"params": [self.weight], "weight_decay": 0.1}, {"params": [self.bias], "lr": 0.02}]
        self.optimizer = lib.AdamW(groups, lr=0.01, correct_bias=correct_bias)

    def step(self) -> None:
        self.optimizer.zero_grad()
        loss = ((self.matrix @ self.weight + self.bias - self.target) ** 2).mean()
        loss.backward()
        self.optimizer.step()

    def values(self) -> list[float]:
        return [*self.weight.tolist(), self.bias.item()]


def record_adamw(lib: ModuleType) -> dict[str, list[float]]:
    """The parameters after some of 1,000 steps (float64) and after some of 20 (float32)."""
    figures = {}
    for dtype, steps in ((torch.float64, (1, 2, 10, 100, 1000)), (torch.float32, (1, 2, 10, 20))):
        for correct_bias in (True, False):
            problem = Problem(lib, dtype, correct_bias)
            for step in range(1, max(steps) + 1):
                problem.step()
                if step in steps:
                    figures[f"{dtype}, correct_bias={correct_bias}, step {step}"] = problem.values()
    return figures


def record_state(lib: ModuleType) -> dict:
    """A state in the middle of a run, and where the run had got to 50 steps later."""
    problem = Problem(lib, torch.float64, correct_bias=True)
    for _ in range(50):
        problem.step()
    saved = problem.optimizer.state_dict()
    state = {
        str(index): {key: torch.as_tensor(value).tolist() for key, value in entry.items()}
        for index, entry in saved["state"].items()
    }
    before = problem.values()
    for _ in range(50):
        problem.step()
    return {"state": state, "param_groups": saved["param_groups"], "before": before, "after": problem.values()}


def main() -> None:
    import transformers

    figures = {
        "recorded from": f"transformers {transformers.__version__}",
        "schedules": record_schedules(transformers),
        "adamw": record_adamw(transformers),
        "state": record_state(transformers),
    }
    temporary = FIGURES.with_suffix(".tmp")
    temporary.write_text(json.dumps(figures, indent=1) + "\n")
    os.replace(temporary, FIGURES)


if __name__ == "__main__":
    main()
