"""Reading weights: what the library wrote comes back, bit for bit, in memory that is ours."""

import json
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from minibert.checkpoints import DictWeights, open_weights
from minibert.checkpoints.safetensors_header import DTYPES


def numbers(dtype: torch.dtype, *shape: int) -> Tensor:
    """Random bytes seen as ``dtype``, so that every bit matters."""
    if dtype is torch.bool:
        return torch.rand(shape) > 0.5
    return torch.randint(0, 256, (*shape[:-1], shape[-1] * dtype.itemsize), dtype=torch.uint8).view(dtype)


def same_bits(left: Tensor, right: Tensor) -> bool:
    return left.dtype == right.dtype and torch.equal(left.view(torch.uint8), right.view(torch.uint8))


@pytest.mark.parametrize("dtype", [pytest.param(dtype, id=code) for code, dtype in DTYPES.items()])
def test_every_dtype_the_library_writes_is_read_to_the_bit(tmp_path: Path, dtype: torch.dtype) -> None:
    tensor = numbers(dtype, 3, 5)
    save_file({"odd": torch.zeros(3, dtype=torch.uint8), "w": tensor}, tmp_path / "model.safetensors")
    with open_weights(tmp_path) as weights:
        assert weights.dtype("w") == dtype
        assert same_bits(weights.read("w"), tensor)
        assert same_bits(weights.map("w"), tensor)


def test_scalars_and_empty_tensors_are_tensors_too(tmp_path: Path) -> None:
    save_file({"scalar": torch.tensor(2.5), "empty": torch.empty(0, 4)}, tmp_path / "model.safetensors")
    with open_weights(tmp_path) as weights:
        assert weights.read("scalar").item() == weights.map("scalar").item() == 2.5
        assert weights.read("empty").shape == weights.map("empty").shape == (0, 4)


def test_names_shapes_and_dtypes_come_in_file_order_without_reading(tmp_path: Path) -> None:
    save_file({"b": torch.zeros(2, 3), "a": torch.zeros(4, dtype=torch.float16)}, tmp_path / "model.safetensors")
    with open_weights(tmp_path) as weights:
        assert weights.names == ("b", "a")
        assert [tuple(weights.shape(name)) for name in weights.names] == [(2, 3), (4,)]
        assert [weights.dtype(name) for name in weights.names] == [torch.float32, torch.float16]
        assert weights.files == (tmp_path / "model.safetensors",)


def test_what_is_read_does_not_change_when_the_file_is_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    save_file({"w": torch.ones(5000)}, path)
    with open_weights(tmp_path) as weights:
        tensor = weights.read("w")
    path.write_bytes(bytes(path.stat().st_size))
    assert torch.equal(tensor, torch.ones(5000))
    assert tensor.data_ptr() % 64 == 0


def test_writing_to_what_is_mapped_never_reaches_the_file(tmp_path: Path) -> None:
    save_file({"w": torch.ones(5000)}, tmp_path / "model.safetensors")
    with open_weights(tmp_path) as weights:
        mapped = weights.map("w")
    mapped.zero_()
    assert torch.equal(load_file(tmp_path / "model.safetensors")["w"], torch.ones(5000))


def test_a_tensor_that_lies_askew_in_the_file_is_copied_rather_than_mapped(tmp_path: Path) -> None:
    entries = {
        "odd": {"dtype": "U8", "shape": [3], "data_offsets": [0, 3]},
        "w": {"dtype": "F32", "shape": [2], "data_offsets": [3, 11]},
    }
    text = json.dumps(entries)
    header = text.ljust(-(-len(text) // 8) * 8).encode()
    start = len(header).to_bytes(8, "little") + header
    (tmp_path / "model.safetensors").write_bytes(start + bytes(3) + torch.ones(2).numpy().tobytes())
    with open_weights(tmp_path) as weights:
        mapped = weights.map("w")
    assert mapped.tolist() == [1, 1]
    assert mapped.data_ptr() % 4 == 0


def test_mapped_tensors_share_nothing_with_each_other(tmp_path: Path) -> None:
    save_file({"a": torch.ones(50), "b": torch.ones(50)}, tmp_path / "model.safetensors")
    with open_weights(tmp_path) as weights:
        a, b = weights.map("a"), weights.map("b")
    assert a.untyped_storage().data_ptr() != b.untyped_storage().data_ptr()
    assert a.untyped_storage().nbytes() == a.nbytes


@pytest.mark.parametrize("count", [7, 32_768, 100_001])
def test_reading_into_another_dtype_converts(tmp_path: Path, count: int) -> None:
    stored = torch.randn(count).half()
    save_file({"w": stored}, tmp_path / "model.safetensors")
    out = torch.nn.Parameter(torch.full((count,), torch.nan))
    with open_weights(tmp_path) as weights:
        weights.read_into("w", out)
    assert torch.equal(out, stored.float())


def test_a_target_that_is_not_contiguous_is_filled(tmp_path: Path) -> None:
    stored = torch.randn(3, 4)
    save_file({"w": stored}, tmp_path / "model.safetensors")
    out = torch.zeros(4, 3).t()
    with open_weights(tmp_path) as weights:
        weights.read_into("w", out)
    assert torch.equal(out, stored)


def test_a_target_of_another_shape_is_refused(tmp_path: Path) -> None:
    save_file({"w": torch.zeros(3, 4)}, tmp_path / "model.safetensors")
    with open_weights(tmp_path) as weights, pytest.raises(ValueError, match=r"shape \(3, 4\), cannot fill \(4, 3\)"):
        weights.read_into("w", torch.zeros(4, 3))


@pytest.mark.parametrize("zip_format", [True, False])
def test_a_pickle_of_either_generation_is_read(tmp_path: Path, zip_format: bool) -> None:
    tensors = {"a": torch.randn(3, 4), "b": torch.arange(5).half()}
    torch.save(tensors, tmp_path / "pytorch_model.bin", _use_new_zipfile_serialization=zip_format)
    with open_weights(tmp_path) as weights:
        assert weights.names == ("a", "b")
        for name, tensor in tensors.items():
            assert same_bits(weights.read(name), tensor)
            assert same_bits(weights.map(name), tensor)


def test_safetensors_come_before_a_pickle_in_the_same_folder(tmp_path: Path) -> None:
    save_file({"w": torch.ones(1)}, tmp_path / "model.safetensors")
    torch.save({"w": torch.zeros(1)}, tmp_path / "pytorch_model.bin")
    with open_weights(tmp_path) as weights:
        assert weights.files == (tmp_path / "model.safetensors",)


@pytest.mark.parametrize("form", ["safetensors", "bin"])
def test_shards_are_read_as_one(tmp_path: Path, form: str) -> None:
    stem = "model" if form == "safetensors" else "pytorch_model"
    weight_map = {}
    for number in (1, 2):
        shard = f"{stem}-0000{number}-of-00002.{form}"
        write = save_file if form == "safetensors" else torch.save
        write({f"w{number}": torch.full((2,), float(number))}, tmp_path / shard)
        weight_map[f"w{number}"] = shard
    (tmp_path / f"{stem}.{form}.index.json").write_text(json.dumps({"weight_map": weight_map}))
    with open_weights(tmp_path) as weights:
        assert weights.names == ("w1", "w2")
        assert weights.read("w2").tolist() == [2, 2]
        assert [file.name for file in weights.files] == list(weight_map.values())


def test_a_state_dict_is_read_like_a_file_and_copied() -> None:
    original = torch.ones(3)
    weights = DictWeights({"w": original})
    for copy in (weights.read("w"), weights.map("w")):
        copy.zero_()
    assert weights.names == ("w",)
    assert weights.files == ()
    assert original.tolist() == [1, 1, 1]


def test_the_reference_can_pickle_and_deep_copy_what_is_mapped(tmp_path: Path) -> None:
    save_file({"w": torch.ones(50)}, tmp_path / "model.safetensors")
    with open_weights(tmp_path) as weights:
        mapped = weights.map("w")
    assert torch.equal(pickle.loads(pickle.dumps(mapped)), torch.ones(50))


MEASURE = """
import sys, torch
from pathlib import Path
from minibert.checkpoints import allocate, open_weights

def peak():
    status = Path("/proc/self/status")
    if status.exists():    # Linux hands the other measure, ru_maxrss, down from the process that started this one
        return 1024 * int(status.read_text().split("VmHWM:")[1].split()[0])
    import resource
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

torch.ones(8).numpy()      # first use of the bridge to numpy loads it
before = peak()
with open_weights(Path(sys.argv[1])) as weights:
    tensors = allocate({name: (weights.shape(name), torch.float32) for name in weights.names})
    for name, tensor in tensors.items():
        weights.read_into(name, tensor)
print((peak() - before) / sum(tensor.nbytes for tensor in tensors.values()))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="the standard library cannot measure it there")
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
def test_reading_needs_no_second_copy_of_the_weights(tmp_path: Path, dtype: torch.dtype) -> None:
    save_file({f"w{n}": torch.zeros(8 << 20, dtype=dtype) for n in range(4)}, tmp_path / "model.safetensors")
    command = [sys.executable, "-c", MEASURE, str(tmp_path)]
    result = subprocess.run(command, check=True, capture_output=True, text=True)
    assert 0.9 < float(result.stdout) < 1.1
