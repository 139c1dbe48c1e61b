"""`python -m tests.mutants`: how many small mistakes the tests notice."""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.mutants.covering import Tests
from tests.mutants.drawing import Mutant, draw
from tests.mutants.trying import ARGUMENTS, AT_IMPORT, Forks, InFunctions, at_import

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "build" / "mutants" / "results.jsonl"
REASONS = Path(__file__).parent / "survivors.md"
COVERAGE = ROOT / "build" / "coverage"


class Part(NamedTuple):
    """What is mutated, and by which tests it is tried."""

    code: tuple[str, ...]
    tests: tuple[str, ...]
    size: int  # of a shard


PARTS = {
    "core": Part(
        tuple(
            f"minibert/{name}" for name in ("model", "heads", "optim", "generation", "tokenization", "encoder_decoder")
        ),
        ("tests/unit", "tests/property", "tests/hostile", "tests/parity/recorded"),
        1700,
    ),
    "work": Part(("minibert/training", "tutorials/course"), ("tests/unit", "tests/hostile", "tests/tutorials"), 300),
}


class Results:
    """What became of each mutant, kept line by line: a run that is stopped goes on where it was."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        self.found = {each["name"]: each for each in map(json.loads, lines)}
        self.kills = Counter((each["path"], each["killer"]) for each in self.found.values())

    def has(self, mutant: Mutant, *, again: bool) -> bool:
        """Whether this mutant, of this very function, was tried; and, of a second try, killed."""
        known = self.found.get(mutant.name, {})
        tried = known.get("code") == mutant.code and known["result"] != AT_IMPORT
        explained = mutant.name in reasons_of_survivors()
        return tried and not (again and known["result"] == "survived" and not explained)

    def at_import(self, mutant: Mutant) -> bool:
        """Whether this mutant was found to be one that only an import can make."""
        return self.found.get(mutant.name, {}).get("result") == AT_IMPORT

    def add(self, mutant: Mutant, result: str, killer: str = "", tests: int = 0, seconds: float = 0.0) -> None:
        """Keep one more."""
        entry = {**mutant._asdict(), "result": result, "killer": killer, "tests": tests, "seconds": round(seconds, 2)}
        del entry["make"]
        self.found[mutant.name] = entry
        self.kills[mutant.path, killer] += 1
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry, ensure_ascii=False) + "\n")

    def to_try(self, mutants: list[Mutant]) -> Iterator[tuple[Mutant, str]]:
        """Mutants with their source, less those that are no other program."""
        for mutant in mutants:
            if source := mutant.make():
                yield mutant, source
            else:
                self.add(mutant, "no program")


def main() -> int:
    """Draw, try and count; 1 if a survivor has no reason in `survivors.md`."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("--part", choices=PARTS, default="core")
    parser.add_argument("--seed", type=int, default=26)
    parser.add_argument("--shard", type=int, default=1)
    parser.add_argument("--size", type=int)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument(
        "--seconds", type=float, default=10.0, help="of tests for one mutant, by the time they took before"
    )
    parser.add_argument("--again", action="store_true", help="try survivors again that no reason explains")
    parser.add_argument("--only", nargs="+", metavar="MUTANT", help="these of the sample, again")
    parser.add_argument("--tests", nargs="+", help="rather than all that are kept for this part")
    chosen = parser.parse_args()
    part = PARTS[chosen.part]
    paths = sorted(str(path.relative_to(ROOT)) for folder in part.code for path in (ROOT / folder).rglob("*.py"))
    mutants = draw(paths, ROOT, seed=chosen.seed, size=chosen.size or part.size, shard=chosen.shard)
    results = Results(RESULTS)
    left = [mutant for mutant in mutants if not results.has(mutant, again=chosen.again)]
    if chosen.only:
        left = [mutant for mutant in mutants if mutant.name in chosen.only]
    print(f"{len(mutants)} are drawn, {len(left)} are to be tried", flush=True)
    tests = Tests(ROOT, COVERAGE / "contexts", COVERAGE / "times.json", seconds=chosen.seconds)
    tests.kills = results.kills
    outside = {mutant.name for mutant in left if not tests.inside(mutant) or results.at_import(mutant)}
    if len(outside) < len(left):
        if not (child := os.fork()):
            inside = results.to_try([mutant for mutant in left if mutant.name not in outside])
            plugin = InFunctions(ROOT, inside, tests, Forks(chosen.jobs, results.add))
            os._exit(pytest.main([*ARGUMENTS, *(chosen.tests or part.tests)], plugins=[plugin]))
        os.waitpid(child, 0)
        results = Results(RESULTS)
    import torch  # noqa: F401  # its forks then have it

    outside |= {mutant.name for mutant in left if results.at_import(mutant)}
    at_import(
        ROOT,
        results.to_try([mutant for mutant in left if mutant.name in outside]),
        tests,
        Forks(chosen.jobs, results.add),
    )
    return report([results.found[mutant.name] for mutant in mutants if mutant.name in results.found])


@cache
def reasons_of_survivors() -> dict[str, str]:
    """Of each survivor in the list "equivalent", "speed" or "message"."""
    row = re.compile(r"^\| `([0-9a-f]{12})` \|.*\| (equivalent|speed|message)[^|]*\|$", re.MULTILINE)
    return dict(row.findall(REASONS.read_text(encoding="utf-8")))


def report(found: list[dict[str, Any]]) -> int:
    """Print the score; the survivors that no reason explains."""
    reasons = reasons_of_survivors()
    found = [each for each in found if each["result"] in ("killed", "survived")]
    survivors = [each for each in found if each["result"] == "survived"]
    kinds = Counter(reasons.get(each["name"], "without a reason") for each in survivors)
    counted = len(found) - kinds["equivalent"]
    killed = len(found) - len(survivors)
    print(
        f"{killed} of {counted} mutants that are not equivalent were killed: {killed / counted:.1%}; survivors: {dict(kinds)}"
    )
    for each in survivors:
        if each["name"] not in reasons:
            print(
                f"{each['name']} {each['path']}:{each['line']} {each['function']}: {each['before']} → {each['after']} ({each['tests']} tests)"
            )
    return int(kinds["without a reason"] > 0)


if __name__ == "__main__":
    sys.exit(main())
