"""How much minibert says: `from minibert import logging; logging.set_verbosity_error()`.

The logger is called "minibert". From the first call of a function here on, it writes to the standard error output itself.
Reference: `transformers.logging`.
"""

import logging
from functools import partial
from logging import CRITICAL, DEBUG, ERROR, FATAL, INFO, WARN, WARNING

__all__ = ["CRITICAL", "DEBUG", "ERROR", "FATAL", "INFO", "WARN", "WARNING"]
log_levels = {"debug": DEBUG, "info": INFO, "warning": WARNING, "error": ERROR, "critical": CRITICAL}
_handler = logging.StreamHandler()


def _library() -> logging.Logger:
    logger = logging.getLogger("minibert")
    if logger.level == logging.NOTSET:
        logger.addHandler(_handler)
        logger.setLevel(WARNING)
        logger.propagate = False
    return logger


def get_logger(name: str | None = None) -> logging.Logger:
    """The logger of this name; without one, the library's."""
    return _library() if name is None else _library().manager.getLogger(name)


def get_verbosity() -> int:
    """The level from which on messages are shown: 10 debug, 20 info, 30 warning, 40 error, 50 critical."""
    return _library().level


def set_verbosity(verbosity: int) -> None:
    """Show messages of this level and above; `set_verbosity_error()` and its like set one by name."""
    _library().setLevel(verbosity)


set_verbosity_debug, set_verbosity_info = partial(set_verbosity, DEBUG), partial(set_verbosity, INFO)
set_verbosity_warning, set_verbosity_error = partial(set_verbosity, WARNING), partial(set_verbosity, ERROR)


def add_handler(handler: logging.Handler = _handler) -> None:
    """Give messages to this handler too; by default, to the library's own again."""
    _library().addHandler(handler)


def remove_handler(handler: logging.Handler = _handler) -> None:
    """Give messages to this handler no longer; by default, to the library's own."""
    _library().removeHandler(handler)


def enable_propagation(propagate: bool = True) -> None:
    """Give messages to the handlers of the root logger too."""
    _library().propagate = propagate


def enable_explicit_format(layout: str = "[%(levelname)s|%(filename)s:%(lineno)s] %(asctime)s >> %(message)s") -> None:
    """Show level, file, line and time before each message."""
    for handler in _library().handlers:
        handler.setFormatter(logging.Formatter(layout))


enable_default_handler, disable_default_handler = partial(add_handler, _handler), partial(remove_handler, _handler)
disable_propagation, reset_format = partial(enable_propagation, False), partial(enable_explicit_format, "%(message)s")
