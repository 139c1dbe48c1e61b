"""The pieces of the TensorFlow format: checksum, numbers, tables and messages."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

from minibert.checkpoints.tensorflow.bundle import crc32c, masked_crc32c, read_message, read_table, read_varint
from tests.unit.checkpoints.tensorflow_writer import message, table, varint

ROW = 1 << 13


def bit_by_bit(data: bytes) -> int:
    """CRC-32C by its definition, without a table."""
    register = 0xFFFFFFFF
    for byte in data:
        register ^= byte
        for _ in range(8):
            register = register >> 1 ^ (0x82F63B78 if register & 1 else 0)
    return register ^ 0xFFFFFFFF


class TestChecksum:
    @pytest.mark.parametrize(
        ("data", "crc"),
        [
            (b"", 0),
            (b"123456789", 0xE3069283),
            (bytes(32), 0x8A9136AA),
            (b"\xff" * 32, 0x62A8AB43),
            (bytes(range(32)), 0x46DD794E),
            (bytes(range(31, -1, -1)), 0x113FDB5C),
        ],
        ids=["nothing", "digits", "zeros", "ones", "rising", "falling"],
    )
    def test_the_published_vectors(self, data: bytes, crc: int) -> None:
        assert crc32c(data) == crc

    @pytest.mark.parametrize("size", [1, ROW - 1, ROW, 2 * ROW - 1, 2 * ROW, 2 * ROW + 1, 5 * ROW + 4321])
    def test_folding_rows_changes_nothing(self, size: int) -> None:
        data = np.random.default_rng(size).bytes(size)
        assert crc32c(data) == crc32c(memoryview(data)) == bit_by_bit(data)

    def test_the_stored_form_is_turned_and_moved(self) -> None:
        crc = crc32c(b"foo")
        turned = (masked_crc32c(b"foo") - 0xA282EAD8) % 2**32
        assert (turned >> 17 | turned << 15) % 2**32 == crc


class TestNumbersAndMessages:
    @given(st.integers(0, 2**64 - 1), st.binary(max_size=4))
    def test_a_number_is_read_back_and_the_rest_left_alone(self, number: int, rest: bytes) -> None:
        written = varint(number)
        assert read_varint(written + rest, 0) == (number, len(written))

    @pytest.mark.parametrize("written", [b"\xff" * 9 + b"\x02", b"\x80" * 10 + b"\x01"], ids=["one bit", "one byte"])
    def test_a_number_too_long_for_64_bits_is_refused(self, written: bytes) -> None:
        with pytest.raises(ValueError, match="more than 64 bits"):
            read_varint(written, 0)

    @given(st.dictionaries(st.integers(1, 5), st.integers(0, 2**64 - 1) | st.binary(max_size=200)))
    def test_a_message_is_taken_apart(self, fields: dict[int, int | bytes]) -> None:
        numbers, strings = read_message(message(fields))
        assert numbers == {field: value for field, value in fields.items() if isinstance(value, int)}
        assert strings == {field: [value] for field, value in fields.items() if isinstance(value, bytes)}

    def test_fields_of_fixed_size_are_little_endian_numbers(self) -> None:
        four, eight = b"\x35\x01\0\0\x80", b"\x09\x02\0\0\0\0\0\0\x80"
        assert read_message(four + eight) == ({6: 0x80000001, 1: 0x8000000000000002}, {})


@given(
    entries=st.dictionaries(st.text(alphabet="ab/", max_size=12).map(str.encode), st.binary(max_size=20), min_size=1),
    keys_a_block=st.integers(1, 20),
    restart_every=st.integers(1, 5),
)
def test_a_table_is_read_back_in_order_however_it_is_cut(
    entries: dict[bytes, bytes], keys_a_block: int, restart_every: int
) -> None:
    assert list(read_table(table(entries, keys_a_block, restart_every)).items()) == sorted(entries.items())
