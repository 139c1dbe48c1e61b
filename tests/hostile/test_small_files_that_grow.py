"""Small files whose contents name the same bytes again and again: they are refused before they take time or memory."""

import json
import struct
import weakref
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from minibert.checkpoints import CheckpointError, open_weights, read
from minibert.checkpoints.tensorflow import bundle
from tests.hostile import test_pickled_weights as pickles, test_tensorflow as tables
from tests.hostile.test_pickled_weights import call, dictionary, named, number, pack, storage, tensor, text
from tests.unit.checkpoints.tensorflow_writer import MAGIC, block, message, shape, table, varint, with_trailer

DOUBLED = b")" + b"q\0h\0\x86" * 16  # a tuple of a tuple twice, and so on: 65,536 of them to whoever walks through
ORDERED = named("collections", "OrderedDict")


class TestPickles:
    PROGRAMS = {  # noqa: RUF012
        "the kind of a storage": pack(text("storage"), DOUBLED, text("0"), text("cpu"), number(4)) + b"Q",
        "the name of a storage": pack(text("storage"), named(*pickles.FLOATS), DOUBLED, text("cpu"), number(4)) + b"Q",
        "the count of a storage": storage(count=DOUBLED),
        "a function": call(DOUBLED, text("w")),
        "a key": dictionary(DOUBLED, tensor()),
        "a key of an ordered dictionary": call(ORDERED, pack(pack(DOUBLED, tensor()))),
        "a storage": dictionary(text("w"), tensor(DOUBLED)),
        "a shape": dictionary(text("w"), tensor().replace(pack(number(4)) + pack(number(1)), DOUBLED + DOUBLED)),
        "all there is": DOUBLED,
    }

    @pytest.mark.parametrize("place", PROGRAMS)
    def test_a_tuple_of_shared_halves_is_neither_hashed_nor_shown(self, tmp_path: Path, place: str) -> None:
        assert "((" not in pickles.refusal(pickles.write(tmp_path, self.PROGRAMS[place]))

    def test_nor_as_a_key_of_a_legacy_file(self, tmp_path: Path) -> None:
        message = pickles.refusal(pickles.write_legacy(tmp_path, b"}", b"](" + DOUBLED + b"e", b""))
        assert "the name of a storage is a tuple" in message

    def test_a_count_that_is_a_list_is_not_multiplied(self, tmp_path: Path) -> None:
        message = pickles.refusal(pickles.write(tmp_path, dictionary(text("w"), tensor(storage(count=b"]")))))
        assert "numbers without a kind, a name or a count" in message

    def test_the_entries_of_a_list_are_copied_a_few_times_only(self, tmp_path: Path) -> None:
        entries = b"".join(b"M" + struct.pack("<H", n) + b"N\x86" for n in range(100))
        program = ORDERED + b"q\0" + b"](" + entries + b"e\x85q\1" + b"h\0h\1R" * 100
        assert "the same entries again and again" in pickles.refusal(pickles.write(tmp_path, program))

    @pytest.mark.parametrize("key", [number(2**61 - 1), number(-(2**61)), b"G" + struct.pack(">d", 0.5)])
    def test_numbers_that_can_be_chosen_to_collide_are_no_keys(self, tmp_path: Path, key: bytes) -> None:
        assert "nor a small number" in pickles.refusal(pickles.write(tmp_path, dictionary(key, tensor())))

    def test_a_dtype_is_looked_up_without_importing(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        imported: list[str] = []
        monkeypatch.setattr(torch, "__getattr__", imported.append)  # what torch does for modules that it imports late
        rebuild = named("torch._utils", "_rebuild_tensor_v3")
        sizes = number(0), pack(number(4)), pack(number(1)), b"\x89", b"}"
        pickles.refusal(pickles.write(tmp_path, call(rebuild, storage(), *sizes, named("torch", "_late"))))
        assert imported == []


class TestTensorFlowIndexes:
    HEADER = {b"": message({1: 1})}  # noqa: RUF012

    def test_a_long_key_is_no_name(self, tmp_path: Path) -> None:
        content = table({**self.HEADER, b"w" * 300_000: b""})
        assert "a key has 300000 bytes" in tables.refusal_of_index(tmp_path, content)

    def test_a_key_that_grows_from_entry_to_entry_ends_there_too(self, tmp_path: Path) -> None:
        content = table({**self.HEADER, **{b"w" * n: b"" for n in range(100, 2000, 100)}})
        assert "a key has 1100 bytes" in tables.refusal_of_index(tmp_path, content)

    @pytest.mark.parametrize("limit", ["MOST_TENSORS", "_LONGEST_KEYS"])
    def test_many_names_are_too_many(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str) -> None:
        monkeypatch.setattr(bundle, limit, 10)
        content = table({**self.HEADER, **{f"w{n:02}".encode(): b"" for n in range(12)}}, keys_a_block=5)
        assert "it lists more than" in tables.refusal_of_index(tmp_path, content)

    def test_a_block_is_listed_once(self, tmp_path: Path) -> None:
        data = with_trailer(struct.pack("<I", 0))
        handle = varint(0) + varint(4)
        index = block({b"a": handle, b"b": handle})
        footer = (varint(0) * 2 + varint(len(data)) + varint(len(index))).ljust(40, b"\0") + MAGIC
        message = tables.refusal_of_index(tmp_path, data + with_trailer(index) + footer)
        assert "the block at byte 0 begins inside the one before it" in message

    def test_dimensions_without_end_are_not_multiplied(self, tmp_path: Path) -> None:
        assert "beyond reason" in tables.refusal_of_entry(tmp_path, shape=shape(*[1] * 65, 6))


class TestSafetensors:
    def test_many_tensors_are_refused_before_any_is_made(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(read.files, "MOST_TENSORS", 3)
        monkeypatch.setattr(read, "safe_open", lambda *_, **__: pytest.fail("the library was asked"))
        path, entry = tmp_path / "model.safetensors", {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}
        text = json.dumps({f"w{n}": entry for n in range(4)}).encode()
        path.write_bytes(struct.pack("<Q", len(text)) + text)
        with pytest.raises(CheckpointError, match="its header lists more than 3 tensors"), open_weights(tmp_path):
            pass

    def test_no_tensor_lives_longer_than_its_shape_is_read(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        save_file({f"w{n}": torch.ones(n) for n in range(5)}, tmp_path / "model.safetensors")
        made: list[weakref.ref[torch.Tensor]] = []
        most = 0

        class Library:
            def __init__(self, path: Path, framework: str) -> None:
                self.file = original(path, framework=framework)

            def __enter__(self) -> "Library":
                self.file.__enter__()
                return self

            def __exit__(self, *error: object) -> None:
                self.file.__exit__(*error)

            def keys(self) -> list[str]:
                return list(self.file.keys())

            def get_tensor(self, name: str) -> torch.Tensor:
                nonlocal most
                tensor = self.file.get_tensor(name)
                made.append(weakref.ref(tensor))
                most = max(most, sum(each() is not None for each in made))
                return tensor

        original = read.safe_open
        monkeypatch.setattr(read, "safe_open", Library)
        with open_weights(tmp_path) as weights:
            assert {name: each.shape for name, each in weights.items()} == {f"w{n}": (n,) for n in range(5)}
        assert most <= 2  # one, and the next as it takes its place
