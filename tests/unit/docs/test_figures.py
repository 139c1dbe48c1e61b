"""The figures say what the code does, and stand where a page shows them."""

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from minibert import BertTokenizer
from tests.unit.docs.pages import DOCS, PAGES

CHAPTERS = sorted((DOCS.parent / "tutorials").glob("[0-9][0-9]_*.py"))
FIGURES = sorted((DOCS / "figures").glob("*.svg"))
SVG = "{http://www.w3.org/2000/svg}"


def words(figure: str) -> list[str]:
    """What is written in a figure, in the order of drawing."""
    return [text.text or "" for text in ET.parse(DOCS / "figures" / figure).iter(f"{SVG}text")]


@pytest.mark.parametrize("figure", FIGURES, ids=lambda path: path.stem)
def test_a_figure_is_shown_and_described(figure: Path) -> None:
    places = dict.fromkeys(PAGES, f"](figures/{figure.name})")
    places |= dict.fromkeys(CHAPTERS, f"](../docs/figures/{figure.name})")
    assert any(place in page.read_text(encoding="utf-8") for page, place in places.items())
    root = ET.parse(figure).getroot()
    assert root.findtext(f"{SVG}title")
    assert root.findtext(f"{SVG}desc")


@pytest.mark.parametrize("figure", FIGURES, ids=lambda path: path.stem)
def test_a_figure_fits_a_phone_and_can_be_read_there(figure: Path) -> None:
    root = ET.parse(figure).getroot()
    assert float(root.attrib["viewBox"].split()[2]) <= 360
    assert min(float(text.attrib["font-size"]) for text in root.iter(f"{SVG}text")) >= 12


@pytest.mark.parametrize("figure", FIGURES, ids=lambda path: path.stem)
def test_every_word_stands_on_a_fill_of_its_own(figure: Path) -> None:
    """White on a middling colour reads on a light page and on a dark one."""
    root = ET.parse(figure).getroot()
    boxes = [
        [float(box.attrib[side]) for side in ("x", "y", "width", "height")]
        for box in root.iter(f"{SVG}rect")
        if box.attrib["fill"] != "none"
    ]
    for text in root.iter(f"{SVG}text"):
        x, y = float(text.attrib["x"]), float(text.attrib["y"])
        assert text.attrib["fill"] == "#fff"
        assert any(left < x < left + width and top < y < top + height for left, top, width, height in boxes), text.text


def test_the_tokenizers_figure_shows_what_the_tokenizer_does() -> None:
    tokenizer = BertTokenizer.from_pretrained("novels-4l-256h")
    text = "A Rôle rewritten!"
    ids = tokenizer(text)["input_ids"]
    written = words("tokenizer.svg")
    assert f"“{text}”" in written
    joined = " ".join(written)
    assert " ".join(tokenizer.basic_tokenizer.tokenize(text)) in joined
    assert " ".join(tokenizer.tokenize(text)) in joined
    assert " ".join(map(str, ids)) in joined
    assert f"input_ids (1, {len(ids)})" in written


def test_the_figure_of_the_embeddings_has_the_tokens_ids() -> None:
    tokenizer = BertTokenizer.from_pretrained("novels-4l-256h")
    tokens = ["[CLS]", "he", "shook", "his", "[SEP]"]
    written = " ".join(words("embeddings.svg"))
    columns = re.findall(r"(\S+) word (\d+) segment 0 position (\d)", written.replace(" + +", ""))
    expected = zip(tokens, tokenizer.convert_tokens_to_ids(tokens), range(5), strict=True)
    assert columns == [(token, str(index), str(place)) for token, index, place in expected]
