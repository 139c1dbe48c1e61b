"""The command line: `minibert COMMAND …`, one command a file, imported when it is used.

A file imports torch and the library inside its functions, so that help, versions, completion and usage errors answer at once.

A user's mistake (a missing model, a text too long) ends in one line on standard error and exit code 1; a wrong
option in click's usage message and exit code 2. Only a bug shows a traceback.
"""

import importlib
import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from .. import __version__
from ..fast.memory import keep_freed_memory
from ..terminal import write_utf8
from ..visible import visible
from .options import in_options

# In the order of the list: the file that holds the command, and its line, which is shown without importing the file.
COMMANDS = {
    "fill-mask": ("fill_mask", "Fill in the blanks of a text."),
    "tokenize": ("tokenize", "Show the pieces, ids and segments of a text."),
    "attention": ("attention", "Show the attention weights of one head."),
    "trace": ("trace_table", "Walk through the network with a text, stage by stage."),
    "explore": ("explore_page", "Write a web page that shows attention and predictions."),
    "playground": ("playground_page", "Write a web page in which the model runs while you type."),
    "inspect": ("inspect", "Show a model's config, parameters and loading report."),
    "parity": ("parity", "Compare a model with the reference library's, stage by stage."),
    "generate": ("generate", "Continue a text, word by word."),
    "embed": ("embed", "Write a vector for every line of a file."),
    "search": ("search", "Find the lines of a file that are most like a text."),
    "vocab": ("vocab", "Train a vocabulary on text."),
    "data": ("data", "Prepare text for pre-training."),
    "pretrain": ("pretrain", "Train a BERT from random weights."),
    "finetune": ("finetune", "Train a model for a task, such as classification."),
    "eval": ("evaluate", "Measure a model on held-out text or a labelled file."),
    "predict": ("predict", "Ask a fine-tuned model."),
    "plot": ("plot", "Draw attention, embeddings and training (needs the extra `plots`)."),
    "check": ("check", "Check your answers to a chapter's exercises."),
}
_SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 100, "show_default": True}


class _Commands(click.Group):
    """The commands, each imported when it is asked for. The library's clear errors become one line each."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        write_utf8()
        # PyTorch's threads sleep while they wait: on a busy machine, spinning takes the core from the thread that is waited for.
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
        keep_freed_memory()
        with _tidy_at_sigterm():
            return super().main(*args, **kwargs)

    def list_commands(self, _ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, _ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f".{COMMANDS[cmd_name][0]}", __name__)
        return next(each for each in vars(module).values() if isinstance(each, click.Command) and each.name == cmd_name)

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        try:
            return super().make_context(*args, **kwargs)
        except click.ClickException as error:  # such as an option that there is not
            error.message = visible(error.message)  # type: ignore[misc]
            raise

    def invoke(self, ctx: click.Context) -> Any:
        logger = logging.getLogger("minibert")
        level = logger.level
        logger.setLevel(logging.ERROR)  # a command prints what it has found itself
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            click.echo("Stopped.", err=True)
            raise click.exceptions.Exit(130) from None
        except BrokenPipeError:
            raise  # the reader went away, as in `minibert … | head`: click ends quietly
        except click.ClickException as error:
            error.message = visible(error.message)  # type: ignore[misc]
            raise
        except (OSError, ValueError, ModuleNotFoundError) as error:
            command = self.get_command(ctx, ctx.invoked_subcommand or "")
            said = str(error)
            if isinstance(error, OSError) and error.filename and error.strerror:  # the system's, as of a full disk
                said = f"{error.filename}: {error.strerror}"
            raise click.ClickException(visible(in_options(" ".join(said.split()), command))) from error
        finally:
            logger.setLevel(level)


@contextmanager
def _tidy_at_sigterm() -> Iterator[None]:
    """Let SIGTERM end a command by an exception, as Ctrl-C does, so that nothing temporary stays."""
    here = threading.current_thread() is threading.main_thread()  # the only one that may handle signals
    ours = here and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    if ours:
        signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
    try:
        yield
    finally:
        if ours:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)


@click.group(cls=_Commands, context_settings=_SETTINGS)
@click.version_option(__version__, prog_name="minibert")
def main() -> None:
    """BERT from scratch in plain PyTorch.

    Every command works offline with the bundled model; --model takes a folder or a name on the Hugging Face hub. "-" as a text or
    a file stands for standard input.
    """
