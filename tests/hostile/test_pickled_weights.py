"""`pytorch_model.bin`: read as PyTorch reads it where it is a dictionary of tensors, and refused by name where it is anything else."""

from __future__ import annotations

import io
import pickle
import random
import re
import struct
import sys
import warnings
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import pytest
import torch
from hypothesis import given, strategies as st
from torch import Tensor, nn

from minibert.checkpoints import CheckpointError, open_weights
from tests.unit.tiny_bert import tiny

BIN = "pytorch_model.bin"
FLOATS = ("torch", "FloatStorage")


def read_all(folder: Path) -> dict[str, Tensor]:
    with open_weights(folder) as weights:
        return {name: weights[name].read() for name in weights}


def refusal(folder: Path) -> str:
    """The message with which a file is refused: it names it, and says nothing that PyTorch would advise."""
    with pytest.raises(CheckpointError) as caught, open_weights(folder):
        pass
    message = str(caught.value)
    assert str(folder / BIN) in message
    assert not re.search(r"weights_only|torch\.load|add_safe_globals|arbitrary code", message)
    return message


# ------------------------------------------------------------------------------------- a pickle, written instruction by instruction


def text(value: str) -> bytes:
    data = value.encode("utf-8", "surrogatepass")
    return b"X" + struct.pack("<I", len(data)) + data


def number(value: int) -> bytes:
    data = value.to_bytes(9, "little", signed=True)
    return b"\x8a\x09" + data


def named(module: str, name: str) -> bytes:
    return f"c{module}\n{name}\n".encode()


def pack(*parts: bytes) -> bytes:
    return b"(" + b"".join(parts) + b"t"


def call(function: bytes, *arguments: bytes) -> bytes:
    return function + pack(*arguments) + b"R"


def storage(key: str = "0", count: int | bytes = 4, kind: tuple[str, str] = FLOATS) -> bytes:
    size = count if isinstance(count, bytes) else number(count)
    return pack(text("storage"), named(*kind), text(key), text("cpu"), size) + b"Q"


def tensor(
    of: bytes | None = None,
    offset: int = 0,
    shape: tuple[int, ...] = (4,),
    strides: tuple[int, ...] = (1,),
) -> bytes:
    sizes = pack(*map(number, shape)), pack(*map(number, strides))
    hooks = call(named("collections", "OrderedDict"))
    rebuild = named("torch._utils", "_rebuild_tensor_v2")
    return call(rebuild, storage() if of is None else of, number(offset), *sizes, b"\x89", hooks)


def dictionary(*pairs: bytes) -> bytes:
    return b"}(" + b"".join(pairs) + b"u"


def write(
    folder: Path,
    program: bytes,
    records: dict[str, bytes] | None = None,
    compression: dict[str, int] | None = None,
) -> Path:
    """An archive as `torch.save` makes it, with this program and these records of numbers."""
    records = {"0": struct.pack("<4f", 1, 2, 3, 4)} if records is None else records
    with zipfile.ZipFile(folder / BIN, "w") as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02" + program + b".", (compression or {}).get("data.pkl", 0))
        archive.writestr("archive/version", b"3\n")
        for key, data in records.items():
            archive.writestr(f"archive/data/{key}", data, (compression or {}).get(key, 0))
    return folder


def write_legacy(folder: Path, program: bytes, keys: bytes, numbers: bytes) -> Path:
    torch.save({}, folder / BIN, _use_new_zipfile_serialization=False)
    begin = (folder / BIN).read_bytes().split(b"\x80\x02}q\x00.")[0]
    (folder / BIN).write_bytes(begin + b"\x80\x02" + program + b".\x80\x02" + keys + b"." + numbers)
    return folder


def test_the_archive_of_these_tests_is_one_that_is_read(tmp_path: Path) -> None:
    write(tmp_path, dictionary(text("w"), tensor()))
    assert read_all(tmp_path)["w"].tolist() == [1, 2, 3, 4]
    assert torch.load(tmp_path / BIN)["w"].tolist() == [1, 2, 3, 4]


def test_so_is_the_legacy_file(tmp_path: Path) -> None:
    numbers = struct.pack("<q4f", 4, 1, 2, 3, 4)
    legacy = storage().replace(b"tQ", b"NtQ")
    write_legacy(tmp_path, dictionary(text("w"), tensor(legacy)), b"](" + text("0") + b"e", numbers)
    assert read_all(tmp_path)["w"].tolist() == [1, 2, 3, 4]
    assert torch.load(tmp_path / BIN)["w"].tolist() == [1, 2, 3, 4]


# ------------------------------------------------------------------------------------------------------------------ what is read

DTYPES = [torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.int8, torch.bool]
DTYPES += [torch.float8_e4m3fn, torch.uint16, torch.complex64]


def same_bits(one: Tensor, other: Tensor) -> bool:
    return bytes(one.clone().untyped_storage()) == bytes(other.contiguous().clone().untyped_storage())


@st.composite
def state_dicts(draw: Any) -> dict[str, Tensor]:
    """Tensors of all dtypes and layouts, some of which share their memory."""
    made: dict[str, Tensor] = {}
    for index in range(draw(st.integers(1, 5))):
        dtype, rows, columns = draw(st.sampled_from(DTYPES)), draw(st.integers(0, 4)), draw(st.integers(1, 4))
        whole = torch.randint(0, 2, (rows, columns + 2)).to(dtype)
        view = draw(st.sampled_from(["whole", "turned", "columns", "row", "every second", "scalar"]))
        views = {"whole": whole, "turned": whole.t(), "columns": whole[:, 1:-1], "every second": whole[:, ::2]}
        views |= {"row": whole[rows // 2 : rows // 2 + 1], "scalar": torch.ones((), dtype=dtype)}
        made[f"w{index}"] = views[view]
        if draw(st.booleans()):
            made[f"again{index}"] = whole
    return made


class TestWhatPyTorchSaves:
    @given(state_dicts(), st.booleans(), st.sampled_from([2, 4, 5]))
    def test_is_read_as_pytorch_reads_it(
        self, tmp_path_factory: pytest.TempPathFactory, tensors: dict[str, Tensor], zipped: bool, protocol: int
    ) -> None:
        folder = tmp_path_factory.mktemp("saved")
        if not zipped:  # PyTorch itself cannot read others
            protocol, old = 2, (torch.float8_e4m3fn, torch.uint16)
            tensors = {name: each for name, each in tensors.items() if each.dtype not in old}
        torch.save(tensors, folder / BIN, _use_new_zipfile_serialization=zipped, pickle_protocol=protocol)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of protocols
            expected = torch.load(folder / BIN, weights_only=False)
        found = read_all(folder)
        assert list(found) == list(expected)
        for name, each in expected.items():
            assert found[name].dtype == each.dtype
            assert found[name].shape == each.shape
            assert found[name].is_contiguous()
            assert same_bits(found[name], each)

    @pytest.mark.parametrize("zipped", [True, False])
    def test_a_models_own_state_dict_with_its_versions(self, tmp_path: Path, zipped: bool) -> None:
        state = nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4)).state_dict()
        assert hasattr(state, "_metadata")
        torch.save(state, tmp_path / BIN, _use_new_zipfile_serialization=zipped)
        found = read_all(tmp_path)
        assert all(torch.equal(found[name], state[name]) for name in state)

    def test_parameters(self, tmp_path: Path) -> None:
        torch.save(dict(nn.Linear(3, 4).named_parameters()), tmp_path / BIN)
        assert {name: each.shape for name, each in read_all(tmp_path).items()} == {"weight": (4, 3), "bias": (4,)}

    def test_an_ordered_dictionary_as_python_2_wrote_it(self, tmp_path: Path) -> None:
        pair = b"](" + text("w") + tensor() + b"e"
        write(tmp_path, call(named("collections", "OrderedDict"), b"](" + pair + b"e"))
        assert read_all(tmp_path)["w"].tolist() == [1, 2, 3, 4]

    def test_two_names_of_one_memory_are_two_tensors(self, tmp_path: Path) -> None:
        shared = torch.arange(4.0)
        torch.save({"a": shared, "b": shared, "c": shared[1:]}, tmp_path / BIN)
        found = read_all(tmp_path)
        found["a"].zero_()
        assert found["b"].tolist() == [0, 1, 2, 3]
        assert found["c"].tolist() == [1, 2, 3]

    def test_a_bert(self, tmp_path: Path) -> None:
        from minibert import BertForPreTraining

        model = tiny(BertForPreTraining)
        torch.save(OrderedDict(model.state_dict()), tmp_path / BIN)
        found = read_all(tmp_path)
        assert all(torch.equal(found[name], each) for name, each in model.state_dict().items())


# --------------------------------------------------------------------------------------------------------------- what is refused


class TestTensorsWithoutNumbersOfTheirOwn:
    """They would take whatever lies in memory, or in the next record, for weights."""

    PROGRAMS: ClassVar = {
        "no record": tensor(storage("1")),
        "a storage of more numbers than its record has": tensor(storage(count=5), shape=(5,)),
        "a storage of gigabytes": tensor(storage(count=750_000_000), shape=(750_000_000,)),
        "a storage of exabytes": tensor(storage(count=2**62), shape=(2**62,)),
        "fewer than none": tensor(storage(count=-4)),
        "a tensor longer than its storage": tensor(shape=(5,)),
        "an offset beyond": tensor(offset=1),
        "an offset before": tensor(offset=-1, shape=(2,)),
        "a stride beyond": tensor(shape=(2,), strides=(4,)),
        "a stride backwards": tensor(offset=3, shape=(4,), strides=(-1,)),
        "two strides for one dimension": tensor(strides=(1, 1)),
        "one number shown a billion times": tensor(shape=(2**30,), strides=(0,)),
        "no numbers of a shape beyond all memory": tensor(shape=(0, 2**40, 2**40), strides=(1, 1, 1)),
        "wider numbers than were stored": call(
            named("torch._utils", "_rebuild_tensor_v3"),
            *(storage(count=16, kind=("torch.storage", "UntypedStorage")), number(0)),
            *(pack(number(4)), pack(number(1)), b"\x89", b"}", named("torch", "float64")),
        ),
        "a count that is text": tensor(storage(count=text("4"))),
        "a count that is a list": tensor(storage(count=b"]")),
        "a shape that is a number": tensor().replace(pack(number(4)) + pack(number(1)), number(4) + pack(number(1))),
        "quantized numbers": tensor(storage(kind=("torch", "QInt8Storage"))),
    }

    @pytest.mark.parametrize("name", PROGRAMS)
    def test_are_refused(self, tmp_path: Path, name: str) -> None:
        refusal(write(tmp_path, dictionary(text("w"), self.PROGRAMS[name])))

    @pytest.mark.parametrize("maker", ["FloatTensor", "Tensor", "empty", "FloatStorage", "zeros"])
    def test_so_are_those_that_a_function_would_make(self, tmp_path: Path, maker: str) -> None:
        message = refusal(write(tmp_path, dictionary(text("w"), call(named("torch", maker), number(750_000_000)))))
        assert f"it would call torch.{maker}" in message

    def test_records_that_lie_in_each_other(self, tmp_path: Path) -> None:
        """Two names of one place in the file, as in archives that unpack to more than they are."""
        write(tmp_path, dictionary(text("w"), tensor()), {"0": bytes(16), "1": bytes(16)})
        content = (tmp_path / BIN).read_bytes()
        start = content.rindex(b"PK\x01\x02")  # the last entry of the directory, and where it points
        first = content.index(b"PK\x03\x04", 4)
        moved = content[: start + 42] + struct.pack("<I", first) + content[start + 46 :]
        (tmp_path / BIN).write_bytes(moved)
        assert "not wholly in the file" in refusal(tmp_path)

    def test_many_names_of_a_few_numbers(self, tmp_path: Path) -> None:
        numbers = b"\0" * (1 << 20)
        shared = storage(count=1 << 18)
        names = [text(f"w{n}") + tensor(shared, shape=(1 << 18,)) for n in range(200)]
        assert "many share their numbers" in refusal(write(tmp_path, dictionary(*names), {"0": numbers}))

    LEGACY: ClassVar = {
        "more numbers than the file has": (4, struct.pack("<q2f", 4, 1, 2)),
        "another count than the tensors have": (4, struct.pack("<q3f", 3, 1, 2, 3)),
        "a count beyond all memory": (2**60, struct.pack("<q4f", 2**60, 1, 2, 3, 4)),
        "no numbers": (4, b""),
        "a count below none": (4, struct.pack("<q4f", -1, 1, 2, 3, 4)),
        "half a count": (4, b"\4\0\0"),
    }

    @pytest.mark.parametrize("name", LEGACY)
    def test_in_legacy_files_too(self, tmp_path: Path, name: str) -> None:
        count, numbers = self.LEGACY[name]
        program = dictionary(text("w"), tensor(storage(count=count).replace(b"tQ", b"NtQ")))
        refusal(write_legacy(tmp_path, program, b"](" + text("0") + b"e", numbers))

    def test_a_legacy_storage_that_is_not_listed(self, tmp_path: Path) -> None:
        program = dictionary(text("w"), tensor(storage().replace(b"tQ", b"NtQ")))
        assert "a tensor has no numbers" in refusal(write_legacy(tmp_path, program, b"]", b""))


class TestArchives:
    COMPRESSED: ClassVar = [{"data.pkl": 8}, {"0": 8}, {"0": 12}, {"data.pkl": 14}, {"0": 14}, {"data.pkl": 8, "0": 8}]

    @pytest.mark.parametrize("compression", COMPRESSED, ids=str)
    def test_packed_again_with_compression_are_refused(self, tmp_path: Path, compression: dict[str, int]) -> None:
        program = dictionary(text("w"), tensor(storage(count=1 << 20), shape=(1 << 20,)))
        write(tmp_path, program, {"0": bytes(4 << 20)}, compression)
        assert "is compressed" in refusal(tmp_path)

    @pytest.mark.parametrize(
        "records", [["a/data.pkl", "b/data.pkl"], ["a/data.pkl"] * 2, ["a/b/data.pkl"], [], ["data.pkl"]]
    )
    @pytest.mark.filterwarnings("ignore:Duplicate name")
    def test_without_one_program_are_refused(self, tmp_path: Path, records: list[str]) -> None:
        with zipfile.ZipFile(tmp_path / BIN, "w") as archive:
            for name in records:
                archive.writestr(name, b"\x80\x02}.")
            archive.writestr("other", b"")
        refusal(tmp_path)

    def test_of_a_machine_with_another_order_of_bytes_are_refused(self, tmp_path: Path) -> None:
        write(tmp_path, dictionary(text("w"), tensor()))
        with zipfile.ZipFile(tmp_path / BIN, "a") as archive:
            archive.writestr("archive/byteorder", "big")
        assert "order" in refusal(tmp_path)

    def test_that_end_early_are_refused(self, tmp_path: Path) -> None:
        torch.save({"w": torch.ones(1000)}, tmp_path / BIN)
        whole = (tmp_path / BIN).read_bytes()
        for kept in range(1, len(whole), 97):
            (tmp_path / BIN).write_bytes(whole[:kept])
            refusal(tmp_path)

    def test_a_traced_model_is_refused(self, tmp_path: Path) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.jit.save(torch.jit.trace(nn.Linear(2, 2), torch.ones(1, 2)), str(tmp_path / BIN))
        refusal(tmp_path)


def nested(depth: int) -> bytes:
    return b")" + b"\x85" * depth


class TestPrograms:
    PROGRAMS: ClassVar = {
        "a tuple as a key": dictionary(pack(text("w")), tensor()),
        "a tuple nested deeply as a key": dictionary(nested(200_000), tensor()),
        "a tuple of a tensor as a key": dictionary(pack(tensor()), tensor()),
        "a list as a key": dictionary(b"]", tensor()),
        "a tensor as a key": dictionary(tensor(), tensor()),
        "a function as a key": dictionary(named("torch", "ones"), tensor()),
        "a key without a value": dictionary(text("w"), tensor(), text("v")),
        "a tuple that doubles": dictionary(text("w"), b")" + b"q\0h\0\x86" * 60 + b"q\1"),
        "a bytearray of its own": dictionary(text("w"), b"\x96" + struct.pack("<Q", 1 << 33) + b"abc"),
        "bytes of a size": dictionary(text("w"), b"\x8e" + struct.pack("<Q", 1 << 62) + b"abc"),
        "text longer than the file": dictionary(b"X" + struct.pack("<I", (1 << 32) - 1) + b"w", tensor()),
        "bytearray(n)": dictionary(text("w"), call(named("__builtin__", "bytearray"), number(1 << 34))),
        "bytearray(n), called otherwise": dictionary(text("w"), call(named("builtins", "bytearray"), number(1 << 34))),
        "a counter": dictionary(text("w"), call(named("collections", "Counter"), b"}")),
        "a set": dictionary(text("w"), call(named("builtins", "set"), b"]")),
        "a module's code": dictionary(text("w"), call(named("os", "system"), text("true"))),
        "an evaluation": call(named("builtins", "eval"), text("1")),
        "a call of text": dictionary(text("w"), call(text("os.system"), text("true"))),
        "a call of a tensor": dictionary(text("w"), call(tensor(), text("true"))),
        "a state for a dictionary that is a number": b"}" + number(5) + b"b",
        "a state that is a tuple": b"}" + pack(b"}", b"}") + b"b",
        "a state that is nothing": b"}Nb",
        "a state that is a list": b"}" + b"]" + b"b",
        "a state for a tensor": dictionary(text("w"), tensor() + b"}b"),
        "a state for nothing": b"}b",
        "an ordered dictionary of pairs that are none": call(
            named("collections", "OrderedDict"), b"](" + b"](K\1K\2K\3e" + b"e"
        ),
        "an instance": b"(c__main__\nX\no",
        "an instance as of old": b"(i__main__\nX\n",
        "a new object": named("builtins", "object") + b")\x81",
        "an extension": b"\x82\1",
        "another's identity": b"Pname\n",
        "nothing": b"",
        "too many taken": b"}tttt",
        "a mark that is missing": b"}u",
        "what was never remembered": b"h\7",
        "half a surrogate pair": dictionary(text("\ud800"), tensor()),
        "a name of functions doubled": b"".join([text("torch" * 1000), b"q\1", *[b"h\1h\1\x93"] * 1000]),
        "storages of another kind": dictionary(text("w"), tensor(storage(kind=("builtins", "list")))),
        "a view of a storage": dictionary(
            text("w"), tensor(storage().replace(b"tQ", pack(text("v"), number(0), number(2)) + b"tQ"))
        ),
        "appending to a dictionary": b"}" + number(1) + b"a",
        "setting in a list": b"]" + text("w") + tensor() + b"s",
        "setting in a tensor": tensor() + text("w") + tensor() + b"s",
        "setting in text": text("x") + text("w") + tensor() + b"s",
    }

    @pytest.mark.parametrize("name", PROGRAMS)
    def test_that_ask_for_anything_else_are_refused(self, tmp_path: Path, name: str) -> None:
        refusal(write(tmp_path, self.PROGRAMS[name]))

    @pytest.mark.seconds
    @pytest.mark.parametrize("filler", [b"}0", b"]0", b"N0", b"K\1q\1", b"}", b"("])
    def test_that_are_long_take_no_memory(self, tmp_path: Path, filler: bytes) -> None:
        refusal(write(tmp_path, filler * (20_000_000 // len(filler)) + dictionary(text("w"), tensor())))

    def test_nothing_is_imported(self, tmp_path: Path) -> None:
        sys.modules.pop("this", None)
        refusal(write(tmp_path, dictionary(text("w"), call(named("this", "s")))))
        assert "this" not in sys.modules

    def test_a_dictionary_in_a_dictionary_is_named(self, tmp_path: Path) -> None:
        message = refusal(write(tmp_path, dictionary(text("state"), dictionary(text("w"), tensor()))))
        assert "'state' is a dict" in message


PEAK = """
import sys, threading, time
from pathlib import Path
import resource
from minibert.checkpoints import CheckpointError, open_weights
import torch
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for path in sys.argv[1:]:
    try:
        with open_weights(Path(path)) as weights:
            [tensor.read() for tensor in weights.values()]
    except CheckpointError:
        pass
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.seconds
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="measured in Linux's units")
def test_no_refusal_takes_memory(tmp_path: Path) -> None:
    """All programs above one after the other; the files are smaller than a megabyte, but for the long ones of 20 million bytes."""
    import subprocess

    folders = []
    programs = {
        **TestPrograms.PROGRAMS,
        **{name: dictionary(text("w"), each) for name, each in TestTensorsWithoutNumbersOfTheirOwn.PROGRAMS.items()},
    }
    programs["long"] = b"}0" * 10_000_000
    for number, program in enumerate(programs.values()):
        folders.append(tmp_path / str(number))
        folders[-1].mkdir()
        write(folders[-1], program)
    done = subprocess.run([sys.executable, "-c", PEAK, *map(str, folders)], capture_output=True, text=True, check=True)
    assert int(done.stdout) * 1024 < 100e6


MUTATIONS: list[Callable[[bytearray, random.Random], None]] = [
    lambda data, rng: data.__setitem__(rng.randrange(len(data)), rng.randrange(256)),
    lambda data, rng: data.__delitem__(slice(at := rng.randrange(len(data)), at + rng.randrange(1, 9))),
    lambda data, rng: data.insert(rng.randrange(len(data)), rng.randrange(256)),
    lambda data, rng: data.__setitem__(slice(at := rng.randrange(len(data)), at + 4), b"\xff\xff\xff\x7f"),
    lambda data, rng: data.extend(data[: rng.randrange(len(data))]),
]


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("seed", range(6))
def test_mutated_files_are_refused_or_read_as_pytorch_reads_them(tmp_path: Path, zipped: bool, seed: int) -> None:
    rng, made = random.Random(seed), io.BytesIO()
    tensors = {
        "w": torch.arange(6.0).view(2, 3),
        "turned": torch.arange(6).view(2, 3).t(),
        "half": torch.ones(3).half(),
    }
    torch.save(tensors, made, _use_new_zipfile_serialization=zipped)
    for _ in range(60):
        data = bytearray(made.getvalue())
        for _ in range(rng.randrange(1, 4)):
            rng.choice(MUTATIONS)(data, rng)
        (tmp_path / BIN).write_bytes(data)
        try:
            found = read_all(tmp_path)
        except CheckpointError as error:
            assert str(tmp_path / BIN) in str(error)  # noqa: PT017
            continue
        try:
            expected = torch.load(tmp_path / BIN)
        except (RuntimeError, ValueError, pickle.UnpicklingError, OSError, EOFError, KeyError, AttributeError):
            continue  # PyTorch checks sums of the numbers, too
        assert {name: each.shape for name, each in found.items()} == {
            name: each.shape for name, each in expected.items()
        }
        for name, each in expected.items():
            assert found[name].equal(each) or found[name].isnan().any()
