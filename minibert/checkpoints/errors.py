"""The one error that everything about checkpoint files raises."""


class CheckpointError(OSError):
    """A checkpoint cannot be found, read or written.

    The message says what is wrong, in which file, and what to do. It is an ``OSError`` because programs written for
    the reference library catch ``EnvironmentError`` around ``from_pretrained``. Whatever a library raised underneath
    is kept as ``__cause__``.
    """
