"""Names of the era that no lesson needs: what programs written for transformers 4.4 to 4.12 call, and where minibert's own names moved.

The core imports nothing from here until such a program asks for it.
"""
