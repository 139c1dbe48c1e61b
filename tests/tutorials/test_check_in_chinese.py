"""What `minibert check` says in Chinese: every message has a translation, whole, with the glossary's words, of the right exercises."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from course.about import ABOUT
from course.ladder.parts import PARTS, titled
from minibert.cli.language import TABLE, Language
from tests.tutorials.answers import CHAPTERS, Answer, answers_of, judged, with_body, with_change
from tests.tutorials.places import ROOT, TUTORIALS
from tests.tutorials.your_bert.by_hand import mutants_by_hand
from tests.tutorials.your_bert.mutants import adapters
from tests.tutorials.your_bert.trying import first_that_fails
from tests.unit.cli.running import json_of, output_of, run
from tests.unit.docs.test_translations import OTHER_WORDS, terms

MESSAGES = sorted((TUTORIALS / "zh" / "messages").glob("*.json"))
CHINESE = Language("zh", MESSAGES)
TABLES = [*MESSAGES, TABLE, ROOT / "minibert" / "microscope" / "page.zh.json"]
SOURCES = sorted([*(TUTORIALS / "checks").glob("*.py"), *(TUTORIALS / "course").rglob("*.py")])
HOLE = re.compile(r"\{(\d)\*?\}")
# Texts that look like sentences, and are tried and not said.
TRIED = {
    *("He shook his [MASK].", "The old [MASK] took off his [MASK] and bowed.", "[MASK] was late again, [MASK] said."),
    *("Bees sing.", "It rains.", "The roof leaks.", "He shook his head.", "Walking, unable!"),
    *("It was a fine [MASK] in spring.", "She looked out of the [MASK]."),
}
# Parts of sentences, whose wholes the tests of hints and of the report see.
PARTS_OF = re.compile(
    r"7 (7;|None\.|the shape|numbers of) |It returns 7; 7 is|7 of 7 parts are right7|This one is a matrix|Does a loop never end\?$|7: 7; decay"
)


def texts_in(path: Path) -> Iterator[str]:
    """The texts of a program that somebody may be shown, with 7 in the place of every value: no docstrings, no errors."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    hidden = {id(each) for node in ast.walk(tree) if isinstance(node, ast.Raise) for each in ast.walk(node)}
    hidden |= {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    hidden |= {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in ast.walk(node) if part is not node}  # fmt: skip
    for node in ast.walk(tree):
        if id(node) in hidden:
            continue
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "7" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def english_in(said: str) -> str:
    """Three English words in a row that are no code, in what should be Chinese; "" where there are none."""
    prose = re.sub(r"`[^`]*`|'[^']*'|\"[^\"]*\"|“[^”]*”|\[[^\]]*\]|\([^)]*\)", "…", said)
    found = re.search(r"\b[A-Za-z]{2,}( [a-z]{2,}){2,}", prose)
    return found[0] if found else ""


def in_chinese(message: str) -> str:
    """A message in Chinese. What Python or PyTorch said of an error is left out of it."""
    message = re.sub(r"(It stops with \w+Error(?: in line \d+(?: of \w+\.py)?)?): (?!An exercise).*", r"\1: …", message, flags=re.DOTALL)  # fmt: skip
    said = CHINESE.say(message)
    assert re.search("[\u4e00-\u9fff]", said), message
    assert not english_in(said), said
    for value in re.findall(r"\([\d., ]+\)|\[[\d., ]+\]", message):  # which stays whole
        assert value in said, (message, said)
    return said


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(TUTORIALS).as_posix())
def test_every_sentence_of_the_checks_and_the_course_has_a_translation(path: Path) -> None:
    sentences = [text.strip() for text in texts_in(path) if re.search(r"^\n?[A-Z`7“].* .*[.?)]$", text)]
    for sentence in sentences:
        if (
            sentence not in TRIED
            and not PARTS_OF.match(sentence)
            and path.name not in ("resetting.py", "figures.py", "samples.py")
        ):
            in_chinese(sentence)


def test_every_notice_and_every_part_has_a_translation() -> None:
    for about in ABOUT.values():
        in_chinese(about.notice)
        assert CHINESE.say(f"f: not written yet ({about})").startswith(f"f：还没有写（{about.minutes} 分钟，")
    for part in PARTS:
        assert CHINESE.say(titled(part.name)) != titled(part.name) or part.name == "wordpiece"


@pytest.mark.slow
@pytest.mark.parametrize("chapter", CHAPTERS)
def test_every_hint_to_a_wrong_answer_is_chinese_as_a_whole(chapter: str, tmp_path: Path) -> None:
    answers = answers_of(chapter)
    texts = [(function, with_change(chapter, function, right, wrong)) for function, right, wrong, _ in answers.planted]
    texts += [(function, with_body(chapter, function, body)) for function, body, _ in answers.written]
    for function, text in texts:
        in_chinese(judged(Answer(chapter, function, text, ""), tmp_path).hint)


@pytest.mark.slow
def test_every_hint_to_a_bert_of_ones_own_is_chinese_as_a_whole() -> None:
    for mutant in mutants_by_hand()[::4]:
        grade = first_that_fails(mutant.text, adapters(mutant.solution), mutant.part)
        assert grade is not None
        in_chinese(grade.hint)


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.name)
def test_a_translation_fills_in_what_its_message_does(path: Path) -> None:
    for english, chinese in json.loads(path.read_text(encoding="utf-8")).items():
        holes = HOLE.findall(english)
        assert holes == list("123456"[: len(holes)]), english
        assert set(HOLE.findall(chinese)) == set(holes), english


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.name)
def test_a_translation_has_the_words_of_the_glossary(path: Path) -> None:
    known = terms()
    for english, chinese in json.loads(path.read_text(encoding="utf-8")).items():
        assert not [word for word in OTHER_WORDS if word in chinese], english
        for term, words in known.items():
            longer = any(f"{term} " in other and other in english for other in known)
            if re.search(rf"\b{re.escape(term)}s?\b", english) and not longer:
                # or the word stands as code, in Chinese too
                assert any(word in chinese for word in words.split("、")) or term in chinese, (term, english)


def test_no_message_stands_in_two_tables() -> None:
    found = [english for path in MESSAGES for english in json.loads(path.read_text(encoding="utf-8"))]
    assert len(set(found)) == len(found) > 1300


BLANK = "def f(x):\n    raise NotImplementedError\n"
CHECKS = "from course.hints import Case\n\n\ndef check_f(f):\n    yield Case(f(3), 6)\n    yield Case(f(4), 8)\n"


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A course of one chapter in two editions: solved in English, wrong in Chinese. The current folder is above it."""
    tutorials = tmp_path / "tutorials"
    right, wrong = BLANK.replace("raise NotImplementedError", "return 2 * x"), BLANK.replace("raise NotImplementedError", "return x")  # fmt: skip
    for name, text in (("checks", CHECKS), ("exercises", right), ("zh/exercises", wrong), ("zh/solutions", right)):
        (tutorials / name).mkdir(parents=True)
        (tutorials / name / "04_numbers.py").write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tutorials


@pytest.mark.seconds
def test_in_chinese_the_chinese_exercises_are_checked_and_named(course: Path) -> None:
    lines = run("check", "4", "--lang", "zh").output.splitlines()
    assert lines[0] == "· f：还不对"
    assert lines[-2:] == ["1 个函数中 0 个通过。", f"检查的文件：{course / 'zh' / 'exercises' / '04_numbers.py'}"]
    assert run("check", "4", "--lang", "en").output.splitlines()[0] == "✓ f: passed"


def test_who_works_in_a_folder_gets_its_exercises_in_either_language(
    course: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(course / "zh" / "exercises")
    assert run("check", "4").output.splitlines()[0] == "· f: not right yet"
    assert run("check", "4", "--lang", "zh").output.splitlines()[0] == "· f：还不对"
    monkeypatch.chdir(course / "exercises")
    assert run("check", "4", "--lang", "zh").output.splitlines()[0] == "✓ f：通过"
    assert run("check", "4", "--lang", "zh", "--folder", str(course / "zh")).output.splitlines()[0] == "· f：还不对"
    assert run("check", "4", "--lang", "zh", "--folder", str(course)).output.splitlines()[0] == "✓ f：通过"


def test_a_chinese_exercise_is_made_a_blank_again_in_chinese(course: Path) -> None:
    file = course / "zh" / "exercises" / "04_numbers.py"
    assert output_of("check", "--reset", "4", "f", "--lang", "zh") == f"f 又是空白了。原来的文件：{file}.old\n"
    assert file.read_text(encoding="utf-8") == BLANK
    assert "f：还没有写" in output_of("check", "--next", "--lang", "zh")
    assert "1 个函数中 0 个通过。" in output_of("check", "--lang", "zh")


def test_json_is_the_same_in_either_language(course: Path) -> None:
    folder = ("--folder", str(course))
    assert json_of("check", "4", "--lang", "zh", *folder) == json_of("check", "4", "--lang", "en", *folder)


@pytest.mark.slow
def test_a_bert_of_ones_own_is_graded_in_chinese(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    assert "读那里的 README.md" in output_of("check", "my-bert", str(folder), "--start", "--lang", "zh")
    assert "我的 BERT" in (folder / "my_bert.py").read_text(encoding="utf-8")
    report = tmp_path / "report.md"
    result = run("check", "my-bert", str(folder), "--lang", "zh", "--certificate", str(report))
    assert not english_in(result.output.replace(str(tmp_path), ""))
    assert "· 1. WordPiece：还没有写（大约 40 分钟）" in result.output
    assert "· 4. 一层：等待 3. 自注意力" in result.output
    assert "12 个部分中 0 个通过。\n接下来：1. WordPiece。" in result.output
    text = report.read_text(encoding="utf-8")
    assert text.startswith("# 我自己的 BERT，还在路上\n")
    assert not english_in(text)
