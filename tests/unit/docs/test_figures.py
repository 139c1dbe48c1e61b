"""The figures say what the code does, and stand where a page shows them."""

import re
import unicodedata
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from minibert import BertTokenizer
from scripts.explore_pictures import PICTURES, Picture
from scripts.figures import LABELS, in_chinese
from scripts.links import ROOT, twin
from tests.unit.docs.pages import CHINESE_PAGES, DOCS, PAGES

CHAPTERS = sorted((DOCS.parent / "tutorials").glob("[0-9][0-9]_*.py"))
FIGURES = sorted((DOCS / "figures").glob("*.svg"))
CHINESE = [twin(figure) for figure in FIGURES]
EVERY_FIGURE = pytest.mark.parametrize("figure", [*FIGURES, *CHINESE], ids=lambda path: f"{path.stem} {path.parts[-3]}")
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
def test_a_figure_is_shown_in_chinese_wherever_it_is_shown_in_english(figure: Path) -> None:
    shown = {page.name for page in [*PAGES, *CHAPTERS] if f"figures/{figure.name})" in page.read_text(encoding="utf-8")}
    pages = [*CHINESE_PAGES, *map(twin, CHAPTERS)]
    places = dict.fromkeys(pages, f"](figures/{figure.name})") | dict.fromkeys(
        map(twin, CHAPTERS), f"](../../docs/zh/figures/{figure.name})"
    )
    assert {page.name for page, place in places.items() if place in page.read_text(encoding="utf-8")} == shown


@pytest.mark.parametrize("figure", FIGURES, ids=lambda path: path.stem)
def test_a_chinese_figure_is_the_english_one_with_the_words_of_the_table(figure: Path) -> None:
    assert twin(figure).read_text(encoding="utf-8") == in_chinese(figure), "python -m scripts.figures"


def test_there_is_no_chinese_figure_without_an_english_one() -> None:
    pictures = [picture.file for picture in PICTURES if picture.lang == "zh"]
    assert sorted(LABELS.parent.iterdir()) == sorted([LABELS, *CHINESE, *pictures])


@pytest.mark.parametrize("picture", PICTURES, ids=lambda picture: picture.lang)
def test_a_readme_shows_its_picture_of_explore_and_names_what_is_seen(picture: Picture) -> None:
    readme = (ROOT / {"en": "README.md", "zh": "README.zh.md"}[picture.lang]).read_text(encoding="utf-8")
    assert f"]({picture.file.relative_to(ROOT).as_posix()})" in readme
    assert f'minibert explore "{picture.text}"' in readme
    assert picture.file.read_bytes().startswith(b"\x89PNG")


def test_a_word_without_its_chinese_and_one_that_is_not_there_are_named(tmp_path: Path) -> None:
    drawing = (DOCS / "figures" / "labels.svg").read_text(encoding="utf-8")
    changed = tmp_path / "labels.svg"
    changed.write_text(drawing.replace(">label<", ">answer<"), encoding="utf-8")
    with pytest.raises(ValueError, match=r"no Chinese for 'answer' in labels\.svg"):
        in_chinese(changed)
    changed.write_text(drawing.replace(">label<", ">1<"), encoding="utf-8")
    with pytest.raises(ValueError, match=r"has 'label' below 'labels', and labels\.svg has not"):
        in_chinese(changed)


def boxes_of(root: ET.Element) -> list[list[float]]:
    """Left, top, width and height of what is filled."""
    return [
        [float(box.attrib[side]) for side in ("x", "y", "width", "height")]
        for box in root.iter(f"{SVG}rect")
        if box.attrib["fill"] != "none"
    ]


@pytest.mark.parametrize("figure", CHINESE, ids=lambda path: path.stem)
def test_chinese_words_fit_their_box(figure: Path) -> None:
    """A Chinese character and its marks are as wide as the font is high; of Latin letters, the wide fonts take 0.6 of that."""
    root = ET.parse(figure).getroot()
    for text in root.iter(f"{SVG}text"):
        x, y, size, words = float(text.attrib["x"]), float(text.attrib["y"]), float(text.attrib["font-size"]), text.text
        if not re.search(r"[\u4e00-\u9fff]", words or ""):
            continue
        width = size * sum(1 if unicodedata.east_asian_width(letter) in "WF" else 0.6 for letter in words or "")
        box = min(
            (box for box in boxes_of(root) if box[0] < x < box[0] + box[2] and box[1] < y < box[1] + box[3]),
            key=lambda box: box[2],
        )
        assert box[0] <= x - width / 2, (words, width, box)
        assert x + width / 2 <= box[0] + box[2], (words, width, box)


@EVERY_FIGURE
def test_a_figure_fits_a_phone_and_can_be_read_there(figure: Path) -> None:
    root = ET.parse(figure).getroot()
    assert float(root.attrib["viewBox"].split()[2]) <= 360
    assert min(float(text.attrib["font-size"]) for text in root.iter(f"{SVG}text")) >= 12


@EVERY_FIGURE
def test_every_word_stands_on_a_fill_of_its_own(figure: Path) -> None:
    """White on a middling colour reads on a light page and on a dark one."""
    root = ET.parse(figure).getroot()
    for text in root.iter(f"{SVG}text"):
        x, y = float(text.attrib["x"]), float(text.attrib["y"])
        assert text.attrib["fill"] == "#fff"
        assert any(left < x < left + width and top < y < top + height for left, top, width, height in boxes_of(root)), (
            text.text
        )


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
