"""The reference shows every module that a reader may import, under the name that it has."""

import re

from tests.unit.docs.pages import DOCS, ROOT

SHOWN = [
    name
    for page in sorted((DOCS / "api").glob("*.md"))
    for name in re.findall(r"^::: (\S+)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
]
PACKAGE = ROOT / "minibert"


def modules() -> set[str]:
    """Every file of the package but those of the command line and those that only list names."""
    return {
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for path in PACKAGE.rglob("*.py")
        if path.name not in ("__init__.py", "__main__.py", "public_names.py") and path.parent.name != "cli"
    }


def test_nothing_is_shown_twice() -> None:
    assert len(SHOWN) == len(set(SHOWN))


def test_every_module_has_its_entry_and_every_entry_its_module() -> None:
    shown = {
        name
        for name in SHOWN
        if name.startswith("minibert.") and (PACKAGE.parent / f"{name.replace('.', '/')}.py").exists()
    }
    packages = {name for name in SHOWN if (PACKAGE.parent / name.replace(".", "/") / "__init__.py").exists()}
    course = {name for name in SHOWN if name.startswith("course.")}
    assert set(SHOWN) == shown | packages | course
    assert modules() - shown == set()
