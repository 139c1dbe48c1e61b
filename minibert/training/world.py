"""One process or several that train together: `torchrun --nproc-per-node N -m minibert pretrain …`.

Every process holds the whole model and works on its share of each batch; their gradients are averaged before each step
(`DistributedDataParallel`), over gloo between CPUs and nccl between GPUs. For a model that does not fit, each process keeps a part of
every parameter and of what the optimizer remembers, and borrows a layer's other parts while it computes that layer (`fully_shard`, FSDP2).
Alone, all of this is nothing.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.checkpoint.state_dict import StateDictOptions, set_model_state_dict
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import DTensor
from torch.nn.parallel import DistributedDataParallel

PATIENCE = timedelta(minutes=10)  # how long a process waits for the others before it gives up


@dataclass(frozen=True)
class World:
    """Who trains: this process is number `rank` of `size`, and computes on `device`."""

    rank: int
    size: int
    device: torch.device

    @property
    def leads(self) -> bool:
        """Whether this process writes the files and speaks to the user."""
        return self.rank == 0

    def share(self, rows: int) -> range:
        """Which of so many rows are this process's: a stretch of them, all stretches alike up to one row."""
        return range(rows * self.rank // self.size, rows * (self.rank + 1) // self.size)

    def sum(self, *numbers: float) -> list[float]:
        """Each number summed over all processes."""
        if self.size == 1:
            return list(numbers)
        total = torch.tensor(numbers, dtype=torch.float64, device=self.device)
        dist.all_reduce(total)
        return total.tolist()

    def gather(self, value: Any) -> list[Any]:
        """Every process's value, in the order of their ranks."""
        if self.size == 1:
            return [value]
        values: list[Any] = [None] * self.size
        dist.all_gather_object(values, value)
        return values

    def wait(self) -> None:
        """Go on when all processes are here."""
        if self.size > 1:
            dist.barrier()

    def wrap(self, module: nn.Module, shards: Sequence[nn.Module] = ()) -> nn.Module:
        """The module, its gradients averaged over all processes in each backward pass.

        shards: its layers, if their parameters, and all others of the module, are to be spread over the processes.
        """
        module = module.to(self.device)
        if self.size == 1:
            return module
        if shards:
            mesh = init_device_mesh(self.device.type, (self.size,))
            for part in (*shards, module):
                fully_shard(part, mesh=mesh)
            return module
        return DistributedDataParallel(module, device_ids=[self.device] if self.device.type == "cuda" else None)

    def without_averaging(self, module: nn.Module) -> AbstractContextManager[Any]:
        """For all but the last part of an accumulated batch: gradients need to be averaged only once."""
        return module.no_sync() if isinstance(module, DistributedDataParallel) else nullcontext()


def full_weights(module: nn.Module) -> dict[str, Tensor]:
    """The state dict, parameters that are spread over processes put together; all processes must ask for it."""
    return {name: t.full_tensor() if isinstance(t, DTensor) else t for name, t in module.state_dict().items()}


def take_up_weights(module: nn.Module, weights: dict[str, Tensor]) -> None:
    """Put whole weights into a module whose own may be spread over processes."""
    set_model_state_dict(module, dict[str, Any](weights), options=StateDictOptions(full_state_dict=True))


def best_device(local_rank: int = 0) -> torch.device:
    """A GPU of this process's own where there is one."""
    if torch.cuda.is_available():
        return torch.device("cuda", local_rank % torch.cuda.device_count())
    return torch.device("cpu")


@contextmanager
def join_world() -> Iterator[World]:
    """The world that torchrun describes in the environment, or this process alone."""
    device = best_device(int(os.environ.get("LOCAL_RANK", 0)))
    size = int(os.environ.get("WORLD_SIZE", 1))
    if size == 1:
        yield World(0, 1, device)
        return
    if device.type == "cuda":
        torch.cuda.set_device(device)
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo", timeout=PATIENCE)
    try:
        yield World(dist.get_rank(), size, device)
    finally:
        dist.destroy_process_group()
