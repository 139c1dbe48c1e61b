"""Chinese, Japanese and Korean letters in plots: matplotlib's own font has none, so they come from one that is installed.

The extra `chinese` brings such a font (Noto Sans SC, in the package zhplot); else one of the system's is taken.
"""

import importlib.util
import logging
import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

logger = logging.getLogger("minibert")
IDEOGRAPHS = re.compile("[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff]")
KNOWN = (
    *("Noto Sans SC", "Noto Sans CJK SC", "Noto Sans CJK JP", "Source Han Sans SC", "Source Han Sans CN"),
    *(
        "PingFang SC",
        "Hiragino Sans GB",
        "Microsoft YaHei",
        "SimHei",
        "SimSun",
        "WenQuanYi Zen Hei",
        "Arial Unicode MS",
    ),
)


def add_fonts(figure: "Figure") -> None:
    """Give each text of the figure that needs it a second font, for the letters that its first one lacks.

    Texts without such letters stay as they are. Warns where no font is found: the letters are then drawn as empty boxes.
    """
    from matplotlib.text import Text

    for panel in figure.axes:
        for axis in (panel.xaxis, panel.yaxis):
            axis.get_ticklabels()  # a category is written at its tick when it is asked for, or drawn
    texts = [text for text in figure.findobj(Text) if IDEOGRAPHS.search(text.get_text())]
    if texts and not (family := installed()):
        logger.warning(
            "This machine has no font with Chinese letters: the plot shows boxes. pip install 'minibert-pytorch[chinese]'."
        )
    for text in texts if texts and family else ():
        text.set_fontfamily([*text.get_fontfamily(), family])


def installed() -> str:
    """The first of the known fonts that matplotlib finds; "" where there is none."""
    from matplotlib.font_manager import fontManager

    package = importlib.util.find_spec("zhplot")
    if package and package.origin and not any(font.name == KNOWN[0] for font in fontManager.ttflist):
        for path in (Path(package.origin).parent / "fonts").glob("NotoSansSC-*.ttf"):
            fontManager.addfont(path)
    names = {font.name for font in fontManager.ttflist}
    return next((name for name in KNOWN if name in names), "")
