"""As many tests run at a time as a machine has cores, more where others run beside them, and no more than its memory holds."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from tests.jobs import EACH, FEW_SHARES, MOST, in_shares, jobs, others_running


@pytest.mark.parametrize(
    ("cores", "all_cores", "others", "memory", "expected"),
    [
        (2, 2, 0, 24 * EACH, 2),
        (8, 8, 0, 24 * EACH, 8),
        (2, 2, 6, 24 * EACH, 20),
        (2, 64, 32, 24 * EACH, 5),
        (2, 2, 6, 4 * EACH, 4),
        (1, 1, 0, EACH // 2, 1),
        (64, 64, 0, 512 * EACH, MOST),
    ],
    ids=["quiet", "larger", "busy", "a part of a busy one", "little memory", "very little", "many cores"],
)
def test_processes_follow_cores_load_and_memory(
    cores: int, all_cores: int, others: float, memory: int, expected: int
) -> None:
    assert jobs(cores, all_cores=all_cores, others=others, memory=memory) == expected


def test_where_few_tests_wait_for_each_process_to_start_there_are_fewer() -> None:
    assert jobs(2, all_cores=2, others=6, memory=24 * EACH, shares=FEW_SHARES) == 8
    assert jobs(2, all_cores=2, others=0, memory=24 * EACH, shares=FEW_SHARES) == 2


def test_who_counts_is_not_among_the_others(tmp_path: Path) -> None:
    (tmp_path / "loadavg").write_text("6.40 5.10 2.00 7/312 4242\n")
    assert others_running(tmp_path / "loadavg") == 6
    (tmp_path / "loadavg").write_text("0.00 0.00 0.00 1/312 4242\n")
    assert others_running(tmp_path / "loadavg") == 0
    assert others_running(tmp_path / "not Linux") == 0


@given(long=st.integers(0, 40), short=st.integers(0, 200), processes=st.integers(1, 30))
def test_every_test_is_in_one_share_and_long_ones_come_first(long: int, short: int, processes: int) -> None:
    tests = [*range(-long, 0), *range(short)]
    ordered = in_shares(tests[:long], tests[long:], processes)
    assert sorted(ordered) == tests
    if long == 0:
        assert ordered == tests
    if short >= long * processes:  # there is room for all of them to be first
        for process in range(processes):
            begin, end = (place * len(tests) // processes for place in (process, process + 1))
            own = len(range(process, long, processes))
            assert all(test < 0 for test in ordered[begin : begin + own])
            assert all(test >= 0 for test in ordered[begin + own : end])
