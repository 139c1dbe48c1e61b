"""Prepare a release: python -m scripts.release 0.2.0, or print what a released version changed: python -m scripts.release --notes 0.2.0

The version goes into `minibert/__init__.py` and `CITATION.cff`; in `CHANGELOG.md` what stood under "Unreleased" gets the version and the
day, and an empty "Unreleased" is left above. Nothing is committed, tagged or uploaded: CONTRIBUTING.md says what follows.
"""

from __future__ import annotations

import datetime
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VERSION = re.compile(r"\d+\.\d+\.\d+")


def prepare(version: str, root: Path, day: str) -> None:
    """Write the version and the day. Raises ValueError where the version is no later one, or nothing is there to release."""
    package, citation, changelog = (root / name for name in ("minibert/__init__.py", "CITATION.cff", "CHANGELOG.md"))
    texts = {path: path.read_text(encoding="utf-8") for path in (package, citation, changelog)}
    [now] = re.findall(r'^__version__ = "(.+)"$', texts[package], flags=re.MULTILINE)
    changes = texts[changelog]
    released = f"\n## {now} " in changes
    if not VERSION.fullmatch(version) or (_numbers(version), not released) < (_numbers(now), True):
        needed = "a later one" if released else "that or a later one"
        raise ValueError(f"The version is {now}; give {needed} as three numbers, such as 0.2.0, not {version!r}.")
    if not re.search(r"^## Unreleased\n+### ", changes, flags=re.MULTILINE):
        raise ValueError('CHANGELOG.md has nothing under "Unreleased".')
    texts[package] = texts[package].replace(f'__version__ = "{now}"', f'__version__ = "{version}"')
    texts[changelog] = changes.replace("## Unreleased\n", f"## Unreleased\n\n## {version} · {day}\n", 1)
    kept = re.sub(r"^(version|date-released): .*\n", "", texts[citation], flags=re.MULTILINE)
    texts[citation] = kept.replace("license:", f'version: "{version}"\ndate-released: {day}\nlicense:', 1)
    for path, text in texts.items():
        path.write_text(text, encoding="utf-8", newline="\n")


def notes(version: str, root: Path) -> str:
    """What CHANGELOG.md says about a version. Raises ValueError where it says nothing."""
    sections = re.split(r"^## ", (root / "CHANGELOG.md").read_text(encoding="utf-8"), flags=re.MULTILINE)
    for section in sections[1:]:
        heading, _, text = section.partition("\n")
        if heading.split(" ")[0] == version:
            return text.strip() + "\n"
    raise ValueError(f"CHANGELOG.md has no section for {version}.")


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in version.split("."))


def main(arguments: list[str]) -> None:
    """Of the command line."""
    if len(arguments) == 2 and arguments[0] == "--notes":
        print(notes(arguments[1], ROOT), end="")
    elif len(arguments) == 1 and not arguments[0].startswith("-"):
        prepare(arguments[0], ROOT, day=datetime.date.today().isoformat())
        print(f"The version is {arguments[0]}. Read `git diff`, then go on with the list of CONTRIBUTING.md.")
    else:
        raise ValueError(str(__doc__))


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except ValueError as error:
        sys.exit(str(error))
