"""The drawings in Chinese: python -m scripts.figures

docs/figures/NAME.svg is drawn by hand, with English words. docs/zh/figures/labels.json has the Chinese of each word of each drawing, and this
writes docs/zh/figures/NAME.svg: the same drawing with those words, and with fonts that have Chinese letters on the systems that there are.
What is written alike in both languages, names of the code and the words of the examples, is listed there as "as they are".
"""

import json
import re
import sys
from html import escape, unescape
from pathlib import Path

from scripts.links import ROOT, twin
from scripts.translations import write

FIGURES = ROOT / "docs" / "figures"
LABELS = twin(FIGURES) / "labels.json"
TEXT = re.compile(r"(?<=>)([^<>]+)(?=</(?:text|title|desc)>)")
WORD = re.compile(r"[a-z]{2,}")
ENGLISH_FONTS = 'font-family="system-ui, sans-serif"'
CHINESE_FONTS = (  # of Apple, of Windows, of Linux and of Android
    "lang=\"zh-Hans\" font-family=\"system-ui, 'PingFang SC', 'Microsoft YaHei', 'Noto Sans CJK SC', 'Noto Sans SC', "
    "'Source Han Sans SC', 'WenQuanYi Micro Hei', sans-serif\""
)


def drawings() -> list[Path]:
    """The English ones."""
    return sorted(FIGURES.glob("*.svg"))


def labels(drawing: str) -> list[str]:
    """What is written in a drawing, its title and description too, in the order of drawing."""
    return [unescape(found) for found in TEXT.findall(drawing)]


def in_chinese(figure: Path) -> str:
    """The Chinese drawing. Raises ValueError where the table lacks a word or has one that the drawing has not."""
    table = json.loads(LABELS.read_text(encoding="utf-8"))
    known, drawing = table.get(figure.stem, {}), figure.read_text(encoding="utf-8")
    written = labels(drawing)
    missing = [label for label in written if label not in known and WORD.search(label)]
    if missing := [label for label in missing if label not in table["as they are"]]:
        raise ValueError(
            f"{LABELS.name} has no Chinese for {missing[0]!r} in {figure.name}. Add it below {figure.stem!r}."
        )
    if left := [label for label in known if label not in written]:
        raise ValueError(
            f"{LABELS.name} has {left[0]!r} below {figure.stem!r}, and {figure.name} has not. Take it out."
        )
    if ENGLISH_FONTS not in drawing:
        raise ValueError(f"{figure.name} has no {ENGLISH_FONTS}, which is replaced by fonts with Chinese letters.")
    drawing = drawing.replace(ENGLISH_FONTS, CHINESE_FONTS, 1)
    return TEXT.sub(lambda found: escape(known.get(unescape(found[0]), unescape(found[0])), quote=False), drawing)


def main() -> int:
    """Write them all."""
    for figure in drawings():
        write(twin(figure), in_chinese(figure))
    print(f"{len(drawings())} drawings are in {LABELS.parent.relative_to(ROOT).as_posix()}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
