"""`python -m minibert …` is `minibert …`."""

from .cli import main

main(prog_name="minibert")
