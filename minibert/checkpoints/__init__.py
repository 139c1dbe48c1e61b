"""Finding, reading and writing checkpoint files."""

from .files import (
    CONFIG_FILE,
    CheckpointError,
    folder_for_saving,
    read_json,
    replacing,
    write_json,
    write_text_atomically,
)
from .find import bundled_checkpoints, locate, locate_config, locate_weights
from .load import LoadingReport
from .read import Weights, open_weights, weights_of
from .save import check_upload, save_weights

__all__ = [
    "CONFIG_FILE",
    "CheckpointError",
    "folder_for_saving",
    "read_json",
    "replacing",
    "write_json",
    "write_text_atomically",
]
__all__ += ["LoadingReport", "bundled_checkpoints", "locate", "locate_config", "locate_weights"]
__all__ += ["Weights", "check_upload", "open_weights", "save_weights", "weights_of"]
