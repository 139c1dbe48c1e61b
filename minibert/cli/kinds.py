"""The kinds of values that commands take: numbers, texts, files ("-" is standard input), and places, refused at once if not writable."""

import math
import re
import sys
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import Any

import click

from ..visible import CALLED


class Count(click.IntRange):
    """A whole number, N in the help."""

    def get_metavar(self, *_: Any, **__: Any) -> str:
        return "N"


SEED = Count(0, 2**63 - 1)  # what both PyTorch and NumPy take


class Number(click.FloatRange):
    """A finite number, X in the help."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        number = super().convert(value, param, ctx)
        if not math.isfinite(number):  # every comparison with NaN is false, and so it is in every range
            self.fail(f"{value} is no finite number.", param, ctx)
        return number

    def get_metavar(self, *_: Any, **__: Any) -> str:
        return "X"


def standard_input() -> str:
    """The text that comes on standard input."""
    try:
        text = sys.stdin.buffer.read().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise click.ClickException(f"What comes on standard input is not UTF-8 ({error.reason}).") from error
    if not text.strip():
        raise click.ClickException('Nothing comes on standard input, for which "-" stands.')
    return text


def text(value: str) -> str:
    """A text, or of "-" what comes on standard input."""
    return standard_input().rstrip("\r\n") if value == "-" else value


class InputFile(click.Path):
    """A file to read; of "-" or a pipe, which can be read only once, one that holds what comes through it, and is plain text or of the
    kind that this looks like.
    """

    def __init__(self, *, plain: bool = False, **options: Any):
        super().__init__(path_type=Path, **options)
        self.plain = plain

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if ctx is not None and (value == "-" or Path(value).is_fifo()):
            data = standard_input().encode() if value == "-" else Path(value).read_bytes()
            looks = {".json": r"\{|\[\s*(\{|\]|$)", ".tsv": r".*\t", ".csv": r".*[,;]\S"}  # in prose a space follows
            read = data.decode("utf-8-sig", errors="replace").lstrip()
            fitting = (kind for kind, look in looks.items() if not self.plain and re.match(look, read))
            kind, called = Path(value).suffix or next(fitting, ".txt"), "standard input" if value == "-" else value
            folder = ctx.with_resource(TemporaryDirectory(prefix="minibert-"))
            value = Path(folder, Path(called.replace(" ", "-")).stem + kind)
            value.write_bytes(data)
            CALLED[str(value)] = called
            ctx.find_root().call_on_close(lambda: CALLED.pop(str(value)))  # when the command's last error is written
        return super().convert(value, param, ctx)


class Output(click.Path):
    """A place to write to: a folder, which is made where it does not exist, or a file in a folder that exists."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not str(value):
            self.fail("The name is empty.", param, ctx)
        path = Path(str(super().convert(value, param, ctx)))
        folders = path.absolute().parents if self.file_okay else (path.absolute(), *path.absolute().parents)
        try:
            TemporaryFile(
                dir=next(each for each in folders if self.file_okay or each.exists())
            ).close()  # without a name
        except OSError as error:
            self.fail(f"{value} cannot be written ({error.strerror}).", param, ctx)
        return path


FILE = InputFile(exists=True, dir_okay=False)
TEXT_FILE = InputFile(plain=True, exists=True, dir_okay=False)
TEXT_FILE_OR_FOLDER = InputFile(plain=True)
PREPARED = click.Path(path_type=Path)  # a folder that `minibert data prepare` made
NEW_FILE = Output(dir_okay=False, path_type=Path)
NEW_FOLDER = Output(file_okay=False, path_type=Path)
TEXT = click.types.FuncParamType(text)
