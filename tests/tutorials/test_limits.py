"""What a student's code cannot do to the machine that checks it: each line here is tried by an exercise."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from course.checking import Outcome, check_chapter, find_chapter
from tests.unit.cli.running import run

CHECKS = "def check_first(first):\n    return first()\n\ndef check_second(second):\n    return second()\n"
SECOND = "\ndef second():\n    {second}\n"

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the paths and signals of POSIX")


@pytest.fixture
def course(tmp_path: Path) -> Path:
    for folder in ("checks", "exercises"):
        (tmp_path / "tutorials" / folder).mkdir(parents=True)
    (tmp_path / "tutorials" / "checks" / "04_numbers.py").write_text(CHECKS)
    (tmp_path / "tutorials" / "exercises" / "05_others.py").write_text("untouched\n")
    return tmp_path / "tutorials"


def check(course: Path, first: str, second: str = "return None", seconds: float = 20.0) -> list[Outcome]:
    """The outcomes of two functions with these bodies; None is right."""
    lines = "\n    ".join(first.splitlines())
    text = (
        f"import os, shutil, socket, subprocess, tempfile\n\ndef first():\n    {lines}\n{SECOND.format(second=second)}"
    )
    (course / "exercises" / "04_numbers.py").write_text(text)
    return check_chapter(find_chapter(course, "4"), seconds)


@pytest.mark.seconds
@pytest.mark.parametrize(
    "line",
    [
        "os.remove({other!r})",
        "os.unlink({other!r})",
        "open({other!r}, 'w').close()",
        "open({other!r}, 'a').write('x')",
        "open({new!r}, 'x')",
        "os.open({other!r}, os.O_RDWR | os.O_TRUNC)",
        "os.rename({other!r}, {new!r})",
        "os.replace({other!r}, 'taken')",
        "os.truncate({other!r}, 0)",
        "os.chmod({other!r}, 0)",
        "os.link({other!r}, 'linked')",
        "os.symlink({other!r}, {new!r})",
        "os.symlink({other!r}, 'link'); open('link', 'w')",
        "shutil.rmtree({folder!r})",
        "shutil.copyfile('/etc/hosts', {other!r})",
        "os.mkdir({new!r})",
        "os.chdir({folder!r}); os.remove('05_others.py')",
        "os.remove('05_others.py', dir_fd=os.open({folder!r}, os.O_RDONLY))",
    ],
)
def test_files_outside_the_exercises_own_folder_stay_as_they_are(course: Path, line: str) -> None:
    other = course / "exercises" / "05_others.py"
    mode = other.stat().st_mode
    names = {"other": str(other), "new": str(course / "new"), "folder": str(course / "exercises")}
    (first, second) = check(course, line.format(**names))
    assert "PermissionError in line 4: An exercise may not" in first.hint
    assert second.passed
    assert other.read_text() == "untouched\n"
    assert other.stat().st_mode == mode
    assert not (course / "new").exists()


@pytest.mark.seconds
@pytest.mark.parametrize(
    ("line", "refused"),
    [
        ("os.system('true')", "start another program"),
        ("subprocess.run(['true'])", "start another program"),
        ("subprocess.Popen('true', shell=True)", "start another program"),
        ("os.fork()", "start another program"),
        ("os.execv('/bin/true', ['true'])", "start another program"),
        ("os.posix_spawn('/bin/true', ['true'], {})", "start another program"),
        (
            "import multiprocessing; multiprocessing.get_context('fork').Process(target=print).start()",
            "start another program",
        ),
        ("os.kill(os.getppid(), 9)", "stop another program"),
        ("os.killpg(os.getpgid(os.getppid()), 9)", "stop another program"),
        ("socket.socket()", "use the network"),
        ("socket.create_connection(('127.0.0.1', 9))", "use the network"),
        ("socket.getaddrinfo('example.org', 80)", "use the network"),
        ("import urllib.request; urllib.request.urlopen('http://127.0.0.1:9')", ""),
    ],
)
def test_other_programs_and_the_network_are_refused(course: Path, line: str, refused: str) -> None:
    first, second = check(course, line)
    assert first.status == "not right yet"
    assert f"An exercise may not {refused}" in first.hint or "URLError" in first.hint
    assert second.passed


@pytest.mark.parametrize(
    "line",
    [
        "import torch; torch.allclose = lambda *a, **k: True",
        "import torch; torch.Tensor.__add__ = None",
        "import builtins; builtins.len = None",
        "import sys; sys.modules['torch'] = None",
        "import course.hints; course.hints.same = lambda *a: True",
        "import torch; torch.set_default_dtype(torch.float16)",
        "os.environ['PATCHED'] = 'yes'",
    ],
)
def test_what_one_function_patches_the_next_does_not_see(course: Path, line: str) -> None:
    looks = (
        "import torch, builtins, course.hints; "
        "assert not torch.allclose(torch.ones(1), torch.zeros(1)) and (torch.ones(1) + 1).dtype == torch.float32; "
        "assert len('a') == 1 and not course.hints.same(1, 2) and 'PATCHED' not in os.environ"
    )
    assert check(course, line, looks)[1].hint == ""


def test_an_exercise_may_write_in_its_own_folder_which_is_gone_afterwards(course: Path) -> None:
    lines = (
        "open('a.txt', 'w').write('x'); os.mkdir('d'); os.rename('a.txt', 'd/b.txt')\n"
        "with tempfile.TemporaryDirectory() as folder:\n"
        "    open(folder + '/c', 'w').close()\n"
        "print(os.getcwd())\n"
        "shutil.rmtree('d')"
    )
    before = set(Path(os.environ.get("TMPDIR", "/tmp")).glob("minibert-check-*"))
    assert [outcome.hint for outcome in check(course, lines)] == ["", ""]
    assert set(Path(os.environ.get("TMPDIR", "/tmp")).glob("minibert-check-*")) <= before


@pytest.mark.parametrize(
    "name", ["HF_TOKEN", "GITHUB_TOKEN", "AWS_SECRET_ACCESS_KEY", "MY_PASSWORD", "OPENAI_API_KEY", "Db_Credentials"]
)
def test_tokens_of_the_environment_are_not_passed_on(course: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "hidden")
    assert [outcome.hint for outcome in check(course, f"assert {name!r} not in os.environ")] == ["", ""]
    assert os.environ[name] == "hidden"


def test_memory_without_end_is_one_wrong_answer(course: Path) -> None:
    first, second = check(course, "x = bytearray(1 << 40)")
    assert "MemoryError" in first.hint
    assert second.passed


def test_a_file_without_end_is_one_wrong_answer(course: Path) -> None:
    first, second = check(course, "with open('big', 'wb') as file:\n    file.truncate(1 << 40)")
    assert first.status == "not right yet"
    assert second.passed


def test_what_goes_around_print_does_not_reach_the_terminal(course: Path, capfd: pytest.CaptureFixture[str]) -> None:
    first, second = check(course, "os.write(1, b'x' * 10**6)\nos.write(2, b'x' * 10**6)")
    assert first.passed
    assert second.passed
    assert capfd.readouterr() == ("", "")


def test_gigabytes_are_one_wrong_answer(course: Path) -> None:
    first, second = check(course, "import torch\nx = torch.zeros(1 << 31)")
    assert "DefaultCPUAllocator" in first.hint or "MemoryError" in first.hint
    assert second.passed


def test_a_thread_that_never_ends_does_not_outlive_its_check(course: Path) -> None:
    beat = course.parent / "beat"
    beat.touch()
    lines = "import threading, time\ndef go():\n    while True:\n        time.sleep(0.01)\nthreading.Thread(target=go).start()"
    started = time.monotonic()
    assert check(course, lines)[1].passed
    assert time.monotonic() - started < 60


@pytest.mark.parametrize(
    "text", ["\x1b[2J", "\x1b]0;title\x07", "\u202egnorw", "\x9b31m", "\r\x1b[1A passed", "\x08\x08"]
)
def test_what_an_exercise_prints_or_raises_cannot_drive_the_terminal(course: Path, text: str) -> None:
    body = f"def first():\n    print({text!r})\n    raise ValueError({text!r})\n"
    (course / "exercises" / "04_numbers.py").write_text(body + "\ndef second():\n    return None\n")
    output = run("check", "4", "--folder", str(course)).output
    assert not set(output) & set("\x1b\x9b\x07\x08\u202e\r")


@pytest.mark.parametrize("answer", ["{}", '{"answer": 5}', '{"answer": ["passed"]}', "[1]", "x", "[" * 100_000])
def test_a_forged_answer_passes_nothing_and_breaks_nothing(course: Path, answer: str) -> None:
    lines = (
        "import gc, multiprocessing.connection as c\n"
        f"[o.send_bytes({answer!r}.encode()) for o in gc.get_objects() if isinstance(o, c.Connection)]"
    )
    first, second = check(course, lines)
    assert not first.passed
    assert second.passed
