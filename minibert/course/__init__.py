"""What the tutorials need besides the library: exercises that check themselves, and figures.

`checking.py` finds and runs the checks, `compare.py` turns a wrong result into a hint, `figures.py` shows pictures.
"""

from .compare import hint_for
from .figures import new_figure, show

__all__ = ["hint_for", "new_figure", "show"]
