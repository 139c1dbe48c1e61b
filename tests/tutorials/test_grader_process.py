"""Around the grader of a BERT of one's own, in this process: how it asks another process, what the whole has to do, and the report."""

from __future__ import annotations

import importlib.util
import json
import multiprocessing
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
import torch.nn.functional as F

from course import checking
from course.checking import PASSED, WRONG
from course.ladder import command, process, tasks, text_part, top
from course.ladder.certificate import certificate
from course.ladder.file_part import bundled
from course.ladder.result import Result
from course.ladder.student import make_folder, open_adapters
from minibert import BertForPreTraining, BertForSequenceClassification, BertTokenizer
from minibert.cli.language import Language
from tests.tutorials.places import TUTORIALS
from tests.tutorials.your_bert.mutants import adapters, solution
from tests.tutorials.your_bert.trying import noted_dropout

MESSAGES = sorted((TUTORIALS / "zh" / "messages").glob("*.json"))
ENGLISH, CHINESE = Language("en"), Language("zh", MESSAGES)


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A student's folder with a finished BERT; what opening it changes in this process is undone."""
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "my_bert.py").write_text(solution("functions"), encoding="utf-8")
    (folder / "adapters.py").write_text(adapters("functions"), encoding="utf-8")
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    for name in ("my_bert", "adapters"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    with noted_dropout():
        yield folder
    for name in ("my_bert", "adapters"):
        sys.modules.pop(name, None)


def on_another_system(monkeypatch: pytest.MonkeyPatch) -> None:
    """Text files are ASCII, with Windows' ends of lines, unless whoever writes them says what they are to be."""
    real = Path.write_text

    def write_text(path: Path, text: str, encoding: str = "ascii", newline: str = "\r\n") -> int:
        return real(path, text, encoding=encoding, newline=newline)

    monkeypatch.setattr(Path, "write_text", write_text)


class FakeContext:
    """What makes processes, here none: `end` becomes of the one that is started, which has the folder that it may write in."""

    def __init__(self, end: Callable[[Path], None] = lambda _: None) -> None:
        self.end = end

    def set_forkserver_preload(self, modules: list[str]) -> None:
        self.preloaded = modules

    def process(self, *, args: tuple[Any, ...], **_: Any) -> Any:
        folder = next(Path(each) for each in args if isinstance(each, str))
        nothing = {name: lambda *_: None for name in ("join", "kill", "close")}
        return SimpleNamespace(start=lambda: self.end(folder), pid=0, exitcode=0, is_alive=lambda: False, **nothing)

    Pipe, Process = staticmethod(multiprocessing.Pipe), process


class TestProcess:
    @pytest.mark.parametrize("module", [checking, process])
    def test_processes_are_forked_where_the_system_can(self, module: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        for system, forks in (("win32", False), ("linux", True), ("darwin", True)):
            monkeypatch.setattr(sys, "platform", system)
            spec = importlib.util.spec_from_file_location(f"{module.__name__}_on_{system}", module.__file__)
            there = importlib.util.module_from_spec(spec)
            monkeypatch.setitem(sys.modules, spec.name, there)
            spec.loader.exec_module(there)
            assert forks == there.FORKS

    def test_a_process_that_never_answers_is_stopped_after_six_times_its_seconds(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        asked, waited = [], []
        fake = FakeContext()

        def wait(_: Any, seconds: float, __: set[str]) -> None:
            waited.append(seconds)
            raise TimeoutError

        monkeypatch.setattr(process.multiprocessing, "get_context", lambda kind: asked.append(kind) or fake)
        monkeypatch.setattr(process, "end_group", lambda _: None)
        monkeypatch.setattr(process, "_wait_for_answer", wait)
        with pytest.raises(process.StoppedError, match="still running after 12 seconds"):
            process.ask("grade", tmp_path, 2.0, part="pooler")
        assert (asked, waited) == (["forkserver" if process.FORKS else "spawn"], [12.0])

    def test_a_folder_that_cannot_be_removed_is_no_error(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        def end(folder: Path) -> None:
            folder.rmdir()
            folder.write_text("a file now", encoding="utf-8")

        monkeypatch.setattr(process.multiprocessing, "get_context", lambda _: FakeContext(end))
        monkeypatch.setattr(process, "end_group", lambda _: None)
        monkeypatch.setattr(process, "_wait_for_answer", lambda *_: "all is well")
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
        assert process.ask("grade", tmp_path, 2.0) == "all is well"
        monkeypatch.setattr(checking, "end_group", lambda _: None)
        checker = checking.Checker()
        checker._start()
        checker._stop()

    def test_an_answer_in_time_is_taken_and_the_rest_is_printed(self, capsys: pytest.CaptureFixture[str]) -> None:
        ours, theirs = multiprocessing.Pipe()
        said: set[str] = set()
        for message in (
            {"started": True},
            {"printed": "hi\x1b"},
            {"opened": True},
            {"printed": "x" * 10_001},
            {"answer": [1]},
        ):
            theirs.send_bytes(json.dumps(message).encode())
        assert process._wait_for_answer(ours, 0.9, said) == [1]
        assert {"started", "opened"} <= said
        assert capsys.readouterr().err == "hi\\x1b" + "x" * (10_000 - len("hi\x1b"))

    def test_a_process_says_when_it_starts_limits_itself_and_answers(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        did: list[Any] = []

        def echo(own: Path, asked: dict[str, Any], opened: Callable[[], None]) -> Any:
            opened()
            sys.stdout.write("hi")
            return [str(own), asked["task"], sys.stdout.encoding]

        monkeypatch.setitem(tasks.TASKS, "echo", echo)
        monkeypatch.setattr(sys, "stdout", sys.stdout)
        monkeypatch.setattr(process.os, "dup2", lambda *_: None)
        monkeypatch.setattr(process.signal, "signal", lambda *_: None)
        monkeypatch.setattr(process.signal, "setitimer", lambda *given: did.append(given))
        monkeypatch.setattr(process, "limit_this_process", did.append)
        ours, theirs = multiprocessing.Pipe()
        process._answer(theirs, str(tmp_path), {"task": "echo", "seconds": 3.0})
        messages = []
        while ours.poll():
            messages.append(json.loads(ours.recv_bytes()))
        answer = {"answer": [str(tmp_path), "echo", "utf-8"]}
        assert messages == [{"started": True}, {"opened": True}, {"printed": "hi"}, answer]
        assert did == [str(tmp_path), *([(signal.ITIMER_PROF, 3.0)] if process.FORKS else [])]

    def test_the_process_opens_the_students_files_and_grades_the_part(self, mine: Path, tmp_path: Path) -> None:
        opened: list[bool] = []
        asked = {"part": "pooler", "folder": str(mine)}
        found = tasks.TASKS["grade"](tmp_path, asked, lambda: opened.append(True))
        assert (found["part"], found["status"], opened) == ("pooler", PASSED, [True])

    def test_files_that_cannot_be_run_are_told_of_the_part_asked_for_and_no_part_is_blamed(
        self, mine: Path, tmp_path: Path
    ) -> None:
        (mine / "adapters.py").write_text("import my_bert\n1 / 0\n", encoding="utf-8")
        found = tasks.TASKS["grade"](tmp_path, {"part": "pooler", "folder": str(mine)}, lambda: None)
        assert (found["part"], found["status"], found["blamed"]) == ("pooler", WRONG, "")
        assert found["hint"] == "It stops with ZeroDivisionError in line 2 of adapters.py: division by zero"

    @pytest.mark.parametrize("finished", ["minibert", "course.ladder", "transformers"])
    def test_a_file_that_imports_a_finished_bert_is_refused(self, mine: Path, finished: str) -> None:
        (mine / "more.py").write_text(f"import {finished}\n", encoding="utf-8")
        (mine / "adapters.py").write_text("import more\n", encoding="utf-8")
        with pytest.raises(ImportError, match=rf"more\.py imports {finished}"):
            open_adapters(mine)

    @pytest.mark.parametrize(
        "line",
        ["import layers.inner", "from layers import inner", "from layers.inner import x", "import layers"],
    )
    def test_so_is_one_in_a_folder_that_is_imported(self, mine: Path, line: str) -> None:
        (mine / "layers").mkdir()
        (mine / "layers" / "__init__.py").write_text("from . import inner\n", encoding="utf-8")
        (mine / "layers" / "inner.py").write_text("from transformers import BertModel as x\n", encoding="utf-8")
        (mine / "adapters.py").write_text(f"def later():\n    {line}\n", encoding="utf-8")
        with pytest.raises(ImportError, match=r"layers/inner\.py imports transformers"):
            open_adapters(mine)

    def test_an_import_from_above_the_folder_is_left_to_python(
        self, mine: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (mine / "adapters.py").write_text(
            "try:\n    from .... import q\nexcept ImportError:\n    q = 1\n", encoding="utf-8"
        )
        monkeypatch.chdir(mine.parent)
        assert open_adapters(Path(mine.name))["q"] == 1

    def test_a_file_that_nothing_imports_may_import_what_it_likes(self, mine: Path) -> None:
        (mine / "compare_with.py").write_text("import transformers\n", encoding="utf-8")
        (mine / "half_written.py").write_text("def f(:\n", encoding="utf-8")
        assert open_adapters(mine)

    def test_adapters_are_a_module_as_any_other(self, mine: Path) -> None:
        later = "from __future__ import annotations\nfrom dataclasses import dataclass\nfrom typing import Any\n"
        with (mine / "adapters.py").open("a", encoding="utf-8") as file:
            file.write("\n@dataclass\nclass Sizes:\n    width: int = 3\n")
        text = (mine / "adapters.py").read_text(encoding="utf-8").replace("from __future__ import annotations\n", "")
        (mine / "adapters.py").write_text(later + text, encoding="utf-8")
        found = open_adapters(mine)
        assert vars(sys.modules["adapters"]) is found
        assert found["Sizes"]().width == 3

    def test_a_vocabulary_is_written_in_utf_8_wherever_the_grader_runs(self, monkeypatch: pytest.MonkeyPatch) -> None:
        on_another_system(monkeypatch)
        assert text_part.check_words(lambda _: lambda *_: ([], [])).wrong.startswith("words that the vocab")

    def test_a_folder_to_begin_with_has_the_same_bytes_on_every_system(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        plain = [path.read_bytes() for path in make_folder(tmp_path / "here", "zh")]
        on_another_system(monkeypatch)
        assert [path.read_bytes() for path in make_folder(tmp_path / "there", "zh")] == plain


class TestTop:
    def test_a_right_bert_finds_the_librarys_words(self) -> None:
        pieces = top.vocabulary(bundled())
        tokenizer = BertTokenizer.from_pretrained(bundled())
        model = BertForPreTraining.from_pretrained(bundled()).eval()

        def wordpiece(given: list[str]) -> Any:
            assert given == pieces
            return lambda text: (tokenizer(text)["input_ids"], tokenizer(text)["token_type_ids"])

        def load(_: str) -> Any:
            def run(ids: torch.Tensor, segments: torch.Tensor, mask: torch.Tensor) -> Any:
                outputs = model(ids, mask, segments, output_hidden_states=True)
                return outputs.hidden_states[-1], outputs.prediction_logits, outputs.seq_relationship_logits

            return run

        words = top.fill_in(wordpiece, load, top.BLANKS[0])
        assert len(words) == 3
        assert words == top.fill_in_with_ours(top.BLANKS[0])

    def test_minilm_is_found_in_the_package_that_carries_it_or_nowhere(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        package = SimpleNamespace(submodule_search_locations=[str(tmp_path / "first"), str(tmp_path / "second")])
        monkeypatch.setattr(top, "find_spec", lambda _: package)
        assert top.find_minilm() == tmp_path / "first" / "model"

        def nowhere(*_: Any, **__: Any) -> Path:
            raise OSError

        monkeypatch.setattr(top, "find_spec", lambda _: None)
        monkeypatch.setattr(top, "locate", nowhere)
        assert top.find_minilm() is None

    def test_the_small_task_begins_with_the_body_and_a_new_head_and_counts_right_answers(self) -> None:
        kinds = {noun: kind for kind, nouns in enumerate(top.NOUNS) for noun in nouns.split()}
        runs = []

        def encode(text: str) -> Any:
            return [next(kind for word in text.split() if (kind := kinds.get(word)) is not None)], [0]

        def train(run: Any) -> Any:
            runs.append(run)
            return [], lambda ids, segments, mask: F.one_hot(ids[:, 0], 3) * mask + 0 * segments

        assert top.small_task(encode, train) == 1.0
        [run] = runs
        assert run.weights.keys() == {n for n, _ in BertForSequenceClassification(run.config).named_parameters()}

    def test_the_small_task_has_the_order_in_which_the_librarys_score_was_measured(self) -> None:
        trained, tested = top.examples()
        assert [text for text, _ in trained[:2]] == [
            "there was a rabbit in the garden .",
            "a sailor was all that he remembered .",
        ]
        assert tested[0] == ("the doctor was near the door .", 0)


RESULTS = [Result("pooler", PASSED, bits=True), Result("predictions", PASSED, apart=2e-6, gradient_apart=3e-7)]
AT_THE_TOP = {"wrong": "", "blanks": [["A [MASK].", "head"]], "minilm": 2e-6, "score": 0.97, "least": 0.9}


class TestReport:
    def test_a_report_has_its_parts_and_then_what_the_whole_can_do(self) -> None:
        text = certificate(RESULTS, AT_THE_TOP)
        assert (
            "| 6 | The pooler | ✓ | 0 | 0 | yes |\n| 7 | Transform and tied decoder | ✓ | 2e-06 | 3e-07 | no |" in text
        )
        assert text.index("# A BERT of my own") < text.index("| 6 |") < text.index("## What it can do")
        assert "- A [MASK]. → *head*\n- It opens all-MiniLM-L6-v2" in text

    @pytest.mark.parametrize("as_json", [True, False])
    def test_parts_and_top_are_shown(
        self, mine: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], as_json: bool
    ) -> None:
        monkeypatch.setattr(command, "climb_parts", lambda _: RESULTS)
        monkeypatch.setattr(command, "climb_top", lambda *_: AT_THE_TOP)
        assert command.show_ladder(mine, None, as_json, ENGLISH)
        said = capsys.readouterr().out
        if as_json:
            assert json.loads(said) == {"parts": [vars(result) for result in RESULTS], "top": AT_THE_TOP}
        else:
            assert "✓ 6. The pooler: passed, to the bit\n✓ 7. Transform and tied decoder: passed\n" in said
            assert (
                "  A [MASK].  head\n  all-MiniLM-L6-v2: its hidden states within 2e-06\n  the small task: 97% right"
                in said
            )
