"""Damaged, lying and malicious checkpoint files: each is refused by name, and none of them runs anything."""

import json
import os
import pickle
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import example, given, strategies as st
from safetensors.torch import load_file, save, save_file

from minibert.checkpoints import CheckpointError, open_weights, read, read_json, save_weights


def refusal(folder: Path) -> str:
    """The message with which a folder's weights are refused; it names a file in it."""
    with pytest.raises(CheckpointError) as caught, open_weights(folder):
        pass
    assert str(folder) in str(caught.value)
    return str(caught.value)


def lying_file(folder: Path, header: object, data: bytes = b"", length: int | None = None) -> str:
    """Write a safetensors file with any header at all, and return the refusal."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    start = struct.pack("<Q", len(text) if length is None else length)
    (folder / "model.safetensors").write_bytes(start + text + data)
    return refusal(folder)


def entry(dtype: str = "F32", shape: Any = (2,), offsets: Any = (0, 8)) -> dict[str, object]:
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets}


def harmless_or_refused(folder: Path) -> bool:
    """Does opening fail with our error, or yield tensors of the shapes it tells?"""
    try:
        with open_weights(folder) as weights:
            return all(tensor.read().shape == tensor.shape for tensor in weights.values())
    except CheckpointError as error:
        return str(folder) in str(error)


class TestSafetensorsHeaders:
    """The library finds these, alone; here its error gets the file's name, and what to do."""

    def check(self, message: str, reason: str) -> None:
        assert "not a safetensors file, or a truncated or damaged one (" in message
        assert message.endswith("; get the file again")
        assert reason in message

    def test_a_file_too_short_to_have_a_header(self, tmp_path: Path) -> None:
        (tmp_path / "model.safetensors").write_bytes(b"\x10\0\0")
        self.check(refusal(tmp_path), "header too small")

    def test_a_header_that_ends_after_the_file(self, tmp_path: Path) -> None:
        self.check(lying_file(tmp_path, {}, length=5000), "invalid header length")

    def test_a_header_too_large_to_be_one(self, tmp_path: Path) -> None:
        self.check(lying_file(tmp_path, {}, length=2**63), "header too large")

    @pytest.mark.parametrize(
        ("header", "reason"),
        [
            (b"not json", "invalid JSON"),
            (b"{", "invalid JSON"),
            (b'{"a": \xff\xfe}', "invalid UTF-8"),
            (b"[" * 100_000, "invalid JSON"),
            (b"[1, 2]", "invalid JSON"),
            (b'{"w": {"dtype": "F32", "shape": [' + b"9" * 5000 + b'], "data_offsets": [0, 8]}}', "out of range"),
        ],
        ids=["text", "cut short", "not UTF-8", "nested too deeply", "a list", "a number of 5000 digits"],
    )
    def test_a_header_that_is_not_a_json_object(self, tmp_path: Path, header: bytes, reason: str) -> None:
        self.check(lying_file(tmp_path, header), reason)

    def test_of_two_tensors_of_one_name_the_one_the_library_reads_is_read(self, tmp_path: Path) -> None:
        second, first = json.dumps(entry(offsets=[0, 8])), json.dumps(entry(offsets=[8, 16]))
        data = struct.pack("<4f", 1, 2, 3, 4)
        assert "invalid offset" in lying_file(tmp_path, f'{{"w": {second}, "w": {first}}}'.encode(), data)
        path = tmp_path / "model.safetensors"
        text = f'{{"w": {first}, "w": {second}}}'.encode()
        path.write_bytes(struct.pack("<Q", len(text)) + text + data[:8])
        with open_weights(tmp_path) as weights:
            assert torch.equal(weights["w"].read(), load_file(path)["w"])

    @pytest.mark.parametrize(
        "fields",
        [
            5,
            {},
            {"dtype": "F32", "shape": [2]},
            entry(shape=2),
            entry(dtype=7),  # type: ignore[arg-type]
            entry(dtype="F17"),
            entry(offsets=[0]),
            entry(offsets=[0, 4, 8]),
        ],
    )
    def test_an_entry_with_missing_or_misshapen_fields(self, tmp_path: Path, fields: object) -> None:
        self.check(lying_file(tmp_path, {"w": fields}, bytes(8)), "invalid JSON in header")

    @pytest.mark.parametrize("shape", [[-2], [2.0], ["2"], [True, 2], [None], [0, 2**63], [0, 2**64]])
    def test_a_shape_that_is_not_made_of_whole_numbers(self, tmp_path: Path, shape: list[object]) -> None:
        self.check(lying_file(tmp_path, {"w": entry(shape=shape)}, bytes(8)), "invalid")

    def test_a_shape_beyond_what_a_tensor_can_have(self, tmp_path: Path) -> None:
        self.check(lying_file(tmp_path, {"w": entry(shape=[0, 2**63], offsets=[0, 0])}), "")

    @pytest.mark.parametrize("offsets", [[-8, 0], [0, 8.0], [0, "8"], [0, 2**64]])
    def test_offsets_that_are_not_whole_numbers(self, tmp_path: Path, offsets: list[object]) -> None:
        self.check(lying_file(tmp_path, {"w": entry(offsets=offsets)}, bytes(8)), "invalid JSON in header")

    @pytest.mark.parametrize(
        ("shape", "offsets"), [([3], [0, 8]), ([2], [0, 4]), ([2], [8, 0]), ([2**40] * 2, [0, 8]), ([2**62, 4], [0, 0])]
    )
    def test_a_shape_that_does_not_fill_its_span(self, tmp_path: Path, shape: list[int], offsets: list[int]) -> None:
        self.check(lying_file(tmp_path, {"w": entry(shape=shape, offsets=offsets)}, bytes(8)), "")

    @pytest.mark.parametrize(
        ("header", "size"),
        [
            ({"w": entry()}, 7),
            ({"a": entry(offsets=[0, 8]), "b": entry(offsets=[4, 12])}, 12),
            ({"a": entry(offsets=[0, 8]), "b": entry(offsets=[12, 20])}, 20),
            ({"w": entry()}, 12),
        ],
        ids=["beyond the file's end", "overlapping", "with a gap", "with bytes after them"],
    )
    def test_tensors_that_do_not_fill_the_file(self, tmp_path: Path, header: object, size: int) -> None:
        self.check(lying_file(tmp_path, header, bytes(size)), "")

    def test_tensors_that_lie_askew_are_read_where_the_header_says(self, tmp_path: Path) -> None:
        header = {"odd": entry("U8", [3], [0, 3]), "w": entry(offsets=[3, 11])}
        text = json.dumps(header).encode()
        data = bytes(3) + struct.pack("<2f", 1, 2)
        (tmp_path / "model.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + data)
        with open_weights(tmp_path) as weights:
            assert weights["w"].read().tolist() == [1, 2]

    @pytest.mark.parametrize("kept", [0, 5, 8, 40, -1])
    def test_a_file_cut_short_anywhere(self, tmp_path: Path, kept: int) -> None:
        whole = save({"a": torch.ones(50), "b": torch.ones(50)})
        (tmp_path / "model.safetensors").write_bytes(whole[:kept])
        assert "get the file again" in refusal(tmp_path)

    def test_a_file_that_is_replaced_while_it_is_opened(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """The library opens it again, by its name, to check the header."""
        save_file({"a": torch.ones(2), "b": torch.zeros(2)}, tmp_path / "model.safetensors")
        save_file({"b": torch.ones(2), "a": torch.zeros(2)}, tmp_path / "other.safetensors")
        library = read.safe_open

        def late(path: Path, framework: str) -> object:
            if (tmp_path / "other.safetensors").exists():
                os.replace(tmp_path / "other.safetensors", path)
            return library(path, framework=framework)

        monkeypatch.setattr(read, "safe_open", late)
        with open_weights(tmp_path) as weights:  # opened again, and whole
            assert weights["a"].read().tolist() == [0, 0]
            assert weights["b"].read().tolist() == [1, 1]

    def test_a_file_that_shrinks_while_it_is_read(self, tmp_path: Path) -> None:
        path = tmp_path / "model.safetensors"
        save_file({"w": torch.ones(5000)}, path)
        with open_weights(tmp_path) as weights:
            os.truncate(path, 8000)
            with pytest.raises(CheckpointError, match="ended inside tensor 'w'"):
                weights["w"].read()

    @given(st.binary(max_size=200), st.integers(0, 300), st.integers(0, 300))
    @example(b"", 0, 0)
    def test_any_corruption_is_either_harmless_or_refused(
        self, tmp_path_factory: pytest.TempPathFactory, junk: bytes, position: int, removed: int
    ) -> None:
        folder = tmp_path_factory.mktemp("corrupt")
        whole = save({"a": torch.ones(5, 2), "b": torch.ones(3, dtype=torch.float16)}, {"format": "pt"})
        (folder / "model.safetensors").write_bytes(whole[:position] + junk + whole[position + removed :])
        assert harmless_or_refused(folder)


class TestWhatStandsInAFilesPlace:
    FILES = ("model.safetensors", "pytorch_model.bin", "model.safetensors.index.json")

    @pytest.mark.parametrize("name", FILES)
    def test_an_empty_file(self, tmp_path: Path, name: str) -> None:
        (tmp_path / name).touch()
        assert f"{name}: empty (0 bytes)" in refusal(tmp_path)

    @pytest.mark.parametrize("name", FILES)
    def test_a_git_lfs_pointer(self, tmp_path: Path, name: str) -> None:
        (tmp_path / name).write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 90868376\n")
        assert "git lfs pull" in refusal(tmp_path)

    @pytest.mark.parametrize("name", FILES)
    def test_a_folder(self, tmp_path: Path, name: str) -> None:
        (tmp_path / name).mkdir()
        assert f"{name}: not a file" in refusal(tmp_path)

    def test_a_web_page_saved_under_the_name_of_a_file(self, tmp_path: Path) -> None:
        (tmp_path / "model.safetensors").write_text("<!DOCTYPE html><html><body>404 Not Found</body></html>")
        assert "not a safetensors file" in refusal(tmp_path)


class TestFoldersWithoutWeights:
    def test_the_message_lists_what_is_there(self, tmp_path: Path) -> None:
        (tmp_path / "config.json").touch()
        message = refusal(tmp_path)
        assert "no weights; looked for model.safetensors, " in message
        assert "holds: config.json" in message

    def test_weights_of_other_frameworks_are_pointed_out(self, tmp_path: Path) -> None:
        (tmp_path / "tf_model.h5").touch()
        (tmp_path / "flax_model.msgpack").touch()
        assert "It has TensorFlow and Flax weights" in refusal(tmp_path)

    def test_a_long_list_is_cut(self, tmp_path: Path) -> None:
        for number in range(40):
            (tmp_path / f"file{number:02d}").touch()
        assert "file11 and 28 more" in refusal(tmp_path)


class TestIndexes:
    INDEX = "model.safetensors.index.json"

    def refusal_of(self, folder: Path, content: object) -> str:
        (folder / self.INDEX).write_text(json.dumps(content))
        return refusal(folder)

    @pytest.mark.parametrize(
        "shard", ["../../etc/passwd", "/etc/passwd", "C:\\secret", "..", ".", "", "sub/x.safetensors", "x\0y", 5, None]
    )
    def test_a_shard_that_is_not_a_plain_file_name(self, tmp_path: Path, shard: object) -> None:
        message = self.refusal_of(tmp_path, {"weight_map": {"w": shard}})
        assert f"places tensor 'w' in {shard!r}, which is not the name of a file in the same folder" in message

    @pytest.mark.parametrize("content", [{}, {"weight_map": {}}, {"weight_map": ["a"]}, {"weight_map": None}])
    def test_an_index_without_a_map(self, tmp_path: Path, content: object) -> None:
        assert 'needs a "weight_map"' in self.refusal_of(tmp_path, content)

    def test_a_missing_shard(self, tmp_path: Path) -> None:
        message = self.refusal_of(tmp_path, {"weight_map": {"w": "model-00001-of-00002.safetensors"}})
        assert f"model-00001-of-00002.safetensors: no such file, which {self.INDEX} lists" in message

    def test_a_shard_without_the_tensor(self, tmp_path: Path) -> None:
        save_file({"other": torch.ones(2)}, tmp_path / "shard.safetensors")
        message = self.refusal_of(tmp_path, {"weight_map": {"w": "shard.safetensors"}})
        assert "places tensor 'w' in shard.safetensors, which does not hold it" in message

    def test_a_damaged_shard_is_named(self, tmp_path: Path) -> None:
        (tmp_path / "shard.safetensors").write_bytes(b"damaged")
        assert "shard.safetensors: not a safetensors file" in self.refusal_of(
            tmp_path, {"weight_map": {"w": "shard.safetensors"}}
        )

    @pytest.mark.parametrize("at", [1, 2, 3])
    def test_shards_of_two_saves_are_never_mixed(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int
    ) -> None:
        """A second program saves over the checkpoint while its shards are being opened."""
        old, new = ({f"w{n}": torch.full((100,), value) for n in range(4)} for value in (1.0, 2.0))
        save_weights(old, tmp_path, max_shard_size=400)
        open_file, calls = read._open_file, []

        def late(*arguments: Any) -> Any:
            calls.append(1)
            if len(calls) == at + 1:
                save_weights(new, tmp_path, max_shard_size=400)
            return open_file(*arguments)

        monkeypatch.setattr(read, "_open_file", late)
        with open_weights(tmp_path) as weights:
            assert {float(weights[name].read()[0]) for name in weights} == {2.0}


class RunsCode:
    """Unpickling an instance creates the file ``marker``, if the unpickler lets it."""

    def __init__(self, marker: Path):
        self.marker = marker

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return os.mkdir, (str(self.marker),)


def save_pickle(content: object, path: Path, form: str) -> None:
    if form == "plain pickle":
        path.write_bytes(pickle.dumps(content))
    else:
        torch.save(content, path, _use_new_zipfile_serialization=form == "zip")


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
class TestPickles:
    FORMS = pytest.mark.parametrize("form", ["zip", "legacy", "plain pickle"])

    @FORMS
    @pytest.mark.parametrize("depth", ["top", "value"])
    def test_code_in_a_pickle_is_never_run(self, tmp_path: Path, form: str, depth: str) -> None:
        marker = tmp_path / "was-run"
        attack = RunsCode(marker)
        path = tmp_path / "pytorch_model.bin"
        save_pickle(attack if depth == "top" else {"w": attack}, path, form)
        assert "mkdir" in path.read_bytes().decode("latin-1")
        refusal(tmp_path)
        assert not marker.exists()

    @pytest.mark.parametrize("form", ["zip", "legacy"])
    def test_the_refusal_says_why_and_never_suggests_loading_it_anyway(self, tmp_path: Path, form: str) -> None:
        save_pickle({"w": RunsCode(tmp_path / "was-run")}, tmp_path / "pytorch_model.bin", form)
        message = refusal(tmp_path)
        assert "refused, because it is not a plain pickle of tensors" in message
        assert "mkdir" in message
        assert "Nothing in it was run" in message
        assert "weights_only" not in message

    def test_the_code_really_would_run_in_a_careless_loader(self, tmp_path: Path) -> None:
        marker = tmp_path / "was-run"
        pickle.loads(pickle.dumps(RunsCode(marker)))
        assert marker.exists()

    @FORMS
    @pytest.mark.parametrize("content", [[1, 2], "text", 7, None])
    def test_a_pickle_of_something_else(self, tmp_path: Path, form: str, content: object) -> None:
        save_pickle(content, tmp_path / "pytorch_model.bin", form)
        refusal(tmp_path)

    def test_a_pickle_that_is_not_a_dictionary_says_what_it_is(self, tmp_path: Path) -> None:
        torch.save([torch.ones(2)], tmp_path / "pytorch_model.bin")
        assert "should be a dictionary of tensors, is a list" in refusal(tmp_path)

    def test_a_training_checkpoint_says_what_to_save_instead(self, tmp_path: Path) -> None:
        torch.save({"epoch": 3, "state_dict": {"w": torch.ones(2)}}, tmp_path / "pytorch_model.bin")
        message = refusal(tmp_path)
        assert "'epoch' is a int" in message
        assert "take only the model's state_dict()" in message

    @pytest.mark.parametrize(
        "odd", [torch.ones(2, 2).to_sparse(), torch.ones(2, device="meta")], ids=["sparse", "meta"]
    )
    def test_a_tensor_without_ordinary_numbers(self, tmp_path: Path, odd: torch.Tensor) -> None:
        torch.save({"w": odd}, tmp_path / "pytorch_model.bin")
        assert "tensor 'w' is not an ordinary dense tensor" in refusal(tmp_path)

    def test_a_compressed_pickle_that_would_unpack_to_more_than_its_size(self, tmp_path: Path) -> None:
        path = tmp_path / "pytorch_model.bin"
        torch.save({"w": torch.zeros(1 << 20)}, tmp_path / "plain.bin")
        with zipfile.ZipFile(tmp_path / "plain.bin") as plain, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as bomb:
            for name in plain.namelist():
                bomb.writestr(name, plain.read(name))
        assert path.stat().st_size < 20_000
        assert "pytorch_model.bin: not a readable PyTorch file" in refusal(tmp_path)

    @pytest.mark.parametrize("form", ["zip", "legacy"])
    @pytest.mark.parametrize("kept", [10, 0.5, -1])
    def test_a_pickle_cut_short(self, tmp_path: Path, form: str, kept: float) -> None:
        path = tmp_path / "pytorch_model.bin"
        save_pickle({"w": torch.ones(500)}, path, form)
        whole = path.read_bytes()
        path.write_bytes(whole[: int(kept * len(whole)) if isinstance(kept, float) else kept])
        assert "pytorch_model.bin: " in refusal(tmp_path)

    @given(st.binary(min_size=1, max_size=100), st.integers(0, 2000), st.sampled_from(["zip", "legacy"]))
    def test_any_corruption_is_either_harmless_or_refused(
        self, tmp_path_factory: pytest.TempPathFactory, junk: bytes, position: int, form: str
    ) -> None:
        path = tmp_path_factory.mktemp("corrupt") / "pytorch_model.bin"
        save_pickle({"w": torch.ones(20), "v": torch.ones(3, 2)}, path, form)
        whole = path.read_bytes()
        path.write_bytes(whole[:position] + junk + whole[position + len(junk) :])
        assert harmless_or_refused(path.parent)


class TestJson:
    @pytest.mark.parametrize(
        ("content", "problem"),
        [
            (b"", "empty"),
            (b"{", "not JSON .*: line 1 column 2"),
            (b"{'single': 1}", "not JSON"),
            (b"\xff\xfe{\0}\0", "not JSON in UTF-8 .*can't decode byte 0xff in position 0"),
            (b"[1]", "should hold a JSON object {…}, holds a list"),
            (b"[" * 100_000, "not JSON in UTF-8 .maximum recursion"),
        ],
    )
    def test_each_kind_of_damage_has_its_message(self, tmp_path: Path, content: bytes, problem: str) -> None:
        (tmp_path / "config.json").write_bytes(content)
        with pytest.raises(CheckpointError, match=rf"config\.json: {problem}"):
            read_json(tmp_path / "config.json")

    def test_a_missing_file_says_what_else_is_there(self, tmp_path: Path) -> None:
        (tmp_path / "Config.JSON.txt").touch()
        with pytest.raises(CheckpointError, match=r"no such file.*holds: Config.JSON.txt"):
            read_json(tmp_path / "config.json")
