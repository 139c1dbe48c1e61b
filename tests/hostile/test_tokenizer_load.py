"""The tokenizer under load: many threads, processes, tokens and marks give the same results, in a time that grows with the input."""

from __future__ import annotations

import gc
import multiprocessing
import re
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from random import Random
from unicodedata import category, normalize

import pytest

from minibert import BertTokenizer
from minibert.tokenization.words import LONG, BasicTokenizer

TEXT = "He shook his head, and the Captain said: \u201cNo!\u201d caf\u00e9 [MASK] new7"
BUNDLED = "novels-4l-256h"


def tokenizer(**settings: object) -> BertTokenizer:
    return BertTokenizer.from_pretrained(BUNDLED, **settings)


def together(use: Callable[[], object], threads: int = 8) -> list[object]:
    """What each of several threads gets that begin at the same moment; an exception counts as a result."""
    barrier, results = threading.Barrier(threads), list[object]()

    def run() -> None:
        barrier.wait()
        try:
            results.append(use())
        except Exception as error:  # whatever a race may raise
            results.append(error)

    started = [threading.Thread(target=run) for _ in range(threads)]
    for thread in started:
        thread.start()
    for thread in started:
        thread.join()
    return results


@pytest.fixture
def eager_switches() -> object:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.seconds
@pytest.mark.usefixtures("eager_switches")
@pytest.mark.parametrize("change", ["nothing", "add_tokens", "special", "never_split", "lower", "role", "strip"])
def test_eight_threads_get_what_one_gets_at_first_use_and_after_a_change(change: str) -> None:
    for number in range(10):
        shared = tokenizer()
        if change != "nothing":
            shared(TEXT)
        changes: dict[str, Callable[[], object]] = {
            "nothing": lambda: None,
            "add_tokens": lambda: shared.add_tokens([f"new{number}", "new7"]),  # noqa: B023
            "special": lambda: shared.add_tokens(["shook"], special_tokens=True),  # noqa: B023
            "never_split": lambda: shared.basic_tokenizer.never_split.add("Captain"),  # noqa: B023
            "lower": lambda: setattr(shared.basic_tokenizer, "do_lower_case", False),  # noqa: B023
            "role": lambda: shared.add_special_tokens({"additional_special_tokens": ["head"]}),  # noqa: B023
            "strip": lambda: setattr(shared.basic_tokenizer, "strip_accents", False),  # noqa: B023
        }
        changes[change]()
        results = together(lambda: shared(TEXT)["input_ids"])  # noqa: B023
        assert results == [shared(TEXT)["input_ids"]] * 8


def ids_of(given: BertTokenizer) -> list[int]:
    return given(TEXT)["input_ids"]


@pytest.mark.slow
@pytest.mark.parametrize("method", sorted({"spawn", "fork"} & set(multiprocessing.get_all_start_methods())))
def test_workers_get_what_their_parent_gets(method: str) -> None:
    shared = tokenizer()
    shared.add_tokens(["new7", "shook"])
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context(method)) as pool:
        assert list(pool.map(ids_of, [shared] * 4)) == [ids_of(shared)] * 4


def seconds(run: Callable[[], object]) -> float:
    gc.disable()  # what others left behind is not this function's time
    try:
        started = time.process_time()
        run()
        return time.process_time() - started
    finally:
        gc.enable()


def grows_linearly(run: Callable[[int], object], size: int, least: float = 2.0) -> bool:
    """Whether four times as much takes less than 12 times as long (n² would take 16 times), or so little that it is not n²."""
    run(size // 4)
    for _ in range(3):
        short, long = seconds(lambda: run(size)), seconds(lambda: run(4 * size))
        if long < max(12 * short, least):
            return True
    return False


MARKS = {
    "two in turn": "\u0301\u0316",
    "three in turn": "\u0316\u0301\u0327",
    "all": "".join(map(chr, range(0x300, 0x36F))),
    "one": "\u0301",
    "of Hebrew": "\u05bc\u05b8",
    "of Arabic": "\u0651\u064e",
    "made of two": "\u0344\u0316",
    "of Thai": "\u0e38\u0e48",
}


@pytest.mark.slow
@pytest.mark.parametrize("marks", MARKS.values(), ids=MARKS)
def test_a_run_of_marks_takes_linear_time(marks: str) -> None:
    shared = tokenizer()
    assert grows_linearly(lambda size: shared("a" + marks * (size // len(marks))), 20_000)


@pytest.mark.parametrize("marks", MARKS.values(), ids=MARKS)
@pytest.mark.parametrize("between", ["", "e", "\u0e01", "\u00e9", "\u0903", "\u0900", "\u302e"])
def test_long_words_are_normalized_as_short_ones_are(marks: str, between: str) -> None:
    word = ("a" + marks + between + marks) * (LONG // 2)
    plain = "".join(char for char in normalize("NFD", word.lower()) if category(char) != "Mn")
    assert len(word) > LONG
    assert BasicTokenizer().normalize(word) == plain


@pytest.mark.slow
@pytest.mark.parametrize(
    "part", ["a", ".", "the cat. ", "[MASK]", "[MAS", "\u6771", "\u0130", "##", "\ud800", "a\u200d", "new", "\t\n"]
)
def test_a_line_without_end_takes_linear_time(part: str) -> None:
    shared = tokenizer()
    shared.add_tokens(["newest", "news"])
    assert grows_linearly(lambda size: shared(part * (size // len(part)), verbose=False), 20_000)


def added(number: int) -> BertTokenizer:
    more = tokenizer()
    more.add_tokens([f"tok{n}x" for n in range(number)])
    return more


@pytest.mark.slow
@pytest.mark.parametrize("lower", [True, False])
@pytest.mark.parametrize("what", ["add", "first use", "load", "save", "special", "roles"])
def test_n_added_tokens_cost_n(tmp_path: Path, what: str, lower: bool) -> None:
    def run(number: int) -> None:
        tokens = [f"tok{n}x" for n in range(number)]
        more = tokenizer(do_lower_case=lower)
        if what == "roles":
            more.add_special_tokens({"additional_special_tokens": tokens})
        else:
            more.add_tokens(tokens, special_tokens=what == "special")
        if what in ("first use", "special", "roles"):
            assert more.convert_tokens_to_ids("tok5x") in more("a tok5x b")["input_ids"]
        if what in ("load", "save"):
            more.save_pretrained(tmp_path / str(number))
        if what == "load":
            assert len(BertTokenizer.from_pretrained(tmp_path / str(number))) == len(more)

    assert grows_linearly(run, 2_000, least=0.5)


@pytest.mark.slow
def test_a_text_is_cut_as_fast_with_many_added_tokens_as_with_few() -> None:
    few, many, text = added(10), added(20_000), "the tok5x cat tok77 tok7x sat " * 300
    assert [few.tokenize("a tok5x b")] == [many.tokenize("a tok5x b")]
    assert (
        min(seconds(lambda: many(text)) for _ in range(3))
        < 20 * min(seconds(lambda: few(text)) for _ in range(3)) + 0.1
    )


@pytest.mark.seconds
@pytest.mark.parametrize("where", ["own", "call", "both"])
def test_never_split_with_thousands_costs_nothing_a_word(where: str) -> None:
    kept = [f"Never-{n}" for n in range(5_000)]
    basic = BasicTokenizer(never_split=kept if where != "call" else None)
    given = frozenset(kept) if where != "own" else None
    text = "The Never-7 cat, Never-x " * 5
    expected = ["the", "Never-7", "cat", ",", "never", "-", "x"] * 5
    assert basic.tokenize(text, given) == expected
    assert basic.tokenize(text, list(given or ())) == expected
    assert seconds(lambda: [basic.tokenize("The cat", given) for _ in range(2_000)]) < 0.5


def test_tokens_keep_their_case_as_4_12_5_finds_them() -> None:
    """The reference looks for "one or another or …" from left to right, in the order of its list."""
    random = Random(0)
    for _ in range(300):
        tokens = ["".join(random.choices("AbC[", k=random.randint(1, 4))) for _ in range(random.randint(1, 6))]
        more = tokenizer()
        more.add_tokens(tokens, special_tokens=True)
        text = "".join(random.choices("AbCB[ ", k=30))
        order = [*more.unique_no_split_tokens, *more.all_special_tokens]
        pattern = re.compile(f"({'|'.join(map(re.escape, order))})|(.)", re.DOTALL)
        lowered = pattern.sub(lambda found: found[1] or found[2].lower(), text)
        assert "".join(part for part, _ in more.steps().parts(text)).replace(" ", "") == lowered.replace(" ", "")
