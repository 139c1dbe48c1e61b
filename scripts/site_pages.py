"""Pages of the site that nobody writes: the chapters with their output, and the code. A hook of mkdocs (`hooks:` in mkdocs.yml).

Inside the site every file keeps its path in the repository, so that a link such as ../minibert/model/bert.py#BertModel, which opens
the file in an editor and on a code host, leads to the line of the symbol here. Whatever a page links to becomes a page too:

    docs/NAME.md                 NAME.html, as written
    tutorials/NN_name.py         the chapter, run; beside it the same as a notebook, to download
    any other file or folder     its code with numbered lines, or a table of what is in it

The Chinese site (mkdocs.zh.yml) has the same pages at the same addresses below zh/, with the Chinese of each that is there:
docs/zh/NAME.md in place of docs/NAME.md, and docs/zh/figures in place of docs/figures. Each page of either leads to its other language.
"""

import ast
import base64
import html
import os
import re
import textwrap
from pathlib import Path
from typing import Any

import jieba
import nbformat
from latex2mathml.converter import convert
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files, InclusionLevel
from mkdocs.structure.pages import Page
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexer import Lexer
from pygments.lexers import get_lexer_for_filename
from pygments.lexers.special import TextLexer
from pygments.util import ClassNotFound

from minibert import BertTokenizer
from minibert.cli.options import BUNDLED_MODEL, load_as_trained
from minibert.cli.playground_page import FIRST_TEXT
from minibert.playground.writer import playground_page
from scripts.build_notebooks import chapter_notebook
from scripts.links import LINK, ROOT, TUTORIALS, chapters, has_twin, inside, is_chinese, linked, sources, twin
from scripts.run_chapters import as_markdown, run_all
from scripts.symbols import symbols
from scripts.translations import MARK

COURSE = TUTORIALS / "README.md"
OTHER_LANGUAGE = re.compile(
    r"^\[(English|中文)\]\(\S+\)\n", re.MULTILINE
)  # a line for who reads the file; the site has a switch
PICTURE = re.compile(r'<p>(<img [^>]*src="([^"]+)"[^>]*>)</p>')
OPERATORS = str.maketrans({"−": "-", "·": r"\cdot ", "←": r"\leftarrow "})
SIZE = re.compile(r'(?<=<svg xmlns="http://www.w3.org/2000/svg") width="[\d.]+" height="[\d.]+"')
LONG_NAME = re.compile(
    r"(?<=<code>)[\w./]{25,}(?=</code>)"
)  # bert.encoder.layer: in a narrow table it may break at a mark
TERMS = re.compile(
    r"^\|[^|]+\| ([^|]*[\u4e00-\u9fff][^|]*) \|", re.MULTILINE
)  # the second column of a table, in Chinese
ALTERNATE = re.compile(r'href="[^"]*" hreflang="(en|zh)"')
FETCHED = re.compile(r'<link rel="alternate"[^>]*>\s*')  # the theme asks a server for what they lead to
PARAGRAPH = re.compile(r"<p>(?!<a class=\"picture\")(.*?)</p>", re.DOTALL)
DESCRIBED_IN = 200  # characters
NOTEBOOK = {
    "en": """<p class="notebook" data-search-exclude><a href="{name}" download>Download this chapter as a notebook</a>. It runs in the folder
<code>tutorials</code> of the repository.</p>""",
    "zh": """<p class="notebook" data-search-exclude><a href="{name}" download>把本章下载为 notebook</a>，放在仓库的 <code>tutorials/zh</code>
文件夹里即可运行。</p>""",
}
SEARCH = {"en": "Search", "zh": "搜索"}
PLAYGROUND_PAGE = ROOT / "docs" / "one_page_twice.md"
PLAYGROUND = {
    "en": '<p class="notebook" data-search-exclude><a href="playground.html">Open the playground</a>: 15 MB, then it needs no network.</p>',
    "zh": '<p class="notebook" data-search-exclude><a href="../playground.html#%7B%22language%22%3A%22zh%22%7D">打开 playground</a>：15 MB，打开之后不再需要网络。</p>',
}
CODE = "---\nhide: [navigation, toc]\nsearch: {exclude: true}\n---\n"  # a search is to find what is said of the code


class GeneratedPage(File):
    """A page under the address of the file that it shows."""

    def __init__(self, path: Path, content: str, config: MkDocsConfig, code: str | None = None):
        self.code = code
        inclusion = InclusionLevel.UNDEFINED if path in course(config) else InclusionLevel.NOT_IN_NAV
        name = name_of(path)
        address = name.replace("/zh/", "/") + ".html"
        super().__init__(
            name, None, config.site_dir, False, dest_uri=re.sub(r"\.py\.html$", ".html", address), inclusion=inclusion
        )
        self.content_string = content

    def is_documentation_page(self) -> bool:
        return True


def language(config: MkDocsConfig) -> str:
    """The language of the site that is built: "en" or "zh"."""
    return str(config.theme["language"])


def in_language(path: Path, config: MkDocsConfig) -> Path:
    """The Chinese of a file, a drawing or a folder of such files, on the Chinese site and where there is any; else the file."""
    translated = (
        path.suffix == ".svg" or has_twin(path) or (path != ROOT and any(source.parent == path for source in sources()))
    )
    return twin(path) if language(config) == "zh" and translated and twin(path).exists() else path


def course(config: MkDocsConfig) -> list[Path]:
    """The chapters, in the language of the site."""
    return [in_language(chapter, config) for chapter in chapters()]


def name_of(path: Path) -> str:
    """Where a file is in the repository, and with that on the site."""
    return path.relative_to(ROOT).as_posix()


def on_config(config: MkDocsConfig) -> None:
    """Put the chapters that there are behind the course's table of contents, and all pages in the language of the site."""
    for section in config.nav:
        for title, pages in section.items():
            paths = [ROOT / page for page in pages]
            paths += chapters() if COURSE in paths else []
            section[title] = [name_of(in_language(path, config)) for path in paths]
    for terms in TERMS.findall((ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")):
        for term in terms.split("、"):
            jieba.add_word(term)  # so that the search knows 掩码比例 as one word


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Give the files of docs/ their place in the repository, and add all that they lead to."""
    docs = Path(config.docs_dir)
    all_files = Files([file for file in files if file.src_dir != config.docs_dir])
    for file in (file for file in files if file.src_dir == config.docs_dir and not file.src_uri.startswith("zh/")):
        path = in_language(docs / file.src_uri, config)
        moved = File(name_of(path), str(ROOT), config.site_dir, False, dest_uri=file.dest_uri)
        if file.src_uri.endswith(".svg"):  # opened by itself, a drawing fills the window
            moved.content_string = SIZE.sub("", moved.content_string, count=1)
        all_files.append(moved)
    for chapter, notebook in zip(course(config), run_all(course(config)), strict=True):
        text, pictures = as_markdown(notebook)
        all_files.append(GeneratedPage(chapter, text, config))
        kept = nbformat.writes(chapter_notebook(notebook))
        made: dict[str, str | bytes] = {f"{chapter.stem}.ipynb": kept}
        made |= {name: base64.b64decode(picture) for name, picture in pictures.items()}
        for name, content in made.items():
            file = File.generated(config, name_of(chapter.parent / name), content=content)
            file.dest_uri = f"tutorials/{name}"
            all_files.append(file)
    if language(config) == "en":  # the Chinese page leads to the same file
        all_files.append(File.generated(config, "playground.html", content=playground()))
    starts = [*docs.rglob("*.md"), COURSE, *chapters(), *(twin(path) for path in sources())]
    for path in linked(starts, other_edition=False):
        shown = in_language(path, config) if not is_chinese(path) else None
        if shown and all_files.get_file_from_path(name_of(shown)) is None:
            all_files.append(page_of(shown, config))
    return all_files


def playground() -> str:
    """The bundled model's page, in which it answers while somebody types."""
    tokenizer = BertTokenizer.from_pretrained(BUNDLED_MODEL)
    return playground_page(load_as_trained(BUNDLED_MODEL), tokenizer, title=BUNDLED_MODEL, texts=[FIRST_TEXT])


def page_of(path: Path, config: MkDocsConfig) -> File:
    """A page for a file or folder that others link to."""
    name = name_of(path)
    if path.is_dir():
        return GeneratedPage(path, f"{CODE}# `{name}/`\n\n{table_of(path)}", config)
    if path.suffix == ".md":
        target = re.sub(
            r"README(\.zh)?\.md", "index.md" if path.parent != ROOT else "README.md", name
        )  # index.html is docs/index.md
        target = target.replace("/zh/", "/").removesuffix(".md") + ".html"
        return File(name, str(ROOT), config.site_dir, False, dest_uri=target, inclusion=InclusionLevel.NOT_IN_NAV)
    return GeneratedPage(path, f"{CODE}# `{name}`", config, code=path.read_text(encoding="utf-8"))


def table_of(folder: Path) -> str:
    """What is in a folder, each thing with the first line that it says of itself."""
    rows = [f"| [`{path.name}`]({folder.name}/{path.name}) | {first_line(path)} |" for path in inside(folder)]
    return "\n".join(["| | |", "|---|---|", *rows])


def first_line(path: Path) -> str:
    """Of the docstring of a file, or of a package; nothing where there is none."""
    code = path / "__init__.py" if path.is_dir() else path
    if code.suffix != ".py" or not code.exists():
        return ""
    return (ast.get_docstring(ast.parse(code.read_text(encoding="utf-8"))) or "").partition("\n")[0]


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, **_: Any) -> str:
    """Without the line that leads to the file in the other language. A page that the Chinese site has in English leads to Chinese ones."""
    markdown = OTHER_LANGUAGE.sub("", MARK.sub("", markdown), count=1)  # a heading is a title where it stands first
    path = ROOT / page.file.src_uri
    if language(config) == "en" or is_chinese(path):
        return markdown

    def chinese(link: re.Match[str]) -> str:
        target = Path(os.path.normpath(path.parent / link[1]))
        shown = in_language(target, config)
        return link[0] if shown == target else f"]({os.path.relpath(shown, path.parent)})"

    return LINK.sub(chinese, markdown)


def on_page_content(content: str, page: Page, config: MkDocsConfig, **_: Any) -> str:
    """Formulas as MathML, which browsers draw without a script; pictures that open; code with numbered lines and marked symbols."""
    content = re.sub(
        r'<(span|div) class="arithmatex">\\[(\[](.*?)\\[)\]]</\1>',
        lambda found: formula(html.unescape(found[2]), block=found[1] == "div"),
        content,
        flags=re.DOTALL,
    )
    content = LONG_NAME.sub(lambda name: re.sub(r"(?<=[./_])(?=\w)", "<wbr>", name[0]), content)
    content = PICTURE.sub(r'<p><a class="picture" href="\2">\1</a></p>', content)
    page.meta.setdefault("description", description(content, ROOT / page.file.src_uri))
    if ROOT / page.file.src_uri in course(config):
        notebook = NOTEBOOK[language(config)].format(name=f"{Path(page.file.src_uri).stem}.ipynb")
        content = content.replace("</h1>", "</h1>\n" + notebook, 1)
    if page.file.src_uri == name_of(in_language(PLAYGROUND_PAGE, config)):
        content = content.replace("</h1>", f"</h1>\n{PLAYGROUND[language(config)]}", 1)
    code = getattr(page.file, "code", None)
    if code is None:
        return content
    lines = highlight(code, lexer_of(page.file.src_uri), HtmlFormatter(nowrap=True)).rstrip("\n").split("\n")
    marks = dict.fromkeys(range(1, len(lines) + 1), "")  # what a link to a symbol leads to, by line
    for symbol, number in (symbols(code) if page.file.src_uri.endswith(".py") else {}).items():
        marks[number] += f'<span id="{symbol}"></span>'
        page.present_anchor_ids.add(symbol)
    page.present_anchor_ids |= {f"L{number}" for number in marks}
    numbered = (
        f'<span id="L{number}"><a href="#L{number}" aria-label="Line {number}"></a>{mark}{line}\n</span>'
        for (number, mark), line in zip(marks.items(), lines, strict=True)
    )
    return f'{content}\n<div class="highlight numbered"><pre><code>{"".join(numbered)}</code></pre></div>'


def description(content: str, path: Path) -> str:
    """What a page is about, for a search engine: its first paragraph, or its file's name and the first line of the docstring."""
    if paragraph := PARAGRAPH.search(content):
        text = html.unescape(re.sub(r"<[^>]+>", "", paragraph[1]))
    else:
        text = f"{name_of(path)}: {first_line(path) or 'as it is in the repository'}"
    return html.escape(textwrap.shorten(text, DESCRIBED_IN, placeholder=" …"))


def on_post_page(output: str, page: Page, config: MkDocsConfig) -> str:
    """The switch of languages leads to the same page of the other site; a reader of screens hears what the search is.

    The pages whose heading is the project's name say in their title what they are.
    """
    up = "../" * page.url.count("/")
    editions = {"en": up, "zh": f"{up}zh/"} if language(config) == "en" else {"en": f"{up}../", "zh": up}
    output = FETCHED.sub("", output)
    output = ALTERNATE.sub(lambda link: f'href="{editions[link[1]]}{page.url}" hreflang="{link[1]}"', output)
    what = re.split("[,，]", str(config.site_description))[0] if page.url == "index.html" else "README"
    name = config.site_name
    output = output.replace(
        'data-md-component="search" role="dialog"',
        f'data-md-component="search" role="dialog" aria-label="{SEARCH[language(config)]}"',
    )
    return output.replace(f"<title>{name} - {name}</title>", f"<title>{name}: {what}</title>")


def formula(tex: str, block: bool) -> str:
    """A formula in TeX as MathML, its signs as operators, which have space around them; a wide one scrolls in its own box."""
    tex = tex.translate(OPERATORS)
    return f'<div class="formula">{convert(tex, display="block")}</div>' if block else convert(tex)


def lexer_of(name: str) -> Lexer:
    """What colours a file, by its name; nothing where the name says nothing."""
    try:
        return get_lexer_for_filename(name, stripnl=False)
    except ClassNotFound:
        return TextLexer(stripnl=False)
