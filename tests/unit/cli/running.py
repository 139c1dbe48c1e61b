"""Run a command of the command line inside this process."""

from __future__ import annotations

import json
from typing import Any

from click.testing import CliRunner, Result

from minibert.cli import main


def run(*arguments: str) -> Result:
    """The command's output, errors and exit code."""
    return CliRunner().invoke(main, arguments, prog_name="minibert")


def output_of(*arguments: str) -> str:
    """What a command prints that succeeds and has nothing to complain about."""
    result = run(*arguments)
    assert (result.exit_code, result.stderr) == (0, ""), result.output
    return result.stdout


def json_of(*arguments: str) -> Any:
    """The JSON a command prints."""
    return json.loads(output_of(*arguments, "--json"))
