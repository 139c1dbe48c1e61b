"""What the commands of the course say, in Chinese: English stands in the code, and is looked up in tables when it is shown.

A table is a JSON file, {"English": "中文"}. {1} and {2} stand for what is filled in; as {1*}, it is a message too and looked up itself.
Errors, help and JSON are English in every language.
"""

import json
import locale
import os
import re
import textwrap
from collections.abc import Iterable, Sequence
from functools import partial
from itertools import product
from pathlib import Path

import click

from ..terminal import display_width

LANGUAGES = ("en", "zh")
TABLE = Path(__file__).with_name("zh.json")  # of the commands themselves
# A letter of Chinese or a word, with the marks that no line begins or ends with, and the spaces behind it.
_UNIT = re.compile(r"[（《“]*(?:[\u2e80-\u9fff]|[^\s\u2e80-\u9fff\uff00-\uffef（《“]+)?[，。：；？！、）》”…]*\s*")

# How a sentence about a result begins or ends, in English; what was tried is told without a capital or a stop.
_SENTENCE = re.compile(r"^[A-Z`]|[.?)]$")
LONGEST = 2000  # letters of a message; whatever is longer is none of ours


def language_of_locale() -> str:
    """The language that the system is set to, if it is one of ours, or else English."""
    said = next(filter(None, map(os.environ.get, ("LC_ALL", "LC_MESSAGES", "LANG"))), "")
    if not said and os.name == "nt":
        said = locale.getlocale()[0] or ""
    return "zh" if said.lower().startswith(("zh", "chinese")) else "en"


lang_option = click.option(
    "--lang",
    type=click.Choice(LANGUAGES),
    envvar="MINIBERT_LANG",
    default=language_of_locale,
    show_envvar=True,
    show_default="the locale's",
    help="Show it in English or in Chinese. Errors stay English.",
)


class Language:
    """Says messages in English, or in Chinese by tables."""

    def __init__(self, lang: str = "en", tables: Iterable[Path] = ()):
        """tables: their files, which are read if they are needed."""
        self.chinese = lang == "zh"
        self._table: dict[str, str] = {}
        for table in tables if self.chinese else ():
            self._table |= json.loads(table.read_text(encoding="utf-8"))
        # Those with the most letters of their own come first: they fit the fewest messages.
        parts = {english: re.split(r"\{\d\}", english) for english in self._table if "{1}" in english}
        longest = sorted(parts, key=lambda english: -len("".join(parts[english])))
        self._templates = {english: parts[english] for english in longest}

    def say(self, text: object) -> str:
        """A message, line by line; what is in no table stays as it is."""
        if not self.chinese:
            return str(text)
        return re.sub(r"\S.*", lambda line: self._translated(line[0]), str(text))

    def fill(self, text: str, width: int) -> str:
        """A message in lines of at most so many columns. Chinese may go on in the next line after any letter."""
        if not self.chinese:
            return textwrap.fill(text, width)
        lines = [""]
        for unit in _UNIT.findall(self.say(text)):
            if lines[-1] and display_width(lines[-1] + unit.rstrip()) > width:
                lines.append("")
            lines[-1] += unit
        return "\n".join(map(str.rstrip, lines))

    def _translated(self, message: str) -> str:
        if message in self._table or len(message) > LONGEST:
            return self._table.get(message, message)
        # What was tried, and what it shows: "x of shape (2, 3): The bias is missing."
        parts = [(message[: colon.start()], message[colon.end() :]) for colon in re.finditer(": ", message)]
        fitting = [part for part in parts if self._whole(part[1], only=_SENTENCE)]
        if fitting:
            tried, shown = next((part for part in fitting if self._whole(part[0])), fitting[0])
            return f"{self._translated(tried)}：{self._whole(shown, only=_SENTENCE)}"
        return self._whole(message) or message

    def _whole(self, message: str, only: re.Pattern[str] = re.compile("")) -> str | None:
        """The translation of a message that is in a table as it is, or fits a template; None where there is none."""
        if message in self._table and only.search(message):
            return self._table[message]
        for english, parts in self._templates.items():
            if message.startswith(parts[0]) and only.search(english) and (filling := _filling(parts, message)):
                return re.sub(r"\{(\d)(\*?)\}", partial(self._filled, filling), self._table[english])
        return None

    def _filled(self, filling: Sequence[str], hole: re.Match[str]) -> str:
        part = filling[int(hole[1]) - 1]
        return self._translated(part) if hole[2] else part


def _filling(parts: Sequence[str], message: str) -> list[str] | None:
    """What a message has between these parts of a template, with whole brackets if that fits; None if the message does not fit.

    Behind "line" a number is meant. A template that begins with what is filled in has as much of it as can be, all else as little.
    """
    covered = re.sub(r"\([^()]*\)|\[[^\[\]]*\]", lambda bracket: "\0" * len(bracket[0]), message)
    first = (str.find,) if parts[0] else (str.rfind, str.find)
    for searched, find in product((covered, message), first):
        place, filling = len(parts[0]), list[str]()
        for part in parts[1:-1]:
            found = (str.find if filling else find)(searched, part, place)
            if found < 0:
                break
            filling.append(message[place:found])
            place = found + len(part)
        filling.append(message[place : len(message) - len(parts[-1])])
        whole = len(filling) == len(parts) - 1 and message == "".join(map(str.__add__, parts, [*filling, ""]))
        if whole and all(
            fill.isdecimal() for part, fill in zip(parts, filling, strict=False) if part.endswith(" line ")
        ):
            return filling
    return None
