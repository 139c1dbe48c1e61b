"""The command line: `minibert COMMAND …`, one command a file.

A user's mistake (a missing model, a text too long) ends in one line on standard error and exit code 1; a wrong
option in click's usage message and exit code 2. Only a bug shows a traceback.
"""

from __future__ import annotations

import logging
from typing import Any

import click

from ..version import __version__
from .attention import attention
from .check import check
from .data import data
from .evaluate import evaluate
from .explore_page import explore
from .fill_mask import fill_mask
from .finetune import finetune
from .generate import generate
from .inspect import inspect
from .parity import parity
from .plot import plot
from .predict import predict
from .pretrain import pretrain
from .tokenize import tokenize
from .trace_table import trace
from .vocab import vocab


class _Group(click.Group):
    """A group that turns the library's clear errors into one line each."""

    def invoke(self, ctx: click.Context) -> Any:
        logger = logging.getLogger("minibert")
        level = logger.level
        logger.setLevel(logging.ERROR)  # what a command has to say, it says itself
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            raise  # the reader went away, as in `minibert … | head`: click ends quietly
        except (OSError, ValueError, ModuleNotFoundError) as error:
            raise click.ClickException(" ".join(str(error).split())) from error
        finally:
            logger.setLevel(level)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="minibert")
def main() -> None:
    """BERT from scratch in plain PyTorch.

    Every command works offline with the bundled model; --model takes a folder or a name on the Hugging Face hub.
    """


for _command in (
    fill_mask,
    tokenize,
    attention,
    trace,
    explore,
    parity,
    generate,
    inspect,
    vocab,
    data,
    pretrain,
    finetune,
    evaluate,
    predict,
    plot,
    check,
):
    main.add_command(_command)
