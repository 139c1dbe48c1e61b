"""What the chapters and exercises need besides the library.

    figures.py      the plots of the chapters           checking.py   finds the exercises and checks them, in a process
    samples.py      the small files of ../samples       running.py    what that process does
    hints.py        from a wrong result to a hint

Files beside this folder import it as `course`. Nothing is imported here: the first two columns need torch, or matplotlib, or
neither, and `minibert check` starts without both.
"""
