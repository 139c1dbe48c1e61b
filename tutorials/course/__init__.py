"""What the chapters and exercises need besides the library. Files beside this folder import it as `course`.

    figures.py     the plots of the chapters, and their one thread checking.py   checks exercises in a second process
    samples.py     the paths of the sample files in ../samples     running.py    what that process does
    hints.py       from a wrong result to a hint                   limits.py     what it may do
    command.py     what `minibert check` prints

Nothing is imported here, so that `minibert check` need not import torch.
"""
