"""Reading weights: what the library wrote comes back, bit for bit, in memory that is ours."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from minibert.checkpoints import CheckpointError, open_weights, save_weights, weights_of

DTYPES = (
    *(torch.bool, torch.uint8, torch.int8, torch.uint16, torch.int16, torch.uint32, torch.int32, torch.uint64),
    *(torch.int64, torch.float8_e4m3fn, torch.float8_e5m2, torch.float16, torch.bfloat16, torch.float32, torch.float64),
    torch.complex64,
)


def numbers(dtype: torch.dtype, *shape: int) -> Tensor:
    """Random bytes seen as ``dtype``, so that every bit matters."""
    if dtype is torch.bool:
        return torch.rand(shape) > 0.5
    return torch.randint(0, 256, (*shape[:-1], shape[-1] * dtype.itemsize), dtype=torch.uint8).view(dtype)


def same_bits(left: Tensor, right: Tensor) -> bool:
    return left.dtype == right.dtype and torch.equal(left.view(torch.uint8), right.view(torch.uint8))


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_every_dtype_the_library_writes_is_read_to_the_bit(tmp_path: Path, dtype: torch.dtype) -> None:
    tensor = numbers(dtype, 3, 5)
    try:
        save_file({"odd": torch.zeros(3, dtype=torch.uint8), "w": tensor}, tmp_path / "model.safetensors")
    except KeyError:
        pytest.skip(f"this safetensors is too old to write {dtype}")
    with open_weights(tmp_path) as weights:
        assert weights["w"].dtype == dtype
        assert same_bits(weights["w"].read(), tensor)


def test_scalars_and_empty_tensors_are_tensors_too(tmp_path: Path) -> None:
    save_file({"scalar": torch.tensor(2.5), "empty": torch.empty(0, 4)}, tmp_path / "model.safetensors")
    with open_weights(tmp_path) as weights:
        assert weights["scalar"].read().item() == 2.5
        assert weights["empty"].read().shape == (0, 4)


def test_names_shapes_and_dtypes_come_in_file_order_without_reading(tmp_path: Path) -> None:
    save_file({"b": torch.zeros(2, 3), "a": torch.zeros(4, dtype=torch.float16)}, tmp_path / "model.safetensors")
    with open_weights(tmp_path) as weights:
        assert list(weights) == ["b", "a"]
        assert [tuple(tensor.shape) for tensor in weights.values()] == [(2, 3), (4,)]
        assert [tensor.dtype for tensor in weights.values()] == [torch.float32, torch.float16]
        assert {tensor.path for tensor in weights.values()} == {tmp_path / "model.safetensors"}


@pytest.mark.parametrize("form", ["safetensors", "zip", "legacy"])
def test_what_is_read_is_memory_of_its_own(tmp_path: Path, form: str) -> None:
    path = tmp_path / ("model.safetensors" if form == "safetensors" else "pytorch_model.bin")
    if form == "safetensors":
        save_file({"w": torch.ones(5000)}, path)
    else:
        torch.save({"w": torch.ones(5000)}, path, _use_new_zipfile_serialization=form == "zip")
    before = path.read_bytes()
    with open_weights(tmp_path) as weights:
        tensor, other = weights["w"].read(), weights["w"].read()
    other.zero_()
    assert path.read_bytes() == before
    path.write_bytes(bytes(len(before)))
    assert torch.equal(tensor, torch.ones(5000))
    assert tensor.data_ptr() % 64 == 0
    assert tensor.untyped_storage().nbytes() == tensor.nbytes


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="only Linux tells what is mapped")
@pytest.mark.parametrize("form", ["safetensors", "bin"])
def test_no_mapping_of_a_file_outlives_its_reading(tmp_path: Path, form: str) -> None:
    path = tmp_path / ("model.safetensors" if form == "safetensors" else "pytorch_model.bin")
    (save_file if form == "safetensors" else torch.save)({"w": torch.ones(5000)}, path)
    with open_weights(tmp_path) as weights:
        tensor = weights["w"].read()
    assert path.name not in Path("/proc/self/maps").read_text()
    assert torch.equal(tensor, torch.ones(5000))


@pytest.mark.parametrize("count", [7, 32_768, 100_001])
def test_reading_into_another_dtype_converts(tmp_path: Path, count: int) -> None:
    stored = torch.randn(count).half()
    save_file({"w": stored}, tmp_path / "model.safetensors")
    out = torch.full((count,), torch.nan)
    with open_weights(tmp_path) as weights:
        weights["w"].read_into(out)
    assert torch.equal(out, stored.float())


@pytest.mark.parametrize("zip_format", [True, False])
def test_a_pickle_of_either_generation_is_read(tmp_path: Path, zip_format: bool) -> None:
    tensors = {"a": torch.randn(3, 4), "b": torch.arange(5).half()}
    torch.save(tensors, tmp_path / "pytorch_model.bin", _use_new_zipfile_serialization=zip_format)
    with open_weights(tmp_path) as weights:
        assert list(weights) == ["a", "b"]
        for name, tensor in tensors.items():
            assert same_bits(weights[name].read(), tensor)


@pytest.mark.parametrize("zip_format", [True, False])
def test_numbers_that_a_pickle_holds_with_the_other_sign_are_refused(tmp_path: Path, zip_format: bool) -> None:
    """PyTorch notes it beside the tensor: what is read without that note would be −w."""
    imaginary = torch.complex(torch.zeros(4), torch.arange(4.0)).conj().imag
    assert imaginary.is_neg()
    path = tmp_path / "pytorch_model.bin"
    torch.save({"w": imaginary}, path, _use_new_zipfile_serialization=zip_format)
    with pytest.raises(CheckpointError, match=r"stored with the other sign: save it after resolve_neg\(\)"):
        open_weights(tmp_path).__enter__()
    for safe in (True, False):
        save_weights({"w": imaginary}, tmp_path, safe_serialization=safe)
        with open_weights(tmp_path) as weights:
            assert weights["w"].read().tolist() == [0, -1, -2, -3]


def test_safetensors_come_before_a_pickle_in_the_same_folder(tmp_path: Path) -> None:
    save_file({"w": torch.ones(1)}, tmp_path / "model.safetensors")
    torch.save({"w": torch.zeros(1)}, tmp_path / "pytorch_model.bin")
    with open_weights(tmp_path) as weights:
        assert weights["w"].path == tmp_path / "model.safetensors"


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
        assert list(weights) == ["w1", "w2"]
        assert weights["w2"].read().tolist() == [2, 2]
        assert [tensor.path.name for tensor in weights.values()] == list(weight_map.values())


def test_a_state_dict_is_read_like_a_file_and_copied() -> None:
    original = torch.ones(3)
    weights = weights_of({"w": original})
    weights["w"].read().zero_()
    assert list(weights) == ["w"]
    assert weights["w"].path is None
    assert original.tolist() == [1, 1, 1]


MEASURE = """
import sys, torch
from pathlib import Path
from minibert.checkpoints import open_weights
from minibert.checkpoints.read import empty_tensors

def peak():
    status = Path("/proc/self/status")
    if status.exists():    # Linux hands the other measure, ru_maxrss, down from the process that started this one
        return 1024 * int(status.read_text().split("VmHWM:")[1].split()[0])
    import resource
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

torch.ones(8).numpy()      # first use of the bridge to numpy loads it
before = peak()
with open_weights(Path(sys.argv[1])) as weights:
    tensors = empty_tensors({name: (stored.shape, torch.float32) for name, stored in weights.items()})
    for name, tensor in tensors.items():
        weights[name].read_into(tensor)
print((peak() - before) / sum(tensor.nbytes for tensor in tensors.values()))
"""


@pytest.mark.seconds
@pytest.mark.skipif(sys.platform == "win32", reason="the standard library cannot measure it there")
@pytest.mark.parametrize("dtype", [torch.float32, pytest.param(torch.float16, marks=pytest.mark.slow)])
def test_reading_needs_no_second_copy_of_the_weights(tmp_path: Path, dtype: torch.dtype) -> None:
    save_file({f"w{n}": torch.zeros(8 << 20, dtype=dtype) for n in range(4)}, tmp_path / "model.safetensors")
    command = [sys.executable, "-c", MEASURE, str(tmp_path)]
    result = subprocess.run(command, check=True, capture_output=True, text=True)
    assert 0.9 < float(result.stdout) < 1.1
