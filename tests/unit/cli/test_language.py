"""What the commands of the course say in Chinese: which language is spoken, what is looked up, and how it is laid out."""

from __future__ import annotations

import json
import locale
import os
import re
from pathlib import Path

import pytest

from minibert.cli.language import TABLE, Language, language_of_locale
from minibert.microscope.equations import EQUATIONS, RELATIVE
from minibert.terminal import display_width
from minibert.tokenization import BertTokenizer
from minibert.tokenization.explain import explain
from tests.unit.cli.running import json_of, output_of, run

SETTINGS = ("MINIBERT_LANG", "LC_ALL", "LC_MESSAGES", "LANG")
TEXT = "Déjà vu, 東京!"
FUNCTIONS = re.compile(  # names in equations
    "norm|softmax|attention|attend|ffn|encoder|decoder|embed|pool|pooled|predictions|transform|bias|act|cls|bert|CLS|classifier|"
    "qa|outputs|tanh|exp|mask|layer|cross|encoded"
)
CHINESE = re.compile("[\u4e00-\u9fff]")


def set_to(monkeypatch: pytest.MonkeyPatch, **settings: str) -> None:
    for name in SETTINGS:
        monkeypatch.delenv(name, raising=False)
    for name, value in settings.items():
        monkeypatch.setenv(name, value)


def table(tmp_path: Path, **messages: str) -> Language:
    path = tmp_path / "table.json"
    path.write_text(json.dumps(messages), encoding="utf-8")
    return Language("zh", [path])


def test_the_option_goes_before_the_variable_and_that_before_the_locale(monkeypatch: pytest.MonkeyPatch) -> None:
    def is_chinese(*options: str, **settings: str) -> bool:
        set_to(monkeypatch, **settings)
        return "词元" in output_of("tokenize", TEXT, "--explain", *options)

    assert not is_chinese()
    assert is_chinese(LANG="zh_CN.UTF-8")
    assert not is_chinese(LANG="zh_CN.UTF-8", MINIBERT_LANG="en")
    assert is_chinese("--lang", "zh", MINIBERT_LANG="en")
    assert not is_chinese("--lang", "en", MINIBERT_LANG="zh", LANG="zh_CN.UTF-8")


@pytest.mark.parametrize(
    ("settings", "language"),
    [
        ({}, "en"),
        ({"LANG": "C.UTF-8"}, "en"),
        ({"LANG": "zh_TW.UTF-8"}, "zh"),
        ({"LANG": "zh_CN.UTF-8", "LC_MESSAGES": "de_DE.UTF-8"}, "en"),
        ({"LANG": "de_DE.UTF-8", "LC_MESSAGES": "de_DE.UTF-8", "LC_ALL": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": ""}, "zh"),
    ],
)
def test_the_locale_is_read_as_the_system_reads_it(
    monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], language: str
) -> None:
    set_to(monkeypatch, **settings)
    assert language_of_locale() == language


@pytest.mark.parametrize("name", ["Chinese (Simplified)_China", "zh_CN"])
def test_windows_says_it_in_its_own_way(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    set_to(monkeypatch)
    monkeypatch.setattr("minibert.cli.language.os.name", "nt")
    monkeypatch.setattr(locale, "getlocale", lambda: (name, "936"))
    assert language_of_locale() == "zh"
    monkeypatch.setattr(locale, "getlocale", lambda: (None, None))
    assert language_of_locale() == "en"


def test_another_language_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    set_to(monkeypatch, MINIBERT_LANG="fr")
    result = run("trace", "Rain fell.")
    assert result.exit_code == 2
    assert "'--lang' (env var: 'MINIBERT_LANG'): 'fr' is not one of 'en', 'zh'." in result.stderr


def test_json_and_errors_are_english_in_every_language() -> None:
    assert json_of("tokenize", TEXT, "--explain", "--lang", "zh") == json_of("tokenize", TEXT, "--explain")
    assert not CHINESE.search(output_of("trace", "Rain fell.", "--lang", "zh", "--json"))
    assert "There are no exercises for chapter '99'." in run("check", "99", "--lang", "zh").stderr


def test_columns_stand_below_each_other_in_chinese() -> None:
    lines = output_of("tokenize", "Rain fell on 東京.", "--lang", "zh").splitlines()
    assert lines[0].split() == ["位置", "子词", "id", "句段"]
    assert {display_width(line) for line in lines} == {display_width(lines[1])}
    explained = output_of("tokenize", TEXT, "--explain", "--lang", "zh").splitlines()
    assert {display_width(line.split("  ", 1)[0] if line[0] != " " else "") for line in explained} <= {0, 8}
    assert explained[0] == "    文本  Déjà vu, 東京!"


def test_a_trace_in_chinese_has_the_same_stages_and_numbers() -> None:
    def numbers(lang: str) -> list[list[str]]:
        lines = output_of("trace", "Rain fell.", "--lang", lang).splitlines()
        rule = next(number for number, line in enumerate(lines) if line.startswith("─"))
        return [line.split()[:3] for line in lines[rule + 1 :]]

    assert numbers("zh") == numbers("en")
    assert "标准差" in output_of("trace", "Rain fell.", "--numbers", "--lang", "zh")


def test_whatever_a_trace_or_an_explanation_says_has_a_translation() -> None:
    words = json.loads(TABLE.read_text(encoding="utf-8"))
    equations = {*EQUATIONS.values(), *RELATIVE.values(), "x: dropout is off"}
    for equation in equations - words.keys():
        assert all(map(FUNCTIONS.fullmatch, re.findall(r"[A-Za-z]{2,}", equation))), equation
    for settings in ({}, {"do_lower_case": False}, {"strip_accents": False}, {"tokenize_chinese_chars": False}):
        for step in explain(BertTokenizer.from_pretrained("novels-4l-256h", **settings), TEXT):
            assert {step.name, step.meaning} <= words.keys()


def test_a_template_is_found_by_its_words_and_filled_in_another_order(tmp_path: Path) -> None:
    language = table(tmp_path, **{"{1} of {2} passed.": "{2} 个中 {1} 个通过。", "x of shape {1}": "形状为 {1} 的 x"})
    assert language.say("\n3 of 4 passed.") == "\n4 个中 3 个通过。"
    assert language.say("x of shape (2, 3): 3 of 4 passed.") == "形状为 (2, 3) 的 x：4 个中 3 个通过。"
    assert language.say("Nothing known.") == "Nothing known."


def test_what_is_filled_in_is_a_message_where_the_translation_says_so(tmp_path: Path) -> None:
    language = table(tmp_path, **{"Item {1} is wrong. {2}": "第 {1} 项错了。{2*}", "It is a b.": "是 b。", "b": "乙"})
    assert language.say("Item b is wrong. It is a b.") == "第 b 项错了。是 b。"


def test_the_most_telling_template_is_taken(tmp_path: Path) -> None:
    language = table(
        tmp_path, **{"It stops with {1}": "停：{1}", "It stops with {1} in line {2}: {3}": "{2} 行停：{1}：{3}"}
    )
    assert language.say("It stops with KeyError in line 7: 'in line x: y'") == "7 行停：KeyError：'in line x: y'"
    assert language.say("It stops with KeyError") == "停：KeyError"


def test_what_is_filled_in_has_whole_brackets_where_it_can(tmp_path: Path) -> None:
    language = table(tmp_path, **{"x {1}, {2} keys": "x {1}，{2} 个键"})
    assert language.say("x (1, 2), 3 keys") == "x (1, 2)，3 个键"
    assert language.say("x [(0, 1), None], 3 keys") == "x [(0, 1), None]，3 个键"
    assert language.say("x ( or [, 3 keys") == "x ( or [，3 个键"


def test_what_a_message_begins_with_is_as_long_as_can_be(tmp_path: Path) -> None:
    language = table(
        tmp_path, **{"{1} or {2}": "{1} 或 {2}", "{1} of {2} passed. It is of use.": "{2} 个中 {1} 个通过。有用。"}
    )
    assert language.say("a or b or c") == "a or b 或 c"
    assert language.say("3 of 4 passed. It is of use.") == "4 个中 3 个通过。有用。"


def test_a_message_that_is_none_of_ours_costs_no_time(tmp_path: Path) -> None:
    language = table(tmp_path, **{"It stops with {1} in line {2}: {3}, {4}, {5} of {6}.": "{1}{2}{3}{4}{5}{6}"})
    for odd in ("It stops with " + "(, [: " * 300, "It stops with x in line 7: " + ", " * 900, ": " * 100_000):
        assert language.say(odd) == odd


def test_in_english_nothing_is_read_and_nothing_changes() -> None:
    english = Language("en", [Path("there is no such file")])
    assert english.say("One.\n  {1} two ") == "One.\n  {1} two "
    assert english.fill("word " * 30, 40).count("\n") == 3


def test_chinese_lines_are_as_wide_as_asked_and_no_mark_begins_one() -> None:
    text = "分数要除以 √d，再加上 mask（加到分数上的）；softmax 之后，再乘以值。" * 5
    for width in range(10, 60):
        lines = Language("zh").fill(text, width).split("\n")
        assert "".join(lines).replace(" ", "") == text.replace(" ", "")
        assert max(map(display_width, lines)) <= width + 2  # a mark may hang over the edge
        assert not any(line[0] in "，。；：？！、）》”" or line[-1] in "（《“" for line in lines)


def test_the_suite_speaks_english_on_a_chinese_machine() -> None:
    assert os.environ["MINIBERT_LANG"] == "en"
