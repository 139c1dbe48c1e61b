"""Spoil good files and read them, for a time or a number: `python -m tests.fuzz --seconds 60`, or `make fuzz`.

Case n of a reader is always the same file, so a finding is repeated with `--reader bin --only 123`. The reading is done in a second
process, which this one watches: when it crashes or hangs, that is a finding as well, and a new one goes on behind it. Spoiled
files that were found are kept in build/fuzz. The exit code is 1 if there is a finding.
"""

from __future__ import annotations

import argparse
import multiprocessing
import subprocess
import sys
import time
from collections import Counter

from .readers import READERS
from .trial import try_files

SECONDS_TO_DIE = 90  # longer than that: a loop outside Python, which no signal reaches, or waiting


def main() -> int:
    """Watch, count and report."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60, help="stop after so long (default 60)")
    parser.add_argument("--seconds-each", type=float, help="the same for each reader")
    parser.add_argument("--coverage", action="store_true", help="let atheris choose the files (extra `fuzz`)")
    parser.add_argument("--count", type=int, help="stop after so many files instead")
    parser.add_argument("--first", type=int, default=0, help="begin with the case of this number")
    parser.add_argument("--reader", action="append", choices=READERS, help="only this one; may be given again")
    parser.add_argument("--only", type=int, help="only the case of this number")
    asked = parser.parse_args()
    readers = asked.reader or [*READERS]
    if asked.seconds_each is not None:
        asked.seconds = asked.seconds_each * len(readers)
    if asked.coverage:
        each = asked.seconds / len(readers)
        command = [sys.executable, "-m", "tests.fuzz.with_coverage"]
        return max(subprocess.run([*command, reader, str(each)], check=False).returncode for reader in readers)
    started, first, tally, findings = time.monotonic(), asked.first, Counter[str](), list[str]()
    context = multiprocessing.get_context("spawn")
    limited = asked.count is not None or asked.only is not None
    end = None if asked.count is None else first + asked.count
    while True:
        ours, theirs = context.Pipe()
        arguments = (theirs, readers, first, end, asked.only)
        process = context.Process(target=try_files, args=arguments)
        process.start()
        theirs.close()
        name, number, ended = "", first, False
        while limited or time.monotonic() - started < asked.seconds:
            try:
                if not ours.poll(SECONDS_TO_DIE if name else 120):
                    process.kill()
                outcome, name, number, what = ours.recv()
            except EOFError:
                ended = True
                break
            if outcome == "tries":
                continue
            tally[outcome] += 1
            if outcome not in ("read", "refused"):
                findings.append(f"{name} --only {number}: {outcome}, {what}")
                print(findings[-1], flush=True)
        process.join(5) if ended else process.kill()
        process.join()
        if not ended or process.exitcode == 0:
            break
        findings.append(f"{name or 'before the first file'} --only {number}: the process ended with {process.exitcode}")
        print(findings[-1], flush=True)
        if asked.only is not None or not name:
            break
        tally["ended"] += 1
        first = number + 1
    took = time.monotonic() - started
    counts = ", ".join(f"{count:,} {outcome}" for outcome, count in tally.most_common()) or "nothing"
    print(
        f"{sum(tally.values()):,} files over {len(readers)} readers in {took:.0f} s: {counts}; {len(findings)} findings."
    )
    return int(bool(findings))


if __name__ == "__main__":
    sys.exit(main())
