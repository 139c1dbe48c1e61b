"""One process or several that train together: `torchrun --nproc-per-node N -m minibert pretrain …`.

Every process holds the whole model and works on its share of each batch; their gradients are averaged before each step
(`DistributedDataParallel`), over gloo between CPUs and nccl between GPUs. For a model that does not fit, each process keeps a shard of
every parameter and of the optimizer's state, and borrows a layer's other shards while it computes that layer (`fully_shard`, FSDP2).
With one process every method here does nothing.
"""

import atexit
import gc
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
_GROUPS: list[Any] = []
_MESHES: list[Any] = []


@dataclass(frozen=True)
class Processes:
    """The processes that train together: this one is number `rank` of `size`, and computes on `device`."""

    rank: int
    size: int
    device: torch.device

    @classmethod
    def alone(cls) -> "Processes":
        return cls(0, 1, best_device())

    @property
    def leads(self) -> bool:
        """Whether this process writes the files and prints messages."""
        return self.rank == 0

    def share(self, rows: int) -> range:
        """Which of so many rows are this process's: neighbours, and as many as every other process has, up to one row."""
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
        if self.size > 1:
            dist.barrier()

    def wrap(self, module: nn.Module, shards: Sequence[nn.Module] = ()) -> nn.Module:
        """The module on this process's device, its gradients averaged over all processes in each backward pass.

        shards: its layers, if their parameters, and all others of the module, are to be spread over the processes.
        """
        module = module.to(self.device)
        if self.size > 1 and not shards:
            return DistributedDataParallel(module, device_ids=[self.device] if self.device.type == "cuda" else None)
        if self.size > 1:
            mesh = init_device_mesh(self.device.type, (self.size,))
            _MESHES.append(mesh)
            for shard in (*shards, module):
                fully_shard(shard, mesh=mesh)
        return module

    def autocast(self, precision: torch.dtype) -> AbstractContextManager[Any]:
        """Matrix products in this floating-point type; float32 leaves everything as it is."""
        return torch.autocast(self.device.type, precision, enabled=precision != torch.float32)


def averaging(module: nn.Module, now: bool) -> AbstractContextManager[Any]:
    """Whether a backward pass averages gradients over the processes: of an accumulated batch, only that of the last piece need."""
    return nullcontext() if now or not isinstance(module, DistributedDataParallel) else module.no_sync()


def full_weights(module: nn.Module) -> dict[str, Tensor]:
    """The state dict, parameters that are spread over processes put together; all processes must call this."""
    return {name: t.full_tensor() if isinstance(t, DTensor) else t for name, t in module.state_dict().items()}


def load_full_weights(module: nn.Module, weights: dict[str, Tensor]) -> None:
    """Load whole weights into a module whose parameters may be spread over processes."""
    set_model_state_dict(module, dict[str, Any](weights), options=StateDictOptions(full_state_dict=True))


def best_device(local_rank: int = 0) -> torch.device:
    """A GPU of this process's own where there is one."""
    gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    return torch.device("cuda", local_rank % gpus) if gpus else torch.device("cpu")


def multiplies_bfloat16(device: torch.device) -> bool:
    """Whether a device has instructions for bfloat16, which then are several times as fast as float32's."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported()
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


def _free_groups() -> None:
    """End the groups' threads while they can still take Python's lock: a thread that asks for it later aborts the process."""
    gc.collect()  # models that hold a group
    for mesh in _MESHES:  # each holds its group, and PyTorch remembers it for good
        getattr(mesh, "_pg_registry", {}).clear()
    _GROUPS.clear()


@contextmanager
def join_processes() -> Iterator[Processes]:
    """The processes that torchrun describes in the environment, or this one alone."""
    device = best_device(int(os.environ.get("LOCAL_RANK", 0)))
    size = int(os.environ.get("WORLD_SIZE", 1))
    if size == 1:
        yield Processes(0, 1, device)
        return
    if device.type == "cuda":
        torch.cuda.set_device(device)
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo", timeout=PATIENCE)
    # A wrapped model may live longer than this and be the last to hold the group. Freed from there, with Python's lock taken, the
    # group waits for its threads, and a thread that is to free a tensor waits for the lock. Held here too, Python frees it: unlocked.
    _GROUPS.append(dist.group.WORLD)
    atexit.register(_free_groups)
    try:
        yield Processes(dist.get_rank(), size, device)
    finally:
        dist.destroy_process_group()
