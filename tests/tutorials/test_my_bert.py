"""Your own BERT: right ones of every style pass, wrong ones are caught, and the part at fault is named."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pytest
import torch

from course.checking import PASSED, WRONG
from course.ladder.cases import KINDS
from course.ladder.climbing import climb_parts
from course.ladder.parts import NUMBER, PARTS
from course.ladder.student import GUIDES, make_folder, open_adapters
from course.ladder.top import OURS, SPREAD, score_of_ours
from tests.tutorials.places import TUTORIALS
from tests.tutorials.your_bert.by_hand import mutants_by_hand, planted
from tests.tutorials.your_bert.mutants import PART_OF, Mutant, adapters, mutants_by_chance, solution, with_design
from tests.tutorials.your_bert.trying import first_that_fails, grade_of
from tests.unit.cli.running import run

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the alarm that ends a loop is POSIX's")
SOLUTIONS = ("functions", "modules")
# Six designs: functions, modules with one product for query, key and value, and four in place of the attention of one of these.
DESIGNS = {"einsum": "functions", "loops": "functions", "split_before": "functions", "multihead": "modules"}
START = TUTORIALS / "your_bert" / "start"


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def tried(mutants: Sequence[Mutant]) -> tuple[list[str], list[str]]:
    """The mutants that pass, and those of which another part is blamed."""
    passed, misjudged = [], []
    for mutant in mutants:
        found = first_that_fails(mutant.text, adapters(mutant.solution), mutant.part)
        if found is None:
            passed.append(f"{mutant.solution}, {mutant.part}: {mutant.what}")
        elif found.blamed != mutant.part:
            misjudged.append(f"{mutant.solution}, {mutant.part}: {mutant.what}: blamed {found.blamed}")
    return passed, misjudged


@pytest.mark.seconds
def test_a_grade_does_not_wait_for_pytorchs_compiler_to_load() -> None:
    program = """
import sys
from tests.tutorials.your_bert.mutants import adapters, solution
from tests.tutorials.your_bert.trying import grade_of
print(grade_of(solution("functions"), adapters("functions"), "embeddings").status, "torch._dynamo" in sys.modules)
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    found = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert found.stdout == f"{PASSED} False\n"


@pytest.mark.seconds
@pytest.mark.parametrize("name", SOLUTIONS)
def test_a_right_bert_passes_every_part(name: str) -> None:
    assert first_that_fails(solution(name), adapters(name)) is None


@pytest.mark.slow
@pytest.mark.parametrize("design", DESIGNS)
def test_a_right_bert_of_another_design_passes_every_part(design: str) -> None:
    name = DESIGNS[design]
    assert first_that_fails(with_design(name, design), adapters(name)) is None


@pytest.mark.slow
def test_classic_mistakes_are_caught_and_the_part_is_named() -> None:
    some = mutants_by_hand()[::4]
    assert len(some) >= 30
    assert tried(some) == ([], [])


@cache
def many_mistakes() -> list[Mutant]:
    return [*mutants_by_hand(), *(mutant for name in SOLUTIONS for mutant in mutants_by_chance(name, 100))]


@pytest.mark.slow(5)
@pytest.mark.parametrize("first", range(8))
def test_of_many_mistakes_nearly_all_are_caught_and_nearly_all_named(first: int) -> None:
    assert len(many_mistakes()) >= 300
    mutants = many_mistakes()[first::8]
    passed, misjudged = tried(mutants)
    assert len(passed) <= 0.05 * len(mutants), passed
    assert len(misjudged) <= 0.15 * (len(mutants) - len(passed)), misjudged


# A mistake that its own part's small cases do not show: (part, right, wrong, the part that shows it).
HIDDEN = (
    ("embeddings", "torch.arange(ids.shape[1])", "torch.arange(ids.shape[1]).clamp(max=10)", "load"),
    ("attention", "scores = query @", "scores = (1.0 + (x.shape[1] > 8)) * query @", "load"),
    ("layer", "wide = gelu(", "wide = (F.gelu if x.shape[-1] < 64 else F.relu)(", "load"),
    ("pooler", "hidden[:, 0]", "hidden[:, 0 if hidden.shape[-1] < 64 else -1]", "load"),
    ("predictions", 'weights["bias"]', 'weights["bias"][: len(table)].clamp(min=-1e9 if len(table) < 99 else 0)', "load"),
    ("attention", "scores + (1.0 - mask", "scores + (0.0 if len(x) == 4 else 1.0 - mask", "train"),
    ("optimizer", "weight -= size *", "weight -= (len(weight) != 12) * size *", "train"),
)  # fmt: skip


@pytest.mark.seconds
@pytest.mark.parametrize(("part", "right", "wrong", "shows"), HIDDEN)
def test_an_earlier_part_is_blamed_for_what_a_later_one_shows(part: str, right: str, wrong: str, shows: str) -> None:
    mutant = planted("functions", part, right, wrong)
    assert grade_of(mutant.text, adapters("functions"), part).status == PASSED
    found = grade_of(mutant.text, adapters("functions"), shows)
    assert (found.status, found.blamed) == (WRONG, part)


def test_the_first_case_that_fails_tells_where_to_look() -> None:
    mutant = planted("functions", "attention", "math.sqrt(query.shape[-1])", "math.sqrt(x.shape[-1])")
    assert "All before it is right, so look at how the heads are split" in grade_of(mutant.text, adapters("functions"), "attention").hint  # fmt: skip


@pytest.mark.parametrize(
    ("part", "right", "wrong", "hint"),
    [
        ("embeddings", "torch.arange(ids.shape[1])", "torch.arange(1, ids.shape[1] + 1)", "without position_embeddings (all 0)"),
        ("attention", "/ math.sqrt(query.shape[-1])", "", "without self.query (all 0) or self.key (all 0)"),
        ("pretraining", "cross_entropy(next_scores, follows)", "cross_entropy(next_scores, 1 - follows)", "without cls.seq_relationship (all 0)"),
        ("predictions", ' + weights["bias"]', "", "without bias (all 0)"),
    ],
)  # fmt: skip
def test_the_layer_without_which_it_is_right_is_named(part: str, right: str, wrong: str, hint: str) -> None:
    assert hint in grade_of(planted("functions", part, right, wrong).text, adapters("functions"), part).hint


@pytest.mark.parametrize("wrong", ["hidden[:, -1]", "hidden.mean(1)"])
def test_a_layer_without_which_nothing_is_left_is_not_named(wrong: str) -> None:
    found = grade_of(planted("functions", "pooler", "hidden[:, 0]", wrong).text, adapters("functions"), "pooler")
    assert found.hint == f"one sentence: The shapes are right; the numbers are up to {found.apart:.1g} away."


def test_what_was_given_may_not_be_changed() -> None:
    mutant = planted("functions", "layer", "x = norm(gathered + x, weights", "x += 0 * x + 1e-3\n    x = norm(gathered + x - 1e-3, weights")  # fmt: skip
    assert "It changes its input in place" in grade_of(mutant.text, adapters("functions"), "layer").hint


def test_an_adapter_that_gives_nothing_to_call_is_told_so() -> None:
    forgetful = adapters("functions") + "\n\ndef pooler(config, weights):\n    my_bert.pool\n\ndef optimizer(weights, lr, weight_decay):\n    pass\n"  # fmt: skip
    hint = grade_of(solution("functions"), forgetful, "pooler").hint
    assert "`pooler` in adapters.py gives None; a function is asked for. Is a `return` missing?" in hint
    assert "it gives None; something with a step()" in grade_of(solution("functions"), forgetful, "optimizer").hint


def test_a_copy_of_the_weights_is_told_about_fill() -> None:
    copied = adapters("modules").replace("return lambda *inputs: torch.func.functional_call(module, tensors, inputs)", "module.load_state_dict(tensors)\n    return module")  # fmt: skip
    assert (
        "`fill` in adapters.py gives a module these very tensors"
        in grade_of(solution("modules"), copied, "pooler").hint
    )


def test_the_parts_the_start_and_the_guide_go_together() -> None:
    guide = (TUTORIALS / "your_bert" / "README.md").read_text(encoding="utf-8")
    for part in PARTS:
        assert f"## {NUMBER[part.name]}. {part.title} ({part.minutes} minutes)" in guide
        assert [name for name in part.stands_on if NUMBER[name] >= NUMBER[part.name]] == []
    blanks = ast.parse((START / "adapters.py").read_text(encoding="utf-8"))
    functions = [node.name for node in blanks.body if isinstance(node, ast.FunctionDef)]
    assert functions == ["inside", "fill", *(name for part in PARTS for name in part.adapters)]
    assert set(KINDS) < set(NUMBER)
    for name in SOLUTIONS:
        assert set(PART_OF[name].values()) == set(NUMBER)


def test_no_finished_bert_is_in_the_course() -> None:
    assert sorted(path.name for path in (TUTORIALS / "your_bert").rglob("*") if path.is_file()) == ["README.md", "adapters.py", "my_bert.py"]  # fmt: skip


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_folder_to_begin_with_has_nothing_of_the_repository(tmp_path: Path, language: str) -> None:
    """No way to the other language, which would lead nowhere there, and no hashes."""
    for path in make_folder(tmp_path, language):
        source = GUIDES[language] / ("start" if path.suffix == ".py" else "") / path.name
        text, kept = path.read_text(encoding="utf-8"), source.read_text(encoding="utf-8")
        assert re.search(r"<!-- en|# en:|\]\(\.\.|^\n|\n\n$", text) is None
        assert set(text.splitlines()) == {line for line in kept.splitlines() if not re.match(r"<!-- en|# en:|\[\w+\]\(\.\.", line)}  # fmt: skip
    assert ("我的 BERT" in (tmp_path / "my_bert.py").read_text(encoding="utf-8")) == (language == "zh")


def made(folder: Path, name: str = "functions", change: tuple[str, str] = ("", "")) -> Path:
    """A student's folder with a finished BERT, in which one thing is changed."""
    folder.mkdir()
    (folder / "my_bert.py").write_text(solution(name).replace(*change), encoding="utf-8")
    (folder / "adapters.py").write_text(adapters(name), encoding="utf-8")
    return folder


def test_a_folder_to_begin_with_is_made_once_and_grades_as_not_written(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    assert "Read README.md there" in run("check", "my-bert", str(folder), "--start").output
    assert sorted(path.name for path in folder.iterdir()) == ["README.md", "adapters.py", "my_bert.py"]
    assert "not written over" in run("check", "my-bert", str(folder), "--start").output
    for options in (("4", str(folder)), ("4", "--start"), ("my-bert", str(folder), "--watch")):
        assert run("check", *options).exit_code == 2
    assert "no adapters.py" in run("check", "my-bert", str(tmp_path / "none")).output


@pytest.mark.slow
def test_blanks_and_what_stands_on_them_are_no_mistakes(tmp_path: Path) -> None:
    run("check", "my-bert", str(tmp_path / "mine"), "--start")
    result = run("check", "my-bert", str(tmp_path / "mine"))
    assert result.exit_code == 1
    assert "· 3. Self-attention: not written yet (about 45 minutes)" in result.output
    assert "· 4. One layer: waits for 3. Self-attention" in result.output
    assert result.output.endswith("0 of 12 parts passed.\nNext: 1. WordPiece.\n")


@pytest.mark.slow
def test_a_finished_bert_climbs_to_the_top_and_gets_its_page(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    result = run("check", "my-bert", str(made(tmp_path / "mine", "modules")), "--certificate", str(page), "--json")
    assert result.exit_code == 0
    found = json.loads(result.stdout)
    assert [part["status"] for part in found["parts"]] == [PASSED] * 12
    assert found["top"]["wrong"] == ""
    assert found["top"]["score"] >= OURS - 4 * SPREAD
    text = page.read_text(encoding="utf-8")
    assert text.startswith("# A BERT of my own\n\n12 of 12 parts are right, and so is what they do together.")
    assert "| 6 | The pooler | ✓ | 0 | 0 | yes |" in text
    assert "He shook his [MASK]. → *head*" in text


@pytest.mark.slow
def test_the_librarys_own_training_is_within_its_noise() -> None:
    assert abs(score_of_ours(seed=1) - OURS) <= 4 * SPREAD


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "hint"),
    [
        (("start = end", "pass"), "It was still running after 4 seconds. Does a loop never end?"),
        (("return found\n", "import os; os._exit(0)\n"), "It ended Python, with exit code 0."),
        (("return found\n", "exit()\n"), "It stops with SystemExit in line"),
        (("return found\n", "open('/tmp/minibert_my_bert', 'w')\n"), "It stops with PermissionError in line"),
    ],
)
def test_code_that_hangs_or_leaves_spoils_its_own_part_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: tuple[str, str], hint: str
) -> None:
    monkeypatch.setattr("course.ladder.climbing.SECONDS", 4.0 if "loop" in hint else 20.0)
    steps = climb_parts(made(tmp_path / "mine", change=change))
    first = next(steps)
    monkeypatch.undo()
    second = next(steps)
    assert first.status == WRONG
    assert first.hint.startswith(hint)
    assert second.passed


@pytest.mark.slow
def test_a_file_that_never_ends_or_leaves_is_named_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder, line in (("first", "while True: pass"), ("second", "import os; os._exit(0)")):
        monkeypatch.setattr("course.ladder.climbing.SECONDS", 1.0 if "while" in line else 20.0)
        with pytest.raises(ValueError, match=r"cannot be run\. It (was still running|ended Python, with exit code 0)"):
            next(climb_parts(made(tmp_path / folder, change=("import json", line))))


def test_a_bert_that_is_not_ones_own_is_refused(tmp_path: Path) -> None:
    folder = made(tmp_path / "mine", change=("import json", "import json\nfrom minibert.model import layer"))
    with pytest.raises(ImportError, match=r"my_bert.py imports minibert.model\. The point is to write it yourself"):
        open_adapters(folder)


@pytest.mark.slow
def test_files_that_cannot_be_run_are_named_with_the_line(tmp_path: Path) -> None:
    result = run("check", "my-bert", str(made(tmp_path / "mine", change=("import json", "import json json"))))
    assert result.exit_code == 1
    assert "SyntaxError in line 3 of my_bert.py" in result.output
