"""The finished BERTs of the ladder's tests open a published checkpoint."""

from pathlib import Path

import pytest
from trained import MINILM

from course.ladder.judge import CLOSE
from course.ladder.top import check_minilm, find_minilm
from tests.tutorials.your_bert.mutants import adapters, solution
from tests.tutorials.your_bert.trying import opened


def test_the_checkpoint_is_found_where_the_package_is() -> None:
    assert find_minilm() == MINILM


@pytest.mark.parametrize("name", ["functions", "modules"])
def test_a_students_bert_opens_all_minilm(name: str) -> None:
    found = check_minilm(opened(solution(name), adapters(name))["load"], Path(MINILM))
    assert found.wrong == ""
    assert 0 < found.apart <= CLOSE
