"""How good the checks are, counted: of all wrong answers how many fail and how many are named, and whether a right one fails.

The answers written by hand are tried one by one in test_exercises.py; mutants of the solutions are made and tried here.
"""

from pathlib import Path

import pytest

from course.running import PASSED, WRONG
from tests.tutorials.answers import CHAPTERS, answers_of, judged
from tests.tutorials.mutants import mutants_of

SEED, OF_EACH = 1, 3
# Changes that change nothing, so that these mutants are right.
EQUIVALENT = {
    "nearest: directions = F.normalize(table, dim=-1) → directions = F.normalize(table, dim=1)",
    "additive_mask: return (1.0 - mask[:, None, None, :].float()) * -10000.0 → return (1.0 - mask[:, None, None, :]) * -10000.0",
    "attention: scores = query @ key.transpose(-1, -2) / math.sqrt(query.size(-1)) → scores = query @ key.transpose(-1, 2) / math.sqrt(query.size(-1))",
    "count_parameters: distinct = {id(tensor): tensor.numel() for tensor in named.values()} → distinct = {tensor: tensor.numel() for tensor in named.values()}",
    "choice_loss: return -log_probabilities.gather(-1, labels[:, None]).mean() → return -log_probabilities.gather(1, labels[:, None]).mean()",
    "best_span: if i <= j < i + longest and start[i] + end[j] > score: → if i <= j < i + longest and start[i] + end[j] >= score:",
}
# How a hint ends, or begins, that describes a result or an error without naming the mistake.
NOT_NAMED = (
    "which is not right.", "numbers are not: the largest", "items where there should be", "It returns a value of type",
    "It returns None; ", "The result has shape", "The result has dtype", "It stops with", "It was still running",
)  # fmt: skip


@pytest.mark.slow
def test_wrong_answers_fail_and_most_are_named(tmp_path: Path) -> None:
    by_hand = sum(len(answers_of(chapter).planted) + len(answers_of(chapter).written) for chapter in CHAPTERS)
    mutants = [mutant for chapter in CHAPTERS for mutant in mutants_of(chapter, SEED, OF_EACH)]
    assert {mutant.label for mutant in mutants} >= EQUIVALENT
    wrong = [mutant for mutant in mutants if mutant.label not in EQUIVALENT]
    outcomes = {f"{mutant.chapter} {mutant.label}": judged(mutant, tmp_path) for mutant in wrong}
    passed = [label for label, outcome in outcomes.items() if outcome.status != WRONG]
    named = [label for label, outcome in outcomes.items() if not any(part in outcome.hint for part in NOT_NAMED)]
    bank = by_hand + len(wrong)  # those by hand all fail and are named: test_exercises.py
    print(f"{bank} wrong answers, {bank - len(passed)} fail, {by_hand + len(named)} are named")
    assert bank >= 600
    assert len(passed) <= 0.01 * bank, passed
    assert by_hand + len(named) >= 0.8 * bank


def test_the_bank_holds_many_right_answers_of_every_chapter() -> None:
    assert sum(len(answers_of(chapter).right) for chapter in CHAPTERS) >= 120
    assert all(len(answers_of(chapter).right) >= 4 for chapter in CHAPTERS)


def test_every_function_has_an_answer_by_hand_that_is_right_and_one_that_is_wrong() -> None:
    for chapter in CHAPTERS:
        answers = answers_of(chapter)
        functions = {case[0] for case in answers.planted}
        assert functions == {case[0] for case in answers.right}, chapter


@pytest.mark.slow
@pytest.mark.parametrize("chapter", [chapter for chapter in CHAPTERS if chapter[:2] in ("04", "14")])
def test_a_mutant_that_changes_nothing_passes(chapter: str, tmp_path: Path) -> None:
    right = [mutant for mutant in mutants_of(chapter, SEED, OF_EACH) if mutant.label in EQUIVALENT]
    assert {judged(mutant, tmp_path).status for mutant in right} <= {PASSED}
