"""Where the pages are."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.glob("*.md"))
OF_THE_COURSE = [ROOT / "tutorials" / "zh" / "README.md", ROOT / "tutorials" / "zh" / "your_bert" / "README.md"]
CHINESE_PAGES = [*sorted((DOCS / "zh").glob("*.md")), ROOT / "README.zh.md", *OF_THE_COURSE]
