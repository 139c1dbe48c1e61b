"""How long a fresh Python takes to import the library, PyTorch included."""

from __future__ import annotations

import subprocess
import sys

from .harness import Row, compare, race


def rows(rounds: int = 8) -> list[Row]:
    """Importing a model, against `import torch`, of which it is a part, and against importing the model of transformers.

    `import minibert` alone imports nothing yet.
    """

    def fresh(code: str) -> None:
        subprocess.run([sys.executable, "-c", code], check=True)

    times = race(
        {
            "minibert": lambda: fresh("from minibert import BertModel"),
            "import torch": lambda: fresh("import torch"),
            "from transformers import BertModel": lambda: fresh("from transformers import BertModel"),
        },
        rounds,
    )
    return [
        compare("from minibert import BertModel", times, "minibert", other)
        for other in ("import torch", "from transformers import BertModel")
    ]
