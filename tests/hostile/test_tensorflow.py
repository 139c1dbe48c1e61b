"""Damaged, lying and foreign TensorFlow checkpoints: each is refused with the file's name, before its numbers are used."""

import struct
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from hypothesis import given, strategies as st
from torch import Tensor

from minibert import BertModel
from minibert.checkpoints import CheckpointError, open_weights
from tests.unit.checkpoints.tensorflow_writer import (
    MAGIC,
    block,
    message,
    shape,
    table,
    table_of_blocks,
    varint,
    write_checkpoint,
    write_index,
)

INDEX, DATA = "model.ckpt.index", "model.ckpt.data-00000-of-00001"
PRETRAINING = Path(__file__).parents[1] / "fixtures" / "tensorflow" / "pretraining"
HUGE = 2**64 - 1  # also what a negative number looks like
ONE = {"w": torch.arange(6.0).reshape(2, 3)}


def refusal(folder: Path) -> str:
    """The message with which a checkpoint is refused when opened; it names a file of it."""
    with pytest.raises(CheckpointError) as caught, open_weights(folder):
        pass
    assert str(folder / "model.ckpt") in str(caught.value)
    return str(caught.value)


def refusal_of_entry(folder: Path, **changes: int | bytes) -> str:
    """Refusal of a checkpoint whose one tensor is described otherwise than it is."""
    fields = {"dtype": 1, "shape": 2, "data_file": 3, "offset": 4, "size": 5, "checksum": 6, "slices": 7}
    entry = write_checkpoint(folder, ONE)["w"] | {fields[field]: value for field, value in changes.items()}
    write_index(folder, {"w": entry})
    return refusal(folder)


def refusal_of_index(folder: Path, content: bytes) -> str:
    (folder / INDEX).write_bytes(content)
    return refusal(folder)


def tensors_of(folder: Path) -> dict[str, Tensor] | None:
    """All tensors; None where the checkpoint is refused by the name of one of its files."""
    try:
        with open_weights(folder) as weights:
            return {name: tensor.read() for name, tensor in weights.items()}
    except CheckpointError as error:
        refusal = str(error)
    assert str(folder) in refusal
    return None


def same(left: dict[str, Tensor], right: dict[str, Tensor]) -> bool:
    return left.keys() == right.keys() and all(torch.equal(left[name], right[name]) for name in left)


class TestFilesThatAreNoIndex:
    def test_an_empty_file(self, tmp_path: Path) -> None:
        assert "empty (0 bytes)" in refusal_of_index(tmp_path, b"")

    def test_a_git_lfs_pointer(self, tmp_path: Path) -> None:
        assert "git lfs pull" in refusal_of_index(tmp_path, b"version https://git-lfs.github.com/spec/v1\noid sha256:0")

    def test_a_file_too_short_to_be_one(self, tmp_path: Path) -> None:
        assert "it is 8 bytes long, too short for one" in refusal_of_index(tmp_path, MAGIC)

    @pytest.mark.parametrize("content", [b"<html>" * 100, bytes(100)], ids=["a web page", "zeros"])
    def test_another_format(self, tmp_path: Path, content: bytes) -> None:
        message = refusal_of_index(tmp_path, content)
        assert "not the index of a TensorFlow checkpoint" in message
        assert "does not end in the format's magic number" in message

    def test_an_index_without_its_end(self, tmp_path: Path) -> None:
        write_checkpoint(tmp_path, ONE)
        message = refusal_of_index(tmp_path, (tmp_path / INDEX).read_bytes()[:-1])
        assert "magic number" in message
        assert "get the file again" in message


class TestTables:
    def test_a_footer_without_places(self, tmp_path: Path) -> None:
        assert "a number of more than 64 bits" in refusal_of_index(tmp_path, b"\xff" * 40 + MAGIC)

    @pytest.mark.parametrize("place", [(0, 1000), (2**40, 10), (HUGE, 0), (0, HUGE)])
    def test_a_block_beyond_the_file(self, tmp_path: Path, place: tuple[int, int]) -> None:
        footer = (varint(0) * 2 + varint(place[0]) + varint(place[1])).ljust(40, b"\0") + MAGIC
        assert "the file ends at 148" in refusal_of_index(tmp_path, bytes(100) + footer)

    def test_a_wrong_checksum(self, tmp_path: Path) -> None:
        content = bytearray(table({b"": message({1: 1})}))
        content[4] ^= 1
        assert "the checksum of the block at byte 0 does not match" in refusal_of_index(tmp_path, bytes(content))

    def test_a_compressed_block(self, tmp_path: Path) -> None:
        content = table_of_blocks([block({b"": message({1: 1})})], compression=1)
        assert "the block at byte 0 is compressed (kind 1)" in refusal_of_index(tmp_path, content)

    @pytest.mark.parametrize(
        ("content", "reason"),
        [
            (b"", "shorter than its own list of restart points"),
            (struct.pack("<I", 1000), "shorter than its own list of restart points"),
            (varint(0) + varint(50) + varint(0) + b"key" + struct.pack("<I", 0), "reaches beyond its block"),
            (varint(0) + varint(3) + varint(50) + b"key" + struct.pack("<I", 0), "reaches beyond its block"),
            (varint(9) + varint(3) + varint(0) + b"key" + struct.pack("<I", 0), "reaches beyond its block"),
        ],
        ids=["empty", "too many restart points", "a long key", "a long value", "a prefix of nothing"],
    )
    def test_a_block_that_contradicts_itself(self, tmp_path: Path, content: bytes, reason: str) -> None:
        assert reason in refusal_of_index(tmp_path, table_of_blocks([content]))

    @pytest.mark.parametrize("second", [b"", b"b", b"a"], ids=["the header again", "twice", "out of order"])
    def test_keys_that_do_not_rise(self, tmp_path: Path, second: bytes) -> None:
        header, value = message({1: 1}), message({1: 1})
        content = table_of_blocks([block({b"": header, b"b": value}), block({second: value})])
        assert "keys are out of order" in refusal_of_index(tmp_path, content)


class TestHeaders:
    def test_no_header(self, tmp_path: Path) -> None:
        assert "it has no header" in refusal_of_index(tmp_path, table({b"w": message({1: 1})}))

    def test_big_endian_numbers(self, tmp_path: Path) -> None:
        write_index(tmp_path, {}, header={1: 1, 2: 1})
        assert "big-endian" in refusal(tmp_path)

    @pytest.mark.parametrize(
        ("content", "reason"),
        [
            (b"\x08", "ends inside a number"),
            (b"\x0a\x50short", "reaches beyond its message"),
            (b"\x0d\x00", "reaches beyond its message"),
            (b"\x0b", "unknown kind 3"),
        ],
    )
    def test_a_header_that_is_no_message(self, tmp_path: Path, content: bytes, reason: str) -> None:
        assert reason in refusal_of_index(tmp_path, table({b"": content}))


class TestEntries:
    @pytest.mark.parametrize("dtype", [0, 7, 20, 11, 101, HUGE])
    def test_a_dtype_that_holds_no_plain_numbers(self, tmp_path: Path, dtype: int) -> None:
        assert f"tensor 'w' has dtype {dtype}, which holds no plain numbers or is unknown" in refusal_of_entry(
            tmp_path, dtype=dtype
        )

    @pytest.mark.parametrize("sizes", [(2, 4), (6, 2), (), (2**31, 2**28)])
    def test_a_shape_that_does_not_match_the_size(self, tmp_path: Path, sizes: tuple[int, ...]) -> None:
        assert f"shape {sizes} of torch.float32 takes" in refusal_of_entry(tmp_path, shape=shape(*sizes))

    def test_a_negative_dimension(self, tmp_path: Path) -> None:
        assert "dimensions that are negative" in refusal_of_entry(tmp_path, shape=shape(0, HUGE), size=0)

    def test_an_empty_tensor_with_dimensions_beyond_reason(self, tmp_path: Path) -> None:
        message = refusal_of_entry(tmp_path, shape=shape(0, 2**62, 2**62), size=0)
        assert "dimensions that are negative or beyond reason" in message

    def test_a_shape_that_is_no_message(self, tmp_path: Path) -> None:
        assert "reaches beyond its message" in refusal_of_entry(tmp_path, shape=b"\x12\x50")

    @pytest.mark.parametrize("offset", [4, 10**9, HUGE])
    def test_an_offset_beyond_the_data(self, tmp_path: Path, offset: int) -> None:
        message = refusal_of_entry(tmp_path, offset=offset)
        assert str(tmp_path / DATA) in message
        assert f"tensor 'w' should end at byte {offset + 24}, the file ends at 24" in message

    @pytest.mark.parametrize("number", [1, HUGE])
    def test_a_data_file_that_is_not_of_this_checkpoint(self, tmp_path: Path, number: int) -> None:
        assert f"tensor 'w' is in data file {number}, counted from 0, of 1" in refusal_of_entry(
            tmp_path, data_file=number
        )

    def test_a_tensor_in_slices(self, tmp_path: Path) -> None:
        assert "tensor 'w' is split into slices" in refusal_of_entry(tmp_path, slices=b"\x0a\x00")

    def test_a_name_that_is_no_text(self, tmp_path: Path) -> None:
        content = table({b"": message({1: 1}), b"\xff": message({1: 1})})
        assert "can't decode byte 0xff" in refusal_of_index(tmp_path, content)

    def test_a_checkpoint_of_tensorflow_2s_objects(self, tmp_path: Path) -> None:
        entries = write_checkpoint(tmp_path, ONE)
        write_index(
            tmp_path, {"_CHECKPOINTABLE_OBJECT_GRAPH": {1: 7}, "model/w/.ATTRIBUTES/VARIABLE_VALUE": entries["w"]}
        )
        assert "saved by TensorFlow 2's tf.train.Checkpoint" in refusal(tmp_path)


class TestData:
    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        write_checkpoint(tmp_path, ONE)
        return tmp_path

    def test_a_data_file_that_is_missing(self, folder: Path) -> None:
        (folder / DATA).unlink()
        message = refusal(folder)
        assert f"{DATA}: no such file, which model.ckpt.index lists" in message
        assert "holds: model.ckpt.index" in message

    @pytest.mark.parametrize(
        ("content", "reason"),
        [
            (b"", "empty (0 bytes)"),
            (b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
            (bytes(23), "truncated, or not the one model.ckpt.index belongs to"),
        ],
        ids=["empty", "a git-LFS pointer", "cut short"],
    )
    def test_a_data_file_that_is_not_whole(self, folder: Path, content: bytes, reason: str) -> None:
        (folder / DATA).write_bytes(content)
        message = refusal(folder)
        assert str(folder / DATA) in message
        assert reason in message

    def test_a_data_file_that_is_a_folder(self, folder: Path) -> None:
        (folder / DATA).unlink()
        (folder / DATA).mkdir()
        assert "not a file" in refusal(folder)

    def test_damaged_numbers(self, folder: Path) -> None:
        (folder / DATA).write_bytes(bytes(24))
        with open_weights(folder) as weights, pytest.raises(CheckpointError, match="checksum of tensor 'w'") as caught:
            weights["w"].read()
        assert str(folder / DATA) in str(caught.value)

    def test_a_data_file_cut_short_after_it_was_opened(self, folder: Path) -> None:
        with open_weights(folder) as weights:
            (folder / DATA).write_bytes(b"\1")
            with pytest.raises(CheckpointError, match="checksum of tensor 'w'"):
                weights["w"].read()


@pytest.fixture(scope="module")
def right() -> dict[str, Tensor]:
    """What a real checkpoint holds."""
    with open_weights(PRETRAINING, from_tf=True) as weights:
        return {name: tensor.read() for name, tensor in weights.items()}


@pytest.fixture(scope="module")
def damage(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Callable[[bytes], bytes]], Path]:
    """Change one file of that checkpoint's, known by its ending; returns the folder."""
    folder = tmp_path_factory.mktemp("damaged")
    whole = {path.name: path.read_bytes() for path in PRETRAINING.glob("bert_model.ckpt.*")}

    def change(ending: str, damaged: Callable[[bytes], bytes]) -> Path:
        for name, content in whole.items():
            (folder / name).write_bytes(damaged(content) if name.endswith(ending) else content)
        return folder

    return change


class TestAnyDamage:
    """A real checkpoint, damaged at random, is refused or, where the byte means nothing, still the same."""

    @given(at=st.integers(0), bit=st.integers(0, 7), ending=st.sampled_from([".index", ".data-00000-of-00001"]))
    def test_one_bit(self, damage: Callable, right: dict[str, Tensor], at: int, bit: int, ending: str) -> None:
        def flip(content: bytes) -> bytes:
            place = at % len(content)
            return content[:place] + bytes([content[place] ^ 1 << bit]) + content[place + 1 :]

        tensors = tensors_of(damage(ending, flip))
        assert tensors is None or (ending == ".index" and same(tensors, right))

    @given(at=st.integers(0), ending=st.sampled_from([".index", ".data-00000-of-00001"]))
    def test_an_end_cut_off(self, damage: Callable, at: int, ending: str) -> None:
        assert tensors_of(damage(ending, lambda content: content[: at % len(content)])) is None

    @given(entry=st.binary(max_size=40), header=st.binary(max_size=8))
    def test_any_bytes_as_an_entry(self, tmp_path_factory: pytest.TempPathFactory, entry: bytes, header: bytes) -> None:
        folder = tmp_path_factory.mktemp("any")
        write_checkpoint(folder, ONE)
        (folder / INDEX).write_bytes(table({b"": header, b"w": entry}))
        tensors = tensors_of(folder)
        assert tensors is None or tensors["w"].numel() * tensors["w"].itemsize <= 24


def test_a_checkpoint_of_something_else_is_no_bert(tmp_path: Path) -> None:
    write_checkpoint(tmp_path, {"resnet/conv1/kernel": torch.zeros(3, 3, 4, 8)})
    (tmp_path / "bert_config.json").write_text('{"vocab_size": 30, "num_hidden_layers": 1}')
    with pytest.raises(
        CheckpointError, match=r"lacks 21 parameters of the body.*unused: resnet/conv1/kernel.*Is it a BERT"
    ):
        BertModel.from_pretrained(tmp_path)
