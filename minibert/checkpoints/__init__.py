"""Finding, reading and writing checkpoint files."""

from .files import CONFIG_FILE, CheckpointError, read_json, replacing, write_text_atomically
from .find import bundled_checkpoints, locate, locate_config, locate_weights
from .load import LoadingReport
from .read import Weights, open_weights, weights_of
from .save import save_weights

__all__ = [
    "CONFIG_FILE",
    "CheckpointError",
    "LoadingReport",
    "Weights",
    "bundled_checkpoints",
    "locate",
    "locate_config",
    "locate_weights",
    "open_weights",
    "read_json",
    "replacing",
    "save_weights",
    "weights_of",
    "write_text_atomically",
]
