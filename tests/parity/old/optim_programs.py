"""Programs for the optimizer and the schedules that run under transformers 4.12.5 and under minibert.

Each takes the library (`transformers` or `minibert.optim`) and returns named tensors. `make parity` runs them under both and
demands equal bits. Only the library's public names are used, so a program is also a proof that those names are the same.
"""

import copy
import random
from types import ModuleType

import torch
from torch import Tensor

STEPS = 1000
PROBLEMS = 16

Tensors = dict[str, Tensor]


# AdamW


def adamw_on_random_problems(lib: ModuleType) -> Tensors:
    """Shapes, types, groups, rates, betas, missing gradients and mid-run reloads, all drawn: 1,000 steps each."""
    results = {}
    for seed in range(PROBLEMS):
        for name, tensor in adamw_problem(lib, seed, STEPS).items():
            results[f"problem {seed}: {name}"] = tensor
    return results


def adamw_problem(lib: ModuleType, seed: int, steps: int) -> Tensors:
    """One drawn problem. The draws depend on the seed alone, never on the library."""
    draw = random.Random(seed)
    noise = torch.Generator().manual_seed(seed)
    groups = [draw_group(draw, noise) for _ in range(draw.randint(1, 3))]
    params = [param for group in groups for param in group["params"]]
    defaults = {
        "lr": draw.choice([0.0, 1e-5, 1e-3, 0.1]),
        "betas": (draw.choice([0.0, 0.5, 0.9]), draw.choice([0.0, 0.98, 0.999])),
        "eps": draw.choice([1e-6, 1e-8, 0.1]),
        "weight_decay": draw.choice([0.0, 0.01, 0.3]),
        "correct_bias": draw.random() < 0.5,
    }
    missing = draw.choice([0.0, 0.1, 0.6])
    reload_at = {draw.randrange(steps) for _ in range(draw.randint(0, 3))}

    optimizer = lib.AdamW(groups, **defaults)
    for step in range(steps):
        for param in params:
            scale = 10.0 ** draw.randint(-6, 2)
            gradient = torch.randn(param.shape, generator=noise).to(param.dtype) * scale
            param.grad = None if draw.random() < missing else gradient
        optimizer.step()
        if step in reload_at:
            state = copy.deepcopy(optimizer.state_dict())
            optimizer = lib.AdamW(groups, **defaults)
            optimizer.load_state_dict(state)
    return parameters_and_state(optimizer)


def draw_group(draw: random.Random, noise: torch.Generator) -> dict:
    """One to four parameters of one type, and perhaps values of their own."""
    dtype = draw.choice([torch.float32, torch.float32, torch.float32, torch.float64, torch.bfloat16, torch.float16])
    params = []
    for _ in range(draw.randint(1, 4)):
        shape = [draw.choice([1, 2, 3, 7, 16, 33]) for _ in range(draw.randint(0, 3))]
        value = torch.randn(shape, generator=noise).to(dtype)
        if len(shape) == 2 and draw.random() < 0.3:
            value = value.t()  # not contiguous
        params.append(torch.nn.Parameter(value))
    group = {"params": params}
    if draw.random() < 0.5:
        group["lr"] = draw.choice([0.0, 3e-4, 0.05])
    if draw.random() < 0.5:
        group["weight_decay"] = draw.choice([0.0, 0.1])
    if draw.random() < 0.3:
        group["correct_bias"] = draw.random() < 0.5
    if draw.random() < 0.3:
        group["betas"] = (0.8, 0.95)
    return group


def adamw_on_large_parameters(lib: ModuleType) -> Tensors:
    """Parameters larger than any cache-sized block, with odd sizes, some not contiguous."""
    results = {}
    for correct_bias in (True, False):
        noise = torch.Generator().manual_seed(7)
        shapes = [(1031, 769), (600_001,), (3, 262_144), (524_289,)]
        params = [torch.nn.Parameter(torch.randn(shape, generator=noise)) for shape in shapes]
        params.append(torch.nn.Parameter(torch.randn(700, 900, generator=noise).t()))
        params.append(torch.nn.Parameter(torch.randn(300_001, generator=noise).bfloat16()))
        optimizer = lib.AdamW(params, lr=1e-3, weight_decay=0.01, correct_bias=correct_bias)
        for _ in range(10):
            for param in params:
                param.grad = torch.randn(param.shape, generator=noise).to(param.dtype)
            optimizer.step()
        for name, tensor in parameters_and_state(optimizer).items():
            results[f"correct_bias={correct_bias}: {name}"] = tensor
    return results


def adamw_trains_a_network(lib: ModuleType) -> Tensors:
    """1,000 steps on a small classifier: autograd, clipping, a closure now and then, a schedule, decay groups, a reload."""
    torch.manual_seed(0)
    network = torch.nn.Sequential(
        torch.nn.Linear(6, 16), torch.nn.LayerNorm(16), torch.nn.Tanh(), torch.nn.Linear(16, 3)
    )
    inputs, labels = torch.randn(64, 6), torch.randint(0, 3, (64,))
    matrices = [param for param in network.parameters() if param.dim() == 2]
    vectors = [param for param in network.parameters() if param.dim() == 1]
    groups = [{"params": matrices, "weight_decay": 0.05}, {"params": vectors, "weight_decay": 0.0}]

    def make():
        optimizer = lib.AdamW(groups, lr=5e-3, eps=1e-8)
        return optimizer, lib.get_linear_schedule_with_warmup(optimizer, 100, STEPS)

    optimizer, scheduler = make()
    losses = []

    def closure():
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(network(inputs), labels)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        return loss

    for step in range(STEPS):
        if step % 3 == 0:
            losses.append(optimizer.step(closure).detach())
        else:
            losses.append(closure().detach())
            optimizer.step()
        scheduler.step()
        if step == STEPS // 2:
            saved = copy.deepcopy((optimizer.state_dict(), scheduler.state_dict()))
            optimizer, scheduler = make()
            optimizer.load_state_dict(saved[0])
            scheduler.load_state_dict(saved[1])
    return {"losses": torch.stack(losses), **parameters_and_state(optimizer)}


def parameters_and_state(optimizer: torch.optim.Optimizer) -> Tensors:
    """Everything a step changes, and the keys of the state."""
    results = {}
    params = [param for group in optimizer.param_groups for param in group["params"]]
    for index, param in enumerate(params):
        results[f"parameter {index}"] = param.detach().clone()
        for key, value in optimizer.state[param].items():
            results[f"parameter {index}: {key}"] = torch.as_tensor(value).clone()
    return results


# Schedules

# No warm-up, usual ones, all of the run, more than all, runs of no and of one step, parts of a step.
WARM_UPS = (
    (0, 1000),
    (1, 1000),
    (100, 1000),
    (999, 1000),
    (1000, 1000),
    (1500, 1000),
    (0, 0),
    (0, 1),
    (7, 3),
    (0.1, 900.5),
)


def schedules(lib: ModuleType) -> Tensors:
    """Every schedule with every warm-up worth a thought; two groups, so that the factor meets two rates."""
    results = {}
    for warmup, total in WARM_UPS:
        for name, make in every_schedule(lib, warmup, total).items():
            steps = STEPS + 200
            if "polynomial" in name and warmup == total:
                steps = total - 1  # at step `total` 4.12.5 divides by 0
            if steps > 0:
                results[f"{name}, warm-up {warmup} of {total}"] = rates(make, steps)
    return results


def every_schedule(lib: ModuleType, warmup: float, total: float) -> dict:
    """Each schedule as a function of the optimizer, with usual and unusual values for what else it takes."""
    made = {
        "constant": lambda optimizer: lib.get_constant_schedule(optimizer),
        "constant_with_warmup": lambda optimizer: lib.get_constant_schedule_with_warmup(optimizer, warmup),
        "linear": lambda optimizer: lib.get_linear_schedule_with_warmup(optimizer, warmup, total),
    }
    for cycles in (0.5, 1.0, 2.3):
        made[f"cosine {cycles}"] = lambda optimizer, cycles=cycles: lib.get_cosine_schedule_with_warmup(
            optimizer, num_warmup_steps=warmup, num_training_steps=total, num_cycles=cycles
        )
    for cycles in (1, 2, 5):
        made[f"restarts {cycles}"] = lambda optimizer, cycles=cycles: (
            lib.get_cosine_with_hard_restarts_schedule_with_warmup(
                optimizer, num_warmup_steps=warmup, num_training_steps=total, num_cycles=cycles
            )
        )
    for lr_end, power in ((1e-7, 1.0), (0.0, 2.0), (2e-4, 0.5)):
        made[f"polynomial {lr_end} {power}"] = lambda optimizer, lr_end=lr_end, power=power: (
            lib.get_polynomial_decay_schedule_with_warmup(
                optimizer, num_warmup_steps=warmup, num_training_steps=total, lr_end=lr_end, power=power
            )
        )
    for kind in ("linear", "cosine", "cosine_with_restarts", "polynomial", "constant", "constant_with_warmup"):
        made[f"get_scheduler {kind}"] = lambda optimizer, kind=kind: lib.get_scheduler(kind, optimizer, warmup, total)
    return made


def rates(make, steps: int) -> Tensor:
    """(steps, groups): the learning rates, with a reload of optimizer and scheduler half-way."""

    def build():
        groups = [
            {"params": [torch.nn.Parameter(torch.zeros(1))]},
            {"params": [torch.nn.Parameter(torch.zeros(1))], "lr": 3e-5},
        ]
        optimizer = torch.optim.SGD(groups, lr=1e-3)
        return optimizer, make(optimizer)

    optimizer, scheduler = build()
    seen = []
    for step in range(steps):
        seen.append([group["lr"] for group in optimizer.param_groups])
        optimizer.step()
        scheduler.step()
        if step == steps // 2:
            saved = copy.deepcopy((optimizer.state_dict(), scheduler.state_dict()))
            optimizer, scheduler = build()
            optimizer.load_state_dict(saved[0])
            scheduler.load_state_dict(saved[1])
    return torch.tensor(seen, dtype=torch.float64)


# Errors


def errors(lib: ModuleType) -> Tensors:
    """What is refused, and with which class of error."""

    def param():
        return torch.nn.Parameter(torch.zeros(2))

    def sparse():
        embedding = torch.nn.Embedding(4, 2, sparse=True)
        optimizer = lib.AdamW(embedding.parameters())
        embedding(torch.tensor([1])).sum().backward()
        optimizer.step()

    optimizer = torch.optim.SGD([param()], lr=1e-3)
    calls = {
        "negative lr": lambda: lib.AdamW([param()], lr=-1.0),
        "beta1 of 1": lambda: lib.AdamW([param()], betas=(1.0, 0.9)),
        "negative beta1": lambda: lib.AdamW([param()], betas=(-0.1, 0.9)),
        "beta2 above 1": lambda: lib.AdamW([param()], betas=(0.9, 1.5)),
        "negative eps": lambda: lib.AdamW([param()], eps=-1e-8),
        "no parameters": lambda: lib.AdamW([]),
        "sparse gradient": sparse,
        "unknown schedule": lambda: lib.get_scheduler("quadratic", optimizer, 1, 2),
        "no warm-up steps": lambda: lib.get_scheduler("linear", optimizer, None, 2),
        "no training steps": lambda: lib.get_scheduler("cosine", optimizer, 1, None),
        "lr_end above lr": lambda: lib.get_polynomial_decay_schedule_with_warmup(optimizer, 1, 10, lr_end=1.0),
        "lr_end equal to lr": lambda: lib.get_polynomial_decay_schedule_with_warmup(optimizer, 1, 10, lr_end=1e-3),
    }
    classes = (None, ValueError, RuntimeError)
    results = {}
    for name, call in calls.items():
        try:
            call()
        except (ValueError, RuntimeError) as error:
            results[name] = torch.tensor(classes.index(type(error)))
        else:
            results[name] = torch.tensor(0)
    return results


def all_programs() -> dict:
    """Every program by name."""
    return {
        "adamw_on_random_problems": adamw_on_random_problems,
        "adamw_on_large_parameters": adamw_on_large_parameters,
        "adamw_trains_a_network": adamw_trains_a_network,
        "schedules": schedules,
        "errors": errors,
    }
