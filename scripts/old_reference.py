"""Make an environment in which transformers 4.12.5 runs on today's Python and PyTorch: python scripts/old_reference.py DIR [PYTHON]

It is for measuring against, never a dependency. Five things stand between that library and today, each with a way round:
its tokenizers have no wheel for this Python (its BERT does not need them: a stand-in takes their name), and it wants an
older packaging, setuptools, NumPy and hub client. PYTHON, of another environment, lends its PyTorch and its NumPy, which must be below 2.
"""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path

REQUIREMENTS = [
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
TENSORS = ["torch==2.13.0", "numpy<2"]
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
    install = [python, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-compile"]
    lender = sys.argv[2] if len(sys.argv) > 2 else None
    needed = REQUIREMENTS if lender else [*TENSORS, *REQUIREMENTS]
    subprocess.run([*install, *needed], check=True)  # noqa: S603  # an environment of this script
    subprocess.run([*install, "--no-deps", REFERENCE], check=True)  # noqa: S603  # an environment of this script
    site = packages_of(python)
    write_stand_in(site)
    if lender:  # behind this environment's own packages
        (site / "lent.pth").write_text(f"{packages_of(lender)}\n", encoding="utf-8")
    subprocess.run([python, "-c", CHECK], check=True)  # noqa: S603  # the same


def packages_of(python: str | Path) -> Path:
    """Where an environment keeps its packages."""
    where = "import sysconfig; print(sysconfig.get_paths()['purelib'])"
    done = subprocess.run([python, "-c", where], check=True, capture_output=True, text=True)  # noqa: S603  # the same
    return Path(done.stdout.strip())


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
