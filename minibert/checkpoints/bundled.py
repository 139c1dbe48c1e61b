"""The checkpoints that come with minibert, found by name without any network.

In a checkout (and an editable install) they lie in ``weights/`` beside the package; a wheel carries that folder inside
the package, as ``minibert/weights/``.
"""

from pathlib import Path

from .layout import CONFIG_FILE

_PACKAGE = Path(__file__).resolve().parents[1]
_PLACES = (_PACKAGE / "weights", _PACKAGE.parent / "weights")


def bundled_checkpoints() -> dict[str, Path]:
    """Name → folder of every bundled checkpoint."""
    return {
        config.parent.name: config.parent
        for place in reversed(_PLACES)  # the first place wins
        for config in sorted(place.glob(f"*/{CONFIG_FILE}"))
    }
