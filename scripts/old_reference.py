"""Make an environment in which transformers 4.12.5 runs on today's Python and PyTorch: python scripts/old_reference.py DIR

It is for measuring against, never a dependency. Five things stand between that library and today, each with a way round:
its tokenizers have no wheel for this Python (its BERT does not need them: a stand-in takes their name), and it wants an
older packaging, setuptools, NumPy and hub client.
"""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path

REQUIREMENTS = [
    "torch==2.13.0",
    "numpy<2",
    "packaging<22",
    "setuptools<80",
    "huggingface-hub<0.20",
    "filelock",
    "requests",
    "tqdm",
    "regex",
    "sacremoses",
    "pyyaml",
    "importlib_metadata",
]
REFERENCE = "transformers==4.12.5"
STAND_IN = '''
class _Absent:
    """Stands for a class of the compiled tokenizers, which this environment does without."""

    def __init__(self, *args, **kwargs):
        raise RuntimeError("the compiled tokenizers are not installed here")


def __getattr__(name):
    return _Absent
'''
CHECK = """
import torch, transformers
config = transformers.BertConfig(
    vocab_size=9, hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8
)
assert transformers.BertForPreTraining(config)(torch.ones(1, 4, dtype=torch.long)).prediction_logits.shape == (1, 4, 9)
print("transformers", transformers.__version__, "runs on torch", torch.__version__)
"""


def main() -> None:
    folder = Path(sys.argv[1]).resolve()
    venv.create(folder, with_pip=True, clear=True)
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    install = [python, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    subprocess.run([*install, *REQUIREMENTS], check=True)  # noqa: S603  # an environment of this script
    subprocess.run([*install, "--no-deps", REFERENCE], check=True)  # noqa: S603  # an environment of this script
    where = "import sysconfig; print(sysconfig.get_paths()['purelib'])"
    site = Path(subprocess.run([python, "-c", where], check=True, capture_output=True, text=True).stdout.strip())  # noqa: S603  # the same
    write_stand_in(site)
    subprocess.run([python, "-c", CHECK], check=True)  # noqa: S603  # the same


def write_stand_in(site: Path) -> None:
    """Put a package named tokenizers, version 0.10.3, into site-packages; using any of its classes is an error."""
    package = site / "tokenizers"
    package.mkdir(exist_ok=True)
    for module in ("__init__", "decoders", "models", "normalizers", "pre_tokenizers", "processors", "trainers"):
        (package / f"{module}.py").write_text(STAND_IN)
    info = site / "tokenizers-0.10.3.dist-info"
    info.mkdir(exist_ok=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: tokenizers\nVersion: 0.10.3\n")


if __name__ == "__main__":
    main()
