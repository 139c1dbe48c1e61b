"""Where the tutorials are, and how to open a file whose name is no module's."""

import importlib.util
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).parents[2]
TUTORIALS = ROOT / "tutorials"


def open_module(path: Path) -> ModuleType:
    """A Python file as a module, whatever it is called."""
    spec = importlib.util.spec_from_file_location(f"opened_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
