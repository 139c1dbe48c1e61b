"""A few spoiled files for each reader, and the law that the same number is the same file. `make fuzz` goes on for longer."""

from __future__ import annotations

import subprocess
import sys
from random import Random

import pytest

from tests.fuzz.mutate import spoil
from tests.fuzz.readers import READERS, TASK_FILES

TRIED = len(READERS)


def fuzz(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "tests.fuzz", *arguments], capture_output=True, text=True, timeout=300)


@pytest.mark.skipif(sys.platform != "linux", reason="it measures memory and time as Linux tells them")
def test_spoiled_files_are_refused_in_words_or_read_right() -> None:
    ended = fuzz("--count", str(12 * TRIED))
    assert ended.returncode == 0, ended.stdout
    assert f"{12 * TRIED} files over {TRIED} readers" in ended.stdout


@pytest.mark.parametrize("name", [*TASK_FILES, "config.json", "x.safetensors", "x.bin"])
def test_a_number_is_always_the_same_spoiled_file(name: str) -> None:
    good = TASK_FILES.get(name, '{"a": [1, "b"]}').encode()
    spoiled = [spoil(good, name, Random(number)) for number in range(20)]
    assert spoiled == [spoil(good, name, Random(number)) for number in range(20)]
    assert sum(each != good for each in spoiled) > 15


@pytest.mark.parametrize("name", READERS)
def test_a_good_file_is_read(tmp_path, name: str) -> None:
    READERS[name].write(tmp_path)
    READERS[name].read(tmp_path)
