"""My BERT.

Write it here, under your names and in your style: functions or modules, one file or several beside this one. README.md goes through
the twelve parts. What you call things is told to the grader in adapters.py.
"""
