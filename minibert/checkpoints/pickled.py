"""What `torch.save` wrote, read without running it.

A pickle is a program for a small stack machine: push this number, make a tuple of the last three, call that function. Python's machine
calls whatever the file names, and PyTorch's careful one has had faults by which a file could write into memory (CVE-2026-24747).
This one knows what a dictionary of tensors takes, calls nothing, and makes of a tensor only where its numbers lie in the file.

    zip, since PyTorch 1.6    …/data.pkl, the program, and …/data/KEY, the numbers of a storage; none of them compressed
    legacy                    a magic number, two pickles about the system, the program, the keys of the storages in order;
                              then each storage: how many numbers (8 bytes, little-endian), and the numbers
"""

import math
import pickletools
import zipfile
from dataclasses import dataclass
from io import BufferedReader, BytesIO
from typing import Any

import torch

_MAGIC = 0x1950A86A20F9469CFC6C  # begins a legacy file
_LONGEST = 1 << 20  # bytes of a program: some thousand tensors; what it makes takes up to 80 times as many
_BYTES_PER_COPY = 8  # of the program, for each entry that it has copied from a list it names again and again
_SLACK = 100_000_000  # bytes that tensors which share their numbers may take beyond twice the file
_KINDS = {"Float": "float32", "Double": "float64", "Half": "float16", "BFloat16": "bfloat16", "Bool": "bool"}
_KINDS |= {"Long": "int64", "Int": "int32", "Short": "int16", "Char": "int8", "Byte": "uint8"}
_KINDS |= {"ComplexFloat": "complex64", "ComplexDouble": "complex128"}
_STORAGES = {f"torch.{at}{kind}Storage": getattr(torch, to) for kind, to in _KINDS.items() for at in ("", "cuda.")}
_STORAGES["torch.storage.UntypedStorage"] = torch.uint8
_PUSHED = {"BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT", "BINUNICODE", "SHORT_BINUNICODE", "SHORT_BINSTRING"}
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False, "EMPTY_TUPLE": ()}
# How many things an instruction takes from the stack; None: those above the last mark.
_TAKES = {"TUPLE": None, "APPENDS": None, "SETITEMS": None, "TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3, "APPEND": 1}
_TAKES |= {"SETITEM": 2, "BUILD": 1, "STACK_GLOBAL": 2, "BINPERSID": 1, "REDUCE": 2}
# Functions that make a tensor of storage, offset, shape, strides, …, and how many arguments they take.
_TENSORS = {"torch._utils._rebuild_tensor": (4,), "torch._utils._rebuild_tensor_v2": (6, 7)}
_TENSORS["torch._utils._rebuild_tensor_v3"] = (7, 8)  # the seventh is the dtype


class NotPlainError(ValueError):
    """A pickle asks for something that a dictionary of tensors does not need."""


@dataclass(eq=False)
class Storage:
    """A block of the file that holds numbers. position: its first byte, once that is known."""

    dtype: torch.dtype
    nbytes: int
    position: int = -1


@dataclass(eq=False)
class View:
    """A tensor as the file describes it: shape and strides, in numbers, from an offset into a storage on."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    dtype: torch.dtype

    @property
    def position(self) -> int:
        """Where its first number lies in the file, in bytes."""
        return self.storage.position + self.offset * self.dtype.itemsize

    @property
    def reach(self) -> int:
        """How many numbers lie between its first and its last, both counted."""
        steps = [(size - 1) * stride for size, stride in zip(self.shape, self.strides, strict=True)]
        return 1 + sum(steps) if 0 not in self.shape else 0

    def check(self, name: str) -> None:
        """Raises ValueError unless it lies wholly in its storage, and has no more numbers than there are."""
        sizes = [self.offset, *self.shape, *self.strides]
        ordinary = all(type(size) is int and 0 <= size < 1 << 48 for size in sizes) and len(self.shape) <= 64
        if not ordinary or math.prod(max(size, 1) for size in self.shape) >= 1 << 60:
            raise ValueError(f"tensor {name!r:.80} has a shape, strides or an offset that no tensor has")
        needed = max(self.offset + self.reach, math.prod(self.shape)) * self.dtype.itemsize
        if 0 not in self.shape and needed > self.storage.nbytes:
            raise ValueError(f"tensor {name!r:.80} reaches beyond the numbers that its storage has")


class _Name(str):
    """A function or type that a pickle names; nothing is imported."""


class _Machine:
    """Runs a pickle. stored: the storages that it names."""

    def __init__(self) -> None:
        self.stored: dict[str, Storage] = {}
        self.copies_left = 0

    def run(self, program: BytesIO) -> Any:
        """The object that the pickle describes, a `View` for a tensor. Leaves `program` behind its last byte."""
        stack: list[Any] = []
        marks: list[int] = []
        memo: dict[Any, Any] = {}
        argument: Any
        self.copies_left = len(program.getbuffer()) // _BYTES_PER_COPY
        for instruction, argument, _ in pickletools.genops(program):
            name = instruction.name
            str(argument).encode()  # half a surrogate pair is no text
            if name in _PUSHED:
                stack.append(argument)
            elif name in _CONSTANTS:
                stack.append(_CONSTANTS[name])
            elif name in ("EMPTY_DICT", "EMPTY_LIST"):
                stack.append({} if name == "EMPTY_DICT" else [])
            elif name == "MARK":
                marks.append(len(stack))
            elif name in ("BINPUT", "LONG_BINPUT", "MEMOIZE"):
                memo[len(memo) if argument is None else argument] = stack[-1]
            elif name in ("BINGET", "LONG_BINGET"):
                stack.append(memo[argument])
            elif name == "GLOBAL":
                stack.append(_Name(argument.replace(" ", ".")))
            elif name in _TAKES:
                many = _TAKES[name]
                first = marks.pop() if many is None else len(stack) - many
                taken = stack[first:]
                del stack[first:]
                self.apply(name, taken, stack)
            elif name not in ("PROTO", "FRAME", "STOP"):
                raise NotPlainError(f"the instruction {name}")
        return stack.pop()

    def apply(self, name: str, taken: list[Any], stack: list[Any]) -> None:
        """Do an instruction with what it took from the stack."""
        on = type(stack[-1]) if stack else None
        if name.startswith("TUPLE"):
            stack.append(tuple(taken))
        elif name == "STACK_GLOBAL" and sum(map(len, taken)) < 200:
            stack.append(_Name(".".join(taken)))
        elif name == "BINPERSID":
            stack.append(self.storage(*taken[0]))
        elif name == "REDUCE":
            stack.append(self.call(*taken))
        elif name.startswith("APPEND") and on is list:
            stack[-1].extend(taken)
        elif name.startswith("SETITEM") and on is dict:
            # Numbers that are large, or have fractions, can be chosen such that a dictionary has to compare each with all.
            if any(type(key) is not str and (type(key) is not int or abs(key) > _LONGEST) for key in taken[::2]):
                raise NotPlainError("a key that is neither text nor a small number")
            stack[-1].update(zip(taken[::2], taken[1::2], strict=True))
        elif (
            name != "BUILD" or on is not dict or type(taken[0]) is not dict
        ):  # a state dict's _metadata, which none reads
            raise NotPlainError(f"the instruction {name} where a dictionary of tensors has none")

    def storage(self, kind: str, of: str, key: str, _device: str, count: int, view: None = None) -> Storage:
        """The block of numbers that a pickle names so."""
        if type(of) is not _Name or type(key) is not str or type(count) is not int:  # before any is hashed or shown
            raise NotPlainError("numbers without a kind, a name or a count")
        if kind != "storage" or of not in _STORAGES or view is not None:
            raise NotPlainError(f"numbers of the kind {of!s:.60}")
        return self.stored.setdefault(key, Storage(_STORAGES[of], count * _STORAGES[of].itemsize))

    def call(self, function: str, arguments: tuple[Any, ...]) -> Any:
        """What a function would return, of those that a dictionary of tensors needs."""
        if type(function) is not _Name:  # a tuple of tuples may be longer to hash or to show than anyone lives
            raise NotPlainError(f"it would call what is no function, but a {type(function).__name__}")
        if function == "collections.OrderedDict":
            made: list[Any] = [{}]
            pairs = (arguments or ((),))[0]
            self.copies_left -= len(pairs)
            if self.copies_left < 0:
                raise NotPlainError("dictionaries made of the same entries again and again")
            self.apply("SETITEMS", [each for key, value in pairs for each in (key, value)], made)
            return made[0]
        if len(arguments) in _TENSORS.get(function, ()):
            storage, offset, shape, strides = arguments[:4]
            if any(arguments[7 if function.endswith("_v3") else 6 :]):
                raise NotPlainError(
                    "a tensor whose numbers are stored with the other sign: save it after resolve_neg().resolve_conj()"
                )
            of = vars(torch)[arguments[6].removeprefix("torch.")] if function.endswith("_v3") else storage.dtype
            dtype = torch.empty(0, dtype=of, device="cpu").dtype  # if there is such
            return View(storage=storage, offset=offset, shape=shape, strides=strides, dtype=dtype)
        if function == "torch._utils._rebuild_parameter":
            return arguments[0]
        if function.startswith(("torch._utils._rebuild_", "torch.serialization._get_layout", "torch.Size")):
            return torch.empty(0, device="meta")  # sparse, quantized, without numbers: refused later, by its name
        raise NotPlainError(f"it would call {function:.100}")


def read_pickle(file: BufferedReader, size: int) -> Any:
    """What a file that `torch.save` wrote holds, a `View` for each tensor. size: of the file, in bytes.

    Raises NotPlainError for what no dictionary of tensors needs, and any other error where the file is damaged: a tensor that
    is not wholly inside its storage, or a storage inside its record, a record that is compressed, more numbers than the file has.
    """
    is_zip = file.read(4) == b"PK\x03\x04"
    content = (_read_zip if is_zip else _read_legacy)(file, size)
    views = {name: each for name, each in content.items() if isinstance(each, View)} if type(content) is dict else {}
    for name, view in views.items():
        view.check(name)
    if sum(math.prod(view.shape) * view.dtype.itemsize for view in views.values()) > 2 * size + _SLACK:
        raise ValueError("its tensors together are far larger than the file, since many share their numbers")
    return content


def _read_zip(file: BufferedReader, size: int) -> Any:
    with zipfile.ZipFile(file) as archive:
        entries = sorted(archive.infolist(), key=lambda entry: entry.header_offset)
    records: dict[str, tuple[int, int]] = {}  # name → its first byte in the file, and how many there are
    for entry, end in zip(entries, [*(entry.header_offset for entry in entries[1:]), size], strict=True):
        file.seek(entry.header_offset)
        begin, lengths = file.read(4), file.read(26)[-4:]  # of the name and of what else stands before the bytes
        first = entry.header_offset + 30 + sum(int.from_bytes(each, "little") for each in (lengths[:2], lengths[2:]))
        if (
            begin != b"PK\3\4"
            or entry.compress_type
            or entry.flag_bits & 1
            or first + entry.file_size > end
            or entry.filename in records
        ):
            raise ValueError(f"record {entry.filename!r:.80} is compressed, there twice or not wholly in the file")
        records[entry.filename] = (first, entry.file_size)
    (top,) = (name.removesuffix("data.pkl") for name in records if name.endswith("/data.pkl") and name.count("/") == 1)
    contents = {}
    for name in {"byteorder", "data.pkl"} & {name.removeprefix(top) for name in records}:
        file.seek(records[top + name][0])
        contents[name] = file.read(min(records[top + name][1], _LONGEST))
    if contents.get("byteorder") == b"big":
        raise ValueError("its bytes stand in another machine's order")
    machine = _Machine()
    found = machine.run(BytesIO(contents["data.pkl"]))
    for key, storage in machine.stored.items():
        storage.position, held = records[f"{top}data/{key}"]
        if storage.nbytes != held:
            raise ValueError(f"storage {key!r:.80} should have {storage.nbytes} bytes, its record has {held}")
    return found


def _read_legacy(file: BufferedReader, size: int) -> Any:
    file.seek(0)
    start, machine = BytesIO(file.read(_LONGEST)), _Machine()
    magic, _, system = (_Machine().run(start) for _ in range(3))
    if magic != _MAGIC or system["little_endian"] is not True:
        raise ValueError("it does not begin as a file of PyTorch does, or its bytes stand in another machine's order")
    found, keys = machine.run(start), _Machine().run(start)
    position = start.tell()
    for key in keys:
        if type(key) is not str:
            raise ValueError(f"the name of a storage is a {type(key).__name__}")
        file.seek(position)
        storage, count = machine.stored[key], int.from_bytes(file.read(8), "little")
        storage.position = position + 8
        position = storage.position + storage.nbytes
        if storage.nbytes != count * storage.dtype.itemsize or position > size:
            raise ValueError(f"storage {key!r:.80} is not wholly in the file, or has other numbers than its tensors")
    if any(storage.position < 0 for storage in machine.stored.values()):
        raise ValueError("a tensor has no numbers")
    return found
