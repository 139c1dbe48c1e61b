"""What the chapters and exercises need besides the library. Files beside this folder import it as `course`.

    figures.py      the plots of the chapters, and their one thread
    samples.py      the paths of the sample files in ../samples
    hints.py        from wrong results to a hint                     patterns.py     mistakes that look the same everywhere
    judging.py      what a check says, and what holds for all        statements.py   a file that Python cannot read as a whole
    checking.py     checks exercises in a second process             running.py      what that process does
    command.py      what `minibert check` prints                     limits.py       what it may do
    about.py        how long, how hard, what to notice               resetting.py    an answer made a blank again
    watching.py     wait for a file to be saved

Nothing is imported here, so that `minibert check` need not import torch.
"""
