"""The quiz page answers every question with lines that run and a chapter; its tables have the recorded numbers.

That the lines run and print what the page says is tested with those of all pages, in `test_snippets.py`.
"""

import json
import re

import pytest

from tests.unit.docs.pages import DOCS, ROOT

PAGE = (DOCS / "quiz.md").read_text(encoding="utf-8")
ANSWERS = re.split(r"^## (?=\d+\. )", PAGE, flags=re.MULTILINE)[1:]
RECORDED = json.loads((ROOT / "tests" / "fixtures" / "quiz_results.json").read_text(encoding="utf-8"))


def test_there_are_twenty_two_questions_in_order() -> None:
    assert [answer.partition(".")[0] for answer in ANSWERS] == [str(number) for number in range(1, 23)]


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: answer.partition("\n")[0])
def test_an_answer_is_a_paragraph_with_lines_that_run_and_a_chapter(answer: str) -> None:
    question, _, text = answer.partition("\n")
    assert question.endswith("?")
    assert len(text.partition("```")[0].split()) > 40
    assert "```python\n" in text
    assert "```text\n" in text
    assert re.search(r"\]\(\.\./tutorials/\d\d_\w+\.py\)", text)


@pytest.mark.parametrize("name", [name for name in RECORDED if name != "lines"])
def test_a_table_has_the_recorded_numbers(name: str) -> None:
    rows = [f"| {of} | {' | '.join(f'{value:.2f}' for value in values)} |" for of, values in RECORDED[name].items()]
    assert "\n".join(rows) in PAGE


def test_the_lines_to_compare_with_are_the_recorded_ones() -> None:
    assert f"a loss of {RECORDED['lines']['knows the grammar']} nats a blank" in PAGE
    assert f"who only counts words {RECORDED['lines']['counts the words']}" in PAGE


def test_the_words_that_learners_search_for_are_here() -> None:
    words = "residual connection,skip connection,post-norm,pre-norm,layernorm,batchnorm,mask ratio,warm-up ratio,gradient accumulation"
    assert [word for word in words.split(",") if word not in PAGE.lower()] == []
