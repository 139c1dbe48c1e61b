"""How long a fresh Python takes to import the library, PyTorch included."""

from __future__ import annotations

import subprocess
import sys

from .harness import Row, compare, race


def rows(rounds: int = 8) -> list[Row]:
    """`import minibert` against `import torch`, of which it is a part, and against importing a model of transformers."""

    def fresh(code: str) -> None:
        subprocess.run([sys.executable, "-c", code], check=True)

    times = race(
        {
            "import minibert": lambda: fresh("import minibert"),
            "import torch": lambda: fresh("import torch"),
            "from transformers import BertModel": lambda: fresh("from transformers import BertModel"),
        },
        rounds,
    )
    return [
        compare("import minibert", times, "import minibert", other)
        for other in ("import torch", "from transformers import BertModel")
    ]
