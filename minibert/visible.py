"""Text from outside, such as labels, names and tokens of a downloaded checkpoint, made harmless where people look."""

import json
import math
import re
from functools import reduce
from typing import Any

# What a terminal obeys or hides: controls, turns of direction, letters without width, halves of characters. Between letters of
# other scripts joiners stay, and after them what selects a variant: words need them. Beside "[MASK]" they would hide.
_SELECTORS = "\ufe00-\ufe0f\U000e0100-\U000e01ef"
UNSEEN = re.compile(
    "[\0-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\ufffe\uffff\ud800-\udfff"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e007f]"
    "|(?<![^\0-\x7f])[\u200c\u200d]|[\u200c\u200d](?![^\0-\x7f])"
    rf"|(?<![^\0-\"$-)+-/:-\x7f{_SELECTORS}])[{_SELECTORS}]"  # on a key: 1, # and *
)

# Temporary files, and what to call each: no reader knows by its path the one that holds standard input.
CALLED: dict[str, str] = {}


def visible(text: object, keep: str = "") -> str:
    """For a terminal, on one line unless "\\n" is to `keep`: what is `UNSEEN` is written as \\x1b, \\u202e, \\n."""
    shown = _called(str(text))
    return UNSEEN.sub(lambda found: found[0] if found[0] in keep else found[0].encode("unicode_escape").decode(), shown)


def _called(text: str) -> str:
    return reduce(lambda shown, path: shown.replace(path, CALLED[path]), CALLED, text)


def visible_json(value: object, indent: int | None = None) -> str:
    """JSON with letters as they are, and what is `UNSEEN` as \\u…: it is read back as the same value, with null for infinity and NaN."""
    text = json.dumps(_for_json(value), indent=indent, ensure_ascii=False, allow_nan=False)
    return UNSEEN.sub(lambda found: found[0] if found[0] == "\n" else json.dumps(found[0])[1:-1], text)


def _for_json(value: Any) -> Any:
    """A value in which numbers that JSON lacks, infinity and NaN, are None, and temporary files have their names."""
    if isinstance(value, dict):
        return {_for_json(key): _for_json(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return list(map(_for_json, value))
    if isinstance(value, str):
        return _called(value)
    return None if isinstance(value, float) and not math.isfinite(value) else value


def visible_in_html(value: Any) -> str:
    """JSON to stand in a page's script: its texts are `visible`, and none can end the script."""

    def each(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: each(inner) for key, inner in value.items()}
        return (
            list(map(each, value)) if isinstance(value, list) else visible(value) if isinstance(value, str) else value
        )

    return json.dumps(each(value), ensure_ascii=False).replace("<", "\\u003c")


def visible_in_plot(text: object) -> str:
    """For matplotlib, where a dollar sign would begin a formula."""
    return visible(text).replace("$", r"\$")
