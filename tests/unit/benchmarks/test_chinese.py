"""The tables of the benchmarks are the same in both languages, and both pages are written by one command."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from benchmarks import (
    __main__ as benchmarks,
    finetuning_steps,
    forward,
    harness,
    matrices,
    packing,
    pretraining,
    side_by_side,
)
from benchmarks.chinese import in_chinese, machine_in_chinese, phrase
from scripts.links import twin
from scripts.translations import MARK

TASKS = [
    *(name for name, *_ in forward.CASES),
    *(f"pre-training step, {name}, bfloat16, in a loop of one's own" for name, *_ in pretraining.CASES),
    *(f"fine-tuning step, MiniLM, {name}, 16 × 31, float32" for name, *_ in finetuning_steps.CASES),
    *(f"32 texts, BERT-base, {name}, 58% text, float32" for name in packing.LENGTHS),
    "generate 64 tokens, 4 × 256, greedy, behind 900 words, float32",
    "generate 64 tokens, 4 × 256, 4 beams, float32",
    "one AdamW step, BERT-base's parameters, plain",
    "from_pretrained and a first forward, 1 × 16, all-MiniLM-L6-v2",
    "transformers, untouched weights unread",
]
ALIKE = {"base", "bfloat", "float", "transformers", "all", "from", "pretrained"}


@pytest.mark.parametrize("task", TASKS)
def test_a_task_is_in_chinese(task: str) -> None:
    assert set(re.findall(r"\b[a-z]{2,}", phrase(task))) <= ALIKE


@pytest.mark.parametrize("header", [matrices.HEADER, side_by_side.HEADER, harness.HEADER])
def test_a_header_is_in_chinese(header: str) -> None:
    words = re.sub(r"`.*?`|minibert|transformers (?:eager|sdpa)|oneDNN", "", in_chinese(header))
    assert re.findall(r"[a-z]{2,}", words) == []
    assert in_chinese(header).count("|") == header.count("|")


def test_code_and_numbers_stay_as_they_are() -> None:
    row = "| from minibert import BertModel | import torch | 957.6 ms | 902.0 ms | **0.93×** | 0.89–0.96 |"
    assert in_chinese(f"{harness.HEADER}\n{row}").endswith(row)
    assert machine_in_chinese("2026-11-25: x, 2 threads, Linux.") == "2026-11-25：x，2 个线程，Linux。"


def measured(page: Path) -> list[str]:
    """The parts of a page that `make bench` writes."""
    text = page.read_text(encoding="utf-8").partition(benchmarks.BEGIN)[2].partition(benchmarks.END)[0]
    return MARK.sub("", text).strip().split("\n\n")


def test_the_chinese_page_has_the_tables_of_the_english_one() -> None:
    english, chinese = (
        [part for part in measured(page) if part.startswith("|")] for page in (benchmarks.PAGE, twin(benchmarks.PAGE))
    )
    assert english
    assert list(map(in_chinese, english)) == chinese


def test_each_table_stands_alone_between_the_marks() -> None:
    assert benchmarks.between(["| new |", "a machine"]) == "\n| new |\n\na machine\n\n"
