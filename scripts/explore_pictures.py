"""The pictures of the page of `minibert explore`, in English and in Chinese: python -m scripts.explore_pictures [FOLDER]

README.md shows docs/figures/explore.png, and README.zh.md docs/zh/figures/explore.png: the same page with the Chinese model, a couplet, and Chinese
words. They are photographs of the page in a headless Chromium, whose driver (chromedriver) must be installed. FOLDER takes them instead.
"""

import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from minibert import BertForMaskedLM, BertTokenizer
from minibert.checkpoints.files import replacing
from minibert.microscope.explore import attention_page
from scripts.figures import FIGURES
from scripts.links import ROOT, twin
from tests.unit.microscope.browser import Browser, browser

WIDTH, SCALE = 640, 1.5  # of the window, in the page's pixels; a picture's pixel is smaller
# How high the page is down to the line that lists the keys; without a scroll bar.
ABOVE_THE_KEYS = """
document.documentElement.style.overflow = "hidden";
return Math.floor(document.querySelector("footer").getBoundingClientRect().top);
"""
PICTURE = FIGURES / "explore.png"


class Picture(NamedTuple):
    """What is photographed: the page of a text in a language, after these of its buttons were clicked."""

    file: Path
    model: str
    lang: str
    text: str
    clicked: tuple[str, ...]


PICTURES = (
    Picture(PICTURE, "novels-4l-256h", "en", "He shook his [MASK], and said no.", ()),
    # Layer 1, and of its heads the one that connects the characters that stand alike in the two lines of a couplet.
    Picture(
        *(twin(PICTURE), "shici-4l-256h", "zh", "白日依山尽，黄河入海流。"),
        ('[data-layer="1"]', '[data-head="0"]', '[data-head="2"]', '[data-head="3"]'),
    ),
)


def photograph(picture: Picture, file: Path) -> None:
    """Write the picture."""
    model, tokenizer = BertForMaskedLM.from_pretrained(picture.model), BertTokenizer.from_pretrained(picture.model)
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "explore.html"
        page.write_text(attention_page(model, tokenizer, [picture.text], picture.model, picture.lang), encoding="utf-8")
        with browser(Path(folder) / "profile") as window:
            show(window, height=100)
            window.open(page)
            for button in picture.clicked:
                window.click(button)
            show(window, height=window.run(ABOVE_THE_KEYS))
            file.parent.mkdir(parents=True, exist_ok=True)
            with replacing(file) as draft:
                window.screenshot(draft)


def show(window: Browser, height: int) -> None:
    """A window of so many of the page's pixels, in light colours."""
    metrics = {"width": WIDTH, "height": height, "deviceScaleFactor": SCALE, "mobile": False}
    window.ask("POST", "/goog/cdp/execute", cmd="Emulation.setDeviceMetricsOverride", params=metrics)
    light = {"features": [{"name": "prefers-color-scheme", "value": "light"}]}
    window.ask("POST", "/goog/cdp/execute", cmd="Emulation.setEmulatedMedia", params=light)


def main() -> int:
    """Write both."""
    for picture in PICTURES:
        name = picture.file.relative_to(ROOT)
        file = Path(sys.argv[1]) / name if len(sys.argv) > 1 else picture.file
        photograph(picture, file)
        print(file)
    return 0


if __name__ == "__main__":
    sys.exit(main())
