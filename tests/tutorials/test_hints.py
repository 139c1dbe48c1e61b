"""What the checks of the exercises see in a wrong answer, piece by piece in this process."""

from __future__ import annotations

import importlib
import json
import multiprocessing
import os
import re
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from course import limits, running
from course.hints import _difference, gradient_of, same
from course.judging import _Operations
from course.patterns import _OF_ITEMS, _numbers, pattern_in
from course.statements import statements
from minibert.cli.language import Language
from tests.threads import threads
from tests.tutorials.places import TUTORIALS

CHINESE = Language("zh", sorted((TUTORIALS / "zh" / "messages").glob("*.json")))


@pytest.mark.parametrize(
    ("pairs", "hint"),
    [
        ([((1, 2), (2, 1)), ((3, 4), (4, 3))], "The two are in the wrong order."),
        ([([3, 2, 1], [1, 2, 3]), ([5, 4, 3], [3, 4, 5])], "The items are in reverse order."),
        ([(torch.ones(2, 1, 3), torch.ones(1, 2, 3))] * 2, "The first two axes are swapped."),
        ([([], ["a", "b"]), ([], ["c", "d"])], "It gives back nothing but an empty result."),
        ([([2.0, 4.0], [1.0, 2.0]), ([6.0], [3.0])], "Everything is multiplied by 2: a factor too many, or one is missing."),
        ([([[1.5]], [[1.0]]), ([[3.5, 4.5]], [[3.0, 4.0]])], "Everything is 0.5 too large."),
        (
            [((0, [1, 2]), (0, [1, 2, 3])), ((7, [4]), (7, [4, 9]))],
            "Item 1 (counting from 0) alone is wrong. The last item is missing.",
        ),
        ([((0, "b", 1), (0, "a", 2)), ((7, "d", 3), (7, "c", 9))], None),
        ([("a", 1.0), ("b", 2.0), ("c", 3.0)], None),
        ([([2.0, 4.0], ["a", "b"]), ([6.0], ["c"])], None),
    ],
)  # fmt: skip
def test_a_pattern_is_found_where_all_results_have_it(pairs: list[tuple[Any, Any]], hint: str | None) -> None:
    assert pattern_in(pairs, same) == hint


def test_every_pattern_has_its_chinese() -> None:
    assert [hint for hint in _OF_ITEMS if CHINESE.say(hint) == hint] == []


def test_numbers_are_found_in_lists_of_lists_and_nowhere_else() -> None:
    assert _numbers([1, [2.0, (3,)], torch.tensor([[4], [5]])]) == [1, 2, 3, 4, 5]
    assert _numbers([1, ["2"]]) is None


def test_a_loss_that_is_no_tensor_or_has_no_gradient_has_none_and_another_has_its_own() -> None:
    at = torch.tensor([1.0, 2.0])
    assert gradient_of(lambda x: float(x.detach().sum()), at) is None
    assert gradient_of(lambda x: x.detach().sum(), at) is None
    assert gradient_of(lambda x: ((x**2).sum(), "more"), at).tolist() == [2.0, 4.0]


def test_flags_whole_numbers_and_fractions_are_of_three_kinds() -> None:
    kinds = [torch.tensor([True]), torch.tensor([1]), torch.tensor([1.0]), torch.tensor([1 + 0j])]
    assert [[same(a, b) for a in kinds[:3]] for b in kinds[:3]] == [[i == j for i in range(3)] for j in range(3)]
    assert _difference(kinds[0], kinds[1]) == "The result has dtype torch.bool; it should be torch.int64."


def test_a_forbidden_function_is_noted_by_what_it_comes_down_to() -> None:
    called: list[str] = []
    with _Operations(("gelu",), called):
        torch.nn.functional.gelu(torch.ones(1)).relu()
    assert called == ["torch.ops.aten.gelu.default"]


def test_what_a_file_takes_from_the_future_holds_for_each_of_its_statements() -> None:
    names: dict[str, Any] = {}
    source = b"from __future__ import annotations\nimport os\n\n\ndef f(x: Unknown) -> Unknown:\n    return x\n"
    for statement in statements(source):
        exec(compile(statement.tree, "exercise.py", "exec", dont_inherit=True), names)
    assert names["f"].__annotations__ == {"x": "Unknown", "return": "Unknown"}


def test_what_cannot_be_run_is_told_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "04_x.py").write_text("a = 1\nb = 1 / 0\n", encoding="utf-8")
    lines: list[int] = []
    exercises = running.Exercises(lines.append)
    troubles = exercises.open_exercises(str(tmp_path / "04_x.py"))
    assert (lines, troubles) == ([1, 2], ["line 2: ZeroDivisionError in line 2: division by zero"])


@pytest.mark.parametrize(("first", "troubles"), [("import os", 1), ("from __future__ import annotations", 0)])
def test_an_annotation_is_evaluated_as_python_does_it(tmp_path: Path, first: str, troubles: int) -> None:
    (tmp_path / "04_x.py").write_text(f"{first}\ndef f(x: Unknown): ...\n", encoding="utf-8")
    found = running.Exercises().open_exercises(str(tmp_path / "04_x.py"))
    assert found == ["line 2: NameError in line 2: name 'Unknown' is not defined"][:troubles]


def test_what_is_printed_is_handed_on_to_the_last_character_that_it_may_be() -> None:
    handed: list[str] = []
    printed = running._Printed(handed.append)
    printed.left = 4
    assert [printed.write(text) for text in ("abc", "de", "f")] == [3, 2, 1]
    assert handed == ["abc", "d"]


def test_the_process_of_the_exercises_answers_and_says_which_line_runs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "04_x.py").write_text("print('x' * 12_000)\n", encoding="utf-8")
    limited: list[str] = []
    monkeypatch.setattr(sys, "stdout", sys.stdout)
    monkeypatch.setattr(sys, "stderr", sys.stderr)
    monkeypatch.setattr(running.signal, "signal", lambda *_: None)
    monkeypatch.setattr(running.os, "dup2", lambda *_: None)
    monkeypatch.setattr(running, "limit_this_process", limited.append)
    ours, theirs = multiprocessing.Pipe()
    for _ in range(2):
        ours.send_bytes(json.dumps(["open_exercises", str(tmp_path / "04_x.py")]).encode())
    with threads(torch.get_num_threads()), pytest.raises(EOFError):
        answer_two(theirs, str(tmp_path))
    messages = []
    while ours.poll():
        messages.append(json.loads(ours.recv_bytes()))
    once = [{"at": 1}, {"printed": "x" * 10_000}, {"answer": []}]
    assert messages == [*once, *once]
    assert limited == [str(tmp_path)]


def answer_two(connection: Any, folder: str) -> None:
    """Answer two requests and then meet the end."""
    left = [2]

    class Ends:
        def recv_bytes(self) -> bytes:
            left[0] -= 1
            if left[0] < 0:
                raise EOFError
            return connection.recv_bytes()

        def send_bytes(self, message: bytes) -> None:
            connection.send_bytes(message)

    running.answer_requests(Ends(), folder)
    raise EOFError


def test_what_is_refused_are_events_that_python_has_and_no_word_of_a_secret_is_missing() -> None:
    events = {*(event for each in limits.REFUSED.values() for event in each), *limits.CHANGES}
    assert {event for event in events if not re.fullmatch(r"(os|shutil|socket|subprocess|pty)\.\w+", event)} == set()
    missing = [event for event in events if not known(event)]
    assert missing == []
    assert all(word.isupper() for word in limits.SECRETS)


def known(event: str) -> bool:
    """Whether there is a function of an audit event's name; some have no name of their own."""
    module, name = event.split(".")
    real = {"exec": "execv", "spawn": "spawnv", "__new__": "socket", "connect": "socket", "startfile": "fspath"}
    real |= dict.fromkeys(("bind", "sendto", "sendmsg"), "socket")
    return (
        hasattr(importlib.import_module(module), name if module == "pty" else real.get(name, name)) or os.name == "nt"
    )
