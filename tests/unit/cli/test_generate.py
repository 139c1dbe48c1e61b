"""`minibert generate`: the prompt, then words as they come."""

import json

import pytest
from click.testing import CliRunner

from minibert.cli import main
from minibert.fast.one_token import OneTokenNetwork


def run(*arguments: str) -> str:
    result = CliRunner().invoke(main, ["generate", "It was a dark and", "--max-new-tokens", "6", *arguments])
    assert result.exit_code == 0, result.output
    return result.stdout


def test_the_text_goes_on_from_the_prompt() -> None:
    output = run()
    assert output.startswith("It was a dark and ")
    assert len(output.split()) > 5


@pytest.mark.parametrize("option", [("--temperature", "2.0"), ("--top-k", "3"), ("--top-p", "0.5"), ("--seed", "1")])
def test_an_option_of_drawing_that_changes_nothing_is_told(option: tuple[str, str]) -> None:
    words = ["generate", "It was", "--max-new-tokens", "1", *option]
    assert f"{option[0]} changes nothing without --sample" in CliRunner().invoke(main, words).stderr
    assert "changes nothing" not in CliRunner().invoke(main, [*words, "--sample"]).stderr


def test_a_seed_draws_the_same_text_again() -> None:
    assert run("--sample", "--seed", "3") == run("--sample", "--seed", "3")
    assert run("--sample", "--seed", "3", "--temperature", "2.0") != run(
        "--sample", "--seed", "4", "--temperature", "2.0"
    )


def test_streamed_and_returned_text_are_the_same() -> None:
    streamed = run().strip().lower()
    returned = json.loads(run("--json"))["text"]
    assert streamed.split() == returned.split()


def test_a_beam_search_prints_its_text_at_the_end() -> None:
    assert run("--num-beams", "2").startswith("it was a dark and")


def test_a_temperature_of_zero_ends_in_one_line() -> None:
    result = CliRunner().invoke(main, ["generate", "It was", "--sample", "--temperature", "0"])
    assert result.exit_code == 1
    assert "temperature is 0.0; it must be above 0" in result.output


def test_fast_is_on_unless_switched_off_and_the_text_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    entered: list[int] = []
    network = OneTokenNetwork.__call__
    monkeypatch.setattr(
        OneTokenNetwork, "__call__", lambda self, tokens: entered.append(len(tokens)) or network(self, tokens)
    )
    fast = run()
    assert len(entered) == 5  # the model itself reads the prompt and scores the first of the six words
    assert run("--no-fast") == fast
    assert len(entered) == 5


def test_the_help_says_that_fast_is_on_and_how_to_switch_it_off() -> None:
    text = " ".join(CliRunner().invoke(main, ["generate", "--help"]).output.split())
    assert "--fast / --no-fast" in text
    assert "[default: fast]" in text
