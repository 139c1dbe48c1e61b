"""What a figure was measured on: pages name it beside their tables."""

import platform
from pathlib import Path


def processor() -> str:
    """Its name, family and model."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor() or platform.machine()
    fields = dict(map(str.strip, line.split(":", 1)) for line in text.partition("\n\n")[0].splitlines() if ":" in line)
    name = fields.get("model name", platform.machine())
    return f"{name} (family {fields['cpu family']}, model {fields['model']})" if "cpu family" in fields else name
