"""What needs more than the tests of the library do is run where that is installed: pictures, and nbgrader."""

from importlib.util import find_spec

import torch._dynamo  # noqa: F401  # it notes PyTorch's functions when it is loaded, which must not be while dropout is exchanged

NEEDS = {"test_chapters.py": "matplotlib", "test_grading.py": "nbgrader"}
collect_ignore = [file for file, module in NEEDS.items() if not find_spec(module)]
