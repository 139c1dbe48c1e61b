"""Record what the fast tokenizer of transformers 4.12.5 returns, Rust inside, for a comparison without it.

    python3.9 -m venv NEW && NEW/bin/python -m pip install transformers==4.12.5 tokenizers==0.10.3 "numpy<2"
    NEW/bin/python -m tests.parity.recorded.fast_tokenizer.record        (in the project's folder)

Runs the programs of fast_programs.py and writes expected.json, both beside this file: for each program, a digest of
every item of its result.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.parity.old import tokenizer_programs
from tests.parity.recorded.fast_tokenizer import fast_programs

EXPECTED = Path(__file__).parent / "expected.json"


def digests(result: Any) -> list[str]:
    return [tokenizer_programs.digest(item) for item in result]


def outcome(function: Any, *args: Any, **kwargs: Any) -> Any:
    """As `tokenizer_programs.outcome`, with what Rust throws, which is no `Exception`."""
    with tokenizer_programs.quiet():
        try:
            return tokenizer_programs.plain(function(*args, **kwargs))
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                raise
            return "error"


def main() -> None:
    import tokenizers
    import transformers

    found = (transformers.__version__, tokenizers.__version__)
    if found != ("4.12.5", "0.10.3"):
        raise SystemExit(f"The figures are those of transformers 4.12.5 with tokenizers 0.10.3, not of {found}.")
    tokenizer_programs.outcome = fast_programs.outcome = outcome
    figures = {name: digests(run(transformers)) for name, run in sorted(fast_programs.all_programs().items())}
    lines = (f" {json.dumps(name)}: {json.dumps(items)}" for name, items in figures.items())
    EXPECTED.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
