"""Run a command of the command line inside this process."""

from __future__ import annotations

import json
import logging
from typing import Any

from click.testing import CliRunner, Result

from minibert.cli import main


def run(*arguments: str) -> Result:
    """The command's output, errors and exit code."""
    logger = logging.getLogger("minibert")
    level = logger.level  # a command may silence the logger for the rest of its process, which is not this one
    try:
        return CliRunner().invoke(main, arguments, prog_name="minibert")
    finally:
        logger.setLevel(level)


def output_of(*arguments: str) -> str:
    """What a command prints that succeeds and has nothing to complain about."""
    result = run(*arguments)
    assert (result.exit_code, result.stderr) == (0, ""), result.output
    return result.stdout


def json_of(*arguments: str) -> Any:
    """The JSON a command prints."""
    return json.loads(output_of(*arguments, "--json"))
