"""The Chinese edition says what the English one says, runs the same code, and has one word for each term."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from scripts import translations
from scripts.links import LINK, ROOT, TUTORIALS, sources, twin
from scripts.translations import CELL, MARK, differences, paragraphs, stamp, units

TWINS = [path for path in sources() if twin(path).exists()]
CHINESE = [twin(path) for path in TWINS]
COURSE = [path for path in TWINS if path.suffix == ".py" and path.parent == TUTORIALS]
NAMES = [path.relative_to(ROOT).as_posix() for path in TWINS]
OTHER_WORDS = {  # for what the glossary calls otherwise
    "令牌": "词元",
    "标记化": "分词",
    "嵌套层": "嵌入层",
    "隐层状态": "隐藏状态",
    "注意力机制头": "注意力头",
    "遮罩": "掩码",
    "残差链接": "残差连接",
    "分层归一化": "层归一化",
    "池化器": "池化层",
    "权重共享": "权重绑定",
    "权值": "权重",
    "偏差项": "偏置",
    "学习速率": "学习率",
    "热身": "预热",
    "检查站": "检查点",
    "集束搜索": "束搜索",
    "逐位相同": "逐比特相同",
    "前馈神经网络": "前馈网络",
    "优化程序": "优化器",
}


def terms() -> dict[str, str]:
    """English term → its translation, from the page that shows them."""
    rows = re.findall(r"^\| ([^|]+) \| ([^|]+) \| [^|]+ \|$", (ROOT / "docs" / "glossary.md").read_text("utf-8"), re.M)
    return dict(rows[1:])


def test_every_page_has_a_chinese_one() -> None:
    assert [path.relative_to(ROOT).as_posix() for path in sources() if path not in TWINS] == []


@pytest.mark.parametrize("path", TWINS, ids=NAMES)
def test_nothing_is_missing_and_nothing_is_stale(path: Path) -> None:
    assert differences(path) == []


class Bare(ast.NodeTransformer):
    """A program without its texts."""

    def visit_Constant(self, node: ast.Constant) -> ast.Constant:
        return ast.copy_location(ast.Constant("" if isinstance(node.value, str) else node.value), node)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.JoinedStr:
        """Of an f-string its values and their formats, in any order: another language says them in its own."""
        self.generic_visit(node)
        values = [part for part in node.values if isinstance(part, ast.FormattedValue)]
        return ast.copy_location(ast.JoinedStr(sorted(values, key=ast.dump)), node)


def program(path: Path) -> str:
    """The code of a file, with "" for each text. Neighbouring texts are one, as Python reads them."""
    return ast.dump(Bare().visit(ast.parse(path.read_text(encoding="utf-8"))))


@pytest.mark.parametrize("path", [path for path in TWINS if path.suffix == ".py"], ids=lambda path: path.name)
def test_the_code_of_twins_differs_in_texts_and_comments_alone(path: Path) -> None:
    assert program(twin(path)) == program(path)


def test_a_glossary_has_one_translation_for_each_term() -> None:
    known = terms()
    assert len(known) > 45
    assert len(set(known.values())) == len(known)


@pytest.mark.parametrize("path", CHINESE, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_term_has_a_second_translation(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert {word: right for word, right in OTHER_WORDS.items() if word in text} == {}


def prose(path: Path) -> str:
    """What a chapter says between its code and its headings."""
    text = "\n".join(unit.text for unit in units(path) if unit.text.startswith("# "))
    return "\n".join(line for line in text.splitlines() if not line.startswith("# #"))


@pytest.mark.parametrize("path", [path for path in COURSE if path.name[0].isdigit()], ids=lambda path: path.name)
def test_a_chapter_gives_the_english_of_the_terms_that_it_uses(path: Path) -> None:
    """In brackets behind one use, of each term that it uses three times; words of everyday language need none."""
    text = prose(twin(path))
    everyday = {"层", "位置", "区间", "权重", "标签"}
    known = terms()
    longer = {word: [other for other in known.values() if word in other and other != word] for word in known.values()}
    used = {
        english: word
        for english, word in known.items()
        if text.count(word) - sum(map(text.count, longer[word])) >= 3 and word not in everyday
    }
    assert [english for english, word in used.items() if not re.search(rf"{word}层?\*?（{english}", text)] == []


@pytest.mark.parametrize("path", CHINESE, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_translated_paragraph_is_in_chinese(path: Path) -> None:
    """Words without a Chinese letter are code, names and tables of numbers."""
    for unit in units(path):
        words = re.sub(r"```.*?```|`[^`]*`|\$\$.*?\$\$|https?://\S+|<!--.*?-->", "", unit.text, flags=re.DOTALL)
        is_prose = path.suffix == ".md" and len(re.findall(r"[a-z]{3,}", words)) > 12 and "|" not in words
        assert not is_prose or re.search(r"[\u4e00-\u9fff]", words), unit.place


def test_chinese_chapters_ask_the_chinese_model_but_for_those_about_words_of_several_pieces() -> None:
    about_english = {"02_wordpiece.py", "14_tagging.py", "15_question_answering.py"}
    asked = {path.name for path in COURSE if "novels-4l-256h" in twin(path).read_text(encoding="utf-8")}
    assert asked == about_english


def words_of_plots(chapter: Path) -> list[str]:
    """The titles, the names of axes and curves, and what else a chapter writes into its plots."""
    written = []
    for node in ast.walk(ast.parse(chapter.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            named = [keyword.value for keyword in node.keywords if keyword.arg in ("label", "title")]
            writes = node.func.attr in ("set_title", "set_xlabel", "set_ylabel", "suptitle", "text", "annotate")
            within = [each for part in [*named, *(node.args if writes else [])] for each in ast.walk(part)]
            written += [each.value for each in within if isinstance(each, ast.Constant) and isinstance(each.value, str)]
    return written


@pytest.mark.parametrize("path", [path for path in COURSE if path.name[0].isdigit()], ids=lambda path: path.name)
def test_the_words_of_a_plot_are_in_chinese(path: Path) -> None:
    alike = {"relu", "gelu", "AdamW"}  # names
    words = words_of_plots(twin(path))
    assert words
    english = {word for word in words if re.search(r"[A-Za-z]{3,}", word) and not re.search(r"[\u4e00-\u9fff]", word)}
    assert english <= alike


def leads_to(page: Path, text: str) -> list[Path]:
    """The files that a paragraph links, those of the Chinese edition by their English names."""
    files = [(page.parent / link).resolve().relative_to(ROOT) for link, _ in LINK.findall(text)]
    return sorted(Path(*(part.replace(".zh.", ".") for part in file.parts if part != "zh")) for file in files)


@pytest.mark.parametrize("path", [path for path in TWINS if path.suffix == ".md"], ids=lambda path: path.name)
def test_a_translated_paragraph_leads_where_its_english_does(path: Path) -> None:
    for english, chinese in zip(units(path), units(twin(path)), strict=True):
        if not re.match(r"\[(English|中文)\]", english.text):  # the switch leads to the other edition
            assert leads_to(twin(path), chinese.text) == leads_to(path, english.text), chinese.place


@pytest.mark.parametrize("path", [path for path in TWINS if path.suffix == ".md"], ids=lambda path: path.name)
def test_a_translated_paragraph_leads_to_chinese_pages(path: Path) -> None:
    """To the Chinese of each file that has it, as a reader wants, but for the line that leads to the English."""
    for unit in units(twin(path)):
        links = [(twin(path).parent / link).resolve() for link, _ in LINK.findall(unit.text)]
        assert unit.text.startswith("[English]") or [file for file in links if file in sources()] == [], unit.place


def test_a_change_of_the_english_makes_its_translation_stale() -> None:
    before, after = (next(iter(paragraphs(text))).hash for text in ("One word.", "Two words."))
    assert before != after
    (marked,) = paragraphs(f"<!-- en: {before} -->\n一个词。")
    assert (marked.source, marked.text) == (before, "一个词。")


def test_marks_stand_where_they_are_looked_for() -> None:
    for path in CHINESE:
        text = path.read_text(encoding="utf-8")
        count = len(MARK.findall(text)) + sum(bool(head["hash"]) for head in CELL.finditer(text))
        assert count == len(units(path)) or text.rstrip().splitlines()[-1].startswith("# en: "), path


def test_stamping_refuses_twins_of_different_lengths(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    english, chinese = tmp_path / "a.md", tmp_path / "b.md"
    english.write_text("One.\n\nTwo.\n", encoding="utf-8")
    chinese.write_text("一。\n", encoding="utf-8")
    monkeypatch.setattr("scripts.translations.sources", lambda: [english])
    monkeypatch.setattr("scripts.translations.twin", lambda _: chinese)
    with pytest.raises(ValueError, match="2 parts and its twin 1"):
        stamp(chinese)
    chinese.write_text("一。\n\n二。\n", encoding="utf-8")
    stamp(chinese)
    assert [unit.source for unit in paragraphs(chinese.read_text(encoding="utf-8"))] == [
        unit.hash for unit in paragraphs("One.\n\nTwo.\n")
    ]


def test_what_a_program_makes_stands_between_the_marks_of_both_pages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page, other = tmp_path / "page.md", tmp_path / "zh.md"
    page.write_text("# A\n\n<!-- a -->\nold\n<!-- b -->\nrest\n", encoding="utf-8")
    other.write_text("# 甲\n\n<!-- a -->\n旧\n<!-- b -->\n其余\n", encoding="utf-8")
    stamped: list[Path] = []
    monkeypatch.setattr(translations, "twin", lambda _page: other)
    monkeypatch.setattr(translations, "stamp", stamped.append)
    marks = ("<!-- a -->\n", "<!-- b -->\n")
    translations.put_in_both(page, "new\n", "新\n", marks=marks)
    assert page.read_text(encoding="utf-8") == "# A\n\n<!-- a -->\nnew\n<!-- b -->\nrest\n"
    assert other.read_text(encoding="utf-8") == "# 甲\n\n<!-- a -->\n新\n<!-- b -->\n其余\n"
    assert stamped == [other]
    with pytest.raises(ValueError, match="has no line"):
        translations.put_in_both(page, "new\n", "新\n", marks=("<!-- c -->\n", "<!-- b -->\n"))
