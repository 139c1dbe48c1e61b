"""Finding, reading and writing checkpoint files."""

from .bundled import bundled_checkpoints
from .errors import CheckpointError
from .files import read_json, write_text_atomically
from .layout import CONFIG_FILE
from .locate import locate, locate_config, locate_weights
from .memory import allocate
from .reading import DictWeights, Weights, open_weights
from .report import Finding, LoadingReport
from .writing import save_weights

__all__ = [
    "CONFIG_FILE",
    "CheckpointError",
    "DictWeights",
    "Finding",
    "LoadingReport",
    "Weights",
    "allocate",
    "bundled_checkpoints",
    "locate",
    "locate_config",
    "locate_weights",
    "open_weights",
    "read_json",
    "save_weights",
    "write_text_atomically",
]
