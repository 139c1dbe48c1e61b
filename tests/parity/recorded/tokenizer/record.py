"""Record what transformers 4.12.5's Python tokenizer returns, for a comparison without it.

    python tests/parity/recorded/tokenizer/record.py        (in an environment with transformers 4.12.5)

Runs the programs of tests/parity/old/tokenizer_programs.py, all but those that depend on the Python version's Unicode
tables or on the caller's texts, and writes expected.json beside this file: for each program, a digest of every item of its result.
"""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

HERE = Path(__file__).parent
EXPECTED = HERE / "expected.json"
UNSETTLED = (
    "words_of_every_character",
    "encodings_of_every_character",
    "encodings_of_random_texts",
    "encodings_of_given_texts",
)


def load_programs() -> ModuleType:
    path = HERE.parents[1] / "old" / "tokenizer_programs.py"
    spec = importlib.util.spec_from_file_location("tokenizer_programs", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def recorded_programs(programs: ModuleType) -> dict[str, Any]:
    return {name: run for name, run in programs.all_programs().items() if not name.endswith(UNSETTLED)}


def digests(programs: ModuleType, result: Any) -> list[str]:
    return [programs.digest(item) for item in result]


def main() -> None:
    import transformers

    if transformers.__version__ != "4.12.5":
        raise SystemExit(f"The figures are those of transformers 4.12.5, not of {transformers.__version__}.")
    programs = load_programs()
    figures = {name: digests(programs, run(transformers)) for name, run in sorted(recorded_programs(programs).items())}
    lines = (f" {json.dumps(name)}: {json.dumps(items)}" for name, items in figures.items())
    EXPECTED.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
