"""minibert: BERT from scratch in plain PyTorch, to read, to step through, and bit-for-bit identical to Hugging Face transformers 4.12.5.

from minibert import BertForPreTraining, BertTokenizer

tokenizer = BertTokenizer.from_pretrained("novels-4l-256h")
model = BertForPreTraining.from_pretrained("novels-4l-256h")
outputs = model(**tokenizer("He shook his [MASK].", return_tensors="pt"))
"""

from importlib import import_module
from importlib.util import find_spec as _find_spec
from typing import TYPE_CHECKING, Any

from .compat.moved import find_moved_modules as _find_moved_modules

__version__ = "0.1.0"

_find_moved_modules()

if TYPE_CHECKING:
    from .public_names import *  # noqa: F403 type checkers and editors read the names there
else:

    def __getattr__(name: str) -> Any:
        """Import every name of `public_names.py` when the first is used, so that `minibert --help` starts without torch."""
        if _find_spec(f"{__name__}.{name}"):
            return import_module(f".{name}", __name__)  # a module of the package, asked for as `from . import name`
        names = import_module(".public_names", __name__)
        globals().update({each: getattr(names, each) for each in names.__all__})
        globals()["__all__"] = [*names.__all__, "__version__"]
        if name not in globals():
            from .compat.names import why_not_here

            if reason := why_not_here(name):
                raise ImportError(reason)  # an AttributeError's words would be lost in `from minibert import …`
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return globals()[name]

    def __dir__() -> list[str]:
        """All names, for completion in a notebook."""
        return sorted({*globals(), *__getattr__("__all__")})
