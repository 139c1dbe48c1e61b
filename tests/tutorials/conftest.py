"""The chapters draw pictures: they are run where the extra `tutorials` is installed, and nowhere else."""

from importlib.util import find_spec

collect_ignore = [] if find_spec("matplotlib") else ["test_chapters.py"]
