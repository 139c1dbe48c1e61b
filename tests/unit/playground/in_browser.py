"""The page in a browser: what is waited for, and what is read."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.microscope.browser import Browser, browser_is_installed

needs_browser = pytest.mark.skipif(not browser_is_installed(), reason="there is no chromium with its chromedriver")
# The rest of a script that is over once a condition holds.
UNTIL = """
const done = arguments[arguments.length - 1], end = Date.now() + 20000;
const look = () => {{ let value = null; try {{ value = {value}; }} catch {{}} value || Date.now() > end ? done(value) : setTimeout(look, 20); }};
look();
"""


def until(window: Browser, value: str) -> Any:
    """The value of an expression as soon as it is true (or after 20 seconds what it is then)."""
    return window.ask("POST", "/execute/async", script=UNTIL.format(value=value), args=[])


def settled(window: Browser) -> None:
    """Wait for the answers to all that was asked."""
    quiet = "window.app && app.questions.open && !app.questions.running && app.questions.waiting.size === 0"
    assert until(window, f"{quiet} && app.panels.every(panel => panel.answer)")


def texts(window: Browser, selector: str) -> list[str]:
    return window.run("return [...document.querySelectorAll(arguments[0])].map(each => each.textContent)", selector)


def set_text(window: Browser, text: str, field: str = "#text-0") -> None:
    """What typing does, without the keys."""
    script = "const [area, text] = arguments; area.value = text; area.dispatchEvent(new Event('input'));"
    window.run(
        f"const area = document.querySelector('{field}');"
        + script.replace("const [area, text] = arguments;", "const text = arguments[0];"),
        text,
    )
    settled(window)
