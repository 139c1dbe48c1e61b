"""Tensors from one block behave as if each had been made by `torch.empty`."""

import copy
import io
import os
import subprocess
import sys
from collections.abc import Mapping

import pytest
import torch
from hypothesis import given, strategies as st
from safetensors.torch import save

from minibert.checkpoints.read import empty_tensors

SHAPES = st.lists(st.integers(0, 200), max_size=3)
DTYPES = st.sampled_from([torch.float32, torch.float16, torch.int64, torch.bool, torch.complex64])
LARGE = {"large": ([3 << 20], torch.float32), "medium": ([2 << 20], torch.float32), "odd": ([7], torch.float16)}


@given(st.dictionaries(st.text(max_size=5), st.tuples(SHAPES, DTYPES), max_size=8))
def test_names_shapes_dtypes_and_alignment(specs: Mapping[str, tuple[list[int], torch.dtype]]) -> None:
    tensors = empty_tensors(specs)
    assert tensors.keys() == specs.keys()
    for name, (shape, dtype) in specs.items():
        assert tensors[name].shape == torch.Size(shape)
        assert tensors[name].dtype == dtype
        assert tensors[name].is_contiguous()
        assert tensors[name].data_ptr() % 64 == 0


@pytest.fixture
def tensors() -> dict[str, torch.Tensor]:
    """One tensor with a block of its own, two that share one, filled each with its own number."""
    made = empty_tensors(LARGE | {f"small{n}": ([1 << 20], torch.float32) for n in range(2)})
    for number, tensor in enumerate(made.values()):
        tensor.fill_(number)
    return made


def test_no_tensor_overlaps_another(tensors: dict[str, torch.Tensor]) -> None:
    for number, tensor in enumerate(tensors.values()):
        assert bool((tensor == number).all())


def test_each_has_a_storage_of_exactly_its_size(tensors: dict[str, torch.Tensor]) -> None:
    for tensor in tensors.values():
        assert tensor.untyped_storage().nbytes() == tensor.nbytes
        assert tensor.storage_offset() == 0


def test_saving_one_does_not_save_its_neighbours(tensors: dict[str, torch.Tensor]) -> None:
    file = io.BytesIO()
    torch.save(tensors["odd"], file)
    assert len(file.getvalue()) < 4096
    assert len(save(tensors)) < sum(tensor.nbytes for tensor in tensors.values()) + 4096


def test_they_outlive_their_neighbours_and_can_be_copied_and_shared(tensors: dict[str, torch.Tensor]) -> None:
    survivor = torch.nn.Parameter(tensors["small1"])
    tensors.clear()
    torch.ones(1 << 22)  # memory that a freed block might have been reused for
    assert bool((survivor == 4).all())
    assert torch.equal(copy.deepcopy(survivor), survivor)
    survivor.share_memory_()
    assert bool((survivor == 4).all())


WRITE_IN_A_FORK = """
import os, torch
from minibert.checkpoints.read import empty_tensors

tensor = empty_tensors({"w": ([4 << 20], torch.float32)})["w"]
tensor.fill_(1)
child = os.fork()
if child == 0:
    tensor.fill_(2)
    os._exit(0)
os.waitpid(child, 0)
assert bool((tensor == 1).all())
"""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_process_writes_to_a_copy_of_its_own() -> None:
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    assert subprocess.run([sys.executable, "-c", WRITE_IN_A_FORK], env=environment, check=False).returncode == 0
